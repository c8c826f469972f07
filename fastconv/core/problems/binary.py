"""Binary erosion and dilation, as those of scipy.ndimage."""

from __future__ import annotations

from typing import Literal

import numpy as np

from fastconv.core.problems.base import description
from fastconv.core.problems.neighbors import Neighbors, NeighborsProblem

UNTIL_STABLE = 8  # iterations, about


@description
class BinaryProblem(NeighborsProblem):
    """Whether all of the elements of a window are true, or any of them: again and again.

    The constant, if `masked`, is a bool for each element: those where it is false keep their value.

    Attributes
    ----------
    join : {"min", "max"}
        All of the elements, an erosion; or any, a dilation.
    shape : tuple of int
        Of input and result.
    dtype, out : numpy.dtype
        Of the input and of the result: bool; of the input, any byte but 0 is true.
    window : Neighbors
        Its mode is ``constant``.
    iterations : int
        0 until nothing changes.
    masked : bool
    """

    join: Literal["min", "max"]
    shape: tuple[int, ...]
    dtype: np.dtype
    out: np.dtype
    window: Neighbors
    iterations: int
    masked: bool

    @property
    def op(self) -> str:
        return "binary"

    @property
    def flops(self) -> float:
        return float(self.size * self.window.total * max(1, self.iterations))

    @property
    def rounds(self) -> int:
        """Iterations; about how many, if these go on until nothing changes."""
        return self.iterations or UNTIL_STABLE

    @property
    def monotonous(self) -> bool:
        """Whether elements change in one direction only, as the window has the element itself."""
        w = self.window
        at = 0
        for size, before in zip(w.sizes, w.before, strict=True):
            at = at * size + before
        return w.taps is None or w.taps[at] != 0
