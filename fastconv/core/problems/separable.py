"""Filters of an array along one axis after the other, as those of scipy.ndimage."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from math import prod
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from fastconv.core.problems.base import description
from fastconv.core.problems.filter import FilterProblem
from fastconv.typing import BoundaryMode

Sum: TypeAlias = Literal["sum", "magnitude"]
MOST_INNER = 64  # numbers of a pixel


class Pass(NamedTuple):
    """One correlation of all lines along an axis.

    Attributes
    ----------
    axis : int
    taps : int
        Weights.
    before : int
        Elements before a result that its window begins.
    mode : str
        What lies beyond the ends of a line, by the names of scipy.ndimage.
    """

    axis: int
    taps: int
    before: int
    mode: BoundaryMode


@description
class SeparableProblem(FilterProblem):
    """Correlations along some axes, one after the other.

    Constants are the weights of each pass, float64.  Sums are those of float32 if input and result are that, else of
    float64.  After each pass they are converted to the dtype of the result, integers truncated towards zero.

    Attributes
    ----------
    shape : tuple of int
        Of input and result, whose canonical form is flat: kernels see one axis of `size` elements.
    dtype, out : numpy.dtype
        Of the input and of the result; bool or integers or floats.
    passes : tuple of Pass
        At least one.
    cval : float
        The value beyond the ends where the mode is ``constant``.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    out: np.dtype
    passes: tuple[Pass, ...]
    cval: float

    @property
    def op(self) -> str:
        return "separable"

    @property
    def acc(self) -> np.dtype:
        """The dtype of sums."""
        single = self.dtype == self.out == np.float32
        return np.dtype(np.float32 if single else np.float64)

    @property
    def terms(self) -> int:
        return sum(p.taps for p in self.passes)

    @property
    def flops(self) -> float:
        return 2.0 * self.size * self.terms


@description
class SumProblem(FilterProblem):
    """Several filters of an image of floats, each of which is a `SeparableProblem`, and the sum of their results.

    Constants are the weights of each pass of each part.

    Attributes
    ----------
    shape : tuple of int
        Of input and result.
    dtype, out : numpy.dtype
        Of the input and of the result: the same, float32 or float64.
    parts : tuple of tuple of Pass
    join : {"sum", "magnitude"}
        What is added: results, or their squares, of whose sum the root is taken.
    cval : float
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    out: np.dtype
    parts: tuple[tuple[Pass, ...], ...]
    join: Sum
    cval: float

    @property
    def op(self) -> str:
        return "separable_sum"

    @property
    def acc(self) -> np.dtype:
        """The dtype of sums."""
        return self.out

    @property
    def filters(self) -> tuple[SeparableProblem, ...]:
        """The parts as problems."""
        return tuple(SeparableProblem(self.shape, self.dtype, self.out, part, self.cval) for part in self.parts)

    def split(self, constants: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """The weights of each part."""
        given = iter(constants)
        return [tuple(islice(given, len(part))) for part in self.parts]

    @property
    def terms(self) -> int:
        return sum(part.terms for part in self.filters)

    @property
    def flops(self) -> float:
        return 2.0 * self.size * self.terms


def commute(passes: Iterable[Pass], cval: float) -> bool:
    """Whether passes may be in another order: constants beyond one axis are filtered along another that comes later."""
    return cval == 0 or all(step.mode != "constant" for step in passes)


def is_image(shape: tuple[int, ...], axes: tuple[int, ...]) -> bool:
    """Whether two axes are those of rows and columns of images, whose pixels are a few adjacent numbers."""
    if len(axes) != 2:
        return False
    first, last = min(axes), max(axes)
    return prod(shape[first + 1 : last]) == 1 and 1 <= prod(shape[last + 1 :]) <= MOST_INNER


def lines(shape: tuple[int, ...], axis: int) -> tuple[int, int, int]:
    """(outer, length, inner): products of the extents before, along and after an axis."""
    return prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])


def beyond(i: np.ndarray, extent: int, mode: BoundaryMode) -> np.ndarray:
    """The element of a line that position `i` reads, also far beyond its ends; -1 for the constant value."""
    if mode == "constant":
        return np.where((i >= 0) & (i < extent), i, -1)
    if mode == "nearest":
        return np.clip(i, 0, extent - 1)
    if mode == "wrap":
        return i % extent
    if mode == "mirror":
        period = max(2 * extent - 2, 1)
        i = i % period
        return np.where(i >= extent, period - i, i)
    i = i % (2 * extent)
    return np.where(i >= extent, 2 * extent - 1 - i, i)


def symmetry(weights: np.ndarray) -> int:
    """1 of an odd number of weights that are symmetric about the middle one, -1 if they are antisymmetric, else 0.

    As in scipy.ndimage, to an absolute epsilon: the order of summation depends on it, and with it the last bit.
    """
    if len(weights) % 2 == 0:
        return 0
    half = len(weights) // 2
    left, right, eps = weights[:half], weights[:half:-1], np.finfo(np.float64).eps
    if (np.abs(left - right) <= eps).all():
        return 1
    return -1 if (np.abs(left + right) <= eps).all() else 0
