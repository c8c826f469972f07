"""Products of matrices as dot products: the kernel object.

Register tile: some rows times some columns, half of the registers or more; the depth is in lanes.  Where columns of the
second operand are contiguous, as the weights of `linear` are, nothing is packed or transposed, and few rows read it at
the speed of memory; where there are few columns, they would leave lanes of a panel empty.  The order of summation is
another one than that of panels, and the number of columns and the depth alone decide between both.

The same sums, in the same order, may have columns in lanes: where rows of the second operand are contiguous and need no
copy then, and where sums are so short that adding up lanes would take as long as the products.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fastconv.backends.cython.gemm.skinny import SkinnyConv
from fastconv.backends.cython.runtime import native, shared
from fastconv.backends.cython.runtime.dtypes import DType
from fastconv.core import machine
from fastconv.core.costs import Counts, Features
from fastconv.core.kernel import Bind, Kernel, Run, rounding, summation_error
from fastconv.core.numbers import LINE, ceil_div, round_up
from fastconv.core.problems.base import is_half
from fastconv.core.problems.gemm import GemmProblem
from fastconv.machines import block_bytes, traffic

A = "cython.gemm.dots/a"  # rows that all columns use
COPIED = 64  # columns for which rows are copied to whole cache lines; the same as DOTS_MANY in simd/gemm/dots.inc
SPLIT = 4  # columns, at most, that are split by shuffles; the same as in _skinny.pyx
FEW_ROWS = 24  # whole tiles
WIDE = 8  # lanes; adding up those of narrower vectors takes little time
FEW = 4  # rows for which columns are not transposed where sums are long or vectors narrow
NEAR = 24 << 10  # bytes of columns that stay in the L1 cache
EMPTY = 12  # products in empty lanes that take as long as transposing one element
SHALLOW = 4  # vectors of products of a sum, at most, for which columns are transposed,
MANY_ROWS = 16  # and rows, at least
ITEM = 1 << 22  # products of an item of work with few columns, about
LARGEST = 1 << 26  # products of any item, about


class Dots(Kernel[GemmProblem]):
    """Products of rows with contiguous or few columns."""

    backend = "cython"
    algorithm = "dots"
    row = "cython.gemm.dots"
    activations = frozenset({"relu"})
    types: DType | None = None  # of its table, where elements are pairs

    def __init__(self, isa: str) -> None:
        self.isa = isa

    @property
    def order(self) -> str:
        isa = machine.ISAS[self.isa]
        return f"cython: depth in lanes of {isa.bytes} bytes" + ("" if isa.fma else ", rounded products")

    def reject(self, problem: GemmProblem) -> str | None:
        p = problem
        if p.trans_a:
            return "the depth of the first operand is not contiguous"
        if self.types is not None and not p.trans_b:
            return "columns of pairs are not contiguous"
        if p.n > shared.DOTS_COLUMNS and (p.packed or not p.trans_b):
            return f"n is above {shared.DOTS_COLUMNS}, and columns are not contiguous or can be packed"
        return "no products to add up" if p.k == 0 else native.reject_storage(self.isa, p.dtype)

    def _is_across(self, p: GemmProblem) -> bool:
        """Whether columns are in lanes where rows of b are contiguous."""
        lanes = native.lanes(self.isa, p.acc.itemsize)
        if is_half(p.dtype):
            return p.n <= shared.DOTS_COLUMNS
        most = FEW if lanes < WIDE or self._is_long(p) else EMPTY * p.n // max(1, round_up(p.n, lanes) - p.n)
        return p.m <= most and SPLIT < p.n <= shared.DOTS_COLUMNS

    def _is_long(self, p: GemmProblem) -> bool:
        """Whether columns do not stay in the L1 cache: then each row reads them in long runs, one after the other."""
        return p.k * p.n * p.dtype.itemsize > NEAR

    def _turned(self, p: GemmProblem) -> int:
        """Columns that are transposed at a time where they are contiguous; 0 if none are."""
        lanes = native.lanes(self.isa, p.acc.itemsize)
        short = lanes >= WIDE and p.k <= SHALLOW * lanes and not is_half(p.dtype) and self.types is None
        return shared.DOTS_COLUMNS if short and p.m >= MANY_ROWS and 5 * p.n >= 4 * round_up(p.n, lanes) else 0

    def features(self, problem: GemmProblem) -> Features:
        p, size, turned = problem, problem.acc.itemsize, self._turned(problem)
        lanes, outputs = native.lanes(self.isa, size), p.batch * p.m * p.n
        given, matrices = self._as_given(p), p.batch if p.b_batched else 1
        high = 6 if machine.ISAS[self.isa].registers >= 32 else 3  # rows of the highest tile
        widened: Counts = {}
        ends = p.bias or p.c or p.alpha != 1 or p.activation is not None
        finish = p.batch * p.m * ceil_div(p.n, lanes) if ends else 0  # vectors of results that are not sums as they are
        if is_half(p.dtype):  # vectors: rows once, columns for every tile
            widened = {"widened": p.batch * ceil_div(p.k, lanes) * (p.m + p.n * ceil_div(p.m, high))}
        if turned if given.trans_b else self._is_across(p):
            vectors = ceil_div(p.n, lanes)
            counts: Counts = {
                "call": 1,
                "product": p.batch,
                "vector": p.batch * p.m * vectors,
                "finish": finish,
                "turned": matrices * p.n * p.k * ceil_div(max(p.m, 1), self._item(p, 1)[0]) if given.trans_b else 0,
                **widened,
            }
            multiply = 2.0 * p.batch * p.m * vectors * lanes * p.k * size / 4
            strips = p.m if self._is_long(p) and not given.trans_b else ceil_div(p.m, high)
            steps = {"step": p.batch * strips * vectors * p.k}
            return Features(counts, {"multiply_across": multiply}, steps, traffic(p.bytes))
        long = p.batch * ceil_div(p.k, lanes)
        if p.n < 4:  # few columns: tiles are high instead
            tiles, vectors = ceil_div(p.m * p.n, 8), p.m * ceil_div(p.n, 2)
        else:
            tiles, vectors = p.n * ceil_div(p.m, high), ceil_div(p.n * p.m, 4)
        copied = 0 if given.trans_b else matrices * p.n * p.k
        how = "split" if p.n <= SPLIT else "pack"
        return Features(
            {"call": 1, "product": p.batch, "output": outputs, "finish": finish, how: copied, **widened},
            {"multiply": 2.0 * outputs * round_up(p.k, lanes) * size / 4},
            {"load": long * (tiles + vectors)},
            traffic(p.bytes),
        )

    @staticmethod
    def _as_given(p: GemmProblem) -> GemmProblem:
        """The problem of a run: a plan has made columns contiguous."""
        return replace(p, trans_b=True) if p.packed and not p.b_batched else p

    @staticmethod
    def _item(p: GemmProblem, count: int) -> tuple[int, int]:
        """(rows, columns) of an item."""
        k, m, n = max(p.k, 1), max(p.m, 1), max(p.n, 1)
        if n > shared.DOTS_COLUMNS:
            rows = max(FEW_ROWS, block_bytes(A) // (k * p.acc.itemsize) // FEW_ROWS * FEW_ROWS)
        else:
            rows = max(4 * FEW_ROWS, ITEM // (n * k))
        if count > 1:
            rows = min(rows, max(FEW_ROWS, round_up(ceil_div(m, 4 * count), FEW_ROWS)))
        rows = min(rows, m)
        cols = max(1, LARGEST // (rows * k))
        runs = max(p.batch, 1) * ceil_div(m, rows)
        if runs < 2 * count and count > 1:
            cols = min(cols, ceil_div(n * runs, 4 * count))
        return rows, min(round_up(cols, shared.DOTS_COLUMNS), n)

    def _scratch(self, p: GemmProblem, rows: int) -> tuple[int, int, int]:
        """Elements from one copied row to the next, and for how many rows and columns there is space."""
        lines = ceil_div(p.k * p.acc.itemsize, LINE)
        pitch = (lines + 1 - lines % 2) * LINE // p.acc.itemsize  # an odd number of lines: different sets of the cache
        copies = max(1, p.n if not p.trans_b else 0, self._turned(p))
        if is_half(p.dtype):
            return pitch, min(rows, max(FEW_ROWS, block_bytes(A) // (pitch * p.acc.itemsize))), copies
        return pitch, rows if p.n >= COPIED else 1, copies

    def workspace(self, problem: GemmProblem) -> int:
        q = self._as_given(problem)
        pitch, room, copies = self._scratch(q, self._item(q, 1)[0])
        return (room + copies) * pitch * q.acc.itemsize

    def error(self, problem: GemmProblem) -> float:
        rounded = rounding(problem.out) if is_half(problem.out) else 0.0
        return summation_error(float(np.finfo(problem.acc).eps), problem.k) + rounded

    def specialise(self, problem: GemmProblem, count: int) -> Bind:
        _skinny = native.compiled("gemm._skinny")
        p, q = problem, self._as_given(problem)
        count = count if p.flops > native.FLOPS_PER_THREAD else 1
        rows, cols = self._item(q, count)
        scratch = self._scratch(q, rows)
        table, how = native.table(self.isa, self.types or p.dtype), (self._is_across(q), self._is_long(q))
        prepared = _skinny.Dots(table, q, rows, cols, *scratch, *how, self._turned(q))
        x, y = native.matrices(p.batch, p.m, p.k), native.matrices(p.batch, p.m, p.n)
        z, own = native.second_operand(q, swapped=False), (scratch[1] + scratch[2]) * scratch[0] * p.acc.itemsize
        native.schedule(prepared, own, count, native.seconds(self, p), x, y, z)
        if not q.packed or q.b_batched:
            if is_half(p.dtype) and (p.c or p.bias):  # which have 16 bits as the user gave them
                return lambda constants: prepared.operands(*constants)
            return native.Operands(q, prepared)

        def bind(constants: tuple[Any, ...]) -> Run:
            b, c, bias = constants
            return prepared.operands(np.ascontiguousarray(b if p.trans_b else b.transpose(0, 2, 1)), c, bias)

        return bind

    def prepare(self, problem: GemmProblem, constants: tuple[Any, ...], count: int) -> Run:
        return self.specialise(problem, count)(constants)


class DotsConv(SkinnyConv):
    """Convolutions of one output pixel as dot products: weights are contiguous columns, and nothing packs them."""

    relative = "dots"

    def __init__(self, isa: str) -> None:
        self.isa, self.inner = isa, Dots(isa)

    def _product(self, p: GemmProblem) -> Any:
        return self.inner


KERNELS = tuple(Dots(isa) for isa in machine.ISAS)
CONVOLUTIONS = tuple(DotsConv(isa) for isa in machine.ISAS)
