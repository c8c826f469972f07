"""Extrema of windows along an axis: lanes are results, windows are joined of shorter ones.

Windows of up to four elements are read at once.  Longer ones are two of half their length, again and again, and two
that overlap at last: the number of comparisons is the logarithm of the length.
"""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, VERSION, callback
from fastconv.backends.numba.tile import cells, tload, tmax, tmin, tstore, ttable

AT_ONCE = 4


def make(MAX, CELL, NV, LANES):
    """Largest elements if MAX, else smallest; NV vectors of LANES elements of number CELL."""
    NR = NV * LANES
    EDITION = VERSION

    @callback(*[INT] * 5)
    def combine(band, made, spare, n, table):
        # table: taps, elements from one to the next
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        d = ttable(table)
        taps, step = d[0], d[1]
        x, y = cells(band, CELL, LANES), cells(made, CELL, LANES)
        power = min(taps, AT_ONCE)
        for i in range(0, n + (taps - power) * step, NR):
            acc = tload(x, i, 0, LANES, 1, NV)
            for t in range(1, power):
                v = tload(x, i + t * step, 0, LANES, 1, NV)
                acc = tmax(acc, v) if MAX else tmin(acc, v)
            tstore(acc, y, i, 0, LANES)
        # In place: what a chunk reads behind itself is not written yet.
        while power < taps:
            more = min(power, taps - power)
            power += more
            for i in range(0, n + (taps - power) * step, NR):
                acc, v = tload(y, i, 0, LANES, 1, NV), tload(y, i + more * step, 0, LANES, 1, NV)
                tstore(tmax(acc, v) if MAX else tmin(acc, v), y, i, 0, LANES)

    return combine
