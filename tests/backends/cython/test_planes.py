"""Narrow NCHW images with groups in lanes: strides, padding, numbers of groups, blocks of rows; unreadable pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fastconv.backends.cython.conv import depthwise, grouped, planes
from fastconv.backends.cython.runtime import native
from fastconv.core.problems.conv import ConvProblem
from tests.backends.cython.test_conv import as_dtype, case, check, problem, run

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

ONE = ((1, 1), (1, 1))
WIDE = ((2, 1, 1, 1), (2, 9, 1, 0), (4, 3, 1, 2), (4, 12, 2, 3), (6, 8, 1, 5), (9, 15, 1, 4), (15, 12, 1, 7))
PROBLEMS = [
    problem(1, 1, (5, 3), (3, 3), pads=ONE),
    problem(17, 17, (11, 8), (3, 3), groups=17, stride=(2, 4)),
    problem(33, 33, (9, 9), (4, 4), groups=33, stride=(2, 4), pads=((0, 1), (2, 2)), activation="relu"),
    problem(32, 64, (13, 5), (5, 2), groups=32, stride=(1, 2), dilation=(2, 1), pads=((2, 1), (0, 3)), n=3),
    problem(20, 15, (7, 3), (7, 3), groups=5, pads=((3, 3), (-1, 1)), bias=False),
    problem(6, 6, (1, 40), (1, 15), groups=3, stride=(1, 4), dilation=(1, 2), pads=((0, 0), (7, 7))),
    problem(70, 70, (12, 6), (2, 3), groups=70, pads=((-2, -1), (-1, -2))),
    problem(5, 5, (4, 6, 5), (3, 2, 3), groups=5, stride=(2, 1, 1), pads=((1, 1), (1, 0), (1, 2))),
    problem(4, 4, (4, 6, 5), (2, 2, 3), groups=2, dilation=(2, 1, 1)),
    problem(6, 6, (9, 4, 3), (4, 2, 2), groups=6, pads=((2, 3), (0, 1), (1, 0)), n=2),
    problem(6, 12, (8, 3, 5), (3, 3, 2), groups=3, stride=(2, 1, 1), pads=((1, 2), (1, 1), (0, 0))),
    problem(3, 3, (6, 4, 3), (2, 2, 3), groups=3, pads=((1, 1), (1, 0), (1, 1)), mode="constant", fill=1.5),
    problem(3, 3, (5, 4, 3), (4, 2, 3), groups=3, pads=((2, 2), (1, 0), (1, 1)), mode="circular"),
    problem(3, 3, (9, 4, 3), (2, 2, 3), groups=3, stride=(3, 1, 1)),
    *(problem(34, 34, (3, w), (2, k), groups=34, stride=(1, s), pads=((1, 0), (pad, k // 2))) for k, w, s, pad in WIDE),
    problem(9, 9, (6, 4), (3, 3), groups=9, pads=ONE, mode="constant", fill=1.5),
    *(problem(9, 9, (6, 4), (3, 3), groups=9, pads=((2, 1), (1, 2)), mode=m) for m in ("reflect", "circular")),
]  # fmt: skip
KERNELS = (*depthwise.KERNELS, *grouped.KERNELS)
every_kernel = pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


@pytest.fixture(autouse=True)
def _chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planes are in lanes wherever they can be, and an item has as many planes of outputs as it can."""
    monkeypatch.setattr(planes, "planes_faster", lambda p, isa, alone: planes.planes_suited(p, isa))
    monkeypatch.setattr(planes, "SHARES", 2)


@every_dtype
@every_kernel
def test_results_in_blocks_of_any_height(kernel: Any, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if native.unavailable(kernel.isa) is not None:
        pytest.skip("not here")
    done = 0
    for p in PROBLEMS:
        for rows in (1, 2, 100):
            of = planes.PlaneBlocks.of
            most = of(p, native.tile(kernel.isa, np.dtype(dtype).itemsize)[1]).bytes
            monkeypatch.setattr(planes, "block_bytes", lambda row, most=most, rows=rows: most * rows // 3)
            with monkeypatch.context() as m:
                m.setattr(planes.PlaneBlocks, "of", classmethod(of.__func__.__wrapped__))  # type: ignore[attr-defined]
                if planes.planes_suited(as_dtype(p, dtype), kernel.isa):
                    done += check(kernel, p, dtype)
    assert done > 0


@pytest.mark.parametrize("kernel", depthwise.KERNELS, ids=lambda k: k.name)
def test_infinite_weights_meet_padding(kernel: Any) -> None:
    if native.unavailable(kernel.isa) is not None:
        pytest.skip("not here")
    p = as_dtype(problem(3, 3, (4, 2), (3, 3), groups=3, pads=ONE), "float32")
    x, w, bias, _ = case(problem(3, 3, (4, 2), (3, 3), groups=3, pads=ONE))
    w = w.copy()
    w[1, 0, 0, 0, 0] = np.inf
    y = run(kernel, p, x, w, bias, "end")
    assert np.isnan(y[0, 1, 0, 0]).all() and np.isnan(y[0, 1, 0, :, 0]).all()
    assert np.isfinite(y[0, [0, 2]]).all() and np.isinf(y[0, 1, 0, 1:, 1]).all()


@pytest.mark.parametrize("kernel", depthwise.KERNELS, ids=lambda k: k.name)
def test_infinite_weights_meet_planes_that_are_kept(kernel: Any) -> None:
    if native.unavailable(kernel.isa) is not None:
        pytest.skip("not here")
    p = problem(3, 3, (7, 4, 2), (3, 3, 3), groups=3, pads=((1, 1), (1, 1), (1, 1)))
    x, w, bias, _ = case(p)
    p, w = as_dtype(p, "float32"), w.copy()
    finite = run(kernel, p, x, w, bias, "end")
    w[1, 0, 0, 0, 0] = np.inf
    y = run(kernel, p, x, w, bias, "end")
    assert y[0, [0, 2]].tobytes() == finite[0, [0, 2]].tobytes()
    assert np.isnan(y[0, 1, 0]).all() and np.isnan(y[0, 1, :, 0]).all() and np.isinf(y[0, 1, 1:, 1:, 1]).all()


def test_the_batch_does_not_decide() -> None:
    isa = next(k.isa for k in reversed(depthwise.KERNELS) if native.unavailable(k.isa) is None)
    kernel: Any = next(k for k in depthwise.KERNELS if k.isa == isa)

    def chosen(p: ConvProblem) -> list[bool]:
        return [kernel._by_planes(replace(as_dtype(p, "float32"), n=n)) for n in (1, 2, 40)]

    for p in PROBLEMS[:3]:
        assert len(set(chosen(p))) == 1
