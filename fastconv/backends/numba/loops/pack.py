"""Panels for GEMM: `width` neighbouring columns (or rows) of a matrix, one step of the depth after the other.

Panel i holds source (p, i*width + j) at [i][p][j].  Any strides: rows of vectors where j is contiguous, transposed
blocks where p is, element by element otherwise.  A last, partial panel is padded with zeros.
"""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, VERSION, callback
from fastconv.backends.numba.tile import cast, get, mem, put, tcopy_transposed, tload_part, tstore_part


def make(BITS, VBYTES):
    W = VBYTES * 8 // BITS
    EDITION = VERSION

    @callback(*[INT] * 9)
    def pack(lo, hi, source, js, ps, columns, depth, panels, width):
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        x, y = mem(source, BITS, VBYTES), mem(panels, BITS, VBYTES)
        zero = cast(y, 0.0)
        for i in range(lo, hi):
            to = i * depth * width
            first = i * width
            count = min(width, columns - first)
            if count < width:
                for e in range(depth * width):
                    put(y, to + e, zero)
            if js == 1:
                for p in range(depth):
                    for j in range(0, count, W):
                        t = tload_part(x, first + j + p * ps, 0, 0, 1, 1, 1, count - j)
                        tstore_part(t, y, to + p * width + j, 0, 0, 1, count - j)
            elif ps == 1:
                for p in range(0, depth, W):
                    for j in range(0, count, W):
                        xo = (first + j) * js + p
                        tcopy_transposed(x, xo, js, y, to + p * width + j, width, count - j, depth - p)
            else:
                for p in range(depth):
                    for j in range(count):
                        put(y, to + p * width + j, get(x, (first + j) * js + p * ps))

    return pack
