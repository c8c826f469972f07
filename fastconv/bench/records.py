"""What measurements are made of: plain data, which the views (table, html, plot) show.

`fastconv.bench.results` adds the methods by which a result shows itself.
"""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from fastconv.bench.suites import Case
from fastconv.bench.timing import STEADY
from fastconv.core.problems.base import Problem
from fastconv.version import __version__


@dataclass(frozen=True, slots=True)
class Roofline:
    """Measured limits for one dtype and number of threads.

    Attributes
    ----------
    peak : float
        FLOP/s.
    bandwidth : float
        Bytes/s, read and written together.
    source : str
        How the peak was measured.
    """

    peak: float
    bandwidth: float
    source: str
    threads: int

    def seconds(self, problem: Problem) -> float:
        """The least time in which the nominal work and traffic could be done.

        Pooling compares and adds rather than multiplies and adds: its bytes alone count.
        """
        moving = problem.bytes / self.bandwidth
        return max(moving, problem.flops / self.peak) if counts_flops(problem) else moving


def counts_flops(problem: Problem) -> bool:
    """Whether the work is measured in GFLOP/s (sums of products) or GB/s (everything else)."""
    return problem.op in ("conv", "gemm")


@dataclass(frozen=True, slots=True)
class Row:
    """One contender.

    Attributes
    ----------
    name : str
        A kernel, as ``cython.direct@avx512``, or a peer.
    kind : str
        ``fastconv`` or ``peer``.
    status : str
        ``ok``; ``wrong``: the result is not that of the definition, so it was not timed; ``failed``: it raised.
    why : str or None
        What is wrong, or what failed.
    chosen : bool
        Whether fastconv chooses this kernel by itself.
    seconds, low, high : float or None
        Median and quartiles of one run.
    samples : int
    rate : float or None
        Effective FLOP/s, or bytes/s where the work is measured so: see `Comparison.unit`.
    roofline : float or None
        Share of what the machine's measured peak and bandwidth allow; above 1 for algorithms that need fewer
        operations, and for work that stays in caches.
    workspace : int or None
        Bytes of scratch per thread; None for peers.
    error : float or None
        Largest error relative to max|y|, against float64.
    bound : float or None
        What the kernel promises on any finite data, in epsilons of the sum of magnitudes; None for peers.
    ratio : float or None
        Time of the best peer over this one: above 1 is faster than every peer.
    other : bool
        Whether a peer's filter computes other pixels than the definition, although near it: it is timed all the same.
    admitted : bool
        Whether the call's options, above all its tolerance, let fastconv choose this kernel.
    """

    name: str
    kind: str
    status: str = "ok"
    why: str | None = None
    chosen: bool = False
    seconds: float | None = None
    low: float | None = None
    high: float | None = None
    samples: int = 0
    rate: float | None = None
    roofline: float | None = None
    workspace: int | None = None
    error: float | None = None
    bound: float | None = None
    ratio: float | None = None
    admitted: bool = True
    other: bool = False

    @property
    def spread(self) -> float | None:
        """Interquartile range of the times over their median; None of fewer than two samples."""
        if self.seconds is None or self.samples < 2:
            return None
        return (self.high - self.low) / self.seconds  # type: ignore[operator]

    @property
    def library(self) -> str:
        """The backend of a kernel, or the library of a peer: ``cython`` of ``cython.direct@avx2``, or ``torch``."""
        return re.split(r"[. ]", self.name)[0]

    @property
    def kin(self) -> str:
        """What a short table shows one row of: a library and kind of algorithm, as ``cython.winograd``, or a peer."""
        if self.kind == "peer":
            return self.library
        return f"{self.library}.{re.split(r'[_@]', self.name.partition('.')[2])[0]}"


@dataclass(frozen=True, slots=True)
class ComparisonData:
    """How fast everyone who can do it computes one problem.

    Attributes
    ----------
    title, problem : str
        The call, and the canonical problem that it became.
    dtype : str
    threads : int
        Of every contender.
    door : str
        ``planned``: weights packed beforehand; ``called``: the functions themselves, with all that a call entails.
    cold : bool
        Whether nothing was in the caches.
    unit : str
        ``GFLOP/s`` or ``GB/s``.
    flops, bytes : float
        Nominal operations of the problem, and the least bytes that it moves.
    roofline : Roofline
        What this machine could do, as measured.
    rows : tuple of Row
        Fastest first; wrong and failed ones last.
    left_out : tuple of (str, str)
        Kernels that cannot do it, with their reasons.
    notes : tuple of str
        Peers that are missing or cannot do it, and why.
    busy : float or None
        How many processors other programs used meanwhile, on average; None where the system does not say.
    environment : dict
        Date, processor, versions, command and load: see `fastconv.bench.environment`.
    """

    title: str
    problem: str
    dtype: str
    threads: int
    unit: str
    flops: float
    bytes: float
    roofline: Roofline
    rows: tuple[Row, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    door: str = "planned"
    cold: bool = False
    busy: float | None = None
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def conditions(self) -> str:
        """What is unusual about the measurement, as the end of a sentence."""
        return ", functions as they are called" * (self.door == "called") + ", cold caches" * self.cold

    @property
    def chosen(self) -> Row | None:
        """The row of the kernel that fastconv chooses by itself."""
        return next((r for r in self.rows if r.chosen), None)

    @property
    def best(self) -> Row | None:
        """The fastest of fastconv's own kernels that the call admits."""
        return self._fastest("fastconv")

    @property
    def best_peer(self) -> Row | None:
        """The fastest peer."""
        return self._fastest("peer")

    @property
    def main_rows(self) -> tuple[Row, ...]:
        """The kernel that is chosen, the fastest of each kind of algorithm and of each peer, and all that failed."""
        seen: set[str] = set()
        found = []
        for row in self.rows:  # the fastest first
            if row.chosen or row.status != "ok" or (row.admitted and row.kin not in seen):
                found.append(row)
            if row.admitted:
                seen.add(row.kin)
        return tuple(found)

    @property
    def scattered(self) -> tuple[Row, ...]:
        """The rows whose times scatter too much to be relied on."""
        return tuple(r for r in self.rows if r.spread is not None and r.spread > STEADY)

    def _fastest(self, kind: str) -> Row | None:
        timed = [r for r in self.rows if r.kind == kind and r.seconds is not None and r.admitted]
        return min(timed, key=lambda r: r.seconds) if timed else None  # type: ignore[arg-type, return-value]

    def to_dict(self) -> dict[str, Any]:
        """Everything as dicts, lists, numbers and strings."""
        return {"fastconv": __version__, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Entry:
    """One case of a suite, measured."""

    case: Case
    comparison: ComparisonData

    @property
    def regret(self) -> float | None:
        """Time of the kernel that fastconv chooses over that of its best kernel: 1 is a perfect choice."""
        own, best = self.comparison.chosen, self.comparison.best
        if self.comparison.door == "called":
            return None  # the choice is part of what was timed
        if own is None or own.seconds is None or best is None or best.seconds is None:
            return None
        return own.seconds / best.seconds

    @property
    def ratio(self) -> float | None:
        """Time of the best peer over that of the kernel that fastconv chooses."""
        own = self.comparison.chosen
        return None if own is None else own.ratio


@dataclass(frozen=True, slots=True)
class Summary:
    """What a suite says in a few numbers; None where nothing was measured.

    Attributes
    ----------
    cases, with_peers, wrong : int
        All cases; those that a peer took part in; contenders with a wrong result or an exception.
    ratio : float or None
        Geometric mean, over cases, of the best peer's time over that of fastconv's own choice.
    tenth : float or None
        A tenth of the cases have a lower ratio than this.
    below : int
        Cases in which a peer is faster.
    regret : float or None
        Geometric mean, over cases, of the time of fastconv's choice over that of its best kernel.
    seconds, peer_seconds : float or None
        Sum of times, each case as often as it occurs, over the cases that a peer took part in.
    """

    cases: int
    with_peers: int
    wrong: int
    ratio: float | None
    tenth: float | None
    below: int
    regret: float | None
    seconds: float | None
    peer_seconds: float | None


def geometric_mean(values: list[float]) -> float | None:
    """Their geometric mean; None of no values."""
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


@dataclass(frozen=True, slots=True)
class ReportData:
    """A suite, measured.

    Attributes
    ----------
    suite, about : str
        Its name, and one line about its cases and the conditions.
    threads : int
        Of every contender.
    entries : tuple of Entry
        One per case.
    """

    suite: str
    about: str
    threads: int
    entries: tuple[Entry, ...]

    @property
    def summary(self) -> Summary:
        """The report in a few numbers."""
        ratios = [e.ratio for e in self.entries if e.ratio is not None]
        regrets = [e.regret for e in self.entries if e.regret is not None]
        both = [e for e in self.entries if e.ratio is not None]
        own = peer = 0.0
        for e in both:
            chosen, best = e.comparison.chosen, e.comparison.best_peer
            if chosen is not None and best is not None:
                own += e.case.count * (chosen.seconds or 0.0)
                peer += e.case.count * (best.seconds or 0.0)
        return Summary(
            cases=len(self.entries),
            with_peers=len(both),
            wrong=sum(r.status != "ok" for e in self.entries for r in e.comparison.rows),
            ratio=geometric_mean(ratios),
            tenth=sorted(ratios)[len(ratios) // 10] if ratios else None,
            below=sum(r < 1 for r in ratios),
            regret=geometric_mean(regrets),
            seconds=own if both else None,
            peer_seconds=peer if both else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything as dicts, lists, numbers and strings."""
        return {
            "fastconv": __version__,
            "suite": self.suite,
            "about": self.about,
            "threads": self.threads,
            "environment": self.entries[0].comparison.environment if self.entries else {},
            "summary": asdict(self.summary),
            "cases": [
                {**asdict(e.case), "regret": e.regret, "ratio": e.ratio, "comparison": e.comparison.to_dict()}
                for e in self.entries
            ],
        }
