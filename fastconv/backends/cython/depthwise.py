"""Depthwise convolution: the kernel objects and their block sizes.

NCHW: pixels in lanes, the image read in place (stride 1, zero padding) or through a band of padded rows.
NHWC: channels in lanes, the image read in place.  The tiles are described in simd/depthwise.inc.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastconv.backends.cython import native
from fastconv.core import machine
from fastconv.core.kernel import Kernel, Run, summation_error
from fastconv.core.machine import Machine
from fastconv.core.problems.conv import ConvProblem

BAND_BYTES = 24 << 10  # of copied rows, with kernels of usual size: half of an L1 cache
BLOCK_ROWS = 56
BLOCK_COLS = 1024  # where rows are copied
BLOCK_PIXELS = 32  # channels last: bounds the table of pointers
MASKED_TAPS = 64  # DEPTHWISE_MASKED_TAPS of simd/depthwise.h
POINTER = 8
# Fractions of peak, as measured with everything in the L2 cache.
REUSE_RATE, PLAIN_RATE, CHANNELS_RATE = 0.5, 0.25, 0.25
UNMASKED = 0.6  # share of the rate where lanes at the edges are masked by vectors, and registers are few
START_SECONDS = 8e-6
ITEM_SECONDS = 5e-8
SHARED_FLOPS = 2e5  # below, threads cost more than they bring


def reads_in_place(p: ConvProblem) -> bool:
    """Whether neighbouring outputs read neighbours in the image, and what lies beside its rows counts as zero."""
    zero_beside = (p.mode == "zeros" and p.fill == 0) or max(p.pads[2]) <= 0
    return p.stride[2] == 1 and p.kernel[2] <= MASKED_TAPS and zero_beside


def split_evenly(total: int, most: int, multiple: int) -> int:
    """Size of near-equal parts of `total`, of at most `most` and a multiple of `multiple` if there are several."""
    parts = -(-total // max(most, multiple))
    return total if parts <= 1 else -(-total // parts // multiple) * multiple


def pixel_block(p: ConvProblem) -> int:
    """Channels last: output pixels of one item."""
    return min(BLOCK_PIXELS, max(p.output[2], 1))


@dataclass(frozen=True, slots=True)
class Blocks:
    """How `_depthwise.Rows` cuts a problem up."""

    in_place: bool  # rows are read from the image, edges through masks
    rows: int
    cols: int
    wq: int  # band: elements of one stride phase of a row
    row_len: int  # band: elements of a row
    table_bytes: int
    bytes: int

    @classmethod
    def of(cls, p: ConvProblem, vl: int) -> Blocks:
        kd, kh, kw = p.kernel
        _, sh, sw = p.stride
        size = p.dtype.itemsize
        oh, ow = max(p.output[1], 1), max(p.output[2], 1)
        in_place = reads_in_place(p)
        if in_place:
            rows, cols, wq, row_len = split_evenly(oh, BLOCK_ROWS, 28), ow, 0, 0
        else:
            cols = split_evenly(ow, BLOCK_COLS, 64)
            # Tiles read whole vectors: up to a vector behind the last column.
            wq = -(-cols // vl) * vl + (kw - 1) * p.dilation[2] // sw + 1
            row_len = sw * wq
            halo = native.span(1, sh, kh, p.dilation[1])
            rows = split_evenly(oh, max((BAND_BYTES // (kd * row_len * size) - halo) // sh + 1, 8), 4)
        spanned = kd * native.span(rows, sh, kh, p.dilation[1])
        table_bytes = -(-spanned * POINTER // 64) * 64
        return cls(in_place, rows, cols, wq, row_len, table_bytes, table_bytes + spanned * row_len * size)

    def taps(self, p: ConvProblem) -> np.ndarray:
        """Where in a row each tap along width starts, for the first output of a block."""
        col = np.arange(p.kernel[2], dtype=np.intp) * p.dilation[2]
        return col - p.pads[2][0] if self.in_place else col % p.stride[2] * self.wq + col // p.stride[2]


class Depthwise(Kernel[ConvProblem]):
    """One input channel per group, any multiplier."""

    backend = "cython"
    algorithm = "depthwise"
    activations = frozenset({"relu"})
    revision = 2

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: ConvProblem) -> str | None:
        if problem.not_forward:
            return problem.not_forward
        if problem.icg != 1:
            return "more than one input channel per group"
        return native.reject_common(self.isa, problem.dtype)

    def cost(self, problem: ConvProblem, machine: Machine) -> float:
        p = problem
        vl = native.lanes(self.isa, p.dtype.itemsize)
        if p.layout == "NHWC":
            run = p.groups if p.ocg == 1 else p.ocg  # channels that share lanes
            rate, copied = CHANNELS_RATE, float(POINTER * p.n * p.pixels * p.taps)
        else:
            run = max(p.output[2], 1)
            reuse = p.stride[1] == 1 and p.kernel[1] >= 3
            rate, copied = (REUSE_RATE if reuse else PLAIN_RATE), 0.0 if reads_in_place(p) else 2.0 * p.bytes
        used = run / (-(-run // vl) * vl) * (1.0 if self.isa == "avx512" else UNMASKED)
        seconds = p.flops / (machine.flops(self.isa, p.dtype.itemsize) * rate * used)
        seconds += (p.bytes + copied) / machine.bandwidth + ITEM_SECONDS * p.n * p.oc
        pack = 0.0 if p.packed or p.layout == "NCHW" else 2e-9 * p.oc * p.taps
        return START_SECONDS + pack + seconds / min(machine.threads, max(1, round(p.flops / SHARED_FLOPS)))

    def workspace(self, problem: ConvProblem) -> int:
        p = problem
        if p.layout == "NHWC":
            return pixel_block(p) * p.taps * POINTER
        return Blocks.of(p, native.lanes(self.isa, p.dtype.itemsize)).bytes

    def error(self, problem: ConvProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), problem.depth)

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        from fastconv.backends.cython import _depthwise

        p = problem
        weights, bias = constants
        size = p.dtype.itemsize
        table = native.table(self.isa, size)
        tables = native.index_tables(p, p.mode)
        prepared: _depthwise.Rows | _depthwise.Pixels
        if p.layout == "NHWC":
            w = np.ascontiguousarray(weights.reshape(p.oc, p.taps).T)
            outside = np.full(p.groups, p.fill, p.dtype)
            prepared = _depthwise.Pixels(table, p, tables, outside, w, bias, pixel_block(p))
        else:
            blocks = Blocks.of(p, native.lanes(self.isa, size))
            prepared = _depthwise.Rows(table, p, tables, blocks.taps(p), weights, bias, blocks)
        items, scratch = prepared.items, self.workspace(p)
        seconds = self.cost(p, machine.host().with_threads(1))
        threads = threads if p.flops > SHARED_FLOPS else 1

        def run(x: np.ndarray, out: np.ndarray) -> None:
            native.run_items(
                items, scratch, threads, seconds,
                lambda buf, step, lo, hi, count: prepared.run(x, out, buf, step, lo, hi, count),
            )  # fmt: skip

        return run


KERNELS = tuple(Depthwise(isa) for isa in machine.ISAS)
