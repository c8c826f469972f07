"""Matrix multiplication: the kernel objects and their block sizes.

Register tile: MR rows x 2 vectors of columns.  A panel of A (MR x KC) stays in the L1 cache while panels of B pass;
a block of B takes at most `B_BYTES`.  Products of few rows read B where it lies, if its rows are contiguous.
Small products of a batch are items of work of one call.
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

KC_BYTES = 2048  # of one row of A: an MR x KC panel takes at most 28 KiB
B_BYTES = 2 << 20
SMALL_BYTES = 256 << 10
IN_PLACE_TILES = 3  # reading B in place pays while each element is used by at most so many tiles
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
        share = min(machine.threads, max(1, round(p.flops / native.FLOPS_PER_THREAD)))
        pack = PACK_SECONDS * (packed_b + p.batch * p.m * p.k)
        calls = 1 if self._small(p) else max(p.batch, 1)
        return START_SECONDS * calls + (p.flops / peak + pack + p.bytes / machine.bandwidth) / share

    def _blocks(self, p: GemmProblem) -> tuple[int, int]:
        """(depth, columns) of a block of B."""
        size = p.acc.itemsize
        nr = native.tile(self.isa, size)[1]
        depth = -(-p.k // max(1, -(-p.k * size // KC_BYTES)))  # near-equal parts
        cols = max(1, B_BYTES // (max(depth, 1) * nr * size)) * nr
        return depth, min(cols, -(-max(p.n, 1) // nr) * nr)

    def _strip_bytes(self, depth: int, size: int) -> int:
        """Scratch of one thread: a tile, a last panel of B, a panel of A and what packing spoils behind it."""
        mr, nr = native.tile(self.isa, size)
        return (mr * nr + (nr + mr) * depth) * size + machine.ISAS[self.isa][0]

    def _small(self, p: GemmProblem) -> bool:
        """Whether products of a batch are worked on whole, each by one thread."""
        depth, cols = self._blocks(p)
        return p.batch > 1 and depth == p.k and cols >= p.n and cols * depth * p.acc.itemsize <= SMALL_BYTES

    def workspace(self, problem: GemmProblem) -> int:
        p = problem
        depth, cols = self._blocks(p)
        return self._strip_bytes(depth, p.acc.itemsize) + depth * cols * p.acc.itemsize

    def error(self, problem: GemmProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), problem.k)

    def prepare(self, problem: GemmProblem, constants: tuple[Any, ...], count: int) -> Run:
        from fastconv.backends.cython import _gemm

        p = problem
        b, c, bias = constants
        size = p.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        depth, cols = self._blocks(p)
        count = count if p.flops > native.FLOPS_PER_THREAD else 1
        strips, panels = -(-max(p.m, 1) // mr), -(-max(cols, 1) // nr)
        per_item = panels if strips >= 4 * count else max(1, panels * strips // (4 * count))
        gemm = _gemm.Gemm(native.table(self.isa, size), p, per_item)
        seconds = native.seconds(self, p)
        strip_bytes = -(-self._strip_bytes(depth, size) // 64) * 64
        row_step = b.strides[1 if p.trans_b else 2]
        in_place = not p.packed and strips <= IN_PLACE_TILES and row_step == size

        if p.k == 0:
            return lambda x, out: finish_without_products(p, c, bias, out)

        if self._small(p):
            scratch = strip_bytes + depth * cols * size

            def run_batch(x: np.ndarray, out: np.ndarray) -> None:
                native.run_items(
                    p.batch, scratch, count, seconds,
                    lambda buf, step, lo, hi, t: gemm.multiply_batch(
                        x, b, in_place, c, bias, out, buf, step, strip_bytes, lo, hi, t
                    ),
                )  # fmt: skip

            return run_batch

        blocks = [
            (j, min(cols, p.n - j), q, min(depth, p.k - q)) for j in range(0, p.n, cols) for q in range(0, p.k, depth)
        ]
        seconds /= max(1, p.batch * len(blocks))

        def packed(matrix: np.ndarray, block: tuple[int, int, int, int], into: np.ndarray) -> np.ndarray:
            gemm.pack_b(matrix, into, *block, threads.openmp_threads(count))
            return into

        ready = None
        if p.packed and not p.b_batched:
            ready = [packed(b[0], k, np.empty(-(-k[1] // nr) * nr * k[3] * size, np.uint8)) for k in blocks]

        def run_block(
            left: np.ndarray, right: np.ndarray, addend: np.ndarray | None, out: np.ndarray,
            block: tuple[int, int, int, int],
        ) -> None:  # fmt: skip
            native.run_items(
                gemm.items(block[1]), strip_bytes, count, seconds,
                lambda buf, step, lo, hi, t: gemm.multiply(
                    left, right, in_place, addend, bias, out, buf, step, *block, lo, hi, t
                ),
            )  # fmt: skip

        def run(x: np.ndarray, out: np.ndarray) -> None:
            with borrow(0 if in_place or ready is not None else depth * cols * size) as space:
                for i in range(p.batch):
                    matrix, addend = b[i if p.b_batched else 0], None if c is None else c[i]
                    for index, block in enumerate(blocks):
                        if ready is not None:
                            right = ready[index]
                        else:
                            right = matrix if in_place else packed(matrix, block, space)
                        run_block(x[i], right, addend, out[i], block)

        return run


def finish_without_products(p: GemmProblem, c: np.ndarray | None, bias: np.ndarray | None, out: np.ndarray) -> None:
    """The result when k is 0: what is added to an empty sum."""
    out[...] = 0 if c is None else p.beta * c
    if bias is not None:
        out += bias
    if p.activation == "relu":
        np.maximum(out, 0, out=out)


KERNELS = tuple(Gemm(isa) for isa in machine.ISAS)
