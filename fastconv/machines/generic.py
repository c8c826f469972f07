"""A processor that no table was fitted on: the rates of Zen 4, scaled to its peak and bandwidth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fastconv.core.costs import Table
from fastconv.core.machine import ISAS
from fastconv.machines.zen4 import TABLE

WIDE = 1.6  # times the AVX-512 peak of Zen 4, whose units are half as wide but run at a higher clock
L3 = 32 << 20  # of Zen 4; a server tells its guests of far more, which they share
AVX2_BYTES = 32  # of a vector


def table() -> Table:
    """Of a processor with vector units of full width, of which nothing was measured."""
    per_byte = TABLE.peak["avx2"] / AVX2_BYTES
    others = {isa: per_byte * of.bytes for isa, of in ISAS.items() if isa not in TABLE.peak}
    peak = {**TABLE.peak, "avx512": WIDE * TABLE.peak["avx512"], **others}
    return scaled({isa: peak[isa] for isa in ISAS}, TABLE.bandwidth)


def scaled(peak: Mapping[str, float], bandwidth: float) -> Table:
    """Of a processor with this peak, for each instruction set that it has, and this bandwidth, both measured."""
    return replace(TABLE.scaled("generic", peak, bandwidth), l3=L3)
