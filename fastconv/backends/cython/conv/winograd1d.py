"""Convolution of few input channels by Winograd's algorithm along one axis, F(4, r), pixels in lanes.

Nothing is transposed between image and output, which takes most of the time of layers of few channels in other
kernels.  F(4, r) turns four output rows of r taps into r + 3 products.  Strides and tall kernels are sums of such
filters: kernel rows with the same remainder modulo the stride are a filter each, long ones are split, and all share
their interpolation points, so that their products are summed in the same accumulators.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from fastconv.backends.cython.runtime import native, shared
from fastconv.core import machine
from fastconv.core.arrays import aligned_empty
from fastconv.core.caches import keep_few, keep_tables
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Specialised, rounding_bound
from fastconv.core.numbers import ceil_div, even_part, near_equal, round_up, span
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes

M = shared.WINOGRAD1D_M
# ROWS_ACCUMULATORS of simd/conv/winograd1d.inc.
ACCUMULATORS = {name: isa.registers * 7 // 8 - (0 if isa.fma else 2) for name, isa in machine.ISAS.items()}
MOST_TAPS = (5, 3)  # of one filter: long ones save more products, short ones have smaller errors
MOST_CHANNELS = 64
# Of transformed rows: the most, so that they stay in the L2 cache, and those of an item with several rows of tiles.
MOST, TRANSFORMED = (f"cython.conv.winograd_rows/{block}" for block in ("most", "transformed"))
FETCH_BYTES = 6 << 20
# Expected largest error, relative to max|y|, by pairs of points: measured, in units of eps, a constant and its growth
# with the root of the number of products in a plane.
ERROR = {2: (2.0, 0.6), 3: (4.0, 1.3)}

# Interpolation points +-p, by the number of pairs; sets closed under 1/p have the smallest errors.
POINTS = {2: (Fraction(2, 3), Fraction(3, 2)), 3: (Fraction(3, 5), Fraction(1), Fraction(5, 3))}


@dataclass(frozen=True, slots=True)
class Filter:
    """`taps` kernel rows from `start` on, one stride apart."""

    start: int
    taps: int

    @property
    def planes(self) -> int:
        return M + self.taps - 1


@dataclass(frozen=True, slots=True)
class RowScheme:
    """The filters of a kernel of `kh` rows: longest first, others one tap shorter."""

    kh: int
    stride: int
    filters: tuple[Filter, ...]

    @classmethod
    @keep_few(64)
    def of(cls, kh: int, stride: int, most: int) -> RowScheme:
        """Filters of at most `most` taps."""
        parts = ceil_div(kh, stride * most)
        filters = []
        for phase in range(min(stride, kh)):
            rows = range(phase, kh, stride)
            filters += [Filter(rows[a], b - a) for a, b in near_equal(len(rows), parts) if b > a]
        return cls(kh, stride, tuple(sorted(filters, key=lambda f: -f.taps)))

    @property
    def planes(self) -> int:
        """Interpolation points of the longest filter."""
        return self.filters[0].planes

    @property
    def pairs(self) -> int:
        """Pairs of points +-p."""
        return (self.planes - 1) // 2

    @property
    def combined(self) -> int:
        """Transformed rows of one tile row."""
        return sum(f.planes for f in self.filters)

    def points(self, count: int) -> tuple[Fraction | None, ...]:
        """The first `count` interpolation points; None is infinity."""
        every: list[Fraction | None] = [sign * p for p in POINTS[self.pairs] for sign in (1, -1)]
        return (*every, None, Fraction(0))[:count]

    @keep_few(64)
    def inputs(self, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coefficients of the input transform for simd/conv/winograd1d.inc, and planes.

        For each filter: its first kernel row, its planes, the start of its coefficients; those of +p of each pair, of
        infinity and of 0, a row each; powers of the points, (pairs, M).
        """
        where: list[tuple[int, int, int]] = []
        coef: list[float] = []
        for f in self.filters:
            b, _ = toom_cook(self.points(f.planes), f.taps)
            where.append((f.start, f.planes, len(coef)))
            coef += [float(c) for row in (*b[: 2 * self.pairs : 2], *b[2 * self.pairs :]) for c in row]
        powers = [[float(p**i) for i in range(M)] for p in POINTS[self.pairs]]
        return np.array(where, np.intp), np.array(coef, dtype), np.array(powers, dtype)

    @property
    def growth(self) -> float:
        """Largest ratio of the magnitudes between the transforms to the sums of magnitudes that they contribute to."""
        largest = 0.0
        for f in self.filters:
            points = self.points(f.planes)
            reads, weights = (np.abs(np.array(m, float)) for m in toom_cook(points, f.taps))
            out = np.array([[1.0 if p is None else float(abs(p)) ** i for p in points] for i in range(M)])
            largest = max(largest, float((out * weights.max(1) * reads.sum(1)).sum(1).max()))
        return largest

    @keep_few(64)
    def transforms(self) -> np.ndarray:
        """(planes of all filters, kh): the transform of the kernel's rows to the weights of each plane."""
        made = []
        for f in self.filters:
            rows = np.zeros((f.planes, self.kh))
            rows[:, f.start : f.start + (f.taps - 1) * self.stride + 1 : self.stride] = toom_cook(
                self.points(f.planes), f.taps
            )[1]
            made.append(rows)
        return np.concatenate(made)


Matrix = list[list[Fraction]]


@cache
def toom_cook(points: tuple[Fraction | None, ...], taps: int) -> tuple[Matrix, Matrix]:
    """B and G of the minimal filter with these points (None: infinity), a row for each, in exact arithmetic.

    y_j = sum over finite points p of p**j (G w)_p (B x)_p; the product at infinity is added to the last y only.  A
    point and its negative have the same B, except for the sign of odd terms.
    """
    finite = [p for p in points if p is not None]

    def product(roots: list[Fraction]) -> list[Fraction]:
        poly = [Fraction(1)]
        for r in roots:
            poly = [a - r * b for a, b in zip([Fraction(0), *poly], [*poly, Fraction(0)], strict=True)]
        return poly

    b, g = [], []
    for p in points:
        if p is None:
            b.append(product(finite))
            g.append([Fraction(0)] * (taps - 1) + [Fraction(1)])
            continue
        others = [q for q in finite if q != p]
        row, scale = product(others), Fraction(1)
        for q in others:
            scale *= p - q
        if p < 0 and len(finite) % 2 == 0:
            row, scale = [-c for c in row], -scale
        b.append(row + [Fraction(0)] * (len(points) - len(row)))
        g.append([p**j / scale for j in range(taps)])
    return b, g


@dataclass(frozen=True, slots=True)
class RowBlocks:
    """Block sizes of one problem, in elements.

    Attributes
    ----------
    parts : int
        Tiles among which the output channels of a group are divided.
    rows : int
        Tile rows of an item.
    win, wq, row_len : int
        Columns that are read; a row of the band has one part of `wq` for each remainder modulo the stride.
    channel : int
        Distance from one channel's transformed rows to the next one's.
    fetch : bool
        Whether the output is so large that its lines are prefetched.
    band, v, squares, direct, patch : int
        Sizes of the band of one channel, of all transformed rows, of the squares of columns; of the flags of vectors of
        pixels that are computed directly, and of the pixels that those read.
    """

    parts: int
    rows: int
    win: int
    wq: int
    row_len: int
    channel: int
    fetch: bool
    band: int
    v: int
    squares: int
    direct: int
    patch: int

    @classmethod
    @keep_few()
    def of(cls, p: ConvProblem, scheme: RowScheme, isa: str, threads: int) -> RowBlocks:
        size = p.acc.itemsize
        lanes = native.lanes(isa, size)
        parts = ceil_div(max(p.ocg, 1), ACCUMULATORS[isa] // scheme.planes)
        depth = p.icg * p.kernel[0]
        tile_rows = ceil_div(max(p.output[1], 1), M)
        columns = max(p.output[2], lanes) + (p.kernel[2] - 1) * p.dilation[2] // p.stride[2]
        wq = round_up(columns, lanes)
        row_len = wq * p.stride[2]
        win = span(p.output[2], *(extents[2] for extents in (p.stride, p.kernel, p.dilation)))
        if p.output[2] < lanes:  # a vector extends past the last pixel
            win = row_len
        most = max(1, block_bytes(TRANSFORMED) // (depth * scheme.combined * row_len * size))
        if threads > 1:  # enough items for all threads
            most = min(most, max(1, tile_rows * p.n * p.groups * p.output[0] // (4 * threads)))
        rows = even_part(tile_rows, most)
        band = span(rows * M, p.stride[1], p.kernel[1], 1) * row_len
        channel = rows * scheme.combined * row_len
        fetch = p.one_image().bytes > FETCH_BYTES
        vectors = ceil_div(max(p.output[2], 1), lanes)
        row = round_up(span(lanes, p.stride[2], p.kernel[2], p.dilation[2]), p.stride[2])
        patch = span(M, p.stride[1], p.kernel[1], 1) * p.kernel[2] * lanes + row + lanes
        direct = ceil_div(rows * vectors, size)
        return cls(
            parts, rows, win, wq, row_len, channel, fetch, band, depth * channel, rows * row_len, direct, patch
        )  # fmt: skip

    def bytes(self, size: int) -> int:
        return (self.band + self.v + self.squares + self.direct + self.patch) * size


class Winograd1d(Specialised[ConvProblem]):
    """F(4, r) along rows on NCHW images of float32 or float64."""

    backend = "cython"
    algorithm = "winograd"
    row = "cython.conv.winograd_rows"
    exact = False
    activations = frozenset({"relu"})

    def __init__(self, isa: str, most: int) -> None:
        self.isa, self.most = isa, most
        self.relative = f"rows{most}"

    def scheme(self, p: ConvProblem) -> RowScheme:
        return RowScheme.of(p.kernel[1], p.stride[1], self.most)

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.not_forward:
            return p.not_forward
        if p.layout != "NCHW":
            return f"layout {p.layout}"
        if p.kernel[1] <= p.stride[1] or p.dilation[1] != 1:
            return "rows of the kernel that do not overlap, or are dilated"
        if self.most < MOST_TAPS[0] and p.kernel[1] <= p.stride[1] * self.most:
            return "no long filters to split"
        if p.oc == 0 or not 0 < p.icg * p.kernel[0] <= MOST_CHANNELS or not np.isfinite(p.fill):
            return f"not 1 to {MOST_CHANNELS} input channels per group, no output channels, or infinite padding"
        reason = native.reject_common(self.isa, p.dtype)
        if reason is None and RowBlocks.of(p, self.scheme(p), self.isa, 1).v * p.acc.itemsize > block_bytes(MOST):
            return "rows too long for so many channels"
        return reason

    def features(self, problem: ConvProblem) -> Features:
        p = problem
        size = p.acc.itemsize
        lanes = native.lanes(self.isa, size)
        scheme = self.scheme(p)
        blocks = RowBlocks.of(p, scheme, self.isa, 1)
        tile_rows = p.n * p.groups * p.output[0] * ceil_div(p.output[1], M)
        depth = p.icg * p.kernel[0]
        weights = scheme.combined * depth * p.kernel[2]  # of one output channel
        count = p.ocg / blocks.parts
        tiles = tile_rows * blocks.parts * ceil_div(p.output[2], lanes)
        flops = 2.0 * lanes * size / 4  # of one multiply-add
        crowded = "_crowded" if scheme.planes == M + MOST_TAPS[0] - 1 else ""  # all registers are used
        counts = {
            "call": 1,
            f"multiply{crowded}": flops * tiles * weights * count,
            f"multiply_load{crowded}": flops * tiles * weights,
            f"multiply_finish{crowded}": flops * tiles * count,
            "row": tile_rows * blocks.parts,
            "input": tile_rows * depth * scheme.combined * blocks.row_len,
        }
        # The lines of the output are prefetched while tiles compute.
        return Features(counts if p.packed else {**counts, "pack_call": 1, "pack": p.oc * weights})

    def workspace(self, problem: ConvProblem) -> int:
        return RowBlocks.of(problem, self.scheme(problem), self.isa, 1).bytes(problem.acc.itemsize)

    def error(self, problem: ConvProblem) -> float:
        p = problem
        scheme = self.scheme(p)
        base, growth = ERROR[scheme.pairs]
        products = len(scheme.filters) * p.icg * p.kernel[0] * p.kernel[2]
        return float(np.finfo(p.acc).eps) * (base + growth * products**0.5)

    def bound(self, problem: ConvProblem) -> float:
        p = problem
        scheme = self.scheme(p)
        products = len(scheme.filters) * p.icg * p.kernel[0] * p.kernel[2]
        return rounding_bound(p, products + 2 * scheme.planes + 4, scheme.growth)

    def reach(self, problem: ConvProblem) -> tuple[int, int, int]:
        return 0, (M - 1) * problem.stride[1] + problem.kernel[1] - 1, 0

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        p = problem
        count = threads if p.flops > native.FLOPS_PER_THREAD else 1
        prepared, blocks = self._prepared(p, count)
        scheme = self.scheme(p)
        offsets, whole = tap_starts(p, scheme, blocks)
        transforms = scheme.transforms()

        def pack(weights: np.ndarray) -> np.ndarray | None:
            if not native.ordinary(weights, self.isa):
                return None
            elements = p.oc * (whole * scheme.planes + (offsets.size - whole) * (scheme.planes - 1))
            packed = aligned_empty((elements,), p.acc)
            prepared.transform(transforms, weights, packed)
            return packed

        return native.binder(p, prepared, blocks.bytes(p.acc.itemsize), count, native.seconds(self, p), pack)

    def _prepared(self, p: ConvProblem, count: int) -> tuple[Any, RowBlocks]:
        _winograd1d = native.compiled("conv._winograd1d")
        scheme = self.scheme(p)
        blocks = RowBlocks.of(p, scheme, self.isa, count)
        prepared = _winograd1d.Winograd1d(
            native.table(self.isa, p.acc), p, native.padded_axes(p, p.mode), scheme, blocks,
            scheme.inputs(p.acc), tap_starts(p, scheme, blocks),
        )  # fmt: skip
        return prepared, blocks

    def direct_tiles(self, problem: ConvProblem, x: np.ndarray) -> tuple[int, int]:
        """(vectors of pixels that are computed directly because of outliers in x, all vectors)."""
        prepared, blocks = self._prepared(problem, 1)
        native.schedule(prepared, blocks.bytes(problem.acc.itemsize), 1, 0.0, *native.images(problem))
        return prepared.direct_tiles(x)


@keep_tables(lambda made: made[0].nbytes)
def tap_starts(p: ConvProblem, scheme: RowScheme, blocks: RowBlocks) -> tuple[np.ndarray, int]:
    """Start of the first plane of each tap, in order of filter, channel, column; number of taps with all planes."""
    w = np.arange(p.kernel[2]) * p.dilation[2]
    columns = w % p.stride[2] * blocks.wq + w // p.stride[2]
    channels = np.arange(p.icg * p.kernel[0]) * blocks.channel
    starts = np.cumsum([0, *(f.planes for f in scheme.filters[:-1])]) * blocks.row_len
    offsets = (starts[:, None, None] + channels[:, None] + columns).reshape(len(starts), -1)
    whole = sum(f.planes == scheme.planes for f in scheme.filters) * offsets.shape[1]
    return offsets.ravel().astype(np.intp), whole


KERNELS = tuple(Winograd1d(isa, most) for isa in machine.ISAS for most in MOST_TAPS)
