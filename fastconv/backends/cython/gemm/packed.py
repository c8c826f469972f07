"""Matrix multiplication: the kernel objects and their block sizes.

Register tile: MR rows x 2 vectors of columns.  A panel of A (MR x KC) stays in the L1 cache for all panels of B; a
block of A and a group of panels of B fit the L2 cache, and a block of B takes at most `B` bytes of the L3 cache.
Where all of A for such a panel is a block, B is streamed: read once, and packed on the way, panel by panel.  Products
of few columns read A in place.  Small products of a batch are items of work of one call.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.backends.cython.runtime.dtypes import DType
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Kernel, Run, summation_error
from fastconv.core.numbers import LINE, ceil_div, round_up
from fastconv.core.problems.gemm import GemmProblem
from fastconv.core.scratch import aligned_empty
from fastconv.machines import block_bytes, host_table, traffic

A, B, SMALL = (f"cython.gemm.packed/{block}" for block in ("a", "b", "small"))
PASSES = 8  # A is read in place for at most so many panels of B; the same as in _packed.pyx
NEAR = 2048  # bytes: rows of A a multiple of this apart map to few sets of the L1 cache, and are packed
RUN = 64  # panels of an item of work that streams them: a few milliseconds
TILE = 4  # steps of the depth that take as long as the beginning and the end of a tile
STORES = 12  # a sum so short takes less time than its stores
L1_WAY, L1_ROWS = 4096, 8  # bytes: of rows of the result a multiple of this apart, the L1 cache keeps so many
SHALLOW, COPIED = 24, 16 << 10  # depth and bytes of panels that are one call; the same as in _packed.pyx
GROUPED = 32  # so many panels are prefetched in groups, and each is a call
ROOM = 24 << 10  # bytes of A, so few that they are always set aside: views may have rows that must be packed


class PackedGemm(Kernel[GemmProblem]):
    """Products of float32 or float64 matrices."""

    backend = "cython"
    algorithm = "packed"
    row = "cython.gemm.packed"
    activations = frozenset({"relu"})
    revision = 4
    types: DType | None = None  # of its table, where elements are not those of sums

    def __init__(self, isa: str) -> None:
        self.isa = isa

    @property
    def order(self) -> str:
        return native.product_order(self.isa)

    def reject(self, problem: GemmProblem) -> str | None:
        return native.reject_common(self.isa, problem.dtype)

    def features(self, problem: GemmProblem) -> Features:
        p, size = problem, problem.acc.itemsize
        nr = native.tile(self.isa, size)[1]
        strips, panels, vl = self._strips(p), ceil_div(max(p.n, 1), nr), nr // 2
        used = p.n / round_up(max(p.n, 1), vl) * min(1.0, p.m / strips / 4)
        multiply = 2.0 * p.batch * p.m * p.n * (p.k + TILE) * size / 4 / max(used, 1e-3)
        prepacked = p.packed and not p.b_batched
        shallow = p.k <= SHALLOW and self._streams(p) and not p.trans_b and panels < GROUPED
        at_once = max(1, COPIED // (max(p.k, 1) * nr * size)) if shallow else 1
        tiles = p.batch * strips * ceil_div(panels, at_once) * ceil_div(p.k, max(1, native.depth_part(p.k, size)))
        packed_a = p.batch * p.m * p.k if self._packs_a(p, panels) else 0
        columns = (p.batch if p.b_batched else 1) * p.k * panels * nr
        if self._streams(p) or (prepacked and self._few(p)):
            if p.trans_b and not prepacked:
                packed_b = panels * nr
            else:  # a last panel of one vector
                packed_b = vl if not prepacked and 0 < p.n % nr <= vl and (strips > 1 or p.n < nr) else 0
            packed = packed_a + p.batch * p.k * packed_b
            counts = {"call_in_place": 1, "product": p.batch, "tile": tiles, "pack": packed}
            return Features(counts, {"multiply_in_place": multiply}, traffic(p.bytes))
        pack = packed_a + (0 if prepacked else columns)
        return Features({"call": 1, "multiply": multiply, "tile": tiles, "pack": pack, **traffic(p.bytes)})

    def _streams(self, p: GemmProblem) -> bool:
        """Whether panels of B are read in place, one after the other, each for all strips of A."""
        packed_once = not p.b_batched and (p.packed or (p.batch > 1 and p.trans_b))  # for many runs or products
        return not packed_once and self._few(p)

    def _few(self, p: GemmProblem) -> bool:
        """Whether A is small enough for that."""
        size = p.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        return p.n <= nr or round_up(max(p.m, 1), mr) * native.depth_part(p.k, size) * size <= block_bytes(A)

    def _strips(self, p: GemmProblem) -> int:
        """Into how many strips the rows of A are cut, of at most MR rows each."""
        mr = native.tile(self.isa, p.acc.itemsize)[0]
        aliased = p.k <= STORES and p.n * p.acc.itemsize % L1_WAY == 0 and mr > L1_ROWS
        return ceil_div(max(p.m, 1), mr // 2 if aliased else mr)

    def _packs_a(self, p: GemmProblem, panels: int) -> bool:
        """Whether strips of A are packed, if they are contiguous, for so many panels of B."""
        aliased = not p.trans_a and p.k * p.acc.itemsize % NEAR == 0
        return panels > PASSES or aliased

    def _blocks(self, p: GemmProblem) -> tuple[int, int]:
        """(depth, columns) of a block of B."""
        size = p.acc.itemsize
        nr = native.tile(self.isa, size)[1]
        depth, every = native.depth_part(p.k, size), round_up(max(p.n, 1), nr)
        if self._streams(p):
            return depth, every
        cols = max(1, block_bytes(B) // (max(depth, 1) * nr * size)) * nr
        return depth, min(cols, every)

    def _items(self, p: GemmProblem, count: int) -> tuple[int, int]:
        """(strips of A, panels of B) of an item of work."""
        size = p.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        depth, cols = self._blocks(p)
        strips, panels = self._strips(p), cols // nr
        fit = max(1, block_bytes(A) // (mr * max(depth, 1) * size))
        if self._streams(p):
            fit = min(strips, fit)
            if count == 1 or p.batch >= 4 * count:
                return fit, min(panels, RUN)
            if panels >= 2 * count:
                return fit, min(max(1, panels // (4 * count)), RUN)
            return min(fit, max(1, strips // (2 * count))), panels
        if count > 1:
            fit = min(fit, max(1, strips // (4 * count)))
        runs = ceil_div(strips, fit)
        fit = ceil_div(strips, runs)
        return fit, panels if runs >= 4 * count or count == 1 else max(1, panels * runs // (4 * count))

    def _room(self, p: GemmProblem, strips: int, panels: int) -> int:
        """Bytes of scratch for strips of A; 0 where they are always read in place."""
        size = p.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        nbytes = (strips * mr * native.depth_part(p.k, size) + nr) * size
        return nbytes if self._packs_a(p, panels) or nbytes <= ROOM else 0

    def _whole(self, p: GemmProblem) -> bool:
        """Whether each product of a batch is computed by one thread."""
        depth, cols = self._blocks(p)
        one = depth == p.k and cols >= p.n and cols * depth * p.acc.itemsize <= block_bytes(SMALL)
        return p.batch > 1 and one and (p.b_batched or p.packed) and not self._streams(p)

    def workspace(self, problem: GemmProblem) -> int:
        p = problem
        size = p.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        depth, cols = self._blocks(p)
        strips, panels = self._items(p, 1)
        panel = nr * depth + mr * nr * strips if self._streams(p) else 0
        block = 0 if self._streams(p) or (p.packed and not p.b_batched) else cols * depth
        return (mr * nr + panel + block) * size + self._room(p, strips, panels) + LINE

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
        items = self._items(p, count)
        table = native.table(self.isa, self.types or p.acc)
        strips, room = self._strips(p), self._room(p, *items)
        prepared = _packed.PackedGemm(
            table, p, *self._blocks(p), strips, *items, self._streams(p), self._whole(p), room > 0
        )
        own, shared = prepared.scratch_bytes()
        x = x or native.matrices(p.batch, *((p.k, p.m) if p.trans_a else (p.m, p.k)))
        y = y or native.matrices(p.batch, p.m, p.n)
        z = native.second_operand(p, swapped=p.trans_b)
        native.schedule(prepared, own, count, native.seconds(self, p), x, y, z, shared)
        if not packed:
            return native.Operands(p, prepared)
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
