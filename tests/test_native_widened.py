"""Native kernels for narrow types: every piece, both layouts, against the definitions."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from fastconv.backends.cython import widened
from fastconv.core.problems.adaptive import AdaptivePoolProblem
from fastconv.core.problems.loss import LossProblem
from fastconv.core.problems.pool import pool_problem
from fastconv.core.problems.softmax import KINDS, SoftmaxProblem
from fastconv.dispatch.registry import kernels

ml_dtypes = pytest.importorskip("ml_dtypes")
pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name
HALVES = [np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)]
INTEGERS = [np.dtype(t) for t in ("int8", "uint8", "int16", "uint16", "int32", "uint32")]


def native(op: str) -> list[Any]:
    return [k for k in kernels(op) if isinstance(k, widened.Widened)]


def usable(kernel: Any, problem: Any) -> None:
    reason = kernel.reject(problem)
    if reason is not None:
        pytest.skip(reason)


def values(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        x = rng.integers(info.min, info.max, shape, endpoint=True).astype(dtype)
        x[rng.random(shape) < 0.3] = info.min
        return x
    x = rng.integers(-3, 4, shape).astype(dtype)
    x[rng.random(shape) < 0.02] = np.nan
    x[rng.random(shape) < 0.2] = -np.inf
    return x


def images(array: np.ndarray, layout: str) -> np.ndarray:
    """The same values, lying as `layout` says."""
    if layout == "NCHW":
        return np.ascontiguousarray(array)
    return np.ascontiguousarray(array.transpose(0, 2, 3, 4, 1)).transpose(0, 4, 1, 2, 3)


def check(kernel: Any, p: Any, x: np.ndarray, layout: str) -> None:
    wants = [np.zeros(shape, t) for shape, t in p.results]
    kernels(p.op)[-1].prepare(p, (), 1)(x, *wants)
    got = [images(np.zeros_like(w), layout) for w in wants]
    before = x.copy()
    with np.errstate(all="raise"):
        kernel.prepare(p, (), 2)(images(x, layout), *got)
    np.testing.assert_array_equal(x.view(np.uint8), before.view(np.uint8))
    tol = 2 * kernel.error(p)
    np.testing.assert_allclose(got[0].astype(float), wants[0].astype(float), rtol=tol, atol=tol, err_msg=str(p))
    for more, want in zip(got[1:], wants[1:], strict=True):
        np.testing.assert_array_equal(more, want, err_msg=str(p))


@pytest.mark.parametrize("piece", [200, 1 << 18])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("kernel", native("pool") + native("adaptive_pool"), ids=lambda k: k.name)
def test_pooling(monkeypatch: pytest.MonkeyPatch, kernel: Any, layout: str, piece: int) -> None:
    monkeypatch.setattr(widened, "PIECE", piece)
    rng = np.random.default_rng(1)
    ways = [("max", False), ("max", True), ("avg", False), ("lp", False)]
    for (kind, indices), dtype in itertools.product(ways, HALVES + INTEGERS):
        if dtype.kind in "iu" and kind != "max":
            continue
        if kernel.inner in [k.inner for k in widened.ADAPTIVE]:
            if kind == "lp":
                continue
            p: Any = AdaptivePoolProblem(kind, 3, 5, (2, 9, 10), (1, 4, 3), indices, layout, dtype, dtype)
        else:
            shape = (3, 5, 2, 9, 10) if layout == "NCHW" else (3, 2, 9, 10, 5)
            p = pool_problem(
                kind, 3, shape, dtype, (2, 3, 3), (1, 2, 2), 1, 1, True, True, None, 2.0, indices, layout
            )
        usable(kernel, p)
        x = values(rng, p.x_shape, dtype)
        if kind != "max":
            x = np.nan_to_num(x, neginf=1.0).astype(dtype)
        check(kernel, p, x, layout)
        assert kernel.workspace(p) < 32 << 20


@pytest.mark.parametrize("piece", [40, 1 << 18])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kernel", native("softmax"), ids=lambda k: k.name)
def test_softmax(monkeypatch: pytest.MonkeyPatch, kernel: Any, kind: str, piece: int) -> None:
    monkeypatch.setattr(widened, "PIECE", piece)
    rng = np.random.default_rng(2)
    for dtype, shape in itertools.product(HALVES, [(7, 5, 1), (3, 9, 20), (1, 50, 3), (0, 3, 2), (2, 0, 2)]):
        p = SoftmaxProblem(kind, *shape, dtype)
        usable(kernel, p)
        check(kernel, p, (rng.normal(size=shape) * 9).astype(dtype), "NCHW")


@pytest.mark.parametrize("piece", [40, 1 << 18])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("kernel", native("loss"), ids=lambda k: k.name)
def test_losses(monkeypatch: pytest.MonkeyPatch, kernel: Any, reduction: str, piece: int) -> None:
    monkeypatch.setattr(widened, "PIECE", piece)
    rng = np.random.default_rng(3)
    ways = [(True, 0.0), (True, 0.2), (False, 0.0)]
    cases = itertools.product(HALVES, [(30, 5, 1), (3, 9, 20), (1, 50, 3), (0, 3, 2)], ways)
    for dtype, (n, c, inner), (logits, smoothing) in cases:
        p = LossProblem(n, c, inner, logits, False, True, 1, reduction, smoothing, dtype)
        usable(kernel, p)
        x = (rng.normal(size=(n, c, inner)) * 4).astype(dtype)
        constants = rng.integers(0, c, (n, inner)), rng.uniform(0.5, 2, c).astype(dtype)
        got, want = (np.zeros(p.loss_shape, dtype) for _ in range(2))
        kernels("loss")[-1].prepare(p, constants, 1)(x, want)
        with np.errstate(all="raise"):
            kernel.prepare(p, constants, 2)(x, got)
        limit = 2 * kernel.error(p) * np.abs(want.astype(float)).max(initial=1.0)
        np.testing.assert_allclose(got.astype(float), want.astype(float), rtol=0, atol=limit, err_msg=str(p))


def test_what_it_leaves_to_others() -> None:
    kernel = native("pool")[-1]  # portable
    p = pool_problem("max", 2, (1, 1, 4, 4), np.dtype(np.int64), 2, None, 0, 1, False, True, None, 1.0, False, "NCHW")
    assert "int64" in kernel.reject(p)
    p = pool_problem(
        "max", 2, (1, 1, 1 << 12, 1 << 12), np.dtype(np.float16), 2, None, 0, 1, False, True, None, 1.0, False, "NCHW"
    )
    assert "cannot be parted" in kernel.reject(p)
