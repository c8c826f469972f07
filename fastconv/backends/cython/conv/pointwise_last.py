"""1x1 convolution of images with channels last: the pixels of all images are a matrix as they lie."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.cython.gemm import packed as gemm
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.kernel import Bind, Run
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.problems.gemm import GemmProblem


class PointwiseLast(native.Delegated):
    """1x1, stride 1, no padding, one group, NHWC."""

    backend = "cython"
    algorithm = "pointwise"
    relative = "last"
    row = "cython.gemm.packed"
    activations = frozenset({"relu"})
    inner: gemm.PackedGemm

    def __init__(self, isa: str) -> None:
        self.isa = isa
        self.inner = gemm.PackedGemm(isa)

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.not_pointwise:
            return p.not_pointwise
        if p.groups != 1:
            return "groups"
        if p.depth == 0:
            return "no channels"
        if p.layout != "NHWC":
            return "layout NCHW: channels must be contiguous"
        return native.reject_common(self.isa, p.dtype)

    def as_inner(self, problem: ConvProblem) -> GemmProblem:
        p = problem
        return native.as_product(p, 1, p.n * p.pixels)

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        p = problem
        matrix, rows, sums = (1, p.oc, p.ic), (1, p.n * p.pixels, p.ic), (1, p.n * p.pixels, p.oc)
        product = self.inner.specialise(self.as_inner(p), threads)

        def pixels(shape: tuple[int, int, int]) -> Any:
            return lambda images: images.transpose(0, 2, 3, 4, 1).reshape(shape)

        def bind(constants: tuple[np.ndarray, np.ndarray | None]) -> Run:
            weights, bias = constants
            return native.Reshaped(product((weights.reshape(matrix), None, bias)), pixels(rows), pixels(sums))

        return bind


KERNELS = tuple(PointwiseLast(isa) for isa in machine.ISAS)
