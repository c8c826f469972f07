"""Convolutions and matrix products of bfloat16 and of 8-bit integers by instructions that multiply pairs of numbers.

Such an instruction adds two products to a sum.  Pairs lie along the sum: adjacent columns of a matrix, channels of an
image.  An element of a native kernel is a pair, in the place of a float, so that the kernels are those of float32 with
another register tile, and half as many elements are read and multiplied.  Matrices whose pairs lie in memory already
are read in place.

Products of bfloat16 are exact and summed in float32, as in the kernels of float32, but the instructions of AVX-512 take
denormal numbers as zero.  These are below 1.2e-38.  Integers of 8 bits become 16 and are summed in 32, exactly.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from fastconv.backends.common import integers
from fastconv.backends.cython.conv import direct, pointwise
from fastconv.backends.cython.gemm import dots, in_place, packed, skinny
from fastconv.backends.cython.gemm.tiles import NOTE
from fastconv.backends.cython.runtime import halves, native
from fastconv.backends.cython.runtime.dtypes import BFLOAT16_PAIRS, INT16_PAIRS, DType
from fastconv.backends.cython.widened.products import FewRows, InPlaceRows, WidenedConv, WidenedGemm, WidenedKernel
from fastconv.core import machine
from fastconv.core.costs import Counts, Features
from fastconv.core.kernel import Bind, Kernel, Run
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.base import is_bfloat16, named
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.problems.gemm import GemmProblem

PAIR = 4  # bytes
ROUNDED = 1 / 3  # of the time of a conversion
LARGEST_PRODUCT = 2**16  # of magnitudes of two 8-bit integers
INT32 = np.dtype(np.int32)
RELATIVE = {BFLOAT16_PAIRS: "pairs", INT16_PAIRS: "integer_pairs"}


class PairedKernel(WidenedKernel):
    """Base of both."""

    def __init__(self, inner: Any, types: DType, otherwise: Kernel[Any] | None = None) -> None:
        """`otherwise`: does what does not fit 32 bits."""
        of_pairs = copy(inner)
        of_pairs.types = types
        super().__init__(of_pairs)
        self.otherwise, self.types, self.relative = otherwise, types, RELATIVE[types]
        self.of_floats = types is not INT16_PAIRS
        if self.of_floats and native.has_features(self.isa, types):
            self.note, self.flushes = NOTE, True

    def reject(self, problem: Any) -> str | None:
        p = problem
        if self.of_floats:
            if not is_bfloat16(p.dtype):
                return f"dtype {named(p.dtype)}: bfloat16 only"
        elif p.acc != INT32:
            return f"dtype {named(p.dtype)}: 8-bit integers only"
        elif p.depth * LARGEST_PRODUCT > np.iinfo(INT32).max:
            return "sums may not fit 32 bits"
        return native.reject_types(self.isa, self.types) or self.unable(p)

    def features(self, problem: Any) -> Features:
        # What a multiply-add of pairs takes beyond one of floats, which the inner kernel counts.
        extra = {f"multiply_{self.types.input}": problem.flops / 2}
        return super().features(problem) + Features(extra).of(self.rates)

    def summed(self, problem: Any) -> Any:
        return super().block(problem)  # with numbers as elements

    def error(self, problem: Any) -> float:
        return super().error(problem) if self.of_floats else 0.0

    def bound(self, problem: Any) -> float:
        return super().bound(problem) if self.of_floats else 0.0

    def extent(self, given: np.ndarray, axis: int) -> tuple[int, ...]:
        return (*given.shape[:axis], ceil_div(given.shape[axis], 2), *given.shape[axis + 1 :])

    def fill(self, wide: np.ndarray, given: np.ndarray, axis: int) -> None:
        halves.join_pairs(self.isa, wide, given, axis)

    def enter(self, given: np.ndarray, axis: int, buffer: np.ndarray | None = None) -> np.ndarray:
        there = halves.pairs_in_place(given, axis)
        return super().enter(given, axis, buffer) if there is None else there

    def widened(self, constant: np.ndarray | None) -> np.ndarray | None:
        if constant is None or self.of_floats:
            return super().widened(constant)
        return constant.view(self.wide)

    def specialise(self, problem: Any, threads: int) -> Bind:
        p, bind, otherwise = problem, super().specialise(problem, threads), self.otherwise
        if not p.bias or otherwise is None:
            return bind
        most = np.iinfo(INT32).max - p.depth * LARGEST_PRODUCT

        def bind_fitting(constants: tuple[Any, ...]) -> Run:
            if integers.magnitude(constants[-1]) > most:
                return otherwise.prepare(p, constants, threads)
            return bind(constants)

        return bind_fitting

    def leave(self, to: np.ndarray, wide: np.ndarray) -> None:
        if self.of_floats:
            super().leave(to, wide)
        else:
            to[...] = wide.view(INT32)


class PairedConv(PairedKernel, WidenedConv):
    """Forward convolutions."""

    def unable(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.fill != 0:
            return "padding that is not zero"
        if p.icg < 2 or (p.groups > 1 and p.icg % 2):
            return "channels of a group are not pairs"
        return super().unable(p)

    def block(self, problem: ConvProblem) -> ConvProblem:
        q = self.summed(problem)
        return replace(q, ic=q.groups * ceil_div(q.icg, 2))


class PairedGemm(PairedKernel, WidenedGemm):
    """Products of matrices."""

    @property
    def order(self) -> str:
        return f"{self.relative}: {self.inner.order}"

    def unable(self, problem: GemmProblem) -> str | None:
        p = problem
        if not self.of_floats and (p.c or p.alpha != 1):
            return "alpha or an addend"
        if p.k == 0:
            return "no products to add up"
        return super().unable(p)

    def block(self, problem: GemmProblem) -> GemmProblem:
        q = self.summed(problem)
        return replace(q, k=ceil_div(q.k, 2))


class PairedInPlace(PairedGemm, InPlaceRows):
    """Products whose matrix is used where it lies: its pairs are joined when they are loaded."""

    def counts(self, p: GemmProblem, blocks: int) -> Counts:
        # Rows are pairs already where these are whole, and one instruction rounds results.
        converted = p.batch * p.m * (p.k % 2 * p.k + p.n * (1 if p.c else ROUNDED))
        return {**super().counts(p, blocks), "convert": converted}

    def specialise(self, problem: GemmProblem, threads: int) -> Bind:
        p, bind = problem, super().specialise(problem, threads)
        if p.c or p.bias or p.trans_a or p.k % 2:
            return bind
        return Plainly(bind, self.inner.specialise(replace(self.block(p), batch=p.batch, m=p.m), threads))


class Plainly:
    """A bind with ``plain(x, out, b)`` of contiguous arrays, of which nothing is converted or divided into blocks."""

    __slots__ = ("_bind", "_multiply")

    def __init__(self, bind: Bind, product: Any) -> None:
        self._bind, self._multiply = bind, product.plain

    def plain(self, x: np.ndarray, out: np.ndarray, b: np.ndarray, c: None = None, bias: None = None) -> bool:
        done: bool = x.ctypes.data % PAIR == 0 and self._multiply(x, out, b)
        return done

    def __call__(self, constants: tuple[Any, ...]) -> Run:
        return self._bind(constants)


class PairedPixels(native.Delegated):
    """1x1 convolutions of images with channels first: weights times pixels, used where they lie."""

    backend = "cython"
    algorithm = "pointwise"
    relative = "pairs_in_place"
    row = PairedInPlace.row
    inner: PairedInPlace

    def __init__(self, isa: str) -> None:
        self.inner, self.isa = PairedInPlace(in_place.InPlace(isa, row_bias=True), BFLOAT16_PAIRS), isa
        self.note, self.flushes, self.activations = self.inner.note, self.inner.flushes, self.inner.activations

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.not_pointwise:
            return p.not_pointwise
        if p.groups != 1:
            return "groups"
        if p.layout != "NCHW":
            return "layout NHWC: pixels must be contiguous"
        return self.inner.reject(self.as_inner(p))

    def as_inner(self, problem: ConvProblem) -> GemmProblem:
        p = problem
        return GemmProblem(
            batch=p.n, m=p.oc, n=p.pixels, k=p.ic, b_batched=True, trans_a=False, trans_b=False, alpha=1.0, beta=0.0,
            c=False, bias=p.bias, dtype=p.dtype, acc=p.acc, out=p.out, activation=p.activation, packed=False,
        )  # fmt: skip

    def _of_pairs(self, p: ConvProblem) -> GemmProblem:
        return replace(self.as_inner(p), k=ceil_div(p.ic, 2), dtype=self.inner.wide, acc=self.inner.wide)

    def features(self, problem: ConvProblem) -> Features:
        # All images are one block, for which no scratch is borrowed.
        multiply = f"multiply_{self.inner.types.input}"
        extra = {**self.inner.counts(self.as_inner(problem), 0), multiply: problem.flops / 2}
        return self.inner.inner.work(self._of_pairs(problem)) + Features(extra).of(self.rates)

    def workspace(self, problem: ConvProblem) -> int:
        return self.inner.inner.workspace(self._of_pairs(problem))

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        p, inner = problem, self.inner
        multiply = inner.inner.specialise(self._of_pairs(p), threads)

        def bind(constants: tuple[Any, ...]) -> Run:
            weights, bias = constants
            own, added = inner.enter(weights.reshape(1, p.oc, p.ic), 2), inner.widened(bias)
            rows = np.broadcast_to(own, (p.n, *own.shape[1:]))

            def run(x: np.ndarray, out: np.ndarray) -> None:
                pixels = x.reshape(p.n, p.ic, p.pixels)
                multiply((pixels, None, added))(rows, out.reshape(p.n, p.oc, p.pixels))

            return run

        return bind


class PairedDots(PairedGemm, FewRows):
    """Dot products of rows, whose pairs lie in memory already."""

    def matrix(self, b: np.ndarray, axis: int, buffer: np.ndarray | None = None) -> np.ndarray:
        return self.enter(b, axis, buffer)


_CONVOLUTIONS = (*pointwise.KERNELS, *direct.KERNELS)
_PRODUCTS = (*skinny.KERNELS, *packed.KERNELS)
CONVOLUTIONS = (
    *(PairedConv(k, BFLOAT16_PAIRS) for k in _CONVOLUTIONS),
    *(PairedPixels(isa) for isa in machine.ISAS),
)
PRODUCTS = (
    *(PairedGemm(k, BFLOAT16_PAIRS) for k in _PRODUCTS),
    *(PairedInPlace(k, BFLOAT16_PAIRS) for k in in_place.KERNELS),
    *(PairedDots(k, BFLOAT16_PAIRS) for k in dots.KERNELS),
)


def integer_convolutions(otherwise: Kernel[ConvProblem]) -> tuple[PairedConv, ...]:
    return tuple(PairedConv(k, INT16_PAIRS, otherwise) for k in _CONVOLUTIONS)


def integer_products(otherwise: Kernel[GemmProblem]) -> tuple[PairedGemm, ...]:
    return tuple(PairedGemm(k, INT16_PAIRS, otherwise) for k in _PRODUCTS)
