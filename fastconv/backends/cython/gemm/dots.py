"""Products of matrices as dot products: the kernel object.

Register tile: some rows times some columns, half of the registers or more; the depth is in lanes.  Where columns of the
second operand are contiguous, as the weights of `linear` are, nothing is packed or transposed, and few rows read it at
the speed of memory; where there are few columns, they would leave lanes of a panel empty.  The order of summation is
another one than that of panels, and the number of columns and the depth alone decide between both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fastconv.backends.cython.runtime import native, shared
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Kernel, Run, summation_error
from fastconv.core.numbers import LINE, ceil_div, round_up
from fastconv.core.problems.gemm import GemmProblem
from fastconv.machines import block_bytes

A = "cython.gemm.dots/a"  # rows that all columns use
COPIED = 64  # columns for which rows are copied to whole cache lines; the same as DOTS_MANY in simd/gemm/dots.inc
SPLIT = 4  # columns, at most, that are split by shuffles; the same as in _skinny.pyx
FEW_ROWS = 24  # whole tiles
ITEM = 1 << 22  # products of an item of work with few columns, about
LARGEST = 1 << 26  # products of any item, about


class Dots(Kernel[GemmProblem]):
    """Products of rows with contiguous or few columns."""

    backend = "cython"
    algorithm = "dots"
    row = "cython.gemm.dots"
    activations = frozenset({"relu"})

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
        if p.n > shared.DOTS_COLUMNS and (p.packed or not p.trans_b):
            return f"n is above {shared.DOTS_COLUMNS}, and columns are not contiguous or can be packed"
        return "no products to add up" if p.k == 0 else native.reject_common(self.isa, p.dtype)

    def features(self, problem: GemmProblem) -> Features:
        p, size = problem, problem.acc.itemsize
        lanes, outputs = native.lanes(self.isa, size), p.batch * p.m * p.n
        steps = p.batch * ceil_div(p.k, lanes)
        high = 6 if machine.ISAS[self.isa].registers >= 32 else 3  # rows of the highest tile
        if p.n < 4:  # few columns: tiles are high instead
            tiles, vectors = ceil_div(p.m * p.n, 8), p.m * ceil_div(p.n, 2)
        else:
            tiles, vectors = p.n * ceil_div(p.m, high), ceil_div(p.n * p.m, 4)
        copied = 0 if self._as_given(p).trans_b else (p.batch if p.b_batched else 1) * p.n * p.k
        how = "split" if p.n <= SPLIT else "pack"
        return Features(
            {"call": 1, "product": p.batch, "output": outputs, how: copied},
            {"multiply": 2.0 * outputs * round_up(p.k, lanes) * size / 4},
            {"load": steps * (tiles + vectors)},
            native.traffic(p.bytes),
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

    @staticmethod
    def _scratch(p: GemmProblem, rows: int) -> tuple[int, int, int]:
        """Elements from one copied row to the next, and for how many rows and columns there is space."""
        lines = ceil_div(p.k * p.acc.itemsize, LINE)
        pitch = (lines + 1 - lines % 2) * LINE // p.acc.itemsize  # an odd number of lines: different sets of the cache
        return pitch, rows if p.n >= COPIED else 1, 1 if p.trans_b else max(1, p.n)

    def workspace(self, problem: GemmProblem) -> int:
        q = self._as_given(problem)
        pitch, room, copies = self._scratch(q, self._item(q, 1)[0])
        return (room + copies) * pitch * q.acc.itemsize

    def error(self, problem: GemmProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), problem.k)

    def specialise(self, problem: GemmProblem, count: int) -> Bind:
        _skinny = native.compiled("gemm._skinny")
        p, q = problem, self._as_given(problem)
        count = count if p.flops > native.FLOPS_PER_THREAD else 1
        rows, cols = self._item(q, count)
        scratch = self._scratch(q, rows)
        prepared = _skinny.Dots(native.table(self.isa, p.acc), q, rows, cols, *scratch)
        x, y = native.matrices(p.batch, p.m, p.k), native.matrices(p.batch, p.m, p.n)
        z, own = native.second_operand(q, swapped=False), (scratch[1] + scratch[2]) * scratch[0] * p.acc.itemsize
        native.schedule(prepared, own, count, native.seconds(self, p), x, y, z)
        if not q.packed or q.b_batched:
            return native.Operands(q, prepared)

        def bind(constants: tuple[Any, ...]) -> Run:
            b, c, bias = constants
            return prepared.operands(np.ascontiguousarray(b if p.trans_b else b.transpose(0, 2, 1)), c, bias)

        return bind

    def prepare(self, problem: GemmProblem, constants: tuple[Any, ...], count: int) -> Run:
        return self.specialise(problem, count)(constants)


KERNELS = tuple(Dots(isa) for isa in machine.ISAS)
