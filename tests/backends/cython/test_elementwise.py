"""Native kernels that read no neighbours, or one: every width, with guard pages around the arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.cython.elementwise.activation import FUNCTIONS
from fastconv.backends.cython.runtime import halves
from fastconv.backends.reference.pool import ReferencePool
from fastconv.core.problems.activation import DEFAULTS, SELU_ALPHA, SELU_SCALE, ElementwiseProblem
from fastconv.core.problems.pool import pool_problem
from fastconv.dispatch.registry import kernels
from tests.guard import guarded, guarded_copy

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

RELU = [k for k in kernels("elementwise") if k.backend == "cython"]
BACKWARD = [k for k in kernels("elementwise_backward") if k.backend == "cython"]
GLOBAL = [k for k in kernels("pool") if k.algorithm == "global"]
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


@pytest.mark.parametrize("kernel", RELU, ids=lambda k: k.name)
def test_slopes_of_channels(kernel: Any) -> None:
    """Channels shorter and longer than a vector, few and many, and parts that begin within a channel."""
    rng = np.random.default_rng(1)
    shapes = [(3, c, i) for c in (1, 2, 3, 7, 16, 64, 65) for i in (1, 2, 3, 7, 8, 15, 16, 17, 33)]
    shapes += [(1, 1, 70_000), (40, 700, 1), (30, 300, 3), (5, 9, 1000), (9000, 5, 1)]
    for shape in shapes:
        for dtype in ("f", "d", "e"):
            d, size = np.dtype(dtype), int(np.prod(shape))
            p = ElementwiseProblem("prelu", (), size, d, d, rows=shape[0], channels=shape[1])
            usable(kernel, p)
            x, slopes = guarded_copy(values(rng, size, dtype), "end"), guarded_copy(values(rng, shape[1], dtype), "end")
            y = guarded(size, d, "end")
            kernel.prepare(p, (slopes,), 2)(x, y)
            with np.errstate(all="ignore"):
                each = (x.reshape(shape).astype("d") * slopes[:, None]).astype(d).reshape(-1)
            np.testing.assert_array_equal(y, np.where(x > 0, x, each), err_msg=f"{shape} {d}")


@pytest.mark.parametrize("kernel", RELU, ids=lambda k: k.name)
@pytest.mark.parametrize("kind", "iu")
def test_limits_of_integers(kernel: Any, kind: str) -> None:
    rng = np.random.default_rng(2)
    for itemsize in (1, 2, 4, 8):
        d = np.dtype(f"{kind}{itemsize}")
        info = np.iinfo(d)  # type: ignore[type-var]
        for function, params, low, high in (
            ("relu", (), 0, info.max), ("relu6", (), 0, 6), ("hardtanh", (1.0, 9.0), 1, 9),
            ("clamp", (info.max - 5, info.max), info.max - 5, info.max), ("clamp", (9, 3), 9, 3),
        ):  # fmt: skip
            for size in (1, 7, 64, 65, 200, (1 << 14) + 3):
                p = ElementwiseProblem(function, params, size, d, d)
                usable(kernel, p)
                x = guarded_copy(rng.integers(info.min, info.max, size, d, endpoint=True), "end")
                y = guarded(size, d, "end")
                kernel.prepare(p, (), 2)(x, y)
                np.testing.assert_array_equal(y, np.minimum(np.maximum(x, d.type(low)), d.type(high)))
                kernel.prepare(p, (), 1)(x, x)  # in place
                np.testing.assert_array_equal(x, y)


PARAMETERS = DEFAULTS | {"clamp": (-1.0, 2.0), "threshold": (0.5, -1.0)}


def bits(y: np.ndarray) -> np.ndarray:
    """Of 16-bit floats; those of one NaN for every NaN, whose sign and payload depend on the order of operands."""
    return np.where(np.isnan(y), np.uint16(0xFFFF), y.view(np.uint16))


@pytest.mark.parametrize("kernel", RELU, ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", [*FUNCTIONS, "glu"])
def test_halves_have_the_bits_of_a_widened_copy(kernel: Any, name: str, dtype: str) -> None:
    """Computed in float32 and rounded once, without scratch."""
    d = np.dtype(pytest.importorskip("ml_dtypes").bfloat16 if dtype == "bfloat16" else dtype)
    wide = np.dtype(np.float32)
    rng = np.random.default_rng(1)
    for size in (*range(1, 70), (1 << 14) + 3):
        p = ElementwiseProblem(name, PARAMETERS.get(name, ()), size, d, d, rows=1)
        usable(kernel, p)
        assert kernel.workspace(p) == 0
        given = size * (1 + (name == "glu"))
        x = np.where(rng.random(given) < 0.15, rng.choice(SPECIAL, given), rng.normal(size=given) * 4).astype(d)
        for at in ("start", "end"):
            x, y, result = guarded_copy(x, at), guarded(size, d, at), np.empty(size, wide)
            kernel.prepare(p, (), 1)(x, y)
            kernel.prepare(replace(p, dtype=wide, out=wide), (), 1)(halves.converted(kernel.isa, x, wide), result)
            np.testing.assert_array_equal(bits(y), bits(halves.converted(kernel.isa, result, d)))


def logistic(x: np.ndarray) -> np.ndarray:
    return np.where(x >= 0, 1, np.exp(-np.abs(x))) / (1 + np.exp(-np.abs(x)))


def cdf(x: np.ndarray) -> np.ndarray:
    """Of a normal distribution below x."""
    special = pytest.importorskip("scipy.special")
    t = np.abs(x)
    tail = special.erfcx((t / np.sqrt(x.dtype.type(2))).astype(np.float64)) * np.exp(-t * t / 2) / 2
    return np.where(x < 0, tail, 1 - tail)


CURVES: dict[str, tuple[tuple[float, ...], Callable[[np.ndarray], np.ndarray]]] = {
    "relu6": ((), lambda x: np.clip(x, 0, 6)),
    "hardtanh": ((-0.5, 2.0), lambda x: np.clip(x, -0.5, 2)),
    "clamp": ((-0.5, 2.0), lambda x: np.clip(x, -0.5, 2)),
    "leaky_relu": ((0.25,), lambda x: np.where(x > 0, x, x / 4)),
    "hardswish": ((), lambda x: x * (np.clip(x + 3, 0, 6) / 6)),
    "hardsigmoid": ((), lambda x: np.clip(x + 3, 0, 6) / 6),
    "softsign": ((), lambda x: x / (1 + np.abs(x))),
    "sigmoid": ((), logistic),
    "tanh": ((), np.tanh),
    "silu": ((), lambda x: x * logistic(x)),
    "elu": ((1.5,), lambda x: np.where(x > 0, x, 1.5 * np.expm1(np.minimum(x, 0)))),
    "selu": ((), lambda x: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0)))),
    "gelu": ((), lambda x: x * cdf(x)),
    "gelu tanh": ((1.0,), lambda x: x * logistic(1.5957691216057308 * (x + 0.044715 * x * x * x))),
    "logsigmoid": ((), lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))),
    "softplus": ((1.0, 20.0), lambda x: np.where(x > 20, x, np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))),
    "mish": ((), lambda x: x * np.tanh(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))),
    "hardshrink": ((0.5,), lambda x: np.where((x >= -0.5) & (x <= 0.5), 0, x)),
    "softshrink": ((0.5,), lambda x: np.where(x > 0.5, x - 0.5, np.where(x < -0.5, x + 0.5, x * 0))),
    "tanhshrink": ((), lambda x: x - np.tanh(x)),
    "threshold": ((0.25, -7.0), lambda x: np.where(x <= 0.25, -7, x)),
    "celu": ((0.75,), lambda x: np.where(x > 0, x, 0.75 * np.expm1(np.minimum(x, 0) / np.longdouble(0.75)))),
}


def arguments(dtype: str) -> np.ndarray:
    """Every exponent and both signs, the range where the functions bend, halves of ln 2, and what is special."""
    d = np.finfo(dtype)
    rng = np.random.default_rng(7)
    exponents = np.arange(np.log2(d.smallest_subnormal), d.maxexp)
    spread = np.repeat(np.ldexp(np.ones((), dtype), exponents.astype(int)), 8) * rng.uniform(0.5, 1, 8 * exponents.size)
    bends = np.concatenate([np.linspace(-120, 120, 40_001), np.linspace(-760, 720, 10_001), rng.normal(size=40_000)])
    steps = np.arange(-60, 60) * (np.log(2) / 2)
    with np.errstate(all="ignore"):
        every = np.concatenate([spread, -spread, bends, steps, SPECIAL])
    return every.astype(dtype)


@pytest.mark.parametrize("function", CURVES)
@pytest.mark.parametrize("kernel", RELU, ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_errors_of_single_results(kernel: Any, dtype: str, function: str) -> None:
    params, curve = CURVES[function]
    d = np.dtype(dtype)
    x = arguments(dtype)
    p = ElementwiseProblem(function.split()[0], params, x.size, d, d)
    usable(kernel, p)
    y = np.empty_like(x)
    kernel.prepare(p, (), 1)(x, y)
    with np.errstate(all="ignore"):
        want = curve(x.astype(np.float64 if dtype == "float32" else np.longdouble))
        if function in ("gelu", "gelu tanh", "silu", "mish", "hardswish"):
            want[x == -np.inf] = 0  # where the formulas have infinity times zero
        if function == "softsign":
            want[np.isinf(x)] = np.sign(x[np.isinf(x)])
        rounded = want.astype(dtype)
        assert np.array_equal(np.isnan(y), np.isnan(rounded))
        keep = np.isfinite(rounded)
        np.testing.assert_array_equal(y[~keep], rounded[~keep])
        gap = np.abs(y[keep].astype(want.dtype) - want[keep])
        allowed = kernel.error(p) * np.abs(want[keep]) + 2 * np.finfo(dtype).smallest_subnormal.astype(want.dtype)
        if function in ("silu", "mish", "gelu tanh"):  # x times a factor that may be denormal
            allowed += np.abs(x[keep]) * np.finfo(dtype).smallest_subnormal.astype(want.dtype)
        if function in ("hardswish", "hardsigmoid"):  # x + 3 is rounded
            allowed += 3 * np.finfo(dtype).eps * np.maximum(np.abs(x[keep]), 1)
        if function == "gelu tanh":  # the argument of the exponential is rounded: to some units below -1
            allowed *= 1 + np.where(x[keep] < 0, np.abs(x[keep]) ** 3, 0)
        if function == "gelu" and dtype == "float64":
            allowed *= 2  # the error of SciPy's erfcx
        if function == "tanhshrink":  # a difference
            allowed += kernel.error(p) * np.minimum(np.abs(x[keep]), 1)
    worst = np.argmax(gap - allowed)
    assert np.all(gap <= allowed), (x[keep][worst], y[keep][worst], want[keep][worst], (gap / allowed).max())


@pytest.mark.parametrize("function", CURVES)
@pytest.mark.parametrize("kernel", RELU, ids=lambda k: k.name)
@pytest.mark.parametrize("at", ["start", "end"])
def test_curves_of_every_length(kernel: Any, function: str, at: str) -> None:
    params, curve = CURVES[function]
    d = np.dtype("f")
    function = function.split()[0]
    usable(kernel, ElementwiseProblem(function, params, 1, d, d))
    rng = np.random.default_rng(5)
    for size in (*range(1, 40), 1 << 14, (1 << 17) + 5):
        x, y = guarded_copy(rng.normal(size=size).astype(d), at), guarded(size, d, at)
        kernel.prepare(ElementwiseProblem(function, params, size, d, d), (), 2)(x, y)
        np.testing.assert_allclose(y, curve(x.astype(np.float64)), rtol=1e-6, atol=1e-6)


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


PARAMS = {"leaky_relu": (0.1,), "elu": (1.5,), "celu": (0.7,), "softplus": (2.0, 3.0), "hardtanh": (-1.0, 0.5),
          "clamp": (-1.0, 0.5),
          "hardshrink": (0.5,), "softshrink": (0.5,), "threshold": (0.3, 2.0)}  # fmt: skip


@pytest.mark.parametrize("kernel", BACKWARD, ids=lambda k: k.name)
@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_slopes(kernel: Any, function: str) -> None:
    """Against the definition in float64, at both ends of memory; limits and kinks as NumPy's kernel."""
    rng = np.random.default_rng(3)
    numpy = next(k for k in kernels("elementwise_backward") if k.backend == "numpy")
    special = [np.inf, -np.inf, np.nan, 0.0, -0.0, 1.0, -1.0, 3.0, -3.0, 0.5, -0.5, 0.3, 1e30, -1e30, 60.0, -60.0]
    name = function.removesuffix("_tanh")
    params = PARAMS.get(name, (1.0,) if function != name else (0.0,) if name == "gelu" else ())
    for dtype, at in ((np.dtype(t), end) for t in ("float32", "float64") for end in ("start", "end")):
        for size in (1, 15, 16, 17, 33, 257, (1 << 17) + 5):
            p = ElementwiseProblem(name, params, size, dtype, dtype, "backward")
            usable(kernel, p)
            x = guarded_copy((rng.normal(size=size) * rng.choice([0.1, 1, 10], size)).astype(dtype), at)
            dy, dx = guarded_copy(rng.uniform(0.5, 2, size).astype(dtype), at), guarded(size, dtype, at)
            kernel.prepare(p, (x,), 2)(dy, dx)
            wide = np.dtype(np.float64)
            want = np.empty(size)
            q = replace(p, dtype=wide, out=wide)
            numpy.prepare(q, (x.astype(wide),), 1)(dy.astype(wide), want)
            eps = float(np.finfo(dtype).eps)
            np.testing.assert_allclose(dx, want, rtol=16 * eps, atol=32 * eps, err_msg=f"{dtype} {size}")
        x, dy, dx = np.array(special, dtype), np.full(16, 2, dtype), np.empty(16, dtype)
        p = ElementwiseProblem(name, params, 16, dtype, dtype, "backward")
        kernel.prepare(p, (x,), 1)(dy, dx)
        want = np.empty(16, dtype)
        numpy.prepare(p, (x,), 1)(dy, want)
        np.testing.assert_allclose(dx, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kernel", PAIRS, ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pairs(kernel: Any, dtype: str) -> None:
    rng = np.random.default_rng(2)
    for width in (*range(2, 70), 127, 128, 129):
        for ceil in (False, True):
            shape = (2, 3, int(rng.integers(2, 6)), width)
            p: Any = pool_problem(
                "max", 2, shape, np.dtype(dtype), 2, None, 0, 1, ceil, True, None, 1.0, True, "NCHW"
            )
            usable(kernel, p)
            for at in ("start", "end"):
                x = guarded_copy(values(rng, p.x_shape, dtype), at)
                outs = [guarded(s, d, at) for s, d in p.results]
                want = [np.empty(s, d) for s, d in p.results]
                kernel.prepare(p, (), 2)(x, *outs)
                ReferencePool().prepare(p, (), 1)(x, *want)
                for got, expected in zip(outs, want, strict=True):
                    np.testing.assert_array_equal(got, expected, err_msg=f"{width} {ceil}")


@pytest.mark.parametrize("kernel", GLOBAL, ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["avg", "max"])
def test_whole_planes(kernel: Any, dtype: str, kind: Any) -> None:
    rng = np.random.default_rng(4)
    for elements in (*range(1, 80), 255, 256, 257, 511, 4099, 90_001):
        shape = (2, 3, 1, elements)
        p: Any = pool_problem(
            kind, 2, shape, np.dtype(dtype), (1, elements), None, 0, 1, False, True, None, 1.0, False, "NCHW"
        )
        usable(kernel, p)
        for at in ("start", "end"):
            values = rng.random(p.x_shape).astype(dtype) - 0.5
            if kind == "max":
                values[1, 2, ..., rng.integers(elements)] = np.nan
            x, y = guarded_copy(values, at), guarded(p.y_shape, p.out, at)
            kernel.prepare(p, (), 2)(x, y)
            wide = x.astype(np.float64)
            want = (wide.max if kind == "max" else wide.mean)((2, 3, 4), keepdims=True)
            size = np.abs(wide).mean((2, 3, 4), keepdims=True)
            assert np.array_equal(np.isnan(y), np.isnan(want))
            assert not (np.abs(y - want) > 2 * kernel.error(p) * size).any()


@pytest.mark.parametrize("kernel", GLOBAL, ids=lambda k: k.name)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_positions_of_maxima_of_whole_planes(kernel: Any, layout: Any) -> None:
    """The first of equal ones, or the first NaN."""
    rng = np.random.default_rng(5)
    for dtype, h, w in (("f", 1, 1), ("f", 3, 5), ("d", 8, 16), ("f", 9, 29), ("d", 1, 700)):
        shape = (2, 70, h, w) if layout == "NCHW" else (2, h, w, 70)
        p: Any = pool_problem(
            "max", 2, shape, np.dtype(dtype), (h, w), None, 0, 1, False, True, None, 1.0, True, layout
        )
        usable(kernel, p)
        x = guarded_copy(values(rng, shape, dtype), "end").reshape(p.n, *shape[1:])
        x = x[:, :, None] if layout == "NCHW" else x[:, None].transpose(0, 4, 1, 2, 3)
        x = x.copy(order="K") if dtype == "d" else x
        order = "C" if layout == "NCHW" else "K"
        outs = [np.empty_like(x[:, :, :1, :1, :1], d, order) for _, d in p.results]
        want = [np.empty(s, d) for s, d in p.results]
        kernel.prepare(p, (), 2)(x, *outs)
        ReferencePool().prepare(p, (), 1)(x, *want)
        for got, expected in zip(outs, want, strict=True):
            np.testing.assert_array_equal(got, expected, err_msg=f"{p}")


def test_what_the_lecture_pools_stays_in_registers() -> None:
    run = F.plan(F.max_pool2d, F.Spec((64, 16, 27, 28)), 2, ceil_mode=True, return_indices=True)
    names = {c.kernel.algorithm for c in run.explain().candidates if c.reason is None and c.kernel.backend == "cython"}
    if "pairs" not in names:
        pytest.skip("no native kernels here")
    assert ".pairs" in run.kernel or ".shifts" in run.kernel
    for kwargs in ({"padding": 1}, {"stride": 1}, {"dilation": 2}, {"layout": "NHWC"}):
        other = F.plan(F.max_pool2d, F.Spec((2, 6, 8, 10)), 2, **kwargs)
        assert ".pairs" not in other.kernel
