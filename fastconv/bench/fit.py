"""`fastconv tune --fit`: measure designed and drawn problems, and fit the rates of this machine's table.

Each kernel states counts, and its predicted time is their product with the rates.  How rates follow from times is said
in `fastconv.bench.fit_solve`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from inspect import signature
from textwrap import wrap
from time import perf_counter
from typing import Any, NamedTuple

from fastconv.bench.fit_cases import Trial, trials
from fastconv.bench.fit_solve import Sample, solve
from fastconv.bench.roofline import bandwidth, isa_peak
from fastconv.bench.suite import call_of
from fastconv.bench.timing import interleave, limit_blas
from fastconv.bench.work import Work, make_work
from fastconv.core.costs import Table
from fastconv.core.machine import host_isas
from fastconv.dispatch.options import resolve
from fastconv.dispatch.plan import Plan
from fastconv.dispatch.registry import ORACLE
from fastconv.dispatch.survey import survey
from fastconv.machines import generic, host_table, known_table

LIMIT = 480.0  # seconds, after which no further problem is measured
SECONDS = 0.01  # of samples for each kernel and problem
ROUNDS = 5
SLOWER = 12.0  # kernels predicted this many times slower than the best do not matter
LONGEST = 0.25  # seconds of one run


class Regret(NamedTuple):
    """What choices lose: the time of the kernel that a table chooses over that of the fastest kernel.

    Attributes
    ----------
    mean, worst : float
        Geometric mean over all cases, and the largest.
    where : str
        The case of the largest, what is chosen there and what would be the fastest.
    """

    mean: float
    worst: float
    where: str


@dataclass(frozen=True, slots=True)
class Fit:
    """What was measured and fitted.

    Attributes
    ----------
    table : Table
    cases, samples : int
        Problems that were measured, and times of kernels on them.
    before, after : Regret
        By the table that was used so far, and by the fitted one.
    unseen : int
        Problems that were measured and had no part in the fit.
    unseen_before, unseen_after : Regret
        The same on these.
    """

    table: Table
    cases: int
    samples: int
    before: Regret
    after: Regret
    unseen: int
    unseen_before: Regret
    unseen_after: Regret


def fit(progress: Callable[[str, int, int], None] | None = None) -> Fit:
    """Measure and fit, on one thread.

    Parameters
    ----------
    progress : callable, optional
        Called as ``progress(case, cases done, cases)``.
    """
    prior = known_table() or measured_machine()
    order = trials()
    random.Random(0).shuffle(order)  # so that what a slow machine leaves out is of every kind
    fitted: list[Sample] = []
    unseen: list[Sample] = []
    end = perf_counter() + LIMIT
    with ExitStack() as stack:
        limit_blas(stack, 1, [])
        for done, trial in enumerate(order):
            if perf_counter() > end:
                break
            if progress is not None:
                progress(trial.case.name, done, len(order))
            (fitted if trial.fitted else unseen).extend(measured(done, trial, prior))
    table = solve(fitted, prior)
    names = [trial.case.name for trial in order]
    before, after = ([regret(samples, t, names) for samples in (fitted, unseen)] for t in (host_table(), table))
    cases, others = (len({s.case for s in samples}) for samples in (fitted, unseen))
    return Fit(table, cases, len(fitted), before[0], after[0], others, before[1], after[1])


def measured_machine() -> Table:
    """The table of the best-known machine, scaled to what this one does in registers and in memory."""
    peaks = {isa: found for isa in host_isas() if (found := isa_peak(isa)) is not None}
    return generic.scaled(peaks, bandwidth(1)) if peaks else generic.table()


def measured(number: int, trial: Trial, table: Table) -> list[Sample]:
    """Times of the kernels that could be chosen for a case."""
    operation, args, kwargs = call_of(trial.case)
    work = make_work(operation, args, kwargs | {"threads": 1}, trial.case.data)
    assert isinstance(work.plan, Plan)
    problem, candidates = work.problem, work.plan.explain().candidates
    if trial.called and getattr(problem, "packed", False):
        problem = replace(problem, packed=False)  # type: ignore[call-arg]
        candidates = survey(problem, resolve(threads=1))
    usable = [c.kernel for c in candidates if c.reason is None and c.kernel.backend != ORACLE]
    kernels = [k for k in usable if k.row]  # kernels from outside have costs of their own
    features = [k.work(plain(k, problem)) for k in kernels]
    seconds = [table.seconds(f) for f in features]
    most = min(LONGEST, SLOWER * min(seconds))
    chosen = [(k, f) for k, f, s in zip(kernels, features, seconds, strict=True) if s <= most]
    run_of = called if trial.called and "algorithm" in signature(operation).parameters else planned
    runs = [run_of(work, k.name) for k, _ in chosen]
    for run in runs:
        run()
    times = interleave(runs, SECONDS, 1, ROUNDS)
    # Other programs make a run slower, never faster.
    return [Sample(number, k.name, f, t.low) for (k, f), t in zip(chosen, times, strict=True)]


def planned(work: Work, kernel: str) -> Callable[[], Any]:
    """A run of a plan on this kernel."""
    assert isinstance(work.plan, Plan)
    plan, x = work.plan.with_kernel(kernel), work.x
    return lambda: plan(x)


def called(work: Work, kernel: str) -> Callable[[], Any]:
    """A call of the public function that asks for this kernel."""
    operation, args, kwargs = work.operation, work.args, work.kwargs | {"algorithm": kernel}
    return lambda: operation(*args, **kwargs)


def plain(kernel: Any, problem: Any) -> Any:
    """The problem without an activation that the kernel does not fuse."""
    activation = getattr(problem, "activation", None)
    return problem if activation is None or activation in kernel.activations else replace(problem, activation=None)


def regret(samples: Iterable[Sample], table: Table, names: Sequence[str]) -> Regret:
    """Regret of a table's choices; `names` are those of all cases, by number."""
    cases: dict[int, list[Sample]] = {}
    for s in samples:
        cases.setdefault(s.case, []).append(s)
    lost: list[tuple[float, str]] = []
    for case, some in cases.items():
        chosen = min(some, key=lambda s: table.seconds(s.features))
        fastest = min(some, key=lambda s: s.seconds)
        lost.append((chosen.seconds / fastest.seconds, f"{names[case]}: {chosen.kernel} for {fastest.kernel}"))
    mean = math.exp(sum(math.log(ratio) for ratio, _ in lost) / len(lost))
    return Regret(mean, *max(lost))


def source(table: Table, name: str, about: str) -> str:
    """The table as a module of `fastconv.machines`."""
    lines = [f'"""{about}"""', "", "from fastconv.core.costs import Table", "", "TABLE = Table(", f'    name="{name}",']
    lines += [f"    peak={_literal(table.peak)},", f"    bandwidth={table.bandwidth:.5g},", "    rates={"]
    for row in sorted(table.rates):
        items = (f'"{count}": {_number(rate)},' for count, rate in table.rates[row].items())
        lines += [f'        "{row}": {{', *_wrapped(items, 12), "        },"]
    lines.append("    },")
    if table.blocks:
        lines += ["    blocks={", *_wrapped((f'"{name}": {size},' for name, size in table.blocks.items()), 8), "    },"]
    lines += [f"    l3={table.l3:.0f},"] if math.isfinite(table.l3) else []
    return "\n".join([*lines, ")  # fmt: skip", ""])


def _wrapped(items: Iterable[str], indent: int) -> list[str]:
    whole = " ".join(item.replace(" ", "\xa0") for item in items)  # lines are not broken inside an item
    lines = wrap(whole, 118, initial_indent=" " * indent, subsequent_indent=" " * indent)
    return [line.replace("\xa0", " ") for line in lines]


def _number(value: float) -> str:
    return f"{value:.5g}" if value else "0.0"


def _literal(values: Mapping[str, float]) -> str:
    return "{" + ", ".join(f'"{key}": {_number(value)}' for key, value in values.items()) + "}"
