"""Products that read both operands where they are, and write results once: the kernel object.

For products of few operations, or of little depth, of which loads and stores take as long as multiply-adds: nothing is
packed, sums stay in registers, and a tile of few rows is wide.  See `_in_place.pyx` for what lies in lanes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.backends.cython.runtime.dtypes import DType
from fastconv.core import machine
from fastconv.core.costs import Counts, Features
from fastconv.core.kernel import Bind, Specialised, summation_error
from fastconv.core.numbers import ceil_div, round_up
from fastconv.core.problems.gemm import GemmProblem
from fastconv.machines import block_bytes, l3_bytes, traffic

B = "cython.gemm.in_place/b"  # which stays in the L2 cache while strips of rows and tiles of columns read it
NEAR = "cython.gemm.in_place/near"  # a larger b comes from memory, where short runs of many rows are read slowly
TURNED = 128  # products of a sum, at most, where an operand is transposed
SPLIT = 4  # products that shuffles split; the same as in _in_place.pyx
COLUMNS = 8  # results of a row, at most, where rows lie in lanes; the same as JOINED in _in_place.pyx
BLOCK = 16 << 10  # bytes of what is transposed at a time, and of its results
ITEM = 1 << 21  # products of an item of work, about
HALF = 2  # bytes of a 16-bit float
SPILLED = 512  # bytes of results that are not adjacent
SHORT, SHORT_FEW = 8, 4  # products of a sum, at most, of which b stays in 32 registers, or in 16,
SHORT_ROWS, MOST = 32, 8  # and its rows and vectors of a tile; the same as in simd/gemm/in_place.inc
STRIP, NARROW_STRIP = 13, 6  # rows of a strip, at most; the same as IN_PLACE_ROWS in simd/gemm/in_place.inc
STORES, WAY = 12, 4096  # short sums whose results lie in few sets are stored a few rows at a time: see _in_place.pyx
FAR, KEPT = 2048, 8  # of rows of b a multiple of so many bytes apart, the L1 cache keeps so many


class InPlace(Specialised[GemmProblem]):
    """Products without packing."""

    backend = "cython"
    algorithm = "in_place"
    row = "cython.gemm.in_place"
    activations = frozenset({"relu"})

    def __init__(self, isa: str, types: DType | None = None, row_bias: bool = False) -> None:
        """`types`: of its table, where b is not of floats: see widened/; `row_bias`: biases are of rows."""
        self.isa, self.types, self.row_bias = isa, types, row_bias

    @property
    def _paired(self) -> bool:
        """Whether an element of a is a pair, and one of b half of one."""
        return self.types is not None and self.types.k_group > 1

    @property
    def strip(self) -> int:
        """Rows of a strip, at most."""
        return STRIP if self.types is None or self._paired else NARROW_STRIP

    @property
    def order(self) -> str:
        return native.product_order(self.isa)

    def _is_swapped(self, p: GemmProblem) -> bool:
        """Whether rows of the result lie in lanes."""
        return p.n <= COLUMNS and 1 < p.k <= TURNED and p.n < p.m

    def _turns(self, p: GemmProblem) -> bool:
        """Whether columns of b are transposed."""
        return p.trans_b and p.k > 1 and not self._is_swapped(p)

    def _short(self, p: GemmProblem, cols: int) -> int:
        """Vectors of columns of a tile for which b stays in registers; 0 where sums are not so short, or rows are."""
        registers, lanes = machine.ISAS[self.isa].registers, native.lanes(self.isa, p.acc.itemsize)
        if self.types is not None or cols < lanes or p.k > (SHORT if registers >= 32 else SHORT_FEW):
            return 0
        return min(MOST, (registers - 1 - p.k) // (p.k + 1))

    def reject(self, problem: GemmProblem) -> str | None:
        p = problem
        if p.c or p.alpha != 1:
            return "alpha, or an addend"
        if p.apart:
            return "elements of rows are apart"
        if self._turns(p) and p.k > TURNED:
            return f"columns of more than {TURNED} products are contiguous"
        if self.types is not None and (p.trans_b or self._is_swapped(p)):
            return "a matrix of 16-bit floats would be transposed"
        return "no products to add up" if p.k == 0 else native.reject_common(self.isa, p.dtype)

    def features(self, problem: GemmProblem) -> Features:
        p, size = problem, problem.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        vl, swapped = native.lanes(self.isa, size), self._is_swapped(p)
        rows, cols = (p.n, p.m) if swapped else (p.m, p.n)
        apart = not swapped and p.k <= STORES and p.n * size % WAY == 0
        strips, vectors = ceil_div(max(rows, 1), mr // 2 if apart else min(mr, self.strip)), ceil_div(max(cols, 1), vl)
        short = self._short(p, cols)
        if short and not apart:
            strips = ceil_div(max(rows, 1), SHORT_ROWS)
        most = short or max(1, min(MOST, mr * nr // vl // ceil_div(max(rows, 1), strips)))
        tiles = p.batch * strips * ceil_div(vectors, most)
        # Of a step of a tile, vectors of columns are loaded, rows broadcast, and sums wait for those of the last step;
        # where sums are short, for their stores.
        multiply = 2.0 * vl * p.batch * p.k * rows * vectors * size / 4
        loads = p.batch * p.k * (strips * vectors + rows * ceil_div(vectors, most))
        turned = p.batch * p.m * p.k if swapped and not p.trans_a else p.n * p.k if self._turns(p) else 0
        if self._turns(p):
            turned *= (p.batch if p.b_batched else 1) * ceil_div(max(p.m, 1), self._item(p, 1)[0])
        joined = p.batch * p.m * p.n if swapped and p.n > 1 else 0
        lines = 0 if swapped or self._turns(p) else p.batch * strips * p.k * vectors  # of b
        b_size = size if self.types is None else HALF * self.types.k_group
        b_bytes = p.k * p.n * b_size
        distant = lines and not short and b_bytes > min(l3_bytes() / 2, block_bytes(NEAR))
        saved = (p.batch if p.b_batched else 1) * p.k * p.n * (size - b_size)
        counts: Counts = {
            "call": 1, "product": p.batch, "short" if short else "tile": tiles, "joined": joined,
            "split" if p.k <= SPLIT else "turned": turned,
            "aliased": lines if p.k > KEPT and p.n * size % FAR == 0 else 0,
            "far": lines if b_bytes > block_bytes(B) else 0,
            "distant": tiles * p.k * (1.25 - most / MOST) if distant else 0,
        }  # fmt: skip
        moved = traffic(p.bytes - saved)
        slow: Counts = {"store": p.batch * rows * vectors} if short else {"wait": tiles * p.k}
        return Features(counts, {"multiply": multiply}, {"load": loads}, slow, moved)

    def _item(self, p: GemmProblem, count: int) -> tuple[int, int]:
        """(rows, columns) of an item."""
        size, m, n, batch = p.acc.itemsize, max(p.m, 1), max(p.n, 1), max(p.batch, 1)
        vl, nr = native.lanes(self.isa, size), native.tile(self.isa, size)[1]
        rows = max(1, ITEM // (n * p.k))
        if count > 1:
            rows = min(rows, ceil_div(m * batch, 4 * count))
        rows = min(round_up(rows, vl), m)
        runs = batch * ceil_div(m, rows)
        if count == 1 or runs >= 2 * count or self._is_swapped(p):
            return rows, n
        return rows, min(round_up(ceil_div(n * runs, 4 * count), 4 * nr), n)

    def _block(self, p: GemmProblem) -> int:
        """Rows or columns that are transposed at a time; 0 if none are."""
        size, nr = p.acc.itemsize, native.tile(self.isa, p.acc.itemsize)[1]
        if self._is_swapped(p):
            return max(nr, min(BLOCK // ((p.k + p.n) * size), round_up(p.m, nr)) // nr * nr)
        if self._turns(p):
            return max(nr, min(BLOCK // (p.k * size), round_up(p.n, nr)) // nr * nr)
        return 0

    def workspace(self, problem: GemmProblem) -> int:
        p = problem
        return self._block(p) * (p.k + p.n * self._is_swapped(p)) * p.acc.itemsize + SPILLED

    def error(self, problem: GemmProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), problem.k)

    def specialise(self, problem: GemmProblem, threads: int) -> Bind:
        _in_place = native.compiled("gemm._in_place")
        p, size = problem, problem.acc.itemsize
        count = threads if p.flops > native.FLOPS_PER_THREAD else 1
        table = native.table(self.isa, self.types or p.acc)
        prepared = _in_place.InPlace(
            table, p, native.depth_part(p.k, size), *self._item(p, count), self._block(p), self._is_swapped(p),
            *((size, size) if self.types is None else (HALF, p.out.itemsize)), self.strip, self._paired, self.row_bias,
        )  # fmt: skip
        x = native.matrices(p.batch, *((p.k, p.m) if p.trans_a else (p.m, p.k)))
        y = native.matrices(p.batch, p.m, p.n)
        z = native.second_operand(replace(p, k=2 * p.k) if self._paired else p, swapped=False)
        native.schedule(prepared, self.workspace(p), count, native.seconds(self, p), x, y, z)
        return native.Operands(p, prepared)


KERNELS = tuple(InPlace(isa) for isa in machine.ISAS)
