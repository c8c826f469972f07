"""Convert narrow types to the floats of native kernels, and results back: 16-bit floats natively, others by NumPy."""

from __future__ import annotations

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.core.arrays import aligned_empty
from fastconv.core.problems.base import is_bfloat16, is_half


def convert(isa: str, to: np.ndarray, given: np.ndarray) -> None:
    """`to` = `given`, rounded to the nearest, with the instructions of `isa`; of any strides."""
    wide = to.dtype == np.float32 and is_half(given.dtype)
    if not wide and not (given.dtype == np.float32 and is_half(to.dtype)):
        np.copyto(to, given, casting="unsafe")
        return
    _halves = native.compiled("runtime._halves")
    table = native.table(isa, np.dtype(np.float32))
    _halves.convert(table, to, given, is_bfloat16(given.dtype if wide else to.dtype), wide)


def converted(isa: str, given: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """A contiguous copy of `given` in another type."""
    to = aligned_empty(given.shape, dtype)
    convert(isa, to, given)
    return to


def join_pairs(isa: str, to: np.ndarray, given: np.ndarray, axis: int) -> None:
    """`to` = pairs of adjacent elements of `given` along an axis, the last one with zero if their number is odd.

    Pairs are stored as float32, whose bits they are.  Elements have 8 or 16 bits.
    """
    signed = given.dtype.kind == "i"
    _halves = native.compiled("runtime._halves")
    table = native.table(isa, np.dtype(np.float32))
    whole = given.shape[axis] // 2
    lead = (slice(None),) * axis
    first, apart = given[*lead, : 2 * whole : 2], given.strides[axis] // given.itemsize
    _halves.join_pairs(table, to[*lead, :whole], first, apart, False, signed)
    if given.shape[axis] % 2:
        _halves.join_pairs(table, to[*lead, whole:], given[*lead, -1:], 0, True, signed)


def pairs_in_place(given: np.ndarray, axis: int) -> np.ndarray | None:
    """A view of `given` as pairs along an axis; None where they are not adjacent, aligned and whole."""
    last = given.swapaxes(axis, -1)
    if given.itemsize != 2 or last.shape[-1] % 2 or last.strides[-1] != last.itemsize or 0 in given.shape:
        return None
    pairs = last.view(np.float32)
    return pairs.swapaxes(axis, -1) if pairs.flags.aligned else None


def turn(isa: str, to: np.ndarray, given: np.ndarray) -> None:
    """`to`, (outer, columns, rows), from float32 (outer, rows, columns); last axes are contiguous."""
    native.compiled("runtime._halves").turn(native.table(isa, np.dtype(np.float32)), to, given)
