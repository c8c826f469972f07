"""Max and average pooling: the kernel objects and their block sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastconv.backends.cython import native
from fastconv.core import machine
from fastconv.core.kernel import Kernel, Run
from fastconv.core.machine import Machine
from fastconv.core.problems.pool import PoolProblem, axis_counts

BAND_BYTES = 24 << 10
START_SECONDS = 8e-6


@dataclass(frozen=True, slots=True)
class Blocks:
    """Rows per item, and the layout of the band."""

    rows: int
    rin: int
    wq: int
    row_len: int
    channels_last: bool

    @classmethod
    def of(cls, p: PoolProblem) -> Blocks:
        size = p.out.itemsize
        ow = max(1, p.output[2])
        rows = 1
        while rows < p.output[1]:
            b = native.Band.of(p, rows + 1, ow)
            if b.rin * b.row_len * p.kernel[0] * size > BAND_BYTES:
                break
            rows += 1
        b = native.Band.of(p, rows, ow)
        return cls(rows, b.rin, b.wq, b.row_len, p.layout == "NHWC" and not p.indices)

    def bytes(self, p: PoolProblem) -> int:
        if self.channels_last:
            return 8 * p.taps
        band = self.rin * self.row_len * p.kernel[0] + native.SLACK
        return 2 * 8 * max(1, p.output[2]) + band * p.out.itemsize


class Pool(Kernel[PoolProblem]):
    """Max, with or without indices, and average."""

    backend = "cython"
    algorithm = "direct"

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: PoolProblem) -> str | None:
        if problem.kind == "lp":
            return "Lp pooling: max and average only"
        return native.reject_common(self.isa, problem.dtype)

    def cost(self, problem: PoolProblem, machine: Machine) -> float:
        p = problem
        vl = native.lanes(self.isa, p.out.itemsize)
        ow = max(1, p.output[2])
        per_tap = (6.0 if p.indices else 2.0) / 3e9  # seconds per vector
        work = p.n * p.c * p.output[0] * p.output[1] * (-(-ow // vl) * p.taps * per_tap + 1e-8)
        if p.indices:
            work += 2e-9 * p.n * p.c * p.pixels
        share = min(machine.threads, max(1, round(p.flops / 1e5)))
        return START_SECONDS + (work + 2 * p.bytes / machine.bandwidth) / share

    def workspace(self, problem: PoolProblem) -> int:
        return Blocks.of(problem).bytes(problem)

    def error(self, problem: PoolProblem) -> float:
        return 0.0 if problem.kind == "max" else float(np.finfo(problem.out).eps) * (1.0 + 0.15 * (32 + problem.taps / 32) ** 0.5)

    def prepare(self, problem: PoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        from fastconv.backends.cython import _pool

        p = problem
        blocks = Blocks.of(p)
        band = native.Band(blocks.rows, max(1, p.output[2]), blocks.rin, blocks.wq, blocks.row_len)
        taps = band.taps(p, blocks.rin * blocks.row_len)
        counts = tuple(
            axis_counts(e, k, s, d, lo, hi, o, p.include_pad).astype(np.float64)
            for e, k, s, d, (lo, hi), o in zip(p.input, p.kernel, p.stride, p.dilation, p.pads, p.output, strict=True)
        )
        tables = native.index_tables(p, "zeros")
        prepared = _pool.Pool(native.table(self.isa, p.out.itemsize), p, tables, taps, counts, blocks)
        items, scratch = prepared.items, blocks.bytes(p)
        seconds = self.cost(p, machine.host().with_threads(1))
        threads = threads if p.flops > 1e5 else 1

        def run(x: np.ndarray, out: np.ndarray, indices: np.ndarray | None = None) -> None:
            native.run_items(
                items, scratch, threads, seconds,
                lambda buf, step, lo, hi, count: prepared.run(x, out, indices, buf, step, lo, hi, count),
            )  # fmt: skip

        return run


KERNELS = tuple(Pool(isa) for isa in machine.ISAS)
