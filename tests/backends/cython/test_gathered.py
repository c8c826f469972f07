"""Kernels on copies of what windows with gaps read: what is copied, and the same results in either way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fastconv.backends.cython.conv import gathered
from fastconv.core import caches
from fastconv.core.costs import Features
from fastconv.core.problems.conv import ConvProblem
from fastconv.dispatch.registry import kernels
from tests.backends.cython.test_conv import as_dtype, check, problem
from tests.wide import share

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

GATHERED = [k.inner for k in kernels("conv") if isinstance(getattr(k, "inner", None), gathered.Gathered)]
CASES = [
    problem(5, 7, (3, 9, 40), (1, 1, 1), stride=(2, 3, 3), n=3),
    problem(6, 40, (30, 150), (1, 1), stride=(2, 2), activation="relu"),
    problem(6, 9, (31, 33), (2, 3), stride=(4, 5), dilation=(2, 2), pads=((1, 2), (2, 1)), n=2),
    problem(4, 6, (29, 70), (2, 3), stride=(3, 3), pads=((0, 0), (2, 4)), groups=2),
    problem(3, 20, (9, 260), (3, 3), stride=(3, 3), n=2),
    problem(4, 3, (1, 9, 700), (1, 2, 2), stride=(2, 3, 8), pads=((0, 0), (1, 1), (3, 2))),
    problem(5, 7, (9, 11, 40), (3, 2, 3), stride=(1, 3, 5), pads=((1, 1), (0, 0), (1, 1)), n=2),
    problem(5, 7, (5, 11, 40), (1, 3, 3), stride=(2, 1, 1), pads=((0, 0), (1, 1), (1, 1)), n=2),
    problem(12, 12, (40, 31), (3, 1), stride=(1, 3), pads=((1, 1), (0, 0)), groups=12),
    problem(9, 24, (17, 30), (1, 1), stride=(3, 2), layout="NHWC", n=3),
    problem(8, 6, (17, 30), (3, 1), stride=(1, 2), pads=((1, 1), (2, 0)), layout="NHWC", groups=2),
]
OTHERS: tuple[dict[str, Any], ...] = ({"mode": "reflect"}, {"fill": 2.0}, {"bias": False}, {"packed": False})

GAIN = Features({"call": -1e9})


@pytest.fixture
def copying(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Kernels copy whatever they can."""
    monkeypatch.setattr(gathered.Copied, "work", lambda self, isa: GAIN.of(f"{gathered.ROW}@{isa}"))
    caches.forget()
    yield
    caches.forget()


@pytest.mark.parametrize("kernel", GATHERED, ids=lambda k: k.name)
@pytest.mark.usefixtures("copying")
def test_copies_give_the_same_results(kernel: Any) -> None:
    """For each element size, fill value and padding mode; rows of copies are short and long, or whole tables."""
    done = 0
    for i, p in enumerate(share(kernel, CASES)):
        changed = replace(p, **OTHERS[i % len(OTHERS)])
        for one, dtype in ((p, (np.float32, np.float64)[i % 2]), (changed, np.float32)):
            used = as_dtype(one, dtype)
            if kernel.reject(used) is None and kernel._copied(used) is not None:
                done += check(kernel, one, dtype)
    assert done or kernel.relative or kernel.algorithm not in ("direct", "pointwise")


@pytest.mark.usefixtures("copying")
@pytest.mark.parametrize(
    "p",
    [
        problem(4, 9, (30, 60), (1, 1), stride=(3, 5), n=9),
        problem(4, 9, (29, 60), (2, 1), stride=(3, 5), pads=((1, 2), (0, 0)), n=2, mode="reflect"),
        problem(4, 9, (11, 6, 40), (1, 2, 2), stride=(2, 1, 3), pads=((3, 1), (0, 0), (1, 1)), n=2),
        problem(2, 9, (1, 900), (1, 3), stride=(1, 5), pads=((0, 0), (2, 2)), n=2),
        problem(4, 9, (29, 60), (1, 1), stride=(3, 2), pads=((2, 0), (0, 0)), n=2, layout="NHWC"),
    ],
    ids=str,
)
def test_parts(p: ConvProblem, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some images at a time, or a part of one."""
    monkeypatch.setattr(gathered, "block_bytes", lambda name: 4000)
    done = 0
    for kernel in GATHERED:
        used = as_dtype(p, np.float32)
        if kernel.reject(used) is None and (copied := kernel._copied(used)) is not None:
            assert copied.problem.n < p.n
            done += check(kernel, p, np.float32)
    assert done > 3


def test_what_is_copied() -> None:
    """Axes of one tap; all of them, with a channel for each tap, where no windows overlap; nothing else."""
    ones = problem(4, 4, (9, 30), (1, 1), stride=(2, 3))
    found = gathered.Copied.of(ones)
    assert found is not None
    assert found.problem.input == (1, 5, 10)
    assert found.problem.not_pointwise is None
    apart = gathered.Copied.of(problem(4, 4, (12, 30), (2, 3), stride=(4, 3), pads=((1, 0), (0, 2))))
    assert apart is not None
    assert apart.problem.ic == 24
    assert apart.problem.not_pointwise is None
    overlapping = gathered.Copied.of(problem(4, 4, (3, 12, 30), (1, 3, 3), stride=(2, 2, 4)))
    assert overlapping is not None
    assert (overlapping.problem.ic, overlapping.problem.input) == (12, (2, 12, 7))
    some = gathered.Copied.of(problem(4, 4, (3, 12, 30), (3, 3, 2), stride=(2, 2, 4)))
    assert some is not None
    assert (some.problem.ic, some.problem.kernel, some.reordered) == (8, (3, 3, 1), True)
    for same in (problem(4, 4), problem(4, 4, stride=(2, 2)), problem(9, 4, (4000, 4000), stride=(1, 4))):
        assert gathered.Copied.of(same) is None
