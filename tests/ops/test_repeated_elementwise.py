"""Activations, softmax, losses and their gradients, called again: the results and errors of first calls."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.dispatch import plan as plans
from fastconv.dispatch.plan import Recipe

repeats = pytest.importorskip("fastconv.core._repeated")

CALLS: dict[str, tuple[Callable[..., Any], int]] = {
    "relu": (F.relu, 1),
    "gelu": (partial(F.gelu, approximate="tanh"), 1),
    "softplus": (partial(F.softplus, beta=2.0), 1),
    "clamp": (partial(F.clamp, min=-0.5), 1),
    "glu": (partial(F.glu, dim=0), 1),
    "softmax": (partial(F.softmax, dim=1), 1),
    "log_softmax": (partial(F.log_softmax, dim=-2), 1),
    "grad.relu": (F.grad.relu, 2),
    "grad.elu": (F.grad.elu, 2),
    "grad.softmax": (partial(F.grad.softmax, dim=0), 2),
    "grad.log_softmax": (partial(F.grad.log_softmax, dim=2), 2),
}


def array(*shape: int, dtype: Any = "f", seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_arrays_are_read_again(name: str, dtype: str) -> None:
    function, count = CALLS[name]
    if count == 2 and dtype == "float16":
        pytest.skip("no gradients")
    for seed in range(5):
        given = [array(2, 7, 3, dtype=dtype, seed=10 * seed + i) for i in range(count)]
        np.testing.assert_array_equal(function(*given), function(*map(np.asfortranarray, given)))
        if count == 1:
            want = function(*given)
            out = np.full_like(want, np.nan)
            assert function(*given, out=out) is out
            np.testing.assert_array_equal(out, want)
            if out.shape == given[0].shape:
                np.testing.assert_array_equal(function(given[0], out=given[0]), want)


@pytest.mark.parametrize("dtype", ["float16", "float32", "int32"])
def test_results_have_the_order_of_memory_of_views(dtype: str) -> None:
    x = (8 * array(4, 6, 10)).astype(dtype)
    shifted = np.zeros(x.nbytes + 1, np.uint8)[1:].view(dtype).reshape(x.shape)
    shifted[...] = x
    views = [
        x.T, x.transpose(1, 0, 2), x.transpose(1, 2, 0), x[:, 1:5], x[..., ::3], x[:, ::-1], x.T[::2, 1:, ::-1],
        x[:, :0].T, x[:2, None].T, np.broadcast_to(x[:, :1], x.shape), shifted.T, x.view(x.dtype.newbyteorder()).T,
    ]  # fmt: skip
    for given, function in product(views, (F.relu, partial(F.clamp, min=-3, max=4))):
        before = given.copy()
        for _ in range(3):
            y = function(given)
            np.testing.assert_array_equal(y, function(np.array(given, order="C")))
            assert y.shape == given.shape and y.dtype == given.dtype.newbyteorder("=")
            if 0 not in given.strides and given.size:
                assert sorted(range(y.ndim), key=lambda i: -y.strides[i]) == sorted(
                    range(y.ndim), key=lambda i: -abs(given.strides[i])
                )
        np.testing.assert_array_equal(given, before)
        out = np.empty(given.shape, y.dtype)
        np.testing.assert_array_equal(function(given, out=out), y)


def test_nothing_of_python_is_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    x, dy, w, t, one = array(4, 5), array(4, 5, seed=1), array(5), np.array([0, 4, 1, 2]), np.ones((), "f")
    calls: list[Callable[[], np.ndarray]] = [
        lambda: F.relu(x), lambda: F.softmax(x, 1), lambda: F.cross_entropy(x, t), lambda: F.nll_loss(x, t, w),
        lambda: F.grad.relu(dy, x), lambda: F.grad.log_softmax(dy, x, 0), lambda: F.grad.cross_entropy(one, x, t),
    ]  # fmt: skip
    if not F.plan(F.relu, x).kernel.startswith("cython"):
        pytest.skip("no native kernels")
    want = [[call() for _ in range(3)][-1] for call in calls]
    monkeypatch.setattr(Recipe, "execute", None)
    monkeypatch.setattr(plans, "submit", None)
    for call, y in zip(calls, want, strict=True):
        np.testing.assert_array_equal(call(), y)


WAYS = list(product(("none", "mean", "sum"), (None, "f4", "f8"), (0.0, 0.25), (-100, 2)))


@pytest.mark.parametrize(("reduction", "weight", "smoothing", "ignored"), WAYS)
@pytest.mark.parametrize("shape", [(6, 5), (3, 4, 3)])
def test_losses(shape: tuple[int, ...], reduction: Any, weight: str | None, smoothing: float, ignored: int) -> None:
    rng = np.random.default_rng(3)
    classes = shape[1]
    w = None if weight is None else rng.uniform(0.5, 2, classes).astype(weight)

    def loss(x: np.ndarray, t: np.ndarray) -> np.ndarray:
        return F.cross_entropy(x, t, w, ignored, reduction, smoothing)

    def gradient(dy: np.ndarray, x: np.ndarray, t: np.ndarray) -> Any:
        return F.grad.cross_entropy(dy, x, t, w, ignored, reduction, smoothing)

    for seed in range(5):
        x, t = array(*shape, seed=seed), rng.integers(0, classes, (shape[0], *shape[2:]))
        y = loss(x, t)
        np.testing.assert_array_equal(y, loss(np.asfortranarray(x), t.astype(np.int32)))
        dy = np.ones(y.shape, "f")
        np.testing.assert_array_equal(gradient(dy, x, t), gradient(dy, np.asfortranarray(x), t))
    for bad in (-1, classes, 2**62, -(2**63)):
        wrong = t.copy()
        wrong.flat[-1] = bad
        with pytest.raises(IndexError, match=f"target holds {bad}"):
            loss(x, wrong)
        with pytest.raises(IndexError, match=f"target holds {bad}"):
            gradient(dy, x, wrong)
    t.flat[:] = ignored if ignored >= 0 else 0
    y = loss(x, t)
    assert np.all(np.isnan(y) if ignored >= 0 and reduction == "mean" else np.isfinite(y))
