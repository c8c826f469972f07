"""Exact sums of integer products on NumPy, and the refusal to wrap.

float64 holds sums of products of 8- and 16-bit integers exactly, and BLAS makes them fast.
Wider integers are multiplied and summed modulo 2**64.  If the true sum fits 64 bits, that
result is right whatever happened in between; whether it fits is told by a float64 bound.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

MANTISSA = 2**53


def compute_dtype(dtype: np.dtype, depth: int) -> np.dtype:
    """float64 where sums of `depth` products of `dtype` stay exact in it, else 64-bit integers."""
    if 2 ** (16 * dtype.itemsize) * max(depth, 1) < MANTISSA:
        return np.dtype(np.float64)
    return np.dtype(np.uint64 if dtype.kind == "u" else np.int64)


def store(acc: np.ndarray, out: np.ndarray) -> None:
    """Round-free conversion of sums to the result's integer dtype.

    Raises
    ------
    OverflowError
        If a sum does not fit.
    """
    if acc.dtype != out.dtype and acc.size:
        info = np.iinfo(out.dtype)
        if acc.min() < info.min or acc.max() > info.max:
            raise OverflowError(f"a sum of integer products does not fit {out.dtype}: convert the inputs to float64")
    out[...] = acc.reshape(out.shape)


def magnitude(a: np.ndarray) -> float:
    """max|a| as a float."""
    if a.size == 0:
        return 0.0
    return max(abs(float(a.min())), abs(float(a.max())))


def gain(w: np.ndarray) -> float:
    """The largest sum of magnitudes of `w` (outputs, ...) that meets one output."""
    return float(np.abs(w.astype(np.float64)).reshape(w.shape[0], -1).sum(1).max(initial=0.0))


def guard(p: Any, gain: float, offset: float, fill: float = 0.0) -> Callable[[np.ndarray], None]:
    """A check to call with x before summing modulo 2**64: OverflowError if a result might not fit.

    The bound max|x| * gain + offset decides; it needs one pass over x.
    """
    if p.out.kind not in "iu" or compute_dtype(p.dtype, p.depth).kind == "f":
        return lambda x: None
    most = float(np.iinfo(p.out).max)

    def check(x: np.ndarray) -> None:
        bound = max(magnitude(x), abs(fill)) * gain + offset
        if bound * (1 + 1e-9) > most:
            raise OverflowError(
                f"sums of {p.dtype} products may reach {bound:.3g}, beyond {p.out}: convert the inputs to float64"
            )

    return check
