"""Native kernels that look at no neighbours, or at one: every width, with guard pages around the arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from guard import guarded, guarded_copy

import fastconv as F
from fastconv.backends.reference_pool import Pool
from fastconv.core.problems.activation import ElementwiseProblem
from fastconv.core.problems.pool import pool_problem
from fastconv.dispatch.registry import kernels

RELU = [k for k in kernels("elementwise") if k.backend == "cython"]
BACKWARD = [k for k in kernels("elementwise_backward") if k.backend == "cython"]
MEANS = [k for k in kernels("pool") if k.algorithm == "means"]
PAIRS = [k for k in kernels("pool") if k.algorithm == "pairs"]
SPECIAL = [np.nan, np.inf, -np.inf, -0.0, 0.0]


def usable(kernel: Any, problem: Any) -> None:
    reason = kernel.reject(problem)
    if reason is not None:
        pytest.skip(reason)


def values(rng: np.random.Generator, shape: Any, dtype: str) -> np.ndarray:
    """Many ties, some specials."""
    x = rng.integers(-3, 4, shape).astype(dtype)
    return np.where(rng.random(shape) < 0.15, rng.choice(SPECIAL, shape), x).astype(dtype)


@pytest.mark.parametrize("kernel", RELU, ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("at", ["start", "end"])
def test_relu(kernel: Any, dtype: str, at: str) -> None:
    rng = np.random.default_rng(0)
    d = np.dtype(dtype)
    usable(kernel, ElementwiseProblem("relu", (), 1, d, d))
    for size in (*range(1, 70), 1 << 14, (1 << 18) + 5):
        x, y = guarded_copy(values(rng, size, dtype), at), guarded(size, d, at)
        kernel.prepare(ElementwiseProblem("relu", (), size, d, d), (), 2)(x, y)
        np.testing.assert_array_equal(y, np.maximum(x, 0))


@pytest.mark.parametrize("kernel", BACKWARD, ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("at", ["start", "end"])
def test_relu_backward(kernel: Any, dtype: str, at: str) -> None:
    rng = np.random.default_rng(1)
    d = np.dtype(dtype)
    usable(kernel, ElementwiseProblem("relu", (), 1, d, d, "backward"))
    for size in (*range(1, 70), 1 << 14, (1 << 18) + 5):
        x, dy = (guarded_copy(values(rng, size, dtype), at) for _ in range(2))
        dx = guarded(size, d, at)
        kernel.prepare(ElementwiseProblem("relu", (), size, d, d, "backward"), (x,), 2)(dy, dx)
        np.testing.assert_array_equal(dx, np.where(x <= 0, 0, dy))


@pytest.mark.parametrize("kernel", PAIRS, ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("indices", [False, True])
def test_pairs(kernel: Any, dtype: str, indices: bool) -> None:
    rng = np.random.default_rng(2)
    for width in (*range(2, 70), 127, 128, 129):
        for ceil in (False, True):
            shape = (2, 3, int(rng.integers(2, 6)), width)
            p: Any = pool_problem(
                "max", 2, shape, np.dtype(dtype), 2, None, 0, 1, ceil, True, None, 1.0, indices, "NCHW"
            )
            usable(kernel, p)
            for at in ("start", "end"):
                x = guarded_copy(values(rng, p.x_shape, dtype), at)
                outs = [guarded(s, d, at) for s, d in p.results]
                want = [np.empty(s, d) for s, d in p.results]
                kernel.prepare(p, (), 2)(x, *outs)
                Pool().prepare(p, (), 1)(x, *want)
                for got, expected in zip(outs, want, strict=True):
                    np.testing.assert_array_equal(got, expected, err_msg=f"{width} {ceil}")


@pytest.mark.parametrize("kernel", PAIRS, ids=lambda k: k.name)
def test_pairs_of_planes_that_lie_apart(kernel: Any) -> None:
    p: Any = pool_problem(
        "max", 3, (2, 3, 4, 7, 9), np.dtype("f"), (1, 2, 2), None, 0, 1, True, True, None, 1.0, True, "NCHW"
    )
    usable(kernel, p)
    rng = np.random.default_rng(3)
    room = np.full((4, 9, 4, 7, 9), np.nan, "f")
    x = room[::-2, ::-3]
    x[...] = rng.normal(size=p.x_shape)
    outs, want = ([np.empty(s, d) for s, d in p.results] for _ in range(2))
    kernel.prepare(p, (), 3)(x, *outs)
    Pool().prepare(p, (), 1)(x, *want)
    for got, expected in zip(outs, want, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("kernel", MEANS, ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_means(kernel: Any, dtype: str) -> None:
    rng = np.random.default_rng(4)
    for elements in (*range(1, 80), 255, 256, 257, 511, 4099, 90_001):
        shape = (2, 3, 1, elements)
        p: Any = pool_problem(
            "avg", 2, shape, np.dtype(dtype), (1, elements), None, 0, 1, False, True, None, 1.0, False, "NCHW"
        )
        usable(kernel, p)
        for at in ("start", "end"):
            x = guarded_copy(rng.random(p.x_shape).astype(dtype), at)
            y = guarded(p.y_shape, p.out, at)
            kernel.prepare(p, (), 2)(x, y)
            want = x.astype(np.float64).mean((2, 3, 4), keepdims=True)
            np.testing.assert_allclose(y, want, rtol=2 * kernel.error(p))
    room = np.full((3, 4, 1, 1, 30), np.nan, dtype)
    x = room[::2, ::2]
    x[...] = rng.random(x.shape)
    p = pool_problem(
        "avg", 2, (2, 2, 1, 30), np.dtype(dtype), (1, 30), None, 0, 1, False, True, None, 1.0, False, "NCHW"
    )
    y = np.empty(p.y_shape, dtype)
    kernel.prepare(p, (), 1)(x, y)
    np.testing.assert_allclose(y, x.mean((2, 3, 4), keepdims=True), rtol=1e-6)


def test_what_the_lecture_pools_takes_pairs() -> None:
    run = F.plan(F.max_pool2d, F.Spec((64, 16, 27, 28)), 2, ceil_mode=True, return_indices=True)
    names = {c.kernel.algorithm for c in run.explain().candidates if c.reason is None and c.kernel.backend == "cython"}
    if "pairs" not in names:
        pytest.skip("no native kernels here")
    assert ".pairs" in run.kernel
    for kwargs in ({"padding": 1}, {"stride": 1}, {"dilation": 2}, {"layout": "NHWC"}):
        other = F.plan(F.max_pool2d, F.Spec((2, 6, 8, 10)), 2, **kwargs)
        assert ".pairs" not in other.kernel
