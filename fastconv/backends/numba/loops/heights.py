"""Extrema of elements plus heights: lanes are results.

As in SciPy, sums are those of the dtype of the elements, which wraps around, but for the first one, which is a sum of
doubles; all are compared as doubles.
"""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, VERSION, callback
from fastconv.backends.numba.tile import cells, tadd, tconvert, tload, tmax, tmin, tplus, tsplat, tstore, ttable


def make(MAX, FROM, CELL, NV, LANES):
    """Largest sums if MAX, else smallest; elements of number FROM, results of number CELL, that of doubles."""
    NR = NV * LANES
    EDITION = VERSION

    @callback(*[INT] * 5)
    def combine(band, made, spare, n, table):
        # table: taps, at least one, the addresses of the first height and of all as elements, then offsets of taps
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        d = ttable(table)
        x, y = cells(band, FROM, LANES), cells(made, CELL, LANES)
        height, heights = cells(d[1], CELL, LANES), cells(d[2], FROM, LANES)
        for i in range(0, n, NR):
            acc = tadd(tconvert(tload(x, i + d[3], 0, LANES, 1, NV), CELL), tsplat(height, 0, 0, 1, NV))
            for t in range(1, d[0]):
                v = tconvert(tplus(tload(x, i + d[3 + t], 0, LANES, 1, NV), tsplat(heights, t, 0, 1, NV)), CELL)
                acc = tmax(acc, v) if MAX else tmin(acc, v)
            tstore(acc, y, i, 0, LANES)

    return combine
