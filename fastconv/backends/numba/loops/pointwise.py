"""1x1 convolution of channels-first images in place: lanes are pixels, rows of a tile are output channels.

The input is read in place: each step multiplies NV vectors of one channel's pixels by MR broadcast weights.
Nothing is copied; the last pixels of an image are read with masks.

Items are (image, group, chunk of output channels, block of NV*W pixels), the last fastest, so that the weights of a
chunk stay in L2 for all pixels of the image.
"""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, VERSION, loop
from fastconv.backends.numba.tile import mem, tfma, tfma_part, trelu, tsplat, tstore, tstore_part


def make(MR, NV, BITS, VBYTES):
    """MR channels x NV vectors of pixels: MR*NV accumulators, NV inputs and one broadcast."""
    W = VBYTES * 8 // BITS
    NR = NV * W
    EDITION = VERSION

    @loop(*[INT] * 15)
    def run(lo, hi, x, xn, xc, w, y, yn, yc, pixels, groups, icg, ocg, CH, relu):
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        xm, wm, ym = mem(x, BITS, VBYTES), mem(w, BITS, VBYTES), mem(y, BITS, VBYTES)
        tiles = (ocg + MR - 1) // MR
        chunks = (tiles + CH - 1) // CH
        blocks = (pixels + NR - 1) // NR
        per_tile = MR * (1 + icg)
        for item in range(lo, hi):
            q, rest = item % blocks * NR, item // blocks
            chunk, rest = rest % chunks, rest // chunks
            g, n = rest % groups, rest // groups
            count = pixels - q
            for k in range(chunk * CH, min(tiles, (chunk + 1) * CH)):
                wo = (g * tiles + k) * per_tile
                xo = n * xn + g * icg * xc + q
                acc = tsplat(wm, wo, 1, MR, NV)
                wo += MR
                if count >= NR:
                    for _ in range(icg):
                        acc = tfma(acc, wm, wo, 1, xm, xo, W)
                        wo += MR
                        xo += xc
                else:
                    for _ in range(icg):
                        acc = tfma_part(acc, wm, wo, 1, xm, xo, W, count)
                        wo += MR
                        xo += xc
                if relu:
                    acc = trelu(acc)
                yo = n * yn + (g * ocg + k * MR) * yc + q
                if count >= NR and (k + 1) * MR <= ocg:
                    tstore(acc, ym, yo, yc, W)
                else:
                    tstore_part(acc, ym, yo, yc, W, ocg - k * MR, count)

    return run
