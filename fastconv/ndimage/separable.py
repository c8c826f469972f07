"""Correlations along one axis after the other: Gaussian, derivatives, Laplace."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike

from fastconv.core.problems.neighbors import CorrelationProblem, Neighbors
from fastconv.core.problems.separable import Pass, SeparableProblem, Sum, SumProblem, is_image
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, remember
from fastconv.dispatch.repeated import Fixed, Request, repeated
from fastconv.ndimage.arguments import (
    Mode,
    Modes,
    Output,
    apart,
    array_for,
    as_axes,
    as_axis,
    as_before,
    as_input,
    as_mode,
    as_output,
    not_planned,
    on_all_axes,
    per_axis,
)
from fastconv.ndimage.calls import by_bands, copied, filtered, in_bytes, is_summed, is_usual, of_parts, recipe_of
from fastconv.typing import Backend

SECOND = np.array([1.0, -2.0, 1.0])  # differences
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
ROOTS = np.sqrt(np.arange(256)).astype(np.uint8)  # of bytes, truncated
TINY = 1e-15  # smaller standard deviations leave an axis as it is


@remember
def _recipe(
    shape: tuple[int, ...], dtype: np.dtype, out: np.dtype, passes: tuple[Pass, ...], cval: float, options: Options
) -> Recipe:
    return recipe_of(SeparableProblem(shape, dtype, out, passes, cval), options)


@remember
def _laplace_recipe(
    shape: tuple[int, ...], dtype: np.dtype, out: np.dtype, axes: tuple[int, ...], mode: Any, cval: float,
    options: Options,
) -> tuple[Recipe, np.ndarray]:  # fmt: skip
    """The sum of second differences as one correlation, and its weights."""
    window = np.zeros([3 if axis in axes else 1 for axis in range(len(shape))])
    middle = tuple(n // 2 for n in window.shape)
    for axis in axes:
        window[(*middle[:axis], slice(None), *middle[axis + 1 :])] += SECOND
    taps = window != 0
    weights = window[taps]
    weights.flags.writeable = False
    cross = None if taps.all() else taps.astype(np.uint8).tobytes()
    neighbors = Neighbors(window.shape, middle, as_mode(mode), cval, cross)
    return recipe_of(CorrelationProblem(shape, dtype, out, neighbors), options), weights


@remember
def _sum_recipe(
    shape: tuple[int, ...], dtype: np.dtype, parts: tuple[tuple[Pass, ...], ...], join: Sum, cval: float,
    options: Options,
) -> Recipe:  # fmt: skip
    return recipe_of(SumProblem(shape, dtype, dtype, parts, join, cval), options)


class Correlation(NamedTuple):
    """One pass and its weights."""

    step: Pass
    weights: np.ndarray

    @classmethod
    def of(cls, axis: int, weights: Any, mode: Any, origin: Any = 0) -> Correlation:
        """Along `axis`, from 0 on, with weights that are or become float64."""
        w = np.ascontiguousarray(weights, np.float64)
        if np.ndim(weights) != 1 or w.size < 1:
            raise RuntimeError("no filter weights given")
        return _correlation(axis, w.tobytes(), mode, origin)


@remember
def _correlation(axis: int, weights: bytes, mode: Any, origin: Any) -> Correlation:
    """The same for the same weights, whose array is read-only: kernels remember by it what they made of them."""
    w = np.frombuffer(weights, np.float64)
    return Correlation(Pass(axis, w.size, as_before(origin, w.size), as_mode(mode)), w)


def correlated(
    input: np.ndarray, passes: Sequence[Correlation], output: Any, cval: Any, options: Options
) -> np.ndarray:
    """Correlations one after the other, with real weights; without any, a copy."""
    return of_parts(lambda x, out, value: _correlated(x, passes, out, value, options), input, output, cval)


def _correlated(
    input: np.ndarray, passes: Sequence[Correlation], output: Any, cval: Any, options: Options
) -> np.ndarray:
    if not passes:
        return copied(input, output)
    dtype, given = as_output(output, input)
    if dtype.kind == "b":
        return in_bytes(lambda out: _correlated(input, passes, out, cval, options), given)
    steps, weights = zip(*passes, strict=True)
    recipe = _recipe(input.shape, input.dtype, dtype.newbyteorder("="), steps, float(cval), options)
    return filtered(recipe, input, weights, given)


def _request(x: np.ndarray, passes: Sequence[Correlation], cval: Any, options: Options) -> Request:
    steps, weights = zip(*passes, strict=True)
    return _recipe(x.shape, x.dtype, x.dtype, steps, float(cval), options), x, Fixed(weights), None


def _added(
    input: np.ndarray, parts: tuple[tuple[Correlation, ...], ...], join: Sum, output: Any, cval: Any, options: Options
) -> np.ndarray | None:  # fmt: skip
    """The sum of filters of an image of floats, of all parts at once; None if these are of another kind."""
    dtype, given = as_output(output, input)
    axes = tuple({w.step.axis for part in parts for w in part})
    if input.dtype != dtype or dtype not in FLOATS or not all(parts) or not is_image(input.shape, axes):
        return None
    recipe, x, weights, _ = _sum_request(input, parts, join, cval, options)
    return filtered(recipe, x, tuple(weights), given)


def _sum_request(
    x: np.ndarray, parts: tuple[tuple[Correlation, ...], ...], join: Sum, cval: Any, options: Options
) -> Request:
    steps = tuple(tuple(w.step for w in part) for part in parts)
    weights = Fixed(w.weights for part in parts for w in part)
    return _sum_recipe(x.shape, x.dtype, steps, join, float(cval), options), x, weights, None


def _is_image_of_floats(input: Any, output: Any, mode: Any, axes: Any) -> bool:
    """Whether all axes of it, and no others, are those of an image, and have one mode: such sums are remembered."""
    usual = is_usual(input, output) and type(mode) is str and axes is None
    return usual and input.ndim == 2 and input.dtype in FLOATS and is_image(input.shape, (0, 1))


@repeated
def _laplace_of_image(x: Any, mode: Any, cval: Any, options: Options) -> Request:
    """Of arrays of which `_is_image_of_floats` is true."""
    steps = _second_differences((0, 1), (mode, mode))
    return _sum_request(x, tuple((step,) for step in steps), "sum", cval, options)


@repeated
def _gaussians_of_image(
    x: Any, order: int, join: Sum, sigma: float, mode: Any, cval: Any, options: Options
) -> Request:  # fmt: skip
    """Derivatives of that order along each axis of arrays of which `_is_image_of_floats` is true."""
    orders = ((order, 0), (0, order))
    parts = tuple(_gaussians(2, (sigma, sigma), each, mode, 4.0, None, None) for each in orders)
    return _sum_request(x, parts, join, cval, options)


def correlate1d(
    input: ArrayLike, weights: ArrayLike, axis: int = -1, output: Output = None, mode: Mode = "reflect",
    cval: complex = 0.0, origin: int = 0, *, backend: Backend | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Correlation of the lines along an axis with 1-D weights, as `scipy.ndimage.correlate1d`.

    Parameters
    ----------
    input : array_like
        Of any number of axes; bool, integers, float32, float64, complex64 or complex128.
    weights : array_like, shape (taps,)
        Used as float64, or complex128.
    axis : int
    output : ndarray or dtype, optional
        Where the result is written, or its dtype; by default that of `input`.  It may overlap `input`.  Integers are
        truncated towards zero.
    mode : {"reflect", "constant", "nearest", "mirror", "wrap"}
        What lies beyond the ends of a line: ``reflect`` repeats the last element, ``mirror`` does not.  "grid-mirror",
        "grid-constant" and "grid-wrap" mean reflect, constant and wrap.
    cval : scalar
        The value beyond the ends with ``constant``.
    origin : int
        Moves the window to the left, if positive.
    backend, threads, tol, max_workspace
        As in `fastconv.options`.

    Returns
    -------
    ndarray

    Raises
    ------
    RuntimeError, ValueError, TypeError
        The errors of SciPy.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.correlate1d([2, 8, 0, 4, 1, 9, 9, 0], weights=[1, 3])
    array([ 8, 26,  8, 12,  7, 28, 36,  9])
    """
    x, w = as_input(input), np.asarray(weights)
    options = resolve(backend, None, threads, tol, max_workspace)
    at = as_axis(axis, x.ndim)
    if w.dtype.kind != "c":
        return correlated(x, (Correlation.of(at, w, mode, origin),), output, cval, options)
    if x.dtype.kind != "c" and np.iscomplexobj(cval):
        raise ValueError("Cannot provide a complex-valued cval when the input is real.")
    return _with_complex_weights(
        x, Correlation.of(at, w.real, mode, origin), Correlation.of(at, -w.imag, mode, origin), output, cval, options
    )


def _with_complex_weights(
    x: np.ndarray, real: Correlation, imag: Correlation, output: Any, cval: Any, options: Options
) -> np.ndarray:
    """A correlation with complex weights, as two or four with real ones."""
    not_planned()
    made = array_for(output, x, is_complex=True)
    part = made.real.dtype
    if x.dtype.kind != "c":
        made.real, made.imag = (_correlated(x, (w,), part, cval, options) for w in (real, imag))
        return made
    re, im = np.real(cval), np.imag(cval)
    both = (
        _correlated(x.real, (real,), part, re, options) - _correlated(x.imag, (imag,), None, im, options),
        _correlated(x.real, (imag,), part, re, options) + _correlated(x.imag, (real,), None, im, options),
    )
    made.real, made.imag = both
    return made


def convolve1d(
    input: ArrayLike, weights: ArrayLike, axis: int = -1, output: Output = None, mode: Mode = "reflect",
    cval: complex = 0.0, origin: int = 0, *, backend: Backend | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Convolution of the lines along an axis with 1-D weights, as `scipy.ndimage.convolve1d`.

    The window is that of `correlate1d` with the weights in reverse.  Parameters and errors are as in `correlate1d`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.convolve1d([2, 8, 0, 4, 1, 9, 9, 0], weights=[1, 3])
    array([14, 24,  4, 13, 12, 36, 27,  0])
    """
    w = np.asarray(weights)[::-1]
    shift = -origin - (w.shape[0] % 2 == 0)
    if w.dtype.kind == "c":
        w = w.conj()  # `correlate1d` conjugates them
    return correlate1d(
        input, w, axis, output, mode, cval, shift, backend=backend, threads=threads, tol=tol,
        max_workspace=max_workspace,
    )  # fmt: skip


def gaussian_weights(sigma: float, order: int, radius: int) -> np.ndarray:
    """A Gaussian, or one of its derivatives, at -radius ... radius.

    The derivative of order n of g is a polynomial times g: q' - x q / sigma^2 follows q.
    """
    if order < 0:
        raise ValueError("order must be non-negative")
    x = np.arange(-radius, radius + 1)
    variance = sigma * sigma
    g = np.exp(-0.5 / variance * x**2)
    g = g / g.sum()
    q = np.zeros(order + 1)  # coefficients, of rising powers
    q[0] = 1
    powers = np.arange(order + 1)
    for _ in range(order):
        following = np.zeros_like(q)
        following[:-1] = q[1:] * powers[1:]
        following[1:] += q[:-1] / -variance
        q = following
    return g if order == 0 else (x[:, None] ** powers).dot(q) * g


def gaussian_radius(sigma: float, truncate: float) -> int:
    """Elements to each side of the window of a Gaussian for which no radius was given."""
    return int(float(truncate) * float(sigma) + 0.5)


def _gaussian(axis: int, sigma: Any, order: Any, mode: Any, truncate: float, radius: Any) -> Correlation:
    if radius is None:
        radius = gaussian_radius(sigma, truncate)
    if not isinstance(radius, numbers.Integral) or radius < 0:
        raise ValueError("Radius must be a nonnegative integer.")
    return Correlation.of(axis, gaussian_weights(sigma, order, int(radius))[::-1], mode)


def gaussian_filter1d(
    input: ArrayLike, sigma: float, axis: int = -1, order: int = 0, output: Output = None, mode: Mode = "reflect",
    cval: complex = 0.0, truncate: float = 4.0, *, radius: int | None = None, backend: Backend | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Gaussian, or a derivative of it, along an axis, as `scipy.ndimage.gaussian_filter1d`.

    What is not described here is as in `correlate1d`.

    Parameters
    ----------
    sigma : float
        Standard deviation, in elements.
    order : int
        Of the derivative; 0 is the Gaussian.
    truncate : float
        How many standard deviations the window reaches to both sides.
    radius : int, optional
        How many elements it reaches, instead.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.gaussian_filter1d([1.0, 2.0, 3.0, 4.0, 5.0], 1).round(3)
    array([1.427, 2.068, 3.   , 3.932, 4.573])
    """
    x = as_input(input)
    options = resolve(backend, None, threads, tol, max_workspace)
    steps = _gaussian_steps(((as_axis(axis, x.ndim), float(sigma), order, mode, radius),), float(truncate))
    return correlated(x, steps, output, cval, options)


def gaussian_filter(
    input: ArrayLike, sigma: float | Sequence[float], order: int | Sequence[int] = 0, output: Output = None,
    mode: Modes = "reflect", cval: complex = 0.0, truncate: float = 4.0, *,
    radius: int | Sequence[int] | None = None, axes: int | Sequence[int] | None = None,
    backend: Backend | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Gaussian, or derivatives of it, along several axes, as `scipy.ndimage.gaussian_filter`.

    What is not described here is as in `gaussian_filter1d`; each of `sigma`, `order`, `mode` and `radius` may be a
    sequence, with one for each axis.

    Parameters
    ----------
    axes : int or tuple of int, optional
        By default all.  Axes with a `sigma` of 0 are left as they are.

    Examples
    --------
    >>> import fastconv.ndimage as ndi, numpy as np
    >>> ndi.gaussian_filter(np.arange(50, step=2).reshape(5, 5), sigma=1)[0]
    array([ 4,  6,  8,  9, 11])
    """
    options = resolve(backend, None, threads, tol, max_workspace)
    if axes is None and is_summed(input, output) and _is_deviation(sigma):
        return cast(np.ndarray, _gaussian_along_all(input, sigma, order, mode, cval, truncate, radius, options))
    x = as_input(input)
    return correlated(x, _gaussians(x.ndim, sigma, order, mode, truncate, radius, axes), output, cval, options)


def _is_deviation(sigma: Any) -> bool:
    """Whether it is one number for all axes, which leaves none of them as it is."""
    return type(sigma) in (int, float) and cast(float, sigma) > TINY


@repeated
def _gaussian_along_all(
    x: Any, sigma: Any, order: Any, mode: Any, cval: Any, truncate: Any, radius: Any, options: Options
) -> Request:
    """Of arrays of which `is_summed` is true."""
    x = as_input(x)
    return _request(x, _gaussians(x.ndim, sigma, order, mode, truncate, radius, None), cval, options)


def _gaussians(
    ndim: int, sigma: Any, order: Any, mode: Any, truncate: float, radius: Any, axes: Any
) -> tuple[Correlation, ...]:
    found = as_axes(axes, ndim)
    given = zip(found, *(per_axis(v, len(found)) for v in (sigma, order, mode, radius)), strict=True)
    return _gaussian_steps(tuple((a, float(s), o, m, r) for a, s, o, m, r in given if s > TINY), float(truncate))


@remember
def _gaussian_steps(given: tuple[tuple[Any, ...], ...], truncate: float) -> tuple[Correlation, ...]:
    """Of (axis, sigma, order, mode, radius)."""
    return tuple(_gaussian(axis, s, o, m, truncate, r) for axis, s, o, m, r in given)


def _derivative(
    input: ArrayLike, axis: int, across: tuple[float, ...], output: Any, mode: Any, cval: Any, options: Options
) -> np.ndarray:
    """Central differences along an axis, and weights `across` along the others."""
    if is_summed(input, output):
        return cast(np.ndarray, _usual_derivative(input, axis, across, mode, cval, options))
    x = as_input(input)
    return correlated(x, _differences(x.ndim, axis, across, mode), output, cval, options)


@repeated
def _usual_derivative(x: Any, axis: Any, across: tuple[float, ...], mode: Any, cval: Any, options: Options) -> Request:
    """Of arrays of which `is_summed` is true."""
    x = as_input(x)
    return _request(x, _differences(x.ndim, axis, across, mode), cval, options)


def _differences(ndim: int, axis: Any, across: tuple[float, ...], mode: Any) -> tuple[Correlation, ...]:
    return _derivative_steps(as_axis(axis, ndim), across, tuple(per_axis(mode, ndim)))


@remember
def _derivative_steps(axis: int, across: tuple[float, ...], modes: tuple[Any, ...]) -> tuple[Correlation, ...]:
    others = [i for i in range(len(modes)) if i != axis]
    along = Correlation.of(axis, (-1, 0, 1), modes[axis])
    return (along, *(Correlation.of(i, across, modes[i]) for i in others))


def prewitt(
    input: ArrayLike, axis: int = -1, output: Output = None, mode: Modes = "reflect", cval: complex = 0.0, *,
    backend: Backend | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Differences along `axis`, sums of three along the others, as `scipy.ndimage.prewitt`.

    Parameters are as in `correlate1d`; `mode` may be a sequence, with one for each axis.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.prewitt([[0, 0, 5], [0, 0, 5]])
    array([[ 0, 15, 15],
           [ 0, 15, 15]])
    """
    return _derivative(input, axis, (1, 1, 1), output, mode, cval, resolve(backend, None, threads, tol, max_workspace))


def sobel(
    input: ArrayLike, axis: int = -1, output: Output = None, mode: Modes = "reflect", cval: complex = 0.0, *,
    backend: Backend | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Differences along `axis`, weights 1, 2, 1 along the others, as `scipy.ndimage.sobel`.

    Parameters are as in `prewitt`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.sobel([[0, 0, 5], [0, 0, 5]])
    array([[ 0, 20, 20],
           [ 0, 20, 20]])
    """
    return _derivative(input, axis, (1, 2, 1), output, mode, cval, resolve(backend, None, threads, tol, max_workspace))


def _sum_along_axes(
    input: Any, derivative: Callable[..., np.ndarray], of_part: Callable[[np.ndarray], np.ndarray], output: Any,
    mode: Any, cval: Any, extra_arguments: Sequence[Any], extra_keywords: Mapping[str, Any], axes: Any,
) -> tuple[np.ndarray, tuple[int, ...]]:  # fmt: skip
    """The sum of `of_part` of a derivative along each axis, and the axes; without any, a copy.

    `of_part` may change its argument, and returns it.
    """
    not_planned()
    x = np.asarray(input)
    made, found = array_for(output, x), as_axes(axes, x.ndim)
    x = apart(x, made)
    if not found:
        made[...] = x
        return made, found
    modes = per_axis(mode, len(found))
    derivative(x, found[0], made, modes[0], cval, *extra_arguments, **extra_keywords)
    of_part(made)
    for axis, of_axis in zip(found[1:], modes[1:], strict=True):
        made += of_part(derivative(x, axis, made.dtype, of_axis, cval, *extra_arguments, **extra_keywords))
    return made, found


def generic_laplace(
    input: ArrayLike, derivative2: Callable[..., np.ndarray], output: Output = None, mode: Modes = "reflect",
    cval: complex = 0.0, extra_arguments: Sequence[Any] = (), extra_keywords: Mapping[str, Any] | None = None, *,
    axes: int | Sequence[int] | None = None,
) -> np.ndarray:  # fmt: skip
    """Sum of second derivatives that a function computes, as `scipy.ndimage.generic_laplace`.

    What is not described here is as in `laplace`.

    Parameters
    ----------
    derivative2 : callable
        ``derivative2(input, axis, output, mode, cval, *extra_arguments, **extra_keywords)``
    extra_arguments : sequence
    extra_keywords : dict, optional

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> def second(input, axis, output, mode, cval):
    ...     return ndi.correlate1d(input, [1, -2, 1], axis, output, mode, cval)
    >>> ndi.generic_laplace([[0, 0, 0], [0, 1, 0], [0, 0, 0]], second)
    array([[ 0,  1,  0],
           [ 1, -4,  1],
           [ 0,  1,  0]])
    """
    made, _ = _sum_along_axes(
        input, derivative2, lambda part: part, output, mode, cval, extra_arguments, extra_keywords or {}, axes
    )
    return made


def _wraps(dtype: np.dtype, out: np.dtype, constant: Any) -> bool:
    """Whether second differences are integers that fit into `out` or wrap around: their sum may be one correlation."""
    small = dtype.kind in "biu" and dtype.itemsize <= 2 and out.kind in "iu" and out.itemsize <= 4
    return small and constant % 1 == 0 and abs(constant) < 1 << 16


def laplace(
    input: ArrayLike, output: Output = None, mode: Modes = "reflect", cval: complex = 0.0, *,
    axes: int | Sequence[int] | None = None, backend: Backend | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Sum of second differences, as `scipy.ndimage.laplace`.

    What is not described here is as in `correlate1d`.

    Parameters
    ----------
    mode : str or sequence of str
        One for each axis.
    axes : int or tuple of int, optional
        By default all.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.laplace([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    array([[ 0,  1,  0],
           [ 1, -4,  1],
           [ 0,  1,  0]])
    """
    options = resolve(backend, None, threads, tol, max_workspace)
    if _is_image_of_floats(input, output, mode, axes):
        return cast(np.ndarray, _laplace_of_image(input, mode, cval, options))
    x = as_input(input)
    found = as_axes(axes, x.ndim)
    modes = per_axis(mode, len(found))
    steps = _second_differences(found, tuple(modes))
    fused = _added(x, tuple((step,) for step in steps), "sum", output, cval, options)
    if fused is not None:
        return fused
    not_planned()
    made = array_for(output, x)
    if not found:
        made[...] = x
        return made
    constant: Any = cval if modes[0] in ("constant", "grid-constant") else 0
    if _wraps(x.dtype, made.dtype, constant) and len(set(modes)) == 1:
        out = made.dtype.newbyteorder("=")
        recipe, weights = _laplace_recipe(x.shape, x.dtype, out, tuple(found), modes[0], float(constant), options)
        return filtered(recipe, x, (weights,), made)
    parts = [correlated(x, (step,), made.dtype, cval, options) for step in steps]
    np.copyto(made, parts[0])
    for part in parts[1:]:
        made += part
    return made


@remember
def _second_differences(axes: tuple[int, ...], modes: tuple[Any, ...]) -> tuple[Correlation, ...]:
    return tuple(Correlation.of(axis, SECOND, mode) for axis, mode in zip(axes, modes, strict=True))


def _of_gaussians(
    x: np.ndarray, order: int, join: Sum, deviations: Sequence[Any], output: Any, mode: Any, cval: Any,
    axes: tuple[int, ...], truncate: float = 4.0, radius: Any = None, backend: Backend | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None, **others: Any,
) -> np.ndarray | None:  # fmt: skip
    """Derivatives of that order of a Gaussian along each axis, added; None if not at once."""
    if others or len(axes) != 2:
        return None
    parts = tuple(
        _gaussians(x.ndim, deviations, [order * (i == axis) for i in range(x.ndim)], m, truncate, radius, None)
        for axis, m in zip(axes, per_axis(mode, len(axes)), strict=True)
    )
    return _added(x, parts, join, output, cval, resolve(backend, None, threads, tol, max_workspace))


def _reach(
    deviations: Sequence[Any], mode: Any, axes: tuple[int, ...], truncate: float = 4.0, radius: Any = None,
    **others: Any,
) -> int | None:  # fmt: skip
    """How many rows before and behind its own a Gaussian depends on; None if also on the other end's.

    The derivative along each axis has one mode for all axes.
    """
    if not deviations or any(as_mode(m) == "wrap" for m in per_axis(mode, len(axes))):
        return None
    own = per_axis(radius, len(deviations))[0]
    return (gaussian_radius(deviations[0], truncate) if own is None else int(own)) if deviations[0] > TINY else 0


def _of_gaussian(order: int, deviations: Sequence[Any], kwargs: Mapping[str, Any]) -> Callable[..., np.ndarray]:
    """The derivative of that order of a Gaussian along one axis."""

    def derivative(x: np.ndarray, axis: int, output: Any, mode: Any, cval: Any) -> np.ndarray:
        orders = [order if i == axis else 0 for i in range(x.ndim)]
        return gaussian_filter(x, deviations, orders, output, mode, cval, **kwargs)

    return derivative


def gaussian_laplace(
    input: ArrayLike, sigma: float | Sequence[float], output: Output = None, mode: Modes = "reflect",
    cval: complex = 0.0, *, axes: int | Sequence[int] | None = None, **kwargs: Any,
) -> np.ndarray:  # fmt: skip
    """Sum of second derivatives of Gaussians, as `scipy.ndimage.gaussian_laplace`.

    Arrays and borders are as in `correlate1d`, all else as in `gaussian_filter`.

    Parameters
    ----------
    **kwargs
        All other arguments of `gaussian_filter`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi, numpy as np
    >>> ndi.gaussian_laplace(np.eye(3), sigma=1).round(3)[0]
    array([-0.385,  0.037,  0.348])
    """
    if not kwargs and _is_image_of_floats(input, output, mode, axes) and _is_deviation(sigma):
        return cast(np.ndarray, _gaussians_of_image(input, 2, "sum", sigma, mode, cval, resolve()))
    x = as_input(input)
    found = as_axes(axes, x.ndim)
    deviations = on_all_axes(sigma, found, x.ndim)
    fused = _of_gaussians(x, 2, "sum", deviations, output, mode, cval, found, **kwargs)
    if fused is not None:
        return fused
    second = _of_gaussian(2, deviations, kwargs)

    def compute(x: np.ndarray, output: Any) -> np.ndarray:
        return generic_laplace(x, second, output, mode, cval, axes=found)

    return by_bands(x, output, _reach(deviations, mode, found, **kwargs), compute)


def generic_gradient_magnitude(
    input: ArrayLike, derivative: Callable[..., np.ndarray], output: Output = None, mode: Modes = "reflect",
    cval: complex = 0.0, extra_arguments: Sequence[Any] = (), extra_keywords: Mapping[str, Any] | None = None, *,
    axes: int | Sequence[int] | None = None,
) -> np.ndarray:  # fmt: skip
    """Root of the sum of squares of derivatives that a function computes, as in scipy.ndimage.

    What is not described here is as in `laplace`.

    Parameters
    ----------
    derivative : callable
        ``derivative(input, axis, output, mode, cval, *extra_arguments, **extra_keywords)``; what it returns is changed.
    extra_arguments : sequence
    extra_keywords : dict, optional

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.generic_gradient_magnitude([[0.0, 0.0, 4.0], [0.0, 0.0, 4.0]], ndi.sobel)
    array([[ 0., 16., 16.],
           [ 0., 16., 16.]])
    """
    made, found = _sum_along_axes(
        input, derivative, lambda part: np.multiply(part, part, part), output, mode, cval, extra_arguments,
        extra_keywords or {}, axes,
    )  # fmt: skip
    if found and made.dtype == np.uint8:  # NumPy's are those of half floats, which it computes in software
        made[...] = ROOTS[made]
        return made
    return np.sqrt(made, made, casting="unsafe") if found else made


def gaussian_gradient_magnitude(
    input: ArrayLike, sigma: float | Sequence[float], output: Output = None, mode: Modes = "reflect",
    cval: complex = 0.0, *, axes: int | Sequence[int] | None = None, **kwargs: Any,
) -> np.ndarray:  # fmt: skip
    """Magnitude of the gradient of a Gaussian, as `scipy.ndimage.gaussian_gradient_magnitude`.

    Arrays and borders are as in `correlate1d`, all else as in `gaussian_filter`.

    Parameters
    ----------
    sigma : float or sequence of float
        One for each axis of the array: those that are not in `axes` are smoothed, too.
    axes : int or tuple of int, optional
        Along which derivatives are taken; by default all.
    **kwargs
        All other arguments of `gaussian_filter`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi, numpy as np
    >>> ndi.gaussian_gradient_magnitude(np.eye(3), sigma=1).round(3)[0]
    array([0.153, 0.202, 0.132])
    """
    if not kwargs and _is_image_of_floats(input, output, mode, axes) and _is_deviation(sigma):
        return cast(np.ndarray, _gaussians_of_image(input, 1, "magnitude", sigma, mode, cval, resolve()))
    x = as_input(input)
    found = as_axes(axes, x.ndim)
    deviations = tuple(per_axis(sigma, x.ndim))  # of all axes, whatever `axes`: so it is in SciPy
    fused = _of_gaussians(x, 1, "magnitude", deviations, output, mode, cval, found, **kwargs)
    if fused is not None:
        return fused
    first = _of_gaussian(1, deviations, kwargs)

    def compute(x: np.ndarray, output: Any) -> np.ndarray:
        return generic_gradient_magnitude(x, first, output, mode, cval, axes=found)

    return by_bands(x, output, _reach(deviations, mode, found, **kwargs), compute)
