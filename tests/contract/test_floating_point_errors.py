"""No kernel warns, or raises if the user has set NumPy to raise, when its sums overflow, underflow or are NaN."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import fastconv as F
import fastconv.ndimage as ndi
from fastconv.core.problems.activation import FUSED
from fastconv.dispatch.registry import kernels, ops

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name
RNG = np.random.default_rng(0)
DTYPES = ("float16", "float32", "float64", "bfloat16")

ACTIVATIONS = [a for a in FUSED if a != "relu6"]


def dtype_of(name: str) -> np.dtype:
    return np.dtype(pytest.importorskip("ml_dtypes").bfloat16 if name == "bfloat16" else name)


def extreme(shape: tuple[int, ...], dtype: np.dtype, finite: bool = False) -> np.ndarray:
    """Values whose sums, products, exponentials and roundings overflow and underflow; some are not finite."""
    top = {"float16": 6e4, "float64": 1e308}.get(dtype.name, 3e38)
    low = {"float16": 6e-8, "float64": 5e-324}.get(dtype.name, 1e-45 if dtype == np.float32 else 1e-40)
    pool = [top, -top, low, -low, 1.0, -3.0, 0.0, top**0.5, low**0.5]
    return RNG.choice(pool if finite else [*pool, np.inf, -np.inf, np.nan], shape).astype(dtype)


def calls(dtype: np.dtype) -> list[tuple[Any, tuple[Any, ...], dict[str, Any]]]:
    """A few calls of every family: (function, arguments, keywords)."""
    x, w = extreme((2, 4, 9, 10), dtype), extreme((6, 4, 3, 3), dtype)
    found: list[Any] = [
        (F.conv2d, (x, w, extreme((6,), dtype)), {"padding": 1, "activation": "gelu"}),
        (F.conv2d, (x, extreme((6, 4, 1, 1), dtype)), {}),
        (F.conv2d, (x, extreme((4, 1, 3, 3), dtype)), {"groups": 4}),
        (F.conv_transpose2d, (x, extreme((4, 5, 3, 3), dtype)), {"stride": 2}),
        (F.conv_transpose2d, (x, extreme((4, 5, 3, 3), dtype)), {"padding": 1}),
        (F.conv_transpose2d, (x, extreme((4, 5, 1, 1), dtype)), {}),
        (F.conv_transpose2d, (x, extreme((4, 1, 2, 2), dtype)), {"groups": 4}),
        (F.conv_transpose2d, (np.ones((2, 4, 3, 3), np.int64), np.ones((4, 5, 2, 2), np.int64)), {}),  # integers alone
        (F.matmul, (extreme((7, 20), dtype), extreme((20, 9), dtype)), {}),
        (F.gemm, (extreme((7, 20), dtype), extreme((20, 9), dtype), extreme((7, 9), dtype)), {"alpha": 3, "beta": 5}),
        (F.linear, (extreme((2, 20), dtype), extreme((9, 20), dtype), extreme((9,), dtype)), {"activation": "relu"}),
        (F.max_pool2d, (x, 3, 2, 1), {}),
        (F.max_pool2d, (x, 2), {"return_indices": True}),
        (F.avg_pool2d, (x, 3, 2, 1), {}),
        (F.avg_pool2d, (x, 3, 3), {}),
        *((F.lp_pool2d, (x, norm, 3, 2), {}) for norm in (1, 2, 3, 2.5, -1, np.inf, -np.inf)),
        (F.adaptive_max_pool2d, (x, 4), {"return_indices": True}),
        (F.adaptive_avg_pool2d, (x, 4), {}),
        (F.max_unpool2d, (x, np.zeros(x.shape, np.int64), 2), {}),
        (F.softmax, (x, 1), {}),
        (F.log_softmax, (x, -1), {}),
        (F.cross_entropy, (extreme((9, 5), dtype), np.arange(9) % 5), {"label_smoothing": 0.1}),
        (F.cross_entropy, (extreme((9, 5), dtype), extreme((9, 5), dtype)), {}),
        (F.nll_loss, (extreme((9, 5), dtype), np.arange(9) % 5, extreme((5,), dtype)), {}),
        (F.pad, (x, (1, 2, 2, 1), "reflect"), {}),
        (F.fold, (extreme((2, 4 * 9, 30), dtype), (7, 8), 3), {}),
        (F.clamp, (x, -1, 1), {}),
        (F.prelu, (x, extreme((4,), dtype)), {}),
        (F.glu, (x, 1), {}),
    ]
    found += [(getattr(F, name), (x,), {}) for name in ACTIVATIONS]
    if dtype not in (np.float32, np.float64):
        return found
    y, rows = extreme((2, 6, 9, 10), dtype), extreme((9, 5), dtype)
    found += [
        *((F.grad.conv2d, (y, x, w), {"padding": 1, "need": n}) for n in ((1, 0, 0), (0, 1, 0))),
        (ndi.gaussian_filter, (x, 1.0), {}),
        (ndi.laplace, (x,), {"axes": (2, 3)}),
        (ndi.gaussian_gradient_magnitude, (x, 1.0), {"axes": (2, 3)}),
        (ndi.uniform_filter, (x, 3), {}),
        (ndi.maximum_filter, (x, 3), {}),
        (ndi.grey_erosion, (x,), {"structure": np.ones((1, 1, 2, 2))}),
        (ndi.correlate, (x, extreme((1, 1, 3, 2), np.dtype("d"))), {}),
        (ndi.median_filter, (x, (1, 1, 3, 3)), {}),
        (ndi.binary_erosion, (x,), {}),
        (F.grad.conv2d, (extreme((2, 4, 7, 8), dtype), x, w[:4, :1]), {"groups": 4, "need": (0, 1, 0)}),
        (F.grad.max_pool2d, (extreme((2, 4, 4, 5), dtype), x, 2), {}),
        (F.grad.avg_pool2d, (extreme((2, 4, 7, 8), dtype), x, 3, 1), {}),
        (F.grad.avg_pool2d, (extreme((2, 4, 3, 3), dtype), x, 3, 3), {}),
        (F.grad.global_max_pool, (extreme((2, 4, 1, 1), dtype), x), {}),
        *((F.grad.lp_pool2d, (extreme((2, 4, 7, 8), dtype), x, norm, 3, 1), {}) for norm in (2, 3, np.inf)),
        (F.grad.adaptive_max_pool2d, (extreme((2, 4, 4, 4), dtype), x, 4), {}),
        (F.grad.adaptive_avg_pool2d, (extreme((2, 4, 4, 4), dtype), x, 4), {}),
        (F.grad.softmax, (x, x, 1), {}),
        (F.grad.cross_entropy, (extreme((), dtype), rows, np.arange(9) % 5), {}),
        (F.grad.cross_entropy, (extreme((), dtype), rows, extreme((9, 5), dtype)), {"need": (1, 0)}),
        (F.grad.cross_entropy, (extreme((), dtype), rows, extreme((9, 5), dtype)), {"need": (0, 1)}),
        (F.grad.pad, (extreme((2, 4, 12, 13), dtype), x, (1, 2, 2, 1), "replicate"), {}),
        (F.grad.pad, (extreme((2, 4, 12, 13), dtype), x, (1, 2, 2, 1), "reflect"), {}),
        (F.grad.max_unpool2d, (extreme((2, 4, 18, 20), dtype), x, np.zeros(x.shape, np.int64), 2), {}),
        (F.grad.glu, (extreme((2, 2, 9, 10), dtype), x, 1), {}),
        *((getattr(F.grad, name), (x, x), {}) for name in ACTIVATIONS),
    ]
    return [(f, a, {k: tuple(map(bool, v)) if k == "need" else v for k, v in kw.items()}) for f, a, kw in found]


@pytest.mark.parametrize("name", DTYPES)
def test_kernels_leave_the_users_settings_alone(name: str) -> None:
    dtype = dtype_of(name)
    with np.errstate(all="ignore"):
        drawn = calls(dtype)
    seen = set()
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        for function, arrays, kwargs in drawn:
            function(*arrays, **kwargs)
            try:
                plan = F.plan(function, *arrays, **kwargs)
            except NotImplementedError:
                continue  # more than one kernel
            for kernel in kernels(plan.problem.op):
                if kernel.reject(plan.problem) is None and kernel.backend != "numba":
                    changing = arrays[0]
                    assert np.isfinite(kernel.error(plan.problem))
                    plan.with_kernel(kernel.name)(changing)
                    seen.add((plan.problem.op, kernel.name))
    wanted = {(op, k.name) for op in ops() for k in kernels(op) if k.backend == "numpy"}
    if name == "float32":
        missing = wanted - seen
        assert not missing, missing


def test_casts_and_sums_around_kernels_are_quiet() -> None:
    big = np.full((2, 3), 3e38)
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert F.softmax(np.full((2, 3), 1e300), 1, dtype=np.float32).dtype == np.float32
        assert np.isinf(F.grad.prelu(big.astype("f"), -big.astype("f"), np.ones(1, "f"))[1]).all()
        c = F.grad.gemm(big, big, np.eye(3), big, beta=1e3, need=(False, False, True))[2]
        np.testing.assert_allclose(c, 3e41)
        tiny = np.full((2, 3), 1e-38, "f")
        c = F.grad.gemm(tiny, tiny, np.eye(3, dtype="f"), tiny, beta=0.3, need=(False, False, True))[2]
        np.testing.assert_allclose(c, 3e-39, rtol=1e-6)
        both = np.array([[np.inf], [-np.inf]]).repeat(2 * 10**5, 0).astype("f")  # several parts, whose sums are added
        assert np.isnan(F.nll_loss(both, np.zeros(len(both), np.int64)))
        assert np.isinf(F.nll_loss(np.full((3, 2), 3e38, "f"), np.zeros(3, np.int64), reduction="sum"))
        w = np.ones((2, 3, 1), "f")
        F.grad.conv1d(np.full((1, 2, 4), 1e300), np.full((1, 3, 4), 1e300, "d"), w)
