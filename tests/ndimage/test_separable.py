"""Correlations along one axis after the other: SciPy's results, to the bit where sums are those of float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import ndimage as scipy

import fastconv as F
import fastconv.ndimage as ndi
from fastconv.backends.cython.filter import bands
from fastconv.backends.cython.filter import separable as native
from fastconv.backends.cython.filter.flat import WeightsBinding
from fastconv.backends.numpy.filter import separable as numpy
from fastconv.core.problems.separable import Pass, SeparableProblem, SumProblem, beyond
from fastconv.dispatch.registry import kernels
from fastconv.typing import BoundaryMode
from tests.guard import guarded, guarded_copy

BOUNDARIES: tuple[BoundaryMode, ...] = ("reflect", "constant", "nearest", "mirror", "wrap")
MODES: tuple[str, ...] = BOUNDARIES
DTYPES = ("?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "c8", "c16")
SHAPES = ((1,), (7,), (300,), (5, 6), (1, 9), (40, 1), (45, 37), (70, 130), (4, 5, 6), (3, 1, 2, 5), (2, 0, 3))
SUMS = [k for k in kernels("separable_sum") if k.backend != "reference"]
KERNELS = [k for k in kernels("separable") if k.backend != "reference"]


def drawn(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape) * 50
    if dtype[0] == "c":
        return (x + 1j * rng.standard_normal(shape)).astype(dtype)
    return x.astype(dtype) if dtype[0] in "fi" else np.abs(x).astype(dtype)


def agree(got: np.ndarray, want: np.ndarray, x: np.ndarray) -> None:
    assert got.shape == want.shape and got.dtype == want.dtype
    if x.dtype in ("f4", "c8") and want.dtype.kind in "fc":  # float32: sums in float32, SciPy's are in float64
        scale = np.abs(want).max(initial=1)
        np.testing.assert_allclose(got, want, rtol=0, atol=4e-6 * scale)
    else:
        np.testing.assert_array_equal(got, want)


def calls(mode: str) -> dict[str, Callable[[Any, np.ndarray], np.ndarray]]:
    """By name, of either library."""
    rng = np.random.default_rng(1)
    four, five, long = rng.standard_normal(4), rng.standard_normal(5), rng.standard_normal(33)
    return {
        "gaussian": lambda m, x: m.gaussian_filter(x, 1.3, mode=mode, cval=2.5),
        "gaussian_derivative": lambda m, x: m.gaussian_filter(x, 0.7, order=1, mode=mode),
        "gaussian_1d": lambda m, x: m.gaussian_filter1d(x, 2, axis=0, mode=mode, cval=-1),
        "sobel": lambda m, x: m.sobel(x, axis=0, mode=mode),
        "prewitt": lambda m, x: m.prewitt(x, mode=mode, cval=3),
        "laplace": lambda m, x: m.laplace(x, mode=mode),
        "gaussian_laplace": lambda m, x: m.gaussian_laplace(x, 1.0, mode=mode),
        "gaussian_gradient": lambda m, x: m.gaussian_gradient_magnitude(x, 1.0, mode=mode),
        "correlate_origin": lambda m, x: m.correlate1d(x, four, axis=0, mode=mode, origin=1),
        "convolve_origin": lambda m, x: m.convolve1d(x, five, mode=mode, origin=-2, cval=1),
        "correlate_even": lambda m, x: m.correlate1d(x, [0.5, 0.5], mode=mode, origin=-1),
        "correlate_long": lambda m, x: m.correlate1d(x, long, axis=0, mode=mode),
        "correlate_one": lambda m, x: m.correlate1d(x, [2.0], mode=mode),
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", MODES)
def test_as_scipy(mode: str, dtype: str) -> None:
    for shape in SHAPES:
        x = drawn(shape, dtype)
        for name, call in calls(mode).items():
            if dtype[0] == "c" and name == "gaussian_gradient":
                continue  # the square root of a complex sum is not tested to the bit
            with np.errstate(all="ignore"):  # the roots of squares that wrapped around
                want, got = call(scipy, x), call(ndi, x)
            agree(got, want, x)


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["?", "u1", "i2", "u4", "i8", "u8", "f4", "f8"])
def test_every_kernel(kernel: Any, dtype: str) -> None:
    reason = kernel.reject(SeparableProblem((9,), np.dtype("f"), np.dtype("f"), (Pass(0, 3, 1, "wrap"),), 0.0))
    if reason is not None:
        pytest.skip(reason)
    for shape in SHAPES[:-1]:
        x = drawn(shape, dtype, 2)
        for mode in ("reflect", "constant", "wrap"):
            for name, call in calls(mode).items():
                if name == "laplace" and dtype in ("?", "u1", "i2"):
                    continue  # of small integers it is one correlation
                with F.options(algorithm=kernel.name), np.errstate(all="ignore"):
                    agree(call(ndi, x), call(scipy, x), x)


@pytest.mark.one_isa
@pytest.mark.parametrize("dtype", ["u1", "u2", "i4"])
def test_the_order_of_sums(dtype: str) -> None:
    """Of flat areas: the sums are integers but for rounding, so the last bit decides what is truncated."""
    x = np.repeat(np.arange(246, 256), 9).astype(dtype).reshape(10, 9)
    for sigma in (0.4, 0.5, 0.8, 1.0, 1.3):
        for order in (0, 1):
            want = scipy.gaussian_filter(x, sigma, order)
            for backend in ("reference", "numpy", "auto"):
                np.testing.assert_array_equal(ndi.gaussian_filter(x, sigma, order, backend=backend), want)
    lopsided = [0.1, 0.2, 0.3, 0.4]
    np.testing.assert_array_equal(ndi.correlate1d(x, lopsided, backend="reference"), scipy.correlate1d(x, lopsided))


@pytest.mark.parametrize("out", ["u1", "i1", "u2", "i4", "u4", "u8", "i8", "f4", "f8", "?"])
@pytest.mark.parametrize("dtype", ["u1", "i4", "f4", "f8"])
def test_dtype_of_the_result(dtype: str, out: str) -> None:
    """Also values that the integers of the result do not hold, which wrap around or are the smallest one."""
    x = drawn((20, 31), dtype) * (1000 if dtype != "u1" else 1)
    want = scipy.gaussian_filter(x, 1.5, output=out if out != "?" else bool)
    got = ndi.gaussian_filter(x, 1.5, output=out if out != "?" else bool)
    if out == "f4" and dtype == "f4":
        agree(got, want, x)
    elif out == "?":  # SciPy stores bytes that are neither 0 nor 1
        np.testing.assert_array_equal(got, want.view(np.uint8) != 0)
    else:
        np.testing.assert_array_equal(got, want)


def test_output_is_written_and_may_be_the_input() -> None:
    x = drawn((30, 40), "f8")
    want = scipy.gaussian_filter(x, 2)
    out = np.empty((30, 80))[:, ::2]
    assert ndi.gaussian_filter(x, 2, output=out) is out
    np.testing.assert_array_equal(out, want)
    big = np.empty((30, 40), ">f8")
    assert ndi.gaussian_filter(x, 2, output=big) is big
    np.testing.assert_array_equal(big, want)
    again = x.copy()
    assert ndi.gaussian_filter(again, 2, output=again) is again
    np.testing.assert_array_equal(again, want)


@pytest.mark.parametrize("shape", [(3000,), (400, 333), (5, 60, 70)])
@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
def test_threads_change_no_bit(shape: tuple[int, ...], dtype: str) -> None:
    x = drawn(shape, dtype)
    one = ndi.gaussian_filter(x, 2.0, threads=1)
    for threads in (2, 3):
        np.testing.assert_array_equal(ndi.gaussian_filter(x, 2.0, threads=threads), one)


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
def test_the_filter_of_a_part_is_a_part_of_the_filter(dtype: str) -> None:
    x = drawn((200, 150), dtype)
    whole = ndi.gaussian_filter(x, 2.0)
    part = ndi.gaussian_filter(np.ascontiguousarray(x[40:120, 13:101]), 2.0)
    np.testing.assert_array_equal(part[8:-8, 8:-8], whole[48:112, 21:93])


def test_nan_and_infinity_stay_within_their_windows() -> None:
    x = drawn((60, 60), "f8")
    want = ndi.gaussian_filter(x, 1.0)
    x[30, 20], x[31, 50] = np.nan, np.inf
    got = ndi.gaussian_filter(x, 1.0)
    reached = np.zeros(x.shape, bool)
    reached[26:36, 16:25], reached[27:36, 46:55] = True, True
    np.testing.assert_array_equal(got[~reached], want[~reached])
    assert np.isnan(got[30, 20])


def test_views_of_any_strides() -> None:
    x = drawn((40, 60), "f8")
    for view in (x[::2, ::3], x[::-1], x.T, x[:, 1:50], np.asfortranarray(x)):
        np.testing.assert_array_equal(ndi.gaussian_filter(view, 1), scipy.gaussian_filter(view, 1))


def test_names_that_are_not_ours_are_scipys() -> None:
    assert ndi.label is scipy.label  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        ndi.no_such_filter  # noqa: B018


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda m: m.correlate1d([1, 2], []), RuntimeError, "no filter weights"),
        (lambda m: m.correlate1d([1, 2], [1, 2], origin=2), ValueError, "[Ii]nvalid origin"),
        (lambda m: m.correlate1d([1, 2], [1], mode="other"), RuntimeError, "boundary mode not supported"),
        (lambda m: m.correlate1d([1, 2], [1], axis=1), np.exceptions.AxisError, "axis 1"),
        (lambda m: m.correlate1d([1, 2], [1], output=np.empty(3)), RuntimeError, "output shape not correct"),
        (lambda m: m.correlate1d([1, 2], [1j], cval=1j), ValueError, "complex-valued cval"),
        (lambda m: m.gaussian_filter([1, 2], 1, order=-1), ValueError, "non-negative"),
        (lambda m: m.gaussian_filter([1, 2], 1, radius=1.5), ValueError, "Radius"),
        (lambda m: m.gaussian_filter([1, 2], (1, 2)), RuntimeError, "length equal"),
        (lambda m: m.gaussian_filter([[1, 2]], 1, axes=(0, 0)), ValueError, "unique"),
        (lambda m: m.gaussian_filter([[1, 2]], 1, axes=(2,)), ValueError, "out of range"),
        (lambda m: m.gaussian_filter(np.ones(3, "f2"), 1), RuntimeError, "not supported"),
    ],
)
def test_errors_are_scipys(call: Callable[[Any], Any], error: type[Exception], text: str) -> None:
    for module in (scipy, ndi):
        with pytest.raises(error, match=text):
            call(module)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("extent", [1, 2, 3, 7])
def test_beyond_the_ends(mode: Any, extent: int) -> None:
    """As NumPy pads."""
    far = 20
    names: dict[str, Any] = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge", "wrap": "wrap"}
    got = beyond(np.arange(-far, extent + far), extent, mode)
    if mode == "constant":
        want = np.pad(np.arange(extent), far, constant_values=-1)
    else:
        want = np.pad(np.arange(extent), far, mode=names[mode])
    np.testing.assert_array_equal(got, want)


def drawn_problem(rng: np.random.Generator) -> tuple[SeparableProblem, np.ndarray, list[np.ndarray]]:
    """Any passes, in any order and along any axes, some of them twice."""
    shape = tuple(int(n) for n in rng.integers(1, (8, 40, 300)[: rng.integers(1, 4)][::-1]))[::-1]
    dtype, out = (np.dtype(str(d)) for d in rng.choice(["u1", "i2", "i4", "f4", "f8"], 2))
    steps, weights = [], []
    for _ in range(rng.integers(1, 4)):
        taps = int(rng.integers(1, 12))
        w = rng.standard_normal(taps) / taps
        if taps % 2 and rng.random() < 0.5:
            w = w + w[::-1] if rng.random() < 0.5 else w - w[::-1]
        mode = BOUNDARIES[rng.integers(len(BOUNDARIES))]
        steps.append(Pass(int(rng.integers(len(shape))), taps, int(rng.integers(taps)), mode))
        weights.append(w)
    x = (rng.standard_normal(shape) * 60).astype(np.int64 if dtype.kind in "ui" else dtype).astype(dtype)
    return SeparableProblem(shape, dtype, out, tuple(steps), 1.5), x, weights


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
@pytest.mark.usefixtures("_small_patches")
def test_any_passes(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In short pieces, so that lines have many."""
    monkeypatch.setattr(native, "PIECE", 48)
    monkeypatch.setattr(native, "HELD_BYTES", 4096)
    monkeypatch.setattr(numpy, "PIECE", 48)
    rng = np.random.default_rng(5)
    for _ in range(150):
        p, x, weights = drawn_problem(rng)
        if kernel.reject(p) is not None:
            pytest.skip(kernel.reject(p))
        want = x
        for step, w in zip(p.passes, weights, strict=True):
            origin = step.before - step.taps // 2
            want = scipy.correlate1d(want, w, step.axis, p.out, step.mode, p.cval, origin)
        run = kernel.prepare(p, tuple(weights), 1)
        for at in ("start", "end"):
            got = guarded((p.size,), p.out, at)
            run(guarded_copy(x.ravel(), at), got)
            if p.acc == np.float32:
                np.testing.assert_allclose(got.reshape(p.shape), want, rtol=0, atol=1e-4, err_msg=str(p))
            else:
                np.testing.assert_array_equal(got.reshape(p.shape), want, err_msg=str(p))


@pytest.fixture
def _small_patches(monkeypatch: pytest.MonkeyPatch) -> Any:
    """So that images have many, of one or several of their columns."""
    for name, value in (("STRIP_BYTES", 2048), ("BLOCK", 96), ("LEAST_ROWS", 8)):
        monkeypatch.setattr(bands, name, value)
    yield
    native.bands_of.cache_clear()
    native.sum_of.cache_clear()


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", SUMS, ids=lambda k: k.name)
@pytest.mark.usefixtures("_small_patches")
def test_any_sums(kernel: Any) -> None:
    rng = np.random.default_rng(6)
    for i in range(120):
        shape = tuple(int(rng.integers(1, n)) for n in (4, 60, 150, 4))
        dtype, join = np.dtype("f4" if i % 2 else "f8"), "magnitude" if rng.random() < 0.5 else "sum"
        parts, weights = [], []
        for _ in range(rng.integers(1, 4)):
            steps = []
            for axis in [(1, 2), (1,), (2,)][rng.integers(3)] if parts else (1, 2):
                taps = int(rng.integers(1, 24))
                w = rng.standard_normal(taps) / taps
                if taps % 2 and rng.random() < 0.5:
                    w = w + w[::-1] if rng.random() < 0.5 else w - w[::-1]
                steps.append(Pass(axis, taps, int(rng.integers(taps)), BOUNDARIES[rng.integers(len(BOUNDARIES))]))
                weights.append(w)
            parts.append(tuple(steps))
        p = SumProblem(shape, dtype, dtype, tuple(parts), join, 1.5)
        if kernel.reject(p) is not None:
            pytest.skip(kernel.reject(p))
        x = rng.standard_normal(shape).astype(dtype)
        left, results = iter(weights), []
        for part in parts:
            y = x
            for step in part:
                y = scipy.correlate1d(y, next(left), step.axis, dtype, step.mode, 1.5, step.before - step.taps // 2)
            results.append(y * y if join == "magnitude" else y)
        want = results[0]
        for y in results[1:]:
            want = want + y
        want = np.sqrt(want) if join == "magnitude" else want
        run = kernel.prepare(p, tuple(weights), 1)
        for at in ("start", "end"):
            got = guarded((p.size,), dtype, at)
            run(guarded_copy(x.ravel(), at), got)
            if dtype == np.float32:
                np.testing.assert_allclose(got.reshape(shape), want, rtol=0, atol=1e-5, err_msg=str(p))
            else:
                np.testing.assert_array_equal(got.reshape(shape), want, err_msg=str(p))


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", [k for k in KERNELS if k.backend == "cython"], ids=lambda k: k.name)
@pytest.mark.parametrize("axis", [0, 1])
def test_parts_of_float_images_have_the_bits_of_the_whole(kernel: Any, axis: int) -> None:
    """Whatever their shape: few rows, or a single column, are filtered in another way than images."""
    rng, dtype = np.random.default_rng(7), np.dtype("f4")

    def filtered(x: np.ndarray, weights: np.ndarray, before: int) -> np.ndarray:
        p = SeparableProblem(x.shape, dtype, dtype, (Pass(axis, weights.size, before, "nearest"),), 0.0)
        if kernel.reject(p) is not None:
            pytest.skip(kernel.reject(p))
        out = np.empty(p.size, dtype)
        kernel.prepare(p, (weights,), 1)(x.ravel(), out)
        return out.reshape(x.shape)

    for i in range(40):
        x = (rng.standard_normal(rng.integers(30, 70, 2)) * 60 + 100).astype(dtype)
        half = rng.standard_normal(int(rng.integers(2, 9)))
        weights = (np.r_[half, 1, half[::-1]], np.r_[half, 0, -half[::-1]], half)[i % 3]
        before = int(rng.integers(weights.size))
        whole = filtered(x, weights, before)
        beside = 1 - axis
        for count in (1, 2, 7, 11):
            chosen = [slice(None), slice(None)]
            chosen[beside] = slice(3, 3 + count)
            part = np.ascontiguousarray(x[tuple(chosen)])
            np.testing.assert_array_equal(filtered(part, weights, before), whole[tuple(chosen)], str((x.shape, count)))


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", [k for k in (*KERNELS, *SUMS) if k.backend == "cython"], ids=lambda k: k.name)
def test_windows_of_three_by_three_have_the_bits_of_narrow_parts(kernel: Any) -> None:
    """Whole rows in registers, and columns at the ends in another way; so are images of a few columns."""
    rng = np.random.default_rng(11)

    def filtered(x: np.ndarray, weights: tuple[np.ndarray, ...], mode: Any, cross: bool) -> np.ndarray:
        down, along = (Pass(axis, 3, 1, mode) for axis in (0, 1))
        p: Any = SeparableProblem(x.shape, x.dtype, x.dtype, (down, along), cval)
        if cross:
            p = SumProblem(x.shape, x.dtype, x.dtype, ((down,), (along,)), "sum", cval)
        if kernel.reject(p) is not None:
            pytest.skip(kernel.reject(p))
        out = np.empty(p.size, x.dtype)
        kernel.prepare(p, weights, 1)(x.ravel(), out)
        return out.reshape(x.shape)

    for i, mode in enumerate(6 * BOUNDARIES):
        shape, cval = (int(rng.integers(1, 40)), int(rng.integers(3, 90)), *((), (3,))[i % 2]), (0.0, 2.5)[i % 2]
        x = (rng.standard_normal(shape) * 60 + 100).astype(("f4", "f8")[i % 4 // 2])
        signs = (1, -1)[i % 2], (1, -1)[i // 2 % 2]
        weights = tuple(np.array([s * w, (s > 0) * 0.7, w]) for s, w in zip(signs, rng.standard_normal(2), strict=True))
        for cross in (False, True):
            if cross != (kernel in SUMS):
                continue
            whole = filtered(x, weights, mode, cross)
            for at in range(0, shape[1] - 2, 3):
                part = np.ascontiguousarray(x[:, at : at + 5])
                want = filtered(part, weights, mode, cross)[:, 1:-1]
                np.testing.assert_array_equal(whole[:, at + 1 : at + 1 + want.shape[1]], want, str((shape, mode, at)))


@pytest.mark.one_isa
def test_weights_in_turns_are_bound_once() -> None:
    """Those of derivatives along each axis; not such that may change between calls."""
    bound = []

    class Counted(WeightsBinding):
        def bound(self, constants: tuple[Any, ...]) -> Any:
            bound.append(constants)
            return constants

    bind, given = Counted(), [(np.frombuffer(bytes(8)), np.frombuffer(bytes(8))) for _ in range(6)]
    for _ in range(3):
        for constants in given[:3]:
            assert bind(constants) is constants
    assert len(bound) == 3
    for constants in given:
        assert bind(constants) is constants
    assert len(bound) == 6 and bind(given[0]) is given[0] and len(bound) == 7
    mine = (np.zeros(1), np.zeros(1))
    assert bind(mine) is bind(mine) and len(bound) == 9
