"""Matrix multiplication: the kernel objects and their block sizes.

Register tile: MR rows x 2 vectors of columns.  A panel of A (MR x KC) stays in the L1 cache for all panels of B; a
block of A and a group of panels of B fit the L2 cache, and a block of B takes at most `B` bytes of the L3 cache.
Products of few rows, or with a small B, read B in place, if its rows are contiguous; those of few columns read A in
place.  Small products of a batch are items of work of one call.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.backends.cython.runtime.dtypes import BFLOAT16_TILES, DType
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Kernel, Run, summation_error
from fastconv.core.numbers import ceil_div, round_up
from fastconv.core.problems.gemm import GemmProblem
from fastconv.core.scratch import aligned_empty
from fastconv.machines import block_bytes, host_table

A, B, SMALL, IN_PLACE = (f"cython.gemm.packed/{block}" for block in ("a", "b", "small", "in_place"))
IN_PLACE_TILES = 3  # B is read in place if at most so many tiles use each element, or if all of it is IN_PLACE bytes
PASSES = 8  # A is read in place for at most so many panels of B; the same as in _gemm.pyx
NEAR = 2048  # bytes: rows of A a multiple of this apart map to few sets of the L1 cache, and are packed
SET_BYTES = 4096  # rows of B a multiple of this apart map to one set of the L1 cache


class PackedGemm(Kernel[GemmProblem]):
    """Products of float32 or float64 matrices."""

    backend = "cython"
    algorithm = "packed"
    row = "cython.gemm.packed"
    activations = frozenset({"relu"})
    revision = 3
    types: DType | None = None  # of its table, where elements are not those of sums
    parts, apart = 1, 0  # of a row of the first operand, see simd/gemm/gemm.h

    def __init__(self, isa: str) -> None:
        self.isa = isa

    @property
    def order(self) -> str:
        return native.product_order(self.isa)

    def reject(self, problem: GemmProblem) -> str | None:
        return native.reject_common(self.isa, problem.dtype)

    def features(self, problem: GemmProblem) -> Features:
        p, size = problem, problem.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        strips, panels, vl = ceil_div(max(p.m, 1), mr), ceil_div(max(p.n, 1), nr), nr // 2
        used = p.n / round_up(max(p.n, 1), vl) * min(1.0, p.m / strips / 4)
        multiply = p.flops * size / 4 / max(used, 1e-3)
        prepacked = p.packed and not p.b_batched
        if self._few(p) and not (prepacked or p.trans_b):
            memory = native.traffic(p.bytes) if p.n * size % SET_BYTES else {"bytes": p.bytes}
            return Features({"call_in_place": 1, "product": p.batch}, {"multiply_in_place": multiply}, memory)
        packed_b = 0 if prepacked else (p.batch if p.b_batched else 1) * p.k * panels * nr
        near = panels <= PASSES and (p.trans_a or p.k * size % NEAR)
        packed_a = 0 if near else p.batch * p.m * p.k
        return Features({"call": 1, "multiply": multiply, "pack": packed_a + packed_b, **native.traffic(p.bytes)})

    def _few(self, p: GemmProblem) -> bool:
        """Whether B is read in place, where it has the right strides and is not packed beforehand."""
        size = p.acc.itemsize
        return p.m <= IN_PLACE_TILES * native.tile(self.isa, size)[0] or p.k * p.n * size <= block_bytes(IN_PLACE)

    def _blocks(self, p: GemmProblem) -> tuple[int, int]:
        """(depth, columns) of a block of B."""
        size = p.acc.itemsize
        nr = native.tile(self.isa, size)[1]
        depth = p.k if self.parts > 1 else native.depth_part(p.k, size)
        cols = max(1, block_bytes(B) // (max(depth, 1) * nr * size)) * nr
        return depth, min(cols, round_up(max(p.n, 1), nr))

    def _items(self, p: GemmProblem, count: int) -> tuple[int, int]:
        """(strips of A, panels of B) of an item of work."""
        size = p.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        depth, cols = self._blocks(p)
        strips, panels = ceil_div(max(p.m, 1), mr), cols // nr
        fit = max(1, block_bytes(A) // (mr * max(depth, 1) * size))
        if count > 1:
            fit = min(fit, max(1, strips // (4 * count)))
        runs = ceil_div(strips, fit)
        fit = ceil_div(strips, runs)
        return fit, panels if runs >= 4 * count or count == 1 else max(1, panels * runs // (4 * count))

    def _whole(self, p: GemmProblem) -> bool:
        """Whether each product of a batch is computed by one thread."""
        depth, cols = self._blocks(p)
        one = depth == p.k and cols >= p.n and cols * depth * p.acc.itemsize <= block_bytes(SMALL)
        return p.batch > 1 and one and (p.b_batched or p.packed)

    def workspace(self, problem: GemmProblem) -> int:
        p = problem
        size = p.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        depth, cols = self._blocks(p)
        strips, block = self._items(p, 1)[0], 0 if p.packed and not p.b_batched else cols
        return (mr * nr + (nr + strips * mr + block) * depth) * size + machine.ISAS[self.isa].bytes

    def error(self, problem: GemmProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), problem.k)

    def specialise(
        self, problem: GemmProblem, count: int, x: native.Contiguous | None = None, y: native.Contiguous | None = None
    ) -> Bind:
        """`x`, `y`: layout of contiguous matrices, if not that of `native.matrices`."""
        _packed = native.compiled("gemm._packed")
        p = problem
        if p.k == 0:
            return lambda constants: lambda x, out: finish_without_products(p, constants[1], constants[2], out)
        size, packed = p.acc.itemsize, p.packed and not p.b_batched
        nr = native.tile(self.isa, size)[1]
        count = count if p.flops > native.FLOPS_PER_THREAD else 1
        table = native.table(self.isa, self.types or p.acc)
        prepared = _packed.PackedGemm(
            table, p, *self._blocks(p), *self._items(p, count), self._few(p), self._whole(p)
        )
        prepared.rows_in_place = self.types is BFLOAT16_TILES
        prepared.parts, prepared.apart = self.parts, self.apart
        own, shared = prepared.scratch_bytes()
        x = x or native.matrices(p.batch, *((p.k, p.m) if p.trans_a else (p.m, p.k)))
        y = y or native.matrices(p.batch, p.m, p.n)
        native.schedule(prepared, own, count, native.seconds(self, p), x, y, shared_bytes=shared)
        if not packed:
            return lambda constants: prepared.operands(*constants)
        panels = _packed.Panels(prepared)
        elements = round_up(p.n, nr) * p.k
        native.schedule(panels, 0, count, host_table().rate(f"{self.rates}/pack") * elements)

        def bind(constants: tuple[Any, ...]) -> Run:
            return prepared.operands(*constants, aligned_empty(elements * size), panels)

        return bind

    def prepare(self, problem: GemmProblem, constants: tuple[Any, ...], count: int) -> Run:
        return self.specialise(problem, count)(constants)


@np.errstate(all="ignore")
def finish_without_products(p: GemmProblem, c: np.ndarray | None, bias: np.ndarray | None, out: np.ndarray) -> None:
    """The result when k is 0: what is added to an empty sum."""
    out[...] = 0 if c is None else p.beta * c
    if bias is not None:
        out += bias
    if p.activation == "relu":
        np.maximum(out, 0, out=out)


KERNELS = tuple(PackedGemm(isa) for isa in machine.ISAS)
