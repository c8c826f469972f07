"""Activations and softmax: every kernel against its definition, torch where installed, extreme arguments, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.core.problems.activation import FUSED, elementwise_problem
from fastconv.core.problems.loss import LossProblem
from fastconv.core.problems.softmax import KINDS, SoftmaxProblem, softmax_problem
from fastconv.dispatch.registry import kernels

EXTREME = np.array([0.0, -0.0, 1e-30, -1e-30, 0.46875, 0.5, -0.5, 1, -1, 3, -3, 4, -4, 6, 19.9, 20.1, -20, 30, -30, 88,
                    -88, 104, -104, 709, -709, 1e4, -1e4, np.inf, -np.inf, np.nan])  # fmt: skip
X = np.concatenate([EXTREME, np.random.default_rng(0).normal(size=200) * 4])

PARAMS: dict[str, tuple[float, ...]] = {
    "leaky_relu": (0.2,), "elu": (0.7,), "celu": (1.3,), "gelu": (0.0,), "softplus": (1.5, 10.0),
    "hardtanh": (-2.0, 0.5), "hardshrink": (0.7,), "softshrink": (0.3,), "threshold": (0.1, -7.0),
}  # fmt: skip
FUNCTIONS = [*FUSED, "threshold"]
TORCH_ARGS: dict[str, tuple[Any, ...]] = {**PARAMS, "gelu": ("none",)}


def run(kernel: Any, problem: Any, x: np.ndarray, constants: tuple[Any, ...] = ()) -> np.ndarray:
    y = np.full(problem.results[0][0], 7).astype(problem.results[0][1])
    kernel.prepare(problem, constants, 1)(x, y)
    return y


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("kernel", kernels("elementwise"), ids=lambda k: k.name)
def test_kernels_against_the_definition(kernel: Any, function: str) -> None:
    for count in (*range(1, 40), X.size):  # every remainder of a vector
        p = elementwise_problem(function, PARAMS.get(function, ()), count, np.dtype(np.float64))
        reason = kernel.reject(p)
        if reason is not None:
            assert function != "relu" or kernel.backend == "cython", reason
            pytest.skip(reason)
        x = X[-count:]
        want = run(kernels("elementwise")[-1], p, x)
        got = run(kernel, p, x)
        np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-15)
        assert np.isnan(got[np.isnan(x)]).all()


@pytest.mark.parametrize("kernel", kernels("elementwise"), ids=lambda k: k.name)
def test_large_integers_keep_all_their_digits(kernel: Any) -> None:
    p = elementwise_problem("relu", (), 2, np.dtype(np.int64))
    if kernel.reject(p) is not None:
        pytest.skip(kernel.reject(p))
    np.testing.assert_array_equal(run(kernel, p, np.array([2**63 - 1, -1])), [2**63 - 1, 0])


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_against_torch(function: str, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    finite = X[np.isfinite(X) & (np.abs(X) < 6e4)].astype(dtype)
    args = TORCH_ARGS.get(function, ())
    kwargs = {"approximate": args[0]} if function == "gelu" else {}
    # In float64: torch's own float32 cancels in the tail of gelu.
    wide = torch.tensor(finite.astype(np.float64))
    want = getattr(torch.nn.functional, function)(wide, *(() if kwargs else args), **kwargs).numpy().astype(dtype)
    got = getattr(F, function)(finite, *args)
    assert got.dtype == want.dtype and got.shape == want.shape
    tol = {"float16": 2e-3, "float32": 2e-6, "float64": 1e-13}[dtype]
    np.testing.assert_allclose(got.astype(float), want.astype(float), rtol=tol, atol=tol / 10)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_default_parameters_are_torchs(function: str) -> None:
    torch = pytest.importorskip("torch")
    if function == "threshold":
        pytest.skip("has no defaults")
    x = np.linspace(-5, 25, 61)
    np.testing.assert_allclose(getattr(F, function)(x), getattr(torch.nn.functional, function)(torch.tensor(x)).numpy(),
                               rtol=1e-12, atol=1e-14)  # fmt: skip


def test_gelu_tanh_and_erf() -> None:
    special = pytest.importorskip("scipy.special")
    x = np.linspace(-12, 12, 4001)
    np.testing.assert_allclose(F.gelu(x), x * special.ndtr(x), rtol=2e-13, atol=1e-300)
    inner = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
    np.testing.assert_allclose(F.gelu(x, "tanh"), 0.5 * x * (1 + np.tanh(inner)), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("function", "x", "dtype"),
    [("relu", "int32", "int32"), ("relu6", "uint8", "uint8"), ("hardtanh", "int64", "int64"),
     ("sigmoid", "int64", "float32"), ("tanh", "bool", "float32"), ("softsign", "int8", "float32"),
     ("sigmoid", "complex64", "complex64"),
     ("relu", "float16", "float16")],
)  # fmt: skip
def test_dtypes(function: str, x: str, dtype: str) -> None:
    a = np.array([0, 1, 3, 5]).astype(x)
    got = getattr(F, function)(a)
    assert got.dtype == dtype
    wide = a.astype(complex if "complex" in x else float)
    np.testing.assert_allclose(got, getattr(F, function)(wide), rtol=1e-3)


def test_bfloat16_is_rounded_once() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = np.linspace(-6, 6, 99).astype(ml_dtypes.bfloat16)
    got = F.silu(x)
    assert got.dtype == ml_dtypes.bfloat16
    want = F.silu(x.astype(np.float32)).astype(ml_dtypes.bfloat16)
    np.testing.assert_array_equal(got.astype(np.float32), want.astype(np.float32))


def test_large_arrays_go_block_by_block() -> None:
    x = np.random.default_rng(1).normal(size=(3, 50_001)).astype("f")
    np.testing.assert_array_equal(F.silu(x), np.stack([F.silu(row) for row in x]))
    np.testing.assert_array_equal(F.silu(x[:, ::-2]), F.silu(np.ascontiguousarray(x[:, ::-2])))


def test_prelu() -> None:
    x = np.random.default_rng(2).normal(size=(2, 3, 4, 5))
    w = np.array([0.1, 0.2, 0.3])
    np.testing.assert_array_equal(F.prelu(x, w), np.where(x > 0, x, x * w[:, None, None]))
    np.testing.assert_array_equal(F.prelu(x, w[:1]), np.where(x > 0, x, x * 0.1))
    np.testing.assert_array_equal(F.prelu(np.float64(-2), w[:1]), -0.2)
    for backend in ("reference", "numpy"):
        np.testing.assert_array_equal(F.prelu(x, w, backend=backend), F.prelu(x, w))
    for _ in range(5):  # later calls are remembered
        np.testing.assert_array_equal(F.prelu(x[:, :, 0, 0], w), np.where(x > 0, x, x * w[:, None, None])[:, :, 0, 0])
    for wrong, error in ((w[:2], F.ShapeError), (w[None], F.ShapeError), (w.astype("f"), F.DTypeError)):
        with pytest.raises(error, match="weight"):
            F.prelu(x, wrong)


def test_glu() -> None:
    x = np.random.default_rng(3).normal(size=(4, 6, 8))
    for dim in (0, 1, 2, -1, -3):
        first, second = np.split(x, 2, dim)
        for backend in ("auto", "reference"):
            np.testing.assert_allclose(F.glu(x, dim, backend=backend), first / (1 + np.exp(-second)), rtol=1e-12)
    with pytest.raises(F.ShapeError, match="extent 3 along dim 0; it must be even"):
        F.glu(x[:3], 0)
    with pytest.raises(IndexError, match="dim must be between -3 and 2, got 3"):
        F.glu(x, 3)


def test_clamp() -> None:
    x = np.array([-3.0, np.nan, 0.5, 9.0])
    np.testing.assert_array_equal(F.clamp(x, 0, 1), [0, np.nan, 0.5, 1])
    np.testing.assert_array_equal(F.clamp(x, max=1), [-3, np.nan, 0.5, 1])
    np.testing.assert_array_equal(F.clamp(x, 2, 1), [1, np.nan, 1, 1])
    np.testing.assert_array_equal(F.clamp(x, np.zeros((2, 1)), None), np.maximum(x, np.zeros((2, 1))))
    assert F.clamp(np.arange(5), 1, 3).dtype == np.int64
    np.testing.assert_array_equal(F.clamp(np.arange(5), 1, 3, backend="reference"), [1, 1, 2, 3, 3])
    with pytest.raises(ValueError, match="at least one of min and max"):
        F.clamp(x)
    with pytest.raises(F.ShapeError, match="min has shape"):
        F.clamp(x, np.zeros(3))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: F.relu(X, inplace=True), ValueError, "inplace must be False: inputs are never written; pass out=x"),
        (lambda: F.relu(X, inplace=1), TypeError, "inplace must be a bool"),
        (lambda: F.relu(X.astype(complex)), F.DTypeError, "input has dtype complex128; allowed are float16"),
        (lambda: F.elu(np.arange(3)), F.DTypeError, "input has dtype int64"),
        (lambda: F.hardtanh(X, 1, -1), ValueError, "min_val must not exceed max_val, got 1.0 and -1.0"),
        (lambda: F.softshrink(X, -1), ValueError, "lambd must be at least 0, got -1"),
        (lambda: F.celu(X, 0), ValueError, "alpha must not be 0"),
        (lambda: F.gelu(X, "fast"), ValueError, "approximate must be 'none' or 'tanh', got 'fast'"),
        (lambda: F.leaky_relu(X, "0.1"), TypeError, "negative_slope must be a number"),
        (lambda: F.relu(X, out=np.empty(3)), F.ShapeError, "out has shape"),
        (lambda: F.softmax(X, 1), IndexError, "dim must be between -1 and 0, got 1"),
        (lambda: F.softmax(X, None), TypeError, "dim must be an int, got None"),
        (lambda: F.softmax(np.arange(3), 0), F.DTypeError, "input has dtype int64"),
    ],
)  # fmt: skip
def test_refusals(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text) as caught:
        call()
    assert type(caught.value) is error


def test_out_may_be_the_input() -> None:
    x = X.copy()
    assert F.relu(x, out=x) is x
    np.testing.assert_array_equal(x, F.relu(X))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kernel", kernels("softmax"), ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_softmax_kernels(kernel: Any, kind: str, dtype: str) -> None:
    rng = np.random.default_rng(4)
    for shape, dim in [((7,), 0), ((3, 5), 0), ((3, 5), 1), ((2, 3, 4), 1), ((2, 0), 1), ((0, 3), 1), ((50, 3000), 1)]:
        p = softmax_problem(kind, shape, np.dtype(dtype), dim, None)
        if kernel.reject(p) is not None:
            pytest.skip(kernel.reject(p))
        x = (rng.normal(size=(p.outer, p.length, p.inner)) * 9).astype(dtype)
        z = x.astype(float) * (-1 if kind == "softmin" else 1)
        shifted = z - z.max(1, keepdims=True, initial=-np.inf) if z.size else z
        logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True)) if z.size else z
        want = logs if kind == "log_softmax" else np.exp(logs)
        tol = {"float16": 2e-3, "float32": 3e-6, "float64": 1e-13}[dtype]
        np.testing.assert_allclose(run(kernel, p, x).astype(float), want, rtol=tol, atol=tol)


def test_softmax_of_huge_values_and_dtype() -> None:
    np.testing.assert_array_equal(F.softmax([1e4, -1e4], 0), [1, 0])
    np.testing.assert_array_equal(F.log_softmax([1e4, -1e4], 0), [0, -2e4])
    got = F.softmax(np.arange(3), 0, dtype=np.float32)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got.sum(), 1, rtol=1e-6)
    assert F.softmax(np.float64(3), 0) == 1.0
    np.testing.assert_allclose(F.softmin(np.arange(3.0), 0), F.softmax(-np.arange(3.0), 0), rtol=1e-15)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("backend", ["numpy", "reference"])
def test_softmax_of_complex_numbers(dtype: str, backend: str) -> None:
    rng = np.random.default_rng(5)
    x = (rng.normal(size=(3, 5, 2)) + 1j * rng.normal(size=(3, 5, 2))).astype(dtype)
    e = np.exp(x.astype(complex))
    want = e / e.sum(1, keepdims=True)
    tol = 1e-6 if dtype == "complex64" else 1e-14
    np.testing.assert_allclose(F.softmax(x, 1, backend=backend), want, rtol=tol, atol=tol)
    np.testing.assert_allclose(F.softmin(-x, 1, backend=backend), want, rtol=tol, atol=tol)
    np.testing.assert_allclose(np.exp(F.log_softmax(x, 1, backend=backend)), want, rtol=tol, atol=tol)
    assert F.softmax(x, 1).dtype == dtype
    # The largest real part is what overflows.
    large = np.array([1e4 + 1j, -1e4 + 9e9j], dtype)
    np.testing.assert_allclose(F.softmax(large, 0, backend=backend), [1, 0], atol=tol)
    np.testing.assert_allclose(F.softmax(np.arange(3), 0, dtype=dtype), F.softmax(np.arange(3.0), 0), rtol=tol)
    with pytest.raises(F.DTypeError, match="imaginary"):
        F.softmax(x, 1, dtype=np.float32)


@pytest.mark.parametrize("op", ["softmax", "softmax_backward", "loss", "loss_backward"])
def test_scratch_of_long_and_wide_vectors(op: str) -> None:
    (kernel,) = (k for k in kernels(op) if k.backend == "numpy" and k.algorithm != "picked")  # its samples count
    for outer, length, inner in ((1, 21, 1 << 18), (8, 1000, 3136), (1, 1 << 18, 1), (1, 2, 1 << 26), (1 << 26, 2, 1)):
        direction = "backward" if op.endswith("backward") else "forward"
        if op.startswith("softmax"):
            p: Any = SoftmaxProblem("softmax", outer, length, inner, np.dtype(np.float32), direction)
        else:
            p = LossProblem(
                outer, length, inner, True, False, False, -100, "mean", 0.0, np.dtype(np.float32), direction
            )
        assert kernel.workspace(p) < 10 << 20


LIMITS: dict[str, tuple[float, float]] = {  # at minus infinity and at infinity, with the parameters of PARAMS
    "relu": (0, np.inf), "relu6": (0, 6), "leaky_relu": (-np.inf, np.inf), "elu": (-0.7, np.inf),
    "selu": (-1.7580993408473766, np.inf), "celu": (-1.3, np.inf), "gelu": (0, np.inf), "silu": (0, np.inf),
    "mish": (0, np.inf), "sigmoid": (0, 1), "logsigmoid": (-np.inf, 0), "tanh": (-1, 1), "softplus": (0, np.inf),
    "softsign": (-1, 1), "hardtanh": (-2, 0.5), "hardswish": (0, np.inf), "hardsigmoid": (0, 1),
    "hardshrink": (-np.inf, np.inf), "softshrink": (-np.inf, np.inf), "tanhshrink": (-np.inf, np.inf),
    "threshold": (-7, np.inf),
}  # fmt: skip


@pytest.mark.parametrize("function", [*FUNCTIONS, "gelu_tanh"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("kernel", kernels("elementwise"), ids=lambda k: k.name)
def test_limits_at_infinity(kernel: Any, function: str, dtype: str) -> None:
    d = np.dtype(pytest.importorskip("ml_dtypes").bfloat16 if dtype == "bfloat16" else dtype)
    name, params = (function, PARAMS.get(function, ())) if function != "gelu_tanh" else ("gelu", (1.0,))
    x = np.array([-np.inf, np.inf, np.nan, *(np.finfo("f4").max * np.array([-1, 1]))])
    with np.errstate(over="ignore"):
        x = np.tile(x, 7).astype(d)
    p = elementwise_problem(name, params, x.size, d)
    if kernel.reject(p) is not None:
        pytest.skip(kernel.reject(p))
    y = run(kernel, p, x).astype(float)
    low, high = LIMITS[name]
    tol = {"float16": 1e-3, "bfloat16": 1e-2, "float32": 1e-6, "float64": 1e-14}[dtype]
    np.testing.assert_allclose(y[::5], low, rtol=tol)
    np.testing.assert_allclose(y[1::5], high, rtol=tol)
    assert np.isnan(y[2::5]).all()
    for i, limit in ((3, low), (4, high)):  # the largest numbers act like infinity
        if np.isfinite(limit):
            np.testing.assert_allclose(y[i::5], limit, rtol=tol)


@pytest.mark.parametrize("backend", ["cython", "numpy"])
def test_limits_of_fused_activations(backend: str) -> None:
    x = np.array([[[-np.inf, np.inf]]], "f")
    for name in FUSED:
        if name in PARAMS and name != "gelu":
            continue
        got = F.conv1d(x, np.ones((1, 1, 1), "f"), activation=name, backend=backend)
        np.testing.assert_allclose(got[0, 0], LIMITS[name], rtol=1e-6, err_msg=name)


def test_clamp_promotes_by_kind() -> None:
    """Numbers, and arrays without axes, matter only if they are of a higher kind."""
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    cases: list[tuple[Any, Any, Any]] = [
        ("f4", 2, "f4"), ("f4", 2.5, "f4"), ("f4", np.int32(2), "f4"), ("f4", np.array(2, "i4"), "f4"),
        ("f4", np.array(2.0), "f4"), ("f4", np.float64(2), "f4"), ("f4", np.array([2], "i4"), "f8"),
        ("f4", np.array([2.0]), "f8"), ("f2", np.array(2, "f4"), "f2"), ("i4", np.int64(2), "i4"),
        ("i4", np.array([2], "i8"), "i8"), ("i4", 2.5, "f8"), ("u1", 300, "u1"), ("i4", 2**40, "i4"),
        (bfloat16, 2, bfloat16), (bfloat16, 2.5, bfloat16), (bfloat16, np.float32(2), bfloat16),
        (bfloat16, np.array(2, "i4"), bfloat16), (bfloat16, np.array([2], "i4"), bfloat16),
        (bfloat16, np.array([2], "f4"), "f4"),
    ]  # fmt: skip
    for dtype, bound, result in cases:
        got = F.clamp(np.array([1, 5]).astype(dtype), max=bound)
        assert got.dtype == result, (dtype, bound)
        want = np.minimum([1, 5], float(np.ravel(bound)[0]))
        np.testing.assert_array_equal(got.astype(float), want, err_msg=str(bound))
    x = np.array([1, 5], np.uint8)
    np.testing.assert_array_equal(F.clamp(x, -3, 300), x)  # bounds that no value reaches
    with pytest.raises(OverflowError, match="max is -1, which uint8 cannot hold"):
        F.clamp(x, max=-1)
    with pytest.raises(OverflowError, match="min is 256, which uint8 cannot hold"):
        F.clamp(x, np.array(256))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "int8", "uint8", "uint64"])
def test_clamp_between_numbers(dtype: str) -> None:
    """Numbers and arrays of them give the same, bit for bit, on every backend; inputs may have any strides."""
    rng = np.random.default_rng(9)
    whole = rng.integers(0, 100, (40, 6, 50)).astype(dtype)
    if whole.dtype.kind == "f":
        whole[rng.random(whole.shape) < 0.1] = np.nan
        whole[rng.random(whole.shape) < 0.1] = np.inf
        whole[rng.random(whole.shape) < 0.1] = -np.inf
    pairs: list[tuple[Any, Any]] = [(3, 50), (None, 40), (7, None), (50, 3), (0, 0)]
    if whole.dtype.kind == "f":
        pairs += [(-0.1, 33.3), (-np.inf, np.inf), (1e300, None), (None, np.nan)]
    for x in (whole, whole[::2, :, ::-1], whole.T, whole[:0], whole[3, 2, 1]):
        for low, high in pairs:
            with np.errstate(all="ignore"):
                want = x if low is None else np.maximum(x, np.asarray(low).astype(dtype))
                want = want if high is None else np.minimum(want, np.asarray(high).astype(dtype))
                arrays = [None if b is None else np.asarray(b).astype(dtype) for b in (low, high)]
            for backend in ("auto", "numpy", "reference"):
                got = F.clamp(x[:2] if x.ndim and backend == "reference" else x, low, high, backend=backend)
                np.testing.assert_array_equal(got, want[:2] if x.ndim and backend == "reference" else want)
                assert got.dtype == x.dtype
            np.testing.assert_array_equal(F.clamp(x, *arrays), want)
            out = np.empty_like(x)
            assert F.clamp(x, low, high, out=out) is out
            np.testing.assert_array_equal(out, want)


def test_clamp_keeps_large_integers() -> None:
    x = np.array([2**53 + 1, -(2**63), 2**63 - 1])
    for backend in ("auto", "reference"):
        np.testing.assert_array_equal(F.clamp(x, -(2**53) - 1, 2**62 + 1, backend=backend),
                                      [2**53 + 1, -(2**53) - 1, 2**62 + 1])  # fmt: skip
        np.testing.assert_array_equal(F.clamp(x, max=2**53 + 1, backend=backend), [2**53 + 1, -(2**63), 2**53 + 1])
    np.testing.assert_array_equal(F.clamp(np.array([2**64 - 1], np.uint64), 1), np.array([2**64 - 1], np.uint64))
    assert F.clamp(np.arange(3), 0.5).dtype == np.float64
