"""1x1 convolution of images with channels last: the pixels of all images are a matrix as they lie.

Products in place and skinny ones sum in the order of packed ones, so the fastest of the three is taken.
"""

from __future__ import annotations

from typing import Any

from fastconv.backends.cython.gemm.in_place import COLUMNS, InPlace
from fastconv.backends.cython.gemm.packed import PackedGemm
from fastconv.backends.cython.gemm.skinny import Skinny
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Kernel
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.problems.gemm import GemmProblem


class PointwiseLast(native.Delegated):
    """1x1, stride 1, no padding, one group, NHWC."""

    backend = "cython"
    algorithm = "pointwise"
    relative = "last"
    row = "cython.gemm.packed"
    activations = frozenset({"relu"})
    revision = 2

    def __init__(self, isa: str) -> None:
        self.isa = isa
        self.inner: Kernel[GemmProblem] = PackedGemm(isa)
        self._products = (self.inner, InPlace(isa), Skinny(isa))

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

    def _product(self, p: GemmProblem) -> Any:
        """The fastest kernel for the product of all images: the order of sums is that of each.

        Tiles of few columns would read rows with long jumps, and skinny products read them in order.
        """
        packed, in_place, skinny = self._products
        first = skinny if p.n <= COLUMNS and not skinny.reject(p) else packed
        able = (kernel for kernel in (first, in_place) if kernel.reject(p) is None)
        return min(able, key=lambda kernel: native.seconds(kernel, p))

    def features(self, problem: ConvProblem) -> Features:
        p = self.as_inner(problem)
        return self._product(p).work(p)

    def workspace(self, problem: ConvProblem) -> int:
        p = self.as_inner(problem)
        return self._product(p).workspace(p)

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        p, inner = problem, self.as_inner(problem)
        rows, sums = (1, p.n * p.pixels, p.ic), (1, p.n * p.pixels, p.oc)
        product = self._product(inner).specialise(inner, threads)

        def pixels(shape: tuple[int, int, int]) -> Any:
            return lambda images: images.transpose(0, 2, 3, 4, 1).reshape(shape)

        return native.Multiplying(p, product, pixels(rows), pixels(sums))


KERNELS = tuple(PointwiseLast(isa) for isa in machine.ISAS)
