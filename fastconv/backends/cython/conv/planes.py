"""Few channels per group of narrow NCHW images, for `depthwise` and `grouped`: groups in lanes.

Other tiles have the pixels of a row in lanes, and take as long for a short row as for a long one.  Here the planes of
NR groups are transposed to vectors with a lane for each group, as if channels were last, and tiles of `lanes_last`
multiply them.  So any stride and any width are as good as others, for the price of transposing images and results.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fastconv.backends.cython.conv.lanes_last import is_unrolled
from fastconv.backends.cython.runtime import native
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind
from fastconv.core.numbers import ceil_div, even_part, span, whole_lines
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes, host_table

ROW = "cython.conv.planes"
BAND = f"{ROW}/band"  # of vectors, before and behind padding, and of results
POINTER = 8
SHARES = 8  # least number of items, so that threads can split the work
MOST_BYTES = 1 << 20  # of scratch; more for a single row of outputs is refused


@dataclass(frozen=True, slots=True)
class PlaneBlocks:
    """Block sizes of `_planes.Planes`: of an item, for NR groups."""

    padded: bool  # and so perhaps copied to a band, which always has room
    all_rows: bool  # of the image are transposed, because padding may read any of them
    rows: int  # of outputs
    planes: int  # of outputs
    kept: bool  # planes of the image are, for the next plane of outputs
    held: int  # rows of the image that are transposed
    rin: int
    win: int
    bytes: int

    @classmethod
    @keep_few()
    def of(cls, p: ConvProblem, nr: int) -> PlaneBlocks:
        _, kh, kw = p.kernel
        oh, ow = max(p.output[1], 1), max(p.output[2], 1)
        padded = any(max(pads) > 0 for pads in p.pads)
        all_rows = padded and p.mode not in ("zeros", "constant")
        win = span(ow, p.stride[2], kw, p.dilation[2])

        def held(rows: int) -> tuple[int, int]:
            """Rows of a plane of the image: that are read, and that are transposed."""
            rin = span(rows, p.stride[1], kh, p.dilation[1])
            return rin, p.input[1] if all_rows else min(p.input[1], rin)

        def vectors(rows: int, copied: bool) -> int:
            rin, transposed = held(rows)
            return 2 + rows * ow + p.icg * p.kernel[0] * (transposed * p.input[2] + copied * rin * win)

        def scratch(rows: int) -> int:
            table = whole_lines(rows * p.icg * p.kernel[0] * kh * POINTER) + whole_lines(p.kernel[0] * POINTER)
            return (vectors(rows, padded) * nr + native.SLACK) * p.dtype.itemsize + table

        # Padding of zeros is skipped: unless weights are infinite or NaN, the copy takes no part of a cache.
        one, more = (vectors(rows, padded and not p.pads_with_zeros) * nr * p.dtype.itemsize for rows in (1, 2))
        rows = even_part(oh, min(oh, max(1, 1 + (block_bytes(BAND) - one) // max(1, more - one))))
        while rows > 1 and scratch(rows) > MOST_BYTES:
            rows = even_part(oh, ceil_div(rows, 2))
        rin, transposed = held(rows)
        planes, kept = 1, p.stride[0] < p.kernel[0] and p.dilation[0] == 1 and not all_rows
        if kept:  # as many as leave enough items for threads
            blocks = p.n * ceil_div(p.groups, nr) * ceil_div(oh, rows)
            planes = even_part(p.output[0], ceil_div(p.output[0] * blocks, SHARES))
        return cls(padded, all_rows, rows, planes, kept, transposed, rin, win, scratch(rows))

    def turned(self, p: ConvProblem) -> int:
        """Planes of an image that are transposed, for a block of rows and a channel of a group."""
        if not self.kept:
            return p.output[0] * p.kernel[0]
        return ceil_div(p.output[0], self.planes) * min(p.input[0], (self.planes - 1) * p.stride[0] + p.kernel[0])


def planes_suited(p: ConvProblem, isa: str) -> bool:
    """Whether rows are short, or windows far apart, and scratch suffices."""
    size = p.dtype.itemsize
    vl, nr = native.lanes(isa, size), native.tile(isa, size)[1]
    narrow = p.output[2] < vl or p.stride[2] > 2
    return narrow and 0 not in (p.n, p.groups, p.icg, p.ocg, p.pixels) and PlaneBlocks.of(p, nr).bytes <= MOST_BYTES


def planes_counts(p: ConvProblem, isa: str) -> Features:
    """What a run does."""
    size = p.dtype.itemsize
    vl, nr = native.lanes(isa, size), native.tile(isa, size)[1]
    blocks = PlaneBlocks.of(p, nr)
    od, oh, ow = p.output
    items = p.n * ceil_div(p.groups, nr) * od * ceil_div(oh, blocks.rows)
    copied = blocks.padded and not p.pads_with_zeros
    planes, vectors = p.icg * p.kernel[0], p.n * ceil_div(p.groups, vl) * p.ocg
    turned = items * p.icg * blocks.turned(p) * blocks.held * p.input[2] // max(od, 1)
    return Features(
        {
            "call": 1,
            "item": items * (1 + p.ocg) / 2,
            "turn": nr * size / 4 * (turned + p.ocg * items * blocks.rows * ow),
            "copy": nr * size / 4 * items * planes * blocks.rin * blocks.win * copied,
            "pack": 0 if p.packed else p.oc * p.depth,
        },
        {
            "multiply" if is_unrolled(p) else "multiply_rolled": 2.0 * p.pixels * p.depth * vectors * vl * size / 4,
            "line": od * oh * vectors * planes * p.kernel[1],
        },
        {"bytes": p.bytes},
    ).of(f"{ROW}@{isa}")


def planes_faster(p: ConvProblem, isa: str, alone: Features) -> bool:
    """Whether planes of `p`, one image, take less time in lanes than with the counts `alone`."""
    return planes_suited(p, isa) and host_table().seconds(planes_counts(p, isa)) < host_table().seconds(alone)


def planes_bytes(p: ConvProblem, isa: str) -> int:
    return PlaneBlocks.of(p, native.tile(isa, p.dtype.itemsize)[1]).bytes


def specialise_planes(p: ConvProblem, isa: str, threads: int, seconds: float) -> Bind:
    """`Kernel.specialise` of a problem that is `planes_suited`."""
    _planes = native.compiled("conv._planes")
    blocks = PlaneBlocks.of(p, native.tile(isa, p.dtype.itemsize)[1])
    prepared = _planes.Planes(native.table(isa, p.dtype), p, native.padded_axes(p, p.mode), blocks)
    # As weights of a convolution that has a group for each output of a group here.
    pack = native.Packer(isa, replace(p, groups=p.ocg, ic=p.icg * p.ocg))

    def turn_and_pack(weights: np.ndarray) -> np.ndarray:
        return pack(np.ascontiguousarray(weights.reshape(p.groups, p.ocg, p.depth).swapaxes(0, 1)))

    return native.binder(p, prepared, blocks.bytes, threads, seconds, pack if p.ocg == 1 else turn_and_pack)
