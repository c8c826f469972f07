"""What all of these filters share: dtypes, functions that convert elements, modes."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from fastconv.backends.numba.base import CELLS, cell, compiled_loop, missing_numba
from fastconv.core.kernel import Specialised
from fastconv.core.machine import ISAS, host_isas
from fastconv.core.problems.base import named
from fastconv.core.problems.filter import FilterProblem
from fastconv.typing import BoundaryMode

MODES: tuple[str, ...] = get_args(BoundaryMode)
MOST_BYTES = 4 << 20  # of scratch
SHARED_FLOPS = 1e6  # below this, threads cost more than they gain
NV = 4  # vectors of results that are computed together


def vector_bytes() -> int:
    """Bytes of the widest vectors that are allowed here."""
    return ISAS[host_isas()[0]].bytes


def vector_lanes(dtype: np.dtype) -> int:
    return vector_bytes() // dtype.itemsize


def converter(source: np.dtype, target: np.dtype) -> Any:
    """The function that copies elements, and converts them: see loops/convert.py."""
    size = max(source.itemsize, target.itemsize)
    lanes = 2 * vector_bytes() // size
    if source == target:
        same = cell(np.dtype(f"u{size}"))
        return compiled_loop("convert", same, same, lanes)
    return compiled_loop("convert", cell(source), cell(target), lanes)


def combiner(operation: str, dtype: np.dtype, *shape: int) -> Any:
    """The function that combines elements of a dtype, `NV` vectors at a time."""
    return compiled_loop(operation, *shape, cell(dtype), NV, vector_lanes(dtype))


class NumbaFilter(Specialised[Any]):
    """Base of these kernels."""

    backend = "numba"

    def reject(self, problem: FilterProblem) -> str | None:
        absent = missing_numba()
        if absent is not None:
            return absent
        for dtype in (problem.dtype, problem.out):
            if dtype.kind != "b" and dtype.str[1:] not in CELLS:
                return f"dtype {named(dtype)}"
        if self.workspace(problem) > MOST_BYTES:
            return "the window is too large for scratch"
        return None
