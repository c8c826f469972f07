"""Intel Sapphire Rapids and its successors: 48 KiB of L1 and 2 MiB of L2 cache, AVX-512 of full width.

Its rates are those of `generic`: nothing was fitted here yet.  Its blocks have the sizes with which the kernels were
tuned on such a processor, those of Zen 4: larger ones were not measured.
"""

from __future__ import annotations

from dataclasses import replace

from fastconv.machines.blocks import sizes
from fastconv.machines.generic import table

TABLE = replace(table(), name="sapphire_rapids", blocks=sizes(32 << 10, 1 << 20), l3=6 << 20)
