"""Correlations with weights of any shape: what is found in the weights decides which problem they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fastconv.core.problems.neighbors import CorrelationProblem, Neighbors
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, remember
from fastconv.ndimage.arguments import (
    Mode,
    Output,
    array_for,
    as_axes,
    as_before,
    as_input,
    as_mode,
    as_output,
    check_dtype,
    expanded,
    not_planned,
    on_all_axes,
)
from fastconv.ndimage.calls import filtered, in_bytes, is_summed, recipe_of
from fastconv.ndimage.separable import Correlation, correlated
from fastconv.typing import Backend

SMALLEST = np.finfo(np.float64).eps  # weights up to this one do not count
SEPARABLE_SHARE = 3  # as many taps as both factors, times this: two passes are then faster


class Weights(NamedTuple):
    """What is found in weights.

    Attributes
    ----------
    shape : tuple of int
    counting : ndarray
        Those that are not zero, float64, read-only: kernels remember by it what they made of them.
    taps : bytes or None
        Which ones those are; None if all.
    factors : tuple of ndarray, or None
        Of weights of two axes, along each: their products are the weights, to the last bits of float32.
    """

    shape: tuple[int, ...]
    counting: np.ndarray
    taps: bytes | None
    factors: tuple[np.ndarray, np.ndarray] | None


@remember
@np.errstate(all="ignore")
def weights_of(given: bytes, shape: tuple[int, ...]) -> Weights:
    """What is found in weights of float64, in C order."""
    w = np.frombuffer(given, np.float64).reshape(shape)
    counts = np.abs(w) > SMALLEST
    counting = np.ascontiguousarray(w[counts])
    counting.flags.writeable = False
    taps = None if counts.all() else counts.astype(np.uint8).tobytes()
    return Weights(shape, counting, taps, None if taps is not None else _factors(w))


def _factors(w: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    long = [n for n in w.shape if n > 1]
    if len(long) != 2 or w.size <= SEPARABLE_SHARE * sum(long) or not np.isfinite(w).all():
        return None
    w = w.reshape(long)
    i, j = np.unravel_index(np.argmax(np.abs(w)), w.shape)
    across, along = w[:, j], w[i] / w[i, j]
    if (np.abs(np.outer(across, along) - w) > 4 * SMALLEST * np.abs(w)).any():
        return None
    return across, along


@remember
def _recipe(
    shape: tuple[int, ...], dtype: np.dtype, out: np.dtype, window: Neighbors, options: Options
) -> Recipe:
    return recipe_of(CorrelationProblem(shape, dtype, out, window), options)


def _before(origin: Any, axes: tuple[int, ...], shape: tuple[int, ...], convolution: bool) -> tuple[int, ...]:
    """Elements of windows of that shape before a result, along each axis."""
    origins = on_all_axes(origin, axes, len(shape))
    if convolution:
        origins = [-o - (n % 2 == 0) for o, n in zip(origins, shape, strict=True)]
    return tuple(as_before(o, n, "weights.shape[k]") for o, n in zip(origins, shape, strict=True))


@remember
def _usual(
    shape: tuple[int, ...], dtype: np.dtype, given: bytes, sizes: tuple[int, ...], mode: str, cval: float, origin: int,
    convolution: bool, options: Options,
) -> tuple[Recipe, np.ndarray] | None:  # fmt: skip
    """Of real arrays, all axes and weights of float64: what they are; None if that is not one correlation."""
    check_dtype(dtype)
    before = _before(origin, tuple(range(len(shape))), sizes, convolution)
    found = weights_of(np.frombuffer(given)[::-1].tobytes() if convolution else given, sizes)
    if found.factors is not None or not dtype.isnative:
        return None
    window = Neighbors(sizes, before, as_mode(mode), cval, found.taps)
    return _recipe(shape, dtype, dtype, window, options), found.counting


def _real(
    x: np.ndarray, w: np.ndarray, output: Any, mode: Any, cval: Any, before: tuple[int, ...], options: Options
) -> np.ndarray:
    """With real weights of as many axes as x."""
    found = weights_of(np.ascontiguousarray(w, np.float64).tobytes(), w.shape)
    dtype, given = as_output(output, x)
    if dtype.kind == "b":
        return in_bytes(lambda out: _real(x, w, out, mode, cval, before, options), given)
    native = dtype.newbyteorder("=")
    window = Neighbors(w.shape, before, as_mode(mode), float(cval), found.taps)
    if found.factors is not None and x.dtype == native == np.float32 and (window.mode != "constant" or cval == 0):
        axes = [axis for axis, n in enumerate(w.shape) if n > 1]
        steps = tuple(
            Correlation.of(axis, factor, mode, before[axis] - w.shape[axis] // 2)
            for axis, factor in zip(axes, found.factors, strict=True)
        )
        return correlated(x, steps, output, cval, options)
    recipe = _recipe(x.shape, x.dtype, native, window, options)
    return filtered(recipe, x, (found.counting,), given)


def _correlate(
    input: Any, weights: Any, output: Any, mode: Any, cval: Any, origin: Any, axes: Any, convolution: bool,
    options: Options,
) -> np.ndarray:  # fmt: skip
    x, w = input, weights
    plain = type(mode) is str and type(origin) is int and type(cval) in (int, float) and axes is None
    plain = plain and type(w) is np.ndarray and w.size > 0 and w.dtype.kind in "biuf"
    if plain and is_summed(x, output) and w.ndim == x.ndim:
        given = np.ascontiguousarray(w, np.float64).tobytes()
        usual = _usual(x.shape, x.dtype, given, w.shape, mode, float(cval), origin, convolution, options)
        if usual is not None:
            return filtered(usual[0], x, usual[1:], None)
    x, w = as_input(input), np.asarray(weights)
    if w.dtype.kind == "c" and not convolution:
        w = w.conj()  # as in np.correlate
    is_complex = "c" in (x.dtype.kind, w.dtype.kind)
    if is_complex:
        not_planned()
        made = array_for(output, x, is_complex=True)
    found = as_axes(axes, x.ndim)
    w = expanded(x.ndim, found, w if w.dtype.kind == "c" else w.astype(np.float64, copy=False), "weights")
    if w.ndim != x.ndim or 0 in w.shape:
        wrong = sum(n > 0 for n in w.shape)
        raise RuntimeError(f"weights.ndim ({wrong}) must match len(axes) ({len(found)})")
    if convolution:
        w = w[(slice(None, None, -1),) * w.ndim]
    before = _before(origin, found, w.shape, convolution)
    if not isinstance(mode, str) and isinstance(mode, Iterable):
        raise RuntimeError("A sequence of modes is not supported")

    def part(x: np.ndarray, w: np.ndarray, out: Any, value: Any) -> np.ndarray:
        return _real(x, w, out, mode, value, before, options)

    if not is_complex:
        return part(x, w, output, cval)
    return _by_parts(part, x, w, made, cval)


def _by_parts(
    part: Callable[[np.ndarray, np.ndarray, Any, Any], np.ndarray], x: np.ndarray, w: np.ndarray, made: np.ndarray,
    cval: Any,
) -> np.ndarray:  # fmt: skip
    """A correlation of complex numbers as two or four of real ones."""
    dtype, re, im = made.real.dtype, np.real(cval), np.imag(cval)
    if x.dtype.kind != "c":
        if np.iscomplexobj(cval):
            raise ValueError("Cannot provide a complex-valued cval when the input is real.")
        both = part(x, w.real, dtype, cval), part(x, w.imag, dtype, cval)
    elif w.dtype.kind != "c":
        both = part(x.real, w, dtype, re), part(x.imag, w, dtype, im)
    else:
        both = (
            part(x.real, w.real, dtype, re) - part(x.imag, w.imag, None, im),
            part(x.real, w.imag, dtype, re) + part(x.imag, w.real, None, im),
        )
    made.real, made.imag = both
    return made


def correlate(
    input: ArrayLike, weights: ArrayLike, output: Output = None, mode: Mode = "reflect", cval: complex = 0.0,
    origin: int | Sequence[int] = 0, *, axes: int | Sequence[int] | None = None, backend: Backend | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Correlation with weights of any shape, as `scipy.ndimage.correlate`.

    Sums are those of float64, in SciPy's order, or of float32 where input and result are that: these may be computed as
    two passes, one for each axis, where the weights are products of factors along the axes.  Weights up to 2.2e-16 do
    not count.  What is not described here is as in `fastconv.ndimage.correlate1d`.

    Parameters
    ----------
    weights : array_like
        As many axes as are filtered.  Used as float64, or complex128.
    origin : int or sequence of int
        Moves the window to the left, if positive; one for each axis.
    axes : int or tuple of int, optional
        Those that are filtered; by default all.

    Examples
    --------
    >>> import fastconv.ndimage as ndi, numpy as np
    >>> ndi.correlate(np.arange(9).reshape(3, 3), [[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    array([[ 4,  8, 12],
           [16, 20, 24],
           [28, 32, 36]])
    """
    options = resolve(backend, None, threads, tol, max_workspace)
    return _correlate(input, weights, output, mode, cval, origin, axes, False, options)


def convolve(
    input: ArrayLike, weights: ArrayLike, output: Output = None, mode: Mode = "reflect", cval: complex = 0.0,
    origin: int | Sequence[int] = 0, *, axes: int | Sequence[int] | None = None, backend: Backend | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Convolution with weights of any shape, as `scipy.ndimage.convolve`.

    The window is that of `correlate` with the weights in reverse along all axes.  Parameters and errors are as in
    `correlate`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.convolve([[0, 0, 0], [0, 1, 0], [0, 0, 0]], [[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    array([[1, 2, 3],
           [4, 5, 6],
           [7, 8, 9]])
    """
    options = resolve(backend, None, threads, tol, max_workspace)
    return _correlate(input, weights, output, mode, cval, origin, axes, True, options)
