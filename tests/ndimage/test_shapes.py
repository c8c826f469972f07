"""Windows of any shape: binary morphology and extrema of footprints are SciPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import ndimage as scipy
from scipy.ndimage import _nd_image

import fastconv as F
import fastconv.ndimage as ndi
from fastconv.backends.cython.filter import bits
from fastconv.backends.cython.filter.shape import WIDEST
from fastconv.core.problems.binary import BinaryProblem
from fastconv.core.problems.footprint import FootprintProblem
from fastconv.core.problems.neighbors import Neighbors
from fastconv.dispatch.registry import kernels
from fastconv.typing import BoundaryMode
from tests.guard import guarded, guarded_copy
from tests.wide import share

MODES: tuple[BoundaryMode, ...] = ("reflect", "constant", "nearest", "mirror", "wrap")
SCIPYS = "nearest", "wrap", "reflect", "mirror", "constant"  # by their numbers
BINARIES = [k for k in kernels("binary") if k.backend != "reference"]
FOOTPRINTS = [k for k in kernels("footprint") if k.backend != "reference" and k.algorithm != "heights"]
HEIGHTS = [k for k in kernels("footprint") if k.backend != "reference" and k.algorithm != "runs"]
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
WIDE = (70, 1, 200), (5, 9, 1300), (3, 40, 64)  # beside drawn ones, extents that fill vectors and strips
Kernel = Any


def drawn_window(rng: np.random.Generator, ndim: int) -> tuple[tuple[int, ...], tuple[int, ...], np.ndarray]:
    """Sizes, elements before a result, taps: some, or runs of them, or all."""
    sizes = tuple(int(n) for n in rng.integers(1, (30, 12, 6, 4)[ndim - 1], ndim))
    taps = rng.random(sizes) < rng.choice([0.3, 0.9, 2])
    taps.flat[rng.integers(taps.size)] = True
    return sizes, tuple(int(rng.integers(n)) for n in sizes), taps


def drawn_shape(rng: np.random.Generator, i: int) -> tuple[int, ...]:
    if i % 5 == 0:
        return WIDE[i // 5 % 3][-int(rng.integers(1, 4)) :]
    ndim = int(rng.integers(1, 5))
    return tuple(int(n) for n in rng.integers(1, (300, 60, 14, 7)[ndim - 1], ndim))


def by_definition(p: BinaryProblem, x: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """By SciPy's plain method: the other one reads outside of the array where an origin is not 0."""
    sizes, before = p.window.sizes, p.window.before
    taps = np.ones(sizes, bool) if p.window.taps is None else np.frombuffer(p.window.taps, bool).reshape(sizes)
    origin = [b - n // 2 for b, n in zip(before, sizes, strict=True)]
    given: dict[str, Any] = {"iterations": p.iterations, "mask": mask, "brute_force": True}
    given["border_value"] = int(p.window.cval)
    if p.join == "min":
        return np.asarray(scipy.binary_erosion(x, taps, origin=origin, **given))
    origin = [-o - (n % 2 == 0) for o, n in zip(origin, sizes, strict=True)]
    return np.asarray(scipy.binary_dilation(x, np.flip(taps), origin=origin, **given))


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", BINARIES, ids=lambda k: k.name)
def test_any_binary_window(kernel: Kernel) -> None:
    """Between guard pages; bytes other than 0 and 1 are true; and threads change no bit."""
    rng = np.random.default_rng(1)
    for i in range(len(share(kernel, range(60)))):
        shape = drawn_shape(rng, i)
        sizes, before, taps = drawn_window(rng, len(shape))
        iterations = int(rng.choice([0, 1, 1, 2, 3, 7, 40]))
        if iterations == 0:
            taps[before] = True  # else there may be no end
        window = Neighbors(
            sizes, before, "constant", float(rng.integers(2)), None if taps.all() else taps.astype(np.uint8).tobytes()
        )
        masked = bool(rng.random() < 0.4)
        join = "min" if i % 2 else "max"
        p = BinaryProblem(join, shape, np.dtype(bool), np.dtype(bool), window, iterations, masked)
        x = (rng.random(shape) < rng.choice([0.1, 0.5, 0.97])) * rng.choice(np.array([1, 2, 128], np.uint8), shape)
        mask = rng.random(shape) < 0.7 if masked else None
        want = by_definition(p, x, mask)
        assert kernel.reject(p) is None
        for at, threads in (("start", 1), ("end", 2)):
            got = guarded((p.size,), bool, at)
            constants = () if mask is None else (guarded_copy(mask.ravel(), at),)
            kernel.prepare(p, constants, threads)(guarded_copy(x.astype(np.uint8).view(bool).ravel(), at), got)
            np.testing.assert_array_equal(got.reshape(shape), want, str(p))


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", FOOTPRINTS, ids=lambda k: k.name)
def test_any_footprint(kernel: Kernel) -> None:
    rng = np.random.default_rng(2)
    dtypes = ("?", "u1", "i1", "u2", "i2", "u4", "i4", "i8", "f4", "f8")
    for i in range(len(share(kernel, range(80)))):
        shape = drawn_shape(rng, i)
        sizes, before, taps = drawn_window(rng, len(shape))
        dtype = out = np.dtype(dtypes[i % len(dtypes)])
        if rng.random() < 0.3 and dtype.kind != "b":
            out = np.dtype(str(rng.choice(["f8", "i4", "u1"])))
        mode, cval = MODES[rng.integers(5)], float(rng.choice([3.0, 2.5, 100]))
        join = "min" if i % 2 else "max"
        chosen = tuple(np.flatnonzero(taps).tolist())
        p = FootprintProblem(join, shape, dtype, out, sizes, before, chosen, False, mode, cval)
        x = rng.standard_normal(shape) * 60
        x = x.astype(dtype) if dtype.kind in "fi" else np.abs(x).astype(dtype)
        if dtype.kind == "f" and i % 3 == 0:
            x.flat[rng.integers(x.size)] = np.inf
        origin = [b - n // 2 for b, n in zip(before, sizes, strict=True)]
        function = scipy.minimum_filter if join == "min" else scipy.maximum_filter
        want = function(x, footprint=taps, output=out, mode=mode, cval=cval, origin=origin)
        assert kernel.reject(p) is None
        for at, threads in (("start", 1), ("end", 2)):
            got = guarded((p.size,), out, at)
            kernel.prepare(p, (), threads)(guarded_copy(x.ravel(), at), got)
            np.testing.assert_array_equal(got.reshape(shape), want, str(p))


def drawn_heights(rng: np.random.Generator, dtype: np.dtype, taps: np.ndarray) -> np.ndarray:
    """Of any size: integers of which sums wrap around, fractions, floats that the dtype does not have."""
    kind, shape = int(rng.integers(5)), taps.shape
    most = float(2 ** (8 * dtype.itemsize)) if dtype.kind in "iu" and dtype.itemsize <= 4 else 300.0
    heights = rng.integers(-5, 6, shape) if kind < 2 else rng.uniform(-1, 1, shape) * most
    heights = heights.astype(float) if kind in (1, 2) else np.rint(heights * rng.choice([0.5, 1]))
    if kind == 4:
        heights.flat[np.flatnonzero(taps)[[0, -1]]] = rng.choice([most - 1, 1 - most, 0.3, -2.7, 1e12])
    return heights


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", HEIGHTS, ids=lambda k: k.name)
def test_any_heights(kernel: Kernel) -> None:
    """Sums wrap around and are compared as in SciPy, also where the first height is no number of the dtype."""
    rng = np.random.default_rng(7)
    dtypes = ("?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")
    for i in range(len(share(kernel, range(330)))):
        shape = drawn_shape(rng, i)
        sizes, before, taps = drawn_window(rng, len(shape))
        dtype = out = np.dtype(dtypes[i % len(dtypes)])
        if dtype.kind == "b":
            out = np.dtype("u1")
        elif rng.random() < 0.2:
            out = np.dtype(str(rng.choice(["f8", "f4", "i4", "u1"])))
        mode, cval = MODES[rng.integers(5)], float(rng.choice([3.0, 2.5, 100]))
        minimum = bool(rng.integers(2))
        chosen = tuple(np.flatnonzero(taps).tolist())
        p = FootprintProblem("min" if minimum else "max", shape, dtype, out, sizes, before, chosen, True, mode, cval)
        heights = drawn_heights(rng, dtype, taps)
        x = rng.standard_normal(shape) * rng.choice([60, 1e5])
        if dtype.kind in "iu" and rng.random() < 0.5:
            ends = np.array([np.iinfo(dtype).min, np.iinfo(dtype).max])
            x = np.where(rng.random(shape) < 0.5, x, rng.choice(ends, shape) / 1.0000001)
        with np.errstate(all="ignore"):
            x = x.astype(dtype) if dtype.kind in "fi" else np.abs(x).astype(dtype)
        want = np.empty(shape, out)
        origin = [b - n // 2 for b, n in zip(before, sizes, strict=True)]
        given = x.view("u1") if dtype.kind == "b" else x
        _nd_image.min_or_max_filter(given, taps, heights, want, SCIPYS.index(mode), cval, origin, minimum)
        assert kernel.reject(p) is None
        for at, threads in (("start", 1), ("end", 2)):
            got = guarded((p.size,), out, at)
            kernel.prepare(p, (heights.ravel()[list(chosen)],), threads)(guarded_copy(x.ravel(), at), got)
            np.testing.assert_array_equal(got.reshape(shape), want, f"{p} {heights.ravel()[list(chosen)][:3]}")


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", BINARIES + FOOTPRINTS, ids=lambda k: k.name)
def test_rows_of_several_strips(kernel: Kernel) -> None:
    shape = (2, 2 * WIDEST + 77)
    x = np.random.default_rng(3).random(shape) < 0.9
    if kernel in BINARIES:
        window = Neighbors((3, 3), (1, 1), "constant", 0.0, CROSS.astype(np.uint8).tobytes())
        p: Any = BinaryProblem("min", shape, np.dtype(bool), np.dtype(bool), window, 2, False)
        want = scipy.binary_erosion(x, CROSS, 2)
    else:
        chosen, f4 = tuple(np.flatnonzero(CROSS).tolist()), np.dtype("f4")
        p = FootprintProblem("min", shape, f4, f4, (3, 3), (1, 1), chosen, False, "reflect", 0.0)
        want = scipy.minimum_filter(x, footprint=CROSS).astype("f4")
    got = np.empty(p.size, p.out)
    kernel.prepare(p, (), 1)(guarded_copy(x.ravel().astype(p.dtype), "end"), got)
    np.testing.assert_array_equal(got.reshape(shape), want)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_nan_stays_in_its_windows(dtype: str) -> None:
    x = np.random.default_rng(3).standard_normal((30, 200)).astype(dtype)
    x[10, [5, 100, 199]] = np.nan
    disk = np.hypot(*np.ogrid[-4:5, -4:5]) <= 4.2
    for name in ("minimum_filter", "maximum_filter", "grey_erosion", "grey_dilation"):
        heights = {"structure": disk * 0.3} if name.startswith("grey") else {}
        got = getattr(ndi, name)(x, footprint=disk, **heights)
        np.testing.assert_array_equal(np.isnan(got), scipy.maximum_filter(np.isnan(x), footprint=disk))


CALLS: dict[str, list[dict[str, Any]]] = {
    "binary_erosion": [{}, {"iterations": 3}, {"structure": np.ones((2, 3)), "border_value": 1}, {"axes": 0}],
    "binary_dilation": [{}, {"structure": [[1, 1, 0, 1]], "axes": (1, 0)}, {"iterations": 0, "border_value": 0}],
    "binary_opening": [{}, {"structure": np.ones((3, 4)), "iterations": 2}],
    "binary_closing": [{}, {"structure": CROSS, "mask": np.ones((23, 70)), "origin": (1, 0), "brute_force": True}],
    "binary_hit_or_miss": [{}, {"structure1": [[0, 1], [1, 1]], "structure2": [[1, 0, 0]], "origin2": (0, -1)}],
    "binary_propagation": [{"mask": np.indices((23, 70)).sum(0) % 7 > 0}],
    "binary_fill_holes": [{}, {"structure": np.ones((3, 3))}, {"axes": (1,)}],
}


@pytest.mark.parametrize("name", CALLS)
def test_every_function_with_every_dtype_and_output(name: str) -> None:
    rng = np.random.default_rng(4)
    ours, theirs = getattr(ndi, name), getattr(scipy, name)
    base = rng.random((23, 70)) < 0.6
    for kwargs in CALLS[name]:
        want = theirs(base, **kwargs)
        for dtype in ("?", "u1", "i2", "u4", "i8", "f4", ">f8"):
            x = base.astype(dtype) * np.array(3).astype(dtype)
            np.testing.assert_array_equal(ours(x, **kwargs), want)
            np.testing.assert_array_equal(ours(np.asfortranarray(x)[:, ::-1], **kwargs), theirs(x[:, ::-1], **kwargs))
        for dtype in ("?", "u1", "f4"):
            made = np.full((23, 140), 9, dtype)[:, ::2]
            returned = ours(base, output=made, **kwargs)
            assert returned is (None if name in ("binary_hit_or_miss", "binary_fill_holes") else made)
            np.testing.assert_array_equal(made, want)
        same = base.copy()
        ours(same, output=same, **kwargs)
        np.testing.assert_array_equal(same, want)
        assert ours(base, output=np.float32, **kwargs).dtype == bool  # as SciPy, whatever the dtype


def test_far_and_narrow_ways_are_followed_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a labyrinth, also where elements that have changed have to wait; and of volumes."""
    way = np.zeros((61, 90), bool)
    way[::4], way[2::8, -1:], way[6::8, :1] = True, True, True
    way[1::8, -1:] = way[3::8, -1:] = way[5::8, :1] = way[7::8, :1] = True
    start = np.zeros_like(way)
    start[0, 0] = True
    volume = np.random.default_rng(5).random((9, 20, 33)) < 0.5
    for stack in (bits.STACK, 1, 3):
        monkeypatch.setattr(bits, "STACK", stack)
        np.testing.assert_array_equal(ndi.binary_propagation(start, mask=way), way)
        np.testing.assert_array_equal(ndi.binary_fill_holes(volume), scipy.binary_fill_holes(volume))
        ours, theirs = (m.binary_erosion(volume, iterations=0, border_value=1) for m in (ndi, scipy))
        np.testing.assert_array_equal(ours, theirs)


def test_no_axes_no_elements_no_taps() -> None:
    for x in (np.array(1), np.array(0), np.zeros((0, 3)), np.ones((2, 0, 3))):
        for name in ("binary_erosion", "binary_dilation", "binary_fill_holes", "binary_opening"):
            np.testing.assert_array_equal(getattr(ndi, name)(x), getattr(scipy, name)(x))
    x = np.arange(6).reshape(2, 3) % 2
    mask = [[1, 0, 1], [1, 1, 0]]
    for name in ("binary_erosion", "binary_dilation"):
        for given in ({}, {"mask": mask}):
            got = getattr(ndi, name)(x, np.zeros((3, 3)), **given)
            np.testing.assert_array_equal(got, getattr(scipy, name)(x, np.zeros((3, 3)), **given))


def test_structures() -> None:
    for rank in range(4):
        for connectivity in range(4):
            ours, theirs = (m.generate_binary_structure(rank, connectivity) for m in (ndi, scipy))
            np.testing.assert_array_equal(ours, theirs)
    for times in (0, 1, 2, 5):
        np.testing.assert_array_equal(ndi.iterate_structure(CROSS, times), scipy.iterate_structure(CROSS, times))
    ours, theirs = (m.iterate_structure([1, 0, 1, 1], 3, -1) for m in (ndi, scipy))
    np.testing.assert_array_equal(ours[0], theirs[0])
    assert ours[1] == theirs[1]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda m: m.binary_erosion([[1, 0]], [1, 1]), RuntimeError, "same dimensionality"),
        (lambda m: m.binary_erosion([[1, 0]], np.ones((3, 0))), RuntimeError, "must not be empty"),
        (lambda m: m.binary_erosion([[1, 0]], np.ones((3, 3)), axes=0), RuntimeError, r"structure.ndim \(2\)"),
        (lambda m: m.binary_erosion([1, 0], mask=[1]), RuntimeError, "equal sizes"),
        (lambda m: m.binary_dilation([1, 0], iterations=1.5), TypeError, "should be an integer"),
        (lambda m: m.binary_erosion([1, 0], border_value=0.5), TypeError, "integer"),
        (lambda m: m.binary_erosion([1j, 0]), TypeError, "Complex type"),
        (lambda m: m.binary_erosion([1, 0], output=np.zeros(2, complex)), TypeError, "Complex output"),
        (lambda m: m.binary_erosion([1, 0], output=np.zeros(3)), RuntimeError, "output shape not correct"),
        (lambda m: m.binary_erosion(np.ones(2, np.float16)), RuntimeError, "data type not supported"),
        (lambda m: m.binary_erosion([1, 0], mask=np.ones(2, complex)), RuntimeError, "data type not supported"),
        (lambda m: m.binary_dilation([1, 0], origin=(0, 1)), RuntimeError, "must have length equal"),
    ],
)
def test_errors_are_scipys(call: Callable[[Any], Any], error: type[Exception], text: str) -> None:
    for module in (scipy, ndi):
        with pytest.raises(error, match=text):
            call(module)


def test_an_origin_outside_of_the_window_is_refused() -> None:
    for origin in (2, -2):
        with pytest.raises(ValueError, match="invalid origin"):
            ndi.binary_erosion([1, 0, 1], origin=origin)


def test_plans() -> None:
    x = np.random.default_rng(6).random((20, 30)) < 0.8
    run = F.plan(ndi.binary_erosion, x, iterations=2, mask=~x)
    np.testing.assert_array_equal(run(x), scipy.binary_erosion(x, iterations=2, mask=~x))
    assert F.plan(ndi.binary_dilation, x).problem.op == "binary"
