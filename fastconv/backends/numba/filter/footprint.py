"""Extrema of windows of any shape, with Numba, and what are these of bools: binary erosion and dilation."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np

from fastconv.backends.numba.base import address, cell
from fastconv.backends.numba.filter.neighbors import Blocks, blocks_of_windows, neighbors_loop, neighbors_scratch
from fastconv.backends.numba.filter.shared import NumbaFilter, as_elements, combiner, vector_lanes
from fastconv.core.caches import keep_few
from fastconv.core.costs import Counts, Features
from fastconv.core.kernel import Bind, Run
from fastconv.core.problems.binary import BinaryProblem
from fastconv.core.problems.filter import numeric
from fastconv.core.problems.footprint import FootprintProblem
from fastconv.core.problems.neighbors import Neighbors

BYTE, DOUBLE = np.dtype(np.uint8), np.dtype(np.float64)
RAISED = 1.3  # times as long as a flat one takes a tap with a height


@keep_few()
def _window(p: FootprintProblem) -> Neighbors:
    taps = np.zeros(p.window, np.uint8)
    taps.flat[list(p.chosen)] = 1
    return Neighbors(p.window, p.before, p.mode, p.cval, None if taps.all() else taps.tobytes())


def _counts(blocks: Blocks, taps: float, held: np.dtype, acc: np.dtype) -> dict[str, float]:
    return {"tap": blocks.computed * taps / vector_lanes(acc), **blocks.counts(held, acc)}


class NumbaFootprint(NumbaFilter):
    """Any footprint and dtype."""

    algorithm = "footprint"
    row = "numba.footprint"

    def _dtypes(self, p: FootprintProblem) -> tuple[np.dtype, np.dtype]:
        """Of elements that are loaded, and of results."""
        return (numeric(p.dtype) if p.heights else p.acc), p.acc

    def _blocks(self, p: FootprintProblem) -> Blocks:
        return blocks_of_windows(p.shape, _window(p), DOUBLE if p.heights else p.acc)

    def steps(self, problem: FootprintProblem) -> Features:
        p = problem
        counts: Counts = _counts(self._blocks(p), len(p.chosen) * (RAISED if p.heights else 1), *self._dtypes(p))
        return Features({"call": 1, "bytes": p.bytes, **counts})

    def scratch(self, problem: FootprintProblem) -> int:
        return neighbors_scratch(self._blocks(problem), *self._dtypes(problem))

    def error(self, problem: FootprintProblem) -> float:
        return 0.0

    def specialise(self, problem: FootprintProblem, threads: int) -> Bind:
        p, blocks, window = problem, self._blocks(problem), _window(problem)
        dtypes, elements, largest = self._dtypes(p), numeric(p.dtype), int(p.join == "max")
        fill = as_elements(as_elements(np.array([p.cval]), elements), dtypes[0])
        if p.heights:
            combine = combiner("heights", DOUBLE, largest, cell(elements))
        else:
            combine = combiner("chosen", p.acc, largest)
        seconds = self.seconds(p)
        loop = neighbors_loop(p, window, blocks, dtypes, fill, combine, threads, seconds, self.scratch(p))
        offsets = blocks.offsets(window)
        if not p.heights:
            flat = loop.bound(np.concatenate(([offsets.size], offsets)).astype(np.int64, copy=False))
            return lambda constants: flat

        def bind(constants: tuple[Any, ...]) -> Run:
            heights = p.signed(np.ascontiguousarray(constants[0], DOUBLE))
            rounded = as_elements(heights, elements)
            table = np.concatenate(([offsets.size, address(heights), address(rounded)], offsets))
            return loop.bound(table.astype(np.int64, copy=False), heights, rounded)

        return bind


class NumbaBinary(NumbaFilter):
    """As bytes, of which any but 0 is true: one walk over the array for each iteration."""

    algorithm = "bytes"
    row = "numba.footprint"

    def _blocks(self, p: BinaryProblem) -> Blocks:
        return blocks_of_windows(p.shape, p.window, BYTE)

    def reject(self, problem: BinaryProblem) -> str | None:
        return "an empty window" if problem.window.total == 0 else super().reject(problem)

    def steps(self, problem: BinaryProblem) -> Features:
        p = problem
        counts: Counts = _counts(self._blocks(p), p.window.total, BYTE, BYTE)
        passes = 1 + 2 * p.masked + (p.iterations == 0)  # each of NumPy's over bools about as long as a walk to memory
        return Features({"call": 1, "bytes": p.bytes * passes, **counts}) * p.rounds

    def scratch(self, problem: BinaryProblem) -> int:
        return neighbors_scratch(self._blocks(problem), BYTE, BYTE)

    def workspace(self, problem: BinaryProblem) -> int:
        return self.scratch(problem) + 5 * problem.size

    def error(self, problem: BinaryProblem) -> float:
        return 0.0

    def specialise(self, problem: BinaryProblem, threads: int) -> Bind:
        p, blocks = problem, self._blocks(problem)
        combine, scratch = combiner("chosen", BYTE, int(p.join == "max")), self.scratch(p)
        fill = np.array([bool(p.window.cval)]).astype(BYTE)
        seconds = self.seconds(p) / p.rounds
        loop = neighbors_loop(p, p.window, blocks, (BYTE, BYTE), fill, combine, threads, seconds, scratch)
        offsets = blocks.offsets(p.window)
        once = loop.bound(np.concatenate(([offsets.size], offsets)).astype(np.int64, copy=False))

        def bind(constants: tuple[Any, ...]) -> Run:
            kept = ~constants[0].ravel() if p.masked else None

            def run(x: np.ndarray, out: np.ndarray) -> None:
                given = x.view(np.uint8) != 0 if p.iterations == 0 or p.masked else x
                for i in count(1):
                    made = out if i == p.iterations else np.empty(p.size, bool)
                    once(given, made)
                    if kept is not None:
                        np.copyto(made, given, where=kept)
                    if i == p.iterations:
                        return
                    if p.iterations == 0 and np.array_equal(given, made):
                        out[...] = made
                        return
                    given = made

            return run

        return bind


KERNELS = (NumbaFootprint(),)
BINARIES = (NumbaBinary(),)
