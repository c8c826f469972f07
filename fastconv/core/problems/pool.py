"""Pooling: windows of a fixed shape (max, average, Lp) as one canonical 3-D problem.

Adaptive pooling whose output divides its input, and global pooling, become this problem too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastconv.core.problems.base import Pads, Problem

KINDS = ("max", "avg", "lp")


@dataclass(frozen=True, slots=True)
class PoolProblem(Problem):
    """One pooling.

    Attributes
    ----------
    kind : str
        ``max``, ``avg`` or ``lp``.
    n, c : int
        Batch and channels.
    input, kernel, stride, dilation, output : tuple of 3 int
        Along depth, height, width.
    pads : tuple of 3 (lo, hi)
        Padding never holds values: it is ignored by max, zero for avg and lp.
    include_pad : bool
        avg: whether padding counts in the divisor (windows are clipped at input + hi first).
    divisor : int or None
        avg: overrides the divisor.
    norm : float
        lp: the exponent.
    indices : bool
        max: also return the flat index, within the unpadded (d, h, w) volume, of the first maximum (int64).
    layout : str
        How the user's arrays lie: kernels always see (N, C, D, H, W) views.
    dtype, out : numpy.dtype
    """

    kind: str
    n: int
    c: int
    input: tuple[int, int, int]
    kernel: tuple[int, int, int]
    stride: tuple[int, int, int]
    dilation: tuple[int, int, int]
    pads: Pads
    output: tuple[int, int, int]
    include_pad: bool
    divisor: int | None
    norm: float
    indices: bool
    layout: str
    dtype: np.dtype
    out: np.dtype

    @property
    def op(self) -> str:
        return "pool"

    @property
    def taps(self) -> int:
        return self.kernel[0] * self.kernel[1] * self.kernel[2]

    @property
    def pixels(self) -> int:
        return self.output[0] * self.output[1] * self.output[2]

    @property
    def x_shape(self) -> tuple[int, ...]:
        return (self.n, self.c, *self.input)

    @property
    def y_shape(self) -> tuple[int, ...]:
        return (self.n, self.c, *self.output)

    @property
    def flops(self) -> float:
        return float(self.n * self.c * self.pixels * self.taps)

    @property
    def bytes(self) -> float:
        i = self.input
        x = self.n * self.c * i[0] * i[1] * i[2]
        y = self.n * self.c * self.pixels
        return float(x * self.dtype.itemsize + y * (self.out.itemsize + 8 * self.indices))

    @property
    def results(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        y = (self.y_shape, self.out)
        return (y, (self.y_shape, np.dtype(np.int64))) if self.indices else (y,)
