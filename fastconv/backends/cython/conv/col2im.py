"""Transposed convolution by one product of matrices and a sum of windows: the kernel object and its block sizes.

The rows of the product are pixels, its columns (output channel, tap), and its depth the input channels, so that
weights are read as they are stored and packed once a call (col2im, the transpose of im2col by Chellapilla, Puri and
Simard 2006).  Nothing is computed between the pixels of a long stride or beside a small image, and a call has one
convolution, where the phases of `common.phases` have one each.  Those are faster where images are large and channels
are few: there the sum of windows takes as long as the product.

Register tile: MR pixels x 2 vectors of columns, as in matrix products.  The columns of a tile stay in the L1 or L2
cache until they are added.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastconv.backends.common.outside import reads_outside
from fastconv.backends.cython.conv.transposed import PackedOnce, Transposed
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind
from fastconv.core.numbers import ceil_div, round_up, whole_lines
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes, streamed, traffic

# Blocks: of the packed weights of an item, and of the columns of a tile.
WEIGHTS, COLUMNS = "cython.conv.col2im/weights", "cython.conv.col2im/columns"
LARGEST_BYTES = 4 << 20  # of one output channel: of its weights, or of the columns of a tile
PIXELS = 1024  # of an item, at least: packing the weights takes a small part of its time

# In steps, as in `direct`: a tile of few pixels waits for its sums.
TILE_STEPS = 4.3


@dataclass(frozen=True, slots=True)
class Col2imBlocks:
    """Output channels and images of an item of work."""

    channels: int
    images: int
    apart: bool = False  # products are stored to the result
    covered: bool = False  # and are all of it

    @classmethod
    @keep_few()
    def of(cls, p: ConvProblem, isa: str, threads: int) -> Col2imBlocks:
        size = p.acc.itemsize
        mr, nr = native.tile(isa, size)
        apart, covered = _apart(p)
        most = block_bytes(WEIGHTS) // p.icg
        fit = (most if apart else min(most, block_bytes(COLUMNS) // mr)) // (p.taps * size)
        images = min(max(p.n, 1), ceil_div(PIXELS, max(1, _pixels(p))))
        if threads > 1:  # enough items for all threads
            fit = min(fit, ceil_div(p.ocg * p.groups, 2 * threads))
            images = min(images, ceil_div(max(p.n, 1), threads))
        most = max(1, min(fit, p.ocg))
        # Of the sizes down to half of that, the one with which the fewest lanes are empty.
        channels = min(range(most, most // 2, -1), key=lambda c: _lanes(p, c, nr // 2, apart))
        return cls(channels, images, apart, covered)


def _apart(p: ConvProblem) -> tuple[bool, bool]:
    """With channels last: whether windows neither meet nor leave the result; and whether they are all of it."""
    axes = list(zip(p.input, p.kernel, p.stride, p.dilation, p.pads, p.output, strict=True))
    apart = all((k == 1 or (k <= s and d == 1)) and lo == 0 and (e - 1) * s + k <= o for e, k, s, d, (lo, _), o in axes)
    covered = apart and all(k == s and o == e * s for e, k, s, _, _, o in axes)
    return apart and p.layout == "NHWC" and min(p.input) > 0, covered


def _lanes(p: ConvProblem, channels: int, vl: int, apart: bool) -> int:
    """Lanes of a group in blocks of so many channels, in whole vectors."""
    if apart:  # of each tap, or of each kernel row
        if channels == p.ocg and p.groups == 1:
            return p.taps // p.kernel[2] * round_up(p.ocg * p.kernel[2], vl)
        return p.taps * (p.ocg // channels * round_up(channels, vl) + round_up(p.ocg % channels, vl))
    whole, rest = divmod(p.ocg, channels)
    return whole * round_up(channels * p.taps, vl) + round_up(rest * p.taps, vl)


def _pixels(p: ConvProblem) -> int:
    return p.input[0] * p.input[1] * p.input[2]


class Col2im(Transposed):
    """Transposed convolutions of float32 or float64, padded with zeros."""

    algorithm = "col2im"
    row = "cython.conv.col2im"

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if (reason := super().reject(p)) is not None:
            return reason
        rows = max(p.icg, native.TILE_ROWS[self.isa])
        if rows * p.taps * p.dtype.itemsize > LARGEST_BYTES:
            return f"one output channel takes more than {LARGEST_BYTES >> 20} MiB"
        return native.reject_common(self.isa, p.dtype)

    def features(self, problem: ConvProblem) -> Features:
        p, size = problem, problem.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        blocks, pixels, images = Col2imBlocks.of(p, self.isa, 1), _pixels(p), max(p.n, 1)
        lanes = p.groups * _lanes(p, blocks.channels, nr // 2, blocks.apart)
        pieces = p.input[0] * p.input[1] * ceil_div(p.input[2], mr) if blocks.apart else ceil_div(pixels, mr)
        steps = max(pixels, TILE_STEPS * pieces)
        parts = p.groups * ceil_div(p.ocg, blocks.channels)
        if p.layout == "NCHW":
            runs = p.oc * p.kernel[0] * p.kernel[1] * ceil_div(p.kernel[2], nr // 2)
        else:
            runs = p.taps * parts * ceil_div(blocks.channels, nr // 2)
        weights = p.oc * p.depth * size
        packed = 0 if p.packed else p.oc * p.depth
        gathered = packed if p.layout == "NHWC" and p.taps > 1 else 0
        calls = pieces * p.taps * parts if blocks.apart else pixels * runs
        return Features({
            "call": 1,
            "multiply": images * steps * lanes * p.icg * 2 * size / 4,
            "tile": images * pieces * parts,
            "window": 0 if blocks.apart else images * pixels * parts * p.kernel[0],
            "row" if p.layout == "NCHW" else "run": images * calls,
            "pack": packed,
            "gather": gathered,
            "bytes_streamed": streamed(weights),
            **traffic(p.bytes - weights),
        })

    def workspace(self, problem: ConvProblem) -> int:
        return self._scratch(problem, Col2imBlocks.of(problem, self.isa, 1))

    def _scratch(self, p: ConvProblem, blocks: Col2imBlocks) -> int:
        """Of one thread: packed pixels of a tile, its columns, packed weights."""
        size = p.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        lanes, vl = round_up(blocks.channels * p.taps, nr), nr // 2
        columns = mr * (lanes + vl) * size
        if blocks.apart:
            lanes = p.taps * round_up(blocks.channels, nr)  # at most: rows of taps have fewer
            columns = blocks.channels * p.kernel[2] * size
        weights = 0 if p.packed else lanes * p.icg * size
        return whole_lines((mr * p.icg + vl) * size) + whole_lines(columns) + weights

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        _col2im = native.compiled("conv._col2im")
        p, table = problem, native.table(self.isa, problem.acc)
        threads = threads if p.flops > native.FLOPS_PER_THREAD else 1
        blocks = Col2imBlocks.of(p, self.isa, threads)
        prepared = _col2im.Col2im(table, p, blocks, reads_outside(p))
        native.schedule(prepared, self._scratch(p, blocks), threads, native.seconds(self, p), *native.images(p))
        return PackedOnce(p, prepared, p.packed)


KERNELS = tuple(Col2im(isa) for isa in machine.ISAS)
