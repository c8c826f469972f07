"""Extrema of footprints on NumPy: tiles of the array, one comparison for each element of the footprint."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from fastconv.backends.common.integers import as_stored
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.numbers import ceil_div, slices
from fastconv.core.problems.footprint import FootprintProblem
from fastconv.core.problems.separable import beyond

TILE = 1 << 15  # results


def tile_of(shape: tuple[int, ...], window: tuple[int, ...]) -> tuple[int, ...]:
    """Results of one tile along each axis: rows of the last axis first; at least as many as a window has elements."""
    found, left = [], TILE
    for extent, taps in zip(shape[::-1], window[::-1], strict=True):
        some = max(1, min(extent, max(left, taps)))
        found.append(some)
        left = max(1, left // some)
    return tuple(found[::-1])


class NumpyFootprint(Kernel[FootprintProblem]):
    """Any footprint."""

    backend = "numpy"
    algorithm = "footprint"
    row = "numpy.footprint"

    def reject(self, problem: FootprintProblem) -> str | None:
        return None

    def features(self, problem: FootprintProblem) -> Features:
        p = problem
        tile = tile_of(p.shape, p.window)
        tiles = prod(ceil_div(n, t) for n, t in zip(p.shape, tile, strict=True))
        steps = len(p.chosen) * (1 + p.heights) + 6
        return Features({"call": tiles * steps, "bytes": p.bytes, "element": p.size * steps})

    def workspace(self, problem: FootprintProblem) -> int:
        p = problem
        tile = tile_of(p.shape, p.window)
        extended = prod(t + k - 1 for t, k in zip(tile, p.window, strict=True))
        return 3 * extended * p.acc.itemsize + 4 * prod(tile) * p.acc.itemsize + 64 * sum(tile) + (1 << 14)

    def error(self, problem: FootprintProblem) -> float:
        return 0.0

    def prepare(self, problem: FootprintProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        heights = p.signed(constants[0]) if p.heights else None

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            given, made = x.reshape(p.shape), out.reshape(p.shape)
            for tile in _tiles(p.shape, tile_of(p.shape, p.window)):
                made[tile] = as_stored(_chosen_extrema(p, heights, _extended(p, given, tile), made[tile].shape), p.out)

        return run


def _tiles(shape: tuple[int, ...], tile: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    return product(*(list(slices(n, t)) for n, t in zip(shape, tile, strict=True)))


def _extended(p: FootprintProblem, x: np.ndarray, tile: tuple[slice, ...]) -> np.ndarray:
    """The elements that the windows of a tile read, bools as bytes."""
    ats = [
        beyond(np.arange(s.start - before, s.stop - before + taps - 1), extent, p.mode)
        for s, before, taps, extent in zip(tile, p.before, p.window, p.shape, strict=True)
    ]
    elements = x[np.ix_(*(np.maximum(at, 0) for at in ats))]
    elements = elements.view(np.uint8) if p.dtype.kind == "b" else elements
    for axis, at in enumerate(ats):
        if at.min() < 0:
            elements[(slice(None),) * axis + (at < 0,)] = as_stored(np.array([p.cval]), elements.dtype)
    return elements


def _chosen_extrema(
    p: FootprintProblem, heights: np.ndarray | None, elements: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:  # fmt: skip
    """As in SciPy, heights are those of the input's dtype, which wraps around; but the first one is float64."""
    join = np.minimum if p.join == "min" else np.maximum
    rounded = None if heights is None else as_stored(heights, elements.dtype)
    best: np.ndarray | None = None
    for i, flat in enumerate(p.chosen):
        at = np.unravel_index(flat, p.window)
        part = elements[tuple(slice(int(a), int(a) + n) for a, n in zip(at, shape, strict=True))]
        if heights is not None and rounded is not None:
            part = part + rounded[i] if i else part.astype(np.float64) + heights[0]
        part = part.astype(p.acc, copy=False)
        best = part if best is None else join(best, part)
    assert best is not None
    return best


KERNELS = (NumpyFootprint(),)
