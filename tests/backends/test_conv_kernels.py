"""Every registered convolution kernel, on every ISA that this host can run, against the definition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fastconv.backends.reference.conv import ReferenceConv
from fastconv.core.kernel import Kernel
from fastconv.core.problems.conv import ConvProblem
from fastconv.dispatch.registry import kernels
from tests.guard import guarded, guarded_copy
from tests.problems import (
    Arrays,
    corners,
    empty_result,
    forward,
    in_dtype,
    in_layout,
    random_problem,
    transposed_corners,
)

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

KERNELS = [k for k in kernels("conv") if k.backend != "reference" and k.relative != "weight"]
CORNERS, TRANSPOSED = corners(), transposed_corners()
DEPTHWISE = next(p for p in TRANSPOSED if p.icg == p.ocg == 1)
SEEDS = 60


def definition(p: ConvProblem, a: Arrays) -> np.ndarray:
    """The result in float64, not rounded."""
    exact = replace(p, activation=None, out=np.dtype(np.float64))
    y = np.empty(p.y_shape)
    ReferenceConv().prepare(exact, (a.w, a.bias), 1)(a.x, y)
    return np.maximum(y, 0) if p.activation == "relu" else y


def bound(kernel: Kernel[ConvProblem], p: ConvProblem, want: np.ndarray) -> float:
    """Twice the error that the kernel states, of max|y|; the depth's own scale where y cancels."""
    scale = max(float(np.abs(want).max(initial=0.0)), p.depth**0.5)
    return 2 * kernel.error(p) * scale


def able(kernel: Kernel[ConvProblem], p: ConvProblem) -> bool:
    return kernel.reject(p) is None


def run(kernel: Kernel[ConvProblem], p: ConvProblem, a: Arrays, threads: int = 1) -> np.ndarray:
    y = empty_result(p)
    kernel.prepare(p, (a.w, a.bias), threads)(a.x, y)
    return y


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_corners(kernel: Kernel[ConvProblem], dtype: str, layout: str) -> None:
    tried = 0
    for corner in CORNERS:
        p = in_layout(in_dtype(corner, dtype), layout)
        if p.activation not in (None, *kernel.activations) or not able(kernel, p):
            continue
        a = Arrays.of(p)
        want = definition(p, a)
        got = run(kernel, p, a)
        assert got.dtype == p.out
        np.testing.assert_allclose(got, want, rtol=0, atol=bound(kernel, p, want), err_msg=str(p))
        tried += 1
    if kernel.algorithm in ("direct", "im2col") and able(kernel, CORNERS[0]):
        assert tried >= sum(c.activation in (None, *kernel.activations) and c.ic > 0 for c in CORNERS)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_random_problems(kernel: Kernel[ConvProblem]) -> None:
    for seed in range(SEEDS):
        p = random_problem(seed)
        if p.activation not in (None, *kernel.activations) or not able(kernel, p):
            continue
        a = Arrays.of(p, seed)
        want = definition(p, a)
        np.testing.assert_allclose(
            run(kernel, p, a), want, rtol=0, atol=bound(kernel, p, want), err_msg=f"seed {seed}: {p}"
        )


@pytest.mark.parametrize("kernel", [k for k in KERNELS if k.reject(TRANSPOSED[0]) is None
                                    or k.reject(DEPTHWISE) is None], ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_transposed(kernel: Kernel[ConvProblem], dtype: str, layout: str) -> None:
    tried = 0
    for case in TRANSPOSED:
        p = in_layout(in_dtype(case, dtype), layout)
        if not able(kernel, p):
            continue
        a = Arrays.of(p)
        want = definition(p, a)
        np.testing.assert_allclose(run(kernel, p, a), want, rtol=0, atol=bound(kernel, p, want), err_msg=str(p))
        tried += 1
    assert tried or f"layout {layout}" in (kernel.reject(p) or "")


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_widths_around_the_tile(kernel: Kernel[ConvProblem]) -> None:
    """Every remainder of pixels and channels, with guard pages behind."""
    base = {"pointwise": (8, 8, 1), "depthwise": (3, 1, 3)}.get(kernel.algorithm, (3, 3, 3))
    for width in [*range(1, 36), 47, 48, 49, 63, 64, 65]:
        channels, icg, k = base
        p = random_width(width, channels, icg, k)
        if not able(kernel, p):
            continue
        a = Arrays.of(p, width)
        want = definition(p, a)
        y = guarded(p.y_shape, p.out)
        kernel.prepare(p, (a.w, a.bias), 1)(guarded_copy(a.x), y)
        np.testing.assert_allclose(y, want, rtol=0, atol=bound(kernel, p, want), err_msg=f"width {width}")


def random_width(width: int, channels: int, icg: int, k: int) -> ConvProblem:
    groups = channels // icg
    oc = groups * 3 if groups > 1 else width
    return forward((1, channels, 5, width), (oc, icg, k, k), padding=k // 2, groups=groups)


def big(kind: str) -> ConvProblem:
    """Large enough for kernels to use threads."""
    return {
        "dense": forward((2, 32, 28, 28), (40, 32, 3, 3), padding=1),
        "depthwise": forward((2, 48, 28, 30), (48, 1, 3, 3), padding=1, groups=48),
        "pointwise": forward((2, 64, 20, 20), (70, 64, 1, 1)),
    }[kind]


@pytest.mark.parametrize("kernel", [k for k in KERNELS if "relu" in k.activations], ids=lambda k: k.name)
def test_fused_relu_keeps_nan(kernel: Kernel[ConvProblem]) -> None:
    for corner in CORNERS[1:10]:
        p = replace(corner, activation="relu")
        if not able(kernel, p):
            continue
        a = Arrays.of(p)
        a.x[0, 0, 0, 0, 0] = np.nan
        got, want = run(kernel, p, a), definition(p, a)
        np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
        assert (got[~np.isnan(got)] >= 0).all()


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
@pytest.mark.parametrize("data", ["normal", "relu-like", "positive", "badly scaled"])
def test_errors_stay_within_what_is_stated(kernel: Kernel[ConvProblem], data: str) -> None:
    for p in (big("dense"), big("depthwise"), big("pointwise")):
        if not able(kernel, p):
            continue
        a = Arrays.of(p, 5)
        rng = np.random.default_rng(6)
        if data == "relu-like":
            np.maximum(a.x, 0, out=a.x)
        elif data == "positive":
            np.abs(a.x, out=a.x)
            np.abs(a.w, out=a.w)
        elif data == "badly scaled":
            a.x *= np.exp(rng.normal(size=(1, p.ic, 1, 1, 1)) * 4).astype(p.dtype)
        want = definition(p, a)
        error = np.abs(run(kernel, p, a) - want).max() / np.abs(want).max()
        assert error <= 2 * kernel.error(p), (error, kernel.error(p), p)
