"""Correlations along one axis after the other, native; see _separable.pyx and simd/filter/lines.inc.

The last two axes of an image are filtered at once: a row of sums across is in the cache when it is filtered along.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from fastconv.backends.common.sums import filter_sum_error
from fastconv.backends.cython.filter.bands import BandPlan, FilterWindow, band_plan
from fastconv.backends.cython.filter.flat import MODES, WeightsBinding, filter_type, reject_filter, schedule_flat
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Run, Specialised, epsilon, summation_error
from fastconv.core.numbers import ceil_div, whole_lines
from fastconv.core.problems.separable import Pass, SeparableProblem, SumProblem, commute, lines, symmetry

Kind: TypeAlias = Literal["along", "across", "both"]

MOST_PASSES = 16
PIECE = 1 << 13  # elements along lines for one item
HELD_BYTES = 256 << 10  # of rows that an item holds
BOTH_BYTES = 1 << 20  # of scratch where rows are filtered across and along at once
MOST_BYTES = 4 << 20  # of scratch at all
NARROWEST = 16  # elements of rows that are filtered together, at least
ROWS = 32  # of an item, at least


class Stage(NamedTuple):
    """One or two passes at once."""

    kind: Kind
    in_place: bool
    across: FilterWindow | None
    along: FilterWindow | None
    lines: tuple[int, int, int]
    block: tuple[int, int]

    @property
    def items(self) -> int:
        outer, length, inner = self.lines
        rows, columns = self.block
        if self.kind == "along":
            return ceil_div(outer, columns) * (1 if self.in_place else ceil_div(length, rows))
        return outer * ceil_div(length, rows) * ceil_div(inner, columns)

    @property
    def passes(self) -> int:
        return (self.across is not None) + (self.along is not None)

    def scratch(self, p: SeparableProblem) -> int:
        """Bytes for one item."""
        size, (rows, columns) = p.acc.itemsize, self.block
        if self.along is not None and self.across is None:
            taps = self.along.taps
            head = whole_lines(taps * size) if self.in_place else 0
            return whole_lines(taps * 8) + whole_lines((rows + taps - 1) * size) + whole_lines(rows * size) + head
        assert self.across is not None
        total = whole_lines(self.across.taps * 8) + (2 + _held(p, self.across, self.in_place)) * whole_lines(
            columns * size
        )
        if self.along is not None:
            n, taps = self.lines[2], self.along.taps
            total += whole_lines(taps * 8) + whole_lines((n + taps - 1) * size) + whole_lines(n * 8)
        return total


def _held(p: SeparableProblem, across: FilterWindow, in_place: bool) -> int:
    """Rows that an item across holds: a window if they are converted, in place also older and the first ones."""
    return 3 * across.taps if in_place else across.taps if p.dtype != p.acc else 0


def stages(p: SeparableProblem) -> list[Stage]:
    """The passes, the last two axes together where they are filtered one after the other."""
    windows, weight = [], 0
    for i, step in enumerate(p.passes):
        windows.append(FilterWindow(p.shape[step.axis], step.taps, step.before, MODES.index(step.mode), weight, i))
        weight += step.taps
    found: list[Stage] = []
    while len(windows) > (i := sum(s.passes for s in found)):
        in_place, at = i > 0, lines(p.shape, p.passes[i].axis)
        if i == 0 and len(windows) > 1 and _adjacent(p, p.passes[0], p.passes[1]):
            both = Stage("both", False, windows[0], windows[1], at, (max(ROWS, 4 * windows[0].taps), at[2]))
            if both.scratch(p) <= BOTH_BYTES:
                found.append(both)
                continue
        if at[2] == 1:
            found.append(Stage("along", in_place, None, windows[i], at, _lines_of(at, windows[i], in_place)))
        else:
            found.append(Stage("across", in_place, windows[i], None, at, _rows_of(p, windows[i], at, in_place)))
    return found


def _adjacent(p: SeparableProblem, first: Pass, second: Pass) -> bool:
    """Whether two passes are one across rows and one along them."""
    across, along = lines(p.shape, first.axis), lines(p.shape, second.axis)
    return along[2] == 1 < across[2] == along[1]


def _lines_of(at: tuple[int, int, int], window: FilterWindow, in_place: bool) -> tuple[int, int]:
    """Elements of each line, and lines, of an item; in place, of a piece of each line."""
    outer, length, _ = at
    rows = max(1, min(length, max(PIECE, 4 * window.taps)))
    return rows, max(1, min(outer, PIECE // rows)) if not in_place or length <= PIECE else 1


def _rows_of(p: SeparableProblem, window: FilterWindow, at: tuple[int, int, int], in_place: bool) -> tuple[int, int]:
    """Rows and columns of an item: in place all rows."""
    _, length, inner = at
    size = p.acc.itemsize
    columns = max(NARROWEST, HELD_BYTES // (size * (2 + _held(p, window, in_place)))) // NARROWEST * NARROWEST
    rows = length if in_place else max(ROWS, 4 * window.taps)
    return max(rows, 1), max(1, min(inner, columns))


def _plan_of(
    p: SeparableProblem | SumProblem, parts: tuple[tuple[Pass, ...], ...], magnitude: bool, isa: str
) -> BandPlan | None:
    swaps = p.acc == np.float32 and commute(chain.from_iterable(parts), p.cval)
    plan = band_plan(p.shape, parts, magnitude, native.lanes(isa, p.acc.itemsize), p.acc, swaps)
    return plan if plan is not None and plan.workspace <= MOST_BYTES else None


@keep_few()
def bands_of(p: SeparableProblem, isa: str) -> BandPlan | None:
    """How all passes are done at once, of float arrays."""
    if not p.dtype == p.out == p.acc or p.size == 0:
        return None
    return _plan_of(p, (p.passes,), False, isa)


class Separable(Specialised[SeparableProblem]):
    """Any dtype; sums of float32 or of float64, whose bits are SciPy's."""

    backend = "cython"
    algorithm = "lines"
    row = "cython.separable"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: SeparableProblem) -> str | None:
        p = problem
        if len(p.passes) > MOST_PASSES:
            return f"more than {MOST_PASSES} passes"
        if self.workspace(p) > MOST_BYTES:
            return "windows are too long for scratch"
        return reject_filter(self.isa, p.acc, p)

    def features(self, problem: SeparableProblem) -> Features:
        p = problem
        lanes = native.lanes(self.isa, p.acc.itemsize)
        if plan := bands_of(p, self.isa):
            work = {"multiply": p.size * p.terms / lanes, "element": p.size, "item": plan.items}
            return Features({"call": 1}, work, {"bytes": p.bytes})
        found = stages(p)
        entered = sum(p.size for s in found if s.in_place or p.dtype != p.acc or s.kind == "along")
        items = sum(s.items for s in found)
        work = {"multiply": p.size * p.terms / lanes, "element": entered + p.size * len(p.passes), "item": items}
        return Features({"call": 1}, work, {"bytes": p.bytes * len(found)})

    def workspace(self, problem: SeparableProblem) -> int:
        plan = bands_of(problem, self.isa)
        return max(s.scratch(problem) for s in stages(problem)) if plan is None else plan.workspace

    def error(self, problem: SeparableProblem) -> float:
        p = problem
        if p.out.kind != "f":
            return 0.0
        return summation_error(epsilon(p.acc), p.terms) + epsilon(p.out) * len(p.passes)

    def specialise(self, problem: SeparableProblem, threads: int) -> Bind:
        p = problem
        if plan := bands_of(p, self.isa):
            return banded(self, p, plan, threads)
        _separable = native.compiled("filter._separable")
        dtype, out = filter_type(p.dtype), filter_type(p.out)
        sizes = p.dtype.itemsize, p.out.itemsize
        prepared = _separable.Separable(native.table(self.isa, p.acc), p.size, dtype, out, sizes, p.cval, stages(p))
        schedule_flat(self, p, prepared, threads)
        return FilterBinding(prepared, p.acc)


@keep_few()
def sum_of(p: SumProblem, isa: str) -> BandPlan | None:
    """How all passes of all parts are done at once."""
    return _plan_of(p, p.parts, p.join == "magnitude", isa)


class SeparableSum(Specialised[SumProblem]):
    """Sums of filters of images, or roots of sums of squares, in one pass."""

    backend = "cython"
    algorithm = "lines"
    row = "cython.separable"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: SumProblem) -> str | None:
        if sum_of(problem, self.isa) is None:
            return "passes that are not down the columns of an image and then along its rows"
        return reject_filter(self.isa, problem.acc, problem)

    def features(self, problem: SumProblem) -> Features:
        p, plan = problem, sum_of(problem, self.isa)
        assert plan is not None
        multiply = p.size * p.terms / native.lanes(self.isa, p.acc.itemsize)
        work = {"multiply": multiply, "element": p.size * len(p.parts), "item": plan.items}
        return Features({"call": 1}, work, {"bytes": p.bytes})

    def workspace(self, problem: SumProblem) -> int:
        plan = sum_of(problem, self.isa)
        assert plan is not None
        return plan.workspace

    def error(self, problem: SumProblem) -> float:
        return filter_sum_error(problem)

    def specialise(self, problem: SumProblem, threads: int) -> Bind:
        plan = sum_of(problem, self.isa)
        assert plan is not None
        return banded(self, problem, plan, threads)


def banded(kernel: Any, p: SeparableProblem | SumProblem, plan: BandPlan, threads: int) -> Bind:
    """Runs of a filter in bands."""
    _bands = native.compiled("filter._bands")
    names = native.table_name(kernel.isa, p.acc), native.table(kernel.isa, p.acc)
    prepared = _bands.Bands(*names, p.acc.itemsize, p.cval, plan.parts, plan)
    schedule_flat(kernel, p, prepared, threads)
    return FilterBinding(prepared, p.acc)


ONE = np.ones(1)  # the weight of a pass that leaves an axis as it is


class FilterBinding(WeightsBinding):
    """Of passes: all weights as one array, and what is symmetric among them."""

    __slots__ = ("_dtype", "_prepared")

    def __init__(self, prepared: Any, dtype: np.dtype) -> None:
        super().__init__()
        self._prepared, self._dtype = prepared, dtype

    def bound(self, constants: tuple[Any, ...]) -> Run:
        weights = np.concatenate((*constants, ONE), dtype=self._dtype)
        run: Run = self._prepared.bind(weights, more=np.array([*(symmetry(w) for w in constants), 1], np.intc))
        return run


KERNELS = tuple(Separable(isa) for isa in machine.ISAS)
SUMS = tuple(SeparableSum(isa) for isa in machine.ISAS)
