"""Windows of a signal as rows of a matrix, in place: 1-D convolutions of one channel with wide kernels.

With strides as wide as those of spectrograms and learned filter banks, copying a signal into the bands of `direct`
costs as much as the products; a matrix product reads the windows in place, though they overlap.
"""

from __future__ import annotations

import numpy as np

from fastconv.backends.cython.conv import images
from fastconv.backends.cython.gemm import packed as gemm
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.problems.gemm import GemmProblem


class StridedRows(native.Delegated):
    """One input channel, one row, no padding."""

    backend = "cython"
    algorithm = "windows"
    row = "cython.conv.windows"
    activations = frozenset({"relu"})
    inner: gemm.PackedGemm

    def __init__(self, isa: str) -> None:
        self.isa = isa
        self.inner = gemm.PackedGemm(isa)

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.not_forward:
            return p.not_forward
        if p.ic != 1 or p.groups != 1:
            return "more than one input channel"
        if p.kernel[:2] != (1, 1) or p.input[:2] != (1, 1) or any(pad != (0, 0) for pad in p.pads):
            return "more than one row, or padding"
        if p.layout != "NCHW":
            return "layout NHWC"
        return native.reject_common(self.isa, p.dtype)

    def as_inner(self, problem: ConvProblem) -> GemmProblem:
        p = problem
        return native.as_product(p, p.n, p.pixels)

    def features(self, problem: ConvProblem) -> Features:
        p = problem
        alone = super().features(p) + Features({f"{self.rates}/store": p.n * p.oc * p.pixels})
        return images.better(p, self.isa, alone) if self._one_part(p) else alone

    @staticmethod
    def _one_part(p: ConvProblem) -> bool:
        """Whether sums of a product do not come in parts of its depth."""
        return native.depth_part(p.taps, p.acc.itemsize) >= p.taps

    def _side_by_side(self, p: ConvProblem) -> bool:
        """Whether short signals are processed side by side."""
        return self._one_part(p) and images.faster(p, self.isa, native.seconds(self, p))

    def workspace(self, problem: ConvProblem) -> int:
        if self._side_by_side(problem):
            return images.lanes_bytes(problem, self.isa)
        return super().workspace(problem)

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        p = problem
        if self._side_by_side(p):
            return images.specialise(p, self.isa, threads, [0, 1])
        step, tap, size = p.stride[2], p.dilation[2], p.dtype.itemsize
        plain_x = native.Contiguous(p.n * p.input[2], (p.input[2], step, tap), 3)
        plain_y = native.Contiguous(p.n * p.oc * p.pixels, (p.oc * p.pixels, 1, p.pixels), 3)
        product = self.inner.specialise(self.as_inner(p), threads, plain_x, plain_y)
        shape = p.n, p.pixels, p.taps

        def windows(x: np.ndarray) -> np.ndarray:
            strides = x.strides[0], step * size, tap * size
            return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)

        def sums(y: np.ndarray) -> np.ndarray:
            return y[:, :, 0, 0].transpose(0, 2, 1)

        return native.Multiplying(p, product, windows, sums)


KERNELS = tuple(StridedRows(isa) for isa in machine.ISAS)
