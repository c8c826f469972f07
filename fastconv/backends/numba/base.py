"""Base of the kernels of this backend: common reasons to reject, access to compiled loops and memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

import numpy as np

from fastconv.core.arrays import aligned_empty
from fastconv.core.kernel import Kernel
from fastconv.core.machine import ISAS, host_isas
from fastconv.core.problems.base import Problem, named
from fastconv.core.scratch import borrow
from fastconv.core.threads import parallel_ranges
from fastconv.machines import host_table

P = TypeVar("P", bound=Problem)

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
COMPILED = 256  # functions kept in a process: all tile shapes, dtypes and ISAS of one host fit
CELLS = ("?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")  # `tile.CELL_TYPES` has the same order


@cache
def missing_numba() -> str | None:
    """Why Numba cannot be used, or None."""
    if find_spec("numba") is None:
        return "numba is not installed: pip install 'fastconv[numba]'"
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return "NUMBA_DISABLE_JIT is set: nothing is compiled"
    return None


@lru_cache(maxsize=COMPILED)
def compiled_loop(operation: str, *shape: int) -> Any:
    """The loop that ``loops.<operation>.make(*shape)`` builds; compiled, or read from disk, once."""
    return import_module(f"fastconv.backends.numba.loops.{operation}").make(*shape)


def cell(dtype: np.dtype) -> int:
    """Number of a dtype among those that loops load and store."""
    return CELLS.index(dtype.str[1:] if dtype.kind != "b" else "?")


def address(a: np.ndarray) -> int:
    return a.__array_interface__["data"][0]


def steps(a: np.ndarray, *axes: int) -> tuple[int, ...]:
    """Strides of `a` in elements."""
    return tuple(a.strides[axis] // a.itemsize for axis in axes)


class NumbaKernel(Kernel[P]):
    """One algorithm for one instruction set, which is a vector width and a number of registers."""

    backend = "numba"

    def __init__(self, isa: str) -> None:
        self.isa = isa
        self.vbytes, self.registers = ISAS[isa].bytes, ISAS[isa].registers

    def reject(self, problem: P) -> str | None:
        absent = missing_numba()
        if absent is not None:
            return absent
        if self.isa not in host_isas():
            return f"{self.isa} is not available here, or FASTCONV_ISA excludes it"
        dtype = problem.dtype  # type: ignore[attr-defined]
        if dtype not in FLOATS:
            return f"dtype {named(dtype)}: float32 and float64 only"
        return None

    def error(self, problem: P) -> float:
        depth = getattr(problem, "depth", 1)
        return float(np.finfo(problem.dtype).eps) * (1.0 + 0.3 * depth**0.5)  # type: ignore[attr-defined]

    def lanes(self, dtype: np.dtype) -> int:
        return self.vbytes // dtype.itemsize

    def loop(self, operation: str, dtype: np.dtype, *shape: int) -> Any:
        return compiled_loop(operation, *shape, dtype.itemsize * 8, self.vbytes)

def worthwhile(threads: int, seconds: float) -> int:
    """How many of `threads` threads to use for `seconds` of work."""
    return max(1, min(threads, int(seconds / host_table().rate("numba/thread"))))


def run_ranges(call: Callable[[int, int], None], items: int, threads: int, seconds: float) -> None:
    """``call(lo, hi)`` over all items, which take about `seconds` on one thread."""
    parallel_ranges(call, items, worthwhile(threads, seconds), seconds)


def run_items(
    call: Callable[[int, int, int], None], items: int, threads: int, seconds: float, scratch_bytes: int
) -> None:
    """``call(lo, hi, scratch address)`` over all items, each slice with scratch of its own.

    Scratch is zero at first: tiles also compute rows and columns that do not exist, from whatever lies there, and with
    denormal numbers that would take up to 30 times as long.
    """

    def body(lo: int, hi: int) -> None:
        with borrow(scratch_bytes) as scratch:
            scratch[:scratch_bytes] = 0
            call(lo, hi, address(scratch))

    run_ranges(body, items, threads, seconds)


def packed_zeros(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Zeros that start on a cache line."""
    a = aligned_empty(shape, dtype)
    a[...] = 0
    return a


def each_isa(*classes: type[Any]) -> tuple[Any, ...]:
    """One kernel of each class for each instruction set, widest first."""
    return tuple(make(isa) for isa in ISAS for make in classes)
