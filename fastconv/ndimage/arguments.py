"""The arguments that functions of scipy.ndimage share: with its names, defaults and errors."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Iterable
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import DTypeLike

from fastconv.core.errors import UnsupportedError
from fastconv.dispatch.plan import is_planning
from fastconv.typing import BoundaryMode

Output: TypeAlias = "np.ndarray | DTypeLike | None"
Mode: TypeAlias = str
Modes: TypeAlias = "str | Iterable[str]"

SYNONYMS = {"grid-mirror": "reflect", "grid-constant": "constant", "grid-wrap": "wrap"}
MODES = ("reflect", "constant", "nearest", "mirror", "wrap")


def not_planned() -> None:
    """UnsupportedError while planning, for what no single kernel computes."""
    if is_planning():
        raise UnsupportedError("this filter cannot be planned: it is more than one kernel")


def as_input(input: Any) -> np.ndarray:
    """An array of numbers, in native byte order.

    Raises
    ------
    RuntimeError
        If its dtype is none that filters take.
    """
    a = np.asarray(input)
    check_dtype(a.dtype)
    return a if a.dtype.isnative else a.astype(a.dtype.newbyteorder("="))


def check_dtype(dtype: np.dtype) -> None:
    small = dtype.itemsize <= (16 if dtype.kind == "c" else 8)
    if dtype.kind not in "biufc" or dtype == np.float16 or not small:
        raise RuntimeError(f"data type not supported: {dtype}")


def as_mode(mode: Any) -> BoundaryMode:
    """One boundary mode by its canonical name."""
    name = SYNONYMS.get(mode, mode) if isinstance(mode, str) else mode
    if name not in MODES:
        raise RuntimeError(f"boundary mode not supported: {mode!r}; modes are {', '.join((*MODES, *SYNONYMS))}")
    return cast(BoundaryMode, name)


def as_axis(axis: Any, ndim: int) -> int:
    """An axis, possibly negative, from 0 on."""
    at = operator.index(axis)
    if not -ndim <= at < ndim:
        raise np.exceptions.AxisError(at, ndim)
    return at % ndim


def as_axes(axes: Any, ndim: int) -> tuple[int, ...]:
    """The axes to filter, from 0 on; None are all."""
    if axes is None:
        return tuple(range(ndim))
    if np.isscalar(axes):
        axes = (axes,)
    elif not isinstance(axes, Iterable):
        raise ValueError("axes must be an integer, iterable of integers, or None")
    found = tuple(operator.index(a) for a in axes)
    for axis in found:
        if not -ndim <= axis < ndim:
            raise ValueError(f"specified axis: {axis} is out of range")
    found = tuple(a % ndim for a in found)
    if len(set(found)) != len(found):
        raise ValueError("axes must be unique")
    return found


def per_axis(value: Any, count: int) -> list[Any]:
    """One value for each of `count` axes: a sequence of as many, or the same for all."""
    if isinstance(value, str) or not np.iterable(value):
        return [value] * count
    values = list(value)
    if len(values) != count:
        raise RuntimeError("sequence argument must have length equal to input rank")
    return values


def on_all_axes(value: Any, axes: tuple[int, ...], ndim: int) -> list[Any]:
    """Values of `axes`, 0 for all others; as in SciPy, those of all axes are in order, whatever the order of `axes`."""
    values = per_axis(value, len(axes))
    if len(axes) == ndim:
        return values
    found = [0] * ndim
    for axis, one in zip(axes, values, strict=True):
        found[axis] = one
    return found


def expanded(ndim: int, axes: tuple[int, ...], window: np.ndarray, name: str) -> np.ndarray:
    """Weights or a footprint on some axes of an array, as one on all; as in SciPy, their axes are in order."""
    if len(axes) == ndim:
        return window
    if window.ndim != len(axes):
        raise RuntimeError(f"{name}.ndim ({window.ndim}) must match len(axes) ({len(axes)})")
    return np.expand_dims(window, tuple(a for a in range(ndim) if a not in axes))


def as_before(origin: Any, taps: int, name: str = "len(weights)") -> int:
    """Elements before a result that its window of `taps` begins, from SciPy's `origin`."""
    shift = operator.index(origin)
    if not -(taps // 2) <= shift <= (taps - 1) // 2:
        raise ValueError(
            f"Invalid origin; origin must satisfy -({name} // 2) <= origin <= ({name}-1) // 2: got {shift}"
        )
    return taps // 2 + shift


def as_output(output: Any, input: np.ndarray, is_complex: bool = False) -> tuple[np.dtype, np.ndarray | None]:
    """(dtype of the result, the array it is written to or None), from SciPy's `output`.

    Raises
    ------
    RuntimeError
        If an array has another shape, or the dtype cannot hold the result.
    """
    if output is None:
        dtype = np.promote_types(input.dtype, np.complex64) if is_complex else input.dtype
        return dtype.newbyteorder("="), None
    if isinstance(output, (type, np.dtype)):
        dtype = np.dtype(output)
        if is_complex and dtype.kind != "c":
            warnings.warn("promoting specified output dtype to complex", stacklevel=4)
            dtype = np.promote_types(dtype, np.complex64)
        check_dtype(dtype)
        return dtype, _swapped(dtype, input.shape)
    if isinstance(output, str):
        dtype = np.dtype(output)
        if is_complex and dtype.kind != "c":
            raise RuntimeError("output must have complex dtype")
        if not issubclass(dtype.type, np.number):
            raise RuntimeError("output must have numeric dtype")
        check_dtype(dtype)
        return dtype, _swapped(dtype, input.shape)
    given = np.asarray(output)
    if given.shape != input.shape:
        raise RuntimeError(f"output shape not correct: {given.shape}; the input has {input.shape}")
    if is_complex and given.dtype.kind != "c":
        raise RuntimeError("output must have complex dtype")
    check_dtype(given.dtype)
    return given.dtype, given


def _swapped(dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray | None:
    """An array for a result of the other byte order, which no kernel makes; None for the native one."""
    return None if dtype.isnative or is_planning() else np.empty(shape, dtype)


def apart(x: np.ndarray, output: Any) -> np.ndarray:
    """`x`, or a copy where `output` may overlap it: for what reads `x` once more after it wrote `output`."""
    return x.copy() if isinstance(output, np.ndarray) and np.may_share_memory(x, output) else x


def array_for(output: Any, input: np.ndarray, is_complex: bool = False) -> np.ndarray:
    """The array that a result is written to: the user's, or a new one."""
    dtype, given = as_output(output, input, is_complex)
    return np.empty(input.shape, dtype) if given is None else given
