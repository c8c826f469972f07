"""Grey morphology: erosion, dilation and what is made of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fastconv.dispatch.options import Options, resolve
from fastconv.ndimage.arguments import Modes, Output, apart, as_axes, as_mode, not_planned, per_axis
from fastconv.ndimage.calls import by_bands, is_banded
from fastconv.ndimage.windows import extrema, real_input
from fastconv.typing import Backend


class Shape(NamedTuple):
    """What erosions and dilations have in common: the element by which they are done, and the borders."""

    size: Any
    footprint: Any
    structure: Any
    mode: Any
    cval: Any
    origin: Any
    axes: Any
    options: Options

    def eroded(self, x: Any, output: Any) -> np.ndarray:
        self.check()
        return extrema("min", x, self.size, self.footprint, self.structure, output, *self[3:])

    def dilated(self, x: Any, output: Any) -> np.ndarray:
        """By the element in reverse."""
        self.check()
        if type(self.size) is type(self.origin) is int and self.footprint is self.structure is self.axes is None:
            shift = -self.origin - (self.size % 2 == 0)  # for each axis
            return extrema(
                "max", x, self.size, None, None, output, self.mode, self.cval, shift, None, self.options
            )  # fmt: skip
        footprint, structure = (None if e is None else np.flip(np.asarray(e)) for e in (self.footprint, self.structure))
        axes = as_axes(self.axes, np.ndim(x))
        element = footprint if footprint is not None else structure
        sizes = per_axis(self.size, len(axes)) if element is None else element.shape
        shifts = [-o - (n % 2 == 0) for o, n in zip(per_axis(self.origin, len(axes)), sizes, strict=False)]
        return extrema(
            "max", x, self.size, footprint, structure, output, self.mode, self.cval, shifts, axes, self.options
        )

    def check(self) -> None:
        if self.size is None and self.footprint is None and self.structure is None:
            raise ValueError("size, footprint, or structure must be specified")

    def reach(self, ndim: int) -> int | None:
        """How many rows before and behind its own a result depends on, at most; None if also on the other end's."""
        axes = as_axes(self.axes, ndim)
        element = self.footprint if self.footprint is not None else self.structure
        sizes = per_axis(self.size, len(axes)) if element is None else [max(np.shape(element))] * len(axes)
        found, origins = 0, per_axis(self.origin, len(axes))
        for axis, size, mode, origin in zip(axes, sizes, per_axis(self.mode, len(axes)), origins, strict=True):
            if axis == 0 and as_mode(mode) == "wrap":
                return None
            found = max(found, int(size) // 2 + abs(int(origin)) if axis == 0 else 0)
        return found

    def computed(self, x: Any, output: Any, steps: int, compute: Callable[[Any, Any], np.ndarray]) -> np.ndarray:
        """What `compute` makes of an array and an output by so many erosions and dilations, each of the one before."""
        not_planned()
        self.check()
        if type(x) is not np.ndarray or x.ndim < 2 or not is_banded(x):
            return compute(x, output)
        try:
            reach = self.reach(x.ndim)
        except (RuntimeError, TypeError, ValueError):
            reach = None  # `compute` refuses the arguments in SciPy's words
        return by_bands(x, output, None if reach is None else steps * reach, compute)

    def once_warned(self) -> Shape:
        """Without the size that SciPy ignores, with its warning, which two steps would give twice."""
        if self.size is None or self.footprint is None:
            return self
        warnings.warn("ignoring size because footprint is set", UserWarning, stacklevel=3)
        return self._replace(size=None)


def _shape(
    size: Any, footprint: Any, structure: Any, mode: Any, cval: Any, origin: Any, axes: Any, backend: Backend | None,
    threads: int | None, tol: float | None, max_workspace: int | None,
) -> Shape:  # fmt: skip
    options = resolve(backend, None, threads, tol, max_workspace)
    return Shape(size, footprint, structure, mode, cval, origin, axes, options)


def grey_erosion(
    input: ArrayLike, size: int | Sequence[int] | None = None, footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None, output: Output = None, mode: Modes = "reflect", cval: float = 0.0,
    origin: int | Sequence[int] = 0, *, axes: int | Sequence[int] | None = None, backend: Backend | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Smallest elements of windows, as `scipy.ndimage.grey_erosion`.

    What is not described here is as in `fastconv.ndimage.correlate1d`; each of `size`, `mode` and `origin` may be a
    sequence, with one for each axis.

    Parameters
    ----------
    size : int or tuple of int, optional
        Elements of a window.
    footprint : array_like of bool, optional
        Which elements of a window count, instead of `size`.
    structure : array_like, optional
        Heights of a window's elements, which are subtracted from those of the array.
    axes : int or tuple of int, optional
        By default all.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.grey_erosion([3, 1, 4, 1, 5, 9], size=2)
    array([3, 1, 1, 1, 1, 5])
    """
    element = _shape(
        size, footprint, structure, mode, cval, origin, axes, backend, threads, tol, max_workspace
    )  # fmt: skip
    return element.eroded(input, output)


def grey_dilation(
    input: ArrayLike, size: int | Sequence[int] | None = None, footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None, output: Output = None, mode: Modes = "reflect", cval: float = 0.0,
    origin: int | Sequence[int] = 0, *, axes: int | Sequence[int] | None = None, backend: Backend | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Largest elements of windows in reverse, as `scipy.ndimage.grey_dilation`.

    Parameters are as in `grey_erosion`; `structure` is added.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.grey_dilation([3, 1, 4, 1, 5, 9], size=2)
    array([3, 4, 4, 5, 9, 9])
    """
    element = _shape(
        size, footprint, structure, mode, cval, origin, axes, backend, threads, tol, max_workspace
    )  # fmt: skip
    return element.dilated(input, output)


def grey_opening(
    input: ArrayLike, size: int | Sequence[int] | None = None, footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None, output: Output = None, mode: Modes = "reflect", cval: float = 0.0,
    origin: int | Sequence[int] = 0, *, axes: int | Sequence[int] | None = None, backend: Backend | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Erosion, then dilation: peaks that are narrower than the window vanish, as in scipy.ndimage.

    Parameters are as in `grey_erosion`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.grey_opening([3, 1, 4, 1, 5, 9], size=2)
    array([3, 1, 1, 1, 5, 5])
    """
    element = _shape(
        size, footprint, structure, mode, cval, origin, axes, backend, threads, tol, max_workspace
    )  # fmt: skip
    return _opened(element.once_warned(), input, output)


def grey_closing(
    input: ArrayLike, size: int | Sequence[int] | None = None, footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None, output: Output = None, mode: Modes = "reflect", cval: float = 0.0,
    origin: int | Sequence[int] = 0, *, axes: int | Sequence[int] | None = None, backend: Backend | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Dilation, then erosion: valleys that are narrower than the window vanish, as in scipy.ndimage.

    Parameters are as in `grey_erosion`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.grey_closing([3, 1, 4, 1, 5, 9], size=2)
    array([3, 3, 4, 4, 5, 9])
    """
    element = _shape(
        size, footprint, structure, mode, cval, origin, axes, backend, threads, tol, max_workspace
    )  # fmt: skip
    return _closed(element.once_warned(), input, output)


def morphological_gradient(
    input: ArrayLike, size: int | Sequence[int] | None = None, footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None, output: Output = None, mode: Modes = "reflect", cval: float = 0.0,
    origin: int | Sequence[int] = 0, *, axes: int | Sequence[int] | None = None, backend: Backend | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Dilation minus erosion, as `scipy.ndimage.morphological_gradient`.

    Parameters are as in `grey_erosion`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.morphological_gradient([3, 1, 4, 1, 5, 9], size=3)
    array([2, 3, 3, 4, 8, 4])
    """
    element = _shape(
        size, footprint, structure, mode, cval, origin, axes, backend, threads, tol, max_workspace
    )  # fmt: skip

    def gradient(x: Any, made: Any) -> np.ndarray:
        dilated = element.dilated(x, None)
        if isinstance(made, np.ndarray):
            return np.subtract(dilated, element.eroded(x, made), made)
        return dilated - element.eroded(x, None)

    return element.computed(input, output, 1, gradient)


def morphological_laplace(
    input: ArrayLike, size: int | Sequence[int] | None = None, footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None, output: Output = None, mode: Modes = "reflect", cval: float = 0.0,
    origin: int | Sequence[int] = 0, *, axes: int | Sequence[int] | None = None, backend: Backend | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Dilation plus erosion minus twice the array, as `scipy.ndimage.morphological_laplace`.

    Parameters are as in `grey_erosion`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.morphological_laplace([3, 1, 4, 1, 5, 9], size=3)
    array([-2,  3, -3,  4,  0, -4])
    """
    element = _shape(
        size, footprint, structure, mode, cval, origin, axes, backend, threads, tol, max_workspace
    )  # fmt: skip

    def laplace(x: Any, output: Any) -> np.ndarray:
        dilated = element.dilated(x, None)
        made = element.eroded(x, output if isinstance(output, np.ndarray) else None)
        np.add(dilated, made, made)
        np.subtract(made, x, made)
        return np.subtract(made, x, made)

    return element.computed(apart(real_input(input), output), output, 1, laplace)


def white_tophat(
    input: ArrayLike, size: int | Sequence[int] | None = None, footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None, output: Output = None, mode: Modes = "reflect", cval: float = 0.0,
    origin: int | Sequence[int] = 0, *, axes: int | Sequence[int] | None = None, backend: Backend | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """The array minus its opening: narrow peaks, as `scipy.ndimage.white_tophat`.

    Parameters are as in `grey_erosion`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.white_tophat([3, 1, 4, 1, 5, 9], size=2)
    array([0, 0, 3, 0, 0, 4])
    """
    element = _shape(
        size, footprint, structure, mode, cval, origin, axes, backend, threads, tol, max_workspace
    )  # fmt: skip
    x = apart(real_input(input), output)
    made = _opened(element.once_warned(), x, output)
    return _difference(x, made, made)


def black_tophat(
    input: ArrayLike, size: int | Sequence[int] | None = None, footprint: ArrayLike | None = None,
    structure: ArrayLike | None = None, output: Output = None, mode: Modes = "reflect", cval: float = 0.0,
    origin: int | Sequence[int] = 0, *, axes: int | Sequence[int] | None = None, backend: Backend | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """The closing of an array minus the array: narrow valleys, as `scipy.ndimage.black_tophat`.

    Parameters are as in `grey_erosion`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.black_tophat([3, 1, 4, 1, 5, 9], size=2)
    array([0, 2, 0, 3, 0, 0])
    """
    element = _shape(
        size, footprint, structure, mode, cval, origin, axes, backend, threads, tol, max_workspace
    )  # fmt: skip
    x = apart(real_input(input), output)
    made = _closed(element.once_warned(), x, output)
    return _difference(made, x, made)


def _opened(element: Shape, input: Any, output: Any) -> np.ndarray:
    return element.computed(input, output, 2, lambda x, made: element.dilated(element.eroded(x, None), made))


def _closed(element: Shape, input: Any, output: Any) -> np.ndarray:
    return element.computed(input, output, 2, lambda x, made: element.eroded(element.dilated(x, None), made))


def _difference(a: np.ndarray, b: np.ndarray, made: np.ndarray) -> np.ndarray:
    """Of bools, where they differ."""
    subtract: np.ufunc = np.bitwise_xor if a.dtype == b.dtype == np.bool_ else np.subtract
    result: np.ndarray = subtract(a, b, out=made)
    return result
