"""Native Lp pooling with powers: values of every kind, blocks of every shape, and the stated errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.cython.pool import powers as pool_powers
from fastconv.core.kernel import summation_error
from fastconv.core.problems.pool import PoolProblem

NORMS = [3, 5, 8, 9, 65, 1000.0, -1, -2, -3, 0.5, 1 / 3, 2.5, -0.5, -2 / 3, 1e-3, 1e5]
SPECIAL = [0.0, -0.0, 1, -1, 0.3, -0.3, 7.5, -7.5, 1e-30, 3e38, -3e38, 1e-45, np.inf, -np.inf, np.nan]
SHAPES: list[tuple[tuple[int, ...], Any, Any, int, int]] = [  # input, kernel, stride, padding, dilation
    ((2, 3, 11, 12), (3, 3), (2, 2), 1, 1),
    ((1, 3, 9, 30), (2, 4), (1, 3), 0, 2),
    ((1, 5, 40, 33), (7, 5), (1, 1), 2, 1),
    ((1, 2, 150, 40), (100, 40), (60, 1), 0, 1),
    ((1, 2, 9, 3000), (4, 3), (2, 2), 1, 1),
    ((2, 2, 5, 20), (3, 3), (1, 2), 0, 2),
]


def every_kernel(x: np.ndarray, *args: Any, **kwargs: Any) -> list[tuple[Any, np.ndarray, np.ndarray]]:
    """(kernel, its result, that of the definition) for each native kernel."""
    plan = F.plan(F.lp_pool2d, x, *args, **kwargs)
    with np.errstate(all="ignore"):
        want = plan.with_kernel("reference.definition")(x)
    able = [k for k in pool_powers.KERNELS if k.reject(plan.problem) is None]
    return [(k, plan.with_kernel(k.name)(x), want) for k in able]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_values(norm: float, dtype: str) -> None:
    with np.errstate(all="ignore"):
        x = np.array(SPECIAL).astype(dtype).reshape(1, 1, 1, -1)
    for kernel, got, want in every_kernel(x, norm, 1):
        np.testing.assert_allclose(got, want, rtol=1e-12 if dtype == "float64" else 1e-6, err_msg=kernel.name)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_windows(norm: float, layout: str, dtype: str) -> None:
    for shape, kernel_size, stride, padding, dilation in SHAPES:
        x = np.random.default_rng(1).uniform(0.5, 3, shape).astype(dtype)
        x = x if layout == "NCHW" else np.ascontiguousarray(np.moveaxis(x, 1, -1))
        where = {"padding": padding, "dilation": dilation, "layout": layout}
        plan = F.plan(F.lp_pool2d, x, norm, kernel_size, stride, **where)
        for kernel, got, want in every_kernel(x, norm, kernel_size, stride, **where):
            # The definition adds up in one order, in float64.
            own = summation_error(2.0**-52, plan.problem.taps) / min(1, abs(norm))
            finite = np.isfinite(want)
            np.testing.assert_array_equal(np.isfinite(got), finite)
            error = np.abs(got[finite] - want[finite]).max(initial=0)
            largest = np.abs(want[finite]).max(initial=0)
            assert error <= (kernel.error(plan.problem) + own) * largest, (kernel.name, shape)


@pytest.mark.parametrize("norm", [3, 5])
def test_powers_that_cancel_leave_what_they_should(norm: int) -> None:
    """In float32 all other terms would vanish beside the powers of 1000."""
    x = np.tile(np.array([1000, -1000, 3, 2], "f"), (1, 1, 2, 1))
    for kernel, got, _ in every_kernel(x, norm, (1, 4)):
        np.testing.assert_allclose(got, (3.0**norm + 2.0**norm) ** (1 / norm), rtol=1e-4, err_msg=kernel.name)


def test_powers_of_float32_do_not_overflow() -> None:
    for value in (3e30, 1e-30):
        x = np.full((1, 1, 1, 8), value, "f")
        for kernel, got, _ in every_kernel(x, 8, (1, 4), 1):
            np.testing.assert_allclose(got, value * 4**0.125, rtol=1e-6, err_msg=kernel.name)


def test_volumes_in_blocks_of_planes() -> None:
    whole = np.random.default_rng(2).uniform(0.5, 3, (2, 2, 9, 8, 14)).astype("f")
    for args, dilation in (
        ((3.0, 3, 1), 1), ((2.5, (2, 3, 2), 2), 1), ((3.0, (3, 1, 1), (1, 1, 1)), 1), ((0.5, (2, 3, 3), (3, 1, 2)), 2),
        ((3.0, (3, 2, 2), (1, 1, 1)), (1, 3, 1)), ((0.5, (2, 3, 3), (3, 1, 2)), (2, 2, 3)),
    ):  # fmt: skip
        x = whole if dilation == 1 else whole[:, :, :4, :5]
        plan = F.plan(F.lp_pool3d, x, *args, dilation=dilation)
        want = plan.with_kernel("reference.definition")(x)
        for kernel in pool_powers.KERNELS:
            if kernel.reject(plan.problem) is None:
                np.testing.assert_allclose(plan.with_kernel(kernel.name)(x), want, rtol=1e-6)


@pytest.mark.parametrize("bytes_", [1 << 9, 1 << 12, 1 << 15])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_any_block(monkeypatch: pytest.MonkeyPatch, bytes_: int, layout: str) -> None:
    monkeypatch.setattr(pool_powers, "block_bytes", lambda name: bytes_)
    monkeypatch.setattr(pool_powers, "CHUNK", 2)
    shape = (2, 3, 21, 34) if layout == "NCHW" else (2, 21, 34, 3)
    x = np.random.default_rng(3).uniform(0.5, 3, shape)
    for kernel_size, stride, padding, dilation in ((3, 1, 1, 1), (5, 2, 2, 2), ((4, 1), (3, 1), 0, 1), (7, 7, 3, 1)):
        p = F.plan(F.lp_pool2d, x, 3, kernel_size, stride, padding=padding, dilation=dilation, layout=layout).problem
        assert isinstance(p, PoolProblem)
        want, got = np.empty(p.y_shape), np.empty(p.y_shape)
        canonical = x if layout == "NCHW" else np.moveaxis(x, -1, 1)
        canonical = canonical.reshape(p.x_shape) if layout == "NCHW" else canonical[:, :, None]
        F.dispatch.registry.kernels("pool")[-1].prepare(p, (), 1)(canonical, want)
        for kernel in pool_powers.KERNELS:
            if kernel.reject(p) is None:
                into = got if layout == "NCHW" else np.empty((2, *p.output, 3)).transpose(0, 4, 1, 2, 3)
                kernel.prepare(p, (), 2)(canonical, into)
                np.testing.assert_allclose(into, want, rtol=1e-14, err_msg=f"{kernel.name} {kernel_size}")
