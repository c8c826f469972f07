"""Gradients of matrix products against central differences and torch autograd."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.dispatch.registry import kernels
from tests.differences import check_gradients

BACKENDS = ["auto", *sorted({k.backend for k in kernels("gemm")})]


def usable(backend: str) -> bool:
    try:
        F.gemm(np.ones((2, 2)), np.ones((2, 2)), backend=backend)
    except F.UnsupportedError:
        return False
    return True


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("trans_a", "trans_b"), list(itertools.product([False, True], repeat=2)))
@pytest.mark.parametrize(("lead_a", "lead_b"), [((), ()), ((3,), ()), ((2, 1), (3,)), ((), (2,)), ((1, 2), (4, 1))])
def test_gemm(backend: str, trans_a: bool, trans_b: bool, lead_a: Any, lead_b: Any) -> None:
    if not usable(backend):
        pytest.skip(f"{backend} is not usable here")
    rng = np.random.default_rng(0)
    a = rng.normal(size=(*lead_a, *((5, 4) if trans_a else (4, 5))))
    b = rng.normal(size=(*lead_b, *((3, 5) if trans_b else (5, 3))))
    c, bias = rng.normal(size=(1, 3)), rng.normal(size=3)
    how: dict[str, Any] = {"alpha": 0.7, "beta": -1.3, "trans_a": trans_a, "trans_b": trans_b}
    check_gradients(
        lambda a, b, c, bias: F.gemm(a, b, c, bias=bias, **how),
        lambda dy, a, b, c, bias: F.grad.gemm(dy, a, b, c, bias=bias, backend=backend, **how),
        (a, b, c, bias),
        rtol=1e-8,
    )


@pytest.mark.parametrize(
    ("a", "b"),
    [((4,), (4,)), ((4,), (4, 3)), ((2, 4), (4,)), ((3, 2, 4), (4,)), ((4,), (3, 4, 2)), ((2, 4), (4, 3)),
     ((5, 1, 2, 4), (3, 4, 2)), ((3, 0, 4), (4, 2)), ((1, 2, 4), (4, 2))],
)  # fmt: skip
def test_matmul(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    check_gradients(F.matmul, F.grad.matmul, (rng.normal(size=a), rng.normal(size=b)), rtol=1e-8)


@pytest.mark.parametrize("activation", [None, "relu", "silu"])
@pytest.mark.parametrize(("x", "w"), [((5,), (3, 5)), ((4, 5), (3, 5)), ((2, 3, 5), (4, 5)), ((2, 5), (5,))])
def test_linear(x: tuple[int, ...], w: tuple[int, ...], activation: str | None) -> None:
    rng = np.random.default_rng(2)
    arrays = [rng.normal(size=s) for s in (x, w, w[:-1])]
    check_gradients(
        lambda x, w, b: F.linear(x, w, b, activation=activation),
        lambda dy, x, w, b: F.grad.linear(dy, x, w, b, activation=activation),
        arrays,
        rtol=1e-6,
    )


def test_gemm_with_an_activation() -> None:
    rng = np.random.default_rng(3)
    a, b, c = rng.normal(size=(4, 5)), rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    how: dict[str, Any] = {"beta": 0.5, "activation": "gelu"}
    check_gradients(
        lambda a, b, c: F.gemm(a, b, c, **how),
        lambda dy, a, b, c: F.grad.gemm(dy, a, b, c, **how),
        (a, b, c),
        rtol=1e-6,
    )


def test_an_unused_addend_has_a_zero_gradient() -> None:
    dc = F.grad.gemm(np.ones((2, 2)), np.eye(2), np.eye(2), np.full((2, 2), np.nan))[2]
    np.testing.assert_array_equal(dc, np.zeros((2, 2)))


def test_results_and_need() -> None:
    a, b = np.ones((2, 3), "f"), np.ones((3, 4), "d")
    da, db, dc = F.grad.gemm(np.ones((2, 4)), a, b)
    assert (da.dtype, db.dtype, dc) == (np.float32, np.float64, None)
    assert F.grad.gemm(np.ones((2, 4)), a, b, need=(False, True, False))[0] is None
    assert len(F.grad.gemm(np.ones((2, 4)), a, b, bias=np.ones(4))) == 4
    da, db = F.grad.matmul(np.ones((2, 4)), a, b, need=(True, False))
    assert da.shape == a.shape
    assert db is None
    dx, dw, db = F.grad.linear(np.ones((2, 4)), a, b.T, need=(False, True, False))
    assert dx is None
    assert db is None
    np.testing.assert_array_equal(dw, np.full((4, 3), 2.0))


def test_errors() -> None:
    a, b = np.ones((2, 3)), np.ones((3, 4))
    with pytest.raises(F.ShapeError, match=r"dy has shape \(2, 3\); it must be \(2, 4\), that of the result of gemm"):
        F.grad.gemm(np.ones((2, 3)), a, b)
    with pytest.raises(F.ShapeError, match="that of the result of matmul"):
        F.grad.matmul(np.ones((2, 3)), a, b)
    with pytest.raises(F.ShapeError, match="that of the result of linear"):
        F.grad.linear(np.ones((2, 3)), a, b.T)
    with pytest.raises(F.DTypeError, match="a has dtype int64; gradients are defined"):
        F.grad.matmul(np.ones((2, 4)), a.astype(int), b)
    with pytest.raises(ValueError, match="need asks for the gradient of c, which is None"):
        F.grad.gemm(np.ones((2, 4)), a, b, need=(True, True, True))


def test_plans() -> None:
    rng = np.random.default_rng(4)
    x, w, b = (rng.normal(size=s).astype("f") for s in ((6, 5), (4, 5), (4,)))
    dy = rng.normal(size=(6, 4)).astype("f")
    full = F.grad.linear(dy, x, w, b)
    for i in range(3):
        run = F.plan(F.grad.linear, F.Spec(dy.shape), x, w, b, need=tuple(j == i for j in range(3)))
        np.testing.assert_allclose(run(dy), full[i], rtol=1e-5, atol=1e-5)
    run = F.plan(F.grad.matmul, dy, x, w.T, need=(True, False))
    np.testing.assert_allclose(run(dy), dy @ w, rtol=1e-5, atol=1e-5)
    with pytest.raises(F.UnsupportedError, match="the gradient of b cannot be planned: it is not one kernel"):
        F.plan(F.grad.matmul, dy, x, w.T, need=(False, True))
    with pytest.raises(F.UnsupportedError, match="a sum over broadcast axes"):
        F.plan(F.grad.gemm, np.ones((3, 2, 2)), np.eye(2), np.ones((3, 2, 2)), need=(True, False, False))


def test_against_torch() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(6)
    for _ in range(40):
        m, k, n, batch = (int(v) for v in rng.integers(1, 7, 4))
        shapes = [((batch, m, k), (k, n)), ((batch, 1, m, k), (3, k, n)), ((k,), (batch, k, n)), ((m, k), (k,))]
        sa, sb = shapes[int(rng.integers(4))]
        dtype = str(rng.choice(["float32", "float64"]))
        a, b = (rng.normal(size=s).astype(dtype) for s in (sa, sb))
        ta, tb = (torch.tensor(v, requires_grad=True) for v in (a, b))
        y = ta @ tb
        dy = rng.normal(size=tuple(y.shape)).astype(dtype)
        y.backward(torch.tensor(dy))
        for got, want in zip(F.grad.matmul(dy, a, b), (ta.grad, tb.grad), strict=True):
            assert got.dtype == want.numpy().dtype
            np.testing.assert_allclose(got, want.numpy(), rtol=1e-5, atol=2e-5 if dtype == "float32" else 1e-12)
