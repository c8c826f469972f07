"""A processor that no table was fitted on: the rates of Zen 4, scaled to its peak and bandwidth."""

from __future__ import annotations

from collections.abc import Mapping

from fastconv.core.costs import Table
from fastconv.machines.zen4 import TABLE

CLOCK = 3.5e9  # Hz
FMAS = 2  # vectors per cycle
LANES = {"avx512": 16, "avx2": 8, "portable": 4}
BANDWIDTH = 15e9  # bytes/s of one core


def table() -> Table:
    """Of a processor with vector units of full width, of which nothing was measured."""
    return scaled({isa: CLOCK * FMAS * 2 * lanes for isa, lanes in LANES.items()}, BANDWIDTH)


def scaled(peak: Mapping[str, float], bandwidth: float) -> Table:
    """Of a processor with this peak, for each instruction set that it has, and this bandwidth, both measured."""
    return TABLE.scaled("generic", peak, bandwidth)
