"""Ranks of the elements of windows, with Numba: networks of comparisons; of large windows, places in sorted blocks."""

from __future__ import annotations

import numpy as np

from fastconv.backends.numba.base import cell, compiled_loop
from fastconv.backends.numba.filter.neighbors import Blocks, blocks_of_windows, neighbors_loop, neighbors_scratch
from fastconv.backends.numba.filter.shared import NumbaFilter, vector_bytes, vector_lanes
from fastconv.core.caches import keep_tables
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.filter import numeric
from fastconv.core.problems.neighbors import Neighbors, RankProblem

MOST_TAPS = 256  # of a network
NV = 2  # vectors of results: what a network orders stays in the first cache


def compared(p: RankProblem) -> np.dtype:
    """The dtype in which elements are compared: their own, unless it is wide, or lacks the constant value."""
    dtype = numeric(p.dtype)
    if p.dtype != p.out or dtype.kind == "f" or dtype.itemsize > 2:
        return p.acc
    info = np.iinfo(dtype)
    inside = p.window.cval.is_integer() and info.min <= p.window.cval <= info.max
    return dtype if inside or p.window.mode != "constant" else p.acc


@keep_tables(lambda steps: steps.nbytes)
def network(taps: int, rank: int) -> np.ndarray:
    """Pairs of places that are put in order, so that the element of that rank is in its place at last.

    Batcher's merge exchange (Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M), without the steps that the
    result does not depend on.
    """
    steps = []
    top = 1 << max(taps - 1, 1).bit_length() - 1
    p = top if taps > 1 else 0
    while p:
        q, r, d = top, 0, p
        while True:
            steps += [(i, i + d) for i in range(taps - d) if i & p == r]
            if q == p:
                break
            d, q, r = q - p, q // 2, p
        p //= 2
    needed, kept = {rank}, []
    for step in reversed(steps):
        if needed.intersection(step):
            needed.update(step)
            kept.append(step)
    return np.array(kept[::-1], np.int64).reshape(-1, 2)


class NumbaNetwork(NumbaFilter):
    """Any dtype; NaN as SciPy."""

    algorithm = "network"
    row = "numba.rank"

    def reject(self, problem: RankProblem) -> str | None:
        if problem.window.total > MOST_TAPS:
            return f"more than {MOST_TAPS} taps"
        return super().reject(problem)

    def _blocks(self, p: RankProblem) -> Blocks:
        return blocks_of_windows(p.shape, p.window, compared(p))

    def steps(self, problem: RankProblem) -> Features:
        p, blocks, dtype = problem, self._blocks(problem), compared(problem)
        steps = blocks.computed * (len(network(p.window.total, p.rank)) + p.window.total / 2) / vector_lanes(dtype)
        return Features({"call": 1, "bytes": p.bytes, "step": steps, **blocks.counts(dtype, dtype)})

    def scratch(self, problem: RankProblem) -> int:
        dtype = compared(problem)
        return neighbors_scratch(self._blocks(problem), dtype, dtype, problem.window.total * NV * vector_bytes())

    def error(self, problem: RankProblem) -> float:
        return 0.0

    def specialise(self, problem: RankProblem, threads: int) -> Bind:
        p, blocks, dtype = problem, self._blocks(problem), compared(problem)
        shape = int(dtype.kind == "f"), cell(dtype), NV, vector_lanes(dtype)
        combine, scratch = compiled_loop("network", *shape), self.scratch(p)
        fill = np.array([p.window.cval]).astype(dtype)
        seconds = self.seconds(p)
        loop = neighbors_loop(p, p.window, blocks, (dtype, dtype), fill, combine, threads, seconds, scratch)
        steps = network(p.window.total, p.rank)
        head = [p.window.total, p.rank, len(steps)]
        run = loop.bound(np.concatenate((head, blocks.offsets(p.window), steps.ravel())).astype(np.int64, copy=False))
        return lambda constants: run


def _edges(blocks: Blocks, window: Neighbors) -> tuple[np.ndarray, np.ndarray]:
    """Where taps lie in scratch that are the last ones of a run along a row, and those that are the first ones."""
    flat, offsets = window.flat_offsets(), blocks.offsets(window)
    wide = blocks.lines.width[1]
    apart = np.diff(flat) != 1
    ends = np.append(apart, True) | (flat % wide == wide - 1)
    begins = np.insert(apart, 0, True) | (flat % wide == 0)
    return offsets[ends], offsets[begins]


class NumbaOrdinal(NumbaFilter):
    """Any dtype; NaN as SciPy."""

    algorithm = "ordinal"
    row = "numba.rank_ordinal"

    def _blocks(self, p: RankProblem) -> Blocks:
        blocks = blocks_of_windows(p.shape, p.window, compared(p))
        return blocks._replace(together=blocks.rows)

    def _elements(self, blocks: Blocks) -> int:
        return blocks.held - blocks.slack

    def steps(self, problem: RankProblem) -> Features:
        p, blocks, dtype = problem, self._blocks(problem), compared(problem)
        loaded, rows = blocks.loaded
        edges, _ = _edges(blocks, p.window)
        begun = rows / blocks.lines.planes * blocks.lines.inner  # windows that nothing is known of
        words = self._elements(blocks) / 64
        return Features({
            "call": 1, "bytes": p.bytes, "sort": blocks.items * self._elements(blocks) * (1 + dtype.itemsize),
            "flip": p.size * 2 * edges.size + begun * p.window.total, "clear": begun * words, "element": p.size,
            "vector": loaded / vector_lanes(dtype), "row": rows, "item": blocks.items,
        })  # fmt: skip

    def scratch(self, problem: RankProblem) -> int:
        p, blocks, dtype = problem, self._blocks(problem), compared(problem)
        elements = self._elements(blocks)
        words = 8 * ceil_div(elements, 512)
        spare = 16 * elements + 8 * words + 8 * (words // 8 + 1) + 8 * 256
        return neighbors_scratch(blocks, dtype, dtype, max(spare, 12 * elements + p.window.total * dtype.itemsize))

    def error(self, problem: RankProblem) -> float:
        return 0.0

    def specialise(self, problem: RankProblem, threads: int) -> Bind:
        p, blocks, dtype = problem, self._blocks(problem), compared(problem)
        combine, scratch = compiled_loop("ordinal", dtype.itemsize, cell(dtype)), self.scratch(p)
        fill = np.array([p.window.cval]).astype(dtype)
        loop = neighbors_loop(p, p.window, blocks, (dtype, dtype), fill, combine, threads, self.seconds(p), scratch)
        ends, begins = _edges(blocks, p.window)
        head = [p.window.total, p.rank, self._elements(blocks), blocks.pitch, blocks.lines.inner, ends.size]
        table = np.concatenate((head, blocks.offsets(p.window), ends, begins)).astype(np.int64, copy=False)
        run = loop.bound(table)
        return lambda constants: run


KERNELS = (NumbaNetwork(), NumbaOrdinal())
