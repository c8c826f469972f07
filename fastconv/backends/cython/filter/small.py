"""Windows of small integers, native; see _small.pyx.

Sobel, Prewitt, Laplace and correlations of bytes: sums of integers times integer weights are right modulo 2^16 in any
order, and so are results of 8 or 16 bits, which wrap around in SciPy, too.  Those of 32 bits are right where the
weights bound them.  Kernels learn the weights of a filter when these are bound; with others than such they run the
kernel for all weights.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastconv.backends.cython.filter.correlation import Correlation
from fastconv.backends.cython.filter.flat import MODES, reject_filter, schedule_flat
from fastconv.backends.cython.filter.truncated import NarrowBinding, Truncated, reject_integers
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.arrays import limits_of
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Specialised
from fastconv.core.numbers import ceil_div, round_up, whole_lines
from fastconv.core.problems.filter import FilterProblem
from fastconv.core.problems.neighbors import CorrelationProblem, Lines, Neighbors, merged
from fastconv.core.problems.separable import SeparableProblem, beyond

SUMS, SUM_DIFFERENCE, DIFFERENCE_SUM, CROSS, PAIRS = range(5)  # windows.h says the same
TOGETHER, PAIRS_TOGETHER = 8, 4  # rows that are computed at once
ROWS = 32  # of an item
SIDE = 3  # rows and elements of a window that is no sum of pairs
MOST_SIDE = 16
MOST_OF_A_PAIR = 128  # sum of its magnitudes, so that 16 bits hold products with bytes
CROSS_TAPS = bytes((0, 1, 0, 1, 1, 1, 0, 1, 0))
LARGEST = 1 << 13  # weights, so that no sum of SciPy's leaves 32 bits
MOST_BYTES = 1 << 20  # of scratch


class Sums(NamedTuple):
    """Which windows; the weights of the middle one of three rows and of three elements; the least sum."""

    kind: int
    rows: int
    elements: int
    low: int


def _three(weights: np.ndarray) -> tuple[int, bool] | None:
    """Of three weights, 1 at the ends, the one in the middle, and whether they are a difference; else None."""
    first, middle, last = weights.tolist()
    if (first, middle, last) == (-1, 0, 1):
        return 0, True
    return (int(middle), False) if first == last == 1 and middle % 1 == 0 and abs(middle) <= LARGEST else None


def _bounded(kind: int, rows: int, elements: int, weights: np.ndarray, p: FilterProblem) -> Sums | None:
    """Such sums of bytes, if those of four bytes in the result differ by less than 2^16."""
    least, most = (255 * int(weights[chosen].sum()) for chosen in (weights < 0, weights > 0))
    return None if p.out.itemsize == 4 and most - least >= 1 << 16 else Sums(kind, rows, elements, least)


def separable_sums(p: SeparableProblem, constants: tuple[Any, ...]) -> Sums | None:
    """Of the weights along the two axes; None if they are others."""
    tall, wide = constants if p.passes[0].axis < p.passes[1].axis else constants[::-1]
    rows, elements = _three(tall), _three(wide)
    if rows is None or elements is None or (rows[1] and elements[1]):
        return None
    kind = DIFFERENCE_SUM if rows[1] else SUM_DIFFERENCE if elements[1] else SUMS
    return _bounded(kind, rows[0], elements[0], np.outer(tall, wide), p)


def cross_sums(p: CorrelationProblem, weights: np.ndarray) -> Sums | None:
    """Of weights that are a cross; None if the ends are not 1."""
    middle = float(weights[2])
    if not (np.delete(weights, 2) == 1).all() or middle % 1 or abs(middle) > LARGEST:
        return None
    return _bounded(CROSS, int(middle), 0, weights, p)


def pairs_of(p: CorrelationProblem, lines: Lines, weights: np.ndarray) -> np.ndarray | None:
    """Sums of integer weights, and their pairs along rows; None if they are too large for lanes of 16 bits."""
    fit = not (weights % 1).any() and np.abs(weights).max(initial=0) < MOST_OF_A_PAIR
    sums = _bounded(PAIRS, 0, 0, weights, p) if fit else None
    if sums is None:
        return None
    tall, wide = lines.height[1], lines.width[1]
    whole = np.zeros((tall, round_up(wide, 2)), np.int8)
    dense = np.zeros(tall * wide, np.int8)
    dense[p.window.flat_offsets()] = weights
    whole[:, :wide] = dense.reshape(tall, wide)
    if np.abs(whole.reshape(-1, 2).astype(np.int32)).sum(1).max() > MOST_OF_A_PAIR:
        return None
    pairs = np.repeat(whole.view(np.int16), 2, axis=1).view(np.int32)
    return np.concatenate((np.array(sums, np.int32), pairs.ravel()))


def _reject_sizes(p: FilterProblem) -> str | None:
    """Why lanes of 16 bits do not hold the numbers; None if they do."""
    if p.dtype == np.int8:
        return "signed bytes"
    if p.dtype.itemsize == 2 and p.out.itemsize != 2:
        return "input of 16 bits with a result of other numbers"
    return None


def _fill(p: FilterProblem, window: Neighbors) -> int | None:
    """The value beyond the ends, if the input could have it; else None."""
    if window.mode != "constant":
        return 0
    least, most = limits_of(p.dtype)
    return int(window.cval) if window.cval % 1 == 0 and least <= window.cval <= most else None


class Small(Specialised[Any]):
    """What both families share: `window` is that of a problem, None with a reason if it has none."""

    backend = "cython"
    algorithm = "small"
    row = "cython.small"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def window(self, p: Any) -> Neighbors | str:
        raise NotImplementedError

    def dots(self, p: Any) -> int:
        """Products of pairs for each vector of results."""
        raise NotImplementedError

    def known(self, p: Any, constants: tuple[Any, ...]) -> tuple[np.ndarray] | None:
        """What runs bind; None if sums are others."""
        raise NotImplementedError

    def otherwise(self, p: Any) -> Specialised[Any]:
        """The kernel for all weights."""
        raise NotImplementedError

    def reject(self, problem: Any) -> str | None:
        p = problem
        found = reject_integers(p) or _reject_sizes(p) or self.window(p)
        if isinstance(found, str):
            return found
        lines = merged(p.shape, found)
        if lines.planes > 1 or max(lines.height[1], lines.width[1]) > MOST_SIDE:
            return f"a window of more than {MOST_SIDE} adjacent rows of {MOST_SIDE} elements"
        if _fill(p, found) is None:
            return "a constant beyond the ends that the input cannot have"
        if self.workspace(p) > MOST_BYTES:
            return "rows are too long for scratch"
        return reject_filter(self.isa, native.FLOAT32, p) or self.otherwise(p).reject(p)

    def _lines(self, p: Any) -> Lines:
        window = self.window(p)
        assert isinstance(window, Neighbors)
        return merged(p.shape, window)

    def features(self, problem: Any) -> Features:
        p, lines = problem, self._lines(problem)
        rows, n, lanes = lines.outer * lines.height[0], lines.width[0] * lines.inner, 2 * native.lanes(self.isa, 4)
        vectors = rows * ceil_div(n, lanes)
        work = {"vector": vectors, "row": rows, "dot": vectors * self.dots(p)}
        return Features({"call": 1}, work, {"bytes": p.bytes})

    def workspace(self, problem: Any) -> int:
        p, lines = problem, self._lines(problem)
        seen = 4 * native.lanes(self.isa, 4) + (lines.width[1] + 1) * lines.inner
        row = whole_lines(lines.width[0] * lines.inner * p.dtype.itemsize)
        own = row + (TOGETHER + lines.height[1] - 1) * whole_lines(seen * p.dtype.itemsize)
        return max(own, self.otherwise(p).workspace(p))

    def error(self, problem: Any) -> float:
        return 0.0

    def specialise(self, problem: Any, threads: int) -> Bind:
        return NarrowBinding(self, problem, threads)

    def prepared(self, p: Any, threads: int) -> Any:
        """What runs of known sums share."""
        _small = native.compiled("filter._small")
        window, lines = self.window(p), self._lines(p)
        assert isinstance(window, Neighbors)
        extent, taps, before = lines.width
        ends = np.concatenate((np.arange(-before, 0), np.arange(extent, extent + taps - 1 - before)))
        prepared = _small.Small(
            native.table_name(self.isa, native.FLOAT32), native.table(self.isa, native.FLOAT32), lines,
            round_up(ROWS, TOGETHER), (p.dtype.itemsize, p.out.itemsize), MODES.index(window.mode), _fill(p, window),
            np.ascontiguousarray(beyond(ends, extent, window.mode), np.intp),
        )  # fmt: skip
        schedule_flat(self, p, prepared, threads)
        return prepared


class SmallSeparable(Small):
    """Two passes of three weights each, which are one window unless what is beyond an end is filtered, too."""

    def window(self, p: SeparableProblem) -> Neighbors | str:
        if len(p.passes) != 2 or len({step.axis for step in p.passes}) != 2:
            return "other than two axes"
        first, second = p.passes
        if first.mode != second.mode:
            return "different values beyond the ends"
        if first.mode == "constant" and p.cval != 0:
            return "a constant beyond the ends that is not 0"
        if first.taps != SIDE or second.taps != SIDE:
            return f"other than {SIDE} weights along each axis"
        sizes, before = [1] * len(p.shape), [0] * len(p.shape)
        for step in p.passes:
            sizes[step.axis], before[step.axis] = step.taps, step.before
        return Neighbors(tuple(sizes), tuple(before), first.mode, p.cval, None)

    def dots(self, _: SeparableProblem) -> int:
        return 0

    def known(self, p: SeparableProblem, constants: tuple[Any, ...]) -> tuple[np.ndarray] | None:
        sums = separable_sums(p, constants)
        return None if sums is None else (np.array(sums, np.int32),)

    def otherwise(self, p: SeparableProblem) -> Specialised[SeparableProblem]:
        real = Truncated(self.isa)
        return real if real.reject(p) is None else real.otherwise(p)


class SmallCorrelation(Small):
    """A cross of three rows and three elements, or a window of bytes."""

    def _is_cross(self, p: CorrelationProblem) -> bool:
        lines = merged(p.shape, p.window)
        return p.window.taps == CROSS_TAPS and lines.height[1] == lines.width[1] == SIDE

    def window(self, p: CorrelationProblem) -> Neighbors | str:
        if p.dtype.itemsize == 1 or self._is_cross(p):
            return p.window
        return "another window than a cross, of other numbers than bytes"

    def dots(self, p: CorrelationProblem) -> int:
        lines = self._lines(p)
        return 0 if self._is_cross(p) else lines.height[1] * ceil_div(lines.width[1], 2)

    def known(self, p: CorrelationProblem, constants: tuple[Any, ...]) -> tuple[np.ndarray] | None:
        (weights,) = constants
        sums = cross_sums(p, weights) if self._is_cross(p) else None
        if sums is not None:
            return (np.array(sums, np.int32),)
        found = pairs_of(p, self._lines(p), weights) if p.dtype.itemsize == 1 else None
        return None if found is None else (found,)

    def otherwise(self, _: CorrelationProblem) -> Correlation:
        return Correlation(self.isa)


SEPARABLE = tuple(SmallSeparable(isa) for isa in machine.ISAS)
CORRELATIONS = tuple(SmallCorrelation(isa) for isa in machine.ISAS)
