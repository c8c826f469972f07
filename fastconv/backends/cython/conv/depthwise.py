"""Depthwise convolution: the kernel objects and their block sizes.

NCHW: pixels in lanes, the image read in place (stride 1 or 2, zero padding) or through a band of padded rows.  The
tiles are described in simd/conv/depthwise.inc.
NCHW, rows shorter than a vector or windows far apart: groups in lanes, see `planes`.
NHWC: channels in lanes, see `lanes_last`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fastconv.backends.cython.conv import images, lanes_last, planes
from fastconv.backends.cython.runtime import native, shared
from fastconv.core import machine
from fastconv.core.caches import keep_few, keep_tables
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Specialised, summation_error
from fastconv.core.numbers import ceil_div, even_part, round_up, span, whole_lines
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes, l3_bytes

BAND = "cython.conv.depthwise/band"  # of copied rows, with kernels of usual size
BLOCK_ROWS = 56
MANY_GROUPS = 8  # fewer need blocks of fewer rows, so that threads can split the work
IMAGES = "cython.conv.depthwise/images"  # and results of one item, where it may have several groups
BLOCK_COLS, LEAST_COLS = 1024, 64  # where rows are copied
POINTER = 8
TILE_ROWS, FEW_ROWS = 4, 2  # of tiles that use a row several times: at least, without and with them for any kernel
MASKED_COST = 2.2  # of rolled tiles whose rows are masked at both ends
FLAT_VECTORS, FLAT_TAPS = 3, 9  # of small maps whose rows follow each other in vectors, and of their kernels
SHARED_FLOPS = 2e5  # below this, threads cost more than they gain
SHARES = 8  # least number of items, so that threads can split the work


def reads_in_place(p: ConvProblem) -> bool:
    """Whether tiles read rows of the image itself: they can select their columns, and masks replace padding."""
    return p.stride[2] <= 2 and p.kernel[2] <= shared.DEPTHWISE_MASKED_TAPS and native.zero_columns(p)


@dataclass(frozen=True, slots=True)
class DepthwiseBlocks:
    """Block sizes of `_depthwise.Rows`."""

    in_place: bool  # rows are read from the image, edges through masks
    far: bool  # so large that tiles prefetch what the next block reads and stores
    groups: int
    rows: int
    cols: int
    wq: int  # band: elements of one stride phase of a row
    row_len: int  # band: elements of a row
    table_bytes: int
    bytes: int

    @classmethod
    @keep_few()
    def of(cls, p: ConvProblem, vl: int) -> DepthwiseBlocks:
        _, kh, kw = p.kernel
        _, sh, sw = p.stride
        size, planes = p.dtype.itemsize, p.icg * p.kernel[0]
        oh, ow = max(p.output[1], 1), max(p.output[2], 1)
        in_place, groups = reads_in_place(p), 1
        far = in_place and p.bytes > l3_bytes() / 2
        if in_place:
            block = BLOCK_ROWS if p.groups >= MANY_GROUPS else BLOCK_ROWS // 4
            rows, cols, wq, row_len = even_part(oh, block, block // 2), ow, 0, 0
            if rows == oh:
                group = (planes * p.input[1] * p.input[2] + p.ocg * oh * ow) * size
                # Of one image: whether a channel shares a vector, and so the order of its sums, depends on its block.
                fair = p.groups if p.flops <= SHARED_FLOPS * max(p.n, 1) else ceil_div(p.groups, SHARES)
                groups = max(1, min(fair, block_bytes(IMAGES) // group))
        else:
            halo, most = span(TILE_ROWS, sh, kh, p.dilation[1]), block_bytes(BAND)
            longest = BLOCK_COLS
            # Tiles read whole vectors: up to a vector past the last column.
            while True:
                cols = even_part(ow, longest, LEAST_COLS)
                wq = round_up(cols, vl) + (kw - 1) * p.dilation[2] // sw + 1
                row_len = sw * wq
                if longest <= LEAST_COLS or planes * halo * row_len * size <= most:
                    break
                longest //= 2
            halo = span(1, sh, kh, p.dilation[1])
            rows = even_part(oh, max((most // (planes * row_len * size) - halo) // sh + 1, 2 * TILE_ROWS), TILE_ROWS)
        spanned = planes * span(rows, sh, kh, p.dilation[1])
        table_bytes = whole_lines(spanned * POINTER)
        band_bytes = (spanned * row_len + native.SLACK) * size
        return cls(in_place, far, groups, rows, cols, wq, row_len, table_bytes, table_bytes + band_bytes)

    @keep_tables(lambda offsets: offsets.nbytes)
    def taps(self, p: ConvProblem) -> np.ndarray:
        """Where in a row each tap along width starts, for the first output of a block."""
        return native.tap_columns(p, None if self.in_place else self.wq)


def is_fixed(p: ConvProblem) -> bool:
    """Whether the taps of a row may be unrolled."""
    _, kh, kw = p.kernel
    return kh == kw and kh in (3, 5) and p.dilation[2] == 1


def flat_vectors(p: ConvProblem, vl: int) -> int:
    """Vectors of a small map whose rows follow each other, see `dw_flat`; 0 for others."""
    _, oh, ow = p.output
    vectors, kept = ceil_div(oh * ow, vl), p.stride[1:] == (1, 1) and ow == p.input[2] and reads_in_place(p)
    flat = kept and vectors <= FLAT_VECTORS and p.kernel[1] * p.kernel[2] <= FLAT_TAPS
    return vectors if flat and 4 * vectors <= 3 * oh * ceil_div(ow, vl) else 0


def tile_kind(p: ConvProblem) -> str:
    """Which of the tiles of simd/conv/depthwise.inc the problem has, as the name of a count: each has its own rate."""
    kh, fixed = p.kernel[1], is_fixed(p)
    if p.output[1] < (FEW_ROWS if p.stride[1] == 1 and kh >= 3 else TILE_ROWS):
        return "multiply_few_rows"
    if p.stride[1] == 1 and kh >= 3:
        return "multiply_rows" if p.stride[2] == 1 else "multiply_rows_apart"
    if p.stride[1] == 2 and fixed and p.dilation[1] == 1:
        return "multiply_halved" if p.stride[2] == 1 else "multiply_halved_apart"
    return "multiply_taps"


def rows_features(p: ConvProblem, isa: str) -> Features:
    """Of `_depthwise.Rows`."""
    size = p.dtype.itemsize
    vl = native.lanes(isa, size)
    _, oh, ow = (max(e, 1) for e in p.output)
    vectors = ceil_div(ow, vl)
    flops = 2.0 * p.n * p.oc * p.depth * p.output[0] * oh * vectors * vl
    tiles = p.n * p.oc * p.output[0] * ceil_div(oh, TILE_ROWS) * vectors
    rows = copied = 0
    blocks = DepthwiseBlocks.of(p, vl)
    bands = p.n * ceil_div(p.groups, blocks.groups) * p.output[0]
    bands *= ceil_div(oh, blocks.rows) * ceil_div(ow, blocks.cols)
    if not blocks.in_place:
        step = min(p.stride[1], span(1, 1, p.kernel[1], p.dilation[1]))  # rows between windows are not copied
        rows = bands * p.icg * p.kernel[0] * span(blocks.rows, step, p.kernel[1], p.dilation[1])
        copied = rows * blocks.row_len
    # Cache lines are transferred while tiles compute.
    kind = tile_kind(p)
    if (flat := flat_vectors(p, vl)) != 0:
        kind, flops = "multiply_taps", flops * flat / (oh * vectors)
    elif not rows and ow <= vl and (kind in ("multiply_taps", "multiply_rows_apart") or not is_fixed(p)):
        flops *= MASKED_COST
    tiled = {kind: flops * size / 4, "tile": tiles}
    return Features({"call": 1, "item": bands, "row": rows, "copy": copied}, tiled, {"bytes": p.bytes})


class Depthwise(Specialised[ConvProblem]):
    """One input channel per group, any multiplier."""

    backend = "cython"
    algorithm = "depthwise"
    row = "cython.conv.depthwise"
    activations = frozenset({"relu"})
    revision = 8

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: ConvProblem) -> str | None:
        if problem.not_forward:
            return problem.not_forward
        if problem.icg != 1:
            return "more than one input channel per group"
        return native.reject_common(self.isa, problem.dtype)

    def features(self, problem: ConvProblem) -> Features:
        p = problem
        if p.layout == "NHWC":
            return lanes_last.lane_features(p, self.isa)
        alone = planes.planes_counts(p, self.isa) if self._by_planes(p) else rows_features(p, self.isa).of(self.rates)
        return images.better(p, self.isa, alone) if self._one_order(p) else alone

    def _by_planes(self, p: ConvProblem) -> bool:
        """Whether lanes are groups, which the batch does not decide."""
        one = p if p.n == 1 else replace(p, n=1)
        return p.layout == "NCHW" and planes.planes_faster(one, self.isa, rows_features(one, self.isa).of(self.rates))

    def _one_order(self, p: ConvProblem) -> bool:
        """Whether sums have the order that most tiles have."""
        alone = p.icg * p.kernel[0] > 1 or p.ocg > 1 or p.groups == 1  # else two channels may share a vector
        short = p.layout == "NCHW" and p.output[2] <= native.lanes(self.isa, p.dtype.itemsize)
        return short and (alone or self._by_planes(p))

    def _side_by_side(self, p: ConvProblem) -> bool:
        """Whether small images are processed side by side."""
        return self._one_order(p) and images.faster(p, self.isa, native.seconds(self, p))

    def workspace(self, problem: ConvProblem) -> int:
        p, vl = problem, native.lanes(self.isa, problem.dtype.itemsize)
        if self._side_by_side(p):
            return images.lanes_bytes(p, self.isa)
        if self._by_planes(p):
            return planes.planes_bytes(p, self.isa)
        return lanes_last.LaneBlocks.of(p, vl, 1).bytes if p.layout == "NHWC" else DepthwiseBlocks.of(p, vl).bytes

    def error(self, problem: ConvProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), problem.depth)

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        p = problem
        if self._side_by_side(p):
            return images.specialise(p, self.isa, threads, [0, p.icg], bias_first=True)
        threads = threads if p.flops > SHARED_FLOPS else 1
        if p.layout == "NHWC":
            return lanes_last.specialise_lanes(self.isa, p, threads, native.seconds(self, p))
        if self._by_planes(p):
            return planes.specialise_planes(p, self.isa, threads, native.seconds(self, p))
        _depthwise = native.compiled("conv._depthwise")
        table, tables = native.table(self.isa, p.dtype), native.padded_axes(p, p.mode)
        blocks = DepthwiseBlocks.of(p, native.lanes(self.isa, p.dtype.itemsize))
        prepared = _depthwise.Rows(table, p, tables, blocks.taps(p), blocks)
        return native.binder(p, prepared, blocks.bytes, threads, native.seconds(self, p), native.as_given)


KERNELS = tuple(Depthwise(isa) for isa in machine.ISAS)
