"""Extrema of the elements that a footprint chooses, as those of scipy.ndimage."""

from __future__ import annotations

from typing import Literal

import numpy as np

from fastconv.core.problems.base import description
from fastconv.core.problems.filter import FilterProblem, numeric
from fastconv.typing import BoundaryMode


@description
class FootprintProblem(FilterProblem):
    """The smallest or largest of the elements of a window that a footprint chooses.

    The constant, if `heights`, are float64 that are subtracted from these elements for minima and added for maxima: as
    in scipy.ndimage, in the dtype of the input, which wraps around, but for the first one, whose sum is float64.
    Windows that hold NaN give NaN.  Integers are truncated towards zero.

    Attributes
    ----------
    join : {"min", "max"}
    shape : tuple of int
        Of input and result, whose canonical form is flat: kernels see one axis of `size` elements.
    dtype, out : numpy.dtype
        Of the input and of the result; bool or integers or floats.
    window : tuple of int
        Elements along each axis.
    before : tuple of int
        Elements before a result that its window begins.
    chosen : tuple of int
        Flat positions in a window, in order; at least one.
    heights : bool
    mode : str
        What lies beyond the ends, by the names of scipy.ndimage.
    cval : float
        The value there where the mode is ``constant``.
    """

    join: Literal["min", "max"]
    shape: tuple[int, ...]
    dtype: np.dtype
    out: np.dtype
    window: tuple[int, ...]
    before: tuple[int, ...]
    chosen: tuple[int, ...]
    heights: bool
    mode: BoundaryMode
    cval: float

    @property
    def op(self) -> str:
        return "footprint"

    @property
    def acc(self) -> np.dtype:
        """The dtype of elements that are compared."""
        double = self.heights or self.dtype != self.out or self.dtype.itemsize == 8
        return np.dtype(np.float64) if double else numeric(self.dtype)

    @property
    def flops(self) -> float:
        return float(self.size * len(self.chosen) * (1 + self.heights))

    def signed(self, heights: np.ndarray) -> np.ndarray:
        """What is added to each element."""
        return -heights.ravel() if self.join == "min" else heights.ravel()
