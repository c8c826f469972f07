"""Transposed convolution by adding windows or taps, on every stride, padding and dilation, against unreadable pages."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.numpy.conv import col2im as conv_col2im
from fastconv.backends.numpy.conv import scatter as conv_scatter
from tests.guard import guarded, guarded_copy
from tests.wide import half

pytestmark = pytest.mark.one_isa  # says nothing about instruction sets

NAME = "numpy.scatter_transposed"
DTYPES = ("float32", "float64", "complex64", "complex128", "int8", "uint64")
RNG = np.random.default_rng(0)
FUNCTIONS = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def name(a: np.ndarray) -> str:
    """The kernel for arrays of the dtype of this one."""
    return "numpy.col2im_transposed" if a.dtype.kind in "iu" else NAME


def values(dtype: str, *shape: int) -> np.ndarray:
    """Small whole numbers: their sums are exact in every order."""
    found = RNG.integers(0 if dtype.startswith("u") else -4, 5, shape).astype(dtype)
    return found + 1j * RNG.integers(-4, 5, shape) if dtype.startswith("complex") else found


def check(x: np.ndarray, w: np.ndarray, bias: np.ndarray | None = None, **kwargs: Any) -> None:
    """The bits of the oracle, with both ends of every array guarded."""
    function, want = FUNCTIONS[x.ndim - 2], None
    for at in ("start", "end"):
        held = (guarded_copy(a, at) if a is not None else None for a in (w, bias))
        plan = F.plan(function, x, *held, **kwargs)
        if want is None:
            want = plan.with_kernel("reference.definition")(x)
        out = guarded(want.shape, want.dtype, at)
        assert plan.with_kernel(name(x))(guarded_copy(x, at), out=out) is out
        assert out.dtype == want.dtype and np.array_equal(out, want), kwargs


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("stride", [1, 2, 3, 5, (1, 4), (4, 1)])
def test_strides_paddings_dilations_and_groups(stride: Any, dtype: str) -> None:
    for padding, dilation, groups in half((0, 1, (2, 0)), (1, 2, (3, 1)), (1, 2), first=DTYPES.index(dtype)):
        x, w = values(dtype, 2, 4, 4, 5), values(dtype, 4, 3, 3, 2)
        pads, taps = np.broadcast_to(padding, 2), (np.array((3, 2)) - 1) * np.broadcast_to(dilation, 2)
        if ((np.array((3, 4)) * np.broadcast_to(stride, 2) + taps + 1 - 2 * pads) < 1).any():
            continue
        check(x, w, values(dtype, 3 * groups), stride=stride, padding=padding, dilation=dilation, groups=groups)


@pytest.mark.parametrize("output_padding", [0, 1, 2, (0, 2), (2, 1)])
def test_outputs_behind_the_last_window(output_padding: Any) -> None:
    for padding in (0, 1, 2):
        check(values("float32", 1, 2, 3, 4), values("float32", 2, 3, 3, 3), stride=3, padding=padding,
              output_padding=output_padding)  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rank", [1, 3])
def test_signals_and_volumes(rank: int, dtype: str) -> None:
    for stride, padding, groups in half((1, 2, 4), (0, 1), (1, 3), first=DTYPES.index(dtype)):
        x, w = values(dtype, 2, 3, *(5, 3, 4)[-rank:]), values(dtype, 3, 2, *(2, 3, 4)[-rank:])
        check(x, w, stride=stride, padding=padding, groups=groups)


def test_windows_that_are_wholly_cut_off() -> None:
    """Padding may be larger than a dilated kernel, so that the first and the last pixels reach no output."""
    check(values("float32", 1, 2, 8, 9), values("float32", 2, 2, 2, 2), padding=3)
    check(values("float32", 1, 1, 9), values("float32", 1, 1, 1), stride=2, padding=5)


@pytest.mark.parametrize("dtype", ["float32", "int16"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_layouts_and_views(layout: str, dtype: str) -> None:
    x = values(dtype, 2, 6, 5, 6) if layout == "NCHW" else values(dtype, 2, 5, 6, 6)
    w = values(dtype, 6, 2, 3, 3)
    check(x, w, stride=2, padding=1, layout=layout)
    plan = F.plan(F.conv_transpose2d, x[:, ::-1], w[:, ::-1], stride=2, groups=3, layout=layout)
    want = plan.with_kernel("reference.definition")(x[:, ::-1])
    assert np.array_equal(plan.with_kernel(name(x))(x[:, ::-1]), want)


@pytest.mark.parametrize("at_once", [1, 2, 3, 7, 1000])
def test_pixels_that_do_not_fill_the_last_block(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """Blocks of pixels end within rows, images and the batch."""
    monkeypatch.setattr(conv_scatter, "WINDOWS_BYTES", at_once * (2 * 9 + 2) * 4)
    monkeypatch.setattr(conv_col2im, "block_bytes", lambda name: at_once * (2 * 9 + 2) * 8)
    for dtype, n, height, width in half(("float32", "int32"), (1, 3), (1, 2, 5), (1, 3, 4), first=at_once):
        x, w = values(dtype, n, 4, height, width), values(dtype, 4, 2, 3, 3)
        check(x, w, stride=2, padding=1, groups=2)
        fused = "relu" if dtype == "int32" else None
        check(x, w, values(dtype, 4), stride=(1, 3), dilation=2, groups=2, activation=fused)


@pytest.mark.parametrize("dtype", ["float32", "int64"])
@pytest.mark.parametrize("shape", [(0, 2, 3, 3), (2, 2, 1, 1), (2, 0, 3, 3)])
def test_no_image_no_channel_and_one_pixel(shape: tuple[int, ...], dtype: str) -> None:
    check(values(dtype, *shape), values(dtype, shape[1], 3, 4, 4), values(dtype, 3), stride=4)


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint64"])
def test_sums_of_integers_are_exact_or_an_error(dtype: str) -> None:
    """Where a bound cannot tell that sums fit, Python's integers can."""
    info = np.iinfo(dtype)
    if dtype == "int8":  # 131,073 products of 128 * 128 do not fit int32, 131,071 do
        x, w = np.full((1, 131071, 1, 1), info.min, dtype), np.full((131071, 1, 1, 1), info.min, dtype)
        more = np.full((1, 131073, 1, 1), info.min, dtype), np.full((131073, 1, 1, 1), info.min, dtype)
    else:
        x, w = np.array([[[[info.max]], [[info.max]]]], dtype), np.array([[[[1]]], [[[0]]]], dtype)
        more = x, np.ones_like(w)
    plan = F.plan(F.conv_transpose2d, x, w, bias=np.zeros(1, np.int32) if dtype == "int8" else None)
    want = sum(x.astype(object)[0, :, 0, 0] * w[:, 0, 0, 0])
    assert plan.with_kernel("numpy.col2im_transposed")(x).item() == want
    with pytest.raises(OverflowError, match="does not fit"):
        F.plan(F.conv_transpose2d, *more).with_kernel("numpy.col2im_transposed")(more[0])


def test_windows_of_many_taps_are_left_to_others() -> None:
    x, w = values("int64", 1, 1, 2, 2), values("int64", 1, 1, 65, 65)
    with pytest.raises(F.UnsupportedError, match="more than 4096 taps"):
        F.plan(F.conv_transpose2d, x, w).with_kernel("numpy.col2im_transposed")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_meet_the_zeros_beside_the_input(bad: float) -> None:
    for stride, padding, dilation, tap in product((1, 2, 3), (0, 1), (1, 2), ((0, 0), (1, 2), (2, 1))):
        x, w = values("float32", 2, 2, 3, 4), values("float32", 2, 3, 3, 3)
        w[1, 2, *tap] = bad
        plan = F.plan(F.conv_transpose2d, x, w, stride=stride, padding=padding, dilation=dilation)
        found, want = (plan.with_kernel(name)(x) for name in (NAME, "reference.definition"))
        np.testing.assert_array_equal(found, want)
