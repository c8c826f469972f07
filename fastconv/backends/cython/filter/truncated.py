"""Correlations of small integers down columns and along rows, truncated after each axis; native, see _truncated.pyx.

Sums are those of float where a bound shows that they are truncated as SciPy's are.  Kernels learn the weights of a
filter when these are bound; where the bound is too large, as for Gaussians of 16-bit integers, they run the kernel for
all weights, in float64.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastconv.backends.cython.filter.bands import ROWS, FilterWindow, Image, grid_of
from fastconv.backends.cython.filter.flat import MODES, WeightsBinding, filter_type, reject_filter, schedule_flat
from fastconv.backends.cython.filter.separable import Separable
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.arrays import limits_of
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Run, Specialised
from fastconv.core.numbers import ceil_div, round_up, whole_lines
from fastconv.core.problems.filter import FilterProblem
from fastconv.core.problems.separable import SeparableProblem, commute, symmetry

EXACT = 1 << 24  # integers up to this one are floats, too
LARGEST_BOUND = 2.0**-9  # beyond it, too many sums are computed again
MORE_ROUNDINGS = 4  # of the weights, of the comparison, and twice of products without a multiply-add
LEAST_ROWS = 64  # of an item
BYTES = 256
STRIP = 256  # columns of a strip, about
MOST_BYTES = 2 << 20  # of scratch

# Of the sums along an axis: their symmetry; bits that they do not have in the result; what those of float differ by; of
# windows of equal bytes, from `least` on, truncated sums.
KNOWN = np.dtype(
    [("symmetry", "i4"), ("shift", "i4"), ("bound", "f4"), ("has_equal", "i4"), ("least", "i4"), ("equal", "i4", 256)])


def reject_integers(p: FilterProblem) -> str | None:
    """Why numbers are not small integers here; None if they are."""
    if p.dtype.kind not in "biu" or p.dtype.itemsize > 2:
        return "other input than integers of up to 16 bits"
    if p.out.kind not in "iu" or p.out.itemsize > 4:
        return "a result of other numbers than integers of up to 32 bits"
    return None


def sums_of_equals(least: int, w: np.ndarray) -> np.ndarray:
    """Sums of windows of equal elements, for 256 integers from `least` on, in SciPy's order."""
    x, sign = np.arange(least, least + 256, dtype=np.float64), symmetry(w)
    first = w.size // 2 if sign else w.size - 1
    sums = x * w[first]
    for weight in w[: first if sign else w.size - 1]:
        sums = sums + (x + sign * x) * weight
    return sums


class NarrowBinding(WeightsBinding):
    """In narrow arithmetic where the weights allow that, else of the kernel for all weights."""

    __slots__ = ("_bind", "_kernel", "_prepared", "_problem", "_threads")

    def __init__(self, kernel: Any, problem: Any, threads: int) -> None:
        super().__init__()
        self._kernel, self._problem, self._threads = kernel, problem, threads
        self._prepared: Any = None
        self._bind: Bind | None = None

    def bound(self, constants: tuple[Any, ...]) -> Run:
        kernel, p = self._kernel, self._problem
        known = kernel.known(p, constants)
        if known is None:
            if self._bind is None:
                self._bind = kernel.otherwise(p).specialise(p, self._threads)
            return self._bind(constants)
        if self._prepared is None:
            self._prepared = kernel.prepared(p, self._threads)
        run: Run = self._prepared.bind(*known)
        return run


class TruncatedPlan(NamedTuple):
    """How an image is divided, as _truncated.pyx takes it: in pixels, `pitch` in bytes."""

    image: Image
    down: FilterWindow
    along: FilterWindow
    rows: int
    strip: int
    slots: int
    pitch: int
    workspace: int

    @property
    def items(self) -> int:
        return self.image.outer * ceil_div(self.image.height, self.rows)


def truncated_plan(p: SeparableProblem, lanes: int) -> TruncatedPlan | None:
    """One or two passes along adjacent axes; None if there are others."""
    axes = tuple(step.axis for step in p.passes)
    if len(axes) > 2 or len(set(axes)) < len(axes) or p.size == 0 or (grid := grid_of(p.shape, axes)) is None:
        return None
    image, weights = grid.image, sum(step.taps for step in p.passes)
    one = FilterWindow(1, 1, 0, MODES.index("nearest"), weights, len(axes))
    down, along, at = one._replace(extent=image.height), one._replace(extent=image.width), 0
    for i, step in enumerate(p.passes):
        window = FilterWindow(p.shape[step.axis], step.taps, step.before, MODES.index(step.mode), at, i)
        at += step.taps
        if step.axis == grid.down:
            down = window
        else:
            along = window
    strip = min(max(1, STRIP // image.inner), image.width)
    seen, together = (strip + along.taps - 1) * image.inner, max(lanes, ROWS)
    slots, pitch = together + down.taps - 1, whole_lines((round_up(seen, lanes) + lanes) * 4)
    sums = whole_lines((round_up(seen, lanes) + ROWS * image.inner) * lanes * 4)
    workspace = whole_lines(slots * 8) + (slots + 1) * pitch + sums
    rows = round_up(max(LEAST_ROWS, 4 * down.taps), lanes)
    return TruncatedPlan(image, down, along, rows, strip, slots, pitch, workspace)


class Truncated(Specialised[SeparableProblem]):
    """Integers of up to 16 bits; to the bit as SciPy."""

    backend = "cython"
    algorithm = "truncated"
    row = "cython.truncated"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def otherwise(self, _: SeparableProblem) -> Separable:
        """The kernel for all weights."""
        return Separable(self.isa)

    def _plan(self, p: SeparableProblem) -> TruncatedPlan | None:
        return truncated_plan(p, native.lanes(self.isa, 4))

    def reject(self, problem: SeparableProblem) -> str | None:
        p = problem
        if reason := reject_integers(p) or reject_filter(self.isa, native.FLOAT32, p) or self.otherwise(p).reject(p):
            return reason
        if any(step.mode == "constant" for step in p.passes) and not (p.cval % 1 == 0 and abs(p.cval) < EXACT):
            return "a constant beyond the ends that is no integer"
        plan = self._plan(p)
        if plan is None:
            return "other passes than along one axis, or two that are adjacent"
        return "windows are too long for scratch" if plan.workspace > MOST_BYTES else None

    def features(self, problem: SeparableProblem) -> Features:
        p, plan = problem, self._plan(problem)
        assert plan is not None
        lanes = native.lanes(self.isa, 4)
        vectors = p.size / lanes
        work = {"multiply": vectors * (plan.down.taps + plan.along.taps), "vector": vectors, "item": plan.items}
        return Features({"call": 1}, work, {"bytes": p.bytes})

    def workspace(self, problem: SeparableProblem) -> int:
        plan = self._plan(problem)
        assert plan is not None
        return max(plan.workspace, self.otherwise(problem).workspace(problem))

    def error(self, problem: SeparableProblem) -> float:
        return 0.0

    def known(self, p: SeparableProblem, constants: tuple[Any, ...]) -> tuple[np.ndarray | None, ...] | None:
        """What runs bind: weights of float32, none, weights of float64, and what is known of sums along each axis."""
        found, whole = np.zeros(len(constants) + 1, KNOWN), True
        found["symmetry"][-1] = 1
        least, most = limits_of(p.dtype)
        for k, (step, w) in enumerate(zip(p.passes, constants, strict=True)):
            if step.mode == "constant":
                least, most = min(least, int(p.cval)), max(most, int(p.cval))
            largest, sign = float(np.abs(w).sum()) * max(-least, most), symmetry(w)
            if not largest < EXACT:
                return None
            integers = not (w % 1).any()
            whole = whole and integers
            bound = 0.0 if integers else (MORE_ROUNDINGS + (w.size // 2 + 1 if sign else w.size)) * largest / EXACT
            if bound > LARGEST_BOUND:
                return None
            found[k]["symmetry"], found[k]["bound"], found[k]["least"] = sign, bound, least
            if bound and most - least < BYTES:
                found[k]["has_equal"], found[k]["equal"] = True, sums_of_equals(least, w)
            up, down = w[w > 0].sum(), w[w < 0].sum()
            low, high = up * least + down * most, up * most + down * least
            least, most = limits_of(p.out)
            fits = low > least - 1 + bound and high < most + 1 - bound
            if p.out.itemsize < 4:
                found[k]["shift"] = 0 if fits else 32 - 8 * p.out.itemsize
            elif fits or whole:
                least, most = int(np.floor(low)), int(np.ceil(high))
            else:
                return None  # wraps around between axes, and sums of reals do not
        plan = self._plan(p)
        assert plan is not None
        swaps = whole and commute(p.passes, p.cval)
        if len(p.passes) == 2 and plan.down.at == 1 and not swaps:
            return None  # rows come first
        weights = np.concatenate((*constants, np.ones(1)))
        return weights.astype(np.float32), None, weights, found

    def prepared(self, p: SeparableProblem, threads: int) -> Any:
        """What runs in narrow arithmetic share."""
        _truncated = native.compiled("filter._truncated")
        prepared = _truncated.Truncated(
            native.table_name(self.isa, native.FLOAT32), native.table(self.isa, native.FLOAT32), self._plan(p),
            filter_type(p.dtype), (p.dtype.itemsize, p.out.itemsize), p.out.kind == "i", p.cval,
        )  # fmt: skip
        schedule_flat(self, p, prepared, threads)
        return prepared

    def specialise(self, problem: SeparableProblem, threads: int) -> Bind:
        return NarrowBinding(self, problem, threads)


KERNELS = tuple(Truncated(isa) for isa in machine.ISAS)
