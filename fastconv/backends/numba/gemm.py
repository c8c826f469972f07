"""Matrix multiplication with Numba: blocking, packing and additions to the product.

B is packed block by block (KC of depth x NC columns), only once in a plan; A is packed by the
loop itself.  beta * c is written to the output first and the product is added to it, so c may have any strides.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastconv.backends.numba.base import (
    NumbaKernel,
    address,
    each_isa,
    run_items,
    run_ranges,
    steps,
)
from fastconv.core.arrays import aligned_empty
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Run
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.gemm import GemmProblem
from fastconv.core.scratch import borrow
from fastconv.machines import block_bytes, host_table

# Blocks: of one column, so that a panel of B and one of A fit L1; of packed rows of A; of packed B.
DEPTH, ROWS, BLOCK = (f"numba.gemm/{block}" for block in ("depth", "rows", "block"))
GROUP = 8  # panels of B per item

TILES: dict[int, tuple[tuple[int, int, float], ...]] = {
    32: ((14, 2, 1.0), (7, 3, 0.9), (4, 4, 0.75)),
    16: ((6, 2, 1.0), (3, 3, 0.8)),
}


class Blocking(NamedTuple):
    """Sizes of blocks: depth, rows of A, panels of B in a block, matrices per call."""

    mr: int
    nr: int
    nv: int
    speed: float
    kc: int
    mc: int
    panels: int
    matrices: int


def ceil(a: int, b: int) -> int:
    return ceil_div(a, b)


class NumbaGemm(NumbaKernel[GemmProblem]):
    """Packed panels and register tiles, after Goto and van de Geijn, "Anatomy of high-performance matrix
    multiplication" (ACM TOMS 34, 2008)."""

    algorithm = "gemm"
    row = "numba.gemm"
    activations = frozenset({"relu"})

    def reject(self, problem: GemmProblem) -> str | None:
        return "no products to add up" if problem.k == 0 else super().reject(problem)

    def error(self, problem: GemmProblem) -> float:
        return float(np.finfo(problem.dtype).eps) * (1.0 + 0.3 * min(problem.k, 320) ** 0.5)

    @keep_few()
    def blocking(self, p: GemmProblem) -> Blocking:
        lanes, size = self.lanes(p.dtype), p.dtype.itemsize
        m, n = max(p.m, 1), max(p.n, 1)

        def useful(tile: tuple[int, int, float]) -> float:
            mr, nv, speed = tile
            return speed * m / (ceil(m, mr) * mr) * n / (ceil(n, nv * lanes) * nv * lanes)

        mr, nv, _ = best = max(TILES[self.registers], key=useful)
        nr = nv * lanes
        kc = ceil(p.k, ceil(p.k, block_bytes(DEPTH) // size))
        mc = mr * max(1, block_bytes(ROWS) // (mr * kc * size))
        mc = mr * ceil(ceil(m, mr), ceil(m, mc))
        panels = min(ceil(n, nr), max(1, block_bytes(BLOCK) // (kc * nr * size)))
        one = panels * kc * nr * size
        matrices = max(1, min(p.batch, block_bytes(BLOCK) // one)) if p.b_batched else max(1, p.batch)
        return Blocking(mr, nr, nv, useful(best), kc, mc, panels, matrices)

    def features(self, problem: GemmProblem) -> Features:
        p, k = problem, self.blocking(problem)
        size = p.dtype.itemsize
        b = (p.batch if p.b_batched else 1) * p.k * p.n
        passes = ceil(p.k, k.kc)
        # With few rows there are few independent sums, and each addition waits for the one before it.
        used = k.speed * min(1.0, max(p.m, 1) / 8)
        return Features({
            "call": 1 + ceil(p.batch, k.matrices) * passes * ceil(p.n, k.nr * k.panels),
            "multiply": p.flops * size / 4 / used,
            "bytes_packed": ((0 if p.packed else b) + p.batch * p.m * p.k) * size,
            "bytes": (b + p.batch * p.m * p.n * (2 * passes - 1 + 2 * p.c)) * size,
        })

    def workspace(self, problem: GemmProblem) -> int:
        p, k = problem, self.blocking(problem)
        rows = (k.mc * k.kc + k.mr) * p.dtype.itemsize
        block = 0 if p.packed else self._b_bytes(p)
        return rows + block

    def _b_bytes(self, p: GemmProblem) -> int:
        """Bytes of one packed block of B."""
        k = self.blocking(p)
        return (k.matrices if p.b_batched else 1) * k.panels * k.kc * k.nr * p.dtype.itemsize

    def prepare(self, problem: GemmProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p, k = problem, self.blocking(problem)
        b, c, bias = constants
        loop = self.loop("gemm", p.dtype, k.mr, k.nv)
        packer = self.loop("pack", p.dtype)
        size = p.dtype.itemsize
        bk, bn = (2, 1) if p.trans_b else (1, 2)
        depth_blocks = range(0, p.k, k.kc)
        column_blocks = range(0, p.n, k.panels * k.nr)
        rows_bytes = (k.mc * k.kc + k.mr) * size

        def pack(q0: int, count: int, j0: int, p0: int, memory: int) -> None:
            """Columns from j0 and depth from p0 of `count` matrices from q0 on."""
            columns, depth = min(k.panels * k.nr, p.n - j0), min(k.kc, p.k - p0)
            panels = ceil(columns, k.nr)
            for q in range(count if p.b_batched else 1):
                source = address(b[q0 + q if p.b_batched else 0]) + j0 * b.strides[bn] + p0 * b.strides[bk]
                target = memory + q * panels * depth * k.nr * size
                fixed = (source, b.strides[bn] // size, b.strides[bk] // size, columns, depth, target, k.nr)

                def call(lo: int, hi: int, fixed: tuple[int, ...] = fixed) -> None:
                    packer.ctypes(lo, hi, *fixed)

                run_ranges(call, panels, threads, panels * depth * row_seconds)

        row_seconds = host_table().rate(f"{self.rates}/pack_row")
        kept: dict[tuple[int, int, int], np.ndarray] = {}
        if p.packed:
            for q0 in range(0, p.batch, k.matrices):
                for j0 in column_blocks:
                    for p0 in depth_blocks:
                        store = aligned_empty((self._b_bytes(p),), np.dtype(np.uint8))
                        pack(q0, min(k.matrices, p.batch - q0), j0, p0, address(store))
                        kept[q0, j0, p0] = store

        def multiply(a: np.ndarray, out: np.ndarray, q0: int, j0: int, p0: int, block: int) -> None:
            ab, ar, ak = steps(a, 0, 2, 1) if p.trans_a else steps(a, 0, 1, 2)
            yb, yr = steps(out, 0, 1)
            count, n, depth = min(k.matrices, p.batch - q0), min(k.panels * k.nr, p.n - j0), min(k.kc, p.k - p0)
            first, last = p0 == 0, p0 + depth == p.k
            between = ceil(n, k.nr) * depth * k.nr if p.b_batched else 0
            offset = 0 if bias is None or not first else address(bias) + j0 * size
            fixed = (
                address(a) + (q0 * ab + p0 * ak) * size, ab, ar, ak, block, between,
                address(out) + (q0 * yb + j0) * size, yb, yr, p.m, n, depth, k.mc, GROUP, offset,
                int(p.c or not first), int(last and p.activation == "relu"),
            )  # fmt: skip
            items = count * ceil(p.m, k.mc) * ceil(ceil(n, k.nr), GROUP)

            def call(lo: int, hi: int, memory: int) -> None:
                loop(lo, hi, *fixed, memory, packer.address, int(p.alpha != 1.0), p.alpha.real)

            run_items(call, items, threads, count * p.m * n * depth / 1e10, rows_bytes)

        def run(a: np.ndarray, out: np.ndarray) -> None:
            result = out
            if p.n > 1 and out.strides[2] != size:
                result = np.empty((p.batch, p.m, p.n), p.out)
            if p.c:
                np.multiply(c, p.out.type(p.beta), out=result)
            with borrow(0 if p.packed else self._b_bytes(p)) as scratch:
                for q0 in range(0, p.batch, k.matrices):
                    for j0 in column_blocks:
                        for p0 in depth_blocks:
                            if p.packed:
                                block = address(kept[q0, j0, p0])
                            else:
                                block = address(scratch)
                                pack(q0, min(k.matrices, p.batch - q0), j0, p0, block)
                            multiply(a, result, q0, j0, p0, block)
            if result is not out:
                out[...] = result

        return run


KERNELS = each_isa(NumbaGemm)
