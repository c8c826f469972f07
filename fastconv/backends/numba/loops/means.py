"""Means of windows along an axis: lanes are results, windows are joined of shorter ones.

Sums of 2, 4, 8, ... elements are made of two of the ones before, and a window of those that its length has as a binary
number.  So nothing is carried along a line: sums do not drift, and NaN reaches the windows that contain it.
"""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, VERSION, callback
from fastconv.backends.numba.tile import cast, cells, tadd, tdiv, tfull, tload, tstore, ttable


def make(CELL, NV, LANES):
    """NV vectors of LANES elements of number CELL."""
    NR = NV * LANES
    EDITION = VERSION

    @callback(*[INT] * 5)
    def combine(band, made, spare, n, table):
        # table: taps, elements from one to the next
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        d = ttable(table)
        taps, step = d[0], d[1]
        y, sums = cells(made, CELL, LANES), cells(spare, CELL, LANES)
        x = cells(band, CELL, LANES)
        count = tfull(x, cast(x, float(taps)), 1, NV)
        at, power = 0, 1
        while True:
            if taps & power:
                last = 2 * power > taps
                for i in range(0, n, NR):
                    acc = tload(x, i + at * step, 0, LANES, 1, NV)
                    if at:
                        acc = tadd(tload(y, i, 0, LANES, 1, NV), acc)
                    tstore(tdiv(acc, count) if last else acc, y, i, 0, LANES)
                at += power
                if last:
                    break
            for i in range(0, n + (taps - 2 * power) * step, NR):
                v = tadd(tload(x, i, 0, LANES, 1, NV), tload(x, i + power * step, 0, LANES, 1, NV))
                tstore(v, sums, i, 0, LANES)
            x = sums
            power *= 2

    return combine
