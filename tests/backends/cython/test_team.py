"""Threads of compiled kernels: where they run, and that the caller's own thread is left alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fastconv.backends.cython.runtime import native

CODE = """if True:
    import os, numpy as np, fastconv

    def threads():
        return {int(t) for t in os.listdir("/proc/self/task")}

    before = os.sched_getaffinity(0)
    x, w = np.ones((1, 32, 56, 56), "f"), np.ones((32, 32, 3, 3), "f")
    others = threads()
    with fastconv.options(threads=2, backend="cython"):
        plan = fastconv.plan(fastconv.conv2d, x, w)
        for _ in range(20):
            plan(x)
    workers = threads() - others
    assert len(workers) == 1, workers
    print(len(before), len(os.sched_getaffinity(0)), len(os.sched_getaffinity(workers.pop())))
"""


def processors(**environment: str) -> list[int]:
    """How many the caller may use before and after some runs on two threads, and how many its worker may."""
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(map(int, done.stdout.split()))


pytestmark = pytest.mark.skipif(
    native.build_problem() is not None or not sys.platform.startswith("linux") or len(os.sched_getaffinity(0)) < 2,
    reason="needs compiled kernels, Linux and two processors",
)


def test_workers_stay_off_the_processor_of_the_caller() -> None:
    before, after, worker = processors()
    assert (after, worker) == (before, before - 1)


def test_a_wish_of_the_user_comes_first() -> None:
    everywhere = "{" + ",".join(map(str, sorted(os.sched_getaffinity(0)))) + "}"
    before, after, worker = processors(OMP_PROC_BIND="true", OMP_PLACES=everywhere)
    assert before == after == worker
