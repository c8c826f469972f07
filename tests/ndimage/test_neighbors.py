"""Correlations with weights of any shape, and ranks: SciPy's results, to the bit where sums are those of float64."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import ndimage as scipy

import fastconv as F
import fastconv.ndimage as ndi
from fastconv.backends.cython.filter import correlation
from fastconv.core.problems.neighbors import CorrelationProblem, Neighbors, NeighborsProblem, RankProblem
from fastconv.dispatch.registry import kernels
from fastconv.interop.scipy import patch
from fastconv.typing import BoundaryMode
from tests.guard import guarded, guarded_copy
from tests.wide import share

BOUNDARIES: tuple[BoundaryMode, ...] = ("reflect", "constant", "nearest", "mirror", "wrap")
SHAPES = ((), (1,), (300,), (45, 37), (9, 1), (70, 430), (30, 20, 3), (4, 5, 6), (3, 1, 2, 5), (2, 0, 3))
DTYPES = ("?", "u1", "i2", "u4", "i8", "f4", "f8")
KERNELS = [
    k for op in ("correlation", "rank") for k in kernels(op) if k.backend != "reference" and k.algorithm != "histogram"
]
HISTOGRAMS = [k for k in kernels("rank") if k.algorithm == "histogram"]
NUMPY_MODES = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge", "wrap": "wrap", "constant": "constant"}
Kernel = Any


def drawn(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    x = rng.standard_normal(shape) * 50
    return np.asarray(x.astype(dtype) if dtype[0] in "fi" else np.abs(x).astype(dtype))


def agree(got: np.ndarray, want: np.ndarray, single: bool, note: object = "") -> None:
    assert got.shape == want.shape and got.dtype == want.dtype, note
    if single and want.dtype == np.float32:  # sums in float32, SciPy's are in float64
        scale = np.abs(want).max(initial=1)
        np.testing.assert_allclose(got, want, rtol=0, atol=6e-6 * scale, err_msg=str(note))
    else:
        np.testing.assert_array_equal(got, want, str(note))


@pytest.mark.parametrize("dtype", DTYPES)
def test_as_scipy(dtype: str) -> None:
    """Any shape of array and window, mode, origin, dtype of the result, axes."""
    rng = np.random.default_rng(DTYPES.index(dtype))
    for shape in SHAPES:
        x = drawn(rng, shape, dtype)
        for mode in BOUNDARIES:
            sizes = tuple(int(n) for n in rng.integers(1, (12, 12, 6, 4, 3)[len(shape)], len(shape)))
            w = np.asarray(rng.standard_normal(sizes))
            if rng.random() < 0.4:
                w = np.asarray(w * (rng.random(sizes) < 0.5))
            origin = [int(rng.integers(-(n // 2), (n - 1) // 2 + 1)) for n in sizes]
            out = str(rng.choice([dtype, "f8", "i4", "f4"])) if dtype != "?" else "f8"
            for name in ("correlate", "convolve"):
                shift = [min(max(o, -((n - 1) // 2)), (n - 1) // 2) for o, n in zip(origin, sizes, strict=True)]
                given: dict[str, Any] = {"mode": mode, "cval": 2.5, "origin": shift, "output": np.dtype(out)}
                got, want = (getattr(m, name)(x, w, **given) for m in (ndi, scipy))
                agree(got, want, dtype == "f4", (name, shape, sizes, given))
            if x.size == 0 or x.ndim == 1:
                continue  # of one axis, SciPy has another method, which reads beyond the ends of short arrays
            foot = np.asarray(rng.random(sizes) < 0.7)
            foot[(0,) * foot.ndim] = True
            count = int(foot.sum())
            if count < 3:
                continue  # minimum and maximum
            given = {"footprint": foot, "mode": mode, "cval": 3, "origin": origin, "output": np.dtype(out)}
            rank = int(rng.integers(1, count - 1))
            got, want = (m.rank_filter(x, rank, **given) for m in (ndi, scipy))
            agree(got, want, False, ("rank", rank, shape, given))


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8", "i4"])
def test_medians_and_percentiles(dtype: str) -> None:
    rng = np.random.default_rng(1)
    for shape in ((64, 300), (7, 9), (5, 40, 3), (200,)):
        x = drawn(rng, shape, dtype)
        for size in (3, 5, 9, (1, 4, 2)[: len(shape)]):
            for mode in ("reflect", "constant"):
                calls: list[Callable[[Any], np.ndarray]] = [
                    lambda m, x=x, size=size, mode=mode: m.median_filter(x, size, mode=mode),  # type: ignore[misc]
                    lambda m, x=x, size=size, mode=mode: m.percentile_filter(x, -35, size, mode=mode),  # type: ignore[misc]
                ]
                for call in calls:
                    np.testing.assert_array_equal(call(ndi), call(scipy), str((shape, size, mode)))
    x = drawn(rng, (40, 50, 3), dtype)
    np.testing.assert_array_equal(
        ndi.median_filter(x, 5, axes=(0, 1)), np.stack([scipy.median_filter(x[..., c], 5) for c in range(3)], -1)
    )


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "i4"])
def test_the_value_beyond_an_edge_is_an_element(dtype: str) -> None:
    """SciPy's ranks convert it to the dtype of the input, its minima and maxima do not."""
    x = np.random.default_rng(6).integers(0, 9, (7, 8)).astype(dtype)
    for cval in (2.5, -2.5, 300.7):
        for output in (None, np.float64):
            for rank in (0, 3, 7, 12, 24):
                kwargs: dict[str, Any] = {"mode": "constant", "cval": cval, "output": output}
                want = scipy.rank_filter(x, rank, 5, **kwargs)
                np.testing.assert_array_equal(ndi.rank_filter(x, rank, 5, **kwargs), want)
                if rank == 12:
                    np.testing.assert_array_equal(ndi.median_filter(x, 5, **kwargs), want)
                with patch():
                    np.testing.assert_array_equal(scipy.rank_filter(x, rank, 5, **kwargs), want)


def test_large_windows_of_bytes() -> None:
    """More taps than a byte counts."""
    x = np.random.default_rng(2).integers(0, 256, (40, 150), dtype=np.uint8)
    np.testing.assert_array_equal(ndi.median_filter(x, 31), scipy.median_filter(x, 31))
    np.testing.assert_array_equal(ndi.rank_filter(x, 300, (3, 101)), scipy.rank_filter(x, 300, (3, 101)))


def test_nan_and_infinity() -> None:
    """Only windows that have one see it; of ranks, the result is SciPy's."""
    rng = np.random.default_rng(3)
    x = drawn(rng, (40, 90), "f8")
    x[rng.integers(40, size=12), rng.integers(90, size=12)] = [np.nan, np.inf, -np.inf] * 4
    for dtype in ("f4", "f8"):
        a = x.astype(dtype)
        for size in (3, 5, 6):
            np.testing.assert_array_equal(ndi.median_filter(a, size), scipy.median_filter(a, size))
            got = ndi.correlate(a, rng.standard_normal((size, size)))
            np.testing.assert_array_equal(np.isfinite(got), ~scipy.maximum_filter(~np.isfinite(a), size))
    cross = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    np.testing.assert_array_equal(ndi.correlate(x, cross), scipy.correlate(x, cross))


def test_weights_that_are_products() -> None:
    """Two passes, within the bound of float32 sums; not where the border of the second would be another one."""
    rng = np.random.default_rng(4)
    x, w = drawn(rng, (50, 60), "f4"), np.outer(rng.standard_normal(9), rng.standard_normal(8))
    assert F.plan(ndi.correlate, x, w).problem.op == "separable"
    assert F.plan(ndi.correlate, x, w, mode="constant", cval=1).problem.op == "correlation"
    assert F.plan(ndi.correlate, x.astype("f8"), w).problem.op == "correlation"
    for mode in BOUNDARIES:
        agree(ndi.convolve(x, w, mode=mode, origin=(2, -3)), scipy.convolve(x, w, mode=mode, origin=(2, -3)), True)


def test_complex_numbers() -> None:
    rng = np.random.default_rng(5)
    x, w = (rng.standard_normal((*s, 2)) @ [1, 1j] for s in ((20, 30), (3, 4)))
    for a, b in ((x, w), (x.real, w), (x, w.real)):
        for name in ("correlate", "convolve"):
            got, want = (getattr(m, name)(a, b, mode="constant") for m in (ndi, scipy))
            np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda m: m.correlate([[1.0]], [1.0]), RuntimeError, "must match"),
        (lambda m: m.correlate([1.0, 2], [1.0, 2], origin=2), ValueError, "Invalid origin"),
        (lambda m: m.correlate([1.0, 2], [1.0, 2], mode=["wrap"]), RuntimeError, "sequence of modes"),
        (lambda m: m.convolve([[1.0, 2]], np.ones((2, 2)), axes=(0,)), RuntimeError, "must match"),
        (lambda m: m.median_filter([1.0, 2]), RuntimeError, "no footprint or filter size"),
        (lambda m: m.median_filter([1j, 2], 3), TypeError, "Complex"),
        (lambda m: m.rank_filter([1.0, 2], 3, 3), RuntimeError, "rank not within"),
        (lambda m: m.percentile_filter([1.0, 2], 101, 3), RuntimeError, "invalid percentile"),
        (lambda m: m.rank_filter([1.0, 2], 1, 3, origin=2), ValueError, "invalid origin"),
    ],
)
def test_errors_are_scipys(call: Callable[[Any], Any], error: type[Exception], text: str) -> None:
    for module in (scipy, ndi):
        with pytest.raises(error, match=text):
            call(module)


def test_output_may_be_the_input() -> None:
    x = drawn(np.random.default_rng(6), (30, 40), "f8")
    for call in (lambda m, a: m.correlate(a, np.ones((3, 3)), output=a), lambda m, a: m.median_filter(a, 3, output=a)):
        got, want = x.copy(), x.copy()
        call(ndi, got)
        call(scipy, want)
        np.testing.assert_array_equal(got, want)


def drawn_problem(
    rng: np.random.Generator, op: str
) -> tuple[NeighborsProblem, np.ndarray, tuple[np.ndarray, ...], np.ndarray]:  # fmt: skip
    """A problem, an array, constants, and SciPy's result."""
    ndim = int(rng.integers(1, 4))
    shape = tuple(int(n) for n in rng.integers(1, (8, 40, 400)[3 - ndim :]))
    dtype, out = (np.dtype(str(d)) for d in rng.choice(["u1", "i2", "f4", "f8"], 2))
    if rng.random() < 0.6:
        out = dtype
    sizes = tuple(int(n) for n in rng.integers(1, 8, ndim))
    if op == "rank" and rng.random() < 0.4:
        side = int(rng.choice([3, 5]))
        sizes = (1, side, side)[3 - ndim :] if ndim > 1 else sizes
    taps = rng.random(sizes) < (0.6 if rng.random() < 0.4 else 2)
    taps.flat[0] = True
    before = tuple(int(rng.integers(n)) for n in sizes)
    mode = BOUNDARIES[rng.integers(len(BOUNDARIES))]
    window = Neighbors(sizes, before, mode, 3.0, None if taps.all() else taps.astype(np.uint8).tobytes())
    x = (rng.standard_normal(shape) * 60).astype(np.int64 if dtype.kind in "ui" else dtype).astype(dtype)
    origin = [b - n // 2 for b, n in zip(before, sizes, strict=True)]
    if op == "correlation":
        w = rng.standard_normal(sizes) * taps
        want = scipy.correlate(x, w, out, mode, 3.0, origin)
        return CorrelationProblem(shape, dtype, out, window), x, (w[taps],), want
    rank = window.total // 2
    if ndim > 1 and 0 < rank < window.total - 1:
        want = scipy.rank_filter(x, rank, None, taps, out, mode, 3.0, origin)
    else:  # SciPy has other methods
        want = scipy.generic_filter(x, lambda v: np.sort(v)[rank], None, taps, np.float64, mode, 3.0, origin)
        want = want.astype(np.int64 if out.kind in "ui" else out).astype(out)
    return RankProblem(shape, dtype, out, window, rank), x, (), want


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_any_window(kernel: Kernel) -> None:
    """Between guard pages; and threads change no bit."""
    op = "rank" if kernel in kernels("rank") else "correlation"
    rng = np.random.default_rng(7)
    for _ in range(40 if op == "correlation" else 25):
        p, x, constants, want = drawn_problem(rng, op)
        if kernel.reject(p) is not None:
            pytest.skip(kernel.reject(p))
        for at, threads in (("start", 1), ("end", 2)):
            got = guarded((p.size,), p.out, at)
            kernel.prepare(p, constants, threads)(guarded_copy(x.ravel(), at), got)
            agree(got.reshape(p.shape), want, op == "correlation" and p.dtype == p.out, p)


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", [k for k in KERNELS if k.algorithm == "tile"], ids=lambda k: k.name)
def test_sums_that_roll(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """And windows of other heights; few rows; narrow and wide ones, colours, from memory: between guard pages."""
    rng = np.random.default_rng(9)
    for height in share(kernel, [3, 5, 7, 9, 4, 8, 10]):
        for i in range(6):
            monkeypatch.setattr(correlation, "TALL_BYTES", 32 if i > 1 else 64)
            dtype, rows = np.dtype(("f4", "f8")[i % 2]), int(rng.integers(1, 3 * height + 20))
            shape = (rows, int(rng.integers(1, (90, 400)[i // 2 % 2])), *(3,) * (i % 3 == 2))
            sizes = (height, int(rng.choice([3, rng.integers(1, 40)])), 1)[: len(shape)]
            before = tuple(int(rng.integers(n)) for n in sizes)
            p = CorrelationProblem(shape, dtype, dtype, Neighbors(sizes, before, BOUNDARIES[i % 5], 3.0, None))
            x, w = drawn(rng, shape, dtype.str), rng.standard_normal(sizes)
            origin = [b - n // 2 for b, n in zip(before, sizes, strict=True)]
            want = scipy.correlate(x, w, None, p.window.mode, 3.0, origin)
            assert kernel.reject(p) is None
            for at, threads in (("start", 1), ("end", 2)):
                got = guarded((p.size,), dtype, at)
                kernel.prepare(p, (w.ravel(),), threads)(guarded_copy(x.ravel(), at), got)
                agree(got.reshape(shape), want, dtype == np.float32, p)


@pytest.mark.one_isa
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("kernel", [k for k in KERNELS if k.algorithm == "tile"], ids=lambda k: k.name)
def test_long_rows(kernel: Kernel, dtype: str) -> None:
    """Which are computed in parts, from whole vectors in memory on; between guard pages."""
    rng = np.random.default_rng(11)
    cases = ((9, 8320), (3, 3), "constant"), ((40, 4100), (5, 4), "mirror"), ((7, 2900, 3), (4, 3, 1), "wrap")
    for shape, sizes, mode in cases:
        before = tuple(n // 2 for n in sizes)
        p = CorrelationProblem(shape, np.dtype(dtype), np.dtype(dtype), Neighbors(sizes, before, mode, 3.0, None))
        x, w = drawn(rng, shape, dtype), rng.standard_normal(sizes)
        want = scipy.correlate(x, w, None, mode, 3.0)
        for at in ("start", "end"):
            got = guarded((p.size,), p.dtype, at)
            kernel.prepare(p, (w.ravel(),), 1)(guarded_copy(x.ravel(), at), got)
            agree(got.reshape(shape), want, dtype == "f4", p)


@pytest.mark.one_isa
@pytest.mark.parametrize("kernel", HISTOGRAMS, ids=lambda k: k.name)
def test_histograms_of_bytes(kernel: Kernel) -> None:
    """Images of several blocks, colours, volumes; few values and many; between guard pages; threads change no bit."""
    rng = np.random.default_rng(8)
    cases = [
        ((200, 90), (5, 7)), ((3, 5), (9, 8)), ((1, 700), (1, 31)), ((700,), (33,)), ((90, 50, 3), (7, 9, 1)),
        ((9, 40, 30), (3, 4, 5)), ((2, 300, 20), (1, 63, 2)), ((4, 3000), (2, 301)), ((130, 70), (65, 1)),
    ]  # fmt: skip
    for i, (shape, sizes) in enumerate(share(kernel, cases)):
        before = tuple(int(rng.integers(n)) for n in sizes)
        window = Neighbors(sizes, before, BOUNDARIES[i % 5], 77.0, None)
        x = rng.integers(0, (2, 40, 256)[i % 3], shape, dtype=np.uint8)
        x = x if i % 2 else np.sort(x, axis=-1)
        for rank in (0, int(rng.integers(window.total)), window.total - 1):
            p = RankProblem(shape, x.dtype, x.dtype, window, rank)
            assert kernel.reject(p) is None
            padded = [(b, n - 1 - b) for b, n in zip(before, sizes, strict=True)]
            mode = NUMPY_MODES[window.mode]
            given = {"constant_values": 77} if mode == "constant" else {}
            a = np.pad(x, padded, mode, **given)  # type: ignore[call-overload]
            seen = np.lib.stride_tricks.sliding_window_view(a, sizes).reshape(*shape, -1)
            want = np.partition(seen, rank, -1)[..., rank]
            for at, threads in (("start", 1), ("end", 2)):
                got = guarded((p.size,), p.out, at)
                kernel.prepare(p, (), threads)(guarded_copy(x.ravel(), at), got)
                np.testing.assert_array_equal(got.reshape(shape), want, str(p))


def test_histograms_are_chosen_where_they_are_faster() -> None:
    x = np.zeros((300, 300), np.uint8)
    assert "histogram" in F.plan(ndi.median_filter, x, 31).kernel
    assert "histogram" not in F.plan(ndi.median_filter, x, 3).kernel
    for size, reason in (((256, 2), "255 rows"), ((3, 11000), "elements")):
        p = RankProblem((9, 9), x.dtype, x.dtype, Neighbors(size, (0, 0), "wrap", 0.0, None), 1)
        assert reason in str(HISTOGRAMS[0].reject(p))


@pytest.mark.one_isa
def test_repeated_calls_read_what_they_get() -> None:
    """Calls of one shape are found again by their weights, which may change in place, and by how these are placed."""
    rng = np.random.default_rng(31)
    w = rng.standard_normal((3, 4)).astype("f4")
    x = rng.standard_normal((9, 11))
    for round_ in range(3):
        w[round_, 1] += 1
        for weights in (w, w[:, ::-1], np.asfortranarray(w), (w > 0).astype("u1")):
            for how in ({}, {"origin": -1}, {"mode": "constant"}, {"mode": "constant", "cval": 2}, {"mode": "wrap"}):
                for name in ("correlate", "convolve"):
                    for given in ((x, weights), (x.T, weights.T)):
                        want = getattr(scipy, name)(*given, **how)
                        np.testing.assert_array_equal(getattr(ndi, name)(*given, **how), want)


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "i2", "u2", "f4", "f8"])
def test_weights_that_are_all_zero(dtype: str) -> None:
    """No element of the window counts then."""
    rng = np.random.default_rng(6)
    for x in (drawn(rng, (5, 7), dtype), drawn(rng, (40, 300), dtype)):
        for mode, taps in itertools.product(("reflect", "constant"), (1, 3, 5)):
            got = ndi.correlate(x, np.zeros((taps, taps)), mode=mode, cval=3)
            assert got.dtype == x.dtype and not got.any()
