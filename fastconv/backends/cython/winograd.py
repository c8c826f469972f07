"""Winograd convolution of 3 x 3 kernels, stride 1: F(2 x 2) and F(4 x 4), with 2.25 and 4 times fewer multiplications.

The transforms and their interpolation points are in simd/winograd.inc.  Padding of every mode comes from the index
tables, depth taps are channels, and both layouts enter through the band.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from fastconv.backends.cython import native
from fastconv.core import machine
from fastconv.core.kernel import Kernel, Run
from fastconv.core.machine import Machine
from fastconv.core.problems.conv import ConvProblem

V_BYTES = 512 << 10  # of transformed input: half of an L2 cache
RATE = 0.75  # of peak, in the products
PACK_SECONDS = 1e-7  # per kernel of 3 x 3
TRANSFORM_SECONDS = {2: 2.5e-10, 4: 3.5e-10}  # per transformed value, in and out
START_SECONDS = 10e-6
# Expected largest error, relative to max|y|: measured, in units of eps, for 1 channel and its growth with their root.
ERROR = {2: (1.5, 0.35), 4: (6.0, 0.5)}

# Kernel transforms: rows are interpolation points (Lavin and Gray, 2016, with the points of simd/winograd.inc).
G = {
    2: np.array([[-1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]]),
    4: np.array([[1, 0, 0], [-81 / 130, -27 / 65, -18 / 65], [-81 / 130, 27 / 65, -18 / 65],
                 [8 / 65, 12 / 65, 18 / 65], [8 / 65, -12 / 65, 18 / 65], [0, 0, 1]]),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Blocks:
    """Block sizes of one problem, in elements.

    Attributes
    ----------
    m : int
        Side of a tile of outputs.
    rows : int
        Rows of tiles in an item of work.
    pad_tiles : int
        Tiles allotted to one channel of one point.
    wq : int
        Columns of a band with the same remainder.
    band, v, s, y : int
        Sizes of the band, the transformed input, the products, and the rows of pixels.
    """

    m: int
    rows: int
    pad_tiles: int
    wq: int
    band: int
    v: int
    s: int
    y: int

    @classmethod
    @lru_cache(maxsize=512)
    def of(cls, p: ConvProblem, isa: str, m: int, count: int) -> Blocks:
        size = p.acc.itemsize
        lanes = native.lanes(isa, size)
        _, nr = native.tile(isa, size)
        points = (m + 2) ** 2
        tile_rows, tile_cols = -(-max(p.output[1], 1) // m), -(-max(p.output[2], 1) // m)
        depth = max(1, p.icg * p.kernel[0])
        most = max(1, V_BYTES // (points * depth * tile_cols * size))
        if count > 1:  # enough items to share out
            most = min(most, max(1, tile_rows * p.n * p.groups * p.output[0] // (2 * count)))
        rows = max(1, min(tile_rows, most))
        rows = -(-tile_rows // -(-tile_rows // rows))
        pad_tiles = rows * tile_cols + lanes  # the last row's last vector reaches behind its tiles
        wq = tile_cols + 1 + lanes
        band = (rows * m + 2) * wq * m + lanes
        return cls(m, rows, pad_tiles, wq, band, points * depth * pad_tiles + lanes, points * rows * tile_cols * nr,
                   m * tile_cols * m * nr)  # fmt: skip

    def bytes(self, size: int) -> int:
        return (self.band + self.v + self.s + self.y + 64) * size


class Winograd(Kernel[ConvProblem]):
    """F(m x m, 3 x 3) on float32 or float64."""

    backend = "cython"
    algorithm = "winograd"
    exact = False
    activations = frozenset({"relu"})

    def __init__(self, isa: str, m: int) -> None:
        self.isa, self.m = isa, m
        self.relative = f"{m}x{m}"

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.not_forward:
            return p.not_forward
        if p.kernel[1:] != (3, 3) or p.stride[1:] != (1, 1) or p.dilation[1:] != (1, 1):
            return "not 3x3 with stride 1 and no dilation"
        if p.depth == 0 or not np.isfinite(p.fill):
            return "no channels, or padding that is not finite"
        return native.reject_common(self.isa, p.dtype)

    def cost(self, problem: ConvProblem, machine: Machine) -> float:
        p, m = problem, self.m
        size = p.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        kbs = -(-max(p.ocg, 1) // nr)
        tile_rows, tile_cols = -(-max(p.output[1], 1) // m), -(-max(p.output[2], 1) // m)
        tiles = p.n * p.groups * p.output[0] * tile_rows * tile_cols
        rows = min(Blocks.of(p, self.isa, m, 1).rows * tile_cols, mr)
        points, depth = (m + 2) ** 2, p.icg * p.kernel[0]
        used = min(1.0, rows / (8 if self.isa == "avx512" else 4))
        products = 2.0 * points * tiles * depth * kbs * nr / (machine.flops(self.isa, size) * RATE * used)
        lanes = native.lanes(self.isa, size) / 16
        moved = points * tiles * (depth + kbs * nr) * TRANSFORM_SECONDS[m] / lanes
        weights = p.groups * kbs * nr * depth * points * size / (3 * machine.bandwidth)  # from the L3 cache
        pack = 0.0 if p.packed else PACK_SECONDS * p.oc * depth
        return START_SECONDS + pack + products + moved + weights + p.bytes / machine.bandwidth

    def workspace(self, problem: ConvProblem) -> int:
        return Blocks.of(problem, self.isa, self.m, 1).bytes(problem.acc.itemsize)

    def error(self, problem: ConvProblem) -> float:
        base, growth = ERROR[self.m]
        return float(np.finfo(problem.acc).eps) * (base + growth * (problem.icg * problem.kernel[0]) ** 0.5)

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        from fastconv.backends.cython import _winograd

        p = problem
        weights, bias = constants
        size = p.acc.itemsize
        count = threads if p.flops > native.FLOPS_PER_THREAD else 1
        blocks = Blocks.of(p, self.isa, self.m, count)
        packed = transform_weights(weights, p, self.m, native.tile(self.isa, size)[1])
        tables = padded_tables(p, self.m)
        prepared = _winograd.Winograd(native.table(self.isa, size), p, tables, packed, weights, bias, blocks)
        items, scratch = prepared.items, blocks.bytes(size)
        seconds = native.seconds(self, p)

        def run(x: np.ndarray, out: np.ndarray) -> None:
            native.run_items(
                items, scratch, count, seconds,
                lambda buf, step, lo, hi, workers: prepared.run(x, out, buf, step, lo, hi, workers),
            )  # fmt: skip

        return run


def transform_weights(w: np.ndarray, p: ConvProblem, m: int, nr: int) -> np.ndarray:
    """(oc, icg, kd, 3, 3) -> (groups, blocks of NR, points, icg * kd, NR), zero behind the last output channel."""
    depth, points, kbs = p.icg * p.kernel[0], (m + 2) ** 2, -(-p.ocg // nr)
    both = np.kron(G[m], G[m])  # (points, 9): rounded once, since all is in float64
    padded = np.zeros((p.groups, kbs * nr, depth, 9))
    padded[:, : p.ocg] = w.reshape(p.groups, p.ocg, depth, 9)
    transformed = (padded.reshape(-1, 9) @ both.T).astype(p.acc)
    ordered = transformed.reshape(p.groups, kbs, nr, depth, points).transpose(0, 1, 4, 3, 2)
    return np.ascontiguousarray(ordered)


def padded_tables(p: ConvProblem, m: int) -> native.Tables:
    """Index tables that go on, with the fill value, to the end of the last tiles."""
    planes, rows, cols, run0, run1 = native.index_tables(p, p.mode)
    longer = []
    for table, outputs in ((rows, p.output[1]), (cols, p.output[2])):
        need = -(-outputs // m) * m + 2
        longer.append(np.concatenate([table, np.full(max(0, need - table.size), -1, np.int64)]))
    return planes, longer[0], longer[1], run0, run1


KERNELS = tuple(Winograd(isa, m) for isa in machine.ISAS for m in (4, 2))
