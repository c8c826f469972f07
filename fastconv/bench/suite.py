"""`fastconv bench`: a suite of problems, each measured as `fastconv.compare` does, and a summary of all."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from time import monotonic
from typing import Any

from fastconv.bench.gradients import gradient_call
from fastconv.bench.measure import SECONDS, measure
from fastconv.bench.only import EVERY, Only
from fastconv.bench.peers import PEERS
from fastconv.bench.records import Entry
from fastconv.bench.results import Report
from fastconv.bench.suites import SUITES, Case, Suite
from fastconv.bench.timing import ROUNDS
from fastconv.core.arrays import Spec
from fastconv.core.errors import not_among
from fastconv.ndimage import binary, correlation, morphology, rank, separable, windows
from fastconv.ops import activation, adaptive, clamp, conv, gated, gemm, loss, pool, shape, softmax, unpool

SAMPLED = 0.5  # of the time of a case: the rest goes to float64 results, checks and preparations

# A case names a public function of one.
FAMILIES = (conv, pool, adaptive, unpool, gemm, activation, clamp, gated, softmax, loss, shape,
            separable, windows, correlation, morphology, binary, rank)  # fmt: skip

GIVEN_ON = ("gaussian_laplace", "gaussian_gradient_magnitude")  # they give options to other functions, unnamed


@cache
def operations() -> dict[str, Callable[..., Any]]:
    """The public operations that have kernels to choose from, by name."""
    return {
        name: f for family in FAMILIES for name, f in vars(family).items()
        if inspect.isfunction(f) and f.__module__ == family.__name__ and not name.startswith("_")
        and ({"backend", "threads"} <= set(inspect.signature(f).parameters) or name in GIVEN_ON)
    }  # fmt: skip


def operation_called(name: str) -> Callable[..., Any]:
    """The operation of that name; ValueError if there is none."""
    if name not in operations():
        raise ValueError(not_among("operation", name, operations()))
    return operations()[name]


def call_of(case: Case) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """The public function of a case and its arguments, arrays as `Spec`."""
    dtypes = ["int64" if i in case.indices else case.dtype for i in range(len(case.shapes))]
    arrays = tuple(map(Spec, case.shapes, dtypes))
    call = operation_called(case.operation), (*arrays, *case.args), dict(case.kwargs)
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


def measured(
    suite: Suite,
    cases: Iterable[Case],
    *,
    peers: Iterable[str] = tuple(PEERS),
    threads: int | None = None,
    seconds: float = SECONDS,
    rounds: int = ROUNDS,
    progress: Callable[[str, int, int], None] | None = None,
    door: str = "planned",
    cold: bool = False,
    only: Only = EVERY,
    budget: float | None = None,
) -> Iterator[Entry]:
    """Measure cases of a suite one after the other: a loop over them may end, and keep what it has."""
    chosen, names, end = tuple(cases), tuple(peers), None if budget is None else monotonic() + budget
    options = {} if threads is None else {"threads": threads}
    for done, case in enumerate(chosen):

        def tell(what: str, _done: int, _total: int, done: int = done, case: Case = case) -> None:
            if progress is not None:
                progress(f"{suite.name}: {case.name}: {what}", done, len(chosen))

        left = None if end is None else end - monotonic()
        if left is not None and left <= 0 and done:
            return
        share = None if left is None else SAMPLED * left / (len(chosen) - done)
        operation, args, kwargs = call_of(case)
        found = measure(
            operation, args, kwargs | options, names, seconds, rounds, progress=tell, title=case.name, door=door,
            cold=cold, data=case.data, only=only, budget=share,
        )  # fmt: skip
        yield Entry(case, found)


def report(suite: Suite, entries: Iterable[Entry]) -> Report:
    """The report of cases that were measured, of at least one."""
    found = tuple(entries)
    first = found[0].comparison
    return Report(suite.name, suite.about + first.conditions, first.threads, found)


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
    only: Only = EVERY,
    budget: float | None = None,
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
    only : Only
        Which kernels take part.
    budget : float, optional
        Seconds for all cases: those that it does not reach are left out, but for the first.

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
    options: dict[str, Any] = dict(
        peers=peers, threads=threads, seconds=seconds, rounds=rounds, progress=progress, door=door, cold=cold,
        only=only, budget=budget,
    )  # fmt: skip
    return report(suite, measured(suite, chosen, **options))
