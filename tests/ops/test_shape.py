"""Flatten, pad, unfold and fold: against torch and NumPy, on every registered kernel."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.core.errors import DTypeError, ShapeError
from fastconv.core.problems.shape import fold_problem, pad_problem
from fastconv.dispatch.registry import kernels

PADS = [k.name for k in kernels("pad")]
FOLDS = [k.name for k in kernels("fold")]
NUMPY_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap", "symmetric": "symmetric"}


def run(kernel: str, operation: Any, x: Any, *args: Any, **kwargs: Any) -> np.ndarray:
    return F.plan(operation, x, *args, **kwargs).with_kernel(kernel)(x)


@pytest.mark.parametrize("kernel", PADS)
@pytest.mark.parametrize("seed", range(40))
def test_pad_is_numpys(kernel: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, 4))
    x = rng.normal(size=(2, 3, *rng.integers(3, 7, rank)))
    x = x[:, ::-1] if seed % 3 == 0 else np.asfortranarray(x) if seed % 3 == 1 else x
    widths = rng.integers(0, 3, (rank, 2))
    pad = [int(v) for v in widths[::-1].ravel()]
    full = [(0, 0), (0, 0), *map(tuple, widths)]
    np.testing.assert_array_equal(
        run(kernel, F.pad, x, pad, value=1.5), np.pad(x, full, constant_values=1.5), strict=True
    )
    for mode, theirs in NUMPY_MODES.items():
        got = run(kernel, F.pad, x, pad, mode)
        np.testing.assert_array_equal(got, np.pad(x, full, theirs), strict=True)  # type: ignore[call-overload]


@pytest.mark.parametrize("kernel", PADS)
@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("pad", [(-1, 2), (2, -1), (-1, -2), (1, 1, -2, 3), (-1, 0, 0, -1), (3, -3, 1, 2)])
def test_negative_pads_crop_as_in_torch(kernel: str, mode: str, pad: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(2, 6, 7) if len(pad) == 2 else (2, 3, 6, 7))
    want = torch.nn.functional.pad(torch.from_numpy(x), pad, mode).numpy()
    np.testing.assert_array_equal(run(kernel, F.pad, x, pad, mode), want, strict=True)


@pytest.mark.parametrize("kernel", PADS)
@pytest.mark.parametrize("mode", ["constant", *NUMPY_MODES])
def test_pad_of_strided_arrays_reads_what_pad_of_a_copy_reads(kernel: str, mode: str) -> None:
    rng = np.random.default_rng(2)
    tried = 0
    for extent, lo, hi in itertools.product((1, 2, 3, 5), range(-7, 6), range(-7, 6)):
        x = rng.normal(size=(2, 2, extent))[:, ::-1]
        try:
            want = run("numpy.slices", F.pad, x.copy(), (lo, hi), mode)
        except ShapeError:
            continue
        np.testing.assert_array_equal(run(kernel, F.pad, x, (lo, hi), mode), want, strict=True)
        tried += 1
    assert tried > 50
    x = rng.normal(size=(2, 3, 7, 8, 9))[..., ::2].swapaxes(2, 3)
    pad = (-2, 1, 0, 0, 3, -4)
    want = run("numpy.slices", F.pad, x.copy(), pad, mode)
    np.testing.assert_array_equal(run(kernel, F.pad, x, pad, mode), want, strict=True)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "complex64", "bfloat16"])
def test_pad_keeps_every_dtype(dtype: str) -> None:
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    x = np.ones((2, 3), dtype)
    got = F.pad(x, (1, 0), value=1)
    np.testing.assert_array_equal(got, np.ones((2, 4), dtype), strict=True)
    assert not F.pad(x, (1, 0))[:, 0].any()


def test_pad_of_nothing_and_of_empty_arrays() -> None:
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(F.pad(x, ()), x)
    assert F.pad(x, (-1, -2)).shape == (2, 0)
    np.testing.assert_array_equal(F.pad(np.ones((2, 0)), (1, 1), value=3), np.full((2, 2), 3.0))
    assert F.pad(np.ones((0, 3, 4)), (1, 1), "reflect").shape == (0, 3, 6)
    assert F.pad(np.array(1.0), ()).shape == ()


@pytest.mark.parametrize(
    ("shape", "pad", "mode", "value", "error", "text"),
    [
        ((2, 3), (1,), "constant", None, ShapeError, "a pair for each of at most 2 last axes, got 1 ints"),
        ((3,), (1, 1, 1, 1), "constant", None, ShapeError, "at most 1 last axes"),
        ((2, 3), 1, "constant", None, TypeError, "pad must be a sequence of ints"),
        ((2, 3), (1, 1.5), "constant", None, TypeError, "pad must be an int, got 1.5"),
        ((2, 3), (1, 1), "mirror", None, ValueError, "mode must be one of constant, .* got 'mirror'"),
        ((2, 3), (1, 1), "reflect", 2.0, ValueError, "value is for mode 'constant' only"),
        ((2, 3), (3, 1), "reflect", None, ShapeError, "axis 1 of length 3 is too large .* at most 2"),
        ((2, 3), (4, 1), "circular", None, ShapeError, "at most 3"),
        ((2, 3), (-2, 2), "circular", None, ShapeError, "axis 1 of length 1 is too large"),
        ((2, 3), (-2, -2), "constant", None, ShapeError, "crops more of axis 1 than its length, 3"),
        ((2, 3), (-2, -1), "replicate", None, ShapeError, "axis 1 would have length 0"),
        ((3,), (1, 1), "reflect", None, ShapeError, "pads the last 1, 2 or 3 axes"),
        ((2, 0, 3), (1, 1), "replicate", None, ShapeError, "only the batch of input may be empty"),
        ((2, 3), (1, 1), "constant", 1j, DTypeError, "value is complex"),
        ((2, 3), (1, 1), "constant", "1", TypeError, "value must be a number"),
    ],
)
def test_pad_refuses(
    shape: tuple[int, ...], pad: Any, mode: str, value: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        F.pad(np.ones(shape), pad, mode, value)


def test_pad_does_not_round_or_wrap_its_value() -> None:
    with pytest.raises(DTypeError, match=r"value must be a whole number for dtype int8, got 0\.5"):
        F.pad(np.ones(3, np.int8), (1, 1), value=0.5)
    with pytest.raises(ValueError, match="value must fit int8, got 128"):
        F.pad(np.ones(3, np.int8), (1, 1), value=128)


def columns(x: np.ndarray, k: Any, d: Any, p: Any, s: Any) -> np.ndarray:
    """im2col by its definition."""
    x = np.pad(x, ((0, 0), (0, 0), (p[0],) * 2, (p[1],) * 2))
    rows = range(0, x.shape[2] - d[0] * (k[0] - 1), s[0])
    cols = range(0, x.shape[3] - d[1] * (k[1] - 1), s[1])
    taps = [[x[:, :, i + t * d[0], j + r * d[1]] for t in range(k[0]) for r in range(k[1])] for i in rows for j in cols]
    return np.array(taps).transpose(2, 3, 1, 0).reshape(x.shape[0], -1, len(taps))


@pytest.mark.parametrize("kernel", FOLDS)
@pytest.mark.parametrize("seed", range(40))
def test_unfold_is_its_definition_and_fold_its_adjoint(kernel: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    k, d, p, s = (tuple(int(v) for v in rng.integers(*r, 2)) for r in ((1, 4), (1, 3), (0, 4), (1, 4)))
    x = rng.normal(size=(2, 3, *rng.integers(5, 9, 2)))
    x = x[:, :, ::-1] if seed % 2 else x
    want = columns(x, k, d, p, s)
    got = run(kernel, F.unfold, x, k, d, p, s)
    np.testing.assert_array_equal(got, want, strict=True)
    np.testing.assert_array_equal(run(kernel, F.unfold, x[0], k, d, p, s), want[0], strict=True)
    v = rng.normal(size=want.shape)
    back = run(kernel, F.fold, v, x.shape[2:], k, d, p, s)
    assert back.shape == x.shape
    np.testing.assert_allclose((back * x).sum(), (v * want).sum(), rtol=1e-10)
    np.testing.assert_array_equal(run(kernel, F.fold, v[0], x.shape[2:], k, d, p, s), back[0], strict=True)


@pytest.mark.parametrize("kernel", FOLDS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_fold_sums_half_floats_in_float32(kernel: str, dtype: str) -> None:
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    v = np.random.default_rng(1).normal(size=(1, 3 * 25, 36)).astype(dtype)
    want = F.fold(v.astype(np.float32), 10, 5).astype(dtype)
    got = run(kernel, F.fold, v, 10, 5)
    assert got.dtype == v.dtype
    np.testing.assert_allclose(got.astype(float), want.astype(float), rtol=2**-7 if dtype == "bfloat16" else 2**-10)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: F.unfold(np.ones((3, 3)), 2), ShapeError, r"input must have shape \(N, C, H, W\) or \(C, H, W\)"),
        (lambda: F.unfold(np.ones((1, 3, 3)), 4), ShapeError, "has 0 x 0 windows"),
        (lambda: F.unfold(np.ones((1, 3, 3)), 0), ValueError, "kernel_size must be at least 1"),
        (lambda: F.unfold(np.ones((1, 3, 3)), 2, padding=-1), ValueError, "padding must be at least 0"),
        (lambda: F.unfold(np.ones((1, 3, 3)), (1, 2, 3)), ValueError, "kernel_size must be an int or 2 ints"),
        (lambda: F.unfold(np.ones((1, 3, 3), int), 2), DTypeError, "input has dtype int64"),
        (lambda: F.unfold(np.ones((2, 0, 3, 3)), 2), ShapeError, "only the batch of input may be empty"),
        (lambda: F.fold(np.ones((1, 5, 4)), 3, 2), ShapeError, "multiple of the kernel's size, 4"),
        (lambda: F.fold(np.ones((1, 4, 5)), 3, 2), ShapeError, "2 x 2 = 4 windows; the last axis of input has 5"),
        (lambda: F.fold(np.ones(4), 3, 2), ShapeError, "input must have shape"),
        (lambda: F.flatten(np.ones((2, 3)), 2), IndexError, "start_dim must be from -2 to 1"),
        (lambda: F.flatten(np.ones((2, 3)), 1, 0), ValueError, "start_dim must not come after end_dim"),
        (lambda: F.flatten(np.ones((2, 3)), 0.0), TypeError, "start_dim must be an int"),
    ],
)
def test_refusals(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_flatten_is_a_view_where_memory_allows() -> None:
    x = np.arange(24).reshape(2, 3, 4)
    assert np.shares_memory(F.flatten(x, 1), x)
    assert F.flatten(x, 1).shape == (2, 12)
    assert F.flatten(x, 0, 1).shape == (6, 4)
    np.testing.assert_array_equal(F.flatten(x.transpose(2, 0, 1)), x.transpose(2, 0, 1).ravel())
    assert F.flatten(np.array(3.0)).shape == (1,)
    out = np.empty(24, x.dtype)
    assert F.flatten(x, out=out) is out
    np.testing.assert_array_equal(out, np.arange(24))
    np.testing.assert_array_equal(F.plan(F.flatten, x)(x + 1), np.arange(1, 25))


@pytest.mark.parametrize("name", ["flatten", "pad", "unfold", "fold"])
def test_out_may_be_strided_or_overlap(name: str) -> None:
    x = np.arange(24.0).reshape(1, 4, 6)
    args = {"flatten": (), "pad": ((1, -1),), "unfold": (1,), "fold": ((2, 3), 1)}[name]
    want = getattr(F, name)(x, *args).copy()
    wide = np.zeros((*want.shape, 2))
    assert getattr(F, name)(x, *args, out=wide[..., 0]) is not None
    np.testing.assert_array_equal(wide[..., 0], want)
    memory = x.copy()
    target = memory.reshape(want.shape)
    getattr(F, name)(memory, *args, out=target)
    np.testing.assert_array_equal(target, want)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular", "symmetric", "constant"])
@pytest.mark.parametrize("dtype", ["float32", "int8", "complex64", "bool"])
def test_pad_of_long_signals_needs_no_table(mode: str, dtype: str) -> None:
    x = np.random.default_rng(3).integers(0, 100, (2, 300_001)).astype(dtype)
    names = {"replicate": "edge", "circular": "wrap"}
    for lo, hi in ((100, 0), (0, 7), (300_000, 300_000), (-5, 9), (9, -300_005)):
        if lo + hi < -len(x[0]) + 20 and mode in ("circular", "constant"):
            continue  # refuses to crop more than there is
        if mode == "circular" and lo < 0:
            want = np.pad(x[:, -lo:], ((0, 0), (0, hi)), "wrap")
        elif lo < 0 or hi < 0:
            want = np.pad(x, ((0, 0), (max(lo, 0), max(hi, 0))), names.get(mode, mode))  # type: ignore[call-overload]
            want = want[:, max(-lo, 0) : want.shape[1] - max(-hi, 0)]
        else:
            want = np.pad(x, ((0, 0), (lo, hi)), names.get(mode, mode))  # type: ignore[call-overload]
        np.testing.assert_array_equal(F.pad(x, (lo, hi), mode, backend="numpy"), want)
    p, _ = pad_problem((2, 1 << 30), np.dtype(dtype), (100, 100), mode, None)
    assert all(k.workspace(p) < 1 << 16 for k in kernels("pad"))


@pytest.mark.parametrize("kernel", kernels("fold"), ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_fold_and_unfold_of_volumes(kernel: Any, dtype: str) -> None:
    rng = np.random.default_rng(5)
    x = rng.integers(-3, 4, (2, 3, 5, 6, 7)).astype(dtype)
    size, options = (2, 3, 2), {"dilation": (1, 2, 1), "padding": (1, 0, 1), "stride": (2, 1, 3)}
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2, 5, 2), (2, 3, 4))
    want = windows[:, :, ::2, :, ::3, :, ::2].transpose(0, 1, 5, 6, 7, 2, 3, 4).reshape(2, 3 * 12, -1)
    columns = F.plan(F.unfold, x, size, **options).with_kernel(kernel.name)(x)
    np.testing.assert_array_equal(columns, want)
    np.testing.assert_array_equal(F.unfold(x[0], size, **options), want[0])
    y = rng.integers(-3, 4, want.shape).astype(dtype)
    image = F.plan(F.fold, y, (5, 6, 7), size, **options).with_kernel(kernel.name)(y)
    assert (image.astype(float) * x).sum() == (y.astype(float) * want).sum()  # one is the adjoint of the other
    assert image.shape == x.shape
    if dtype == "float64":
        np.testing.assert_array_equal(F.grad.unfold(y, x, size, **options), image)
        np.testing.assert_array_equal(F.grad.fold(x, y, (5, 6, 7), size, **options), want)
    assert F.unfold(x, 2).shape == (2, 24, 4 * 5 * 6)
    assert F.fold(F.unfold(x, 2), (5, 6, 7), 2).shape == x.shape
    with pytest.raises(ShapeError, match="has 4 x 5 x 6 = 120 windows"):
        F.fold(np.ones((1, 8, 7)), (5, 6, 7), 2)


def test_fold_widens_a_few_channels_at_a_time() -> None:
    p, _ = fold_problem((1, 300 * 9, 510 * 510), np.dtype(np.float16), (512, 512), 3, 1, 0, 1)
    assert all(k.workspace(p) < 4 << 20 for k in kernels("fold"))
    rng = np.random.default_rng(6)
    y = rng.integers(-3, 4, (1, 3 * 4, 399 * 399)).astype(np.float16)
    np.testing.assert_array_equal(F.fold(y, 400, 2), F.fold(y.astype("f"), 400, 2).astype(np.float16))
