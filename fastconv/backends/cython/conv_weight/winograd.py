"""Gradients of convolution weights by Winograd's algorithm: the kernel's taps are outputs, a tile of y is the filter.

An axis of three taps takes 6 products for a tile of 4 pixels instead of 12, so both axes save three quarters.
With a stride, every s-th tap belongs to one phase of x.  The phases are separate problems that share the points,
and so the transformed y: with stride 2, phases of 2 taps and of 1 take 9 products.  No dilation.

The transforms would spread infinities, NaN and the rounding errors of outliers to the whole kernel.  So squares are
summed during the input transform, and where one value exceeds 2^8 times the root mean square of all others, the
gradient is recomputed by plain sums; also where numbers are so small or large that products would under- or overflow.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from fastconv.backends.cython.conv.winograd2d import ERROR_GROWTH, Axis, points_of
from fastconv.backends.cython.conv_weight import direct as weight
from fastconv.backends.cython.runtime import native
from fastconv.core import machine, threads
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, rounding_bound
from fastconv.core.numbers import ceil_div, round_up, span
from fastconv.core.problems.conv import ConvProblem, weight_operands
from fastconv.machines import l3_bytes

TILES = ((4, 4), (2, 2), (4, 2))  # pixels of y in a tile along both axes
LEAST_TILES = 64  # of a chunk: fewest products that are summed before the sum is added to that of other chunks
SEGMENTS = (8, 4, 1)  # parts of the chunks, each with its own sums, so that threads need no barriers
SUMS_BYTES = 3 << 20  # most bytes of the sums of all segments, which are added at the end
OUTLIER = 256.0  # times the root mean square of the other values
SQUARES = {4: (2.0**-120, 2.0**100), 8: (2.0**-500, 2.0**500)}  # range of accurate sums of squares, by itemsize
REPEATED = 4  # most rows of tiles to which padding copies one value
CHUNK = 1 << 13  # elements that are tested at a time
# Expected largest error in units of eps, by the points of an axis: a factor for each axis.
ERROR = {1: 1.0, 3: 1.3, 4: 1.3, 5: 2.4, 6: 2.6, 7: 5.2, 8: 5.6, 10: 16.3}


@dataclass(frozen=True, slots=True, eq=False)
class WeightScheme:
    """Block sizes of one problem.

    Attributes
    ----------
    h, w : Axis
        Filters F(taps of a phase of the kernel, pixels of a tile).
    slots : ndarray of intp, shape (pairs of phases, 7)
        Row phase, column phase, taps of each, points that each uses, and the first of the pair's planes of products.
    planes : ndarray of intp
        The point of y of each plane of products.
    tile_rows, tile_cols, chunk : int
        Tiles of one image; rows of tiles in a chunk.
    chunks, segments : int
        Chunks of all images; parts of them, each for one thread, or 1: each chunk is split among all threads.
    win, yw : int
        Columns of a band of x, and of y.
    vx, vy, sums, scratch : int
        Elements of the transformed x and y of a chunk, of the sums of a segment, and of the additional scratch of each
        thread.
    """

    h: Axis
    w: Axis
    slots: np.ndarray
    planes: np.ndarray
    tile_rows: int
    tile_cols: int
    chunk: int
    chunks: int
    segments: int
    win: int
    yw: int
    vx: int
    vy: int
    sums: int
    scratch: int

    @classmethod
    @keep_few(256)
    def of(cls, p: ConvProblem, isa: str, tile: tuple[int, int]) -> WeightScheme:
        size = p.acc.itemsize
        vl, (_, nr) = native.lanes(isa, size), native.tile(isa, size)
        h, w = tile_axes(p, tile)
        tile_rows, tile_cols = ceil_div(p.output[1], h.taps), ceil_div(p.output[2], w.taps)
        points = h.points * w.points
        slots, planes = phase_planes(p, h, w)
        ic, oc = round_up(p.icg, vl), round_up(p.ocg, nr)
        # With so many tiles, the transformed tiles are about as large as the sums that they are added to.
        wanted = max(LEAST_TILES, ic * oc // (ic + oc))
        chunk = max(1, min(p.n * tile_rows, ceil_div(wanted, tile_cols)))
        chunks = ceil_div(p.n * tile_rows, chunk)
        sums = p.groups * len(planes) * oc * p.icg
        segments = next(m for m in SEGMENTS if m == 1 or (m <= chunks and m * sums * size <= SUMS_BYTES))
        win, yw = span(tile_cols * w.taps, p.stride[2], p.kernel[2], 1), tile_cols * w.taps
        enter_x = (span(h.taps, p.stride[1], p.kernel[1], 1) + h.points) * win * vl
        enter_y = (h.taps + h.points) * yw * nr + nr
        leave = (vl * p.taps + vl + h.m * w.points) * nr
        tiles = chunk * tile_cols
        return cls(
            h, w, slots, planes, tile_rows, tile_cols, chunk, chunks, segments, win, yw, len(planes) * ic * tiles + vl,
            points * oc * tiles + nr, sums, round_up(max(enter_x, enter_y, leave), 16),
        )  # fmt: skip


def tile_axes(p: ConvProblem, tile: tuple[int, int]) -> tuple[Axis, Axis]:
    """The filters of both axes; one tap needs none."""
    h, w = (
        Axis.of(ceil_div(k, s), each if k > 1 else 1, 1, 1, p.acc)
        for k, s, each in zip(p.kernel[1:], p.stride[1:], tile, strict=True)
    )
    return h, w


def phase_planes(p: ConvProblem, h: Axis, w: Axis) -> tuple[np.ndarray, np.ndarray]:
    """`slots` and `planes` of a scheme.  A phase of fewer taps than others does not use the point at infinity."""
    slots: list[tuple[int, ...]] = []
    planes: list[int] = []
    for fh, fw in product(range(p.stride[1]), range(p.stride[2])):
        taps = [ceil_div(k - f, s) for k, f, s in zip(p.kernel[1:], (fh, fw), p.stride[1:], strict=True)]
        used = [a.points - (a.m > t) for a, t in zip((h, w), taps, strict=True)]
        slots.append((fh, fw, *taps, *used, len(planes)))
        planes += [i * w.points + j for i in range(used[0]) for j in range(used[1])]
    return np.array(slots, np.intp), np.array(planes, np.intp)


class WinogradWeight(Kernel[ConvProblem]):
    """Gradients of weights of float32 or float64 on tiles of y."""

    backend = "cython"
    algorithm = "winograd"
    row = "cython.conv_weight.winograd"
    exact = False
    revision = 2

    def __init__(self, isa: str, tile: tuple[int, int]) -> None:
        self.isa, self.tile = isa, tile
        self.relative = (f"f{tile[0]}" if tile[0] == tile[1] else f"f{tile[0]}x{tile[1]}") + "_weight"
        self.plain = weight.Weight(isa)

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.not_weight is not None:
            return p.not_weight
        if p.kernel[0] != 1 or p.input[0] != 1 or p.output[0] != 1 or p.pads[0] != (0, 0):
            return "three spatial axes"
        if any(d > 1 < k for k, d in zip(p.kernel, p.dilation, strict=True)):
            return "dilated"
        if p.kernel[1:] == (1, 1):
            return "not windowed"
        if self.tile[0] != self.tile[1] and 1 in p.kernel[1:]:
            return "one axis only, as equal tiles have it"
        for k, s, tile in zip(p.kernel[1:], p.stride[1:], self.tile, strict=True):
            if k == s == 1:
                continue
            taps = ceil_div(k, s)
            if taps not in OUTPUTS or points_of(taps, tile, 1) is None:
                return f"no F({taps}, {tile})"
            if k % s and (taps > 2 or k < s):
                return f"phases of {taps} and {taps - 1} taps"
        if 0 in p.x_shape or 0 in p.w_shape or 0 in p.y_shape or not np.isfinite(p.fill):
            return "nothing to sum up, or padding that is not finite"
        scheme = WeightScheme.of(p, self.isa, self.tile)
        if (scheme.vx + scheme.vy + scheme.scratch) * p.acc.itemsize > native.SCRATCH_BYTES:
            return "a row of tiles is too long for scratch"
        return native.reject_common(self.isa, p.dtype)

    def features(self, problem: ConvProblem) -> Features:
        p = problem
        size = p.acc.itemsize
        vl, (mr, nr) = native.lanes(self.isa, size), native.tile(self.isa, size)
        s = WeightScheme.of(p, self.isa, self.tile)
        points, planes = s.h.points * s.w.points, len(s.planes)
        ic, oc = round_up(p.icg, vl), round_up(p.ocg, nr)
        tiles = p.n * s.tile_rows * s.tile_cols
        lanes = min(vl, p.icg)
        rows = lanes / ceil_div(lanes, mr)
        full = min(1.0, rows / (4 if self.isa == "avx512" else 3))
        # Sums are loaded and stored, in the L3 cache if they fit there.
        nearer = float(np.interp(s.sums * size / l3_bytes(), (1 / 4, 1 / 2), (12, 2)))
        return Features({
            "call": 1,
            "multiply": 2.0 * p.groups * planes * tiles * p.icg * oc * size / 4 / full,
            "transform": p.groups * tiles * (planes * ic + points * oc) * size / 4,
            "bytes_sums": 2.0 * s.chunks * s.sums * size / nearer,
            # Those of each segment leave the L2 cache, and are read again.
            "bytes_segments": 3.0 * s.segments * s.sums * size if s.segments > 1 else 0,
            "transform_output": s.sums * size / 4,
        })

    def workspace(self, problem: ConvProblem) -> int:
        s = WeightScheme.of(problem, self.isa, self.tile)
        return (s.vx + s.vy + s.segments * s.sums + s.scratch) * problem.acc.itemsize

    def error(self, problem: ConvProblem) -> float:
        s = WeightScheme.of(problem, self.isa, self.tile)
        terms = s.chunk * s.tile_cols + ceil_div(s.chunks, s.segments) + s.segments
        amplified = ERROR[s.h.points] * ERROR[s.w.points] * (1 + ERROR_GROWTH * terms**0.5)
        return float(np.finfo(problem.acc).eps) * amplified

    def bound(self, problem: ConvProblem) -> float:
        s = WeightScheme.of(problem, self.isa, self.tile)
        chain = s.chunk * s.tile_cols + ceil_div(s.chunks, s.segments) + s.segments
        return rounding_bound(problem, s.h.roundings + s.w.roundings + chain + 1, s.h.growth * s.w.growth)

    def reach(self, problem: ConvProblem) -> tuple[int, int, int]:
        h, w = (
            (tile - 1) * s + k - 1 if k > 1 else 0
            for tile, s, k in zip(self.tile, problem.stride[1:], problem.kernel[1:], strict=True)
        )
        return 0, h, w

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], count: int) -> Run:
        _winograd = native.compiled("conv_weight._winograd")
        p = problem
        size = p.acc.itemsize
        count = count if p.flops > native.FLOPS_PER_THREAD else 1
        s = WeightScheme.of(p, self.isa, self.tile)
        seconds = native.seconds(self, p)
        rounds = len(threads.slices(ceil_div(s.chunks, s.segments), seconds))
        table, tables = native.table(self.isa, p.acc), native.padded_axes(p, p.mode)
        prepared = _winograd.WinogradWeight(table, p, s, tables, rounds)
        tiles, sums = s.vx + s.vy, s.segments * s.sums
        own, shared = (s.scratch + tiles, sums) if s.segments > 1 else (s.scratch, sums + tiles)
        images, gradients = native.images(p)
        native.schedule(
            prepared, own * size, count, seconds, images, native.c_order(*p.w_shape), gradients, shared * size
        )
        plain: list[Run] = []

        def run(changing: np.ndarray, out: np.ndarray) -> None:
            x, y = weight_operands(p, changing, constants[0])
            squares = np.zeros((prepared.summands, 8))
            prepared.bind(more=squares)(x, out, y)
            if not accurate(x, y, squares, 1 if p.mode == "zeros" else REPEATED):
                if not plain:
                    plain.append(self.plain.prepare(p, constants, count))
                plain[0](changing, out)

        return run


def accurate(x: np.ndarray, y: np.ndarray, squares: np.ndarray, repeated: int) -> bool:
    """Whether sums of products of transformed x and y are accurate, by the squares that `_winograd` summed.

    `repeated`: rows of tiles that may contain the same value, because padding repeats it.
    """
    totals, most = squares[:, :4:2].sum(0), squares[:, 1:4:2].max(0)
    low, high = SQUARES[x.itemsize]
    if not (totals <= high).all() or not most.prod() <= high**1.8:
        return False
    for array, total, part in zip((x, y), totals, most, strict=True):
        unlike = part * array.size > OUTLIER**2 / 1.125 * max(total - repeated * part, 0.0)  # rounding included
        if (part < low or unlike) and outlier(array, low):
            return False
    return bool(most.prod() >= low**1.5 or not most.all())


def outlier(array: np.ndarray, low: float) -> bool:
    """Whether one value, however often it occurs, exceeds `OUTLIER` times the root mean square of the others.

    Or whether the squares are inaccurate: their sum is less than `low`, though values are not zero.
    """
    largest = others = count = 0.0
    for chunk in np.nditer(array, ["external_loop", "buffered", "zerosize_ok"], buffersize=CHUNK):
        found = np.square(chunk, dtype=np.float64)
        top = float(found.max())
        if top > largest:
            largest, others, count = top, others + largest * count, 0.0
        equal = float(np.count_nonzero(found == largest))
        count += equal
        others += float(found.sum(where=found != largest))
    if largest + others < low:
        return bool(array.any())
    return count < array.size and largest * (array.size - count) > OUTLIER**2 * others


OUTPUTS = (2, 3, 5, 7)  # taps of a phase for which simd/conv/winograd2d.inc has output transforms
KERNELS = tuple(WinogradWeight(isa, tile) for isa in machine.ISAS for tile in TILES)
