"""Means, extrema and grey morphology: SciPy's results, of integers and extrema to the bit."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy import ndimage as scipy

import fastconv as F
import fastconv.ndimage as ndi
from fastconv.backends.cython.filter import boxes, stages
from fastconv.backends.cython.filter import window as native
from fastconv.backends.numpy.filter import footprint as numpy_footprint
from fastconv.backends.numpy.filter import separable as numpy
from fastconv.core.problems.separable import Pass
from fastconv.core.problems.window import WindowProblem, doublings
from fastconv.dispatch.registry import kernels
from tests.guard import guarded, guarded_copy
from tests.ndimage.test_separable import BOUNDARIES, drawn
from tests.wide import share

DTYPES = ("?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")
KERNELS = [k for k in kernels("window") if k.backend != "reference"]
MORPHOLOGY = (
    "grey_erosion", "grey_dilation", "grey_opening", "grey_closing", "white_tophat", "black_tophat",
    "morphological_gradient", "morphological_laplace",
)  # fmt: skip


def agree(got: np.ndarray, want: np.ndarray, single: bool = False) -> None:
    """Means of floats differ by roundings: SciPy's drift along a line."""
    assert got.shape == want.shape and got.dtype == want.dtype
    if want.dtype.kind in "fc":
        scale = np.abs(want).max(initial=1)
        np.testing.assert_allclose(got, want, rtol=0, atol=(3e-6 if single else 1e-12) * scale)
    else:
        np.testing.assert_array_equal(got, want)


def drawn_case(rng: np.random.Generator, dtype: str) -> tuple[WindowProblem, np.ndarray]:
    """Any windows along any axes, some of them twice, and values up to the limits of integers."""
    shape = tuple(int(n) for n in rng.integers(1, (6, 30, 160)[: rng.integers(1, 4)][::-1]))[::-1]
    x = rng.standard_normal(shape) * 60
    x = (np.abs(x) if dtype[0] == "u" else x).astype(np.int64 if dtype[0] in "?ui" else dtype).astype(dtype)
    if dtype[0] in "ui" and rng.random() < 0.3:
        info = np.iinfo(dtype)
        x = rng.integers(max(info.min, -(2**40)), min(info.max, 2**40), shape, endpoint=True).astype(dtype)
    steps = []
    for _ in range(rng.integers(1, 4)):
        taps = int(rng.integers(2, (5, 20, 150)[rng.integers(3)]))
        mode = BOUNDARIES[rng.integers(len(BOUNDARIES))]
        steps.append(Pass(int(rng.integers(len(shape))), taps, int(rng.integers(taps)), mode))
    join: Any = rng.choice(["min", "max", "mean"])
    out = x.dtype if rng.random() < 0.7 or dtype[0] in "f" else np.dtype(str(rng.choice(["u1", "i4", "f8"])))
    cval = float(rng.choice([0, 1, 7, 2.5, -1, 300]))
    cval = abs(cval) if dtype == "u8" else cval  # sums of what wraps around are not exact
    return WindowProblem(str(join), shape, x.dtype, out, tuple(steps), cval), x  # type: ignore[arg-type]


def by_scipy(p: WindowProblem, x: np.ndarray) -> np.ndarray:
    call = {"min": scipy.minimum_filter1d, "max": scipy.maximum_filter1d, "mean": scipy.uniform_filter1d}[p.join]
    for step in p.passes:
        x = call(x, step.taps, step.axis, p.out, step.mode, p.cval, step.before - step.taps // 2)
    return x.view(np.uint8) != 0 if p.out.kind == "b" else x  # SciPy stores bytes that are neither 0 nor 1


@cache
def cases(dtype: str) -> list[tuple[WindowProblem, np.ndarray, np.ndarray]]:
    """Problems, arrays and results."""
    rng = np.random.default_rng(5)
    drawn_cases = [drawn_case(rng, dtype) for _ in range(25)]
    return [(p, x, by_scipy(p, x)) for p, x in drawn_cases]


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", [k for k in KERNELS if k.backend == "cython"], ids=lambda k: k.name)
def test_every_number_of_taps(kernel: Any) -> None:
    """Down and along, as far as windows of few elements have a way of their own each."""
    rng = np.random.default_rng(11)
    for dtype, join, axis in itertools.product(("u1", "u2", "f4"), ("min", "max", "mean"), (0, 1)):
        x = (rng.random((19, 83)) * 250).astype(dtype)
        for taps in share(kernel, [*range(2, 19), 24, 31, 63, 64, 65]):
            step = Pass(axis, taps, int(rng.integers(taps)), "reflect")
            p = WindowProblem(join, x.shape, x.dtype, x.dtype, (step,), 0.0)  # type: ignore[arg-type]
            got = np.empty(x.size, dtype)
            kernel.prepare(p, (), 1)(x.ravel(), got)
            agree(got.reshape(x.shape), by_scipy(p, x), single=dtype == "f4")


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_kernel(kernel: Any, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In short pieces, so that lines have many, between pages that may not be touched."""
    monkeypatch.setattr(stages, "PIECE", 48)
    monkeypatch.setattr(stages, "HELD_BYTES", 4096)
    monkeypatch.setattr(native, "STRIP_BYTES", 64)
    monkeypatch.setattr(native, "STRIPS_BYTES", 64)
    monkeypatch.setattr(boxes, "STRIP_BYTES", 64)
    monkeypatch.setattr(boxes, "BLOCK_BYTES", 256)
    monkeypatch.setattr(numpy, "PIECE", 48)
    for p, x, want in cases(dtype):
        if kernel.reject(p) is not None:
            pytest.skip(kernel.reject(p))
        run = kernel.prepare(p, (), 1)
        for at in ("start", "end"):
            got = guarded((p.size,), p.out, at)
            run(guarded_copy(x.ravel(), at), got)
            agree(got.reshape(p.shape), want, dtype == "f4")


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", [k for k in KERNELS if k.backend == "cython"], ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "f4", "f8"])
def test_three_by_three_as_one_axis_after_the_other(kernel: Any, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bit, results at any place of a cache line, between pages that may not be touched."""
    monkeypatch.setattr(boxes, "BLOCK_BYTES", 1 << 10)  # of wide images, several
    rng = np.random.default_rng(23)
    widths = [*range(1, 6), *range(15, 20), *range(31, 36), 50, 63, 64, 65, 66, 67, 97, 127, 130, 131, 261, 1100]
    for i, width in enumerate(share(kernel, widths)):
        height, before = int(rng.integers(1, 28)), (1, int(rng.integers(3)))[i % 2]
        x = rng.standard_normal((height, width)) * 50
        x = (x if dtype[0] in "if" else np.abs(x)).astype(dtype)
        if dtype[0] == "f":
            x.flat[rng.integers(x.size, size=3)] = (np.inf, -np.inf, -0.0)
            x.flat[rng.integers(x.size)] = np.nan
        mode = BOUNDARIES[i % len(BOUNDARIES)]
        down, along = Pass(0, 3, int(rng.integers(3)), mode), Pass(1, 3, before, mode)
        for join in ("min", "max", "mean"):
            p = WindowProblem(join, x.shape, x.dtype, x.dtype, (down, along), 7.0)  # type: ignore[arg-type]
            want = x.ravel()
            for step in p.passes:
                to = np.empty_like(want)
                kernel.prepare(replace(p, passes=(step,)), (), 1)(want, to)
                want = to
            for at in ("start", "end"):
                got = guarded((p.size,), p.out, at)
                kernel.prepare(p, (), 1)(guarded_copy(x.ravel(), at), got)
                np.testing.assert_array_equal(got, want)


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_lines_that_are_filtered_in_place_have_the_type_of_the_result(kernel: Any) -> None:
    """Of an axis that is not beside the one before, between pages that may not be touched."""
    joins = ("min", "max", "mean")
    for dtype, out, join in itertools.product(("u1", "i2", "f4", "f8"), ("u1", "i4", "f4", "f8"), joins):
        x = drawn((5, 4, 70), dtype)
        steps = Pass(0, 3, 1, "reflect"), Pass(2, 5, 2, "mirror")
        p = WindowProblem(join, x.shape, x.dtype, np.dtype(out), steps, 0.0)  # type: ignore[arg-type]
        if kernel.reject(p) is None:
            for at in ("start", "end"):
                got = guarded((p.size,), p.out, at)
                kernel.prepare(p, (), 1)(guarded_copy(x.ravel(), at), got)
                agree(got.reshape(p.shape), by_scipy(p, x), dtype == "f4" or out == "f4")


@pytest.mark.one_isa
def test_the_reference() -> None:
    """By every join and mode."""
    (reference,) = [k for k in kernels("window") if k.backend == "reference"]
    rng = np.random.default_rng(6)
    for dtype in ("u1", "i2", "f8"):
        for _ in range(8):
            p, x = drawn_case(rng, dtype)
            if p.size < 300:
                got = np.empty(p.size, p.out)
                reference.prepare(p, (), 1)(x.ravel(), got)
                agree(got.reshape(p.shape), by_scipy(p, x))


def test_calls_are_as_scipys() -> None:
    """Sizes, origins, modes and axes by number and by sequence; other dtypes; results into arrays, in place, too."""
    x = drawn((30, 41), "i2")
    for name in ("uniform_filter", "minimum_filter", "maximum_filter"):
        ours, theirs = getattr(ndi, name), getattr(scipy, name)
        for keywords in (
            {"size": 3}, {"size": (1, 5)}, {"size": 1, "output": "f4"}, {"size": (4, 3), "origin": (1, -1)},
            {"size": 5, "mode": ("wrap", "mirror")}, {"size": 7, "axes": 1}, {"size": (2, 9), "axes": (1, 0)},
            {"size": 40, "mode": "grid-mirror"},
            {"size": 6, "output": np.float64, "mode": "grid-constant", "cval": 0.5},
        ):  # fmt: skip
            agree(ours(x, **keywords), theirs(x, **keywords))
        out = np.empty((30, 82), ">i2")[:, ::2]
        assert ours(x, 4, output=out) is out
        np.testing.assert_array_equal(out, theirs(x, 4))
        again = x.copy()
        assert ours(again, 4, output=again) is again
        np.testing.assert_array_equal(again, theirs(x, 4))
        np.testing.assert_array_equal(ours(x[::2, ::-3], 3), theirs(x[::2, ::-3], 3))
        assert ours(np.empty((2, 0, 3)), 3).shape == (2, 0, 3)
        for dtype in ("u1", "f4"):
            large = drawn((300, 170), dtype)
            one = ours(large, 9, threads=1)
            np.testing.assert_array_equal(ours(large, 9, threads=3), one)
            for size in (3, 9, 31):
                reach = size // 2
                part = ours(np.ascontiguousarray(large[90:200, 13:101]), size)[reach:-reach, reach:-reach]
                whole = ours(large, size)[90 + reach : 200 - reach, 13 + reach : 101 - reach]
                np.testing.assert_array_equal(part, whole)
    z = drawn((9, 8), "c8")
    both = [m.uniform_filter(z, 3, mode="constant", cval=1 + 2j) for m in (ndi, scipy)]
    agree(*both, single=True)


def test_nan_and_infinity_stay_within_their_windows() -> None:
    x = drawn((60, 60), "f8")
    for dtype in ("f4", "f8"):
        for call in (ndi.uniform_filter, ndi.maximum_filter, ndi.minimum_filter):
            y = x.astype(dtype)
            want = call(y, 7)
            y[30, 20] = np.nan
            got = call(y, 7)
            assert np.isnan(got[27:34, 17:24]).all()
            got[27:34, 17:24] = want[27:34, 17:24]
            np.testing.assert_array_equal(got, want)
            y[30, 20] = np.inf
            assert np.isinf(call(y, 7)).sum() in (0, 49)


def test_calls_that_are_repeated() -> None:
    """They are remembered by their arguments; other views, values and options are not taken for those."""
    rng = np.random.default_rng(12)
    arrays = [(rng.random((20, 30)) * 200).astype(d) for d in ("u1", "f4", "u1")]
    arrays += [arrays[0].T, arrays[0][:, ::2], arrays[0].astype(">u2")]
    names = ("uniform_filter", "maximum_filter", "grey_erosion", "grey_dilation", "median_filter")
    for _ in range(4):
        for name, x, size, mode in itertools.product(names, arrays, (3, 4), ("nearest", "constant")):
            given: dict[str, Any] = {"size": size, "mode": mode, "cval": 7, "origin": size // 4}
            agree(getattr(ndi, name)(x, **given), getattr(scipy, name)(x, **given), single=True)
        for x, value, mode in itertools.product(arrays, (1, 2), ("nearest", "constant")):
            given = {"mode": mode, "cval": 7}
            calls: list[tuple[str, tuple[float, ...]]] = [
                ("gaussian_filter", (value,)), ("gaussian_filter", (1, value)), ("sobel", (value - 1,)),
                ("uniform_filter1d", (4, value - 1)), ("maximum_filter1d", (3, value - 1)),
                ("minimum_filter1d", (1 + value,)), ("laplace", ()),
                ("gaussian_laplace", (value,)), ("gaussian_gradient_magnitude", (value,)),
            ]  # fmt: skip
            for name, args in calls if x.dtype != "u1" else calls[:6]:
                agree(getattr(ndi, name)(x, *args, **given), getattr(scipy, name)(x, *args, **given), single=True)
    for name in names:
        with F.options(backend="numpy"):
            agree(getattr(ndi, name)(arrays[1], 3), getattr(scipy, name)(arrays[1], 3), single=True)
            assert F.plan(getattr(ndi, name), arrays[1], 3).kernel.startswith("numpy")


def test_means_do_not_drift() -> None:
    """A large element leaves no trace behind its windows; SciPy's running sums lose what follows."""
    x = np.ones(1000)
    x[10] = 1e18
    np.testing.assert_array_equal(ndi.uniform_filter1d(x, 5)[13:], 1)


@pytest.mark.parametrize("name", MORPHOLOGY)
@pytest.mark.parametrize("dtype", ["?", "u1", "i2", "f4", "f8"])
def test_grey_morphology(name: str, dtype: str) -> None:
    if dtype == "?" and name.startswith("morphological"):
        pytest.skip("bools have no difference")
    ours, theirs = getattr(ndi, name), getattr(scipy, name)
    x = drawn((23, 34), dtype)
    cross = scipy.generate_binary_structure(2, 1)
    heights = np.array([[1.0, 0, 2, 1], [0, 3, 0.5, 1]])
    for keywords in (
        {"size": (3, 4)}, {"size": 5, "mode": "wrap", "origin": (1, -2)}, {"footprint": cross, "mode": "mirror"},
        {"structure": heights}, {"structure": heights, "footprint": heights > 0, "mode": "constant", "cval": 3},
        {"footprint": [[1, 0, 1, 1]], "origin": (0, 1)}, {"size": (4,), "axes": (0,)},
        {"footprint": [1, 0, 1], "axes": 1}, {"structure": np.zeros((3, 4)), "origin": (1, -2), "mode": "mirror"},
        {"structure": np.zeros((2, 3)), "footprint": [[1, 0, 1], [1, 1, 1]]}, {"structure": np.full((3, 3), 7)},
        {"size": 3, "output": np.empty((23, 34), dtype)},
    ):  # fmt: skip
        np.testing.assert_array_equal(ours(x, **keywords), theirs(x, **keywords), err_msg=str(keywords))


def test_footprints_in_tiles_and_by_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numpy_footprint, "TILE", 20)
    for shape, dtype in (((17, 9), "u1"), ((3, 5, 6), "f4"), ((40,), "i8")):
        x, shape_of = drawn(shape, dtype), (3,) * len(shape)
        chosen = np.random.default_rng(1).random(shape_of) < 0.6
        heights = np.random.default_rng(2).integers(0, 9, shape_of)
        for mode in BOUNDARIES:
            want = scipy.grey_erosion(x, footprint=chosen, structure=heights, mode=mode, cval=2)
            flat = scipy.maximum_filter(x, footprint=chosen, mode=mode, cval=2.5)
            for backend in ("numpy", "reference"):
                with F.options(backend=backend):
                    got = ndi.grey_erosion(x, footprint=chosen, structure=heights, mode=mode, cval=2)
                    np.testing.assert_array_equal(got, want)
                    np.testing.assert_array_equal(ndi.maximum_filter(x, footprint=chosen, mode=mode, cval=2.5), flat)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda m: m.uniform_filter1d([1, 2], 0), RuntimeError, "incorrect filter size"),
        (lambda m: m.uniform_filter1d([1, 2], 2, origin=1), ValueError, "invalid origin"),
        (lambda m: m.minimum_filter1d([1, 2], 2, axis=1), np.exceptions.AxisError, "axis 1"),
        (lambda m: m.maximum_filter([1j], 2), TypeError, "Complex type not supported"),
        (lambda m: m.maximum_filter([1, 2]), RuntimeError, "no footprint provided"),
        (lambda m: m.maximum_filter([1, 2], footprint=[0, 0]), ValueError, "All-zero footprint"),
        (lambda m: m.maximum_filter([[1, 2]], footprint=[1, 0, 1]), RuntimeError, "must match"),
        (lambda m: m.minimum_filter([1, 2], footprint=[1, 0, 1], mode=["wrap"]), RuntimeError, "sequence of modes"),
        (lambda m: m.grey_erosion([1, 2]), ValueError, "must be specified"),
        (lambda m: m.uniform_filter([1, 2], (1, 2)), RuntimeError, "length equal"),
    ],
)
def test_errors_are_scipys(call: Callable[[Any], Any], error: type[Exception], text: str) -> None:
    for module in (scipy, ndi):
        with pytest.raises(error, match=text):
            call(module)


def test_a_size_beside_a_footprint_is_warned_of_once() -> None:
    for name in ("minimum_filter", "grey_opening", "black_tophat"):
        with pytest.warns(UserWarning, match="ignoring size") as found:
            getattr(ndi, name)([3, 1, 4], size=2, footprint=[1, 0, 1])
        assert len(found) == 1 and found[0].filename == __file__


@pytest.mark.parametrize("taps", [2, 3, 4, 31, 64, 77])
def test_doublings_are_the_window(taps: int) -> None:
    covered = [at + i for some, at in doublings(taps) for i in range(some)]
    assert covered == list(range(taps))
