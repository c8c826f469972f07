"""Matrix product of packed panels: MR rows x NV vectors of columns in registers.

One call adds KC steps of the depth.  B is packed in panels of NV*W columns; A is packed here, MC rows at a time, in
scratch that stays in L2.  Items are (matrix, block of MC rows, group of JG panels), the last fastest:
successive items share packed rows.

out = alpha * sum (+ out, if `add`) (+ bias, unless its address is 0), relu last.
"""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, REAL, VERSION, call_at, loop
from fastconv.backends.numba.tile import (
    cast,
    mem,
    tadd,
    tfma,
    tload,
    tload_part,
    trelu,
    tscale,
    tstore,
    tstore_part,
    tzero,
)


def make(MR, NV, BITS, VBYTES):
    """MR*NV accumulators, NV columns and one broadcast."""
    W = VBYTES * 8 // BITS
    NR = NV * W
    EDITION = VERSION

    @loop(*[INT] * 22, REAL)
    def run(lo, hi, a, ab, ar, ak, b, bb, y, yb, yr, m, n, KC, MC, JG, bias, add, relu, scratch, packer, scale, alpha):
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        ap, bp, ym, biases = (
            mem(scratch, BITS, VBYTES),
            mem(b, BITS, VBYTES),
            mem(y, BITS, VBYTES),
            mem(bias, BITS, VBYTES),
        )
        factor = cast(ym, alpha)
        panels = (n + NR - 1) // NR
        groups = (panels + JG - 1) // JG
        blocks = (m + MC - 1) // MC
        present = -1
        for item in range(lo, hi):
            group, rest = item % groups, item // groups
            i0, batch = rest % blocks * MC, rest // blocks
            rows = min(MC, m - i0)
            if rest != present:
                first = a + (batch * ab + i0 * ar) * (BITS // 8)
                call_at(packer, (0, (rows + MR - 1) // MR, first, ar, ak, rows, KC, scratch, MR))
                present = rest
            for j in range(group * JG, min(panels, (group + 1) * JG)):
                columns = n - j * NR
                for i in range(0, rows, MR):
                    acc = tzero(ym, MR, NV)
                    ao, bo = i * KC, batch * bb + j * KC * NR
                    for _ in range(KC):
                        acc = tfma(acc, ap, ao, 1, bp, bo, W)
                        ao += MR
                        bo += NR
                    if scale:
                        acc = tscale(acc, factor)
                    yo = batch * yb + (i0 + i) * yr + j * NR
                    if i + MR <= rows and columns >= NR:
                        if add:
                            acc = tadd(acc, tload(ym, yo, yr, W, MR, NV))
                        if bias != 0:
                            acc = tadd(acc, tload(biases, j * NR, 0, W, MR, NV))
                        if relu:
                            acc = trelu(acc)
                        tstore(acc, ym, yo, yr, W)
                    else:
                        if add:
                            acc = tadd(acc, tload_part(ym, yo, yr, W, MR, NV, rows - i, columns))
                        if bias != 0:
                            acc = tadd(acc, tload_part(biases, j * NR, 0, W, MR, NV, MR, columns))
                        if relu:
                            acc = trelu(acc)
                        tstore_part(acc, ym, yo, yr, W, rows - i, columns)

    return run
