"""Error messages name what the user probably meant."""

import sys

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.numba import base
from fastconv.dispatch.plan import clear_cache

pytestmark = pytest.mark.one_isa

X, W = np.ones((1, 8, 9, 3), "f"), np.ones((4, 3, 3, 3), "f")


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda: F.conv2d(X, W), 'if channels are its last axis: layout="NHWC"'),
        (lambda: F.conv2d(X[0], W), 'if channels are its last axis: layout="NHWC"'),
        (lambda: F.conv_transpose2d(X, W[:3]), 'if channels are its last axis: layout="NHWC"'),
        (lambda: F.conv2d(np.moveaxis(X, 3, 1), W, layout="NHWC"), 'before height and width: layout="NCHW"'),
        (lambda: F.conv2d(X, W, layout="nhwc"), "did you mean 'NHWC'?"),
        (lambda: F.max_pool2d(X, 2, layout="channels_last"), "did you mean 'NHWC'?"),
        (lambda: F.conv2d(X, W, layout="NHWC", activation="ReLU"), "did you mean 'relu'?"),
        (lambda: F.conv2d(X, W, layout="NHWC", padding_mode="zero"), "did you mean 'zeros'?"),
        (lambda: F.pad(X, (1, 1), mode="Reflect"), "did you mean 'reflect'?"),
        (lambda: F.conv2d(X, W, layout="NHWC", backend="Numpy"), "did you mean 'numpy'?"),
        (lambda: F.plan("conv2d", X, W), "the function itself, as fastconv.conv2d"),
        (lambda: F.plan("conv2", X, W), "the function itself, as fastconv.conv2d"),
        (lambda: F.compare(F.relu, X, peers="Scipy"), "did you mean 'scipy'?"),
        (lambda: F.softmax(X, -1, dtype="floa32"), "did you mean 'float32'?"),
    ],
)
def test_hints(call, hint):
    with pytest.raises((ValueError, TypeError)) as e:
        call()
    assert str(e.value).endswith(hint)


def test_nothing_is_suggested_where_nothing_is_near():
    with pytest.raises(ValueError, match=r"got 'linear'$"):
        F.conv2d(X, W, layout="NHWC", padding_mode="linear")


def test_one_peer_may_stand_alone():
    found = F.compare(F.relu, F.Spec((9,)), peers="numpy", seconds=0.001, rounds=1)
    assert [r.name for r in found.rows if r.kind == "peer"] == ["numpy"]


def test_a_missing_backend_is_named_with_its_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    base.missing_numba.cache_clear()
    clear_cache()
    try:
        with pytest.raises(F.UnsupportedError) as e:
            F.conv2d(X, W, layout="NHWC", backend="numba")
    finally:
        base.missing_numba.cache_clear()
        clear_cache()
    first = "backend='numba' was asked for, but numba is not installed: pip install 'fastconv[numba]'"
    assert str(e.value).splitlines()[0] == first
