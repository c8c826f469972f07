"""Problems of the suites, as benchmarks take them: arrays and float64 results are made once per problem."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fastconv.bench.measure import REFERENCE_FLOPS
from fastconv.bench.suite import call_of
from fastconv.bench.suites import SUITES, Case
from fastconv.bench.work import Work, exact, make_work, outline
from fastconv.core.problems.base import Problem
from fastconv.dispatch.registry import kernels


@dataclass(frozen=True, eq=False)
class SuiteProblem:
    """One case of a suite; its text is what pytest-benchmark groups by."""

    suite: str
    case: Case

    def __str__(self) -> str:
        return f"{self.suite}: {self.case.name}"

    __repr__ = __str__

    def described(self) -> Problem:
        """The problem as a plan sees it, without arrays."""
        operation, args, kwargs = call_of(self.case)
        return outline(operation, args, kwargs | {"backend": "reference"}).problem


def problems_of(suite: str) -> list[SuiteProblem]:
    return [SuiteProblem(suite, case) for case in SUITES[suite].cases]


def contenders_of(problem: SuiteProblem) -> list[str]:
    """Kernels that can do it; the definition only where that does not take long."""
    described = problem.described()
    return [
        k.name
        for k in kernels(described.op)
        if k.reject(described) is None and (k.backend != "reference" or described.flops <= REFERENCE_FLOPS)
    ]


@lru_cache(maxsize=1)  # benchmarks of one problem follow each other
def work_of(problem: str) -> tuple[Work, tuple[np.ndarray, ...]]:
    """Arrays of the problem with this text, and the float64 results that check everyone."""
    suite, _, name = problem.partition(": ")
    operation, args, kwargs = call_of(next(case for case in SUITES[suite].cases if case.name == name))
    work = make_work(operation, args, kwargs)
    return work, exact(work)
