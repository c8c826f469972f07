"""Activations with slopes or gates of their own: which arguments `prelu` and `glu` take."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.core.errors import DTypeError, ShapeError
from fastconv.core.problems.base import check_dtype
from fastconv.core.problems.softmax import as_axis


def prelu_slopes(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Check the arguments of `prelu`; the weights in a shape that broadcasts with `x`."""
    check_dtype(x.dtype, "input", "f")
    if w.dtype != x.dtype:
        raise DTypeError(f"weight has dtype {w.dtype}; it must be that of input, {x.dtype}")
    if w.ndim > 1:
        raise ShapeError(f"weight must have shape (), (1,) or (C,), got {w.shape}")
    channels = x.shape[1] if x.ndim > 1 else 1
    if w.size not in (1, channels):
        raise ShapeError(f"weight has {w.size} values, input of shape {x.shape} has {channels} channels")
    return w.reshape(()) if w.size == 1 else w.reshape(-1, *(1,) * (x.ndim - 2))


def glu_halves(shape: tuple[int, ...], dtype: np.dtype, dim: Any) -> tuple[int, tuple[int, ...]]:
    """Check the arguments of `glu`: the axis, and the result's shape."""
    check_dtype(dtype, "input", "f")
    if not shape:
        raise ShapeError("input must have at least 1 axis, got a scalar")
    axis = as_axis(dim, len(shape))
    half, odd = divmod(shape[axis], 2)
    if odd:
        raise ShapeError(f"input has extent {shape[axis]} along dim {dim}; it must be even")
    return axis, (*shape[:axis], half, *shape[axis + 1 :])
