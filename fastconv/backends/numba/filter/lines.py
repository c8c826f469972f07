"""How filters along an axis move over an array: pieces of lines, scratch, and the table of their loop."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from fastconv.backends.numba.base import address
from fastconv.backends.numba.filter.shared import MODES, NV, ArrayLoop, converter, vector_lanes
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Run
from fastconv.core.numbers import ceil_div, even_part, whole_lines
from fastconv.core.problems.separable import Pass, SeparableProblem, lines
from fastconv.core.problems.window import WindowProblem
from fastconv.machines import block_bytes

PIECE = "numba.filter/piece"  # what an item has loaded
NARROWEST = 64  # lines side by side that are filtered together, at least
REUSED = 4  # times as many results along a line as a window has elements, if there are so many


class Pieces(NamedTuple):
    """How the lines of one axis are cut; in elements.

    Attributes
    ----------
    outer, length, inner : int
    cols : int
        Lines that lie side by side.
    along : int
        Results of a line.
    parts : int
        Items of a line: its pieces, or 1 if one item computes them all.
    rows : int
        Of elements that a piece loads.
    slack : int
        Elements that are read, or written, after the last one.
    """

    outer: int
    length: int
    inner: int
    cols: int
    along: int
    parts: int
    rows: int
    slack: int

    @property
    def blocks(self) -> int:
        return ceil_div(self.inner, self.cols)

    @property
    def items(self) -> int:
        return self.outer * self.parts * self.blocks

    @property
    def held(self) -> int:
        """Elements of a piece."""
        return self.rows * self.cols + self.slack

    @property
    def computed(self) -> float:
        return float(self.outer * self.length * self.cols * self.blocks)

    @property
    def loaded(self) -> tuple[float, float]:
        """Elements that are loaded, and calls that load or store some."""
        some = self.outer * self.blocks * (self.length + ceil_div(self.length, self.along) * (self.rows - self.along))
        return float(some * self.cols), float(2 * some if self.cols < self.inner else 4 * self.items)


@keep_few()
def pieces_of(shape: tuple[int, ...], step: Pass, dtype: np.dtype, in_place: bool) -> Pieces:
    """For elements that are combined in a dtype."""
    outer, length, inner = lines(shape, step.axis)
    most = block_bytes(PIECE) // dtype.itemsize
    cols = even_part(max(inner, 1), max(NARROWEST, most // ((1 + REUSED) * step.taps)))
    along = max(1, 2 * step.taps, most // cols - step.taps + 1)
    parts = 1
    if not in_place:
        along = even_part(max(length, 1), along)
        parts = ceil_div(max(length, 1), along)
    along = min(along, max(length, 1))
    return Pieces(outer, length, inner, cols, along, parts, along + step.taps - 1, NV * vector_lanes(dtype))


def lines_scratch(pieces: Pieces, step: Pass, dtype: np.dtype) -> int:
    """Bytes of one item: a piece, its results, as much for the function that combines, and the first rows of lines."""
    return 3 * whole_lines(pieces.held * dtype.itemsize) + whole_lines(step.taps * pieces.cols * dtype.itemsize)


def lines_loop(
    p: SeparableProblem | WindowProblem, i: int, acc: np.dtype, combine: Any, threads: int, seconds: float
) -> ArrayLoop:  # fmt: skip
    """The loop of pass `i`, whose elements the function `combine` combines in the dtype `acc`."""
    step, in_place = p.passes[i], i > 0
    pieces = pieces_of(p.shape, step, acc, in_place)
    given = p.out if in_place else p.dtype
    load, copy, store = converter(given, acc), converter(acc, acc), converter(acc, p.out)
    with np.errstate(all="ignore"):
        fill = np.array([p.cval]).astype(acc)
    held = whole_lines(pieces.held * acc.itemsize)
    table = [
        load.address, copy.address, store.address, combine.address, address(fill),
        MODES.index(step.mode), pieces.length, step.taps, step.before, pieces.inner,
        pieces.cols, pieces.blocks, pieces.along, pieces.parts, held, 2 * held, 3 * held,
        in_place and step.mode == "wrap",
    ]  # fmt: skip
    items = pieces.items if prod(p.shape) else 0
    scratch = lines_scratch(pieces, step, acc)
    return ArrayLoop("lines", table, items, threads, seconds, scratch, (load, copy, store, combine, fill))


def passes_of(p: SeparableProblem | WindowProblem, acc: np.dtype) -> list[Pieces]:
    return [pieces_of(p.shape, step, acc, i > 0) for i, step in enumerate(p.passes)]


def passes_scratch(p: SeparableProblem | WindowProblem, acc: np.dtype) -> int:
    """Bytes of one item of the pass that takes the most."""
    of = zip(passes_of(p, acc), p.passes, strict=True)
    return max(lines_scratch(pieces, step, acc) for pieces, step in of)


def passes_counts(
    p: SeparableProblem | WindowProblem, acc: np.dtype, name: str, of_result: Callable[[int], float]
) -> Features:  # fmt: skip
    """What the passes do; `of_result`: what combining the elements of a window takes for a result, by its taps."""
    counts = dict.fromkeys(("call", "bytes", name, "vector", "row"), 0.0)
    lanes = vector_lanes(acc)
    for pieces, step in zip(passes_of(p, acc), p.passes, strict=True):
        loaded, rows = pieces.loaded
        counts["call"] += 1
        counts["bytes"] += p.bytes
        counts[name] += pieces.computed * of_result(step.taps) / lanes
        counts["vector"] += (loaded + 2 * pieces.computed) / lanes
        counts["row"] += rows
    return Features(counts)


def one_after_the_other(runs: list[Run]) -> Run:
    """Passes, all but the first in place."""

    def run(x: np.ndarray, out: np.ndarray) -> None:
        for one in runs:
            one(x, out)
            x = out

    return run
