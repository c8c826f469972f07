"""Maxima of windows and their indices: lanes are pixels, read from a band of one channel in scratch.

One vector of outputs at a time, and one of indices as integers of the same width.  A tap replaces the current
maximum if it is inside the input and greater, or the first NaN, or the first value.  Items as in `pool`.
"""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, REAL, VERSION, call_at, loop
from fastconv.backends.numba.tile import (
    cast,
    get,
    mem,
    put,
    tbetter,
    tfull,
    tload,
    tplace,
    tselect,
    tstore,
    tstore_part,
    tstore_place,
    ttable,
)


def make(BITS, VBYTES):
    """One vector of values, one of places."""
    W = VBYTES * 8 // BITS
    EDITION = VERSION

    @loop(*[INT] * 26, REAL)
    def run(
        lo, hi, x, xn, xc, y, yn, yc, places, pn, pc, ycol, scratch, bands, channels, filler,
        ih, iw, kh, kw, sh, sw, dh, dw, first_row, first_col, fill,
    ):  # fmt: skip
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        d = ttable(bands)
        od, oh, ow, kd = d[0], d[1], d[2], d[3]
        rows, cols, nr, nq, height, pitch = d[5], d[6], d[7], d[8], d[9], d[10]
        toff, planes = d[14], d[15]
        ym = mem(y, BITS, VBYTES)
        values = mem(scratch, BITS, VBYTES)
        found = ttable(scratch + VBYTES)
        at = scratch + VBYTES + 8 * W
        band = mem(at, BITS, VBYTES)
        plane_slots = height * pitch
        for item in range(lo, hi):
            qb, rest = item % nq, item // nq
            rb, rest = rest % nr, rest // nr
            z, rest = rest % od, rest // od
            c, n = rest % channels, rest // channels
            used_rows, used_cols = min(rows, oh - rb * rows), min(cols, ow - qb * cols)
            call_at(filler, (at, x, n * xn + c * xc, xc, 0, kd, 1, bands, z, rb, qb, fill))
            for i in range(used_rows):
                for q in range(0, used_cols, W):
                    best = tfull(ym, cast(ym, fill), 1, 1)
                    place = tplace(ym, -1, 0)
                    for t in range(kd):
                        plane = d[planes + z * kd + t]
                        for r in range(kh):
                            row = first_row + (rb * rows + i) * sh + r * dh
                            if plane >= 0 and row >= 0 and row < ih:
                                line = (plane * ih + row) * iw
                                for s in range(kw):
                                    col = first_col + (qb * cols + q) * sw + s * dw
                                    xo = t * plane_slots + i * pitch + q + d[toff + r * kw + s]
                                    v = tload(band, xo, 0, 0, 1, 1)
                                    better = tbetter(v, best, place, col, sw, iw)
                                    best = tselect(better, v, best)
                                    place = tselect(better, tplace(ym, line + col, sw), place)
                    count = min(W, used_cols - q)
                    pixel = ((z * oh + rb * rows + i) * ow + qb * cols + q) * ycol
                    yo, po = n * yn + c * yc + pixel, n * pn + c * pc + pixel
                    if ycol == 1:
                        tstore_part(best, ym, yo, 0, 0, 1, count)
                        tstore_place(place, places + 8 * po, count)
                    else:
                        tstore(best, values, 0, 0, 0)
                        tstore_place(place, scratch + VBYTES, W)
                        there = ttable(places + 8 * po)
                        for s in range(count):
                            put(ym, yo + s * ycol, get(values, s))
                            there[s * ycol] = found[s]

    return run
