"""Every kernel on every problem of the suites, checked against float64 and then timed.

    pytest benchmarks --benchmark-group-by=param:problem       backends and algorithms side by side, per problem
    pytest benchmarks --suite lecture --quick -k "cython or numba"
    make bench-quick                                           about five minutes: small problems of a few suites
    pytest benchmarks --suite lecture --benchmark-save=old     and later --benchmark-compare, see docs/benchmarks.md

Kernels are timed one after the other here: for ratios to peers use `fastconv bench`, which measures in turns.
"""

from __future__ import annotations

from typing import Any

import pytest
from problems import work_of

from fastconv.bench.work import canonical_results, error_of

WARM = 3  # untimed runs, after which data are in the caches and threads awake: the mean then means something


@pytest.mark.benchmark(min_rounds=5, max_time=0.2, warmup=True, warmup_iterations=WARM)
def test_kernel(benchmark: Any, problem: str, kernel: str) -> None:
    work, expected = work_of(problem)
    plan = work.plan.with_kernel(kernel)
    assert plan.kernel == kernel
    first = plan(work.x)
    error, wrong = error_of(work, canonical_results(work, first if isinstance(first, tuple) else (first,)), expected)
    assert wrong is None, wrong
    benchmark(plan, work.x)
    benchmark.extra_info.update(error=error, threads=work.threads, flops=work.problem.flops, bytes=work.problem.bytes)
