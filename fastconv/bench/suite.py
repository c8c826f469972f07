"""`fastconv bench`: a suite of problems, each measured as `fastconv.compare` does, and a summary of all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fastconv.bench.gradients import gradient_call
from fastconv.bench.measure import SECONDS, measure
from fastconv.bench.peers import PEERS
from fastconv.bench.records import Entry
from fastconv.bench.results import Report
from fastconv.bench.suites import SUITES, Case, Suite
from fastconv.bench.timing import ROUNDS
from fastconv.core.arrays import Spec
from fastconv.core.errors import not_among
from fastconv.ops import activation, adaptive, clamp, conv, gated, gemm, loss, pool, shape, softmax, unpool

# A case names a public function of one.
FAMILIES = (conv, pool, adaptive, unpool, gemm, activation, clamp, gated, softmax, loss, shape)


def call_of(case: Case) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """The public function of a case and its arguments, arrays as `Spec`."""
    dtypes = ["int64" if i in case.indices else case.dtype for i in range(len(case.shapes))]
    arrays = tuple(map(Spec, case.shapes, dtypes))
    operation = next(getattr(family, case.operation) for family in FAMILIES if hasattr(family, case.operation))
    call = operation, (*arrays, *case.args), dict(case.kwargs)
    return call if case.gradient is None else gradient_call(*call, case.gradient)


def suite_named(name: str) -> Suite:
    """A suite of fastconv; ValueError if there is none of that name."""
    if name not in SUITES:
        raise ValueError(not_among("suite", name, SUITES))
    return SUITES[name]


def cases_of(suite: Suite, parts: tuple[str, ...]) -> tuple[Case, ...]:
    """The cases of `suite` whose names contain one of `parts`; all if there are none.

    Raises
    ------
    ValueError
        If there is no such case in it.
    """
    chosen = tuple(c for c in suite.cases if not parts or any(part in c.name for part in parts))
    if not chosen:
        raise ValueError(f"suite {suite.name} has no case with {' or '.join(map(repr, parts))} in its name")
    return chosen


def bench(
    suite: str | Suite,
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
    suite : str or Suite
        A key of `fastconv.bench.suites.SUITES`, or cases of one's own.
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
    suite = suite if isinstance(suite, Suite) else suite_named(suite)
    chosen = cases_of(suite, tuple(cases))
    entries = []
    for done, case in enumerate(chosen):

        def tell(what: str, _done: int, _total: int, done: int = done, case: Case = case) -> None:
            if progress is not None:
                progress(f"{suite.name}: {case.name}: {what}", done, len(chosen))

        operation, args, kwargs = call_of(case)
        options = {} if threads is None else {"threads": threads}
        found = measure(
            operation, args, kwargs | options, tuple(peers), seconds, rounds, progress=tell, title=case.name, door=door,
            cold=cold, data=case.data,
        )  # fmt: skip
        entries.append(Entry(case, found))
    about = suite.about + entries[0].comparison.conditions
    return Report(suite.name, about, entries[0].comparison.threads, tuple(entries))
