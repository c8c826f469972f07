"""Limits of elements, numbers or arrays: which bounds `clamp` takes, and the shape and dtype of its result."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.core.arrays import as_array, clean
from fastconv.core.errors import ShapeError
from fastconv.core.problems.base import as_number, check_dtype, is_bfloat16, joint_shape, promote


def are_plain(*bounds: Any) -> bool:
    """Whether the bounds of `clamp` are None or Python numbers, so that a recipe can be looked up by them; not NaN."""
    return all(b is None or (type(b) in (int, float) and b == b) for b in bounds)


def clamp_params(low: np.ndarray | None, high: np.ndarray | None, dtype: np.dtype) -> tuple[float, float]:
    """Bounds that are numbers, converted to `dtype`; a missing one is the end of the dtype's range."""
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return (info.min if low is None else int(low), info.max if high is None else int(high))
    return (-np.inf if low is None else float(clean(low, dtype)), np.inf if high is None else float(clean(high, dtype)))


def is_number(value: Any) -> bool:
    """Whether a bound of `clamp` is a Python number, which NumPy does not promote as it does an array."""
    return isinstance(value, (int, float, complex)) and not isinstance(value, np.generic)


def clamp_bounds(
    x: np.ndarray, min: Any, max: Any
) -> tuple[np.ndarray | None, np.ndarray | None, tuple[int, ...], np.dtype]:
    """Check the arguments of `clamp`: both bounds as arrays, the result's shape and dtype."""
    check_dtype(x.dtype, "input", "fiub")
    if min is None and max is None:
        raise ValueError("at least one of min and max must be given")
    bounds: list[np.ndarray | None] = []
    dtype, shape = x.dtype, x.shape
    for bound, name in ((min, "min"), (max, "max")):
        if bound is None:
            bounds.append(None)
            continue
        if is_number(bound):
            as_number(bound, name)
            bound = _whole(bound, name) if isinstance(bound, int) else np.asarray(bound)
        array = as_array(bound, name)
        check_dtype(array.dtype, name, "fiub")
        dtype = _clamp_dtype(dtype, array)
        joint = joint_shape(shape, array.shape)
        if joint is None:
            raise ShapeError(f"{name} has shape {array.shape}, which does not broadcast with {shape}")
        shape = joint
        bounds.append(array)
    if dtype.kind in "iu":
        bounds = [_in_range(b, name, dtype) for b, name in zip(bounds, ("min", "max"), strict=True)]
    return bounds[0], bounds[1], shape, dtype


def _whole(bound: int, name: str) -> np.ndarray:
    """A Python integer as an array of one 64-bit integer."""
    if not -(2**63) <= bound < 2**64:
        raise ValueError(f"{name} must fit 64 bits, got {bound}")
    return np.asarray(bound)


def _clamp_dtype(dtype: np.dtype, bound: np.ndarray) -> np.dtype:
    """The result's dtype: as in torch, numbers and arrays without axes matter only if they are of a higher kind."""
    order = {"b": 0, "u": 1, "i": 1}  # anything else is a float
    own, other = order.get(dtype.kind, 2), order.get(bound.dtype.kind, 2)
    if other <= own and (bound.ndim == 0 or (is_bfloat16(dtype) and other < own)):
        return dtype
    if bound.ndim == 0 and is_bfloat16(bound.dtype):
        return bound.dtype  # NumPy has no common type for bfloat16 and integers
    return promote(dtype, bound.dtype)


def _in_range(bound: np.ndarray | None, name: str, dtype: np.dtype) -> np.ndarray | None:
    """A bound of integers, in `dtype`: one beyond the dtype's range becomes the end of it, and so limits nothing."""
    if bound is None or not bound.size or bound.dtype == dtype:
        return bound
    info = np.iinfo(dtype)
    lowest, highest = int(bound.min()), int(bound.max())
    if (name == "max" and lowest < info.min) or (name == "min" and highest > info.max):
        raise OverflowError(f"{name} is {lowest if name == 'max' else highest}, which {dtype} cannot hold")
    if info.min <= lowest and highest <= info.max:
        return bound
    own = np.iinfo(bound.dtype)
    return np.clip(bound, max(info.min, own.min), min(info.max, own.max)).astype(dtype)
