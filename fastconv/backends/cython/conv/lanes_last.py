"""Few channels per group on images with channels last, for `depthwise` and `grouped`: blocks, counts, preparation.

Lanes are output channels, of as many groups as a vector has room for.  For depthwise kernels a vector of the image is a
vector of lanes, and the image is read in place; 3x3 kernels of groups that divide a vector read it, too, and exchange
channels in registers.  Otherwise one vector for each channel of a group is made of each pixel, in which every lane has
the channel of its own group, and then the same tiles add them up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.core.arrays import aligned_empty
from fastconv.core.caches import keep_few, keep_tables
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind
from fastconv.core.numbers import LINE, ceil_div, even_part, span, whole_lines
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes

BAND = "cython.conv.lanes_last/band"
POINTER = 8
LEAST_COLS = 32  # of a block, where a row is cut
BLOCK_ROWS = 16
UNROLLED = {1: (2, 3, 4, 5, 7), 2: (3, 4, 5, 7)}  # columns of kernels that have tiles of their own, by stride
LONG = 4  # with stride 1, columns of others are unrolled as many at a time


def is_adjacent(p: ConvProblem) -> bool:
    """Whether the lanes of an output vector read adjacent channels."""
    return p.icg == 1 and p.ocg == 1


def is_unrolled(p: ConvProblem) -> bool:
    """Whether tiles load a vector once for several taps of a row."""
    kw, sw = p.kernel[2], p.stride[2]
    return p.dilation[2] == 1 and (kw in UNROLLED.get(sw, ()) or (sw == 1 and kw >= LONG))


def divides(p: ConvProblem, lanes: int) -> bool:
    """Whether the lanes of an output vector read the same channels in another order, which only 3x3 tiles can."""
    same = p.icg == p.ocg > 1 and lanes % p.icg == 0
    return same and p.oc >= lanes and p.kernel[2] == 3 and p.dilation[2] == 1 and p.stride[2] <= 2


def too_far(p: ConvProblem, lanes: int) -> bool:
    """Whether the channels that a vector of outputs reads are further apart than two vectors."""
    return not is_adjacent(p) and ceil_div(lanes - 1, max(p.ocg, 1)) * p.icg >= 2 * lanes


@dataclass(frozen=True, slots=True)
class LaneBlocks:
    """Block sizes of `_lanes_last.Lanes`: of an item, and of the band for one vector of outputs."""

    adjacent: bool
    overlapping: bool  # the last vector is full of channels, and repeats some of the one before
    in_place: bool
    rows: int
    cols: int
    rin: int
    win: int
    table_bytes: int
    bytes: int

    @classmethod
    @keep_few()
    def of(cls, p: ConvProblem, vl: int, threads: int) -> LaneBlocks:
        _, kh, kw = p.kernel
        _, sh, sw = p.stride
        planes = p.icg * p.kernel[0]
        _, oh, ow = (max(e, 1) for e in p.output)
        adjacent = is_adjacent(p)
        overlapping = adjacent or divides(p, vl)
        in_place = overlapping and p.oc >= vl and (p.pads_with_zeros or all(max(pad) <= 0 for pad in p.pads))

        def size(rows: int, cols: int) -> int:
            rin, win = span(rows, sh, kh, p.dilation[1]), span(cols, sw, kw, p.dilation[2])
            return (planes * rin * win * vl + native.SLACK) * p.dtype.itemsize

        most = block_bytes(BAND)
        cols = ow
        while cols > LEAST_COLS and size(1, cols) > most // 2:
            cols = ceil_div(cols, 2)
        cols = even_part(ow, cols)
        fit = BLOCK_ROWS
        if threads > 1:  # enough items for all threads
            fit = min(fit, max(1, oh * p.n * p.output[0] // (4 * threads)))
        while fit > 1 and size(fit, cols) > most:
            fit -= 1
        rows = even_part(oh, fit)
        table_bytes = 2 * whole_lines(rows * planes * kh * POINTER)
        rin, win = span(rows, sh, kh, p.dilation[1]), span(cols, sw, kw, p.dilation[2])
        return cls(adjacent, overlapping, in_place, rows, cols, rin, win, table_bytes, table_bytes + size(rows, cols))


@keep_tables(lambda made: made[0].nbytes + made[1].nbytes)
def lane_sources(p: ConvProblem, lanes: int, overlapping: bool) -> tuple[np.ndarray, np.ndarray]:
    """(first channel, channel after that of each lane) of each vector of outputs and channel of a group."""
    starts = np.arange(0, p.oc, lanes, dtype=np.intp)
    if overlapping:
        starts = np.minimum(starts, max(p.oc - lanes, 0))
    outputs = np.minimum(starts[:, None, None] + np.arange(lanes), p.oc - 1)
    read = outputs // p.ocg * p.icg + np.arange(p.icg)[:, None]
    firsts = np.repeat(starts[:, None], p.icg, 1) if overlapping else np.ascontiguousarray(read[:, :, 0], np.intp)
    return firsts, np.ascontiguousarray(read - firsts[:, :, None], f"i{p.dtype.itemsize}")


def lane_features(p: ConvProblem, isa: str) -> Features:
    """What a run does."""
    size = p.dtype.itemsize
    vl = native.lanes(isa, size)
    blocks = LaneBlocks.of(p, vl, 1)
    vectors = ceil_div(p.oc, vl)
    od, oh, ow = (max(e, 1) for e in p.output)
    row_blocks = p.n * od * ceil_div(oh, blocks.rows) * ceil_div(ow, blocks.cols)
    lines = p.n * od * oh * ceil_div(ow, blocks.cols) * vectors * p.icg * p.kernel[0] * p.kernel[1]
    pixels = 0 if blocks.in_place else row_blocks * vectors * p.icg * p.kernel[0] * blocks.rin * blocks.win
    kind = "" if not blocks.in_place or blocks.adjacent else "_groups"
    multiply = f"multiply_lanes{kind if is_unrolled(p) else '_rolled'}"
    read = 1.0  # of the pixels
    for k, s in zip(p.kernel, p.stride, strict=True):
        read *= min(1.0, k / s)
    # Vectors of the result across two cache lines, if it begins at one: so are those that taps after the first read.
    part = math.gcd(p.oc * size, LINE)
    split = p.n * p.pixels * vectors * max(0, vl * size - part) / LINE * (1 - 1 / max(p.taps, 1))
    counts = {"call": 1, "copy_lanes": pixels * vl * size / 4, "pack": 0 if p.packed else p.oc * p.depth}
    # Cache lines are transferred while tiles compute.
    return Features(
        {**counts, "split": split} if blocks.adjacent else counts,
        {multiply: 2.0 * p.n * p.pixels * p.depth * vectors * vl * size / 4, "line": lines},
        {"bytes_lanes": (p.n * p.ic * math.prod(p.input) * read + p.n * p.oc * p.pixels) * size},
    )


def specialise_lanes(isa: str, p: ConvProblem, threads: int, seconds: float) -> Bind:
    """`Kernel.specialise` of a problem with channels last."""
    _lanes_last = native.compiled("conv._lanes_last")
    size = p.dtype.itemsize
    table, vl, nr = native.table(isa, p.dtype), native.lanes(isa, size), native.tile(isa, size)[1]
    blocks = LaneBlocks.of(p, vl, threads)
    outside = np.full(vl, p.fill, p.dtype)
    tables, lanes = native.padded_axes(p, p.mode), lane_sources(p, vl, blocks.overlapping)
    prepared = _lanes_last.Lanes(table, p, tables, blocks, *lanes, outside)
    elements = ceil_div(p.oc, nr) * nr * p.depth + native.SLACK

    def pack(weights: np.ndarray) -> np.ndarray:
        packed = aligned_empty((elements,), p.dtype)
        _lanes_last.pack(table, weights, packed, p.oc, p.depth, blocks.overlapping)
        return packed

    return native.binder(p, prepared, blocks.bytes, threads, seconds, pack)
