"""Correlations along one axis after the other on NumPy: blocks of lines, one addition for each weight.

Sums are added in the order of SciPy's: of symmetric weights, the middle one first, then pairs from the outermost on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from fastconv.backends.common.integers import as_stored
from fastconv.backends.common.sums import filter_sum, filter_sum_error
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, epsilon, summation_error
from fastconv.core.numbers import ceil_div, slices
from fastconv.core.problems.separable import Pass, SeparableProblem, SumProblem, beyond, lines, symmetry
from fastconv.core.problems.window import WindowProblem

Filtered: TypeAlias = SeparableProblem | WindowProblem
# From elements (lines, along, lines) and the number of results, those results.
Combine: TypeAlias = Callable[[np.ndarray, int], np.ndarray]

BLOCK = 1 << 15  # sums of a block
PIECE = 1 << 13  # along a line
NARROW = 16  # adjacent lines that share cache lines


def block_of_lines(outer: int, length: int, inner: int) -> tuple[int, int, int]:
    """Results of one block, along each axis of `lines`."""
    along = min(length, PIECE)
    across = min(inner, max(NARROW, BLOCK // max(along, 1)))
    return max(1, BLOCK // max(1, along * across)) if across == inner else 1, max(along, 1), max(across, 1)


def bytes_of_lines(p: Filtered, acc: np.dtype) -> int:
    """Scratch of `filter_lines`."""
    most = 0
    for step in p.passes:
        outer, length, inner = lines(p.shape, step.axis)
        rows, along, columns = block_of_lines(outer, length, inner)
        count, taps = min(length, max(along, 2 * step.taps)), step.taps
        most = max(most, rows * columns * (5 * count + 5 * taps) * acc.itemsize + (count + taps) * 32)
    return most + (1 << 14)


class NumpySeparable(Kernel[SeparableProblem]):
    """Any filter."""

    backend = "numpy"
    algorithm = "lines"
    row = "numpy.separable"

    def reject(self, problem: SeparableProblem) -> str | None:
        return None

    def features(self, problem: SeparableProblem) -> Features:
        p = problem
        calls, elements = 0.0, 0.0
        for step in p.passes:
            outer, length, inner = lines(p.shape, step.axis)
            a, b, c = block_of_lines(outer, length, inner)
            calls += ceil_div(outer, a) * ceil_div(length, b) * ceil_div(inner, c) * (step.taps + 8)
            elements += p.size * (step.taps + 6)
        return Features({"call": calls, "bytes": p.bytes, "element": elements})

    def workspace(self, problem: SeparableProblem) -> int:
        return bytes_of_lines(problem, problem.acc)

    def error(self, problem: SeparableProblem) -> float:
        p = problem
        if p.out.kind not in "f":
            return 0.0
        return summation_error(epsilon(p.acc), p.terms) + epsilon(p.out) * len(p.passes)

    def prepare(self, problem: SeparableProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        steps = [(step, w.astype(p.acc), symmetry(w)) for step, w in zip(p.passes, constants, strict=True)]

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            for i, (step, weights, kind) in enumerate(steps):
                combine = partial(_sums, weights=weights, kind=kind)
                filter_lines(p, step, p.acc, combine, out if i else x, out, in_place=i > 0)

        return run


class NumpySum(Kernel[SumProblem]):
    """Sums of such filters, one after the other."""

    backend = "numpy"
    algorithm = "lines"
    row = "numpy.separable"

    def reject(self, problem: SumProblem) -> str | None:
        return None

    def features(self, problem: SumProblem) -> Features:
        parts = [NumpySeparable().features(part) for part in problem.filters]
        return sum(parts[1:], parts[0])

    def workspace(self, problem: SumProblem) -> int:
        p = problem
        return max(bytes_of_lines(part, p.acc) for part in p.filters) + p.size * p.out.itemsize

    def error(self, problem: SumProblem) -> float:
        return filter_sum_error(problem)

    def prepare(self, problem: SumProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p, one = problem, NumpySeparable()
        runs = [one.prepare(*of, threads) for of in zip(p.filters, p.split(constants), strict=True)]
        return filter_sum(p, runs)


def filter_lines(
    p: Filtered, step: Pass, acc: np.dtype, combine: Combine, x: np.ndarray, out: np.ndarray, in_place: bool,
) -> None:  # fmt: skip
    """One pass, whose elements are combined in the dtype `acc`."""
    across = lines(p.shape, step.axis)
    x, out = x.reshape(across), out.reshape(across)
    rows, along, columns = block_of_lines(*across)
    for some in slices(across[0], rows):
        for inner in slices(across[2], columns):
            _filter_some(p, step, acc, combine, x[some, :, inner], out[some, :, inner], along, in_place)


def _filter_some(
    p: Filtered, step: Pass, acc: np.dtype, combine: Combine, x: np.ndarray, out: np.ndarray, along: int,
    in_place: bool,
) -> None:  # fmt: skip
    """Some lines, `along` elements at a time.

    In place, a piece takes its first elements from the one before it, and what lies beyond the end repeats elements of
    the last piece, which is not short, or the first ones of the line, which are kept.
    """
    length, overlap = x.shape[1], step.taps - 1
    along = max(along, 2 * step.taps)
    first = x[:, : step.taps].astype(acc) if in_place else None
    carried = None
    start = 0
    while start < length:
        left = length - start
        count = left if left <= along else min(along, left - along // 2)
        at = beyond(np.arange(start - step.before, start - step.before + count + overlap), length, step.mode)
        if first is None or carried is None:
            elements = _padded(x, at, acc, p.cval)
        else:
            begin = start - step.before
            later = _padded(x, at[overlap:], acc, p.cval)
            elements = np.concatenate((carried, later), axis=1)
            for i in np.flatnonzero((at[overlap:] < start) & (at[overlap:] >= 0)) + overlap:  # no longer in memory
                elements[:, i] = elements[:, at[i] - begin] if at[i] >= begin else first[:, at[i]]
        if in_place:
            carried = elements[:, count:].copy()
        out[:, start : start + count] = as_stored(combine(elements, count), p.out)
        start += count


def _padded(given: np.ndarray, at: np.ndarray, acc: np.dtype, cval: float) -> np.ndarray:
    """Elements `at` of lines, in that dtype."""
    padded = given.take(np.maximum(at, 0), axis=1).astype(acc, copy=False)
    if at.size and at.min() < 0:
        padded[:, at < 0] = cval
    return padded


def _sums(padded: np.ndarray, count: int, weights: np.ndarray, kind: int) -> np.ndarray:
    """`count` results from elements (lines, along, lines)."""

    def tap(i: int) -> np.ndarray:
        return padded[:, i : i + count]

    taps = len(weights)
    if not kind:
        sums = tap(taps - 1) * weights[-1]
        for i in range(taps - 1):
            sums += tap(i) * weights[i]
        return sums
    sums = tap(taps // 2) * weights[taps // 2]
    for i in range(taps // 2):
        pair = tap(i) + tap(taps - 1 - i) if kind > 0 else tap(i) - tap(taps - 1 - i)
        pair *= weights[i]
        sums += pair
    return sums


KERNELS = (NumpySeparable(),)
SUMS = (NumpySum(),)
