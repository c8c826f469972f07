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
