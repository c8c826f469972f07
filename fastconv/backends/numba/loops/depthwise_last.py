"""Depthwise convolution of channels-last images: lanes are channels, everything is read in place.

Each step multiplies NV vectors of one pixel's channels by one tap's weights.  Tables, one per axis, say which input a
tap reads; -1 is padding.  Items are (image, output plane, output row).
"""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, REAL, VERSION, loop
from fastconv.backends.numba.tile import (
    cast,
    mem,
    tfull,
    tload,
    tload_part,
    tmac,
    trelu,
    tstore,
    tstore_part,
    ttable,
)


def make(NV, BITS, VBYTES):
    """One pixel x NV vectors of channels."""
    W = VBYTES * 8 // BITS
    NR = NV * W
    EDITION = VERSION

    @loop(*[INT] * 18, REAL)
    def run(lo, hi, x, xn, w, y, yn, c, wide, ih, iw, od, oh, ow, kd, kh, kw, sources, fill):
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        d = ttable(sources)
        relu, planes = d[0], 1
        rows = planes + od * kd
        columns = rows + oh * kh
        xm, wm, ym = mem(x, BITS, VBYTES), mem(w, BITS, VBYTES), mem(y, BITS, VBYTES)
        outside = tfull(xm, cast(xm, fill), 1, NV)
        for item in range(lo, hi):
            i, rest = item % oh, item // oh
            z, n = rest % od, rest // od
            for j in range(ow):
                yo = n * yn + ((z * oh + i) * ow + j) * c
                for c0 in range(0, c, NR):
                    acc = tload(wm, c0, 0, W, 1, NV)
                    wo = wide + c0
                    for t in range(kd):
                        plane = d[planes + z * kd + t]
                        for r in range(kh):
                            row = d[rows + i * kh + r]
                            line = n * xn + (plane * ih + row) * iw * c + c0
                            empty = plane < 0 or row < 0
                            for s in range(kw):
                                col = d[columns + j * kw + s]
                                if empty or col < 0:
                                    v = outside
                                elif c0 + NR <= c:
                                    v = tload(xm, line + col * c, 0, W, 1, NV)
                                else:
                                    v = tload_part(xm, line + col * c, 0, W, 1, NV, 1, c - c0)
                                acc = tmac(acc, v, tload(wm, wo, 0, W, 1, NV))
                                wo += wide
                    if relu:
                        acc = trelu(acc)
                    if c0 + NR <= c:
                        tstore(acc, ym, yo + c0, 0, W)
                    else:
                        tstore_part(acc, ym, yo + c0, 0, W, 1, c - c0)

    return run
