"""Direct convolution: lanes are output channels, rows of a tile are pixels of one output row.

A band of input rows is in scratch, one plane per (depth tap, channel), so that a tile's pixels are neighbours
for every tap; each step multiplies MR broadcast pixels by NV vectors of weights.  FB planes are summed at a time, so
that their weights stay in L2 for all tiles of the band, and so that no chain of additions is long.  Sums
of one block of NV*W channels are kept in scratch and then copied to the output, transposed where channels are first.

Items are (image, group, output plane, block of rows, block of columns, block of output channels), the last
fastest: successive items share a band.
"""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, REAL, VERSION, call_at, loop
from fastconv.backends.numba.tile import (
    mem,
    tadd,
    tcopy_transposed,
    tfma,
    tload,
    trelu,
    tstore,
    tstore_part,
    ttable,
    tzero,
)


def make(MR, NV, BITS, VBYTES):
    """MR pixels x NV vectors: MR*NV accumulators, NV weights and one broadcast."""
    W = VBYTES * 8 // BITS
    NR = NV * W
    EDITION = VERSION

    @loop(*[INT] * 19, REAL)
    def run(lo, hi, x, xn, xc, w, y, yn, yc, ycol, scratch, bands, groups, icg, ocg, EB, FB, relu, filler, fill):
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        d = ttable(bands)
        od, oh, ow, kd, taps = d[0], d[1], d[2], d[3], d[4]
        rows, cols, nr, nq, height, pitch = d[5], d[6], d[7], d[8], d[9], d[10]
        toff = d[14]
        wm, ym = mem(w, BITS, VBYTES), mem(y, BITS, VBYTES)
        E = kd * icg
        plane = height * pitch
        wide = (cols + MR - 1) // MR * MR
        sums = mem(scratch, BITS, VBYTES)
        at = scratch + rows * wide * NR * (BITS // 8)
        band = mem(at, BITS, VBYTES)
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
                    xi = n * xn + g * icg * xc
                    call_at(filler, (at, x, xi, xc, e0, e1, icg, bands, z, rb, qb, fill))
                    if EB >= E:
                        present = where
                for f0 in range(e0, e1, FB):
                    f1 = min(e1, f0 + FB)
                    for i in range(used_rows):
                        for q in range(0, used_cols, MR):
                            so = (i * wide + q) * NR
                            if f0 == 0:
                                acc = tload(wm, first_w, 0, W, MR, NV)
                            else:
                                acc = tzero(wm, MR, NV)
                            wo = first_w + NR * (1 + f0 * taps)
                            xo = (f0 - e0) * plane + i * pitch + q
                            for _ in range(f0, f1):
                                for t in range(taps):
                                    acc = tfma(acc, band, xo + d[toff + t], 1, wm, wo, W)
                                    wo += NR
                                xo += plane
                            if f0 > 0:
                                acc = tadd(acc, tload(sums, so, NR, W, MR, NV))
                            if relu and f1 == E:
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
