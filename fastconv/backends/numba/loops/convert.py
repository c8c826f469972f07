"""Copy elements, converted from one dtype to another: how filters load and store.

A narrow integer of a float is what C makes of it: truncated towards zero, and wrapped around.
"""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, VERSION, callback
from fastconv.backends.numba.tile import cells, tconvert, tload, tstore


def make(FROM, TO, LANES):
    """From elements of number FROM to those of number TO, LANES at a time."""
    EDITION = VERSION

    @callback(*[INT] * 6)
    def convert(x, xi, step, y, yi, n):
        # y[yi + i] = x[xi + i*step] for i < n
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        xs, ys = cells(x, FROM, LANES), cells(y, TO, LANES)
        x1, y1 = cells(x, FROM, 1), cells(y, TO, 1)
        i = 0
        if step == 1:
            while i + LANES <= n:
                tstore(tconvert(tload(xs, xi + i, 0, 0, 1, 1), TO), ys, yi + i, 0, 0)
                i += LANES
        while i < n:
            tstore(tconvert(tload(x1, xi + i * step, 0, 0, 1, 1), TO), y1, yi + i, 0, 0)
            i += 1

    return convert
