"""Intel Sapphire Rapids and its successors: 48 KiB of L1 and 2 MiB of L2 cache, AVX-512 of full width.

Its rates are those of `generic`, except those of products of pairs: its vector units take four times as long for a
product of pairs of bfloat16 as for one of floats, and twice as long for one of integers.  Nothing else was measured
here yet.  Its blocks have the sizes with which the kernels were tuned on such a processor, those of Zen 4: larger
ones were not measured.
"""

from __future__ import annotations

from dataclasses import replace

from fastconv.machines.blocks import sizes
from fastconv.machines.generic import table

PAIRS = "cython.widened_products@avx512/multiply_"
MEASURED = {f"{PAIRS}bfloat16": 1.4e-11, f"{PAIRS}int16": 4e-12}

TABLE = replace(
    table().with_rates(MEASURED), name="sapphire_rapids", blocks=sizes(32 << 10, 1 << 20), l3=6 << 20
)
