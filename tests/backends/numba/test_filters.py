"""What only Numba's filters have: vectors of two widths, the bytes of scratch that they state, few compiled functions.

Their results are tested in tests/ndimage, with those of all other kernels.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, get_args

import numpy as np
import pytest

from fastconv.backends.numba import base
from fastconv.backends.numba.filter import lines, neighbors, shared
from fastconv.backends.numba.filter.rank import network
from fastconv.core.caches import forget
from fastconv.core.problems.binary import BinaryProblem
from fastconv.core.problems.footprint import FootprintProblem
from fastconv.core.problems.neighbors import CorrelationProblem, Neighbors, RankProblem
from fastconv.core.problems.separable import Pass, SeparableProblem
from fastconv.core.problems.window import WindowProblem
from fastconv.dispatch.registry import kernels
from fastconv.machines import host_table
from fastconv.typing import BoundaryMode
from tests.guard import guarded, guarded_copy

pytest.importorskip("numba")

MODES: tuple[BoundaryMode, ...] = get_args(BoundaryMode)
WIDTHS = (64, 16)  # bytes


OURS = [(op, k) for op in ("correlation", "separable", "window", "footprint", "binary", "rank") for k in kernels(op)
        if k.backend == "numba"]  # fmt: skip


def numba_kernel(op: str) -> Any:
    return next(k for name, k in OURS if name == op)


Case = tuple[Any, np.ndarray, tuple[np.ndarray, ...]]


def correlations() -> Iterator[Case]:
    """Blocks of rows and of columns, one and many together; colours, volumes; windows wider than the array."""
    rng = np.random.default_rng(0)
    for i, (shape, sizes) in enumerate(
        [((9, 40), (3, 3)), ((70, 700), (5, 4)), ((3, 30), (1, 45)), ((40, 5), (33, 2)), ((20, 60, 3), (3, 2, 1)),
         ((4, 9, 30), (3, 3, 2)), ((5, 6, 4, 70), (2, 1, 3, 1)), ((300,), (7,)), ((0, 3), (3, 3)), ((2, 2000), (3, 30))]
    ):  # fmt: skip
        before = tuple(int(rng.integers(n)) for n in sizes)
        window = Neighbors(sizes, before, MODES[i % 5], 2.5, None)
        for dtype, out in (("f4", "f4"), ("u1", "u1"), ("f8", "i2")):
            x = (rng.standard_normal(shape) * 60).astype(np.int64 if dtype == "u1" else dtype).astype(dtype)
            p = CorrelationProblem(shape, np.dtype(dtype), np.dtype(out), window)
            yield p, x, (rng.standard_normal(sizes).ravel() / 4,)


def drawn_passes(rng: np.random.Generator) -> tuple[tuple[int, ...], tuple[Pass, ...]]:
    """Axes in any order, some of them twice; lines of one piece and of many."""
    shape = ((300,), (40, 90), (7, 500, 3), (3, 40, 70), (9, 1, 20), (4, 0, 5))[rng.integers(6)]
    steps = []
    for _ in range(rng.integers(1, 4)):
        taps = int(rng.integers(2, (6, 30, 90)[rng.integers(3)]))
        steps.append(Pass(int(rng.integers(len(shape))), taps, int(rng.integers(taps)), MODES[rng.integers(5)]))
    return shape, tuple(steps)


def separables() -> Iterator[Case]:
    """Weights of every symmetry."""
    rng = np.random.default_rng(1)
    for i in range(40):
        shape, steps = drawn_passes(rng)
        dtype, out = (("f4", "f4"), ("u1", "u1"), ("f8", "i2"))[i % 3]
        weights = []
        for n, step in enumerate(steps):
            w = rng.standard_normal(step.taps) / step.taps
            weights.append((w, w + w[::-1], w - w[::-1])[(i + n) % 3])
        x = (rng.standard_normal(shape) * 60).astype(np.int64 if dtype == "u1" else dtype).astype(dtype)
        yield SeparableProblem(shape, np.dtype(dtype), np.dtype(out), steps, 2.5), x, tuple(weights)


def windows() -> Iterator[Case]:
    rng = np.random.default_rng(2)
    for i in range(60):
        shape, steps = drawn_passes(rng)
        dtype = np.dtype(("f4", "u1")[i % 2])
        x = (rng.standard_normal(shape) * 60).astype(np.int64 if dtype == "u1" else dtype).astype(dtype)
        join: Any = ("min", "max", "mean")[i // 2 % 3]
        yield WindowProblem(join, shape, dtype, dtype, steps, 3.0), x, ()


def drawn_window(rng: np.random.Generator, ndim: int) -> tuple[tuple[int, ...], Neighbors]:
    shape = tuple(int(n) for n in rng.integers(1, (9, 40, 300)[3 - ndim :]))
    sizes = tuple(int(n) for n in rng.integers(1, 8, ndim))
    taps = rng.random(sizes) < (0.6 if rng.random() < 0.5 else 2)
    taps.flat[0] = True
    before = tuple(int(rng.integers(n)) for n in sizes)
    chosen = None if taps.all() else taps.astype(np.uint8).tobytes()
    return shape, Neighbors(sizes, before, MODES[rng.integers(5)], 3.0, chosen)


def footprints() -> Iterator[Case]:
    """Flat and with heights, that wrap around."""
    rng = np.random.default_rng(3)
    for i in range(40):
        shape, window = drawn_window(rng, 1 + i % 3)
        dtype = np.dtype(("f4", "u1", "f8")[i // 2 % 3])
        x = (rng.standard_normal(shape) * 60).astype(np.int64 if dtype == "u1" else dtype).astype(dtype)
        chosen, heights = tuple(window.flat_offsets().tolist()), rng.integers(-9, 9, window.total).astype(np.float64)
        join: Any = ("min", "max")[i % 2]
        given = window.sizes, window.before, chosen, i % 4 > 1, window.mode, 3.0
        p = FootprintProblem(join, shape, dtype, dtype, *given)
        yield p, x, (heights,) if p.heights else ()


def binaries() -> Iterator[Case]:
    """Masks, several iterations, and until nothing changes."""
    rng, dtype = np.random.default_rng(4), np.dtype(bool)
    for i in range(40):
        shape, window = drawn_window(rng, 1 + i % 3)
        join: Any = ("min", "max")[i % 2]
        window = window._replace(mode="constant", cval=float(i // 4 % 2), before=tuple(n // 2 for n in window.sizes))
        x = rng.random(shape) < (0.9, 0.05)[i % 2]
        p = BinaryProblem(join, shape, dtype, dtype, window, (1, 3, 0)[i % 3], i % 4 > 1)
        yield p, x, (rng.random(x.size) < 0.8,) if p.masked else ()


def ranks() -> Iterator[Case]:
    """First, middle and last ones; NaN and infinities."""
    rng = np.random.default_rng(5)
    for i in range(40):
        shape, window = drawn_window(rng, 1 + i % 3)
        dtype = np.dtype(("f4", "u1", "i2", "f8")[i % 4])
        x = (rng.standard_normal(shape) * 60).astype(np.int64 if dtype.kind in "ui" else dtype).astype(dtype)
        if dtype.kind == "f":
            x[rng.random(shape) < 0.03] = (np.nan, np.inf, -np.inf)[i // 4 % 3]
        yield RankProblem(shape, dtype, dtype, window, (0, window.total // 2, window.total - 1)[i % 3]), x, ()


def test_networks() -> None:
    """Every number of taps up to some, and every rank; of zeros and ones, which is enough for all numbers."""
    for taps in range(1, 12):
        values = (np.arange(1 << taps)[:, None] >> np.arange(taps)) & 1
        for rank in range(taps):
            v = values.copy()
            for low, high in network(taps, rank):
                v[:, low], v[:, high] = v[:, [low, high]].min(1), v[:, [low, high]].max(1)
            np.testing.assert_array_equal(v[:, rank], np.sort(values)[:, rank])


def test_an_image_that_is_filtered_once_is_left_to_others() -> None:
    """Compiling would take a thousand times as long as it gains."""
    table = host_table()
    for op, kernel in OURS:
        p = next(iter(CASES[op]()))[0]
        assert table.seconds(kernel.work(p)) == pytest.approx(kernel.seconds(p) + table.rate("numba/compile"))


CASES = {
    "correlation": correlations, "separable": separables, "window": windows, "footprint": footprints,
    "binary": binaries, "rank": ranks,
}  # fmt: skip


@pytest.fixture
def guarded_scratch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scratch of exactly the bytes that are borrowed, flush against an unreadable page."""

    @contextmanager
    def borrow(nbytes: int) -> Iterator[np.ndarray]:
        yield guarded(nbytes, np.uint8)

    monkeypatch.setattr(base, "borrow", borrow)


@pytest.mark.one_isa
@pytest.mark.usefixtures("guarded_scratch")
@pytest.mark.parametrize(("op", "kernel"), [pytest.param(op, k, id=f"{op}-{k.name}") for op, k in OURS])
def test_vectors_of_two_widths(op: str, kernel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On two threads, in small blocks, so that arrays have many: within the stated scratch, and with NumPy's bits."""
    oracle = next(k for k in kernels(op) if k.backend == "numpy")
    monkeypatch.setattr(shared, "SHARED_SECONDS", 0.0)
    monkeypatch.setattr(base, "worthwhile", lambda threads, seconds: threads)
    for module in (lines, neighbors):
        monkeypatch.setattr(module, "block_bytes", lambda row: 4096)
        monkeypatch.setattr(module, "NARROWEST", 8)
    for width in WIDTHS:
        monkeypatch.setattr(shared, "vector_bytes", lambda width=width: width)
        forget()
        for p, x, constants in CASES[op]():
            assert kernel.reject(p) is None
            want, got = np.empty(p.size, p.out), guarded((p.size,), p.out)
            oracle.prepare(p, constants, 1)(x.ravel(), want)
            kernel.prepare(p, constants, 2)(guarded_copy(x.ravel()), got)
            np.testing.assert_array_equal(got, want, str(p))
    forget()


def test_few_functions_serve_many_filters() -> None:
    """Shapes, windows, modes, weights are run-time arguments."""
    base.compiled_loop.cache_clear()
    for p, x, constants in correlations():
        numba_kernel("correlation").prepare(p, constants, 1)(x.ravel(), np.empty(p.size, p.out))
    # the loop over arrays, sums of floats and of doubles; conversions: copies of both, from u1, to u1, to i2
    assert base.compiled_loop.cache_info().currsize == 8


def test_large_windows_are_refused() -> None:
    p = CorrelationProblem((9, 9), np.dtype("f8"), np.dtype("f8"), Neighbors((2000, 2000), (0, 0), "wrap", 0.0, None))
    assert numba_kernel("correlation").reject(p) == "the window is too large for scratch"
    half = CorrelationProblem((9, 9), np.dtype("f2"), np.dtype("f4"), Neighbors((3, 3), (0, 0), "wrap", 0.0, None))
    assert numba_kernel("correlation").reject(half) == "dtype float16"
