"""Maxima and averages of windows of channels-last images: lanes are channels, read in place.

Tables, one per axis, say which input a tap reads; -1 is padding, which is skipped.  Items are
(image, output plane, output row).
"""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, REAL, VERSION, loop
from fastconv.backends.numba.tile import (
    cast,
    get,
    mem,
    tadd,
    tdiv,
    tfull,
    tload,
    tload_part,
    tmax,
    tstore,
    tstore_part,
    ttable,
)


def make(AVERAGE, NV, BITS, VBYTES):
    """One pixel x NV vectors of channels; averages if AVERAGE, else largest values."""
    W = VBYTES * 8 // BITS
    NR = NV * W
    EDITION = VERSION

    @loop(*[INT] * 26, REAL)
    def run(
        lo, hi, x, xn, counts, deep, deep_first, deep_skip, high, high_first, high_skip, wide, wide_first, wide_skip,
        y, yn, c, ih, iw, od, oh, ow, kd, kh, kw, sources, start,
    ):  # fmt: skip
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        d = ttable(sources)
        rows = od * kd
        columns = rows + oh * kh
        xm, cm, ym = mem(x, BITS, VBYTES), mem(counts, BITS, VBYTES), mem(y, BITS, VBYTES)
        initial = cast(ym, start)
        for item in range(lo, hi):
            i, rest = item % oh, item // oh
            z, n = rest % od, rest // od
            for j in range(ow):
                yo = n * yn + ((z * oh + i) * ow + j) * c
                for c0 in range(0, c, NR):
                    acc = tfull(ym, initial, 1, NV)
                    for t in range(kd):
                        plane = d[z * kd + t]
                        for r in range(kh):
                            row = d[rows + i * kh + r]
                            if plane >= 0 and row >= 0:
                                line = n * xn + (plane * ih + row) * iw * c + c0
                                for s in range(kw):
                                    col = d[columns + j * kw + s]
                                    if col >= 0:
                                        if c0 + NR <= c:
                                            v = tload(xm, line + col * c, 0, W, 1, NV)
                                        else:
                                            v = tload_part(xm, line + col * c, 0, W, 1, NV, 1, c - c0)
                                        if AVERAGE:
                                            acc = tadd(acc, v)
                                        else:
                                            acc = tmax(acc, v)
                    if AVERAGE:
                        count = get(cm, wide + min(j, max(j - wide_skip, wide_first)))
                        count *= get(cm, high + min(i, max(i - high_skip, high_first)))
                        count *= get(cm, deep + min(z, max(z - deep_skip, deep_first)))
                        acc = tdiv(acc, tfull(ym, count, 1, NV))
                    if c0 + NR <= c:
                        tstore(acc, ym, yo + c0, 0, W)
                    else:
                        tstore_part(acc, ym, yo + c0, 0, W, 1, c - c0)

    return run
