"""Two runs of the same cases: what became faster or slower by more than the times scatter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fastconv.bench.records import ComparisonData, ReportData, Row, geometric_mean
from fastconv.bench.table import Column, fitted, folded
from fastconv.core.units import time_text

LEAST = 0.05  # smaller changes are not told from noise, however little the times scatter
COLUMNS = (
    Column("", left=True),
    Column("case", left=True),
    Column("before"),
    Column("now"),
    Column("speed"),
    Column("kernel", left=True, rank=1),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One case in both runs.

    Attributes
    ----------
    suite, case : str
    before, now : Row
        Of the kernel that fastconv chose in each.
    """

    suite: str
    case: str
    before: Row
    now: Row

    @property
    def speed(self) -> float:
        """Time before over time now: above 1 is faster."""
        return self.before.seconds / self.now.seconds  # type: ignore[operator]

    @property
    def verdict(self) -> str:
        """``faster``, ``slower``, or nothing where the quartiles of both overlap, or nearly so."""
        if self.speed > 1 + LEAST and self.now.high < self.before.low:  # type: ignore[operator]
            return "faster"
        if self.speed < 1 / (1 + LEAST) and self.now.low > self.before.high:  # type: ignore[operator]
            return "slower"
        return ""


@dataclass(frozen=True, slots=True)
class Diff:
    """Two runs, compared; prints as a table.

    Attributes
    ----------
    changes : tuple of Change
        The cases that both have.
    missing : tuple of str
        Those that one of them has.
    peers : float or None
        Geometric mean of how much faster the same peers were in the second run: what the machine did, not fastconv.
    notes : tuple of str
        How the conditions differ.
    """

    changes: tuple[Change, ...]
    missing: tuple[str, ...]
    peers: float | None
    notes: tuple[str, ...]

    @property
    def slower(self) -> tuple[Change, ...]:
        return tuple(c for c in self.changes if c.verdict == "slower")

    @property
    def faster(self) -> tuple[Change, ...]:
        return tuple(c for c in self.changes if c.verdict == "faster")

    def to_text(self, width: int | None = None) -> str:
        """The cases that changed, and a summary."""
        changed = sorted((*self.slower, *self.faster), key=lambda c: c.speed)
        rows = [(c.verdict, c.case, time_text(c.before.seconds), time_text(c.now.seconds), f"{c.speed:.2f}",
                 c.now.name if c.now.name == c.before.name else f"{c.before.name} -> {c.now.name}")
                for c in changed]  # fmt: skip
        lines = fitted(COLUMNS, rows, width) if rows else []
        mean = geometric_mean([c.speed for c in self.changes])
        told = [
            f"{len(self.changes)} cases in both: {len(self.slower)} slower, {len(self.faster)} faster, "
            f"{len(self.changes) - len(changed)} the same within noise (quartiles that overlap, or less than "
            f"{100 * LEAST:.0f}%)"
        ]
        if mean is not None:
            theirs = f"; that of the peers, whose code is the same: {self.peers:.2f}" if self.peers else ""
            told.append(f"speed, the time before over the time now: geometric mean {mean:.2f}{theirs}")
        if self.missing:
            told.append(f"only in one of them: {', '.join(self.missing[:5])}{', ...' if len(self.missing) > 5 else ''}")
        return "\n".join([*lines, *folded([*told, *(f"note: {n}" for n in self.notes)], width)])

    __str__ = to_text


def diff(before: Iterable[ReportData], now: Iterable[ReportData]) -> Diff:
    """Compare two runs case by case.

    Parameters
    ----------
    before, now : iterable of Report
        As `fastconv.bench.saved.load` reads them, or as `bench` returns them.

    Returns
    -------
    Diff
    """
    old, new = _cases(before), _cases(now)
    both = [key for key in new if key in old]
    changes = [
        Change(*key, a, b) for key in both
        if (a := old[key].chosen) is not None and (b := new[key].chosen) is not None and a.seconds and b.seconds
    ]  # fmt: skip
    peers = [speed for key in both for speed in _peer_speeds(old[key], new[key])]
    missing = tuple(case for suite, case in (*old, *new) if ((suite, case) in old) != ((suite, case) in new))
    notes = _conditions([old[key] for key in both], [new[key] for key in both])
    return Diff(tuple(changes), missing, geometric_mean(peers), notes)


def _cases(reports: Iterable[ReportData]) -> dict[tuple[str, str], ComparisonData]:
    return {(r.suite, e.case.name): e.comparison for r in reports for e in r.entries}


def _peer_speeds(old: ComparisonData, new: ComparisonData) -> list[float]:
    times = {r.name: r.seconds for r in old.rows if r.kind == "peer" and r.seconds}
    return [times[r.name] / r.seconds for r in new.rows if r.kind == "peer" and r.seconds and r.name in times]


def _conditions(old: Sequence[ComparisonData], new: Sequence[ComparisonData]) -> tuple[str, ...]:
    def told(name: str, before: Iterable[object], now: Iterable[object]) -> str | None:
        a, b = ({*map(str, values)} - {"None"} for values in (before, now))
        return f"{name}: {', '.join(sorted(a))} before, {', '.join(sorted(b))} now" if a and b and a != b else None

    found = [
        told("processor", (c.environment.get("cpu") for c in old), (c.environment.get("cpu") for c in new)),
        told("threads", (c.threads for c in old), (c.threads for c in new)),
        told("door", (c.door for c in old), (c.door for c in new)),
        told("cold caches", (c.cold for c in old), (c.cold for c in new)),
    ]
    return tuple(note for note in found if note is not None)
