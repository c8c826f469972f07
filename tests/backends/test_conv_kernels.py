"""Every registered convolution kernel, on every ISA that this host can run, against the definition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from guard import guarded, guarded_copy
from problems import Arrays, corners, empty_result, in_dtype, in_layout, lay, random_problem, transposed

from fastconv.backends.reference.conv import Conv
from fastconv.core.kernel import Kernel
from fastconv.core.problems.conv import ConvProblem
from fastconv.dispatch.registry import kernels

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

KERNELS = [k for k in kernels("conv") if k.backend != "reference" and k.relative != "weight"]
CORNERS = corners()
SEEDS = 60


def definition(p: ConvProblem, a: Arrays) -> np.ndarray:
    """The result in float64, not rounded."""
    exact = replace(p, activation=None, out=np.dtype(np.float64))
    y = np.empty(p.y_shape)
    Conv().prepare(exact, (a.w, a.bias), 1)(a.x, y)
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


TRANSPOSED = [
    transposed((1, 4, 5, 5), (4, 3, 3, 3)),
    transposed((2, 4, 5, 6), (4, 3, 3, 3), stride=2, padding=1, output_padding=1),
    transposed((1, 6, 4, 5), (6, 2, 4, 4), stride=2, padding=1, groups=3),
    transposed((1, 2, 5, 5), (2, 3, 2, 2), stride=3, dilation=2),  # phases without taps
    transposed((1, 2, 5, 5), (2, 3, 1, 1), stride=2, output_padding=1),
    transposed((1, 2, 7, 7), (2, 2, 3, 3), padding=3),  # crops beyond the kernel's reach
    transposed((1, 3, 9), (3, 2, 5), stride=4, padding=2, output_padding=3),
    transposed((1, 2, 3, 4, 5), (2, 2, 3, 2, 3), stride=(2, 1, 3), padding=(1, 0, 1)),
    transposed((1, 5, 6, 6), (5, 1, 3, 3), stride=2, groups=5),
    transposed((0, 2, 5, 5), (2, 3, 3, 3)),
]


@pytest.mark.parametrize("kernel", [k for k in KERNELS if k.reject(TRANSPOSED[0]) is None
                                    or k.reject(TRANSPOSED[8]) is None], ids=lambda k: k.name)
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
@pytest.mark.parametrize("at", ["start", "end"])
def test_nothing_outside_the_arrays_is_touched(kernel: Kernel[ConvProblem], at: str) -> None:
    problems = [in_dtype(c, d) for c in CORNERS for d in ("float32", "float64")] + TRANSPOSED
    for p in problems:
        if p.activation not in (None, *kernel.activations) or not able(kernel, p) or 0 in p.x_shape:
            continue
        a = Arrays.of(p)
        x, w = guarded_copy(a.x, at), guarded_copy(a.w, at)
        bias = None if a.bias is None else guarded_copy(a.bias, at)
        y = guarded(p.y_shape, p.out, at)
        kernel.prepare(p, (w, bias), 1)(x, y)
        np.testing.assert_array_equal(y, run(kernel, p, a), err_msg=str(p))


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
    from problems import forward

    groups = channels // icg
    oc = groups * 3 if groups > 1 else width
    return forward((1, channels, 5, width), (oc, icg, k, k), padding=k // 2, groups=groups)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_threads_do_not_change_bits(kernel: Kernel[ConvProblem]) -> None:
    problems = [
        *(c for c in CORNERS if c.activation is None),
        *TRANSPOSED,
        in_layout(random_problem(3), "NCHW"),
        big("dense"),
        big("depthwise"),
        big("pointwise"),
    ]
    for p in problems:
        if p.activation not in (None, *kernel.activations) or not able(kernel, p):
            continue
        a = Arrays.of(p)
        one = run(kernel, p, a, 1)
        for threads in (2, 3):
            np.testing.assert_array_equal(run(kernel, p, a, threads), one, err_msg=f"{threads} threads: {p}")


def big(kind: str) -> ConvProblem:
    """Large enough for kernels to use threads."""
    from problems import forward

    return {
        "dense": forward((2, 32, 28, 28), (40, 32, 3, 3), padding=1),
        "depthwise": forward((2, 48, 28, 30), (48, 1, 3, 3), padding=1, groups=48),
        "pointwise": forward((2, 64, 20, 20), (70, 64, 1, 1)),
    }[kind]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_non_finite_values_stay_in_their_windows(kernel: Kernel[ConvProblem], special: float) -> None:
    for p in (*CORNERS[1:20], *TRANSPOSED[:3]):
        if p.activation not in (None, *kernel.activations) or not able(kernel, p) or 0 in p.x_shape:
            continue
        a = Arrays.of(p)
        a.w[a.w == 0] = 1
        clean = run(kernel, p, a)
        x = a.x.copy()
        x[..., x.shape[-2] // 2, x.shape[-1] // 2] = special
        with np.errstate(invalid="ignore"):
            want = definition(p, Arrays(lay(x, p.layout), a.w, a.bias))
            got = run(kernel, p, Arrays(lay(x, p.layout), a.w, a.bias))
        nonfinite = ~np.isfinite(want)
        if kernel.exact:
            np.testing.assert_array_equal(got[~nonfinite], clean[~nonfinite], err_msg=str(p))
        else:  # a tile that holds a special value is computed in another way
            reference = definition(p, a)
            atol = bound(kernel, p, reference)
            np.testing.assert_allclose(got[~nonfinite], reference[~nonfinite], rtol=0, atol=atol, err_msg=str(p))
        np.testing.assert_array_equal(np.isnan(got[nonfinite]), np.isnan(want[nonfinite]), err_msg=str(p))
        if not np.isnan(special):
            infinite = np.isinf(want)
            np.testing.assert_array_equal(got[infinite], want[infinite], err_msg=str(p))


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


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_batch_and_channel_strides_are_free(kernel: Kernel[ConvProblem]) -> None:
    for p in (*CORNERS[1:20], *TRANSPOSED[:3]):
        if p.layout != "NCHW" or not able(kernel, p) or 0 in p.x_shape:
            continue
        a = Arrays.of(p)
        room = np.full((2 * p.n, 3 * p.ic, *p.input), np.nan, p.dtype)
        room[::-2, ::-3] = a.x
        want = run(kernel, p, a)
        np.testing.assert_array_equal(run(kernel, p, Arrays(room[::-2, ::-3], a.w, a.bias)), want, err_msg=str(p))


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_figures_are_sane(kernel: Kernel[ConvProblem]) -> None:
    from fastconv.machines import host_table

    for p in (*CORNERS, *TRANSPOSED, big("dense")):
        if not able(kernel, p):
            continue
        seconds = kernel.cost(p, host_table())
        assert 0 <= seconds < 100
        assert seconds > 0 or p.flops == 0
        assert kernel.cost(replace(p, packed=True), host_table()) <= seconds * 1.0001
        assert 0 <= kernel.workspace(p) < 32 << 20
        assert 0 <= kernel.error(p) < 1e-3
