"""Exact sums of integers, which never wrap silently.

float64 holds sums of products of 8- and 16-bit integers exactly, and BLAS computes them fast.  Wider integers are
summed in 64 bits where a bound, computed in float64, proves that nothing wraps.  Elsewhere Python's integers are used,
slowly: the result is right, or an OverflowError.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv.core.kernel import Run

MANTISSA = 2**53
PYTHON = np.dtype(object)
PYTHON_BYTES = 48  # of one Python integer and its address
CHUNK = 1 << 16  # weights that are converted at a time
SLACK = 1 + 1e-9  # the bounds themselves are rounded


def compute_dtype(dtype: np.dtype, depth: int) -> np.dtype:
    """float64 where sums of `depth` products of `dtype` stay exact in it, else 64-bit integers."""
    if 2 ** (16 * dtype.itemsize) * max(depth, 1) < MANTISSA:
        return np.dtype(np.float64)
    return np.dtype(np.uint64 if dtype.kind == "u" else np.int64)


def scratch_bytes(dtype: np.dtype) -> int:
    """Bytes of one element of scratch for sums."""
    return PYTHON_BYTES if dtype == PYTHON else dtype.itemsize


def magnitude(a: np.ndarray) -> float:
    """max|a| as a float."""
    if a.size == 0:
        return 0.0
    return max(abs(float(a.min())), abs(float(a.max())))


def gain(w: np.ndarray) -> float:
    """The largest sum of magnitudes of `w` (outputs, ...) over the terms of one output."""
    if w.size == 0:
        return 0.0
    rows = w.reshape(w.shape[0], -1)
    step = max(1, CHUNK // rows.shape[1])
    parts = (rows[i : i + step].astype(np.float64) for i in range(0, rows.shape[0], step))
    return max(float(np.abs(part, out=part).sum(1).max()) for part in parts)


def exactly(
    p: Any, dtype: np.dtype, bound: Callable[[float], float], prepare: Callable[[np.dtype], Run]
) -> Run:
    """A run whose sums are exact: in `dtype` where nothing can wrap, else in Python's integers.

    Parameters
    ----------
    p : Problem
        Of integers.
    dtype : numpy.dtype
        The usual dtype of sums.
    bound : callable
        From the largest |x| to the largest magnitude that a sum, or part of one, can have.
    prepare : callable
        Makes a run whose sums have the given dtype.
    """
    plain = prepare(dtype)
    most = float(MANTISSA if dtype.kind == "f" else np.iinfo(p.out).max)
    info = np.iinfo(p.dtype)
    if bound(float(max(-info.min, info.max))) * SLACK <= most:
        return plain
    slow: list[Run] = []

    def run(x: np.ndarray, out: np.ndarray) -> None:
        if bound(magnitude(x)) * SLACK <= most:
            plain(x, out)
            return
        if not slow:
            slow.append(prepare(PYTHON))
        slow[0](x, out)

    return run


def as_stored(sums: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """`sums` as C converts them: truncated towards zero; narrow integers then wrap around."""
    if dtype.kind == "f" or sums.dtype.kind != "f":
        return sums.astype(dtype, copy=False)
    if dtype.kind == "b":
        return np.trunc(sums) != 0
    if dtype.itemsize <= 2:
        return sums.astype(np.int32).astype(dtype)
    if dtype == np.uint64:
        half = 2.0**63
        large = sums >= half
        return np.where(large, sums - half, sums).astype(np.int64).astype(dtype) + large * np.uint64(1 << 63)
    return sums.astype(np.int64 if dtype.kind == "u" else dtype).astype(dtype)
