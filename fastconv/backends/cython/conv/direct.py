"""Direct convolution with output channels in lanes: the kernel objects and their block sizes.

Register tile: MR pixels x 2 vectors of output channels (14 x 2 with AVX-512, 6 x 2 with AVX2), or with few channels
MR of them x 2 vectors of pixels, whose sums have the same order.  The band of input rows
takes a small part of the L2 cache, where every block of output channels reads it; the rest is for weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np

from fastconv.backends.cython.conv import images
from fastconv.backends.cython.runtime import native
from fastconv.backends.cython.runtime.dtypes import DType
from fastconv.core import machine
from fastconv.core.arrays import aligned_empty
from fastconv.core.caches import keep_few
from fastconv.core.costs import Counts, Features
from fastconv.core.kernel import Bind, Run, Specialised, summation_error
from fastconv.core.numbers import ceil_div, even_part, round_up, span, whole_lines
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes, host_table, l3_bytes, streamed, traffic

# Blocks: of a band; of the accumulators of NR channels, so that they are stored from the L1 or L2 cache; of all
# accumulators, where channels come in parts.
BAND, SUMS, ALL_SUMS = (f"cython.conv.direct/{block}" for block in ("band", "sums", "all_sums"))

# In steps: the time in which a tile without stalls multiplies one pixel by NR weights.
TILE_STEPS = 4.3  # at least: few sums depend on each other's latency
TILE_START = 0.3
NARROW = native.NARROW / 2  # time of a tile of one vector
TURNED = 0.9  # of the time of axes as they are given: less gain does not justify another order
PIXELS = 0.9  # of the steps of tiles with channels in lanes: those with pixels in lanes must save a tenth
UNROLLED_STRIDE = 4  # longer strides are split an element at a time

FLAT_COLS = 32  # wider rows have full tiles of their own
FLAT_CHANNELS = 64  # at least, at a time: accumulators are kept in memory until the next part
MANY_TAPS = 128  # a single channel at a time is enough work with them


def row_steps(pixels: int, mr: int, width: float = 1.0) -> float:
    """Steps for a row of adjacent pixels, in near-equal parts, with `width` of a tile's lanes."""
    pieces = ceil_div(pixels, mr)
    return max(width * (pixels + TILE_START * pieces), TILE_STEPS * pieces)


def pixel_steps(pixels: int, channels: int, mr: int, nr: int) -> float:
    """Steps for so many adjacent pixels of output channels, pixels in lanes."""
    return ceil_div(pixels, nr) * row_steps(channels, mr)


@dataclass(frozen=True, slots=True)
class FlatBand:
    """Shape of a band in which output pixels follow each other without gaps, so that narrow maps fill tiles, too.

    Each kernel column has a copy of the columns that it reads, and rows are split by stride phase, or by kernel row
    where no two output rows read the same row: for every tap the next output row is `cols` elements further on.
    Lowering along one axis, as in Cho and Brand, "MEC: memory-efficient convolution for deep neural networks", ICML
    2017.
    """

    cols: int
    phases: int
    apart: int  # rows of the input from one phase to the next
    rq: int  # input rows of one phase

    @classmethod
    def of(cls, p: ConvProblem, rows: int) -> FlatBand:
        rq = ceil_div(span(rows, p.stride[1], p.kernel[1], p.dilation[1]), p.stride[1])
        phases, apart = (p.kernel[1], p.dilation[1]) if native.disjoint_rows(p) else (p.stride[1], 1)
        return cls(p.output[2], phases, apart, rq)

    def channel(self, p: ConvProblem) -> int:
        """Elements of one channel."""
        return p.kernel[2] * self.phases * self.rq * self.cols

    def tap(self, p: ConvProblem, h: int, w: int) -> int:
        """Offset of kernel element (h, w) from the first pixel."""
        row = h * p.dilation[1] // self.apart
        return ((w * self.phases + row % self.phases) * self.rq + row // self.phases) * self.cols


@dataclass(frozen=True, slots=True)
class DirectBlocks:
    """Block sizes of one problem; see `native.Band` and `FlatBand` for the layout of the band."""

    rows: int
    cols: int
    channels: int
    band: native.Band | FlatBand
    steps: tuple[float, float]  # of tiles of one vector and of all, for one tap of one channel of a whole output plane
    filled_rows: float  # rows copied into a band, for one channel of a whole output plane
    copied: float  # elements of them, where they are copied in runs
    gathered: float  # elements that are copied one at a time
    runs: int  # of adjacent pixels, of a whole output plane
    k_chunk: int = 0
    pixels: bool = False  # in lanes

    @property
    def flat(self) -> bool:
        return isinstance(self.band, FlatBand)

    def channel(self, p: ConvProblem) -> int:
        """Elements of one channel of the band."""
        return self.band.channel(p)

    def taps(self, p: ConvProblem) -> np.ndarray:
        """Offsets of the taps of one channel."""
        return np.array([self.band.tap(p, h, w) for h in range(p.kernel[1]) for w in range(p.kernel[2])], np.intp)

    def sums(self, mr: int, nr: int) -> int:
        """Accumulators of a block of channels."""
        if not self.pixels:
            return self.rows * self.cols * nr
        runs, run = (1, self.rows * self.cols) if self.flat else (self.rows, self.cols)
        return runs * round_up(run, nr) * mr

    def bytes(self, p: ConvProblem, isa: str) -> int:
        """Scratch: the table of sources of a flat band, the band, accumulators."""
        depth, channel = p.icg * p.kernel[0], self.channel(p)
        sums = self.sums(*native.tile(isa, p.acc.itemsize)) * (1 if self.channels >= depth else self.k_chunk)
        elements = self.channels * channel + native.SLACK + sums
        return self.table_bytes(p) + elements * p.acc.itemsize

    def all_steps(self, p: ConvProblem, isa: str) -> float:
        """Steps for one tap of one channel of a whole output plane."""
        size = p.acc.itemsize
        (mr, nr), vl = native.tile(isa, size), native.lanes(isa, size)
        if self.pixels:
            return self.runs * pixel_steps(ceil_div(max(1, p.output[1] * p.output[2]), self.runs), p.ocg, mr, nr)
        left = p.ocg % nr
        return self.steps[1] * (p.ocg // nr + (left > vl)) + self.steps[0] * (0 < left <= vl)

    def counts(self, p: ConvProblem, isa: str) -> Counts:
        """What is done for one channel of a whole output plane."""
        nr, size = native.tile(isa, p.acc.itemsize)[1], p.acc.itemsize
        fill = 4 if p.layout == "NHWC" else 1  # one channel of one row is a strided gather
        return {
            "multiply": self.all_steps(p, isa) * p.kernel[1] * p.kernel[2] * 2 * nr * size / 4,
            "row": self.filled_rows * fill,
            "copy": self.copied * fill,
            "gather": self.gathered * fill,
        }

    def seconds(self, p: ConvProblem, isa: str) -> float:
        """Predicted seconds of `counts`."""
        return host_table().seconds(Features(self.counts(p, isa)).of(f"{Direct.row}@{isa}"))

    def table_bytes(self, p: ConvProblem) -> int:
        return whole_lines(self.channel(p) * 8) if self.flat else 0

    @classmethod
    @keep_few()
    def of(cls, p: ConvProblem, isa: str, threads: int, apart: bool = False) -> DirectBlocks:
        """`apart`: whether rows of the result do not follow each other in memory."""
        mr, nr = native.tile(isa, p.acc.itemsize)
        depth = max(1, p.icg * p.kernel[0])
        best = cls.in_rows(p, mr, nr, 1)  # chosen for one thread: the parts of channels determine the rounding
        if p.output[1] > 1 and 0 < p.output[2] < FLAT_COLS:
            flat = cls.flattened(p, mr, nr)
            best = min(best, flat, key=lambda b: b.with_lanes(p, isa, apart).seconds(p, isa))
        if threads > 1 and not best.flat:
            best = cls.in_rows(p, mr, nr, threads)
        best = best.with_lanes(p, isa, apart)
        kbs = ceil_div(p.ocg, mr if best.pixels else nr)
        items = p.n * p.groups * p.output[0] * ceil_div(p.output[1], best.rows) * ceil_div(p.output[2], best.cols)
        k_chunk = native.blocks_together(kbs, items, threads)
        if best.channels < depth:
            k_chunk = min(k_chunk, max(1, block_bytes(ALL_SUMS) // (best.sums(mr, nr) * p.acc.itemsize)))
        return replace(best, k_chunk=k_chunk)

    def with_lanes(self, p: ConvProblem, isa: str, apart: bool) -> DirectBlocks:
        """The same with pixels in lanes, where that takes fewer steps: whatever the batch and the threads.

        Pixels of a flat band are stored as one run.
        """
        if self.flat and apart:
            return self
        turned = replace(self, pixels=True)
        return turned if turned.all_steps(p, isa) < PIXELS * self.all_steps(p, isa) else self

    @classmethod
    def in_rows(cls, p: ConvProblem, mr: int, nr: int, threads: int) -> DirectBlocks:
        """Rows of pixels, as wide as the map if that is not very wide."""
        size, depth = p.acc.itemsize, max(1, p.icg * p.kernel[0])
        oh, ow = max(1, p.output[1]), max(1, p.output[2])
        band_bytes, sums_bytes = block_bytes(BAND), block_bytes(SUMS)
        cols = min(ow, max(1, sums_bytes // (nr * size)))
        band = native.Band.of(p, 1, cols, True)
        channels = max(1, min(depth, 4 * band_bytes // (band.rin * band.row_len * size)))
        while cols > nr and channels < depth and channels < 64:
            cols = ceil_div(cols, 2)
            band = native.Band.of(p, 1, cols, True)
            channels = max(1, min(depth, 4 * band_bytes // (band.rin * band.row_len * size)))
        rows = 1
        if cols == ow and channels == depth:
            most = min(oh, max(1, sums_bytes // (cols * nr * size)))
            if threads > 1:  # enough items for all threads
                most = min(most, max(1, oh * p.n * p.groups * p.output[0] // (4 * threads)))
            while rows < most:
                band = native.Band.of(p, rows + 1, cols, True)
                if band.rin * band.row_len * depth * size > band_bytes:
                    break
                rows += 1
            rows = even_part(oh, rows)
            band = native.Band.of(p, rows, cols, True)
        filled = ceil_div(oh, rows) * band.rin * ceil_div(ow, cols)
        elements = (filled * band.row_len, 0) if p.stride[2] <= UNROLLED_STRIDE else (0, filled * band.row_len)
        steps = oh * row_steps(ow, mr, NARROW), oh * row_steps(ow, mr)
        return cls(rows, cols, channels, band, steps, filled, *elements, oh * ceil_div(ow, cols))

    @classmethod
    def flattened(cls, p: ConvProblem, mr: int, nr: int) -> DirectBlocks:
        """As many rows as one long one; channels in parts where that makes the band too large."""
        size, depth = p.acc.itemsize, max(1, p.icg * p.kernel[0])
        _, oh, ow = p.output
        rows = min(oh, max(1, block_bytes(SUMS) // (ow * nr * size)))
        least = min(depth, 1 if p.kernel[1] * p.kernel[2] >= MANY_TAPS else FLAT_CHANNELS)
        while True:
            rows = even_part(oh, rows)
            band = FlatBand.of(p, rows)
            channels = block_bytes(BAND) // (band.channel(p) * size)
            if rows == 1 or channels >= least:
                break
            rows = ceil_div(rows, 2)
        channels = max(1, min(depth, channels))
        channels = even_part(depth, channels)
        parts = ceil_div(oh, rows)
        steps = parts * row_steps(rows * ow, mr, NARROW), parts * row_steps(rows * ow, mr)
        return cls(rows, ow, channels, band, steps, 0, 0, parts * band.channel(p), parts)


AxisOrder = tuple[int, int, int]
GIVEN: AxisOrder = (0, 1, 2)


def axis_orders(p: ConvProblem) -> list[AxisOrder]:
    """Orders of depth, height and width in which elements along the last axis are adjacent, and the given one first.

    A kernel makes planes of the first axis: many of few pixels, or few of many.
    """
    if max(p.input[0], p.output[0]) == 1 and p.input[2] > 1:
        return [GIVEN]
    return [(a, b, c) for a, b, c in permutations(GIVEN) if all(extent == 1 for extent in p.input[c + 1 :])]


def with_order(p: ConvProblem, order: AxisOrder) -> ConvProblem:
    """The problem with its axes in another order."""
    if order == GIVEN:
        return p

    def of(axes: Sequence[Any]) -> Any:
        return tuple(axes[a] for a in order)

    return replace(
        p, input=of(p.input), kernel=of(p.kernel), stride=of(p.stride), dilation=of(p.dilation), pads=of(p.pads),
        output=of(p.output),
    )  # fmt: skip


def is_apart(p: ConvProblem, order: AxisOrder) -> bool:
    """Whether rows of the result do not follow each other in memory then."""
    _, h, w = p.output
    steps, (_, row, col) = (h * w, w, 1), order
    return p.output[row] > 1 and steps[row] != p.output[col] * steps[col]


def turns_taps(p: ConvProblem, order: AxisOrder) -> bool:
    """Whether weights have another order of taps then."""
    long = [a for a in order if p.kernel[a] > 1]
    return long != sorted(long)


class Turned:
    """Runs of a problem by those of one with its axes in another order; ``plain`` as that of `native.Binding`."""

    __slots__ = ("_axes", "_binding", "plain")

    def __init__(self, binding: native.Binding, axes: tuple[int, ...]) -> None:
        self._binding, self._axes, self.plain = binding, axes, binding.plain

    def __call__(self, constants: tuple[Any, ...]) -> Run:
        turned, axes = self._binding(constants), self._axes

        def run(x: np.ndarray, out: np.ndarray) -> None:
            turned(x.transpose(axes), out.transpose(axes))

        return run


class Direct(Specialised[ConvProblem]):
    """Any forward convolution of float32 or float64."""

    backend = "cython"
    algorithm = "direct"
    row = "cython.conv.direct"
    activations = frozenset({"relu"})
    revision = 2
    types: DType | None = None  # of its table, where elements are not those of sums

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: ConvProblem) -> str | None:
        if problem.not_forward:
            return problem.not_forward
        return native.reject_common(self.isa, problem.dtype) or native.wasteful(
            problem, native.tile(self.isa, problem.acc.itemsize)[1]
        )

    @keep_few()
    def _order(self, p: ConvProblem) -> AxisOrder:
        """The order of axes that takes the least time, whatever the batch and whether weights are packed.

        It is the given one where images may lie side by side, as these have one order of sums.
        """
        orders = axis_orders(p)
        if self.types is not None or len(orders) == 1 or images.suited(replace(p, n=2), self.isa):
            return GIVEN
        one, table = replace(p, n=1, packed=False), host_table()
        given, *others = (table.seconds(self._in_this_order(one, order)) for order in orders)
        least = min(others)
        return orders[1 + others.index(least)] if least < TURNED * given else GIVEN

    def _in_this_order(self, p: ConvProblem, order: AxisOrder) -> Features:
        """What is done image by image with the axes in this order."""
        turned = not p.packed and turns_taps(p, order)
        counts: Counts = {"turn_call": 1, "turn": p.oc * p.depth} if turned else {}
        return self._alone(with_order(p, order), is_apart(p, order)) + Features(counts).of(self.rates)

    def features(self, problem: ConvProblem) -> Features:
        alone = self._in_this_order(problem, self._order(problem))
        return images.better(problem, self.isa, alone) if self.types is None else alone

    def _alone(self, p: ConvProblem, apart: bool) -> Features:
        """What is done image by image."""
        planes = p.n * p.groups * p.output[0]
        weights = p.oc * p.depth * p.acc.itemsize
        band = Features(self._blocks(p, 1, apart).counts(p, self.isa)) * (planes * p.icg * p.kernel[0])
        alone = band + Features({
            "call": 1,
            "plane": planes,
            "bytes_streamed": streamed(weights),
            **traffic(p.bytes, p.bytes - weights),
            **native.packing(p),
        })
        return alone.of(self.rates)

    def workspace(self, problem: ConvProblem) -> int:
        if self._side_by_side(problem):
            return images.lanes_bytes(problem, self.isa)
        order = self._order(problem)
        p = with_order(problem, order)
        return self._blocks(p, 1, is_apart(problem, order)).bytes(p, self.isa)

    def _blocks(self, p: ConvProblem, threads: int, apart: bool) -> DirectBlocks:
        blocks = DirectBlocks.of(p, self.isa, threads, apart)
        return blocks if self.types is None else replace(blocks, pixels=False)

    def _side_by_side(self, p: ConvProblem) -> list[int]:
        """The parts of a sum, see `images`, if small images are processed side by side; else nothing."""
        channels = DirectBlocks.of(p, self.isa, 1).channels
        if self.types is not None or (channels < p.icg * p.kernel[0] and p.kernel[0] > 1):  # parts of planes
            return []
        return [*range(0, p.icg, channels), p.icg] if images.faster(p, self.isa, native.seconds(self, p)) else []

    def error(self, problem: ConvProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), problem.depth)

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        _direct = native.compiled("conv._direct")
        parts = self._side_by_side(problem)
        if parts:
            return images.specialise(problem, self.isa, threads, parts)
        order = self._order(problem)
        p = with_order(problem, order)
        blocks = self._blocks(p, threads, is_apart(problem, order))
        table, far = native.table(self.isa, self.types or p.acc), p.bytes > l3_bytes() / 2
        prepared = _direct.Direct(table, p, native.padded_axes(p, p.mode), blocks, far)
        threads = threads if p.flops > native.FLOPS_PER_THREAD else 1
        pack, seconds = native.Packer(self.isa, p, lanes=not blocks.pixels), native.seconds(self, problem)
        scratch = blocks.bytes(p, self.isa)
        if order == GIVEN:
            return native.binder(p, prepared, scratch, threads, seconds, pack)
        axes = (0, 1, *(2 + a for a in order))
        x, y = (a._replace(strides=tuple(a.strides[i] for i in axes)) for a in native.images(problem))
        native.schedule(prepared, scratch, threads, seconds, x, y)
        turned = self._turning(problem, order, pack) if turns_taps(problem, order) else pack
        return Turned(native.Binding(problem, prepared, turned), axes)

    @staticmethod
    def _turning(p: ConvProblem, order: AxisOrder, pack: native.Packer) -> Callable[[np.ndarray], np.ndarray]:
        """`pack`, and taps in another order: whole rows of panels are moved."""
        whole = pack.size - native.SLACK
        rows = (-1, *p.kernel, pack.width)
        axes = (0, *(1 + a for a in order), 4)

        def turn(weights: np.ndarray) -> np.ndarray:
            packed = pack(weights)
            turned = aligned_empty(packed.shape, packed.dtype)
            panels = packed[:whole].reshape(rows).transpose(axes)
            turned[:whole].reshape(panels.shape)[...] = panels
            return turned

        return turn


KERNELS = tuple(Direct(isa) for isa in machine.ISAS)
