"""Winograd convolution F(m, r): tiles of m x m outputs of r x s kernels with far fewer multiplications than taps.

Kernels of 2 to 9 taps an axis, strides and dilation as well: a dilated axis is as many interleaved lattices as its
dilation, a strided one has phases that share their points.  An axis of one tap is not transformed, so that 1 x 7 is
F(4, 7) along rows.  The band is filled with padding of every mode and from both layouts; depth taps are channels.
The transforms themselves are in simd/conv/winograd2d.inc.
"""

from __future__ import annotations

import heapq
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.arrays import aligned_empty
from fastconv.core.caches import keep_few, keep_tables
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Run, Specialised, rounding_bound
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes, host_table, l3_bytes, streamed

# Interpolation points, by their number: pairs +-a, and perhaps a single one; 0 and infinity belong to every set.  In
# float32, sets that are nearly closed under p -> 1/p have smaller errors than the usual small integers.
POINTS: dict[int, tuple[tuple[str, ...], str | None]] = {
    3: ((), "1"),
    4: (("1",), None),
    5: (("3/4",), "3/2"),
    6: (("2/3", "3/2"), None),
    7: (("9/10", "9/5"), "-1/2"),
    8: (("3/5", "1", "5/3"), None),
    10: (("9/20", "3/4", "5/4", "5/2"), None),
}
# Outputs of a tile along both axes.  Unequal ones divide some maps better, and allow a large tile along one axis where
# along both the error would be too large.
TILES = ((4, 4), (2, 2), (6, 6), (4, 2), (5, 4), (6, 4), (4, 6))
TOGETHER = 16  # channels whose weights are copied to lanes at a time
DIRECT_WEIGHTS = 8 << 10  # elements of weights at a time, for tiles that are computed directly
DIRECT_PIXELS = 16 << 10  # elements of pixels for such tiles
TRANSFORMED = "cython.conv.winograd/transformed"  # input, so that it stays in the L2 cache
# Counts of transformed weights, by the most bytes of all of them.
PACKED = ((256 << 10, "pack_256k"), (4 << 20, "pack_4m"), (32 << 20, "pack_32m"), (float("inf"), "pack_more"))
MANY_ITEMS = 16  # per thread: then threads end at about the same time
EDGE_TILES = 9  # of a map: products of fewer tiles stall on their weights, so leaving some out gains nothing
# Expected largest error, relative to max|y|, in units of eps: a factor for each axis, and growth by sums of channels.
ERROR = {1: 1.0, 3: 1.3, 4: 1.3, 5: 2.4, 6: 2.4, 7: 5.2, 8: 6.5, 10: 15.0}
TOO_INEXACT = 100.0  # product of both axes
ERROR_GROWTH = 0.15
FEW_TERMS = 25  # sums of fewer terms have no smaller error: the largest error is less of an average
# Channels summed at a time, by the error of both axes, which long sums increase.
SPILL = ((13.0, 64), (16.0, 48), (TOO_INEXACT, 32))

CHUNK = np.dtype([(name, np.intp) for name in ("point", "block", "tap", "blocks", "lanes", "row")])


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """Minimal filtering along one axis: F(m, taps) on phases and lattices.

    Attributes
    ----------
    m, taps, stride, dilation : int
    points : int
        Interpolation points, infinity included; 1 for an axis of one tap.
    coef_in, coef_out : ndarray
        Coefficients for the transforms in simd/conv/winograd2d.inc, in the dtype of the sums.
    used : tuple of int
        Per phase, how many points it uses: all, or all but infinity.
    weights : ndarray
        A row for each phase: the matrix (points used, taps of the phase) that transforms its taps, then zeros.
    growth : float
        Largest ratio of the magnitudes between the transforms to the sums of magnitudes that they contribute to.
    """

    m: int
    taps: int
    stride: int
    dilation: int
    points: int
    coef_in: np.ndarray
    coef_out: np.ndarray
    used: tuple[int, ...]
    weights: np.ndarray
    growth: float

    @classmethod
    @keep_few(256)
    def of(cls, m: int, taps: int, stride: int, dilation: int, dtype: np.dtype) -> Axis:
        if taps == 1:
            nothing = np.zeros(1, dtype)
            return cls(1, 1, 1, 1, 1, nothing, nothing, (1,), np.ones((1, 1), dtype), 1.0)
        points = points_of(m, taps, stride)
        assert points is not None
        pairs, single = _numbers(points)
        coef_out = [v**i for i in range(1, m) for v in (*pairs, *(() if single is None else (single,)))]
        most, used = ceil_div(taps, stride), []
        weights = np.zeros((stride, points * most), dtype)
        for phase in range(stride):
            count = ceil_div(taps - phase, stride)
            rows = [*_weights(points, count), *(float(k == count - 1) for k in range(count) if count == most)]
            weights[phase, : len(rows)] = rows
            used.append(len(rows) // count)
        out = np.array([[float(abs(v)) ** i for v in _finite(points)] + [1.0] for i in range(m)])
        return cls(
            m, taps, stride, dilation, points, np.array([*_coef_in(points), 0], float).astype(dtype),
            np.array([*coef_out, 0], float).astype(dtype), tuple(used), weights,
            growth(out, weights, most, _reads(points)),
        )  # fmt: skip

    def lattice(self, outputs: int, at: int) -> int:
        """Tiles of lattice `at`."""
        return ceil_div(max(0, outputs - at + self.dilation - 1) // self.dilation, self.m)

    def tiles(self, outputs: int) -> int:
        """Tiles of all lattices."""
        return sum(count * self.lattice(outputs, at) for at, count in self.alike(outputs))

    def alike(self, outputs: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """(first lattice, number) of the lattices with one more output than the others, and of the others."""
        longer = outputs % self.dilation
        return (0, longer), (longer, self.dilation - longer)

    def span(self, tiles: int) -> int:
        """Positions of a lattice that `tiles` adjacent tiles read."""
        return (tiles * self.m - 1) * self.stride + self.taps

    def reach(self, outputs: int) -> int:
        """Positions up to the last one that any lattice reads."""
        ends = (
            at + count - 1 + (self.span(self.lattice(outputs, at)) - 1) * self.dilation
            for at, count in self.alike(outputs)
            if count
        )  # of lattices of equal length, the last one ends last
        return max(0, *ends, 0) + 1

    @property
    def depth(self) -> int:
        """Products per channel of one tile: of all phases, the points that they use."""
        return sum(self.used)

    @property
    def roundings(self) -> int:
        """Most roundings of a number in the transforms of input, weights and output."""
        return 2 * self.points + self.taps + 8 if self.points > 1 else 0

    @property
    def width(self) -> int:
        """Largest distance of two positions of one tile."""
        return ((self.m - 1) * self.stride + self.taps - 1) * self.dilation


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """The last tile of an axis, with fewer outputs than the others: it needs only some of their points.

    It uses the weights that were transformed for all points; `coef_out` corrects the factors by which these differ.

    Attributes
    ----------
    outputs, points : int
    at : ndarray
        Which of the axis's points, infinity last.
    coef_in, coef_out : ndarray
        Matrices (points, points) and (outputs, points).
    growth : float
        As that of an `Axis`.
    """

    outputs: int
    points: int
    at: np.ndarray
    coef_in: np.ndarray
    coef_out: np.ndarray
    growth: float

    @classmethod
    @keep_few(256)
    def of(cls, axis: Axis, outputs: int, dtype: np.dtype) -> Edge:
        taps = ceil_div(axis.taps, axis.stride)
        every, points = _finite(axis.points), outputs + taps - 1
        chosen, b, a = _best_edge(axis.points, taps, outputs)
        left = [every[i] for i in range(len(every)) if i not in chosen]
        undo = [float(_without([every[i], *left], every[i])) for i in chosen]
        at = np.array([*chosen, axis.points - 1], np.intp)
        a = a * np.array([*undo, 1.0])
        grown = growth(a, axis.weights, taps, b, at)
        return cls(outputs, points, at, b.astype(dtype), a.astype(dtype), grown)

    @classmethod
    def at_end(cls, axis: Axis, outputs: int, dtype: np.dtype) -> Edge | None:
        """The edge for the last tiles of all lattices; None if they are whole."""
        alike = ((at, count) for at, count in axis.alike(outputs) if count and at < outputs)
        rest = max((ceil_div(outputs - at, axis.dilation) % axis.m for at, _ in alike), default=0)
        return cls.of(axis, rest, dtype) if rest else None


def growth(
    out: np.ndarray, weights: np.ndarray, taps: int, reads: np.ndarray, at: np.ndarray | slice = slice(None)
) -> float:
    """`Axis.growth` of the transforms' matrices: the largest of all phases and outputs.

    `out` is (outputs, points); `weights` is that of an axis, whose points `at` are used, with up to `taps` taps per
    phase; `reads` is (points, positions).
    """
    largest = 0.0
    for phase in weights:
        g = np.abs(phase.astype(float)).reshape(-1, taps)  # phases of fewer taps: (points used, taps - 1), then zeros
        if taps > 1 and not g[-1].any():
            g = np.pad(np.abs(phase.astype(float))[: (len(g) - 1) * (taps - 1)].reshape(-1, taps - 1), ((0, 1), (0, 0)))
        largest = max(largest, float((np.abs(out) * g[at].max(1) * np.abs(reads).sum(1)).sum(1).max()))
    return largest


@cache
def _reads(points: int) -> np.ndarray:
    """(points, points): magnitudes of the coefficients of each point and position in the input transform.

    Factors of pairs, of a single point and of the point's own sign are multiplied one after the other, so that
    magnitudes do not cancel.
    """
    pairs, single = _numbers(points)
    alone = [] if single is None else [single]

    def product(squares: list[Fraction], roots: list[Fraction], shift: int) -> list[Fraction]:
        poly = [Fraction(0)] * shift + _product([-abs(r) for r in roots])
        for a in squares:
            none = [Fraction(0)] * 2
            poly = [x * a * a + y for x, y in zip([*poly, *none], [*none, *poly], strict=True)]
        return poly + [Fraction(0)] * (points - len(poly))

    rows = [product([*pairs], alone, 0)]
    for a in pairs:
        rows += [product([b for b in pairs if b != a], [a, *alone], 1)] * 2
    rows += [product([*pairs], [], 1)] * len(alone)
    return np.array([*rows, product([*pairs], alone, 1)], float)


@cache
def _finite(points: int) -> tuple[Fraction, ...]:
    """The finite points of a set in order: 0, pairs, and the single one."""
    pairs, single = _numbers(points)
    return (Fraction(0), *(v for a in pairs for v in (a, -a)), *(() if single is None else (single,)))


@cache
def _numbers(points: int) -> tuple[tuple[Fraction, ...], Fraction | None]:
    pairs, single = POINTS[points]
    return tuple(map(Fraction, pairs)), None if single is None else Fraction(single)


@cache
def _coef_in(points: int) -> tuple[float, ...]:
    """Coefficients of the input transform: of 0 and infinity, then of each pair."""
    pairs, single = _numbers(points)
    found = [*([] if single is None else [single]), *_product([a * a for a in pairs])[:-1]]
    for a in pairs:
        found += [a, *_product([b * b for b in pairs if b != a])[:-1]]
    return tuple(map(float, found))


@cache
def _weights(points: int, taps: int) -> tuple[float, ...]:
    """The transform of the taps of a phase to their weights at each finite point, row by row."""
    finite = _finite(points)
    return tuple(float(v**k / _without(finite, v)) for v in finite for k in range(taps))


def _edge_matrices(finite: Sequence[Fraction], taps: int, outputs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """B', A' and G of these finite points and infinity."""
    b = [[*_product([u for u in finite if u != v]), Fraction(0)] for v in finite] + [_product(finite)]
    a = [[v**i for v in finite] + [Fraction(int(i == outputs - 1))] for i in range(outputs)]
    g = [[v**k / _without(finite, v) for k in range(taps)] for v in finite]
    g += [[Fraction(int(k == taps - 1)) for k in range(taps)]]
    return np.array(b, float), np.array(a, float), np.array(g, float)


@cache
def _best_edge(points: int, taps: int, outputs: int) -> tuple[tuple[int, ...], np.ndarray, np.ndarray]:
    """Which of the finite points of a set a filter of fewer outputs uses: those that amplify errors the least; B', A'.

    Kept for good, like the points themselves: trying all choices in exact arithmetic takes milliseconds.
    """
    every = _finite(points)

    def amplified(chosen: tuple[int, ...]) -> float:
        b, a, g = (np.abs(m) for m in _edge_matrices([every[i] for i in chosen], taps, outputs))
        return float((a * b.sum(1) * g.sum(1)).sum(1).max())

    chosen = min(((0, *rest) for rest in combinations(range(1, len(every)), outputs + taps - 3)), key=amplified)
    b, a, _ = _edge_matrices([every[i] for i in chosen], taps, outputs)
    return chosen, b, a


def _product(roots: Sequence[Fraction]) -> list[Fraction]:
    """Coefficients, ascending, of the product of (t - root)."""
    poly = [Fraction(1)]
    for root in roots:
        poly = [a - root * b for a, b in zip([Fraction(0), *poly], [*poly, Fraction(0)], strict=True)]
    return poly


def _without(finite: Sequence[Fraction], v: Fraction) -> Fraction:
    result = Fraction(1)
    for u in finite:
        if u != v:
            result *= v - u
    return result


def points_of(m: int, taps: int, stride: int) -> int | None:
    """Points that F(m, taps) needs; None where there is no set of that size, or no gain."""
    points = m + ceil_div(taps, stride) - 1
    return points if points in POINTS and points > m else None


@dataclass(frozen=True, slots=True, eq=False)
class Scheme:
    """Block sizes of one problem.

    Attributes
    ----------
    h, w : Axis
    h_edge, w_edge : Edge, optional
        Of the last tiles, where tiles do not divide the map.
    items : tuple of Items
        All items of work in a plane.
    chunks : ndarray
        Parts of the depth, of dtype `CHUNK`: Cython reads them as structs.
    starts : ndarray
        (pairs of phases, row points, column points): element of a block of weights where this part of the depth begins.
    together, tile_cols, win, y_row, depth_rows : int
        Output planes of an item, tiles in a row, columns of a band, elements of a row of pixels, rows of transformed
        weights in a block of NR.
    direct_channels, direct_tiles : int
        Channels, and adjacent tiles, that are computed directly at a time.
    direct_row : int
        Elements of a row of their pixels, which are split by their column's remainder modulo the stride.
    direct_taps : ndarray of intp
        Where in them each tap begins.
    lengths : tuple of int
        Elements of the band, the half-transformed input, the transformed input, the products, the half-transformed
        output, the rows of pixels; the squares, their sums by columns, and, of tiles that are computed directly,
        weights, pixels and results; and which tiles are.
    """

    h: Axis
    w: Axis
    h_edge: Edge | None
    w_edge: Edge | None
    items: tuple[Items, ...]
    chunks: np.ndarray
    starts: np.ndarray
    together: int
    tile_cols: int
    win: int
    y_row: int
    depth_rows: int
    direct_channels: int
    direct_tiles: int
    direct_row: int
    direct_taps: np.ndarray
    lengths: tuple[int, ...]

    @classmethod
    @keep_tables(lambda scheme: scheme.table_bytes)
    def of(cls, p: ConvProblem, isa: str, m: tuple[int, int], count: int) -> Scheme:
        size = p.acc.itemsize
        vl, (_, nr) = native.lanes(isa, size), native.tile(isa, size)
        h, w = image_axes(p, m)
        tile_cols = w.tiles(p.output[2])
        slots = h.points * w.points * h.stride * w.stride * ceil_div(p.icg, vl) * vl  # elements of a tile
        fit = block_bytes(TRANSFORMED) // (slots * max(1, tile_cols) * size)  # rows of tiles
        most = max(1, fit // p.kernel[0])
        items = in_rows(p, h, most) if count == 1 else shared(p, h, w, isa, most, count)
        rows = max((some.rows for some in items), default=1)
        whole = p.stride[0] == 1 and rows >= h.tiles(p.output[1])
        planes = planes_together(p, fit // rows, count) if whole else 1
        entered = planes + (p.kernel[0] - 1) * (p.dilation[0] if planes > 1 else 1)
        win = w.reach(p.output[2])
        y_row = (p.output[2] + w.m * w.dilation) * nr
        tiles = rows * tile_cols
        parts = 1 + (w.points == 1)  # of the squares of a column
        taps = p.kernel[1] * p.kernel[2]
        direct_channels = max(1, min(p.icg * p.kernel[0], DIRECT_WEIGHTS // (taps * nr)))
        fitting = DIRECT_PIXELS // (direct_channels * h.span(1) * w.m * w.stride)
        direct_tiles = max(1, min(w.lattice(p.output[2], 0), fitting))
        phase = ceil_div(w.span(direct_tiles), w.stride)
        direct_row = phase * w.stride
        at = np.arange(w.taps) % w.stride * phase + np.arange(w.taps) // w.stride
        direct_taps = (np.arange(h.taps)[:, None] * direct_row + at).ravel().astype(np.intp)
        lengths = (
            (h.span(rows) * win + 1) * vl, h.points * win * vl, slots * entered * tiles,
            h.points * w.points * planes * tiles * nr, h.m * w.points * nr, h.m * y_row,
            entered * rows * parts * win * vl, parts * win, direct_channels * taps * nr,
            direct_channels * h.span(1) * direct_row, direct_tiles * w.m * nr, ceil_div(entered * tiles, size),
        )  # fmt: skip
        chunks, starts, depth_rows = depth_chunks(p, h, w, vl)
        alone = p.output[0] == 1 or p.stride[0] > 1  # one plane per item, for any number of threads
        enough = h.tiles(p.output[1]) * tile_cols >= EDGE_TILES
        h_edge, w_edge = (
            Edge.at_end(axis, outputs, p.acc) if alone and enough and axis.points > 1 else None
            for axis, outputs in ((h, p.output[1]), (w, p.output[2]))
        )
        return cls(
            h, w, h_edge, w_edge, items, chunks, starts * nr, planes, tile_cols, win, y_row, depth_rows,
            direct_channels, direct_tiles, direct_row, direct_taps, lengths,
        )  # fmt: skip

    def bytes(self, size: int) -> int:
        return (sum(self.lengths) + 64) * size

    @property
    def table_bytes(self) -> int:
        return self.chunks.nbytes + self.starts.nbytes + self.direct_taps.nbytes + sys.getsizeof(self.items)

    @property
    def touched(self) -> float:
        """Share of the weights that are read: a map that is a single small tile does not use all points."""
        rows = sum(some.rows * some.number for some in self.items)
        share = 1.0
        for axis, edge, tiles in ((self.h, self.h_edge, rows), (self.w, self.w_edge, self.tile_cols)):
            if edge is not None and tiles == axis.dilation:
                share *= edge.points / axis.points
        return share

    def products(self, p: ConvProblem) -> float:
        """Products per channel of one plane."""
        return _depths(self.h, self.h_edge, p.output[1]) * _depths(self.w, self.w_edge, p.output[2])


def _depths(axis: Axis, edge: Edge | None, outputs: int) -> float:
    """Products per channel of all tiles of an axis."""
    tiles = axis.tiles(outputs)
    if edge is None:
        return tiles * axis.depth
    early = sum(count for at, count in axis.alike(outputs) if ceil_div(outputs - at, axis.dilation) % axis.m > 0)
    less = axis.points - edge.points
    return tiles * axis.depth - early * less * len(axis.used)


def planes_together(p: ConvProblem, fit: int, count: int) -> int:
    """Output planes of an item: they read at most `fit` transformed planes, and there are items for `count` threads."""
    most = fit - (p.kernel[0] - 1) * p.dilation[0]
    fair = p.output[0] if count == 1 else p.n * p.groups * p.output[0] // (4 * count)
    pieces = ceil_div(p.output[0], max(1, min(most, fair, p.output[0]))) if p.output[0] else 1
    return max(1, ceil_div(p.output[0], pieces))


class Items(NamedTuple):
    """Equal items of work: for each of some lattices, the same runs of rows of tiles, divided by channels.

    Attributes
    ----------
    lattice, lattices : int
        The first one, and how many.
    first, rows, stretches : int
        First row of the first run, rows of each run, and number of adjacent runs.
    parts : int
        Parts of the blocks of output channels; each is an item.
    """

    lattice: int
    lattices: int
    first: int
    rows: int
    stretches: int
    parts: int

    @property
    def number(self) -> int:
        return self.lattices * self.stretches * self.parts


def cut(lattice: int, lattices: int, first: int, rows: int, stretches: int, parts: int) -> list[Items]:
    """Rows of tiles in near-equal runs.

    Longer runs are started first and are at the end of the map: the last row of tiles, which may need fewer points than
    the others, then leaves as many of the others together as possible.
    """
    each, longer = divmod(rows, stretches)
    shorter = stretches - longer
    some = [Items(lattice, lattices, first + shorter * each, each + 1, longer, parts)] * (longer > 0)
    return [*some, Items(lattice, lattices, first, each, shorter, parts)]


def in_rows(p: ConvProblem, h: Axis, most: int, parts: int = 1) -> tuple[Items, ...]:
    """Items of up to `most` rows, times `parts` parts of the output channels; those that take longest come first."""
    items: list[Items] = []
    for at, lattices in h.alike(p.output[1]):
        rows = h.lattice(p.output[1], at)
        if lattices and rows:
            items += cut(at, lattices, 0, rows, ceil_div(rows, most), parts)
    return tuple(sorted(items, key=lambda some: -some.rows))


def evenly(p: ConvProblem, h: Axis, most: int, count: int, parts: int) -> tuple[Items, ...]:
    """The same number of rows for each of `count` threads; the remaining rows are split by output channels."""
    rows = h.tiles(p.output[1])
    own, left = rows // count, rows % count
    items = cut(0, 1, 0, own * count, ceil_div(own, most) * count, 1) if own else []
    return (*items, *[Items(0, 1, rows - left, left, 1, parts)] * (left > 0))


def shared(p: ConvProblem, h: Axis, w: Axis, isa: str, most: int, count: int) -> tuple[Items, ...]:
    """Items, of at most `most` rows of tiles each, with which `count` threads end earliest.

    Rows of tiles rarely divide by the number of threads; each part of the channels transforms the input again.
    """
    size = p.acc.itemsize
    vl, (mr, nr) = native.lanes(isa, size), native.tile(isa, size)
    kbs, depth = ceil_div(max(p.ocg, 1), nr), p.kernel[0] * ceil_div(p.icg, vl) * vl
    tile_cols, win = w.tiles(p.output[2]), w.reach(p.output[2])
    planes = p.n * p.groups * p.output[0]
    weights = kbs * nr * h.depth * w.depth * depth * size
    rates = host_table().rates[f"{Winograd.row}@{isa}"]
    stream = streamed(weights) * rates["bytes_streamed"] / kbs
    input_row, input_transform = rates["transform_row"], rates["transform_input"]
    output_transform = rates["transform_output"]
    products = 2.0 * rates["multiply"]

    def seconds(rows: int, part: int, parts: int) -> float:
        tiles, blocks = rows * tile_cols, kbs * (part + 1) // parts - kbs * part // parts
        strip = tiles / ceil_div(tiles, mr)
        enter = h.span(rows) * (input_row + win * input_transform) * depth
        multiply = products * tiles * nr * h.depth * w.depth * depth / min(1.0, strip / 6)
        leave = tiles * nr * h.points * w.points * output_transform
        return enter + blocks * (max(multiply, stream) + leave)

    def together(items: tuple[Items, ...]) -> float:
        """When the last thread ends, if each takes the next item as soon as it is idle."""
        # An item's time, and the number of successive items with that time.
        each = [
            (seconds(some.rows, part, some.parts), some.lattices * some.stretches)
            for some in items
            for part in range(some.parts)
        ]
        if planes * sum(number for _, number in each) > MANY_ITEMS * count:
            return sum(one * number for one, number in each) * planes / count
        ends = [0.0] * count
        for one, number in each * planes:
            for _ in range(number):
                heapq.heapreplace(ends, ends[0] + one)
        return max(ends)

    most = min(most, max(1, h.tiles(p.output[1])))
    choices = [in_rows(p, h, rows, parts) for rows in range(1, most + 1) for parts in range(1, min(kbs, 2 * count) + 1)]
    if h.dilation == 1 and planes % count and h.tiles(p.output[1]) % count <= most:
        choices += [evenly(p, h, most, count, parts) for parts in range(min(kbs, count), min(kbs, 2 * count) + 1)]
    return min(choices, key=together)


def image_axes(p: ConvProblem, m: tuple[int, int]) -> tuple[Axis, Axis]:
    """The two axes of an image."""
    h, w = (Axis.of(each, k, s, d if k > 1 else 1, p.acc) for each, k, s, d in
            zip(m, p.kernel[1:], p.stride[1:], p.dilation[1:], strict=True))  # fmt: skip
    return h, w


def phase_pairs(h: Axis, w: Axis) -> list[tuple[int, int]]:
    """Row phase and column phase of each part of the depth."""
    return list(product(range(h.stride), range(w.stride)))


def together(h: Axis, w: Axis) -> int:
    """Channels that are summed in registers before the sum is added to memory."""
    return next(channels for most, channels in SPILL if ERROR[h.points] * ERROR[w.points] <= most)


def depth_chunks(p: ConvProblem, h: Axis, w: Axis, vl: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Parts of the channels that are summed in registers, plane by plane; the first of each phase; rows of all."""
    channel_blocks = ceil_div(p.icg, vl)
    full, rest, most = p.icg // vl, p.icg % vl, max(1, together(h, w) // vl)
    parts = []  # (depth tap, first block, blocks, lanes) of one phase
    for tap in range(p.kernel[0]):
        parts += [(tap, b, min(most, full - b), vl) for b in range(0, full, most)]
        parts += [(tap, full, 1, rest)] * (rest > 0)
    starts = np.zeros((h.stride * w.stride, h.points, w.points), np.intp)
    chunks, row = [], 0
    for point in product(range(h.points), range(w.points)):
        for slot, (fh, fw) in enumerate(phase_pairs(h, w)):
            if point[0] >= h.used[fh] or point[1] >= w.used[fw]:
                continue
            starts[slot, point[0], point[1]] = row
            for tap, first, blocks, lanes in parts:
                chunks.append((point[0] * w.points + point[1], slot * channel_blocks + first, tap, blocks, lanes, row))
                row += blocks * lanes
    return np.array(chunks, CHUNK), starts, row


class Winograd(Specialised[ConvProblem]):
    """F(m, r) on both axes that have more than one tap, on float32 or float64."""

    backend = "cython"
    algorithm = "winograd"
    row = "cython.conv.winograd"
    exact = False
    activations = frozenset({"relu"})
    revision = 2

    def __init__(self, isa: str, m: tuple[int, int]) -> None:
        self.isa, self.m = isa, m
        self.relative = f"f{m[0]}" if m[0] == m[1] else f"f{m[0]}x{m[1]}"

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.not_forward:
            return p.not_forward
        if p.dtype.kind != "f":
            return native.reject_common(self.isa, p.dtype)
        for m, taps, stride, dilation in zip(self.m, p.kernel[1:], p.stride[1:], p.dilation[1:], strict=True):
            if taps == stride == 1:
                continue
            if points_of(m, taps, stride) is None:
                return f"no F({m}, {taps})" + f" with stride {stride}" * (stride > 1)
            if stride > 1 and dilation > 1:
                return "both strided and dilated"
        if p.kernel[1:] == (1, 1):
            return "not windowed"
        if self.m[0] != self.m[1] and 1 in p.kernel[1:]:
            return "one axis only, as equal tiles have it"
        h, w = image_axes(p, self.m)
        if ERROR[h.points] * ERROR[w.points] > TOO_INEXACT:
            return "rounding errors would be large"
        if p.depth == 0 or not np.isfinite(p.fill):
            return "no channels, or padding that is not finite"
        weights = p.oc * p.depth * p.acc.itemsize
        if Scheme.of(p, self.isa, self.m, 1).bytes(p.acc.itemsize) > native.SCRATCH_BYTES + 4 * weights:
            return "a row of tiles is too long for scratch"
        return native.reject_common(self.isa, p.dtype)

    def features(self, problem: ConvProblem) -> Features:
        p = problem
        size = p.acc.itemsize
        vl, (mr, nr) = native.lanes(self.isa, size), native.tile(self.isa, size)
        scheme = Scheme.of(p, self.isa, self.m, 1)
        h, w = scheme.h, scheme.w
        kbs, runs = ceil_div(max(p.ocg, 1), nr), p.n * p.groups * p.output[0]
        lanes = native.used_lanes(self.isa, size, p.ocg)
        tiles = runs * h.tiles(p.output[1]) * scheme.tile_cols
        here = max(1, max((some.rows for some in scheme.items), default=1) * scheme.tile_cols * scheme.together)
        pieces = ceil_div(here, mr)
        rows = here / pieces  # of the register tile
        full = min(1.0, (rows + 0.5) / 4.5)
        depth = p.icg * p.kernel[0]
        step = p.dilation[0] if scheme.together > 1 else 1
        entered = 1 + (p.kernel[0] - 1) * step / scheme.together  # transformed planes per output plane
        band_rows = runs * sum(h.span(some.rows) * some.number for some in scheme.items)
        transformed = band_rows * entered * ceil_div(p.icg, vl) * vl * size / 4
        weights = p.groups * kbs * nr * h.depth * w.depth * depth * size
        items = sum(some.number for some in scheme.items) * p.n * ceil_div(p.output[0], scheme.together)
        stream = scheme.touched * items * streamed(weights)
        images = p.bytes - p.oc * p.depth * size  # weights are counted as packed
        counts = {
            "call": 1,
            "transform_row": transformed,
            "transform_input": transformed * scheme.win,
            "transform_output": tiles * h.points * w.points * lanes * size / 4,
            "transform_store": p.n * p.oc * p.pixels * size / 4,
            "bytes": images if images > l3_bytes() / 2 else 0,
        }
        if not p.packed:
            counts[next(name for most, name in PACKED if weights <= most)] = weights / size
        multiply = 2.0 * runs * scheme.products(p) * depth * lanes * size / 4 / full
        counts |= {
            "join": len(scheme.chunks) * kbs * tiles / rows * 2 * mr,
            "multiply": multiply * (pieces - 1) / pieces,
        }
        # The first piece of a point reads its weights, and stalls for a part of that time; the others find them near.
        first = {
            "multiply": multiply / pieces,
            "bytes_stalled_depth" if p.kernel[0] > 1 else "bytes_stalled": full * stream,
        }
        return Features(counts, first, {"bytes_streamed": stream})

    def workspace(self, problem: ConvProblem) -> int:
        return Scheme.of(problem, self.isa, self.m, 1).bytes(problem.acc.itemsize)

    def error(self, problem: ConvProblem) -> float:
        h, w = image_axes(problem, self.m)
        depth, most = problem.icg * problem.kernel[0], together(h, w)
        terms = max(FEW_TERMS, min(depth, most) + depth / most)
        return float(np.finfo(problem.acc).eps) * ERROR[h.points] * ERROR[w.points] * (1 + ERROR_GROWTH * terms**0.5)

    def bound(self, problem: ConvProblem) -> float:
        s = Scheme.of(problem, self.isa, self.m, 1)
        grown = [max(a.growth, e.growth if e else 0) for a, e in ((s.h, s.h_edge), (s.w, s.w_edge))]
        most = together(s.h, s.w)
        depth = problem.icg * problem.kernel[0]
        chain = min(depth, most) + len(phase_pairs(s.h, s.w)) * (depth // most + problem.kernel[0])
        return rounding_bound(problem, s.h.roundings + s.w.roundings + chain + 3, grown[0] * grown[1])

    def reach(self, problem: ConvProblem) -> tuple[int, int, int]:
        h, w = image_axes(problem, self.m)
        return 0, h.width, w.width

    def transform(self, p: ConvProblem, scheme: Scheme, threads: int) -> Callable[[np.ndarray], np.ndarray]:
        """From (oc, icg, kd, kh, kw) to (groups, blocks of NR, rows of all chunks, NR), zero after the last channel."""
        size = p.acc.itemsize
        vl, (_, nr) = native.lanes(self.isa, size), native.tile(self.isa, size)
        taps, most_w = p.kernel[1] * p.kernel[2], ceil_div(scheme.w.taps, scheme.w.stride)
        elements = (TOGETHER * (taps + scheme.h.points * scheme.w.points) + vl + scheme.h.points * most_w) * nr
        shape = p.groups, ceil_div(p.ocg, nr), scheme.depth_rows, nr
        table, _winograd2d = native.table(self.isa, p.acc), native.compiled("conv._winograd2d")
        prepared = _winograd2d.WeightTransform(table, p, scheme, TOGETHER)
        seconds = host_table().rate(f"{self.rates}/pack_more") * prod(shape)
        native.schedule(prepared, elements * size, threads, seconds, native.c_order(*p.w_shape), native.c_order(*shape))
        run = prepared.bind()

        def transform(weights: np.ndarray) -> np.ndarray:
            packed = aligned_empty(shape, p.acc)
            run(weights, packed)
            return packed

        return transform

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        p = problem
        count = threads if p.flops > native.FLOPS_PER_THREAD else 1
        prepared, scheme = self._prepared(p, count)
        transform = self.transform(p, scheme, count)

        def pack(weights: np.ndarray) -> np.ndarray | None:
            return transform(weights) if native.ordinary(weights, self.isa) else None

        return native.binder(p, prepared, scheme.bytes(p.acc.itemsize), count, native.seconds(self, p), pack)

    def _prepared(self, p: ConvProblem, count: int) -> tuple[Any, Scheme]:
        scheme = Scheme.of(p, self.isa, self.m, count)
        table = native.table(self.isa, p.acc)
        return native.compiled("conv._winograd2d").Winograd(table, p, scheme, native.padded_axes(p, p.mode)), scheme

    def direct_tiles(self, problem: ConvProblem, x: np.ndarray) -> tuple[int, int]:
        """(tiles of x that are computed directly because of outliers in x, all tiles)."""
        prepared, scheme = self._prepared(problem, 1)
        native.schedule(prepared, scheme.bytes(problem.acc.itemsize), 1, 0.0, *native.images(problem))
        return prepared.direct_tiles(x)


class Tall(native.Delegated):
    """F(m, s) along the rows of an image, r x s kernels, whose rows count as taps along depth and are summed directly.

    For kernels so long that Winograd along both axes would have large rounding errors.
    """

    backend = "cython"
    algorithm = "winograd"
    row = "cython.conv.winograd"
    exact = False
    activations = frozenset({"relu"})

    def __init__(self, isa: str, m: int) -> None:
        self.isa, self.relative = isa, f"f1x{m}"
        self.inner = Winograd(isa, (m, m))

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.not_forward:
            return p.not_forward
        if p.kernel[0] != 1 or p.input[0] != 1 or p.output[0] != 1 or p.pads[0] != (0, 0):
            return "more than one plane"
        if 1 in p.kernel[1:]:
            return "one axis only, as equal tiles have it"
        return self.inner.reject(turned(p))

    def as_inner(self, problem: ConvProblem) -> ConvProblem:
        return turned(problem)

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        p = turned(problem)
        filtered = self.inner.specialise(p, threads)

        def bind(constants: tuple[Any, ...]) -> Run:
            weights, bias = constants
            return native.Reshaped(filtered((weights.reshape(p.w_shape), bias)), upright, upright)

        return bind


@keep_few()
def turned(p: ConvProblem) -> ConvProblem:
    """A problem of one plane with its rows as planes of one row."""

    def turn(axes: Sequence[Any]) -> Any:
        return axes[1], axes[0], axes[2]

    names = ("input", "kernel", "stride", "dilation", "pads", "output")
    return replace(p, **{name: turn(getattr(p, name)) for name in names})


def upright(images: np.ndarray) -> np.ndarray:
    """(N, C, D, H, W) with planes and rows exchanged."""
    return images.transpose(0, 1, 3, 2, 4)


KERNELS = (
    *(Winograd(isa, m) for isa in machine.ISAS for m in TILES),
    *(Tall(isa, m) for isa in machine.ISAS for m in (4, 2)),
)
