"""`fastconv bench`: a suite of problems, each compared as `fastconv.compare` does, and what they say together."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fastconv.bench.compare import SECONDS, Comparison, measure
from fastconv.bench.gradients import gradient_call
from fastconv.bench.peers import PEERS
from fastconv.bench.suites import SUITES, Case
from fastconv.bench.timing import ROUNDS
from fastconv.core.arrays import Spec
from fastconv.ops import activation, adaptive, conv, gemm, loss, pool, shape, unpool
from fastconv.version import __version__

FAMILIES = (conv, pool, adaptive, unpool, gemm, activation, loss, shape)  # a case names a public function of one

@dataclass(frozen=True, slots=True)
class Entry:
    """One case of a suite, measured."""

    case: Case
    comparison: Comparison

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
    below: int
    regret: float | None
    seconds: float | None
    peer_seconds: float | None


def _mean(values: list[float]) -> float | None:
    """Geometric mean."""
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


@dataclass(frozen=True, slots=True)
class Report:
    """A suite, measured; prints as a table."""

    suite: str
    about: str
    threads: int
    entries: tuple[Entry, ...]

    @property
    def summary(self) -> Summary:
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
            ratio=_mean(ratios),
            below=sum(r < 1 for r in ratios),
            regret=_mean(regrets),
            seconds=own if both else None,
            peer_seconds=peer if both else None,
        )

    def summary_lines(self) -> list[str]:
        """The summary in words."""
        s = self.summary
        lines = []
        if s.ratio is not None:
            lines.append(
                f"against the best peer of each case: geometric mean {s.ratio:.2f} over {s.with_peers} cases, "
                f"{s.below} of them below 1.0"
            )
            lines.append(
                f"all layers, as often as they occur: {1e3 * s.seconds:.2f} ms here, "  # type: ignore[operator]
                f"{1e3 * s.peer_seconds:.2f} ms with the best peer for each"  # type: ignore[operator]
            )
        if s.regret is not None:
            worst = max((e for e in self.entries if e.regret is not None), key=lambda e: e.regret or 0)
            lines.append(
                f"regret of the choice of kernel: geometric mean {s.regret:.2f}, worst {worst.regret:.2f} "
                f"({worst.case.name}: {worst.comparison.chosen.name}, best {worst.comparison.best.name})"  # type: ignore[union-attr]
            )
        for e in self.entries:
            bad = [r for r in e.comparison.rows if r.status != "ok"]
            lines += [f"{r.status}: {e.case.name}: {r.name}: {r.why}" for r in bad]
        notes = dict.fromkeys(n for e in self.entries for n in e.comparison.notes if "not installed" in n)
        return lines + [f"note: {n}" for n in notes]

    def to_dict(self) -> dict[str, Any]:
        """Everything as dicts, lists, numbers and strings."""
        return {
            "fastconv": __version__,
            "suite": self.suite,
            "about": self.about,
            "threads": self.threads,
            "summary": asdict(self.summary),
            "cases": [
                {**asdict(e.case), "regret": e.regret, "ratio": e.ratio, "comparison": e.comparison.to_dict()}
                for e in self.entries
            ],
        }

    def __str__(self) -> str:
        from fastconv.bench.table import report_text

        return report_text(self)

    __repr__ = __str__


def reports_json(reports: Iterable[Report], path: str | Path | None = None) -> str:
    """Several reports as JSON text, also written to `path` if that is given."""
    text = json.dumps([r.to_dict() for r in reports], indent=1)
    if path is not None:
        Path(path).write_text(text + "\n", encoding="utf-8")
    return text


def call_of(case: Case) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """The public function of a case and its arguments, arrays as `Spec`."""
    dtypes = ["int64" if i in case.indices else case.dtype for i in range(len(case.shapes))]
    arrays = tuple(map(Spec, case.shapes, dtypes))
    operation = next(getattr(family, case.operation) for family in FAMILIES if hasattr(family, case.operation))
    call = operation, (*arrays, *case.args), dict(case.kwargs)
    return call if case.gradient is None else gradient_call(*call, case.gradient)


def cases_of(suite: str, parts: tuple[str, ...]) -> tuple[Case, ...]:
    """The cases of `suite` whose names contain one of `parts`; all if there are none.

    Raises
    ------
    ValueError
        If there is no suite of that name, or no such case in it.
    """
    if suite not in SUITES:
        raise ValueError(f"suite must be one of {', '.join(SUITES)}, got {suite!r}")
    chosen = tuple(c for c in SUITES[suite].cases if not parts or any(part in c.name for part in parts))
    if not chosen:
        raise ValueError(f"suite {suite} has no case with {' or '.join(map(repr, parts))} in its name")
    return chosen


def bench(
    suite: str,
    *,
    peers: Iterable[str] = tuple(PEERS),
    threads: int | None = None,
    seconds: float = SECONDS,
    rounds: int = ROUNDS,
    cases: Iterable[str] = (),
    progress: Callable[[str, int, int], None] | None = None,
    door: str = "planned",
    cold: bool = False,
) -> Report:
    """Compare every case of a suite.

    Parameters
    ----------
    suite : str
        A key of `fastconv.bench.suites.SUITES`.
    peers, seconds, rounds, door, cold
        As in `fastconv.compare`.
    threads : int, optional
        Of every contender.
    cases : iterable of str
        Only the cases whose names contain one of these; all if there are none.
    progress : callable, optional
        Called as ``progress(case and contender, cases done, cases)``.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If there is no suite of that name, or no such case in it.
    """
    chosen = cases_of(suite, tuple(cases))
    entries = []
    for done, case in enumerate(chosen):

        def tell(what: str, _done: int, _total: int, done: int = done, case: Case = case) -> None:
            if progress is not None:
                progress(f"{suite}: {case.name}: {what}", done, len(chosen))

        operation, args, kwargs = call_of(case)
        options = {} if threads is None else {"threads": threads}
        found = measure(
            operation, args, kwargs | options, tuple(peers), seconds, rounds, progress=tell, title=case.name, door=door,
            cold=cold,
        )  # fmt: skip
        entries.append(Entry(case, found))
    about = SUITES[suite].about + entries[0].comparison.conditions
    return Report(suite, about, entries[0].comparison.threads, tuple(entries))
