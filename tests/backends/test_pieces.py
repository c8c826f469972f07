"""Kernels that split rows and vectors which are too long for scratch: the same results for every split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.cython.pool import backward as pool_backward
from fastconv.backends.cython.pool import separable
from fastconv.backends.cython.runtime import native
from fastconv.backends.numpy.elementwise import loss, softmax
from fastconv.dispatch.plan import clear_cache


def averages(layout: str) -> list[np.ndarray]:
    """Gradients of averages over windows of many kinds."""
    rng = np.random.default_rng(0)
    found = []
    for kernel, stride, padding in ((3, 1, 1), (3, 2, 1), (2, 5, 0), (7, 3, 3), ((2, 30), 1, (1, 15)), (1, 2, 0)):
        x = rng.standard_normal((2, 3, 6, 50) if layout == "NCHW" else (2, 6, 50, 19))
        args: tuple[Any, ...] = (kernel, stride, padding)
        dy = rng.standard_normal(F.avg_pool2d(x, *args, layout=layout).shape)
        found.append(F.grad.avg_pool2d(dy, x, *args, layout=layout, backend="cython"))
    return found


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("bytes_", [1, 200, 1100])
def test_gradients_of_averages_in_blocks_of_columns(monkeypatch: pytest.MonkeyPatch, layout: str, bytes_: int) -> None:
    if native.build_problem() is not None:
        pytest.skip("not compiled")
    whole = averages(layout)
    monkeypatch.setattr(pool_backward, "block_bytes", lambda name: bytes_)
    clear_cache()
    for got, want in zip(averages(layout), whole, strict=True):
        np.testing.assert_array_equal(got, want)
    monkeypatch.undo()
    clear_cache()


@pytest.mark.parametrize("function", [F.softmax, F.log_softmax, F.softmin])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "complex128"])
def test_long_vectors_of_softmax(monkeypatch: pytest.MonkeyPatch, function: Any, dtype: str) -> None:
    monkeypatch.setattr(softmax, "LONG", 10)
    x = np.random.default_rng(1).standard_normal((2, 37, 3)).astype(dtype)
    if dtype == "complex128" and function is F.softmin:
        return
    x[0, 3, 0], x[1, 20, 2] = -np.inf, np.nan
    got = function(x, 1, backend="numpy")
    want = F.plan(function, x, 1).with_kernel("reference.definition")(x)
    tolerance = {"float16": 2e-3, "float32": 1e-6}.get(dtype, 1e-14)
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_losses_of_many_classes(
    monkeypatch: pytest.MonkeyPatch, dtype: str, smoothing: float, weighted: bool, reduction: str
) -> None:
    for module in (softmax, loss):
        monkeypatch.setattr(module, "LONG", 10)
    monkeypatch.setattr(softmax, "BLOCK", 10)
    monkeypatch.setattr(softmax, "LARGEST", 10)
    rng = np.random.default_rng(2)
    x = rng.standard_normal((3, 37, 2)).astype(dtype)
    weight = rng.random(37).astype(dtype) if weighted else None
    labels = rng.integers(0, 37, (3, 2))
    labels[1, 1] = -100
    for target in (labels, F.softmax(rng.standard_normal(x.shape).astype(dtype), 1)):
        kwargs: dict[str, Any] = {"weight": weight, "reduction": reduction, "label_smoothing": smoothing}
        got = F.cross_entropy(x, target, backend="numpy", **kwargs)
        want = F.plan(F.cross_entropy, x, target, **kwargs).with_kernel("reference.definition")(x)
        np.testing.assert_allclose(got, want, rtol={"float16": 4e-3, "float32": 1e-6}.get(dtype, 1e-14))


@pytest.mark.parametrize("bytes_", [1, 100, 1000])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("width", [37, 700])
def test_adaptive_windows_in_blocks(monkeypatch: pytest.MonkeyPatch, bytes_: int, layout: str, width: int) -> None:
    if native.build_problem() is not None:
        pytest.skip("not compiled")
    shape = (2, 3, 9, width) if layout == "NCHW" else (2, 9, width, 3)
    x = np.random.default_rng(3).standard_normal(shape).astype("f")

    def results() -> list[np.ndarray]:
        found = []
        for size in ((2, 5), (4, width // 2 + 3), (3, width - 1), (10, width + 5)):
            found.append(F.adaptive_avg_pool2d(x, size, layout=layout, backend="cython"))
            found += F.adaptive_max_pool2d(x, size, True, layout=layout, backend="cython")
        return found

    whole = results()
    monkeypatch.setattr(separable, "block_bytes", lambda name: bytes_)
    clear_cache()
    for got, want in zip(results(), whole, strict=True):
        np.testing.assert_array_equal(got, want)
    monkeypatch.undo()
    clear_cache()
