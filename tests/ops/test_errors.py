"""Every refusal of convolutions, matrix products and options: the type, and a text that names the argument."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv import DTypeError, ShapeError, UnsupportedError

X, W, B = np.ones((2, 4, 8, 8), "f"), np.ones((6, 4, 3, 3), "f"), np.ones(6, "f")
V = np.ones((4, 6, 3, 3), "f")  # of the transposed convolution


def test_the_types_are_what_people_catch() -> None:
    assert issubclass(ShapeError, ValueError)
    assert issubclass(DTypeError, TypeError)
    assert issubclass(UnsupportedError, NotImplementedError)


@pytest.mark.parametrize(
    ("args", "kwargs", "error", "text"),
    [
        ((X[0, 0], W), {}, ShapeError, r"input must have shape \(N, C, H, W\) or \(C, H, W\), got \(8, 8\)"),
        ((X[None], W), {}, ShapeError, "input must have shape"),
        ((X, W[0]), {}, ShapeError, r"weight must have 4 axes .* got shape \(4, 3, 3\)"),
        ((X, W[:, :3]), {}, ShapeError, "input must have 3 channels; it has 4"),
        ((X, W), {"groups": 3}, ShapeError, "input has 4 channels, which 3 groups do not divide"),
        ((X, np.ones((5, 2, 3, 3), "f")), {"groups": 2}, ShapeError, "5 output channels, which 2 groups do not divide"),
        ((X, W, np.ones(5, "f")), {}, ShapeError, r"bias has shape \(5,\); it must be \(6,\)"),
        ((X, W, np.ones((6, 1), "f")), {}, ShapeError, "bias has shape"),
        ((X[..., :2], W), {}, ShapeError, "output width would be 0: input has width 2"),
        ((X[..., :2, :], W), {"dilation": 4}, ShapeError, r"output height would be -6: .*kernel 3, dilation 4"),
        ((X[:, :, :0], W), {"padding": 3}, ShapeError, "only the batch and the channels may be empty"),
        ((X, W[..., :0]), {}, ShapeError, "every kernel extent must be at least 1"),
        ((X, W), {"stride": 0}, ValueError, "stride must be at least 1, got 0"),
        ((X, W), {"stride": -1}, ValueError, "stride must be at least 1"),
        ((X, W), {"stride": (1, 2, 3)}, ValueError, r"stride must be an int or 2 ints, got \(1, 2, 3\)"),
        ((X, W), {"stride": 1.5}, TypeError, "stride must be an int, got 1.5 of type float"),
        ((X, W), {"stride": 2.0}, TypeError, "stride must be an int"),
        ((X, W), {"stride": True}, TypeError, "stride must be an int"),
        ((X, W), {"stride": "2"}, TypeError, "stride must be an int"),
        ((X, W), {"stride": None}, TypeError, "stride must be an int"),
        ((X, W), {"dilation": 0}, ValueError, "dilation must be at least 1"),
        ((X, W), {"groups": 0}, ValueError, "groups must be at least 1"),
        ((X, W), {"groups": 1.0}, TypeError, "groups must be an int"),
        ((X, W), {"padding": -1}, ValueError, "padding must be at least 0, got -1"),
        ((X, W), {"padding": "some"}, ValueError, "padding must be an int, .* 'same', .* got 'some'"),
        ((X, W), {"padding": [(1, 1)]}, ValueError, r"padding must have 2 \(lo, hi\) pairs"),
        ((X, W), {"padding": 1.0}, TypeError, "padding must be an int"),
        ((X, W), {"padding_mode": "mirror"}, ValueError, "padding_mode must be one of zeros, .* got 'mirror'"),
        ((X, W), {"padding": 8, "padding_mode": "reflect"}, ShapeError,
         "too large for padding_mode 'reflect': at most 7"),
        ((X, W), {"padding": 9, "padding_mode": "circular"}, ShapeError, "at most 8"),
        ((X, W), {"layout": "CHWN"}, ValueError, "layout must be one of NCHW, NHWC, got 'CHWN'"),
        ((X, W), {"activation": "rellu"}, ValueError, "activation must be None or one of relu, .* got 'rellu'"),
        ((X.astype(complex), W), {"activation": "relu"}, DTypeError,
         "activation 'relu' has no meaning for dtype complex"),
        ((X.astype(bool), W), {}, DTypeError, "input has dtype bool; allowed are float16"),
        ((X.astype(object), W), {}, DTypeError, "input has dtype object"),
        ((X, W.astype("U3")), {}, DTypeError, "weight has dtype <U3"),
        ((X, W, B.astype(complex)), {}, DTypeError,
         "bias has dtype complex128, which cannot be added to sums of float32"),
        ((None, W), {}, TypeError, "input must be an array, got None"),
        ((X, "weights"), {}, TypeError, "weight must be an array, got 'weights'"),
        (([[1, 2], [3]], W), {}, TypeError, "input is not a rectangular array"),
        ((np.ma.masked_array(X), W), {}, TypeError, "input is a masked array"),
        ((X, W), {"out": np.empty((2, 6, 6, 5), "f")}, ShapeError, r"out has shape \(2, 6, 6, 5\); the result has"),
        ((X, W), {"out": np.empty((2, 6, 6, 6))}, DTypeError, "out has dtype float64; the result has float32"),
        ((X, W), {"out": [1]}, TypeError, "out must be a NumPy array, got list"),
        ((X, W), {"out": np.broadcast_to(np.float32(0), (2, 6, 6, 6))}, ValueError, "out is read-only"),
        ((X, W), {"backend": "cuda"}, ValueError,
         "backend must be one of auto, cython, numba, numpy, reference, got 'cuda'"),
        ((X, W), {"threads": 0}, ValueError, "threads must be from 1 to 1024, got 0"),
        ((X, W), {"threads": 1.5}, TypeError, "threads must be an int from 1 to 1024 or None, got 1.5"),
        ((X, W), {"tol": -1}, ValueError, "tol must be a number of at least 0"),
        ((X, W), {"max_workspace": -1}, ValueError, "max_workspace must be at least 0 bytes"),
        ((X, W), {"algorithm": 3}, TypeError, "algorithm must be a str"),
        ((X, W), {"padding": [[1, 2], [3]]}, ValueError, r"padding must have 2 \(lo, hi\) pairs"),
        ((X, W), {"padding": [1, [2, 3]]}, ValueError, r"padding must have 2 \(lo, hi\) pairs"),
        ((X, W), {"padding_mode": ["zeros"]}, TypeError, "padding_mode must be a str, got .* of type list"),
        ((X, W), {"activation": ["relu"]}, TypeError, "activation must be a str, got .* of type list"),
    ],
)  # fmt: skip
def test_conv2d_refuses(args: tuple[Any, ...], kwargs: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text) as caught:
        F.conv2d(*args, **kwargs)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("args", "kwargs", "error", "text"),
    [
        ((X, V[:3]), {}, ShapeError, "input must have 3 channels; it has 4"),
        ((X, V[0]), {}, ShapeError, "weight must have 4 axes"),
        ((X, V), {"groups": 3}, ShapeError, "3 groups do not divide"),
        ((X, V, np.ones(4, "f")), {}, ShapeError, r"bias has shape \(4,\); it must be \(6,\)"),
        ((X, V), {"output_padding": 1}, ValueError, "output_padding must be smaller than stride or dilation"),
        ((X, V), {"output_padding": -1}, ValueError, "output_padding must be at least 0"),
        ((X, V), {"padding": 5}, ShapeError, "output height would be 0"),
        ((X, V), {"padding": "same"}, ValueError, "padding of a transposed convolution"),
        ((X, V), {"padding_mode": "reflect"}, ValueError, "padding_mode of a transposed convolution must be 'zeros'"),
        ((X, V), {"stride": 0}, ValueError, "stride must be at least 1"),
    ],
)
def test_conv_transpose2d_refuses(
    args: tuple[Any, ...], kwargs: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text) as caught:
        F.conv_transpose2d(*args, **kwargs)
    assert type(caught.value) is error


A = np.ones((3, 4))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: F.matmul(A, A), ShapeError,
         r"a of shape \(3, 4\) and b of shape \(3, 4\) do not multiply: 4 columns, 3 rows"),
        (lambda: F.matmul(1.0, A), ShapeError, "a must have at least 1 axis"),
        (lambda: F.matmul(np.ones((2, 3, 4)), np.ones((5, 4, 2))), ShapeError, "batch axes of a .* do not broadcast"),
        (lambda: F.gemm(A, A), ShapeError, "do not multiply"),
        (lambda: F.gemm(A[0], A), ShapeError, "a must have at least 2 axes"),
        (lambda: F.gemm(A, A.T, np.ones((2, 2))), ShapeError,
         r"c has shape \(2, 2\), which does not broadcast to \(3, 3\)"),
        (lambda: F.gemm(A, A.T, bias=np.ones(4)), ShapeError, r"bias has shape \(4,\); it must be \(3,\)"),
        (lambda: F.gemm(A, A.T, alpha="2"), TypeError, "alpha must be a number"),
        (lambda: F.gemm(A, A.T, alpha=1j), DTypeError, "alpha is complex"),
        (lambda: F.gemm(A.astype(int), A.T.astype(int), alpha=0.5), DTypeError, "alpha must be a whole number"),
        (lambda: F.gemm(A, A.T, trans_a=1), TypeError, "trans_a must be a bool"),
        (lambda: F.linear(A, np.ones((2, 3))), ShapeError, "input has 4 features .* weight 3"),
        (lambda: F.linear(A, np.ones((2, 2, 4))), ShapeError, "weight must have shape"),
        (lambda: F.linear(A, np.ones((2, 4)), np.ones((2, 1))), ShapeError, "bias has shape"),
        (lambda: F.linear(1.0, A), ShapeError, "input must have at least 1 axis"),
        (lambda: F.matmul(A.astype(bool), A.T), DTypeError, "a has dtype bool"),
    ],
)  # fmt: skip
def test_products_refuse(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text) as caught:
        call()
    assert type(caught.value) is error


def test_equal_arguments_of_the_wrong_type_do_not_slip_through_the_cache() -> None:
    F.conv2d(X, W, stride=2)
    for wrong in (2.0, np.float64(2)):
        with pytest.raises(TypeError, match="stride must be an int"):
            F.conv2d(X, W, stride=wrong)
    F.conv2d(X, W, groups=1)
    with pytest.raises(TypeError, match="groups must be an int"):
        F.conv2d(X, W, groups=True)


@pytest.mark.parametrize("excess", [2**31, 2**40, 2**62, 10**30])
def test_steps_beyond_the_input_do_not_matter(excess: int) -> None:
    plan = F.plan(F.conv2d, X, W, stride=excess)
    assert plan.problem == F.plan(F.conv2d, X, W, stride=X.shape[-1]).problem
    np.testing.assert_array_equal(plan(X), F.conv2d(X, W)[..., :1, :1])
    one = np.ones((2, X.shape[1], 1, 1), "f")
    np.testing.assert_array_equal(F.conv2d(X, one, dilation=excess), F.conv2d(X, one))


def test_sizes_that_overflow_are_refused() -> None:
    x = np.broadcast_to(np.float32(1), (2**20, 1, 2**20, 2**20))
    with pytest.raises(ShapeError, match=r"at most .* can be addressed"):
        F.conv2d(x, np.ones((2**10, 1, 1, 1), "f"))
    with pytest.raises(ShapeError, match="can be addressed"):
        F.matmul(np.broadcast_to(1.0, (2**40, 1)), np.broadcast_to(1.0, (1, 2**40)))


def refused(call) -> str:
    """The text of an UnsupportedError, which is short."""
    with pytest.raises(UnsupportedError) as caught:
        call()
    text = str(caught.value)
    assert len(text.splitlines()) <= 5 and len(text) < 1000
    return text


@pytest.mark.parametrize(
    ("name", "near"),
    [("winnograd", "near matches: winograd"), ("im2cool", "near matches: im2col"),
     ("cython.direct@avx9", "near matches: cython.direct@avx2, cython.direct@avx512"), ("", "explain() shows")],
)  # fmt: skip
def test_unknown_algorithms_are_refused_with_their_near_matches(name: str, near: str) -> None:
    def options() -> None:
        with F.options(algorithm=name):
            pass

    for call in (lambda: F.conv2d(X, W, algorithm=name), options):
        text = refused(call)
        assert f"algorithm {name!r} is the name of no algorithm and of no kernel" in text and near in text


def test_refusals_tell_what_was_asked_why_not_and_what_would_do() -> None:
    text = refused(lambda: F.max_pool2d(X, 2, algorithm="winograd"))
    assert "no kernel can do this: pool, result (2, 4, 1, 4, 4) of float32, algorithm='winograd'" in text
    assert "why not: pool has no algorithm 'winograd', only channels, " in text
    assert "what would do: algorithm='direct', " in text and "explain() shows what every kernel says" in text
    text = refused(lambda: F.conv2d(X, W, algorithm="im2col", backend="numba"))
    assert "why not: conv of backend 'numba' has no algorithm 'im2col', only depthwise, direct, " in text
    assert "what would do: algorithm='direct'; or backend='numpy'" in text
    text = refused(lambda: F.conv2d(X.astype("D"), W, backend="cython"))
    assert "why not: dtype complex128: float32 and float64 only" in text and "what would do: backend='numpy'" in text
    text = refused(lambda: F.relu(X, backend="numba"))
    assert "why not: elementwise has no kernels of backend 'numba', only cython, numpy, reference" in text
    text = refused(lambda: F.conv2d(X, W, backend="cython", max_workspace=1))
    assert "exceeds max_workspace 1" in text and "a larger max_workspace: " in text
    text = refused(lambda: F.conv2d(X, W, algorithm="winograd", backend="numba", max_workspace=0))
    assert "what would do: algorithm=" in text or "none of these options: " in text


def test_without_numba_the_refusal_says_how_to_install_it(monkeypatch) -> None:
    base = importlib.import_module("fastconv.backends.numba.base")
    monkeypatch.setattr(base, "missing_numba", lambda: "numba is not installed: pip install 'fastconv[numba]'")
    x = np.ones((1, 4, 13, 17), "f")  # not planned before
    text = refused(lambda: F.conv2d(x, W, backend="numba"))
    assert "asked for, but numba is not installed: pip install 'fastconv[numba]'" in text and "backend='cython'" in text


def test_kernels_may_be_asked_for_by_their_full_names() -> None:
    compiled = F.plan(F.conv2d, X, W, algorithm="direct", backend="cython").kernel
    for name in ("numpy.im2col", "reference.definition", compiled):
        assert F.plan(F.conv2d, X, W, algorithm=name).kernel == name
    with F.options(algorithm="numpy.im2col"):
        assert F.plan(F.conv2d, X, W).kernel == "numpy.im2col"
    text = refused(lambda: F.conv2d(X, W, algorithm="cython.direct@portable", backend="numpy"))
    assert "conv of backend 'numpy' has no algorithm 'cython.direct@portable'" in text


def test_workspace_limit_is_obeyed() -> None:
    with pytest.raises(UnsupportedError, match="exceeds max_workspace 10"):
        F.conv2d(X, W, max_workspace=10, backend="numpy")
    F.conv2d(X, W, max_workspace=64 << 20, backend="numpy")


def test_missing_extra_names_the_command() -> None:
    from fastconv.core.errors import missing_extra

    assert str(missing_extra("matplotlib", "plot", "A picture")) == (
        "A picture needs matplotlib, which is not installed: pip install 'fastconv[plot]'"
    )
