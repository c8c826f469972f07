"""What native filters share: modes, which dtypes they take, and how they run on the flat arrays that kernels see."""

from __future__ import annotations

from operator import is_
from typing import Any, get_args

import numpy as np

from fastconv.backends.cython.runtime import native, shared
from fastconv.core.kernel import Bind, Run
from fastconv.core.problems.base import named
from fastconv.core.problems.filter import FilterProblem
from fastconv.typing import BoundaryMode

MODES: tuple[str, ...] = get_args(BoundaryMode)
MOST_KEPT = 4  # runs with weights: of arrays of as many axes, one derivative along each
SHARED_FLOPS = 1e6  # below this, threads cost more than they gain


def filter_type(dtype: np.dtype) -> int:
    """Number of a dtype among those that filters load and store."""
    return shared.FILTER_TYPES.index(named(dtype).rstrip("_"))


def reject_filter(isa: str, types: np.dtype, problem: FilterProblem) -> str | None:
    """Why the table of `types` cannot load and store the arrays of a filter here; None if it can."""
    for dtype in (problem.dtype, problem.out):
        if named(dtype).rstrip("_") not in shared.FILTER_TYPES:
            return f"dtype {named(dtype)}"
    return native.unavailable(isa, types)


def schedule_flat(kernel: Any, problem: FilterProblem, prepared: Any, threads: int, scratch: int | None = None) -> None:
    """Tell a prepared filter what it runs on: `size` adjacent elements in, as many out; None: its workspace."""
    flat, count = native.c_order(problem.size), threads if problem.flops > SHARED_FLOPS else 1
    scratch = kernel.workspace(problem) if scratch is None else scratch
    native.schedule(prepared, scratch, count, native.seconds(kernel, problem), flat, flat)


def without_weights(prepared: Any) -> Bind:
    """The one run of a filter that has no constants."""
    run: Run = prepared.bind()
    return lambda constants: run


class WeightsBinding:
    """Runs with weights; the last ones of read-only weights are kept.

    Named filters pass the same arrays in every call, and some pass several in turns: derivatives along each axis.
    """

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: tuple[tuple[tuple[np.ndarray, ...], Run], ...] = ()

    def bound(self, constants: tuple[Any, ...]) -> Run:
        """A run with these weights."""
        raise NotImplementedError

    def __call__(self, constants: tuple[Any, ...]) -> Run:
        kept = self._kept  # another thread may replace it
        for weights, run in kept:
            if all(map(is_, weights, constants)):
                return run
        run = self.bound(constants)
        if not any(w.flags.writeable for w in constants):
            self._kept = (constants, run), *kept[: MOST_KEPT - 1]
        return run
