"""Maxima and averages of windows: lanes are pixels, read from a band of one channel in scratch.

Like `depthwise`, without weights: RB output rows x NV vectors, a rolled loop over taps, one function for every kernel,
stride and dilation.  Padding in the band is -inf or 0, so it changes nothing.  Averages are divided by the product of
three counts, one per axis.  Items are (image, channel, output plane, block of rows, block of columns).
"""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, REAL, VERSION, call_at, loop
from fastconv.backends.numba.tile import (
    cast,
    get,
    mem,
    put,
    tadd,
    tdiv,
    tfull,
    tload,
    tmac,
    tmax,
    tscale,
    tsplat,
    tstore,
    tstore_part,
    ttable,
    tzero,
)


def make(AVERAGE, RB, NV, BITS, VBYTES):
    """Averages if AVERAGE, else largest values; RB*NV accumulators and as many inputs."""
    W = VBYTES * 8 // BITS
    NR = NV * W
    EDITION = VERSION

    @loop(*[INT] * 23, REAL)
    def run(
        lo, hi, x, xn, xc,
        counts, deep, deep_first, deep_skip, high, high_first, high_skip, wide, wide_first, wide_skip,
        y, yn, yc, ycol, scratch, bands, channels, filler, fill,
    ):  # fmt: skip
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        d = ttable(bands)
        od, oh, ow, kd, taps = d[0], d[1], d[2], d[3], d[4]
        rows, cols, nr, nq, height, pitch = d[5], d[6], d[7], d[8], d[9], d[10]
        toff = d[14]
        cm, ym = mem(counts, BITS, VBYTES), mem(y, BITS, VBYTES)
        results = mem(scratch, BITS, VBYTES)
        at = scratch + RB * NR * (BITS // 8)
        band = mem(at, BITS, VBYTES)
        plane = height * pitch
        for item in range(lo, hi):
            qb, rest = item % nq, item // nq
            rb, rest = rest % nr, rest // nr
            z, rest = rest % od, rest // od
            c, n = rest % channels, rest // channels
            used_rows, used_cols = min(rows, oh - rb * rows), min(cols, ow - qb * cols)
            call_at(filler, (at, x, n * xn + c * xc, xc, 0, kd, 1, bands, z, rb, qb, fill))
            for i in range(0, used_rows, RB):
                for q in range(0, used_cols, NR):
                    acc = tfull(ym, cast(ym, fill), RB, NV)
                    xo = i * pitch + q
                    for _ in range(kd):
                        for t in range(taps):
                            v = tload(band, xo + d[toff + t], pitch, W, RB, NV)
                            if AVERAGE:
                                acc = tadd(acc, v)
                            else:
                                acc = tmax(acc, v)
                        xo += plane
                    if AVERAGE:
                        # Counts of columns, rows and planes, without most of the equal ones (see `AxisCounts`),
                        # followed by room for a whole tile.
                        column, line = qb * cols + q, rb * rows + i
                        column = wide + min(column, max(column - wide_skip, wide_first))
                        line = high + min(line, max(line - high_skip, high_first))
                        plane_at = deep + min(z, max(z - deep_skip, deep_first))
                        columns = tload(cm, column, 0, W, RB, NV)
                        lines = tsplat(cm, line, 1, RB, NV)
                        count = tscale(tmac(tzero(ym, RB, NV), columns, lines), get(cm, plane_at))
                        acc = tdiv(acc, count)
                    yo = n * yn + c * yc + ((z * oh + rb * rows + i) * ow + qb * cols + q) * ycol
                    m_rows, m_cols = min(RB, used_rows - i), min(NR, used_cols - q)
                    if ycol != 1:
                        tstore(acc, results, 0, NR, W)
                        for r in range(m_rows):
                            for s in range(m_cols):
                                put(ym, yo + (r * ow + s) * ycol, get(results, r * NR + s))
                    elif m_rows == RB and m_cols == NR:
                        tstore(acc, ym, yo, ow, W)
                    else:
                        tstore_part(acc, ym, yo, ow, W, m_rows, m_cols)

    return run
