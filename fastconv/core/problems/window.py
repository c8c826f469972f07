"""Means and extrema of windows along one axis after the other, as those of scipy.ndimage."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from fastconv.core.problems.base import description
from fastconv.core.problems.filter import FilterProblem, numeric
from fastconv.core.problems.separable import Pass

Join: TypeAlias = Literal["min", "max", "mean"]
JOINS: tuple[Join, ...] = ("min", "max", "mean")

BYTES_TAPS = 128  # whose sum of 8-bit integers is divided in 16 bits


@description
class WindowProblem(FilterProblem):
    """The smallest or largest element, or the mean, of windows along some axes, one after the other.

    Means are those of float32 if input and result are that, else of float64 or exact.  After each pass they are
    converted to the dtype of the result, integers truncated towards zero.  Windows that hold NaN give NaN.

    Attributes
    ----------
    join : {"min", "max", "mean"}
    shape : tuple of int
        Of input and result, whose canonical form is flat: kernels see one axis of `size` elements.
    dtype, out : numpy.dtype
        Of the input and of the result; bool or integers or floats.
    passes : tuple of Pass
        At least one, each of at least two taps.
    cval : float
        The value beyond the ends where the mode is ``constant``.
    """

    join: Join
    shape: tuple[int, ...]
    dtype: np.dtype
    out: np.dtype
    passes: tuple[Pass, ...]
    cval: float

    @property
    def op(self) -> str:
        return "window"

    @property
    def acc(self) -> np.dtype:
        """The dtype of joined elements; of integers one that holds all sums."""
        dtype = numeric(self.dtype)
        double = np.dtype(np.float64)
        if self.dtype != self.out or dtype.itemsize == 8:
            return double
        if dtype.kind == "f":
            return dtype
        if any(step.mode == "constant" for step in self.passes) and not (
            holds(self.dtype, self.cval) and (self.join != "mean" or self.cval.is_integer())
        ):
            return double
        if self.join != "mean":
            return dtype
        most = max(p.taps for p in self.passes)
        return np.dtype(np.uint16) if dtype == np.uint8 and most <= BYTES_TAPS else double

    @property
    def terms(self) -> int:
        return sum(p.taps for p in self.passes) if self.join == "mean" else 0

    @property
    def flops(self) -> float:
        return float(self.size * sum(2 * p.taps.bit_length() for p in self.passes))


def holds(dtype: np.dtype, value: float) -> bool:
    """Whether a dtype has this number, truncated towards zero if it is one of integers."""
    if dtype.kind == "b":
        return value in (0, 1)
    if dtype.kind == "f":
        return True
    info = np.iinfo(dtype)
    return info.min - 1 < value < info.max + 1


def doublings(taps: int) -> list[tuple[int, int]]:
    """How a window is joined of windows of 2 ** k elements: (its elements, where it begins), shortest first."""
    found, at, power = [], 0, 1
    while power <= taps:
        if taps & power:
            found.append((power, at))
            at += power
        power *= 2
    return found
