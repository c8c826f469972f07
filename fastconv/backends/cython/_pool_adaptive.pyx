# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Pooling over windows of uneven sizes; an item of work is one row of windows of one channel, or of all where they come last.

The rows of the image under a row of windows are combined into one in scratch, see simd/pool.inc, and then its columns.
Scratch holds the addresses of those rows, with `indices` also where each lies in a window, the combined row, and with
`indices` which row each of its maxima came from.
"""

import numpy as np

from libc.stdint cimport int64_t
from libc.string cimport memset

from fastconv.backends.cython._prepared cimport Arrays, Prepared
from fastconv.backends.cython._simd cimport View, address, fc_table, pool_across_args, pool_down_args, pool_finish_args


cdef class Pool(Prepared):
    """One prepared pooling."""

    cdef int op, finish
    cdef Py_ssize_t n, c, unit, id, ih, iw, od, oh, ow, table_bytes
    cdef const int64_t *first[3]
    cdef const int64_t *last[3]
    cdef const Py_ssize_t *taps
    cdef const int64_t *tap_at
    cdef const char *widths
    cdef bint indices

    def __init__(self, size_t table, p, int op, int finish, windows, Py_ssize_t table_bytes):
        """`windows`: first place of each window and the one behind its last, for each axis; see simd/pool.h for the numbers."""
        self.t = <const fc_table *>table
        self.op, self.finish = op, finish
        self.n, self.c, self.table_bytes, self.indices = p.n, p.c, table_bytes, p.indices
        self.unit = p.c if p.layout == "NHWC" else 1
        self.id, self.ih, self.iw = p.input
        self.od, self.oh, self.ow = p.output
        self.items = self.n * (self.c // self.unit if self.unit else 0) * self.od * self.oh
        cdef int axis
        for axis in range(3):
            self.first[axis] = <const int64_t *>address(windows[axis][0])
            self.last[axis] = <const int64_t *>address(windows[axis][1])
        tap_at = np.arange(self.iw + 1, dtype=np.int64)
        taps = (tap_at * self.unit).astype(np.intp)
        widths = (windows[2][1] - windows[2][0]).astype(p.dtype)
        self.taps, self.widths = <const Py_ssize_t *>address(taps), address(widths)
        self.tap_at = <const int64_t *>address(tap_at)
        self.keep = windows, taps, tap_at, widths

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
        oh = i % self.oh
        i = i // self.oh
        od = i % self.od
        i = i // self.od
        c = i % channels
        n = i // channels
        cdef const char *image = x.data + (n * x.stride[0] + c * x.stride[1]) * size
        memset(&across, 0, sizeof(across))
        down.op, down.rows, down.count = self.op, <const void *const *>rows, 0
        for z in range(self.first[0][od], self.last[0][od]):
            for r in range(self.first[1][oh], self.last[1][oh]):
                rows[down.count] = image + (z * self.ih + r) * self.iw * unit * size
                if self.indices:
                    row_at[down.count] = (z * self.ih + r) * self.iw
                down.count += 1
        down.start, down.n, down.pad = 0, self.iw * unit, 0
        down.value, down.row = scratch + tables, NULL
        if self.indices:
            down.row = scratch + tables + self.iw * unit * size
        self.t.pool_down(&down)
        at = (od * self.oh + oh) * self.ow * unit
        across.op, across.taps, across.n, across.unit = self.op, self.taps, unit, unit
        across.y = y.data + (n * y.stride[0] + c * y.stride[1] + at) * size
        if self.indices:
            across.row_at, across.tap_at = row_at, self.tap_at
            across.index = <int64_t *>arrays.index.data + n * arrays.index.stride[0] + c * arrays.index.stride[1] + at
        finish.op, finish.y, finish.scale, finish.n, finish.unit = self.finish, across.y, 1, self.ow, unit
        finish.divisor.values, finish.divisor.first, finish.divisor.skip, finish.start = self.widths, 0, 0, 0
        finish.times = down.count
        for q in range(self.ow):
            across.value = <char *>down.value + self.first[2][q] * unit * size
            across.count = self.last[2][q] - self.first[2][q]
            if self.indices:
                across.row = <char *>down.row + self.first[2][q] * unit * size
                across.base = self.first[2][q]
            self.t.pool_across(&across)
            if self.indices:
                across.index += unit
            across.y = <char *>across.y + unit * size
        if self.finish:
            self.t.pool_finish(&finish)
