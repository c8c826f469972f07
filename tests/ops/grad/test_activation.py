"""Gradients of activations and softmax: kernels against the definition, functions against differences and torch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.reference.activation_backward import SLOPES
from fastconv.core.problems.activation import DEFAULTS, FUSED, ElementwiseProblem
from fastconv.core.problems.softmax import SoftmaxProblem
from fastconv.dispatch.registry import kernels
from tests.differences import check_gradients

KERNELS = [k for k in kernels("elementwise_backward") if k.backend != "reference"]
REFERENCE = kernels("elementwise_backward")[-1]
PARAMETERS: dict[str, tuple[float, ...]] = {**DEFAULTS, "threshold": (0.5, -1.0), "gelu": (0.0,)}
EXTRA = {"clamp": 2, "clamp_min": 2, "clamp_max": 2, "prelu": 1, "prelu_weight": 1, "glu": 2}
KINKS = [0.0, -0.0, 3.0, -3.0, 6.0, -6.0, 0.5, -0.5, 1.0, -1.0, 2.5, -2.5]
FAR = [20.0, -20.0, 20.00001, 88.0, -88.0, 100.0, -100.0, 700.0, -700.0, 800.0, -800.0, 1e30, -1e30, 1e-30, -1e-30]
UNARY = [*FUSED, "threshold"]


def constants(function: str, x: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    if function == "glu":
        return x, rng.normal(size=x.size).astype(x.dtype), np.arange(x.size) % 2 == 0
    return (x, *(rng.normal(size=x.size).astype(x.dtype) for _ in range(EXTRA.get(function, 0))))


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
@pytest.mark.parametrize("function", sorted(SLOPES))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kernels(kernel: Any, function: str, dtype: str) -> None:
    rng = np.random.default_rng(0)
    d = np.dtype(dtype)
    # More than a block, so that every block is seen.
    x = np.concatenate([KINKS, FAR, [np.nan], 3 * rng.normal(size=(1 << 15) + 7)]).astype(d)
    given = constants(function, x, rng)
    dy = rng.normal(size=x.size).astype(d)
    dy[1::3][:20] = np.nan  # at kinks and far away, too
    p = ElementwiseProblem(function, PARAMETERS.get(function, ()), x.size, d, d, "backward")
    reason = kernel.reject(p)
    if reason is not None:
        assert kernel.backend != "numpy", reason
        pytest.skip(reason)
    want = np.empty(x.size)
    REFERENCE.prepare(p, given, 1)(dy, want)
    got = np.full(x.size, 7, d)
    kernel.prepare(p, given, 2)(dy, got)
    scale = np.abs(np.nan_to_num(dy)) * np.maximum(np.abs(given[1]) if len(given) > 1 and function == "glu" else 1, 1)
    scale = scale * np.maximum(np.abs(np.nan_to_num(x)), 1) if function == "prelu_weight" else scale
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    fine = ~np.isnan(want)
    assert (np.abs(got - want)[fine] <= (4 * kernel.error(p) * scale + 1e-37)[fine]).all()


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_differences(name: str, backend: str) -> None:
    rng = np.random.default_rng(1)
    x = 2.1 * rng.normal(size=(3, 4, 5))
    for kink in KINKS:
        x[np.abs(x - kink) < 1e-3] += 0.01
    params = PARAMETERS[name] if name == "threshold" else ()
    forward, gradient = getattr(F, name), getattr(F.grad, name)
    check_gradients(
        lambda x: forward(x, *params), lambda dy, x: gradient(dy, x, *params, backend=backend), (x,), rtol=1e-6
    )


def test_other_parameters() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=50) * 3
    cases: list[tuple[str, tuple[Any, ...]]] = [
        ("leaky_relu", (0.3,)), ("elu", (0.7,)), ("celu", (1.7,)), ("softplus", (2.0, 3.0)), ("hardtanh", (-0.4, 2.2)),
        ("hardshrink", (1.1,)), ("softshrink", (1.1,)), ("gelu", ("tanh",)), ("threshold", (-0.3, 4.0)),
    ]  # fmt: skip
    for name, params in cases:
        forward, gradient = getattr(F, name), getattr(F.grad, name)
        check_gradients(lambda x: forward(x, *params), lambda dy, x: gradient(dy, x, *params), (x,), rtol=2e-6)  # noqa: B023


# Where torch's formula gives NaN or loses digits: the limit is known, and ours is that.
@pytest.mark.parametrize("name", UNARY)
def test_torch_at_kinks_and_far_out(name: str) -> None:
    torch = pytest.importorskip("torch")
    params = PARAMETERS[name] if name == "threshold" else ()
    function: Callable[..., Any] = getattr(torch.nn.functional, name, None) or getattr(torch, name)
    for dtype in (np.float32, np.float64):
        x = np.array([*KINKS, *FAR, np.nan, *np.linspace(-7, 7, 57)], dtype)
        dy = np.linspace(-1, 2, x.size).astype(dtype)
        t = torch.tensor(x, requires_grad=True)
        function(t, *params).backward(torch.tensor(dy))
        got = getattr(F.grad, name)(dy, x, *params)
        tolerance = 3e-6 if dtype is np.float32 else 1e-13
        if name == "hardsigmoid":
            tolerance = 3e-8 if dtype is np.float64 else tolerance  # torch rounds 1/6 to float32 first
        np.testing.assert_allclose(got, t.grad.numpy(), rtol=tolerance, atol=tolerance, err_msg=name)


# One rule: constant pieces give 0, elsewhere the product with the slope that the dtype has.
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
@pytest.mark.parametrize("function", [*sorted(SLOPES), "gelu_tanh"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_infinite_gradients(kernel: Any, function: str, dtype: str) -> None:
    rng, d = np.random.default_rng(12), np.dtype(dtype)
    name, params = (function, PARAMETERS.get(function, ())) if function != "gelu_tanh" else ("gelu", (1.0,))
    x = np.concatenate([KINKS, FAR, [-np.inf, np.inf, np.nan], 300 * rng.normal(size=300), rng.normal(size=30)])
    given = constants(name, x.astype(d), rng)
    if name == "prelu":
        given[1][::5] = 0
    p = ElementwiseProblem(name, params, x.size, d, d, "backward")
    if kernel.reject(p) is not None:
        pytest.skip(kernel.reject(p))
    want, slope, got = np.empty(x.size), np.empty(x.size), np.empty(x.size, d)
    REFERENCE.prepare(p, given, 1)(np.ones(x.size), slope)
    sure = (slope.astype(d) == 0) | ~(np.abs(slope) < 64 * np.finfo(d).smallest_normal)
    for value in (np.inf, -np.inf, np.nan):
        dy = np.full(x.size, value, d)
        REFERENCE.prepare(p, given, 1)(dy, want)
        kernel.prepare(p, given, 1)(dy, got)
        np.testing.assert_array_equal(got[sure], want[sure])
        assert not np.isfinite(got[~sure]).any()


def test_an_infinite_gradient_times_a_slope_that_underflows_is_not_a_number() -> None:
    for name in ("sigmoid", "tanh", "gelu", "silu", "mish", "elu", "softplus"):
        for backend in ("auto", "numpy", "reference"):
            got = getattr(F.grad, name)(np.array([np.inf, 2], "f"), np.array([-500, -500], "f"), backend=backend)
            np.testing.assert_array_equal(got, np.array([np.nan, 0], "f"), err_msg=f"{name} {backend}")


def test_flat_parts_stop_infinite_gradients() -> None:
    for name in ("relu", "relu6", "hardtanh", "hardswish", "hardsigmoid", "hardshrink", "softshrink"):
        x = np.array([-9.0 if "shrink" not in name else 0.1])
        np.testing.assert_array_equal(getattr(F.grad, name)([np.inf], x), [0.0])


SLOPES_AT_INFINITY: dict[str, tuple[float, float]] = {  # at minus infinity and at infinity, with PARAMETERS
    "relu": (0, 1), "relu6": (0, 0), "leaky_relu": (0.01, 1), "elu": (0, 1), "selu": (0, 1.0507009873554805),
    "celu": (0, 1), "gelu": (0, 1), "silu": (0, 1), "mish": (0, 1), "sigmoid": (0, 0), "logsigmoid": (1, 0),
    "tanh": (0, 0), "softplus": (0, 1), "softsign": (0, 0), "hardtanh": (0, 0), "hardswish": (0, 1),
    "hardsigmoid": (0, 0), "hardshrink": (1, 1), "softshrink": (1, 1), "tanhshrink": (1, 1), "threshold": (0, 1),
}  # fmt: skip


@pytest.mark.parametrize("function", [*UNARY, "gelu_tanh"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kernel", kernels("elementwise_backward"), ids=lambda k: k.name)
def test_limits_at_infinity(kernel: Any, function: str, dtype: str) -> None:
    d = np.dtype(dtype)
    name, params = (function, PARAMETERS.get(function, ())) if function != "gelu_tanh" else ("gelu", (1.0,))
    x = np.tile(np.array([-np.inf, np.inf, -np.finfo(d).max, np.finfo(d).max], d), 9)
    p = ElementwiseProblem(name, params, x.size, d, d, "backward")
    if kernel.reject(p) is not None:
        pytest.skip(kernel.reject(p))
    out = np.empty_like(x)
    kernel.prepare(p, (x,), 1)(np.full_like(x, 2), out)
    want = 2 * np.tile(np.array(SLOPES_AT_INFINITY[name] * 2), 9)
    np.testing.assert_allclose(out, want, rtol=1e-6 if d.itemsize == 4 else 1e-14)


def test_clamp() -> None:
    rng = np.random.default_rng(3)
    x, low, high = rng.normal(size=(4, 5)), rng.normal(size=(1, 5)) - 0.7, rng.normal(size=(4, 1)) + 0.7
    check_gradients(F.clamp, F.grad.clamp, (x, low, high), rtol=1e-7)
    np.testing.assert_array_equal(F.grad.clamp([1.0, 2.0, 3.0], [0.0, 0.5, 1.0], 0, 1), [1, 2, 3])
    np.testing.assert_array_equal(F.grad.clamp([1.0, 2.0], [0.0, 5.0], max=1), [1, 0])
    dx, dmin = F.grad.clamp([1.0, 2.0], [0.0, 5.0], np.array(1.0))
    np.testing.assert_array_equal(dx, [0, 2])
    assert dmin == 1
    assert dmin.shape == ()


def test_clamp_against_torch() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(4)
    x = rng.integers(-2, 3, 200).astype("d")
    low, high = rng.integers(-2, 3, 200).astype("d"), rng.integers(-2, 3, 200).astype("d")
    dy = rng.normal(size=200)
    tensors = [torch.tensor(v, requires_grad=True) for v in (x, low, high)]
    torch.clamp(*tensors).backward(torch.tensor(dy))
    for got, t in zip(F.grad.clamp(dy, x, low, high), tensors, strict=True):
        np.testing.assert_array_equal(got, t.grad.numpy())


@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4), (6,), ()])
@pytest.mark.parametrize("single", [False, True])
def test_prelu(shape: tuple[int, ...], single: bool) -> None:
    rng = np.random.default_rng(5)
    w = rng.normal(size=(1,) if single or len(shape) < 2 else (shape[1],))
    check_gradients(F.prelu, F.grad.prelu, (rng.normal(size=shape), w), rtol=1e-8)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_glu(dim: int) -> None:
    x = np.random.default_rng(6).normal(size=(4, 6, 2))
    check_gradients(lambda x: F.glu(x, dim), lambda dy, x: F.grad.glu(dy, x, dim), (x,), rtol=1e-7)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_softmax(name: str, dim: int, backend: str) -> None:
    x = np.random.default_rng(7).normal(size=(3, 4, 5))
    forward, gradient = getattr(F, name), getattr(F.grad, name)
    check_gradients(lambda x: forward(x, dim), lambda dy, x: gradient(dy, x, dim, backend=backend), (x,), rtol=1e-6)
    wide = gradient(np.ones((3, 4, 5)), x.astype("f"), dim, np.float64)
    assert wide.dtype == np.float32


@pytest.mark.parametrize("kernel", [k for k in kernels("softmax_backward") if k.backend != "reference"], ids=str)
@pytest.mark.parametrize("kind", ["softmax", "log_softmax", "softmin"])
def test_softmax_kernels(kernel: Any, kind: str) -> None:
    rng = np.random.default_rng(8)
    for shape in ((1, 7, 1), (400, 100, 1), (3, 5, 4), (0, 4, 2), (2, 40000, 1)):
        p = SoftmaxProblem(kind, *shape, np.dtype("f"), "backward")
        x, dy = (rng.normal(size=shape).astype("f") * 4 for _ in range(2))
        want, got = np.empty(shape), np.full(shape, 7, "f")
        if shape[1] < 1000:
            kernels("softmax_backward")[-1].prepare(p, (x,), 1)(dy, want)
            kernel.prepare(p, (x,), 1)(dy, got)
            np.testing.assert_allclose(got, want, rtol=0, atol=8 * kernel.error(p) * np.abs(dy).max(initial=1))
        else:  # a vector longer than a block: gradients along it add up to 0 where its values are a distribution
            kernel.prepare(p, (x,), 1)(dy, got)
            assert np.abs(got.sum(1)).max() < 1e-2 * np.abs(got).sum(1).max()


def test_softmax_of_huge_scores() -> None:
    x = np.array([[1e4, 0.0, -1e4], [-1e30, 1e30, 0.0]])
    for name in ("softmax", "log_softmax", "softmin"):
        assert np.isfinite(getattr(F.grad, name)(np.ones_like(x), x, 1)).all()


def test_signatures_are_those_of_the_activations() -> None:
    for name in UNARY:
        ours = inspect.signature(getattr(F.grad, name)).parameters
        theirs = [p for p in inspect.signature(getattr(F, name)).parameters if p != "out"]
        assert next(iter(ours)) == "dy"
        assert [p for p in ours if p not in ("dy", "need")] == theirs
        assert name in getattr(F.grad, name).__doc__


def test_arguments_by_place_by_name_and_by_default() -> None:
    dy, x = np.ones(3), np.array([-2.0, 0.5, 9.0])
    np.testing.assert_array_equal(F.grad.elu(dy, x), F.grad.elu(dy, x, 1.0))
    np.testing.assert_array_equal(F.grad.elu(dy, x, 2.0, False), F.grad.elu(input=x, dy=dy, alpha=2.0))
    np.testing.assert_array_equal(F.grad.threshold(dy, x, 1, 0), F.grad.threshold(dy, x, value=0, threshold=1))
    np.testing.assert_array_equal(F.grad.softplus(dy, x, 2.0), F.grad.softplus(dy, x, beta=2.0, threshold=20.0))
    with pytest.raises(TypeError, match="too many positional arguments"):
        F.grad.elu(dy, x, 2.0, False, 1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'beta'"):
        F.grad.elu(dy, x, beta=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="missing a required argument: 'value'"):
        F.grad.threshold(dy, x, 1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"relu\(\) missing 1 required positional argument: 'input'"):
        F.grad.relu(dy)  # type: ignore[call-arg]


def test_errors() -> None:
    with pytest.raises(F.ShapeError, match=r"dy has shape \(2,\); it must be \(3,\), that of the result of relu"):
        F.grad.relu(np.ones(2), np.ones(3))
    with pytest.raises(F.DTypeError, match="input has dtype int64; gradients are defined for float32 and float64"):
        F.grad.relu(np.ones(3), np.arange(3))
    with pytest.raises(ValueError, match="approximate must be 'none' or 'tanh', got 'erf'"):
        F.grad.gelu(np.ones(3), np.ones(3), "erf")
    with pytest.raises(ValueError, match="inplace must be False"):
        F.grad.relu(np.ones(3), np.ones(3), True)
    with pytest.raises(TypeError, match="alpha must be a number"):
        F.grad.elu(np.ones(3), np.ones(3), "a")
    with pytest.raises(ValueError, match="min_val must not exceed max_val"):
        F.grad.hardtanh(np.ones(3), np.ones(3), 1, -1)
    with pytest.raises(TypeError, match="missing a required argument: 'threshold'"):
        F.grad.threshold(np.ones(3), np.ones(3))
    with pytest.raises(IndexError, match="dim must be between -1 and 0"):
        F.grad.softmax(np.ones(3), np.ones(3), 1)
    assert F.grad.relu(np.ones(3), np.ones(3), need=(False,)) is None


def test_plans_and_empty_arrays() -> None:
    x = np.array([-1.0, 2.0, 3.0], "f")
    run = F.plan(F.grad.relu, F.Spec((3,)), x)
    np.testing.assert_array_equal(run(np.array([5, 6, 7], "f")), [0, 6, 7])
    assert F.grad.silu(np.ones((0, 3)), np.ones((0, 3))).shape == (0, 3)
    assert F.grad.softmax(np.ones((0, 3)), np.ones((0, 3)), 1).shape == (0, 3)
    with pytest.raises(F.UnsupportedError, match="two kernels and cannot be planned"):
        F.plan(F.grad.linear, np.ones((2, 4)), np.ones((2, 3)), np.ones((4, 3)), activation="relu",
               need=(True, False, False))  # fmt: skip


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d", "linear", "gemm"])
def test_gradients_through_a_fused_activation_obey_options(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from fastconv.ops.grad import activation as module

    rng = np.random.default_rng(7)
    x, w = (rng.normal(size=s) for s in (((1, 3, 6, 6), (3, 3, 3, 3)) if "conv" in name else ((4, 3), (3, 3))))
    y = getattr(F, name)(x, w, activation="gelu")
    seen = []
    honest = module.elementwise
    monkeypatch.setattr(module, "elementwise", lambda *args: seen.append(args[-1]) or honest(*args))
    got = getattr(F.grad, name)(np.ones_like(y), x, w, activation="gelu", backend="reference", threads=3)
    assert [(one.backend, one.threads) for one in seen] == [("reference", 3)]
    want = getattr(F.grad, name)(np.ones_like(y), x, w, activation="gelu")
    np.testing.assert_allclose(got[0], want[0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bounds", [(-1, 1), (None, 0.5), (-0.25, None), (1, -1), (-np.inf, 1e30), (float("nan"), 1)])
def test_clamp_between_numbers(dtype: str, bounds: tuple[Any, Any]) -> None:
    torch = pytest.importorskip("torch")
    x = np.array([*KINKS, *FAR, np.nan, np.inf, -np.inf] * 40).astype(dtype)
    dy = np.random.default_rng(3).normal(size=x.size).astype(dtype)
    dy[::7] = np.inf
    t = torch.tensor(x, requires_grad=True)
    torch.clamp(t, *bounds).backward(torch.tensor(dy))
    for backend in ("auto", "numpy", "reference"):
        np.testing.assert_array_equal(F.grad.clamp(dy, x, *bounds, backend=backend), t.grad.numpy())
    both = np.stack([x, x])[:, ::-1]
    np.testing.assert_array_equal(F.grad.clamp(np.stack([dy, dy])[:, ::-1], both, *bounds)[1, ::-1], t.grad.numpy())
