"""Fill a band of scratch with the part of an input that one block of outputs reads.

The only loops that know padding, modes and layouts; see `axes` for the tables.
"""

from __future__ import annotations

import numba

from fastconv.backends.numba.loops.build import INT, REAL, VERSION, callback
from fastconv.backends.numba.tile import (
    cast,
    get,
    lanes,
    mem,
    put,
    table,
    tcopy_even,
    tcopy_transposed,
    tfull,
    tload,
    tload_part,
    tstore,
    tstore_part,
)

helper = numba.njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@helper
def fill_constant(band, at, count, value):
    """band[at : at + count] = value"""
    w = lanes(band)
    i = 0
    if count >= w:
        t = tfull(band, value, 1, 1)
        while i + w <= count:
            tstore(t, band, at + i, 0, 0)
            i += w
        tstore(t, band, at + count - w, 0, 0)
    else:
        while i < count:
            put(band, at + i, value)
            i += 1


@helper
def copy_run(x, xi, step, band, at, count):
    """band[at + i] = x[xi + i*step] for i < count; the last vector may copy again what the one before it has."""
    w = lanes(band)
    i = 0
    if step == 1:
        if count >= w:
            while i + w <= count:
                tstore(tload(x, xi + i, 0, 0, 1, 1), band, at + i, 0, 0)
                i += w
            tstore(tload(x, xi + count - w, 0, 0, 1, 1), band, at + count - w, 0, 0)
        else:
            tstore_part(tload_part(x, xi, 0, 0, 1, 1, 1, count), band, at, 0, 0, 1, count)
    else:
        if step == 2:
            while i + w <= count:
                tcopy_even(x, xi + 2 * i, band, at + i)
                i += w
        while i < count:
            put(band, at + i, get(x, xi + i * step))
            i += 1


@helper
def fill_planar(band, at, x, xi, xrow, d, rows, first_run, last_run, height, pitch, value):
    """One plane whose columns are contiguous: rows listed at d[rows], runs of columns at d[first_run]."""
    for r in range(height):
        row = d[rows + r]
        to = at + r * pitch
        if row < 0:
            fill_constant(band, to, pitch, value)
        else:
            for k in range(first_run, last_run, 4):
                slot, source, count, step = d[k], d[k + 1], d[k + 2], d[k + 3]
                if source < 0:
                    fill_constant(band, to + slot, count, value)
                else:
                    copy_run(x, xi + row * xrow + source, step, band, to + slot, count)


@helper
def fill_channels(band, at, plane, x, xi, xrow, xcol, channels, d, rows, first_run, last_run, height, pitch, value):
    """Adjacent channels of pixels `xcol` apart, each to a plane of its own: transposed block by block."""
    w = lanes(band)
    for r in range(height):
        row = d[rows + r]
        to = at + r * pitch
        if row < 0:
            for c in range(channels):
                fill_constant(band, to + c * plane, pitch, value)
            continue
        for k in range(first_run, last_run, 4):
            slot, source, count, step = d[k], d[k + 1], d[k + 2], d[k + 3]
            if source < 0:
                for c in range(channels):
                    fill_constant(band, to + c * plane + slot, count, value)
                continue
            for i in range(0, count, w):
                xo = xi + row * xrow + (source + i * step) * xcol
                for c in range(0, channels, w):
                    tcopy_transposed(
                        x, xo + c, step * xcol, band, to + c * plane + slot + i, plane, count - i, channels - c
                    )


def make(BITS, VBYTES):
    """The function that the loops of other files call by its address: compiled once, not once per tile shape."""
    EDITION = VERSION

    @callback(*[INT] * 12, REAL)
    def fill(scratch, x, xi, xc, first, last, channels, bands, z, rb, qb, slack, fill_value):
        # Entries `first` to `last` of (depth taps x channels), in that order, for block (z, rb, qb), a plane each.
        EDITION  # noqa: B018  (part of the closure, so that kept code is told apart)
        d = table(bands)
        band, xm = mem(scratch, BITS, VBYTES), mem(x, BITS, VBYTES)
        value = cast(xm, fill_value)
        kd, height, pitch = d[3], d[9], d[10]
        xdepth, xrow, xcol = d[11], d[12], d[13]
        planes, rows, runat, runs = d[15] + z * kd, d[16] + rb * height, d[17] + qb, d[18]
        first_run, last_run = runs + 4 * d[runat], runs + 4 * d[runat + 1]
        plane = height * pitch
        e = first
        while e < last:
            t, c = e // channels, e % channels
            source = d[planes + t]
            at = (e - first) * plane
            count = 1
            if source < 0:
                fill_constant(band, at, plane, value)
            elif xcol == 1:
                xo = xi + c * xc + source * xdepth
                fill_planar(band, at, xm, xo, xrow, d, rows, first_run, last_run, height, pitch, value)
            else:
                count = min(channels - c, last - e)
                xo = xi + c * xc + source * xdepth
                fill_channels(
                    band, at, plane, xm, xo, xrow, xcol, count, d, rows, first_run, last_run, height, pitch, value
                )
            e += count
        for i in range(slack):  # tiles may read behind the last plane; what they make of it is never stored
            put(band, (last - first) * plane + i, value)

    return fill
