"""What all of these filters share: dtypes, functions that convert elements, modes, how loops over arrays run."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from fastconv.backends.numba.base import CELLS, address, cell, compiled_loop, missing_numba, run_items
from fastconv.core.costs import Features
from fastconv.core.kernel import Run, Specialised
from fastconv.core.machine import ISAS, host_isas
from fastconv.core.problems.base import named
from fastconv.core.problems.filter import numeric
from fastconv.machines import host_table
from fastconv.typing import BoundaryMode

MODES: tuple[str, ...] = get_args(BoundaryMode)
MOST_BYTES = 4 << 20  # of scratch
SHARED_SECONDS = 3e-4  # of work; below this, threads cost more than they gain
NV = 4  # vectors of results that are computed together


def vector_bytes() -> int:
    """Bytes of the widest vectors that are allowed here."""
    return ISAS[host_isas()[0]].bytes


def vector_lanes(dtype: np.dtype) -> int:
    return vector_bytes() // dtype.itemsize


def converter(source: np.dtype, target: np.dtype) -> Any:
    """The function that copies elements, and converts them: see loops/convert.py."""
    source = numeric(source)
    size = max(source.itemsize, target.itemsize)
    lanes = 2 * vector_bytes() // size
    if source == target:
        same = cell(np.dtype(f"u{size}"))
        return compiled_loop("convert", same, same, lanes)
    return compiled_loop("convert", cell(source), cell(target), lanes)


def as_elements(a: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The elements of an array, as loops load and store them."""
    made = np.empty(a.size, dtype)
    converter(a.dtype, dtype).ctypes(address(a), 0, 1, address(made), 0, a.size)
    return made


def combiner(operation: str, dtype: np.dtype, *shape: int) -> Any:
    """The function that combines elements of a dtype, `NV` vectors at a time."""
    return compiled_loop(operation, *shape, cell(dtype), NV, vector_lanes(dtype))


class ArrayLoop:
    """A loop over an array with everything but the constants of a filter: `bound` makes runs of it.

    Parameters
    ----------
    name : str
        ``neighbors`` or ``lines``.
    table : list of int
        What the loop reads after the address of the table of its combining function.
    items : int
    threads : int
    seconds : float
        Of all items on one thread.
    scratch : int
        Bytes for one item.
    alive : object
        What the table has addresses of.
    """

    def __init__(
        self, name: str, table: list[int], items: int, threads: int, seconds: float, scratch: int, alive: object
    ) -> None:  # fmt: skip
        self._loop, self._table, self._alive = compiled_loop(name), np.array([0, *table], np.int64), alive
        self._how = items, threads if seconds > SHARED_SECONDS else 1, seconds, scratch

    def bound(self, combined: np.ndarray, *arrays: np.ndarray) -> Run:
        """A run whose combining function reads the table `combined`, which may hold addresses of `arrays`."""
        table = self._table.copy()
        table[0] = address(combined)
        at, loop = address(table), self._loop
        items, threads, seconds, scratch = self._how

        def run(x: np.ndarray, out: np.ndarray, alive: object = (self._alive, table, combined, arrays)) -> None:
            places = address(x), address(out)

            def call(lo: int, hi: int, memory: int) -> None:
                loop(lo, hi, *places, memory, at)

            run_items(call, items, threads, seconds, scratch)

        return run


class NumbaFilter(Specialised[Any]):
    """Base of these kernels."""

    backend = "numba"

    def reject(self, problem: Any) -> str | None:
        absent = missing_numba()
        if absent is not None:
            return absent
        for dtype in (problem.dtype, problem.out):
            if dtype.kind != "b" and dtype.str[1:] not in CELLS:
                return f"dtype {named(dtype)}"
        if self.scratch(problem) > MOST_BYTES:
            return "the window is too large for scratch"
        return None

    def steps(self, problem: Any) -> Features:
        """What one run does."""
        raise NotImplementedError

    def features(self, problem: Any) -> Features:
        """With a share of what compiling costs, so that an image that is filtered once is left to other backends."""
        return self.steps(problem) + Features({"numba/compile": 1.0})

    def seconds(self, problem: Any) -> float:
        """Of one run on one thread."""
        return host_table().seconds(self.steps(problem).of(self.rates))

    def scratch(self, problem: Any) -> int:
        """Bytes for one item."""
        raise NotImplementedError

    def workspace(self, problem: Any) -> int:
        return self.scratch(problem)
