"""Matrix multiplication: the kernel objects and their block sizes.

Register tile: MR rows x 2 vectors of columns.  Blocks of B take at most `B_BYTES` (in the L2 cache for deep
products of moderate width), panels of A are packed by the thread that uses them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.cython import native
from fastconv.core import machine, threads
from fastconv.core.kernel import Kernel, Run, summation_error
from fastconv.core.machine import Machine
from fastconv.core.problems.gemm import GemmProblem
from fastconv.core.scratch import borrow

KC = 2048
B_BYTES = 2 << 20
RATE = 0.8
PACK_SECONDS = 0.4e-9  # per element
START_SECONDS = 12e-6


class Gemm(Kernel[GemmProblem]):
    """Products of float32 or float64 matrices."""

    backend = "cython"
    algorithm = "packed"
    activations = frozenset({"relu"})

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: GemmProblem) -> str | None:
        return native.reject_common(self.isa, problem.dtype)

    def cost(self, problem: GemmProblem, machine: Machine) -> float:
        p = problem
        mr, nr = native.tile(self.isa, p.acc.itemsize)
        rows, cols = -(-max(p.m, 1) // mr), -(-max(p.n, 1) // nr)
        used = p.n / (cols * nr) * min(1.0, p.m / rows / (8 if self.isa == "avx512" else 4))
        peak = machine.flops(self.isa, p.acc.itemsize) * RATE * max(used, 1e-3)
        packed_b = 0 if p.packed and not p.b_batched else (p.batch if p.b_batched else 1) * p.k * cols * nr
        share = min(machine.threads, max(1, round(p.flops / 4e5)))
        pack = PACK_SECONDS * (packed_b + p.batch * p.m * p.k)
        return START_SECONDS * max(p.batch, 1) + (p.flops / peak + pack + p.bytes / machine.bandwidth) / share

    def _blocks(self, p: GemmProblem) -> tuple[int, int]:
        """(depth, columns) of a block of B."""
        size = p.acc.itemsize
        nr = native.tile(self.isa, size)[1]
        depth = min(p.k, KC)
        cols = max(1, B_BYTES // (max(depth, 1) * nr * size)) * nr
        return depth, min(cols, -(-p.n // nr) * nr)

    def workspace(self, problem: GemmProblem) -> int:
        p = problem
        mr, nr = native.tile(self.isa, p.acc.itemsize)
        depth, cols = self._blocks(p)
        return (mr * nr + mr * depth + depth * cols) * p.acc.itemsize

    def error(self, problem: GemmProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), problem.k)

    def prepare(self, problem: GemmProblem, constants: tuple[Any, ...], count: int) -> Run:
        from fastconv.backends.cython import _gemm

        p = problem
        b, c, bias = constants
        size = p.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        depth, cols = self._blocks(p)
        count = threads.openmp_threads(count) if p.flops > 4e5 else 1
        row_tiles, panels = -(-max(p.m, 1) // mr), -(-max(cols, 1) // nr)
        per_item = panels if row_tiles >= 4 * count else max(1, panels * row_tiles // (4 * count))
        gemm = _gemm.Gemm(native.table(self.isa, size), p, depth, per_item)
        blocks = [
            (j, min(cols, p.n - j), q, min(depth, p.k - q))
            for j in range(0, p.n, max(cols, 1))
            for q in range(0, p.k, max(depth, 1))
        ]
        tile_bytes = (mr * nr + mr * depth) * size
        seconds = self.cost(p, machine.host().with_threads(1)) / max(1, p.batch * len(blocks))

        def packed_block(matrix: np.ndarray, block: tuple[int, int, int, int], into: np.ndarray) -> np.ndarray:
            gemm.pack_b(matrix, into, *block, count)
            return into

        ready = None
        if p.packed and not p.b_batched:
            ready = [
                packed_block(b[0], block, np.empty(-(-block[1] // nr) * nr * block[3] * size, np.uint8))
                for block in blocks
            ]

        def run(x: np.ndarray, out: np.ndarray) -> None:
            if p.k == 0:
                finish_without_products(p, c, bias, out)
                return
            with borrow(0 if ready is not None else depth * cols * size) as space:
                for i in range(p.batch):
                    matrix = b[i if p.b_batched else 0]
                    for index, block in enumerate(blocks):
                        panels = ready[index] if ready is not None else packed_block(matrix, block, space)
                        addend = None if c is None else c[i]
                        native.run_items(
                            gemm.items(block[1]), tile_bytes, count, seconds,
                            lambda buf, step, lo, hi, t, panels=panels, block=block, i=i, addend=addend: gemm.multiply(
                                x[i], panels, addend, bias, out[i], buf, step, *block, lo, hi, t
                            ),
                        )  # fmt: skip

        return run


def finish_without_products(p: GemmProblem, c: np.ndarray | None, bias: np.ndarray | None, out: np.ndarray) -> None:
    """The result when k is 0: what is added to an empty sum."""
    out[...] = 0 if c is None else p.beta * c
    if bias is not None:
        out += bias
    if p.activation == "relu":
        np.maximum(out, 0, out=out)


KERNELS = tuple(Gemm(isa) for isa in machine.ISAS)
