"""Depthwise convolution: the kernel objects and their block sizes.

NCHW: 4 rows x 2 vectors of output pixels in registers, taps rolled, a band of input rows in the L1 cache.
NHWC: channels in lanes, the image read in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastconv.backends.cython import native
from fastconv.core import machine
from fastconv.core.kernel import Kernel, Run
from fastconv.core.machine import Machine
from fastconv.core.problems.conv import ConvProblem

BAND_BYTES = 24 << 10
RATE = 0.35  # of peak: a load for every multiply-add
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
    def of(cls, p: ConvProblem) -> Blocks:
        size = p.acc.itemsize
        ow = max(1, p.output[2])
        rows = 1
        while rows < p.output[1]:
            b = native.Band.of(p, rows + 1, ow)
            if b.rin * b.row_len * p.kernel[0] * size > BAND_BYTES and rows >= 4:
                break
            rows += 1
        b = native.Band.of(p, rows, ow)
        return cls(rows, b.rin, b.wq, b.row_len, p.layout == "NHWC" and p.ocg == 1)

    def bytes(self, p: ConvProblem) -> int:
        if self.channels_last:
            return 8 * p.taps
        band = self.rin * self.row_len * p.kernel[0] + native.SLACK
        return (self.rows * max(1, p.output[2]) + band) * p.acc.itemsize


class Depthwise(Kernel[ConvProblem]):
    """One input channel per group, any multiplier."""

    backend = "cython"
    algorithm = "depthwise"
    activations = frozenset({"relu"})

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: ConvProblem) -> str | None:
        if problem.direction != "forward":
            return "transposed: done by phases"
        if problem.icg != 1:
            return "more than one input channel per group"
        return native.reject_common(self.isa, problem.dtype)

    def cost(self, problem: ConvProblem, machine: Machine) -> float:
        p = problem
        vl = native.lanes(self.isa, p.acc.itemsize)
        ow = max(1, p.output[2])
        used = ow / (-(-ow // vl) * vl)
        peak = machine.flops(self.isa, p.acc.itemsize) * RATE * used
        share = min(machine.threads, max(1, round(p.flops / 2e5)))
        overhead = 1e-8 * p.n * p.oc * p.output[0] * p.output[1]
        return START_SECONDS + (p.flops / peak + overhead + 2 * p.bytes / machine.bandwidth) / share

    def workspace(self, problem: ConvProblem) -> int:
        return Blocks.of(problem).bytes(problem)

    def error(self, problem: ConvProblem) -> float:
        return float(np.finfo(problem.acc).eps) * (1.0 + 0.15 * problem.depth**0.5)

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        from fastconv.backends.cython import _depthwise

        p = problem
        weights, bias = constants
        blocks = Blocks.of(p)
        band = native.Band(blocks.rows, max(1, p.output[2]), blocks.rin, blocks.wq, blocks.row_len)
        taps = band.taps(p, blocks.rin * blocks.row_len)
        w = weights.reshape(p.oc, p.taps)
        w = np.ascontiguousarray(w.T) if blocks.channels_last else w
        tables = native.index_tables(p, p.mode)
        prepared = _depthwise.Depthwise(native.table(self.isa, p.acc.itemsize), p, tables, taps, w, bias, blocks)
        items, scratch = prepared.items, blocks.bytes(p)
        seconds = self.cost(p, machine.host().with_threads(1))
        threads = threads if p.flops > 2e5 else 1

        def run(x: np.ndarray, out: np.ndarray) -> None:
            native.run_items(
                items, scratch, threads, seconds,
                lambda buf, step, lo, hi, count: prepared.run(x, out, buf, step, lo, hi, count),
            )  # fmt: skip

        return run


KERNELS = tuple(Depthwise(isa) for isa in machine.ISAS)
