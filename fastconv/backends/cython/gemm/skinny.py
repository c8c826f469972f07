"""Matrix-vector and other skinny products, and convolutions of one output pixel: the kernel objects.

The large operand is read once, in place; a plan's weights are packed into panels of columns.  The bandwidth of memory
or of a cache determines the time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.cython.gemm.packed import PackedGemm
from fastconv.backends.cython.runtime import native, shared
from fastconv.backends.cython.runtime.dtypes import DType
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Kernel, Run, summation_error
from fastconv.core.numbers import ceil_div, round_up
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.problems.gemm import GemmProblem
from fastconv.machines import block_bytes, l3_bytes

TRANSPOSED_ROWS = 8  # a matrix whose columns are contiguous is packed for more rows; the same as in _skinny.pyx
COLUMNS_ROWS = 4  # rows that read it from memory at once; the same as SKINNY_TILE_ROWS in simd/gemm/skinny.inc
SUMS = "cython.gemm.thin/sums"  # of an item, so that they stay in the L1 cache


class Skinny(Kernel[GemmProblem]):
    """Products of which one side is short."""

    backend = "cython"
    algorithm = "thin"
    row = "cython.gemm.thin"
    activations = frozenset({"relu"})
    revision = 2
    types: DType | None = None  # of its table, where elements are not those of sums

    def __init__(self, isa: str, images: bool = False) -> None:
        """`images`: rows are images, and their number must change neither the loop nor the kernel."""
        self.isa, self.images = isa, images

    def _sides(self, p: GemmProblem) -> tuple[bool, int, int]:
        """Whether the first operand is the matrix; rows of the other one, columns of the matrix."""
        swapped = p.n < p.m and not self.images
        return (swapped, p.n, p.m) if swapped else (swapped, p.m, p.n)

    @property
    def order(self) -> str:
        return native.product_order(self.isa)

    def reject(self, problem: GemmProblem) -> str | None:
        p = problem
        if self._sides(p)[1] > shared.SKINNY_ROWS and not self.images:
            return f"both m and n are above {shared.SKINNY_ROWS}"
        return "no products to add up" if p.k == 0 else native.reject_common(self.isa, p.dtype)

    def features(self, problem: GemmProblem) -> Features:
        p = problem
        (swapped, rows, cols), size = self._sides(p), p.acc.itemsize
        packed = p.packed and not swapped and not p.b_batched
        matrices = p.batch if swapped or p.b_batched else 1
        matrix = float(matrices * p.k * cols * size)
        nr = native.tile(self.isa, size)[1]
        used = max(cols, 1) / round_up(max(cols, 1), nr)
        form = "_packed" if packed else ""
        transposed = not p.trans_a if swapped else p.trans_b
        cached = matrix <= l3_bytes() / 2
        again = 0 if cached or packed or transposed or rows <= COLUMNS_ROWS else matrix
        stored = round_up(rows, nr // 2) if swapped and rows > 1 else rows  # by transposing vectors
        return Features(
            {
                "call": 1,
                "product": p.batch,
                "last_panel": p.batch * (cols % nr != 0),
                "pack": matrices * round_up(p.k, nr // 2) * cols if transposed and not packed else 0,
                "bytes_sides": p.batch * rows * p.k * size,
                "finish": p.batch * stored * cols * size,
            },
            {f"multiply{form}": p.flops * size / 4 / used},
            {"bytes_cached" if cached else f"bytes{form}": matrix, "bytes_again": again},
        )

    def _panels(self, p: GemmProblem, threads: int) -> int:
        """Panels of columns per item."""
        size = p.acc.itemsize
        nr = native.tile(self.isa, size)[1]
        _, rows, cols = self._sides(p)
        fit = max(4, block_bytes(SUMS) // (min(max(rows, 1), shared.SKINNY_ROWS) * nr * size))
        panels = ceil_div(max(cols, 1), nr)
        if threads > 1:
            fit = min(fit, max(4, panels * max(p.batch, 1) // (4 * threads)))
        return min(fit, panels)

    def _scratch(self, p: GemmProblem, panels: int) -> int:
        size = p.acc.itemsize
        nr, rows = native.tile(self.isa, size)[1], min(self._sides(p)[1], shared.SKINNY_ROWS)
        return (2 * panels * nr * rows + rows * shared.SKINNY_PITCH + nr * native.depth_part(p.k, size)) * size

    def workspace(self, problem: GemmProblem) -> int:
        return self._scratch(problem, self._panels(problem, 1))

    def error(self, problem: GemmProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), problem.k)

    def specialise(self, problem: GemmProblem, count: int) -> Bind:
        _skinny = native.compiled("gemm._skinny")
        p, size = problem, problem.acc.itemsize
        swapped = self._sides(p)[0]
        count = count if p.flops > native.FLOPS_PER_THREAD else 1
        panels = self._panels(p, count)
        table = native.table(self.isa, self.types or p.acc)
        prepared = _skinny.Skinny(table, p, swapped, native.depth_part(p.k, size), panels)
        x = native.matrices(p.batch, *((p.k, p.m) if p.trans_a else (p.m, p.k)))
        y = native.matrices(p.batch, p.m, p.n)
        z = native.second_operand(p, swapped=False)
        native.schedule(prepared, self._scratch(p, panels), count, native.seconds(self, p), x, y, z)
        if not p.packed or swapped or p.b_batched:
            return native.Operands(p, prepared)

        def bind(constants: tuple[Any, ...]) -> Run:
            b, c, bias = constants
            return prepared.operands(b, c, bias, native.pack_columns(self.isa, b[0] if p.trans_b else b[0].T))

        return bind

    def prepare(self, problem: GemmProblem, constants: tuple[Any, ...], count: int) -> Run:
        return self.specialise(problem, count)(constants)


class SkinnyConv(native.Delegated):
    """Convolutions of one output pixel: of one tap, or of a window that covers the image.  Images are rows."""

    backend = "cython"
    algorithm = "thin"
    row = "cython.conv.thin"
    activations = frozenset({"relu"})
    revision = 3

    def __init__(self, isa: str) -> None:
        self.isa = isa
        self.inner = Skinny(isa, images=True)
        self._packed = PackedGemm(isa)

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.not_forward:
            return p.not_forward
        if p.groups != 1:
            return "groups"
        if any(pad != (0, 0) for pad in p.pads):
            return "padding"
        if p.pixels != 1:
            return "more than one output pixel"
        if p.taps != 1 and (p.kernel != p.input or p.layout != "NCHW"):
            return "neither one tap nor a window that covers an NCHW image"
        if p.taps == 1 and p.output != p.input:
            return "stride"
        return native.reject_common(self.isa, p.dtype) or self.inner.reject(self.as_inner(p))

    def as_inner(self, problem: ConvProblem) -> GemmProblem:
        p = problem
        return native.as_product(p, 1, p.n)

    def features(self, problem: ConvProblem) -> Features:
        p = self.as_inner(problem)
        return self._product(p).work(p) + Features({f"{self.rates}/call": 1})

    def _product(self, p: GemmProblem) -> Any:
        """What takes less time for so many rows: the bits of both are the same."""
        return min(self.inner, self._packed, key=lambda kernel: native.seconds(kernel, p))

    def workspace(self, problem: ConvProblem) -> int:
        p = self.as_inner(problem)
        return self._product(p).workspace(p)

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        p = problem
        rows, sums = (1, p.n, p.depth), (1, p.n, p.oc)
        inner = self.as_inner(p)
        product = self._product(inner).specialise(inner, threads)
        return native.Multiplying(p, product, lambda x: x.reshape(rows), lambda y: y.reshape(sums))


KERNELS = tuple(Skinny(isa) for isa in machine.ISAS)
CONVOLUTIONS = tuple(SkinnyConv(isa) for isa in machine.ISAS)
