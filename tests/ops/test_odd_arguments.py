"""Odd values for every argument of every operation: a result, or one short error of ours that says what was wrong."""

from __future__ import annotations

import inspect
import linecache
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv import DTypeError, ShapeError
from fastconv.core.errors import shown
from fastconv.core.problems.base import joint_shape

pytestmark = pytest.mark.one_isa  # nothing here depends on the instruction set

HERE = Path(F.__file__).parent
ALLOWED = (TypeError, ValueError, OverflowError, MemoryError, NotImplementedError, IndexError)  # dim= raises the last

X = np.linspace(-1, 1, 2 * 4 * 6 * 6, dtype="f").reshape(2, 4, 6, 6)
W = np.linspace(-1, 1, 6 * 4 * 3 * 3, dtype="f").reshape(6, 4, 3, 3)
V, POSITIONS = F.max_pool2d(X, 2, return_indices=True)
LONGEST = 1000  # characters of an error: shapes of 40 axes take their place
CALLS: dict[str, dict[str, Any]] = {
    "conv2d": {"input": X, "weight": W, "bias": np.ones(6, "f"), "stride": 1, "padding": 1, "dilation": 1, "groups": 1,
               "padding_mode": "zeros", "layout": "NCHW", "activation": "relu"},
    "conv_transpose2d": {"input": X, "weight": W.swapaxes(0, 1), "bias": None, "stride": 2, "padding": 1,
                         "output_padding": 1, "groups": 1, "dilation": 1},
    "max_pool2d": {"input": X, "kernel_size": 2, "stride": 2, "padding": 0, "dilation": 1, "ceil_mode": False,
                   "return_indices": True},
    "avg_pool2d": {"input": X, "kernel_size": 2, "stride": 2, "padding": 1, "ceil_mode": False,
                   "count_include_pad": True, "divisor_override": None},
    "lp_pool2d": {"input": X, "norm_type": 2.0, "kernel_size": 2, "stride": None, "ceil_mode": False},
    "adaptive_max_pool2d": {"input": X, "output_size": 3, "return_indices": False},
    "adaptive_avg_pool2d": {"input": X, "output_size": (3, None)},
    "max_unpool2d": {"input": V, "indices": POSITIONS, "kernel_size": 2, "stride": 2, "padding": 0,
                     "output_size": None},
    "gemm": {"a": X[0, 0, :3], "b": X[0, 0, :, :5], "c": X[0, 1, :3, :5], "alpha": 1.0, "beta": 1.0, "trans_a": False,
             "trans_b": False, "bias": None, "activation": None},
    "matmul": {"a": X[0, 0, :3], "b": X[0, 0]},
    "linear": {"input": X[0, 0, :3], "weight": X[0, 0, :5], "bias": np.ones(5, "f")},
    "relu": {"input": X, "inplace": False},
    "gelu": {"input": X, "approximate": "none"},
    "hardtanh": {"input": X, "min_val": -1.0, "max_val": 1.0},
    "clamp": {"input": X, "min": 0.0, "max": None},
    "prelu": {"input": X, "weight": np.ones(4, "f")},
    "glu": {"input": X, "dim": 1},
    "softmax": {"input": X, "dim": 1},
    "cross_entropy": {"input": X[0, 0], "target": np.arange(6), "weight": None, "ignore_index": -100,
                      "reduction": "mean", "label_smoothing": 0.0},
    "nll_loss": {"input": X[0, 0], "target": np.arange(6), "weight": np.ones(6, "f"), "reduction": "sum"},
    "flatten": {"input": X, "start_dim": 0, "end_dim": -1},
    "pad": {"input": X, "pad": (1, 1), "mode": "constant", "value": 0.0},
    "unfold": {"input": X, "kernel_size": 2, "dilation": 1, "padding": 0, "stride": 1},
    "fold": {"input": np.ones((1, 8, 9), "f"), "output_size": (4, 4), "kernel_size": 2, "dilation": 1, "padding": 0,
             "stride": 1},
}  # fmt: skip
OPTIONS: dict[str, Any] = {
    "backend": "auto", "algorithm": "auto", "threads": 1, "tol": None, "max_workspace": None, "need": None, "out": None,
}  # fmt: skip
NUMBERS = [
    None, True, np.True_, 0, -1, 2, 2**31, 2**64, -(10**400), 10**5000, 1.5, float("nan"), float("inf"), 1j, "a", "",
    b"x", "reflect", (), [], (1, 2, 3, 4, 5, 6, 7), [[1], [2, 3]], ((1,), (2,)), {}, {1: 2}, np.int8(2), np.uint64(2),
    np.float32(1), np.complex64(1), np.array(2), np.array([2]), np.array([2, 2]), np.array([]), np.array(None),
    np.ones((60, 60)), np.ma.masked, object(), int, slice(1, 2), ..., F.Spec((2, 2)), np.timedelta64(1), (None, 1),
    (True, True), (1,) * 10_000,
]  # fmt: skip


class Sub(np.ndarray):
    """A subclass that changes nothing."""


def odd_arrays(a: np.ndarray) -> Iterator[Any]:
    yield from (None, True, 3, 1j, "a", b"abcd", (), {}, object(), int, F.Spec(a.shape), np.array(None), np.array("a"))
    yield from (np.zeros(0), np.ma.masked_array(a), [10**400], [2**64], [None], [[1], [2, 3]], a.tolist(), a.view(Sub))
    yield a.astype(a.dtype.newbyteorder())
    for dtype in "?bBlLefdgFGO":
        with np.errstate(all="ignore"):
            yield a.astype(dtype)
    for dtype in ("S4", "U4", "V4", "M8[s]", "m8[s]", [("a", "f4"), ("b", "i4")]):
        yield np.zeros(a.shape, dtype)  # type: ignore[call-overload]
    yield from (a[..., ::-1], a[..., :0], a[:0], a[0], a[None], a[None, None, None, None], a.reshape(-1), a.T)
    yield np.ones((1,) * 40, "f")
    yield np.broadcast_to(a.ravel()[:1].reshape((1,) * a.ndim), a.shape)
    yield memoryview(np.ascontiguousarray(a))


def odd_outs(y: np.ndarray) -> Iterator[Any]:
    still = y.copy()
    still.flags.writeable = False
    yield from (1, "a", [], (), [y], (y,), (y, y), (y, None), y.tolist(), y.astype("d"))
    yield from (y.astype(y.dtype.newbyteorder()), y.astype(object), still, y[None], y.T, np.ma.masked_array(y))
    yield from (F.Spec(y.shape), memoryview(y), object())


def fault(call: Callable[..., Any], kwargs: dict[str, Any]) -> str | None:
    """What is wrong with the answer, if that is neither a result nor a good error."""
    try:
        call(**kwargs)
    except Exception as e:
        text, frame = str(e), traceback.extract_tb(e.__traceback__)[-1]
        where = f"{type(e).__name__} of {Path(frame.filename).name}:{frame.lineno}: {text:.200}"
        if not isinstance(e, ALLOWED):
            return f"foreign type: {where}"
        line = linecache.getline(frame.filename, frame.lineno or 0)
        ours = Path(frame.filename).is_relative_to(HERE) and "raise" in line
        if not (ours or isinstance(e, MemoryError)):
            return f"not raised by fastconv: {where}"
        if text.count("\n") >= 5 or len(text) > LONGEST:
            return f"{len(text)} characters: {where}"
    return None


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("door", ["forward", "gradient", "plan"])
def test_odd_arguments(name: str, door: str) -> None:
    base, forward = CALLS[name], getattr(F, name)
    call = forward
    if door == "gradient":
        call, y = getattr(F.grad, name), forward(**base)
        base = {"dy": np.asarray(y[0] if isinstance(y, tuple) else y), **base}
    elif door == "plan":
        first = next(iter(base))

        def call(**kwargs: Any) -> Any:
            return F.plan(forward, **kwargs)(kwargs[first])

    names = inspect.signature(getattr(F.grad, name) if door == "gradient" else forward).parameters
    faults = []
    for argument, usual in {**base, **{k: v for k, v in OPTIONS.items() if k in names}}.items():
        odd: Any = odd_arrays(usual) if isinstance(usual, np.ndarray) and usual.ndim else NUMBERS
        if argument == "out":
            y = forward(**base)
            odd = odd_outs(np.asarray(y[0] if isinstance(y, tuple) else y))
        for value in odd:
            what = fault(call, {**base, argument: value})
            if what is not None:
                faults.append(f"{argument}={shown(value)}: {what}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: F.conv2d(X, W, stride=10**400), ShapeError, "stride must be from .* to .*, got <an int of 1329 bits>"),
        (lambda: F.conv2d(X, W, padding=[[1], [2, 3]]), ValueError, r"padding must have 2 \(lo, hi\) pairs"),
        (lambda: F.conv2d(X, W, stride=np.ones((9, 9))), TypeError, "stride must be an int, got "),
        (lambda: F.conv2d(X, W, threads=np.array([2])), TypeError, "threads must be an int from 1 to 1024"),
        (lambda: F.conv2d(X, W, tol=10**400), ValueError, "tol must fit float64"),
        (lambda: F.conv2d(X, W, tol=True), TypeError, "tol must be a number, got True"),
        (lambda: F.conv2d(X, W, layout=np.arange(2)), ValueError, "layout must be one of NCHW, NHWC"),
        (lambda: F.conv2d(X, W, backend=np.arange(2)), ValueError, "backend must be one of"),
        (lambda: F.gelu(X, approximate=np.arange(2)), ValueError, "approximate must be 'none' or 'tanh'"),
        (lambda: F.glu(X, dim=1.5), TypeError, "dim must be an int, got 1.5"),
        (lambda: F.gemm(X, X, alpha=[]), TypeError, r"alpha must be a number, got \[\]"),
        (lambda: F.gemm(X, X, alpha=np.timedelta64(1)), TypeError, "alpha must be a number"),
        (lambda: F.gemm(np.eye(2, dtype=int), np.eye(2, dtype=int), alpha=float("inf")), DTypeError,
         "alpha must be a whole number"),
        (lambda: F.gemm(np.eye(2), np.eye(2), np.ones((1,) * 40)), ShapeError, "c has shape .* does not broadcast"),
        (lambda: F.pad(X, (1, 1), mode=[]), TypeError, "mode must be a str"),
        (lambda: F.pad(X, (1, 1), value=[]), TypeError, "value must be a number"),
        (lambda: F.pad(X, (1, 1), value=10**400), ValueError, "value must fit float32"),
        (lambda: F.pad(X, (1, 10**400)), ShapeError, "pad must be from"),
        (lambda: F.cross_entropy(X[0, 0], np.arange(6), reduction=[]), TypeError, "reduction must be a str"),
        (lambda: F.cross_entropy(X[0, 0], np.arange(6), ignore_index=2**63), ValueError,
         "ignore_index must fit 64 bits"),
        (lambda: F.fold(np.ones((1, 1, 1)), (1,) * 40, 1), ShapeError, "at most 31 ints, got 40"),
        (lambda: F.global_avg_pool(X, out=(X,) * 2), TypeError, "out must be an array, got a tuple of 2"),
        (lambda: F.plan(F.plan, F.conv2d, X, W), TypeError, "plan needs one of fastconv's operations, got <function"),
        (lambda: F.plan("conv2d", X, W), TypeError, "plan needs one of fastconv's operations, got 'conv2d'"),
        (lambda: F.plan(F.relu, F.Spec((2, 2), True)), DTypeError, "dtype of input must be a dtype, got True"),
        (lambda: F.plan(F.relu, F.Spec((np.timedelta64(1),))), TypeError, "a shape is a tuple of ints"),
        (lambda: F.softmax(X, 1, dtype={1: 2}), DTypeError, "dtype must be a dtype, got {1: 2}"),
        (lambda: F.grad.softmax(X, X, 1, dtype=3), DTypeError, "dtype must be a dtype, got 3"),
        (lambda: F.compare(F.relu, X, peers=None), ValueError, "peers must be among .*, got None"),
        (lambda: F.compare(F.relu, X, peers=[[1]]), ValueError, r"peers must be among .*, got \[1\]"),
        (lambda: F.plan(F.conv2d, X, W, out=X), TypeError, "a plan takes out= where it is called"),
        (lambda: F.options().__exit__(None, None, None), RuntimeError, "had not been entered"),
    ],
)  # fmt: skip
def test_texts(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_numbers_of_numpy_are_numbers() -> None:
    assert F.conv2d(X, W, tol=np.float32(1e-3), threads=np.int64(2)).shape == (2, 6, 4, 4)
    assert np.array_equal(F.gemm(X, X, alpha=np.float32(2)), F.gemm(X, X, alpha=2))
    da, want = (F.grad.gemm(np.ones((6, 6), "f"), X[0, 0], X[0, 1], trans_a=flag)[0] for flag in (np.True_, True))
    assert np.array_equal(da, want)


def test_one_bias_for_all_outputs_has_one_gradient() -> None:
    dy = np.ones((3, 5), "f")
    for bias in (np.float32(0), np.zeros(1, "f")):
        db = F.grad.linear(dy, X[0, 0, :3], X[0, 0, :5], bias)[2]
        assert db.shape == np.shape(bias)
        assert db.sum() == 15


def test_joint_shape() -> None:
    assert joint_shape((2, 1, 3), (4, 1)) == np.broadcast_shapes((2, 1, 3), (4, 1))
    assert joint_shape((0,), (1,)) == (0,)
    assert joint_shape((2,), (3,)) is None
    assert joint_shape((), (1,) * 40) == (1,) * 40
