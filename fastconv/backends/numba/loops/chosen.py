"""Extrema of the elements that a window chooses: lanes are results, NV vectors stay in registers for all taps."""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, VERSION, callback
from fastconv.backends.numba.tile import cells, tload, tmax, tmin, tstore, ttable


def make(MAX, CELL, NV, LANES):
    """Largest elements if MAX, else smallest; NV vectors of LANES elements of number CELL."""
    NR = NV * LANES
    EDITION = VERSION

    @callback(*[INT] * 5)
    def combine(band, made, spare, n, table):
        # table: taps, at least one, then their offsets
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        d = ttable(table)
        x, y = cells(band, CELL, LANES), cells(made, CELL, LANES)
        last = d[0] + 1
        for i in range(0, n, NR):
            acc = tload(x, i + d[1], 0, LANES, 1, NV)
            for t in range(2, last):
                v = tload(x, i + d[t], 0, LANES, 1, NV)
                acc = tmax(acc, v) if MAX else tmin(acc, v)
            tstore(acc, y, i, 0, LANES)

    return combine
