"""Direct convolution: output channels in lanes, pixels of one output row down the rows of a tile.

A band of input rows lies in scratch, one plane per (depth tap, channel), so that a tile's pixels are
neighbours for every tap; each step broadcasts MR of them against NV vectors of weights.  Sums of one block of
NV*W channels go to scratch tile by tile, and from there to the output, transposed where channels come first.

Items are (image, group, output plane, block of rows, block of columns, block of output channels), the last
fastest: successive items share a band.
"""

from __future__ import annotations

from fastconv.backends.numba.loops.band import fill_band
from fastconv.backends.numba.loops.build import INT, REAL, VERSION, loop
from fastconv.backends.numba.tile import (
    cast,
    mem,
    table,
    tcopy_transposed,
    tfma,
    tload,
    trelu,
    tstore,
    tstore_part,
)


def make(MR, NV, BITS, VBYTES):
    """MR pixels x NV vectors: MR*NV accumulators, NV weights and one broadcast."""
    W = VBYTES * 8 // BITS
    NR = NV * W
    EDITION = VERSION

    @loop(*[INT] * 17, REAL)
    def run(lo, hi, x, xn, xc, w, y, yn, yc, ycol, scratch, bands, groups, icg, ocg, EB, relu, fill):
        EDITION  # noqa: B018  (part of the closure, so that kept code is told apart)
        d = table(bands)
        od, oh, ow, kd, taps = d[0], d[1], d[2], d[3], d[4]
        rows, cols, nr, nq, height, pitch = d[5], d[6], d[7], d[8], d[9], d[10]
        toff = d[14]
        xm, wm, ym = mem(x, BITS, VBYTES), mem(w, BITS, VBYTES), mem(y, BITS, VBYTES)
        E = kd * icg
        plane = height * pitch
        wide = (cols + MR - 1) // MR * MR
        sums = mem(scratch, BITS, VBYTES)
        band = mem(scratch + rows * wide * NR * (BITS // 8), BITS, VBYTES)
        value = cast(xm, fill)
        blocks = (ocg + NR - 1) // NR
        per_block = NR * (1 + E * taps)
        present = -1
        for item in range(lo, hi):
            kb, where = item % blocks, item // blocks
            qb, rest = where % nq, where // nq
            rb, rest = rest % nr, rest // nr
            z, rest = rest % od, rest // od
            g, n = rest % groups, rest // groups
            used_rows, used_cols = min(rows, oh - rb * rows), min(cols, ow - qb * cols)
            first_w = (g * blocks + kb) * per_block
            e0 = 0
            while True:
                e1 = min(E, e0 + EB)
                if where != present:
                    fill_band(band, xm, n * xn + g * icg * xc, xc, e0, e1, icg, d, z, rb, qb, value)
                    if EB >= E:
                        present = where
                for i in range(used_rows):
                    for q in range(0, used_cols, MR):
                        so = (i * wide + q) * NR
                        if e0 == 0:
                            acc = tload(wm, first_w, 0, W, MR, NV)
                        else:
                            acc = tload(sums, so, NR, W, MR, NV)
                        wo = first_w + NR * (1 + e0 * taps)
                        xo = i * pitch + q
                        for _ in range(e0, e1):
                            for t in range(taps):
                                acc = tfma(acc, band, xo + d[toff + t], 1, wm, wo, W)
                                wo += NR
                            xo += plane
                        if relu and e1 == E:
                            acc = trelu(acc)
                        tstore(acc, sums, so, NR, W)
                e0 = e1
                if e0 >= E:
                    break
            count = min(NR, ocg - kb * NR)
            yo = n * yn + (g * ocg + kb * NR) * yc + ((z * oh + rb * rows) * ow + qb * cols) * ycol
            for i in range(used_rows):
                so = i * wide * NR
                if ycol == 1:
                    for v in range(0, count, W):
                        for q in range(0, used_cols, W):
                            tcopy_transposed(
                                sums, so + q * NR + v, NR, ym, yo + v * yc + q, yc, used_cols - q, count - v
                            )
                else:
                    for q in range(used_cols):
                        tstore_part(tload(sums, so + q * NR, 0, W, 1, NV), ym, yo + q * ycol, 0, W, 1, count)
                yo += ow * ycol

    return run
