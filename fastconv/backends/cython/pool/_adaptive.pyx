# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Pooling over windows of uneven sizes; an item of work is one row of windows of one channel, or of all where they come last.

The rows of the image that a row of windows reads are combined into one in scratch, see simd/pool/separable.inc, and then its columns.
Scratch contains the addresses of those rows, with `indices` also their positions in a window, the combined row, and with
`indices` the row of each of its maxima.
"""

import numpy as np

from libc.stdint cimport int64_t
from libc.string cimport memset

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport (
    POOL_ADAPTIVE_WINDOWS, View, address, fc_table, pool_across_args, pool_down_args, pool_finish_args)


cdef class Pool(Prepared):
    """One prepared pooling."""

    cdef int op, finish
    cdef Py_ssize_t n, c, unit, id, ih, iw, od, oh, ow, table_bytes, step, rest, windows, row
    cdef const Py_ssize_t *taps
    cdef const int64_t *tap_at
    cdef bint indices

    def __init__(self, size_t table, p, int op, int finish, Py_ssize_t columns, Py_ssize_t table_bytes, blocks):
        """`columns`: of the widest window; `blocks`: windows at a time and columns that those read; see simd/pool/pool.h."""
        self.t = <const fc_table *>table
        self.op, self.finish = op, finish
        self.windows, self.row = blocks
        self.n, self.c, self.table_bytes, self.indices = p.n, p.c, table_bytes, p.indices
        self.unit = p.c if p.layout == "NHWC" else 1
        self.id, self.ih, self.iw = p.input
        self.od, self.oh, self.ow = p.output
        self.items = self.n * (self.c // self.unit if self.unit else 0) * self.od * self.oh
        if self.ow:  # the first place of a window is floor(q * iw / ow): so many on from that of the window before, or one more
            self.step, self.rest = self.iw // self.ow, self.iw % self.ow
        taps = np.arange(0, columns * self.unit, max(self.unit, 1), dtype=np.intp)
        tap_at = np.arange(columns, dtype=np.int64) if self.indices else None
        self.taps, self.tap_at = <const Py_ssize_t *>address(taps), <const int64_t *>address(tap_at)
        self.keep = taps, tap_at

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef const View *x = &arrays.x
        cdef const View *y = &arrays.y
        cdef Py_ssize_t size = self.t.itemsize, unit = self.unit, channels = self.c // unit, oh, od, c, n, z, r, q
        cdef Py_ssize_t at, tables = self.table_bytes * (1 + self.indices)
        cdef const void **rows = <const void **>scratch
        cdef int64_t *row_at = <int64_t *>(scratch + self.table_bytes)
        cdef pool_down_args down
        cdef pool_across_args across
        cdef pool_finish_args finish
        cdef double widths[POOL_ADAPTIVE_WINDOWS]  # or floats
        cdef Py_ssize_t block, begin, first = 0, next = 0, rest = 0
        oh = i % self.oh
        i = i // self.oh
        od = i % self.od
        i = i // self.od
        c = i % channels
        n = i // channels
        cdef const char *image = x.data + (n * x.stride[0] + c * x.stride[1]) * size
        memset(&across, 0, sizeof(across))
        down.op, down.rows, down.count = self.op, <const void *const *>rows, 0
        for z in range(od * self.id // self.od, ((od + 1) * self.id + self.od - 1) // self.od):
            for r in range(oh * self.ih // self.oh, ((oh + 1) * self.ih + self.oh - 1) // self.oh):
                rows[down.count] = image + (z * self.ih + r) * self.iw * unit * size
                if self.indices:
                    row_at[down.count] = (z * self.ih + r) * self.iw
                down.count += 1
        down.pad, down.value, down.row = 0, scratch + tables, NULL
        if self.indices:
            down.row = scratch + tables + self.row * unit * size
        at = (od * self.oh + oh) * self.ow * unit
        across.op, across.taps, across.n, across.unit = self.op, self.taps, unit, unit
        across.y = y.data + (n * y.stride[0] + c * y.stride[1] + at) * size
        if self.indices:
            across.row_at, across.tap_at = row_at, self.tap_at
            across.index = <int64_t *>arrays.z.data + n * arrays.z.stride[0] + c * arrays.z.stride[1] + at
        finish.op, finish.scale, finish.unit, finish.times = self.finish, 1, unit, down.count
        finish.divisor.values, finish.divisor.first, finish.divisor.skip, finish.start = widths, 0, 0, 0
        for block in range((self.ow + self.windows - 1) // self.windows):
            finish.y, finish.n = across.y, min(self.windows, self.ow - block * self.windows)
            begin = block * self.windows * self.iw // self.ow
            down.start = begin * unit
            down.n = (((block * self.windows + finish.n) * self.iw + self.ow - 1) // self.ow - begin) * unit
            self.t.pool_down(&down)
            for q in range(finish.n):
                first = next
                next += self.step
                rest += self.rest
                if rest >= self.ow:
                    rest -= self.ow
                    next += 1
                across.count = next + (rest != 0) - first
                if size == 4:
                    (<float *>widths)[q] = <float>across.count
                else:
                    widths[q] = <double>across.count
                across.value = <char *>down.value + (first - begin) * unit * size
                if self.indices:
                    across.row = <char *>down.row + (first - begin) * unit * size
                    across.base = first
                self.t.pool_across(&across)
                if self.indices:
                    across.index += unit
                across.y = <char *>across.y + unit * size
            if self.finish:
                self.t.pool_finish(&finish)
