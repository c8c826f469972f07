"""Gradients of losses: kernels against the definition, functions against differences and torch autograd."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.dispatch.registry import kernels
from tests.differences import check_gradients

BACKENDS = sorted({k.backend for k in kernels("loss_backward")})


def case(rng: np.random.Generator, logits: bool) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Random arguments of a loss, in float64."""
    n, c = int(rng.integers(1, 6)), int(rng.integers(1, 7))
    rest = tuple(int(v) for v in rng.integers(1, 4, int(rng.integers(0, 3))))
    batched = rng.random() < 0.85
    shape = (n, c, *rest) if batched else (c,)
    labels = (n, *rest) if batched else ()
    kwargs: dict[str, Any] = {"reduction": str(rng.choice(["mean", "sum", "none"]))}
    if rng.random() < 0.5:
        kwargs["weight"] = rng.random(c) + 0.1
    if logits and rng.random() < 0.5:
        kwargs["label_smoothing"] = float(rng.random())
    x = rng.normal(size=shape)
    if logits and rng.random() < 0.3:
        return x, F.softmax(rng.normal(size=shape), 1 if batched else 0), kwargs
    target = rng.integers(0, c, labels)
    if rng.random() < 0.5:
        kwargs["ignore_index"] = int(rng.integers(0, c))
        target = np.where(rng.random(labels) < 0.2, kwargs["ignore_index"], target)
    return x, target, kwargs


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_differences(backend: str, name: str) -> None:
    rng = np.random.default_rng(0)
    forward, gradient = getattr(F, name), getattr(F.grad, name)
    tried = 0
    for _ in range(60):
        x, t, kwargs = case(rng, name == "cross_entropy")
        if not np.isfinite(forward(x, t, **kwargs)).all():
            continue  # a mean over nothing
        if t.dtype.kind == "f":
            if backend == "cython":
                continue  # class indices only
            check_gradients(
                lambda x, t: forward(x, t, **kwargs),  # noqa: B023
                lambda dy, x, t: gradient(dy, x, t, backend=backend, **kwargs),  # noqa: B023
                (x, t), rtol=2e-6,
            )  # fmt: skip
        else:
            check_gradients(
                lambda x: forward(x, t, **kwargs),  # noqa: B023
                lambda dy, x: gradient(dy, x, t, backend=backend, **kwargs),  # noqa: B023
                (x,), rtol=2e-6,
            )  # fmt: skip
        tried += 1
    assert tried > 30


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_against_torch(backend: str, name: str) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    for _ in range(150):
        x, t, kwargs = case(rng, name == "cross_entropy")
        if t.dtype.kind == "f" and backend == "cython":
            continue
        dtype = str(rng.choice(["float32", "float64"]))
        x = x.astype(dtype)
        t = t.astype(dtype) if t.dtype.kind == "f" else t
        tx, tt = torch.tensor(x, requires_grad=True), torch.tensor(t, requires_grad=t.dtype.kind == "f")
        theirs = {k: torch.tensor(v.astype(dtype)) if k == "weight" else v for k, v in kwargs.items()}
        loss = getattr(torch.nn.functional, name)(tx, tt, **theirs)
        dy = rng.normal(size=tuple(loss.shape)).astype(dtype)
        loss.backward(torch.tensor(dy))
        got = getattr(F.grad, name)(dy, x, t, backend=backend, **kwargs)
        pairs = [(got, tx.grad)] if t.dtype.kind != "f" else list(zip(got, (tx.grad, tt.grad), strict=True))
        for ours, want in pairs:
            if not torch.isfinite(want).all():
                continue  # a mean over nothing: torch gives NaN or 0 by the kind of target, we give 0
            assert ours.dtype == dtype
            tolerance = 2e-6 if dtype == "float32" else 1e-13
            np.testing.assert_allclose(ours, want.numpy(), rtol=tolerance, atol=tolerance, err_msg=str(kwargs))


def test_nothing_counts() -> None:
    dx = F.grad.cross_entropy(1.0, np.ones((2, 3)), [1, 1], ignore_index=1)
    np.testing.assert_array_equal(dx, np.zeros((2, 3)))
    dx = F.grad.cross_entropy(1.0, np.array([[np.nan, 1.0], [1.0, 1.0]]), [1, 0], ignore_index=1)
    np.testing.assert_array_equal(dx, [[0, 0], [-0.5, 0.5]])
    assert F.grad.cross_entropy(1.0, np.ones((0, 3)), np.zeros(0, int)).shape == (0, 3)


def test_huge_scores_have_finite_gradients() -> None:
    x = np.array([[1e4, -1e4], [-1e30, 1e30]])
    np.testing.assert_array_equal(F.grad.cross_entropy(1.0, x, [0, 1]), np.zeros((2, 2)))


def test_more_samples_than_a_block() -> None:
    rng = np.random.default_rng(2)
    x, t = rng.normal(size=(9000, 10)).astype("f"), rng.integers(0, 10, 9000)
    dx = F.grad.cross_entropy(1.0, x, t)
    want = F.softmax(x, 1)
    want[np.arange(9000), t] -= 1
    np.testing.assert_allclose(dx, want / 9000, atol=1e-10)


def test_errors_need_and_plans() -> None:
    x, t = np.zeros((2, 3)), np.array([0, 2])
    with pytest.raises(F.ShapeError, match=r"dy has shape \(2,\); it must be \(\), that of the result of cross"):
        F.grad.cross_entropy(np.ones(2), x, t)
    with pytest.raises(IndexError, match="target holds 3"):
        F.grad.cross_entropy(1.0, x, [0, 3])
    with pytest.raises(F.DTypeError, match="input has dtype float16; gradients are defined"):
        F.grad.nll_loss(1.0, x.astype("e"), t)
    with pytest.raises(ValueError, match=r"need must hold 1 bools \(input\), got 2"):
        F.grad.cross_entropy(1.0, x, t, need=(True, True))
    dx, dt = F.grad.cross_entropy(1.0, x, np.full((2, 3), 1 / 3), need=(False, True))
    assert dx is None
    np.testing.assert_allclose(dt, np.full((2, 3), np.log(3) / 2))
    run = F.plan(F.grad.cross_entropy, np.float64(1.0), x, t)
    np.testing.assert_allclose(run(np.float64(2.0)), 2 * F.grad.cross_entropy(1.0, x, t))
