"""Gradients of convolution weights: lanes are output channels, rows of a tile are input channels or taps.

A block is some rows and columns of one output plane of one image.  Its part of y is packed, one block of NV*W channels
at a time; its part of x is in a band, one plane per (depth tap, channel).  A tile sums all pixels of the block in
registers and adds the sums to `partial`, of shape [segment][group][block of channels][plane][tap][NR].

Rows of a tile are RS elements apart in the band: a plane, for MR channels and one tap, or the distance of two
taps of a kernel row, for one channel and MR taps.

Items are (segment of the blocks, group, KB blocks of output channels), the last fastest.
"""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, REAL, VERSION, call_at, loop
from fastconv.backends.numba.tile import mem, tadd, tfma, tload, tstore, ttable, tzero


def make(MR, NV, BITS, VBYTES):
    """MR rows x NV vectors: MR*NV accumulators, NV output channels and one broadcast."""
    W = VBYTES * 8 // BITS
    NR = NV * W
    EDITION = VERSION

    @loop(*[INT] * 25, REAL)
    def run(
        lo, hi, x, xn, xc, y, yn, yc, ycol, partial, scratch, bands, images, groups, icg, ocg, planes, EB, STEP, TSTEP,
        RS, segments, KB, filler, packer, fill,
    ):  # fmt: skip
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        d = ttable(bands)
        od, oh, ow, kd, taps = d[0], d[1], d[2], d[3], d[4]
        rows, cols, nr, nq, height, pitch = d[5], d[6], d[7], d[8], d[9], d[10]
        toff = d[14]
        plane = height * pitch
        E = kd * icg
        packed = mem(scratch, BITS, VBYTES)
        at = scratch + rows * cols * NR * (BITS // 8)
        band, sums = mem(at, BITS, VBYTES), mem(partial, BITS, VBYTES)
        out_step = NR if TSTEP > 1 else taps * NR
        kbs = (ocg + NR - 1) // NR
        chunks = (kbs + KB - 1) // KB
        blocks = images * od * nr * nq
        for item in range(lo, hi):
            chunk, rest = item % chunks, item // chunks
            g, s = rest % groups, rest // groups
            for b in range(blocks * s // segments, blocks * (s + 1) // segments):
                qb, rest = b % nq, b // nq
                rb, rest = rest % nr, rest // nr
                z, n = rest % od, rest // od
                used_rows, used_cols = min(rows, oh - rb * rows), min(cols, ow - qb * cols)
                pixel = n * yn + ((z * oh + rb * rows) * ow + qb * cols) * ycol
                for e0 in range(0, E, EB):
                    e1 = min(E, e0 + EB)
                    call_at(filler, (at, x, n * xn + g * icg * xc, xc, e0, e1, icg, bands, z, rb, qb, fill))
                    for kb in range(chunk * KB, min(kbs, (chunk + 1) * KB)):
                        first = y + (pixel + (g * ocg + kb * NR) * yc) * (BITS // 8)
                        count = min(NR, ocg - kb * NR)
                        if used_cols == ow:
                            call_at(packer, (0, 1, first, yc, ycol, count, used_rows * ow, scratch, NR))
                        else:
                            for r in range(used_rows):
                                source = first + r * ow * ycol * (BITS // 8)
                                target = scratch + r * used_cols * NR * (BITS // 8)
                                call_at(packer, (0, 1, source, yc, ycol, count, used_cols, target, NR))
                        total = ((s * groups + g) * kbs + kb) * planes * taps * NR
                        for e in range(e0, e1, STEP):
                            for t in range(0, taps, TSTEP):
                                acc = tzero(sums, MR, NV)
                                xo, po = (e - e0) * plane + d[toff + t], 0
                                for _ in range(used_rows):
                                    for q in range(used_cols):
                                        acc = tfma(acc, band, xo + q, RS, packed, po, W)
                                        po += NR
                                    xo += pitch
                                so = total + (e * taps + t) * NR
                                acc = tadd(acc, tload(sums, so, out_step, W, MR, NV))
                                tstore(acc, sums, so, out_step, W)

    return run
