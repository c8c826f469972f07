"""Move along all lines of an axis, and combine what windows along it contain.

An array is (outer, length, inner).  A piece of lines that lie side by side is loaded into scratch with what lies beyond
their ends, in rows of `cols` elements, so that windows along any axis are taps at equal distances.  Where a filter is
computed in place, the pieces of a line are one item: each keeps the last rows for the next one, which they precede, and
the first rows of all, if the mode repeats them at the end.
"""

from __future__ import annotations

from fastconv.backends.numba.loops.beyond import run_beyond
from fastconv.backends.numba.loops.build import INT, VERSION, call_at, loop
from fastconv.backends.numba.tile import ttable


def make():
    EDITION = VERSION

    @loop(*[INT] * 6)
    def run(lo, hi, x, y, scratch, table):
        EDITION  # noqa: B018  (in the closure, so that cached code of another edition is not used)
        d = ttable(table)
        combined, load, copy, store, combine, fill = d[0], d[1], d[2], d[3], d[4], d[5]
        mode, length, taps, before, inner = d[6], d[7], d[8], d[9], d[10]
        cols, blocks, along, parts = d[11], d[12], d[13], d[14]
        made, spare, first, keep_first = scratch + d[15], scratch + d[16], scratch + d[17], d[18]
        whole = cols == inner
        for item in range(lo, hi):
            c0, rest = item % blocks * cols, item // blocks
            start, outer = rest % parts * along, rest // parts
            stop = length if parts == 1 else min(start + along, length)
            some, begin, held = min(cols, inner - c0), start, 0
            while start < stop:
                left = stop - start
                count = left if left <= along else min(along, left - along // 2)  # none is short
                rows = count + taps - 1
                k = held
                while k < rows:
                    i, many, step = run_beyond(start - before + k, length, mode)
                    many = min(many, rows - k)
                    if i < 0:
                        call_at(copy, (fill, 0, 0, scratch, k * cols, many * cols))
                    elif start > begin and min(i, i + (many - 1) * step) < start:  # no longer in memory
                        for j in range(many):
                            row = i + j * step
                            if row >= start - before:
                                row -= start - before
                                call_at(copy, (scratch, row * cols, 1, scratch, (k + j) * cols, cols))
                            else:
                                call_at(copy, (first, row * cols, 1, scratch, (k + j) * cols, cols))
                    elif inner == 1 or (whole and step == 1):
                        from_ = (outer * length + i) * inner
                        call_at(load, (x, from_, step, scratch, k * cols, many * inner))
                    else:
                        for j in range(many):
                            from_ = (outer * length + i + j * step) * inner + c0
                            call_at(load, (x, from_, 1, scratch, (k + j) * cols, some))
                    k += many
                if keep_first and start == begin and start + count < stop:
                    call_at(copy, (scratch, before * cols, 1, first, 0, taps * cols))
                call_at(combine, (scratch, made, spare, count * cols, combined))
                to = (outer * length + start) * inner
                if whole:
                    call_at(store, (made, 0, 1, y, to, count * inner))
                else:
                    for j in range(count):
                        call_at(store, (made, j * cols, 1, y, to + j * inner + c0, some))
                start += count
                held = taps - 1
                if start < stop:
                    call_at(copy, (scratch, count * cols, 1, scratch, 0, held * cols))

    return run
