"""Means and extrema of windows: uniform, minimum and maximum filters."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from math import prod
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike

from fastconv.core.problems.footprint import FootprintProblem
from fastconv.core.problems.neighbors import Neighbors
from fastconv.core.problems.separable import Pass
from fastconv.core.problems.window import Join, WindowProblem
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, remember
from fastconv.dispatch.repeated import Request, repeated
from fastconv.ndimage.arguments import (
    Mode,
    Modes,
    Output,
    as_axes,
    as_axis,
    as_input,
    as_mode,
    as_output,
    on_all_axes,
    per_axis,
)
from fastconv.ndimage.calls import copied, filtered, in_bytes, is_box, is_summed, is_usual, of_parts, recipe_of
from fastconv.typing import Backend, BoundaryMode

Extremum: TypeAlias = Literal["min", "max"]


@remember
def _recipe(
    join: Join, shape: tuple[int, ...], dtype: np.dtype, out: np.dtype, passes: tuple[Pass, ...], cval: float,
    options: Options,
) -> Recipe:  # fmt: skip
    return recipe_of(WindowProblem(join, shape, dtype, out, passes, cval), options)


@remember
def _passes(given: tuple[tuple[int, int, int, Any], ...]) -> tuple[Pass, ...]:
    """Of (axis, size, origin, mode); a window of one element leaves an axis as it is."""
    found = []
    for axis, size, origin, mode in given:
        if size < 1:
            raise RuntimeError("incorrect filter size")
        before = size // 2 + origin
        if not 0 <= before < size:
            raise ValueError(f"invalid origin {origin}: a window of {size} takes {-(size // 2)} to {(size - 1) // 2}")
        found.append(Pass(axis, size, before, as_mode(mode)))
    return tuple(step for step in found if step.taps > 1)


def joined(
    join: Join, x: np.ndarray, passes: tuple[Pass, ...], output: Any, cval: Any, options: Options
) -> np.ndarray:
    """Windows along one axis after the other; without any, a copy."""
    if not passes:
        return copied(x, output)
    dtype, given = as_output(output, x)
    if dtype.kind == "b" and (join == "mean" or x.dtype.kind != "b"):
        return in_bytes(lambda out: joined(join, x, passes, out, cval, options), given)
    recipe = _recipe(join, x.shape, x.dtype, dtype.newbyteorder("="), passes, float(cval), options)
    return filtered(recipe, x, (), given)


@repeated
def _boxes(join: Join, x: Any, size: int, mode: Any, cval: Any, origin: Any, options: Options) -> Request:
    """Windows of which `is_box` is true."""
    x = as_input(x)
    passes = along_axes(x.ndim, size, mode, origin, None)
    return _recipe(join, x.shape, x.dtype, x.dtype, passes, float(cval), options), x, (), None


@repeated
def _lines(join: Join, x: Any, size: int, axis: Any, mode: Any, cval: Any, origin: Any, options: Options) -> Request:
    """Windows of two elements or more along an axis of an array of which `is_usual` is true."""
    x = as_input(x)
    passes = _passes(((as_axis(axis, x.ndim), size, origin, mode),))
    return _recipe(join, x.shape, x.dtype, x.dtype, passes, float(cval), options), x, (), None


def _means(x: np.ndarray, passes: tuple[Pass, ...], output: Any, cval: Any, options: Options) -> np.ndarray:
    return of_parts(lambda x, out, value: joined("mean", x, passes, out, value, options), x, output, cval)


def along_axes(ndim: int, size: Any, mode: Any, origin: Any, axes: Any) -> tuple[Pass, ...]:
    """The passes of windows whose `size`, `mode` and `origin` are given for each of `axes`, or for all of them."""
    if axes is None and type(size) is type(origin) is int and type(mode) is str:
        return _along_all(ndim, size, mode, origin)
    found = as_axes(axes, ndim)
    each = zip(found, *(per_axis(v, len(found)) for v in (size, origin, mode)), strict=True)
    return _passes(tuple((axis, int(s), o, m) for axis, s, o, m in each if s > 1))


@remember
def _along_all(ndim: int, size: int, mode: str, origin: int) -> tuple[Pass, ...]:
    return _passes(tuple((axis, size, origin, mode) for axis in range(ndim) if size > 1))


def uniform_filter1d(
    input: ArrayLike, size: int, axis: int = -1, output: Output = None, mode: Mode = "reflect", cval: complex = 0.0,
    origin: int = 0, *, backend: Backend | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Means of windows along an axis, as `scipy.ndimage.uniform_filter1d`.

    What is not described here is as in `fastconv.ndimage.correlate1d`.

    Parameters
    ----------
    size : int
        Elements of a window.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.uniform_filter1d([2, 8, 0, 4, 1, 9, 9, 0], size=3)
    array([4, 3, 4, 1, 4, 6, 6, 3])
    """
    options = resolve(backend, None, threads, tol, max_workspace)
    if type(size) is int and size > 1 and is_summed(input, output):
        return cast(np.ndarray, _lines("mean", input, size, axis, mode, cval, origin, options))
    x = as_input(input)
    passes = _passes(((as_axis(axis, x.ndim), size, origin, mode),))
    return _means(x, passes, output, cval, options)


def uniform_filter(
    input: ArrayLike, size: int | Sequence[int] = 3, output: Output = None, mode: Modes = "reflect",
    cval: complex = 0.0, origin: int | Sequence[int] = 0, *, axes: int | Sequence[int] | None = None,
    backend: Backend | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Means of windows along several axes, as `scipy.ndimage.uniform_filter`.

    What is not described here is as in `uniform_filter1d`; each of `size`, `mode` and `origin` may be a sequence, with
    one for each axis.  Integers equal SciPy's; sums of floats do not drift along a line, and NaN stays within its
    windows.

    Parameters
    ----------
    axes : int or tuple of int, optional
        By default all.

    Examples
    --------
    >>> import fastconv.ndimage as ndi, numpy as np
    >>> ndi.uniform_filter(np.arange(12.0).reshape(3, 4), size=3)[0]
    array([1.66666667, 2.33333333, 3.33333333, 4.        ])
    """
    options = resolve(backend, None, threads, tol, max_workspace)
    if is_summed(input, output) and is_box(input, size, output, axes):
        return cast(np.ndarray, _boxes("mean", input, size, mode, cval, origin, options))
    x = as_input(input)
    return _means(x, along_axes(x.ndim, size, mode, origin, axes), output, cval, options)


def real_input(input: Any) -> np.ndarray:
    """An array of numbers that have an order."""
    if np.iscomplexobj(input):
        raise TypeError("Complex type not supported")
    return as_input(input)


def minimum_filter1d(
    input: ArrayLike, size: int, axis: int = -1, output: Output = None, mode: Mode = "reflect", cval: float = 0.0,
    origin: int = 0, *, backend: Backend | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Smallest elements of windows along an axis, as `scipy.ndimage.minimum_filter1d`.

    Parameters are as in `uniform_filter1d`.  Windows that hold NaN give NaN.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.minimum_filter1d([2, 8, 0, 4, 1, 9, 9, 0], size=3)
    array([2, 0, 0, 0, 1, 1, 0, 0])
    """
    options = resolve(backend, None, threads, tol, max_workspace)
    if type(size) is int and size > 1 and is_usual(input, output):
        return cast(np.ndarray, _lines("min", input, size, axis, mode, cval, origin, options))
    x = real_input(input)
    passes = _passes(((as_axis(axis, x.ndim), size, origin, mode),))
    return joined("min", x, passes, output, cval, options)


def maximum_filter1d(
    input: ArrayLike, size: int, axis: int = -1, output: Output = None, mode: Mode = "reflect", cval: float = 0.0,
    origin: int = 0, *, backend: Backend | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Largest elements of windows along an axis, as `scipy.ndimage.maximum_filter1d`.

    Parameters are as in `uniform_filter1d`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.maximum_filter1d([2, 8, 0, 4, 1, 9, 9, 0], size=3)
    array([8, 8, 8, 4, 9, 9, 9, 9])
    """
    options = resolve(backend, None, threads, tol, max_workspace)
    if type(size) is int and size > 1 and is_usual(input, output):
        return cast(np.ndarray, _lines("max", input, size, axis, mode, cval, origin, options))
    x = real_input(input)
    passes = _passes(((as_axis(axis, x.ndim), size, origin, mode),))
    return joined("max", x, passes, output, cval, options)


def extrema(
    join: Extremum, input: Any, size: Any, footprint: Any, structure: Any, output: Any, mode: Any, cval: Any,
    origin: Any, axes: Any, options: Options,
) -> np.ndarray:  # fmt: skip
    """The smallest or largest elements of boxes of `size`, or of those that `footprint` chooses."""
    if footprint is structure is None and is_box(input, size, output, axes):
        return cast(np.ndarray, _boxes(join, input, size, mode, cval, origin, options))
    if size is not None and footprint is not None:
        warnings.warn("ignoring size because footprint is set", UserWarning, stacklevel=3)
    if footprint is None and structure is None and size is None:
        raise RuntimeError("no footprint provided")
    if footprint is not None:
        footprint = np.asarray(footprint, bool)
        if structure is None and not footprint.any():
            raise ValueError("All-zero footprint is not supported.")
    x = real_input(input)
    if structure is None and (footprint is None or footprint.all()):
        passes = along_axes(x.ndim, size if footprint is None else footprint.shape, mode, origin, axes)
        return joined(join, x, passes, output, cval, options)
    heights = None if structure is None else np.asarray(structure, np.float64)
    chosen = np.ones(heights.shape, bool) if footprint is None and heights is not None else footprint
    return _of_footprint(join, x, chosen, heights, output, mode, cval, origin, as_axes(axes, x.ndim), options)


def _of_footprint(
    join: Extremum, x: np.ndarray, chosen: np.ndarray, heights: np.ndarray | None, output: Any, mode: Any, cval: Any,
    origin: Any, axes: tuple[int, ...], options: Options,
) -> np.ndarray:  # fmt: skip
    if chosen.ndim != len(axes):
        raise RuntimeError(f"footprint.ndim ({chosen.ndim}) must match len(axes) ({len(axes)})")
    if heights is not None and heights.shape != chosen.shape:
        raise RuntimeError("structure array has incorrect shape")
    if not isinstance(mode, str):
        raise RuntimeError("A sequence of modes is not supported for non-separable footprints")
    flat = np.flatnonzero(chosen)
    if x.size == 0 or not flat.size:
        return copied(x, output)
    dtype, given = as_output(output, x)
    if heights is None and dtype.kind == "b" != x.dtype.kind:
        return in_bytes(lambda out: _of_footprint(join, x, chosen, None, out, mode, cval, origin, axes, options), given)
    made = None
    if heights is not None and dtype.kind == "b":  # as in SciPy, bytes, which may then be neither 0 nor 1
        made = np.empty(x.shape, bool) if given is None else given
        x, dtype, given = x.view(np.uint8) if x.dtype.kind == "b" else x, np.dtype(np.uint8), made.view(np.uint8)
    shifts = on_all_axes(origin, axes, x.ndim)
    window, before = [1] * x.ndim, [0] * x.ndim
    for axis, taps in zip(sorted(axes), chosen.shape, strict=True):  # in order, as in SciPy
        window[axis], before[axis] = taps, taps // 2 + shifts[axis]
        if not 0 <= before[axis] < taps:
            raise ValueError(f"invalid origin {shifts[axis]} of {taps} elements")
    raised = None if heights is None else heights.ravel()[flat]
    some = raised is not None and bool(raised.any())
    recipe = _footprint_recipe(
        join, x.shape, x.dtype, dtype.newbyteorder("="), tuple(window), tuple(before), tuple(flat.tolist()), some,
        as_mode(mode), float(cval), options,
    )  # fmt: skip
    constants = () if raised is None or not some else (raised,)
    result = filtered(recipe, x, constants, given)
    return result if made is None else made


def extremum_of(join: Extremum, x: np.ndarray, window: Neighbors, output: Any, options: Options) -> np.ndarray:
    """The smallest or largest elements of windows that are described."""
    if window.taps is None:
        each = zip(window.sizes, window.before, strict=True)
        passes = tuple(Pass(axis, taps, before, window.mode) for axis, (taps, before) in enumerate(each) if taps > 1)
        return joined(join, x, passes, output, window.cval, options)
    chosen = np.frombuffer(window.taps, bool).reshape(window.sizes)
    origin = [before - taps // 2 for taps, before in zip(window.sizes, window.before, strict=True)]
    axes = tuple(range(x.ndim))
    return _of_footprint(join, x, chosen, None, output, window.mode, window.cval, origin, axes, options)


@remember
def _footprint_recipe(
    join: Extremum, shape: tuple[int, ...], dtype: np.dtype, out: np.dtype, window: tuple[int, ...],
    before: tuple[int, ...], chosen: tuple[int, ...], heights: bool, mode: BoundaryMode, cval: float, options: Options,
) -> Recipe:  # fmt: skip
    problem = footprint_problem(join, shape, dtype, out, window, before, chosen, heights, mode, cval)
    return recipe_of(problem, options)


def footprint_problem(
    join: Extremum, shape: tuple[int, ...], dtype: np.dtype, out: np.dtype, window: tuple[int, ...],
    before: tuple[int, ...], chosen: tuple[int, ...], heights: bool, mode: BoundaryMode, cval: float,
) -> FootprintProblem | WindowProblem:  # fmt: skip
    """Of a box without heights, one axis after the other, where results of both are the same."""
    box = not heights and len(chosen) == prod(window) and any(n > 1 for n in window)
    if box and dtype == out and (dtype.itemsize < 8 or dtype == np.float64) and mode != "constant":
        each = enumerate(zip(window, before, strict=True))
        passes = tuple(Pass(axis, taps, first, mode) for axis, (taps, first) in each if taps > 1)
        return WindowProblem(join, shape, dtype, out, passes, cval)
    return FootprintProblem(join, shape, dtype, out, window, before, chosen, heights, mode, cval)


def minimum_filter(
    input: ArrayLike, size: int | Sequence[int] | None = None, footprint: ArrayLike | None = None,
    output: Output = None, mode: Modes = "reflect", cval: float = 0.0, origin: int | Sequence[int] = 0, *,
    axes: int | Sequence[int] | None = None, backend: Backend | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Smallest elements of windows along several axes, as `scipy.ndimage.minimum_filter`.

    What is not described here is as in `fastconv.ndimage.correlate1d`; each of `size`, `mode` and `origin` may be a
    sequence, with one for each axis.

    Parameters
    ----------
    size : int or tuple of int, optional
        Elements of a window.
    footprint : array_like of bool, optional
        Which elements of a window count, instead of `size`.
    axes : int or tuple of int, optional
        By default all.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.minimum_filter([[5, 2, 7], [4, 3, 9]], size=(1, 2))
    array([[5, 2, 2],
           [4, 3, 3]])
    """
    options = resolve(backend, None, threads, tol, max_workspace)
    return extrema("min", input, size, footprint, None, output, mode, cval, origin, axes, options)


def maximum_filter(
    input: ArrayLike, size: int | Sequence[int] | None = None, footprint: ArrayLike | None = None,
    output: Output = None, mode: Modes = "reflect", cval: float = 0.0, origin: int | Sequence[int] = 0, *,
    axes: int | Sequence[int] | None = None, backend: Backend | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Largest elements of windows along several axes, as `scipy.ndimage.maximum_filter`.

    Parameters are as in `minimum_filter`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.maximum_filter([[5, 2, 7], [4, 3, 9]], footprint=[[0, 1], [1, 0]])
    array([[5, 5, 7],
           [5, 4, 7]])
    """
    options = resolve(backend, None, threads, tol, max_workspace)
    return extrema("max", input, size, footprint, None, output, mode, cval, origin, axes, options)
