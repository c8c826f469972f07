"""Sums of the elements of windows times weights, one tap after the other: lanes are results.

NV vectors of sums stay in registers for all taps.  Products are rounded before they are added, so that sums are those
of SciPy, to the bit.  Taps whose weights are equal, or opposite, are added before they are multiplied, or subtracted.
"""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, VERSION, callback
from fastconv.backends.numba.tile import cells, get, tadd, tfull, tload, tmul, tsplat, tstore, tsub, ttable


def make(CELL, NV, LANES):
    """NV vectors of LANES elements of number CELL."""
    NR = NV * LANES
    EDITION = VERSION

    @callback(*[INT] * 5)
    def combine(band, made, spare, n, table):
        # table: singles, pairs that are added, pairs that are subtracted, address of weights, then offsets of all taps.
        # weights: what sums begin with, then one for each single tap, and for each pair.
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        d = ttable(table)
        singles, sums, differences = d[0], d[1], d[2]
        x, w, y = cells(band, CELL, LANES), cells(d[3], CELL, LANES), cells(made, CELL, LANES)
        for i in range(0, n, NR):
            acc = tfull(x, get(w, 0), 1, NV)
            at, wo = 4, 1
            for _ in range(singles):
                acc = tadd(acc, tmul(tsplat(w, wo, 0, 1, NV), tload(x, i + d[at], 0, LANES, 1, NV)))
                at += 1
                wo += 1
            for _ in range(sums):
                v = tadd(tload(x, i + d[at], 0, LANES, 1, NV), tload(x, i + d[at + 1], 0, LANES, 1, NV))
                acc = tadd(acc, tmul(tsplat(w, wo, 0, 1, NV), v))
                at += 2
                wo += 1
            for _ in range(differences):
                v = tsub(tload(x, i + d[at], 0, LANES, 1, NV), tload(x, i + d[at + 1], 0, LANES, 1, NV))
                acc = tadd(acc, tmul(tsplat(w, wo, 0, 1, NV), v))
                at += 2
                wo += 1
            tstore(acc, y, i, 0, LANES)

    return combine
