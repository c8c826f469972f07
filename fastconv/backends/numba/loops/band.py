"""Fill a band of scratch with the part of an input that one block of outputs reads.

The only loop that handles padding, modes and layouts; see `axes` for the tables.  Where the band has padding, all of
it is set to the fill value first, which costs less than separate code for edges.  Then the runs of columns of each
row are filled: copied where columns are adjacent, every second element for stride 2, transposed block by block where
channels are last.
"""

from __future__ import annotations

from fastconv.backends.numba.loops.build import INT, REAL, VERSION, callback
from fastconv.backends.numba.tile import (
    cast,
    get,
    mem,
    put,
    tcopy_even,
    tcopy_transposed,
    tfull,
    tload,
    tload_part,
    tstore,
    tstore_part,
    ttable,
)


def make(BITS, VBYTES):
    """The function that the loops of other files call by its address: compiled once, not once per tile shape."""
    W = VBYTES * 8 // BITS
    EDITION = VERSION

    @callback(*[INT] * 11, REAL)
    def fill(scratch, x, xi, xc, first, last, channels, bands, z, rb, qb, value):
        # Entries `first` to `last` of (depth taps x channels), in that order, for block (z, rb, qb), a plane each.
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        d = ttable(bands)
        band, xm = mem(scratch, BITS, VBYTES), mem(x, BITS, VBYTES)
        kd, height, pitch = d[3], d[9], d[10]
        xdepth, xrow, xcol = d[11], d[12], d[13]
        # Blocks in the middle of an axis share one entry; each reads further on.
        row_blocks, column_blocks = max(0, min(rb - d[20], d[21])), max(0, min(qb - d[23], d[24]))
        on = 0
        if rb - row_blocks == d[20]:
            on += row_blocks * d[22] * xrow
        if qb - column_blocks == d[23]:
            on += column_blocks * d[25] * xcol
        planes, rows, padded = d[15] + z * kd, d[16] + (rb - row_blocks) * height, d[19]
        runat, runs = d[17] + qb - column_blocks, d[18]
        first_run, last_run = runs + 4 * d[runat], runs + 4 * d[runat + 1]
        plane = height * pitch
        if padded:
            constant = tfull(band, cast(band, value), 1, 1)
            for i in range(0, (last - first) * plane, W):  # up to W - 1 more: the slack after the band is longer
                tstore(constant, band, i, 0, 0)
        e = first
        while e < last:
            t, c = e // channels, e % channels
            many = 1 if xcol == 1 else min(channels - c, last - e)
            source = d[planes + t]
            at, xo = (e - first) * plane, xi + c * xc + source * xdepth + on
            e += many
            if source < 0:
                continue
            for r in range(height):
                row = d[rows + r]
                if row < 0:
                    continue
                for k in range(first_run, last_run, 4):
                    column, count, step = d[k + 1], d[k + 2], d[k + 3]
                    if column < 0:
                        continue
                    so, to = xo + row * xrow + column * xcol, at + r * pitch + d[k]
                    i = 0
                    if xcol != 1:
                        while i < count:
                            for j in range(0, many, W):
                                ys = to + j * plane + i
                                tcopy_transposed(
                                    xm, so + i * step * xcol + j, step * xcol, band, ys, plane, count - i, many - j
                                )
                            i += W
                    elif step == 1:
                        while i + W <= count:
                            tstore(tload(xm, so + i, 0, 0, 1, 1), band, to + i, 0, 0)
                            i += W
                        if i > 0:  # the last vector may overlap the one before it
                            i = count - W
                            tstore(tload(xm, so + i, 0, 0, 1, 1), band, to + i, 0, 0)
                        else:
                            tstore_part(tload_part(xm, so, 0, 0, 1, 1, 1, count), band, to, 0, 0, 1, count)
                    else:
                        if step == 2 and count >= W:
                            while i + W <= count:
                                tcopy_even(xm, so + 2 * i, band, to + i)
                                i += W
                            i = count - W
                            tcopy_even(xm, so + 2 * i, band, to + i)
                            i = count
                        while i < count:
                            put(band, to + i, get(xm, so + i * step))
                            i += 1

    return fill
