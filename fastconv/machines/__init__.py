"""How fast machines are: tables of rates, one per microarchitecture, and which of them predicts times here.

What the user fitted on this processor comes first, then the table that was fitted on its microarchitecture.  Any other
processor gets `generic`: the rates of the best-known one, scaled to an estimate of its peak.  ``FASTCONV_TABLE`` names
another one, for experiments.
"""

from __future__ import annotations

import os
from functools import cache

from fastconv.core import cpu, machine
from fastconv.core.costs import Table
from fastconv.machines import blocks, generic, sapphire_rapids, stored, zen4

SHIPPED = {table.name: table for table in (zen4.TABLE, sapphire_rapids.TABLE)}


def known_table() -> Table | None:
    """The table that ships for this kind of processor, if there is one."""
    return SHIPPED.get(cpu.microarchitecture() or "")


@cache
def host_table() -> Table:
    """The table of this computer.

    Raises
    ------
    ValueError
        If ``FASTCONV_TABLE`` is set to an unknown name.
    """
    named = os.environ.get("FASTCONV_TABLE", "").strip().lower()
    if named:
        if named not in ("generic", *SHIPPED):
            raise ValueError(f"FASTCONV_TABLE is {named!r}; allowed are generic, {', '.join(SHIPPED)}")
        return SHIPPED.get(named) or generic.table()
    shipped = known_table() or generic.table()
    return stored.load(shipped) or shipped


@cache
def block_bytes(name: str) -> int:
    """Bytes of a block, by ``row/block``: as many as were measured to be best here, or a share of a cache."""
    host = machine.host()
    return host_table().blocks.get(name) or blocks.sizes(host.l1, host.l2)[name]
