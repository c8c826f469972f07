"""What a run costs: counts of what it does, times the seconds that one of each takes on a machine.

A kernel states counts only (`Kernel.features`).  Seconds per count are rates, and stand in a table of the machine
(`fastconv.machines`), so that another processor is another table and no kernel changes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

Counts = Mapping[str, float]

# Names begin with the unit: multiply-adds, and the additions of transforms, take as long as the peak says; bytes as
# the bandwidth says; all else, such as a call or a row, the same on any processor.
ARITHMETIC, TRAFFIC = ("multiply", "transform"), "bytes"

BASE = "@portable"  # rows of the instruction set that every machine has


class Features:
    """Counts of what one run does, by the names of rates.

    Parameters
    ----------
    counts : mapping of str to float
        What is done one after the other: the times add up.
    *overlapping : mapping of str to float
        Parts that are done at the same time, such as arithmetic and memory traffic: the longest one counts.
    """

    __slots__ = ("counts", "overlaps")

    def __init__(self, counts: Counts, *overlapping: Counts) -> None:
        self.counts: Counts = counts
        self.overlaps: tuple[tuple[Counts, ...], ...] = (overlapping,) if overlapping else ()

    @classmethod
    def _of_parts(cls, counts: Counts, overlaps: tuple[tuple[Counts, ...], ...]) -> Features:
        made = cls(counts)
        made.overlaps = overlaps
        return made

    def of(self, row: str) -> Features:
        """The same with names that say whose rates apply; names that say it already keep theirs."""

        def named(counts: Counts) -> Counts:
            return {name if "/" in name else f"{row}/{name}": count for name, count in counts.items()}

        overlaps = tuple(tuple(map(named, parts)) for parts in self.overlaps)
        return self._of_parts(named(self.counts), overlaps)

    def __add__(self, other: Features) -> Features:
        counts = dict(self.counts)
        for name, count in other.counts.items():
            counts[name] = counts.get(name, 0.0) + count
        return self._of_parts(counts, self.overlaps + other.overlaps)

    def __mul__(self, factor: float) -> Features:
        def times(counts: Counts) -> Counts:
            return {name: count * factor for name, count in counts.items()}

        return self._of_parts(times(self.counts), tuple(tuple(map(times, parts)) for parts in self.overlaps))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"Features({', '.join(map(repr, (self.counts, *self.overlaps)))})"


@dataclass(frozen=True, slots=True)
class Table:
    """The speed of one kind of machine.

    Attributes
    ----------
    name : str
        Of the microarchitecture, ``generic``, or what the user fitted.
    peak : mapping of str to float
        FLOP/s of float32 multiply-adds of one core, by instruction set, widest first.
    bandwidth : float
        Bytes/s of streaming memory access by one core.
    rates : mapping of str to mapping of str to float
        Seconds per count: by row, ``kernel@isa``, or ``kernel`` where the backend has no instruction sets, and by the
        name of the count.
    blocks : mapping of str to int
        Bytes of blocks, by ``row/block``, where measurements want other sizes than the shares of caches of
        `fastconv.machines.blocks`.
    l3 : float
        Bytes of the L3 cache that one core can count on: others share it, and not all that a core reads enters it.
    """

    name: str
    peak: Mapping[str, float]
    bandwidth: float
    rates: Mapping[str, Mapping[str, float]]
    blocks: Mapping[str, int] = field(default_factory=dict)
    l3: float = math.inf

    def __post_init__(self) -> None:
        rates = {row: MappingProxyType(dict(of)) for row, of in self.rates.items()}
        object.__setattr__(self, "peak", MappingProxyType(dict(self.peak)))
        object.__setattr__(self, "rates", MappingProxyType(rates))
        object.__setattr__(self, "blocks", MappingProxyType(dict(self.blocks)))

    def flops(self, isa: str, itemsize: int = 4) -> float:
        """FLOP/s of one core with `isa` for floats of `itemsize` bytes."""
        return self.peak[isa] * 4 / itemsize

    def rate(self, name: str) -> float:
        """Seconds of one count; `name` is ``row/count``."""
        row, _, count = name.partition("/")
        return self.rates[row][count]

    def seconds(self, features: Features) -> float:
        """Predicted time; names must say whose rates apply, see `Features.of`."""

        def total(counts: Counts) -> float:
            return sum(count * self.rate(name) for name, count in counts.items())

        return total(features.counts) + sum(max(map(total, parts)) for parts in features.overlaps)

    def scaled(self, name: str, peak: Mapping[str, float], bandwidth: float) -> Table:
        """The table of a machine that was not fitted, of which only the peak and the bandwidth are known.

        Rates of an instruction set that this table lacks are those of ``portable``, scaled.
        """
        known = dict(self.rates)
        for isa in peak.keys() - self.peak.keys():
            known |= {row.replace(BASE, f"@{isa}"): of for row, of in self.rates.items() if row.endswith(BASE)}
        slower = {isa: self.peak.get(isa, self.peak[BASE[1:]]) / flops for isa, flops in peak.items()}
        widest = max(self.peak.values()) / max(peak.values())  # of libraries, which choose instructions themselves

        def factor(row: str, count: str) -> float:
            isa = row.partition("@")[2]
            if count.startswith(ARITHMETIC):
                return slower.get(isa, 1.0) if isa else widest
            return self.bandwidth / bandwidth if count.startswith(TRAFFIC) else 1.0

        rates = {row: {count: rate * factor(row, count) for count, rate in of.items()} for row, of in known.items()}
        return replace(self, name=name, peak=peak, bandwidth=bandwidth, rates=rates)

    def with_rates(self, changed: Mapping[str, float]) -> Table:
        """This table with other rates for some counts, by ``row/count``."""
        rates = {
            row: {count: changed.get(f"{row}/{count}", rate) for count, rate in of.items()}
            for row, of in self.rates.items()
        }
        return replace(self, rates=rates)
