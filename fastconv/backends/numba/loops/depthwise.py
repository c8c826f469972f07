"""Depthwise convolution, one input channel per group: nothing is summed over channels, lanes are pixels.

A band of one channel is in scratch; tiles of RB output rows x NV vectors read it, with a rolled loop over
taps, so one function serves every kernel, stride and dilation.  Items are (image, channel, output plane, block of
rows, block of columns).
"""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, REAL, VERSION, call_at, loop
from fastconv.backends.numba.tile import (
    get,
    mem,
    put,
    tload,
    tmac,
    trelu,
    tsplat,
    tstore,
    tstore_part,
    ttable,
)


def make(RB, NV, BITS, VBYTES):
    """RB rows x NV vectors from a band: RB*NV accumulators, as many inputs and one weight."""
    W = VBYTES * 8 // BITS
    NR = NV * W
    EDITION = VERSION

    @loop(*[INT] * 16, REAL)
    def run(lo, hi, x, xn, xc, w, y, yn, yc, ycol, scratch, bands, groups, ocg, relu, filler, fill):
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        d = ttable(bands)
        od, oh, ow, kd, taps = d[0], d[1], d[2], d[3], d[4]
        rows, cols, nr, nq, height, pitch = d[5], d[6], d[7], d[8], d[9], d[10]
        toff = d[14]
        wm, ym = mem(w, BITS, VBYTES), mem(y, BITS, VBYTES)
        sums = mem(scratch, BITS, VBYTES)
        at = scratch + RB * NR * (BITS // 8)
        band = mem(at, BITS, VBYTES)
        plane = height * pitch
        per_channel = 1 + kd * taps
        for item in range(lo, hi):
            qb, rest = item % nq, item // nq
            rb, rest = rest % nr, rest // nr
            z, rest = rest % od, rest // od
            g, n = rest % groups, rest // groups
            used_rows, used_cols = min(rows, oh - rb * rows), min(cols, ow - qb * cols)
            call_at(filler, (at, x, n * xn + g * xc, xc, 0, kd, 1, bands, z, rb, qb, fill))
            for m in range(ocg):
                k = g * ocg + m
                for i in range(0, used_rows, RB):
                    for q in range(0, used_cols, NR):
                        wo = k * per_channel
                        acc = tsplat(wm, wo, 0, RB, NV)
                        wo += 1
                        xo = i * pitch + q
                        for _ in range(kd):
                            for t in range(taps):
                                acc = tmac(
                                    acc, tsplat(wm, wo, 0, RB, NV), tload(band, xo + d[toff + t], pitch, W, RB, NV)
                                )
                                wo += 1
                            xo += plane
                        if relu:
                            acc = trelu(acc)
                        yo = n * yn + k * yc + ((z * oh + rb * rows + i) * ow + qb * cols + q) * ycol
                        m_rows, m_cols = min(RB, used_rows - i), min(NR, used_cols - q)
                        if ycol == 1:
                            if m_rows == RB and m_cols == NR:
                                tstore(acc, ym, yo, ow, W)
                            else:
                                tstore_part(acc, ym, yo, ow, W, m_rows, m_cols)
                        else:
                            tstore(acc, sums, 0, NR, W)
                            for r in range(m_rows):
                                for c in range(m_cols):
                                    put(ym, yo + (r * ow + c) * ycol, get(sums, r * NR + c))

    return run
