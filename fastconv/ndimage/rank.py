"""Medians, percentiles and other ranks of the elements of windows."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from fastconv.core.problems.neighbors import Neighbors, RankProblem, as_element
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, is_planning, remember
from fastconv.dispatch.repeated import Request, repeated
from fastconv.ndimage.arguments import (
    Mode,
    Output,
    as_axes,
    as_input,
    as_mode,
    as_output,
    expanded,
    on_all_axes,
    per_axis,
)
from fastconv.ndimage.calls import filtered, in_bytes, is_box, recipe_of
from fastconv.ndimage.windows import extremum_of
from fastconv.typing import Backend

EXACT = 1 << 53  # integers that float64 holds, in which others are compared


@remember
def _recipe(
    shape: tuple[int, ...], dtype: np.dtype, out: np.dtype, window: Neighbors, rank: int, options: Options
) -> Recipe:
    return recipe_of(RankProblem(shape, dtype, out, window, rank), options)


def _footprint(ndim: int, axes: tuple[int, ...], size: Any, footprint: Any) -> np.ndarray:
    """Which elements of the window count, on all axes."""
    if footprint is None:
        if size is None:
            raise RuntimeError("no footprint or filter size provided")
        sizes = per_axis(size, len(axes))
        return expanded(ndim, axes, np.ones(sizes, bool), "footprint")
    if size is not None:
        warnings.warn("ignoring size because footprint is set", UserWarning, stacklevel=4)
    return expanded(ndim, axes, np.asarray(footprint, bool), "footprint")


def _windows(
    x: np.ndarray, size: Any, footprint: Any, mode: Any, cval: Any, origin: Any, axes: Any
) -> Neighbors:  # fmt: skip
    found = as_axes(axes, x.ndim)
    taps = _footprint(x.ndim, found, size, footprint)
    if taps.ndim != x.ndim or 0 in taps.shape:
        wrong = sum(n > 0 for n in taps.shape)
        raise RuntimeError(f"footprint.ndim ({wrong}) must match len(axes) ({len(found)})")
    origins = on_all_axes(origin, found, x.ndim)
    before = tuple(n // 2 + operator.index(o) for n, o in zip(taps.shape, origins, strict=True))
    if not all(0 <= b < n for n, b in zip(taps.shape, before, strict=True)):
        raise ValueError("invalid origin")
    if not isinstance(mode, str) and isinstance(mode, Iterable):
        raise RuntimeError("A sequence of modes is not supported by non-separable rank filters")
    some = None if taps.all() else taps.astype(np.uint8).tobytes()
    return Neighbors(taps.shape, before, as_mode(mode), float(cval), some)


def _rank(
    x: np.ndarray, rank: int, window: Neighbors, output: Any, options: Options
) -> np.ndarray:  # fmt: skip
    if rank < 0:
        rank += window.total
    if not 0 <= rank < window.total:
        raise RuntimeError("rank not within filter footprint size")
    if x.dtype == np.float16:  # of signals only, as in SciPy
        output = np.float16 if output is None else output
        x = x.astype(np.float32)
        if not isinstance(output, np.ndarray):
            return _rank(x, rank, window, np.float32, options).astype(output)
        output[...] = _rank(x, rank, window, np.float32, options)
        return output
    if rank in (0, window.total - 1):  # one axis after the other, as in SciPy, where the window is a box
        return extremum_of("min" if rank == 0 else "max", x, window, output, options)
    dtype, given = as_output(output, x)
    if dtype.kind == "b" != x.dtype.kind:
        return in_bytes(lambda out: _rank(x, rank, window, out, options), given)
    window = _of_elements(window, x)
    if x.ndim == 1 and x.dtype == np.int64 and not is_planning() and not _fit(x, window.cval):
        return _rank_of_places(x, rank, window, np.empty(x.shape, dtype) if given is None else given, options)
    recipe = _recipe(x.shape, x.dtype, dtype.newbyteorder("="), window, rank, options)
    return filtered(recipe, x, (), given)


def _of_elements(window: Neighbors, x: np.ndarray) -> Neighbors:
    """The window with the value beyond an edge as SciPy's ranks hold it."""
    held = np.dtype(np.int64) if x.ndim == 1 and x.dtype.kind in "iu" else x.dtype
    return window._replace(cval=as_element(window.cval, held))


@repeated
def _median(x: Any, size: int, mode: Any, cval: Any, origin: Any, options: Options) -> Request:
    """Of windows of which `is_box` is true."""
    x = as_input(x)
    window = _windows(x, size, None, mode, cval, origin, None)
    rank = window.total // 2
    return _recipe(x.shape, x.dtype, x.dtype, _of_elements(window, x), rank, options), x, (), None


def _fit(x: np.ndarray, cval: float) -> bool:
    """Whether float64 holds all of some integers, or the other value is none of them."""
    return not x.size or not abs(cval) < 1 << 63 or bool(-EXACT <= x.min() <= x.max() <= EXACT)


def _rank_of_places(
    x: np.ndarray, rank: int, window: Neighbors, made: np.ndarray, options: Options
) -> np.ndarray:  # fmt: skip
    """Of a signal of large integers, which SciPy compares exactly: ranks of their places in ascending order."""
    values, places = np.unique(np.append(x, np.int64(window.cval)), return_inverse=True)
    window = window._replace(cval=float(places[-1]))
    made[...] = values[_rank(places[:-1].astype(np.int32), rank, window, None, options)]
    return made


def _as_real(input: Any) -> np.ndarray:
    if np.iscomplexobj(input):
        raise TypeError("Complex type not supported")
    x = np.asarray(input)
    return x if x.dtype == np.float16 and x.ndim == 1 else as_input(x)


def rank_filter(
    input: ArrayLike, rank: int, size: int | Sequence[int] | None = None, footprint: ArrayLike | None = None,
    output: Output = None, mode: Mode = "reflect", cval: float = 0.0, origin: int | Sequence[int] = 0, *,
    axes: int | Sequence[int] | None = None, backend: Backend | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Of the elements of each window, in ascending order, the one at a rank, as `scipy.ndimage.rank_filter`.

    Elements are compared as they are, or as float64.  Of windows that have NaN, the result is that of SciPy's method.
    What is not described here is as in `fastconv.ndimage.correlate1d`.

    Parameters
    ----------
    rank : int
        From 0; negative ones count from the largest element, -1.
    size : int or sequence of int, optional
        Elements of the window along each axis.
    footprint : array_like of bool, optional
        Instead: which elements a window has.
    cval : float
        The value beyond the ends with ``constant``.
    origin : int or sequence of int
        Moves the window to the left, if positive; one for each axis.
    axes : int or tuple of int, optional
        Those that are filtered; by default all.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.rank_filter([3, 1, 4, 1, 5, 9, 2, 6], 1, size=4)
    array([1, 3, 1, 1, 4, 2, 5, 6])
    """
    x, number = _as_real(input), operator.index(rank)
    window = _windows(x, size, footprint, mode, cval, origin, axes)
    return _rank(x, number, window, output, resolve(backend, None, threads, tol, max_workspace))


def median_filter(
    input: ArrayLike, size: int | Sequence[int] | None = None, footprint: ArrayLike | None = None,
    output: Output = None, mode: Mode = "reflect", cval: float = 0.0, origin: int | Sequence[int] = 0, *,
    axes: int | Sequence[int] | None = None, backend: Backend | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Median of the elements of each window, as `scipy.ndimage.median_filter`.

    Of an even number of elements it is the larger one of the two in the middle.  Parameters and errors are as in
    `rank_filter`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.median_filter([3, 1, 4, 1, 5, 9, 2, 6], size=3)
    array([3, 3, 1, 4, 5, 5, 6, 6])
    """
    options = resolve(backend, None, threads, tol, max_workspace)
    if footprint is None and is_box(input, size, output, axes):
        return cast(np.ndarray, _median(input, size, mode, cval, origin, options))
    x = _as_real(input)
    window = _windows(x, size, footprint, mode, cval, origin, axes)
    return _rank(x, window.total // 2, window, output, options)


def percentile_filter(
    input: ArrayLike, percentile: float, size: int | Sequence[int] | None = None, footprint: ArrayLike | None = None,
    output: Output = None, mode: Mode = "reflect", cval: float = 0.0, origin: int | Sequence[int] = 0, *,
    axes: int | Sequence[int] | None = None, backend: Backend | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """A percentile of the elements of each window, as `scipy.ndimage.percentile_filter`.

    What is not described here is as in `rank_filter`.

    Parameters
    ----------
    percentile : float
        From 0 to 100; 100 is added to negative ones.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.percentile_filter([3, 1, 4, 1, 5, 9, 2, 6], 50, size=3)
    array([3, 3, 1, 4, 5, 5, 6, 6])
    """
    x = _as_real(input)
    window = _windows(x, size, footprint, mode, cval, origin, axes)
    share = percentile + 100.0 if percentile < 0.0 else percentile
    if not 0 <= share <= 100:
        raise RuntimeError("invalid percentile")
    rank = window.total - 1 if share == 100.0 else int(float(window.total) * share / 100.0)
    return _rank(x, rank, window, output, resolve(backend, None, threads, tol, max_workspace))
