"""How fast machines are: tables of rates, one per microarchitecture, and which of them predicts times here.

What the user fitted on this processor comes first, then the table that was fitted on its microarchitecture.  Any other
processor gets `generic`: the rates of the best-known one, scaled to an estimate of its peak.  ``FASTCONV_TABLE`` names
another one, for experiments.  Tables are imported when the first time is predicted.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module

import numpy as np

from fastconv.core import cpu, machine
from fastconv.core.costs import Counts, Table
from fastconv.machines import blocks

SHIPPED = ("zen4", "sapphire_rapids")  # modules, called as the microarchitecture


def shipped(name: str) -> Table:
    """The table of a microarchitecture, or ``generic``."""
    module = import_module(f"fastconv.machines.{name}")
    table: Table = module.table() if name == "generic" else module.TABLE
    return table


def known_table() -> Table | None:
    """The table that ships for this kind of processor, if there is one."""
    name = cpu.microarchitecture()
    return shipped(name) if name in SHIPPED else None


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
        return shipped(named)
    from fastconv.machines import stored

    known = known_table() or shipped("generic")
    return stored.load(known) or known


@cache
def l3_bytes() -> float:
    """Bytes of the L3 cache that a core can count on."""
    return min(machine.host().l3, host_table().l3)


@cache
def block_bytes(name: str) -> int:
    """Bytes of a block, by ``row/block``: as many as were measured to be best here, or a share of a cache."""
    host = machine.host()
    return host_table().blocks.get(name) or blocks.sizes(host.l1, host.l2)[name]


def streamed(size: float) -> float:
    """Bytes of weights that are read again, as many as take the same time from memory.

    0 where they stay in half of the L2 cache; from the L3 cache they are read two to four times as fast.
    """
    if size <= machine.host().l2 / 2:
        return 0.0
    return size / float(np.interp(size / l3_bytes(), (3 / 8, 1, 3 / 2), (4, 2, 1)))


def traffic(size: float, moved: float | None = None) -> Counts:
    """Bytes of all arrays, or `moved` of them, by where these are between two calls: in the L3 cache, or in memory."""
    return {"bytes_cached" if size <= l3_bytes() / 2 else "bytes": size if moved is None else moved}
