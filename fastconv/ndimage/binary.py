"""Binary morphology: erosion, dilation and what is made of them."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fastconv.core.problems.binary import BinaryProblem
from fastconv.core.problems.neighbors import Neighbors
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, remember, submit
from fastconv.dispatch.views import canonical_input, canonical_result
from fastconv.ndimage.arguments import as_axes, check_dtype, expanded, not_planned, on_all_axes, per_axis
from fastconv.typing import Backend

BOOL = np.dtype(bool)


def generate_binary_structure(rank: int, connectivity: int) -> np.ndarray:
    """A window of 3 elements along each axis, as `scipy.ndimage.generate_binary_structure`.

    Parameters
    ----------
    rank : int
        Axes.
    connectivity : int
        Steps along axes, at most one along each, from the middle to an element that counts.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.generate_binary_structure(2, 1)
    array([[False,  True, False],
           [ True,  True,  True],
           [False,  True, False]])
    """
    if rank < 1:
        return np.array(True, bool)
    steps: np.ndarray = np.abs(np.indices([3] * rank) - 1).sum(0)
    return np.asarray(steps <= max(connectivity, 1))


def iterate_structure(structure: ArrayLike, iterations: int, origin: int | Sequence[int] | None = None) -> Any:
    """A window dilated by itself, as `scipy.ndimage.iterate_structure`: what some iterations with it see.

    Parameters
    ----------
    structure : array_like of bool
    iterations : int
        Of less than 2, a copy.
    origin : int or tuple of int, optional
        If given, the result is a tuple of the window and the origin of all iterations.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.iterate_structure([1, 0, 1], 2).astype(int)
    array([1, 0, 1, 0, 1])
    """
    given = np.asarray(structure)
    if iterations < 2:
        return given.copy()
    more = iterations - 1
    made = np.zeros([n + more * (n - 1) for n in given.shape], bool)
    made[tuple(slice(more * (n // 2), more * (n // 2) + n) for n in given.shape)] = given != 0
    made = binary_dilation(made, given, more)
    if origin is None:
        return made
    return made, [iterations * o for o in per_axis(origin, given.ndim)]


@remember
def _recipe(
    join: Literal["min", "max"], shape: tuple[int, ...], dtype: np.dtype, window: Neighbors, iterations: int,
    masked: bool, options: Options,
) -> Recipe:  # fmt: skip
    problem = BinaryProblem(join, shape, BOOL, BOOL, window, iterations, masked)
    flat = (problem.size,)
    as_bytes = canonical_input(flat, dtype)

    def enter(x: np.ndarray) -> np.ndarray:
        return as_bytes(x).view(BOOL) if dtype.itemsize == 1 else np.not_equal(x, 0).reshape(flat)

    return Recipe(problem, options, shape, dtype, (shape,), enter, canonical_result(flat), dtype.itemsize == 1)


class Element(NamedTuple):
    """What erosions and dilations have in common."""

    structure: np.ndarray
    iterations: Any
    mask: Any
    border_value: Any
    origin: list[Any]
    axes: tuple[int, ...]
    options: Options

    def eroded(self, x: np.ndarray, output: Any) -> np.ndarray:
        return self.joined("min", x, output)

    def dilated(self, x: np.ndarray, output: Any) -> np.ndarray:
        """By the structure in reverse."""
        sizes = self.structure.shape
        shifts = [-o - (n % 2 == 0) for o, n in zip(self.origin, sizes, strict=False)]
        return self._replace(structure=np.flip(self.structure), origin=shifts).joined("max", x, output)

    def joined(self, join: Literal["min", "max"], x: np.ndarray, output: Any) -> np.ndarray:
        """All of the elements that the structure chooses, or any, again and again."""
        given = output if isinstance(output, np.ndarray) else None
        if given is not None:
            if given.dtype.kind == "c":
                raise TypeError("Complex output type not supported")
            if given.shape != x.shape:
                raise RuntimeError(f"output shape not correct: {given.shape}; the input has {x.shape}")
            check_dtype(given.dtype)
        try:
            iterations = max(0, operator.index(self.iterations))
        except TypeError as e:
            raise TypeError("iterations parameter should be an integer") from e
        mask = self.checked_mask(x)
        window = self.window(x)
        if x.size == 0 or not window.total:
            not_planned()
            made = np.full(x.shape, join == "min")
            if mask is not None:
                np.copyto(made, x != 0, where=~mask)
            return _stored(made, given)
        recipe = _recipe(join, x.shape, x.dtype, window, iterations, mask is not None, self.options)
        constants = () if mask is None else (mask.ravel(),)
        if given is None or given.dtype.itemsize == 1:
            result = submit(recipe, x, constants, None if given is None else given.view(BOOL))
            return result if given is None else given
        not_planned()
        return _stored(submit(recipe, x, constants), given)

    def checked_mask(self, x: np.ndarray) -> np.ndarray | None:
        if self.mask is None:
            return None
        mask = np.asarray(self.mask)
        if mask.shape != x.shape:
            raise RuntimeError(f"mask and input must have equal sizes: {mask.shape} and {x.shape}")
        check_dtype(mask.dtype)
        if mask.dtype.kind == "c":
            raise RuntimeError(f"data type not supported: {mask.dtype}")
        return np.asarray(mask != 0)

    def window(self, x: np.ndarray) -> Neighbors:
        border, taps = self.border_value, self.structure
        outside = bool(border if isinstance(border, np.bool_) else operator.index(border))
        origin = tuple(map(operator.index, self.origin))
        return _window(x.ndim, self.axes, taps.shape, taps.tobytes(), origin, outside)


@remember
def _window(
    ndim: int, axes: tuple[int, ...], shape: tuple[int, ...], structure: bytes, origin: tuple[int, ...], outside: bool
) -> Neighbors:  # fmt: skip
    taps = expanded(ndim, axes, np.frombuffer(structure, bool).reshape(shape), "structure")
    if taps.ndim != ndim:
        raise RuntimeError("structure and input must have same dimensionality")
    if taps.size < 1:
        raise RuntimeError("structure must not be empty")
    before = [n // 2 for n in taps.shape]
    for axis, shift in enumerate(on_all_axes(origin, axes, ndim)):
        before[axis] += shift
        if not 0 <= before[axis] < taps.shape[axis]:
            raise ValueError(f"invalid origin {shift}: {taps.shape[axis]} elements along axis {axis}")
    chosen = None if taps.all() else np.ascontiguousarray(taps, np.uint8).tobytes()
    return Neighbors(taps.shape, tuple(before), "constant", float(outside), chosen)


@remember
def _cross(rank: int) -> np.ndarray:
    """The structure of calls that have none."""
    return generate_binary_structure(rank, 1)


def _stored(made: np.ndarray, given: np.ndarray | None) -> np.ndarray:
    if given is None:
        return made
    given[...] = made
    return given


def _real(input: Any) -> np.ndarray:
    x = np.asarray(input)
    if x.dtype.kind == "c":
        raise TypeError("Complex type not supported")
    check_dtype(x.dtype)
    return x


def element_of(
    x: np.ndarray, structure: Any, iterations: Any, mask: Any, border_value: Any, origin: Any, axes: Any,
    options: Options,
) -> Element:  # fmt: skip
    found = as_axes(axes, x.ndim)
    taps = _cross(len(found)) if structure is None else np.asarray(structure, bool)
    return Element(taps, iterations, mask, border_value, per_axis(origin, len(found)), found, options)


def _element(
    x: np.ndarray, structure: Any, iterations: Any, mask: Any, border_value: Any, origin: Any, axes: Any,
    backend: Backend | None, threads: int | None, tol: float | None, max_workspace: int | None,
) -> Element:  # fmt: skip
    options = resolve(backend, None, threads, tol, max_workspace)
    return element_of(x, structure, iterations, mask, border_value, origin, axes, options)


def binary_erosion(
    input: ArrayLike, structure: ArrayLike | None = None, iterations: int = 1, mask: ArrayLike | None = None,
    output: np.ndarray | type | None = None, border_value: int = 0, origin: int | Sequence[int] = 0,
    brute_force: bool = False, *, axes: int | Sequence[int] | None = None, backend: Backend | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Elements all of whose neighbors are true, as `scipy.ndimage.binary_erosion`.

    Parameters
    ----------
    input : array_like
        Bool, integers or floats: all but 0 are true.
    structure : array_like of bool, optional
        Which neighbors count; by default the element and those next to it along each axis.
    iterations : int
        How often; of less than 1, until nothing changes.
    mask : array_like of bool, optional
        Elements that may change.
    output : ndarray, optional
        Where the result is stored, of any real dtype; else it is a new array of bool.
    border_value : int
        What lies beyond the ends.
    origin : int or tuple of int
        Elements by which the window is shifted, towards the start.
    brute_force : bool
        Without effect: results do not depend on it.
    axes : int or tuple of int, optional
        By default all.
    backend, threads, tol, max_workspace
        See `fastconv.options`.

    Returns
    -------
    ndarray of bool, or `output`

    Raises
    ------
    RuntimeError
        If structure, mask or output do not fit the input, or for dtypes that SciPy does not take either.
    ValueError
        If an origin is outside of the window, with which SciPy ends the process.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.binary_erosion([1, 1, 1, 0, 1, 1, 1, 1]).astype(int)
    array([0, 1, 0, 0, 0, 1, 1, 0])
    """
    x = _real(input)
    element = _element(
        x, structure, iterations, mask, border_value, origin, axes, backend, threads, tol, max_workspace
    )  # fmt: skip
    return element.eroded(x, output)


def binary_dilation(
    input: ArrayLike, structure: ArrayLike | None = None, iterations: int = 1, mask: ArrayLike | None = None,
    output: np.ndarray | type | None = None, border_value: int = 0, origin: int | Sequence[int] = 0,
    brute_force: bool = False, *, axes: int | Sequence[int] | None = None, backend: Backend | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Elements with a neighbor that is true, as `scipy.ndimage.binary_dilation`; neighbors are seen in reverse.

    Parameters are as in `binary_erosion`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.binary_dilation([0, 1, 0, 0, 0, 0, 1, 0], iterations=2).astype(int)
    array([1, 1, 1, 1, 1, 1, 1, 1])
    """
    x = _real(input)
    element = _element(
        x, structure, iterations, mask, border_value, origin, axes, backend, threads, tol, max_workspace
    )  # fmt: skip
    return element.dilated(x, output)


def binary_opening(
    input: ArrayLike, structure: ArrayLike | None = None, iterations: int = 1,
    output: np.ndarray | type | None = None, origin: int | Sequence[int] = 0, mask: ArrayLike | None = None,
    border_value: int = 0, brute_force: bool = False, *, axes: int | Sequence[int] | None = None,
    backend: Backend | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Erosion, then dilation: what is narrower than the window vanishes, as `scipy.ndimage.binary_opening`.

    Parameters are as in `binary_erosion`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.binary_opening([0, 1, 0, 1, 1, 1, 0, 0]).astype(int)
    array([0, 0, 0, 1, 1, 1, 0, 0])
    """
    x = _real(input)
    element = _element(
        x, structure, iterations, mask, border_value, origin, axes, backend, threads, tol, max_workspace
    )  # fmt: skip
    not_planned()
    return element.dilated(element.eroded(x, None), output)


def binary_closing(
    input: ArrayLike, structure: ArrayLike | None = None, iterations: int = 1,
    output: np.ndarray | type | None = None, origin: int | Sequence[int] = 0, mask: ArrayLike | None = None,
    border_value: int = 0, brute_force: bool = False, *, axes: int | Sequence[int] | None = None,
    backend: Backend | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Dilation, then erosion: gaps that are narrower than the window vanish, as `scipy.ndimage.binary_closing`.

    Parameters are as in `binary_erosion`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.binary_closing([0, 1, 1, 0, 1, 1, 0, 0]).astype(int)
    array([0, 1, 1, 1, 1, 1, 0, 0])
    """
    x = _real(input)
    element = _element(
        x, structure, iterations, mask, border_value, origin, axes, backend, threads, tol, max_workspace
    )  # fmt: skip
    not_planned()
    return element.eroded(element.dilated(x, None), output)


def binary_hit_or_miss(
    input: ArrayLike, structure1: ArrayLike | None = None, structure2: ArrayLike | None = None,
    output: np.ndarray | type | None = None, origin1: int | Sequence[int] = 0,
    origin2: int | Sequence[int] | None = None, *, axes: int | Sequence[int] | None = None,
    backend: Backend | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> Any:  # fmt: skip
    """Where a pattern is, as `scipy.ndimage.binary_hit_or_miss`.

    Parameters
    ----------
    structure1 : array_like of bool, optional
        Neighbors that are true; by default as in `binary_erosion`.
    structure2 : array_like of bool, optional
        Neighbors that are not; by default all but those of `structure1`.
    output : ndarray, optional
        As in `binary_erosion`; then nothing is returned.
    origin1, origin2 : int or tuple of int, optional
        As the origin of `binary_erosion`; the second is by default the first.
    axes, backend, threads, tol, max_workspace
        As in `binary_erosion`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.binary_hit_or_miss([0, 1, 0, 1, 1, 1, 0, 0], [0, 1, 1]).astype(int)
    array([0, 0, 0, 1, 0, 0, 0, 0])
    """
    x = _real(input)
    execution = (axes, backend, threads, tol, max_workspace)
    hit = _element(x, structure1, 1, None, 0, origin1, *execution)
    other = np.logical_not(hit.structure) if structure2 is None else structure2
    miss = _element(x, other, 1, None, 0, origin1 if origin2 is None else origin2, *execution)
    not_planned()
    found = hit.eroded(x, None)
    made = miss.joined("max", x, output)
    np.logical_not(made, made)
    np.logical_and(found, made, made)
    return None if isinstance(output, np.ndarray) else made


def binary_propagation(
    input: ArrayLike, structure: ArrayLike | None = None, mask: ArrayLike | None = None,
    output: np.ndarray | type | None = None, border_value: int = 0, origin: int | Sequence[int] = 0, *,
    axes: int | Sequence[int] | None = None, backend: Backend | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Dilation within a mask until nothing changes, as `scipy.ndimage.binary_propagation`.

    Parameters are as in `binary_erosion`.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.binary_propagation([0, 1, 0, 0, 0, 0, 0, 0], mask=[0, 1, 1, 1, 0, 1, 1, 0]).astype(int)
    array([0, 1, 1, 1, 0, 0, 0, 0])
    """
    x = _real(input)
    element = _element(x, structure, 0, mask, border_value, origin, axes, backend, threads, tol, max_workspace)
    return element.dilated(x, output)


def binary_fill_holes(
    input: ArrayLike, structure: ArrayLike | None = None, output: np.ndarray | type | None = None,
    origin: int | Sequence[int] = 0, *, axes: int | Sequence[int] | None = None, backend: Backend | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> Any:  # fmt: skip
    """Holes become true: what cannot be reached from beyond the ends, as `scipy.ndimage.binary_fill_holes`.

    Parameters are as in `binary_erosion`; with an array as `output`, nothing is returned.

    Examples
    --------
    >>> import fastconv.ndimage as ndi
    >>> ndi.binary_fill_holes([0, 1, 0, 0, 1, 0, 1, 0]).astype(int)
    array([0, 1, 1, 1, 1, 1, 1, 0])
    """
    holes = np.logical_not(np.asarray(input))
    nothing = np.zeros(holes.shape, bool)
    element = _element(nothing, structure, 0, holes, 1, origin, axes, backend, threads, tol, max_workspace)
    not_planned()
    made = element.dilated(nothing, output)
    np.logical_not(made, made)
    return None if isinstance(output, np.ndarray) else made
