"""Ranks of the elements of windows by a network of comparisons: lanes are results.

The taps of NV vectors of results are copied to scratch, and each step of the network orders two of them.  A table has
the steps, so that one function serves every window and rank.  Where windows hold NaN, results depend on the order of
elements in SciPy, and are found by its quickselect, one after the other.
"""

from __future__ import annotations

from numba.extending import register_jitable

from fastconv.backends.numba.loops.build import INT, VERSION, callback
from fastconv.backends.numba.tile import cells, get, put, tadd, thas_nan, tload, tmax, tmin, tstore, ttable


@register_jitable
def select(values, last, rank):
    """Hoare's quickselect, as in SciPy, of the elements up to the last one."""
    first = 0
    while first < last:
        pivot, i, j = get(values, first), first - 1, last + 1
        while True:
            j -= 1
            while get(values, j) > pivot:
                j -= 1
            i += 1
            while get(values, i) < pivot:
                i += 1
            if i >= j:
                break
            low, high = get(values, j), get(values, i)
            put(values, i, low)
            put(values, j, high)
        left = j - first + 1
        if rank < left:
            last = j
        else:
            first, rank = j + 1, rank - left
    return get(values, first)


def make(FLOATS, CELL, NV, LANES):
    """NV vectors of LANES elements of number CELL; FLOATS if these may be NaN."""
    NR = NV * LANES
    EDITION = VERSION

    @callback(*[INT] * 5)
    def combine(band, made, spare, n, table):
        # table: taps, rank, steps, then offsets of taps, then the two places of each step
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        d = ttable(table)
        taps, rank = d[0], d[1]
        steps, last = 3 + taps, 3 + taps + 2 * d[2]
        x, y, held = cells(band, CELL, LANES), cells(made, CELL, LANES), cells(spare, CELL, LANES)
        for i in range(0, n, NR):
            total = tload(x, i + d[3], 0, LANES, 1, NV)
            tstore(total, held, 0, 0, LANES)
            for t in range(1, taps):
                v = tload(x, i + d[3 + t], 0, LANES, 1, NV)
                tstore(v, held, t * NR, 0, LANES)
                if FLOATS:
                    total = tadd(total, v)
            for step in range(steps, last, 2):
                low, high = d[step] * NR, d[step + 1] * NR
                a, b = tload(held, low, 0, LANES, 1, NV), tload(held, high, 0, LANES, 1, NV)
                tstore(tmin(a, b), held, low, 0, LANES)
                tstore(tmax(a, b), held, high, 0, LANES)
            tstore(tload(held, rank * NR, 0, LANES, 1, NV), y, i, 0, LANES)
            if FLOATS and thas_nan(total):  # or infinities that cancel
                for j in range(i, min(i + NR, n)):
                    values = cells(spare, CELL, LANES)
                    found = False
                    for t in range(taps):
                        v = get(x, j + d[3 + t])
                        put(values, t, v)
                        found = found or v != v
                    if found:
                        put(y, j, select(values, taps - 1, rank))

    return combine
