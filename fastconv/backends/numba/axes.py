"""Where the taps of a window lie in a band of scratch, for any stride, dilation, padding and mode.

Along one axis, output i of a block and tap t read padded position i*s + t*d.  A band keeps these
positions in *slots* chosen so that output i + 1 reads one slot after output i, whatever the stride:
the positions are split by their remainder modulo s, and only the runs that some tap reads are kept.
So slot(i, t) = i + offset[t], and compiled loops see stride 1 always.

A band is filled by *runs*: consecutive slots whose sources in the input are equally spaced, or which contain
the fill value.  All tables are int64 and made once per shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import NamedTuple

import numpy as np

from fastconv.core.caches import keep_few, keep_tables
from fastconv.core.numbers import ceil_div, round_up
from fastconv.core.problems.base import Pads, source_of
from fastconv.machines import block_bytes
from fastconv.typing import Layout, PaddingMode

SUMS = "numba.conv/sums"  # finished ones, in scratch
ROW_SLOTS = 48

Triple = tuple[int, int, int]


def axis_slots(outputs: int, k: int, s: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Slot of output 0 for each tap, and the padded position (relative to the block's first) of each slot."""
    first = np.arange(k, dtype=np.int64) * d
    order = np.lexsort((first // s, first % s))
    phase, m = (first % s)[order], (first // s)[order]
    new = np.ones(k, bool)  # where a run begins: another phase, or a gap that no output reads
    new[1:] = (np.diff(phase) != 0) | (np.diff(m) > outputs)
    stretch, begin = np.cumsum(new) - 1, np.flatnonzero(new)
    low, high = m[begin], m[np.append(begin[1:], k) - 1]
    length = high - low + outputs
    at = np.cumsum(length) - length
    offset = np.empty(k, np.int64)
    offset[order] = at[stretch] + m - low[stretch]
    slot = np.arange(int(length.sum()), dtype=np.int64)
    return offset, np.repeat(phase[begin], length) + s * (np.repeat(low - at, length) + slot)


def slots(outputs: int, k: int, s: int, d: int) -> int:
    """An upper bound, in closed form, of the slots that `axis_slots` makes."""
    g = gcd(s, d)
    phases = min(k, s // g)
    each = ceil_div(k, phases)
    return min(k * outputs, phases * (outputs + (each - 1) * (d // g)))


def runs(source: np.ndarray) -> list[tuple[int, int, int, int]]:
    """(first slot, first source or -1, count, step) of each run of equally spaced sources."""
    result = []
    i, n = 0, source.size
    change = np.flatnonzero(np.diff(np.diff(source)) != 0) + 2  # where the spacing has changed
    while i < n:
        if source[i] < 0:
            stop = i + 1
            while stop < n and source[stop] < 0:
                stop += 1
            result.append((i, -1, stop - i, 0))
        elif i + 1 == n or source[i + 1] < 0:
            stop = i + 1
            result.append((i, int(source[i]), 1, 1))
        else:
            step = int(source[i + 1] - source[i])
            later = change[np.searchsorted(change, i + 2) :]
            stop = int(later[0]) if later.size else n
            if step < 0:  # decreasing sources seem to continue into padding: 1, 0, -1
                stop = min(stop, i + int(source[i]) // -step + 1)
            result.append((i, int(source[i]), stop - i, step))
        i = stop
    return result


def sources(position: np.ndarray, extent: int, lo: int, hi: int, mode: PaddingMode) -> np.ndarray:
    """Input index for padded positions; -1 for the fill value and after the padding.  int64."""
    index = np.where(position < lo + extent + hi, source_of(position - lo, extent, mode), -1)
    return index.astype(np.int64, copy=False)


@dataclass(frozen=True, slots=True)
class Window:
    """Common part of conv and pool: a window that moves over a padded volume."""

    input: Triple
    kernel: Triple
    stride: Triple
    dilation: Triple
    pads: Pads
    output: Triple
    mode: PaddingMode
    layout: Layout
    c: int  # channels of the input: the stride of columns where channels are last


def band_slots(w: Window, rows: int, cols: int) -> int:
    """Most elements of one plane of a band."""
    return slots(rows, w.kernel[1], w.stride[1], w.dilation[1]) * slots(cols, w.kernel[2], w.stride[2], w.dilation[2])


def row_cost(w: Window, rows: int, cols: int) -> float:
    """Slots filled per output of a block, where a row costs ROW_SLOTS more, however short it is."""
    height = slots(rows, w.kernel[1], w.stride[1], w.dilation[1])
    return (band_slots(w, rows, cols) + height * ROW_SLOTS) / (rows * cols)


@keep_few()
def choose_block(w: Window, planes: int, size: int, unit: int, sums: int, limit: int) -> tuple[int, int]:
    """Output rows and columns per band with the least cost of filling it, within the bounds on scratch.

    Scratch holds `planes` planes with elements of `size` bytes, `limit` bytes in all; a tile has `unit`
    columns; `sums` elements are kept per output, `SUMS` in all.
    """
    best = (1, max(1, min(w.output[2], unit)))
    least = float("inf")
    cols = max(1, w.output[2])
    while True:
        rows = 0
        for r in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64):
            if planes * band_slots(w, r, cols) * size > limit or r * (cols + unit) * sums * size > block_bytes(SUMS):
                break
            rows = max(1, min(r, w.output[1]))
        if rows and row_cost(w, rows, cols) < least:
            best, least = (rows, cols), row_cost(w, rows, cols)
        if cols <= unit:
            return best
        cols = max(unit, round_up(ceil_div(cols, 2), unit))


@keep_tables(lambda table: table.nbytes)
def tap_sources(w: Window) -> np.ndarray:
    """For depth, height, width in turn: the input position of each (output, tap), -1 for padding; int64, flat."""
    tables = []
    for e, k, s, d, (lo, hi), o in zip(w.input, w.kernel, w.stride, w.dilation, w.pads, w.output, strict=True):
        at = np.arange(o)[:, None] * s + np.arange(k) * d
        tables.append(sources(at, e, lo, hi, w.mode).ravel())
    return np.concatenate(tables)


@dataclass(frozen=True, slots=True)
class Bands:
    """A window cut into bands: blocks of output rows and columns, each with its scratch.

    Attributes
    ----------
    rows, cols : int
        Output rows and columns of a block.
    nr, nq : int
        Blocks of rows and of columns.
    height, pitch : int
        Rows of slots in a band, and slots per row.
    table : ndarray of int64
        `HEADER` entries, followed by all tables, as compiled loops read them.
    """

    rows: int
    cols: int
    nr: int
    nq: int
    height: int
    pitch: int
    table: np.ndarray


# od oh ow kd taps rows cols nr nq height pitch, strides of x: depth row column, then where the tables start:
# slots of taps, source planes, source rows, first run of each block of columns, runs; whether any is padding; and
# first, skip and step of blocks of rows and of columns, see `Repeated`.
HEADER = 26


class Repeated(NamedTuple):
    """Blocks along an axis, without those in its middle, which read what block `first` reads, each `step` further on.

    Tables have no entries for the `skip` blocks after `first`, so they are as long as the borders of an axis.  `kept`
    are the other blocks.
    """

    kept: np.ndarray
    first: int
    skip: int
    step: int

    @classmethod
    def of(cls, blocks: int, step: int, reads: np.ndarray, extent: int, lo: int, hi: int) -> Repeated:
        """For blocks that read padded positions `reads`, shifted by `step` from block to block."""
        low, high = (int(reads.min()), int(reads.max())) if reads.size else (0, 0)
        first = min(max(ceil_div(lo - low, step), 0), blocks)
        last = min(max((lo + extent + min(hi, 0) - 1 - high) // step, first), blocks - 1)  # the last without padding
        skip = max(last - first, 0)
        kept = np.concatenate([np.arange(min(first + 1, blocks)), np.arange(first + skip + 1, blocks)])
        return cls(kept.astype(np.int64), first, skip, step)


@keep_tables(lambda bands: bands.table.nbytes)
def make_bands(w: Window, rows: int, cols: int) -> Bands:
    """Cut `w` into bands of `rows` x `cols` outputs and write the tables."""
    kd, kh, kw = w.kernel
    od, oh, ow = w.output
    nr, nq = ceil_div(oh, rows), ceil_div(ow, cols)
    row_offset, row_rel = axis_slots(rows, kh, w.stride[1], w.dilation[1])
    col_offset, col_rel = axis_slots(cols, kw, w.stride[2], w.dilation[2])
    height, pitch = row_rel.size, col_rel.size
    toff = (row_offset[:, None] * pitch + col_offset).ravel()

    depth = np.arange(od)[:, None] * w.stride[0] + np.arange(kd) * w.dilation[0]
    planes = sources(depth, w.input[0], *w.pads[0], w.mode)
    down = Repeated.of(nr, rows * w.stride[1], row_rel, w.input[1], *w.pads[1])
    along = Repeated.of(nq, cols * w.stride[2], col_rel, w.input[2], *w.pads[2])
    rowsrc = sources(down.kept[:, None] * down.step + row_rel, w.input[1], *w.pads[1], w.mode)
    blocks = [runs(sources(q * along.step + col_rel, w.input[2], *w.pads[2], w.mode)) for q in along.kept]
    runat = np.cumsum([0, *map(len, blocks)])

    padded = int(any((t < 0).any() for t in (planes, rowsrc)) or any(r[1] < 0 for b in blocks for r in b))

    h, wd = w.input[1:]
    last = w.layout == "NHWC"
    xcol = w.c if last else 1
    tables = [toff, planes.ravel(), rowsrc.ravel(), runat, np.array([r for b in blocks for r in b], np.int64).ravel()]
    at = HEADER + np.cumsum([0, *(t.size for t in tables)])
    header = [
        od,
        oh,
        ow,
        kd,
        kh * kw,
        rows,
        cols,
        nr,
        nq,
        height,
        pitch,
        h * wd * xcol,
        wd * xcol,
        xcol,
        *at[:5],
        padded,
        *down[1:],
        *along[1:],
    ]
    table = np.concatenate([np.array(header, np.int64), *tables])
    table.setflags(write=False)
    return Bands(rows, cols, nr, nq, height, pitch, table)
