"""A `Spec` has a shape and no values: it makes plans, and is refused wherever values are needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastconv as F

X, DY = np.ones((1, 2, 4, 4), "f"), np.ones((1, 3, 4, 4), "f")
W, B = np.ones((3, 2, 1, 1), "f"), np.ones(3, "f")
A = np.ones((4, 4), "f")
AT = np.zeros((1, 2, 2, 2), np.int64)
UNARY = ("celu", "elu", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "logsigmoid",
         "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softshrink", "softsign", "tanh",
         "tanhshrink")  # fmt: skip

# Each operation with its arrays and the rest of its arguments.
CALLS: list[tuple[str, tuple[Any, ...], tuple[Any, ...]]] = [
    ("conv1d", (X[0, :, 0], W[..., 0], B), ()),
    ("conv2d", (X, W, B), ()),
    ("conv3d", (X[0, :, None], W[..., None], B), ()),
    ("conv_transpose2d", (X, W.swapaxes(0, 1), B), ()),
    ("gemm", (A, A, A), ()),
    ("matmul", (A, A), ()),
    ("linear", (A, A, A[0]), ()),
    *((f"{kind}_pool2d", (X,), args) for kind, args in (("max", (2,)), ("avg", (2,)), ("lp", (2, 2)))),
    *((f"adaptive_{kind}_pool2d", (X,), (2,)) for kind in ("max", "avg")),
    ("global_max_pool", (X,), ()),
    ("global_avg_pool", (X,), ()),
    ("max_unpool2d", (AT.astype("f"), AT), (2,)),
    *((name, (A,), ()) for name in UNARY),
    ("threshold", (A,), (0.0, 1.0)),
    ("clamp", (A, A, A), ()),
    ("prelu", (A, A[0]), ()),
    *((name, (A,), (1,)) for name in ("softmax", "log_softmax", "softmin")),
    ("cross_entropy", (A, np.zeros(4, np.int64), A[0]), ()),
    ("nll_loss", (A, np.zeros(4, np.int64), A[0]), ()),
    ("flatten", (A,), ()),
    ("pad", (A,), ((1, 1),)),
    ("unfold", (X,), (2,)),
    ("fold", (np.ones((1, 4, 9), "f"),), (4, 2)),
]


def spec(a: np.ndarray) -> F.Spec:
    return F.Spec(a.shape, a.dtype)


@pytest.mark.parametrize(("name", "arrays", "rest"), CALLS, ids=[c[0] for c in CALLS])
def test_values_are_needed(name: str, arrays: tuple[Any, ...], rest: tuple[Any, ...]) -> None:
    function = getattr(F, name)
    function(*arrays, *rest)
    for i in range(len(arrays)):
        given = [spec(a) if i == j else a for j, a in enumerate(arrays)]
        with pytest.raises(TypeError, match="is a Spec, but its values are needed: pass an array"):
            function(*given, *rest)
        if i:
            with pytest.raises(TypeError, match="is a Spec, but its values are needed"):
                F.plan(function, *given, *rest)


def test_a_plan_takes_one_as_first_argument_by_place_and_by_name() -> None:
    for run in (F.plan(F.conv2d, spec(X), W, B), F.plan(F.conv2d, input=spec(X), weight=W, bias=B)):
        np.testing.assert_array_equal(run(X), F.conv2d(X, W, B))
    np.testing.assert_array_equal(F.plan(F.gemm, a=spec(A), b=A)(A), A @ A)
    with pytest.raises(TypeError, match="is a Spec, but its values are needed"):
        F.plan(F.conv2d, weight=spec(W), input=X)
    with pytest.raises(TypeError, match="input is a Spec, but its values are needed"):
        F.plan(F.grad.relu, dy=spec(A), input=spec(A))
    with pytest.raises(TypeError, match="input is a Spec, but its values are needed"):
        F.plan(F.relu, A)(spec(A))


def test_gradients_take_one_where_only_its_shape_matters() -> None:
    need = [tuple(i == j for j in range(3)) for i in range(3)]
    dx, dw, db = F.grad.conv2d(DY, X, W, B)
    np.testing.assert_array_equal(F.grad.conv2d(DY, spec(X), W, spec(B), need=need[0])[0], dx)
    np.testing.assert_array_equal(F.grad.conv2d(DY, X, spec(W), spec(B), need=need[1])[1], dw)
    np.testing.assert_array_equal(F.grad.conv2d(DY, spec(X), spec(W), spec(B), need=need[2])[2], db)
    np.testing.assert_array_equal(F.grad.avg_pool2d(AT.astype("f") + 1, spec(X), 2), np.full(X.shape, 0.25))
    for call in (
        lambda: F.grad.conv2d(DY, spec(X), W, B, need=need[1]),
        lambda: F.grad.conv2d(DY, X, spec(W), B, need=need[0]),
        lambda: F.grad.conv2d(DY, spec(X), W, B, need=need[0], activation="relu"),
        lambda: F.grad.conv2d(spec(DY), X, W),
        lambda: F.grad.linear(A, spec(A), A),
        lambda: F.grad.gemm(A, spec(A), A),
        lambda: F.grad.relu(A, spec(A)),
        lambda: F.grad.max_pool2d(AT.astype("f"), spec(X), 2),
        lambda: F.grad.cross_entropy(1.0, spec(A), np.zeros(4, np.int64)),
    ):
        with pytest.raises(TypeError, match="is a Spec, but its values are needed"):
            call()


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        (F.Spec((2, -1)), F.ShapeError, r"input is a Spec of shape \(2, -1\); extents must be at least 0"),
        (F.Spec((2**40, 2**40)), F.ShapeError, "no array can be as large as that"),
        (F.Spec((2, 1.5)), TypeError, "a shape is a tuple of ints"),  # type: ignore[arg-type]
        (F.Spec("abc"), TypeError, "a shape is a tuple of ints"),  # type: ignore[arg-type]
        (F.Spec((2,), object), F.DTypeError, "input has dtype object; numbers are needed"),
    ],
)
def test_what_no_array_can_be(wrong: F.Spec, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.plan(F.relu, wrong)
