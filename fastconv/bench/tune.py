"""`fastconv tune`: measure the kernels on the cases of a suite, and keep their times for later choices."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from math import isnan
from statistics import median
from time import perf_counter
from typing import Any

from fastconv.bench.filters import Unplanned
from fastconv.bench.suite import call_of, cases_of, suite_named
from fastconv.bench.suites import Case
from fastconv.bench.timing import interleave, limit_blas, settled
from fastconv.bench.work import Work, make_work, outline
from fastconv.core.kernel import Kernel
from fastconv.dispatch import wisdom
from fastconv.dispatch.plan import clear_cache

PREPARATIONS = 3
SLOWER = 4.0  # kernels predicted this many times slower than the best are not measured
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Tuned:
    """The measurements of one case, and what they change.

    Attributes
    ----------
    case : str
    before, after : str
        The kernel that was chosen by prediction, and the one that is chosen by measurement.
    gain : float
        How many times faster the second is.
    measured : int
        Kernels that were measured.
    kept : bool
        Whether the times were recorded: those that scatter so much that the fastest kernel is unknown are not.
    """

    case: str
    before: str
    after: str
    gain: float
    measured: int
    kept: bool = True


def tune(
    suites: Iterable[str],
    *,
    cases: Iterable[str] = (),
    seconds: float = 0.05,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Tuned]:
    """Measure the kernels of every case on one thread and record their times, with weights packed and without.

    Parameters
    ----------
    suites : iterable of str
        Keys of `fastconv.bench.suites.SUITES`.
    cases : iterable of str
        Only the cases whose names contain one of these; all if there are none.
    seconds : float
        Per sample, as in `fastconv.compare`.
    progress : callable, optional
        Called as ``progress(case, cases done, cases)``.

    Returns
    -------
    list of Tuned
        Without filters that are several kernels: these choose nothing themselves.

    Raises
    ------
    ValueError
        If there is no suite of that name, or no such case in it.
    """
    parts = tuple(cases)
    todo = [(suite, case) for suite in suites for case in cases_of(suite_named(suite), parts)]
    notes: list[str] = []
    found: list[Tuned] = []
    with ExitStack() as stack:
        limit_blas(stack, 1, notes)
        for done, (suite, case) in enumerate(todo):
            if progress is not None:
                progress(f"{suite}: {case.name}", done, len(todo))
            tuned = _tune(case, seconds)
            found += [tuned] if tuned is not None else []
    clear_cache()
    return found


def _tune(case: Case, seconds: float) -> Tuned | None:
    operation, args, kwargs = call_of(case)
    work = make_work(operation, args, kwargs | {"threads": 1})
    if isinstance(work.plan, Unplanned):
        return None
    explained = work.plan.explain()
    usable = [c for c in explained.candidates if c.reason is None and c.kernel.backend != "reference"]
    least = min((c.cost for c in usable if not isnan(c.cost)), default=0.0)
    kernels = [c.kernel for c in usable if isnan(c.cost) or c.cost <= SLOWER * least]
    plans = [work.plan.with_kernel(k.name) for k in kernels]
    runs = [lambda p=p: p(work.x) for p in plans]
    times = interleave(runs, seconds, 1, ROUNDS, keep=range(len(runs)))
    if not settled(times):
        return Tuned(case.name, explained.chosen, explained.chosen, 1.0, len(kernels), kept=False)
    took = {k.name: t.median for k, t in zip(kernels, times, strict=True)}
    for kernel in kernels:
        wisdom.record(kernel, work.problem, took[kernel.name])
        if getattr(work.problem, "packed", False):
            unpacked = replace(work.problem, packed=False)  # type: ignore[call-arg]
            wisdom.record(kernel, unpacked, took[kernel.name] + _packing(kernel, work))
    clear_cache()
    after = outline(work.operation, work.args, work.kwargs).kernel
    return Tuned(case.name, explained.chosen, after, took[explained.chosen] / took[after], len(kernels))


def _packing(kernel: Kernel[Any], work: Work) -> float:
    """Seconds that a call without a plan spends on its weights."""
    samples = []
    for _ in range(PREPARATIONS):
        start = perf_counter()
        kernel.prepare(replace(work.problem, packed=False, activation=None), work.constants, 1)  # type: ignore[call-arg]
        samples.append(perf_counter() - start)
    return median(samples)
