"""Move over an array with windows of several axes, and combine what these contain.

Items are blocks of rows and columns of a result.  The rows that their windows read, of all planes, are loaded into
scratch with what lies beyond the ends of axes, so that functions that combine elements know no border.  All sizes come
in a table, see `filter.neighbors`; the functions that load, copy, combine and store are called by their addresses.
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
        mode, height, tall, above, width, wide, left, inner = d[6], d[7], d[8], d[9], d[10], d[11], d[12], d[13]
        rows, blocks_of_rows, cols, blocks_of_cols, together = d[14], d[15], d[16], d[17], d[18]
        pitch, size, planes, axes = d[19], d[20], d[21], d[22]
        made, spare = scratch + d[23], scratch + d[24]
        extents, sizes, befores = 25, 25 + axes, 25 + 2 * axes
        for item in range(lo, hi):
            c0, rest = item % blocks_of_cols * cols, item // blocks_of_cols
            r0, outer = rest % blocks_of_rows * rows, rest // blocks_of_rows
            some_rows, some_cols = min(rows, height - r0), min(cols, width - c0)
            loaded = some_cols + wide - 1
            for p in range(planes):
                plane, step, tap, at = 0, 1, p, outer
                for axis in range(axes - 1, -1, -1):
                    i = at % d[extents + axis] + tap % d[sizes + axis] - d[befores + axis]
                    tap, at = tap // d[sizes + axis], at // d[extents + axis]
                    source, _, _ = run_beyond(i, d[extents + axis], mode)
                    plane = -1 if source < 0 or plane < 0 else plane + source * step
                    step *= d[extents + axis]
                for r in range(some_rows + tall - 1):
                    to = (p * (rows + tall - 1) + r) * pitch
                    row, _, _ = run_beyond(r0 + r - above, height, mode)
                    if row < 0 or plane < 0:
                        call_at(copy, (fill, 0, 0, scratch, to, loaded * inner))
                        continue
                    line = (plane * height + row) * width
                    k = 0
                    while k < loaded:
                        source, count, step = run_beyond(c0 + k - left, width, mode)
                        count = min(count, loaded - k)
                        if source < 0:
                            call_at(copy, (fill, 0, 0, scratch, to + k * inner, count * inner))
                        elif step == 1 or inner == 1:
                            from_ = (line + source) * inner
                            call_at(load, (x, from_, step, scratch, to + k * inner, count * inner))
                        else:
                            for i in range(count):
                                from_ = (line + source + i * step) * inner
                                call_at(load, (x, from_, 1, scratch, to + (k + i) * inner, inner))
                        k += count
            for r in range(0, some_rows, together):
                some = min(together, some_rows - r)
                n = (some - 1) * pitch + some_cols * inner
                call_at(combine, (scratch + r * pitch * size, made, spare, n, combined))
                for q in range(some):
                    to = ((outer * height + r0 + r + q) * width + c0) * inner
                    call_at(store, (made, q * pitch, 1, y, to, some_cols * inner))

    return run
