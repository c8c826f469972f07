# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Pooling: blocking and threads around the passes of simd/pool/separable.inc.

One item of work is a block of rows of windows, some or all of their columns: of one plane of one
channel (NCHW), or of one plane of all channels (NHWC, where a column is `unit` elements).  Each row
of windows is combined downwards into one padded row in scratch, split by stride phase where
lanes are pixels and the stride is not 1, and then along that row into the result.

Windows of adaptive pooling have uneven sizes: an item is one row of windows of one channel, or of all where they come last.  Scratch
contains the addresses of the rows that it reads, with `indices` also their positions in a window, the combined row, and with
`indices` the row of each of its maxima.
"""

import numpy as np

from libc.math cimport INFINITY
from libc.stdint cimport int64_t
from libc.string cimport memset

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport (
    POOL_ADAPTIVE_WINDOWS, POOL_AS_IS, View, address, fc_pool_at, fc_pool_counts, fc_table, pool_across_args, pool_counts, pool_down_args,
    pool_finish_args)


cdef enum:
    RUN = 32  # columns: so many are taken as vectors, whose lanes are joined; the same as in separable.py


cdef class SeparablePool(Prepared):
    """One prepared pooling; immutable after construction, so runs may overlap."""

    cdef Py_ssize_t n, c, unit, divided, kd, kh, kw, sd, sh, sw, dd, dh, dw, id, ih, iw, od, oh, ow
    cdef Py_ssize_t ld, lh, lw, rb, qb, row_blocks, col_blocks, wq, part, table_bytes
    cdef const int64_t *row_at
    cdef const int64_t *tap_at
    cdef fc_pool_counts depth, height, width
    cdef const Py_ssize_t *taps
    cdef int op, finish
    cdef double pad, scale
    cdef bint indices, split

    def __init__(self, size_t table, p, way, tables, blocks):
        """`way`: how to combine, how to finish, what padding holds; `tables`: see `separable.SeparablePool.prepare`."""
        self.t = <const fc_table *>table
        self.keep = tables
        self.unit, self.divided = blocks.unit, blocks.divided
        self.n, self.c = p.n, p.c if p.layout == "NCHW" else 1
        self.kd, self.kh, self.kw = blocks.kernel
        self.ld, self.lh, self.lw = blocks.lo
        self.sd, self.sh, self.sw = p.stride
        self.dd, self.dh, self.dw = p.dilation
        self.id, self.ih, self.iw = p.input
        self.od, self.oh, self.ow = p.output
        self.rb, self.qb, self.wq, self.part = blocks.rows, blocks.cols, blocks.wq, blocks.part
        self.table_bytes, self.split = blocks.table_bytes, blocks.split
        self.row_blocks = (self.oh + self.rb - 1) // self.rb
        self.col_blocks = (self.ow + self.qb - 1) // self.qb
        self.op, self.finish, self.pad = way
        self.scale = p.taps if p.kind == "lp" else 1.0
        self.indices = p.indices
        taps, row_at, tap_at, depth, height, width = tables
        self.taps = <const Py_ssize_t *>address(taps)
        self.row_at = <const int64_t *>address(row_at)
        self.tap_at = <const int64_t *>address(tap_at)
        self.depth, self.height, self.width = pool_counts(depth), pool_counts(height), pool_counts(width)
        self.items = self.n * self.c * self.od * self.row_blocks * self.col_blocks

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef const View *x = &arrays.x
        cdef const View *y = &arrays.y
        cdef const View *index = &arrays.z  # there where `indices`
        cdef Py_ssize_t qi, ri, od, c, n, oh, at, q, size = self.t.itemsize, unit = self.unit
        qi = i % self.col_blocks
        i = i // self.col_blocks
        ri = i % self.row_blocks
        i = i // self.row_blocks
        od = i % self.od
        i = i // self.od
        c = i % self.c
        n = i // self.c
        cdef Py_ssize_t q0 = qi * self.qb, cols = min(self.qb, self.ow - q0)
        # The block reads `win` padded columns from `start` on; those from `first` to `last` are inside the image.
        cdef Py_ssize_t start = q0 * self.sw, win = (cols - 1) * self.sw + (self.kw - 1) * self.dw + 1
        cdef Py_ssize_t first = min(max(self.lw - start, 0), win)
        cdef Py_ssize_t last = min(max(self.lw + self.iw - start, first), win)
        cdef char *value = scratch + self.table_bytes
        cdef char *value_phases = value + self.part * size  # there where `self.split`, like the last one
        cdef char *row = value + (1 + self.split) * self.part * size  # there where `indices`
        cdef char *row_phases = row + self.part * size
        cdef pool_down_args down
        cdef pool_across_args across
        cdef pool_finish_args finish
        down.op, down.rows, down.count = self.op, <const void *const *>scratch, self.kd * self.kh
        down.start, down.n, down.pad = (start + first - self.lw) * unit, (last - first) * unit, self.pad
        down.value, down.row = value + first * unit * size, NULL
        across.op, across.taps, across.count, across.unit = self.op, self.taps, self.kw, unit
        across.row_at, across.tap_at, across.step = self.row_at, self.tap_at, self.sw
        across.value, across.row, across.index = value, NULL, NULL
        finish.op, finish.scale, finish.n, finish.unit = self.finish, self.scale, cols * self.divided, unit // self.divided
        finish.divisor, finish.start = self.width, q0 * self.divided
        self.border(value, first * unit, last * unit, win * unit, self.pad)
        if self.indices:
            down.row, across.row = row + first * unit * size, row
            self.border(row, first * unit, last * unit, win * unit, INFINITY)
        if self.split:
            across.value = value_phases
            if self.indices:
                across.row = row_phases
        for oh in range(ri * self.rb, min(self.oh, (ri + 1) * self.rb)):
            self.find_rows(x.data + (n * x.stride[0] + c * x.stride[1]) * size, od, oh, <const void **>scratch)
            if last > first:
                self.t.pool_down(&down)
            if self.split:
                self.t.split_row(value_phases, self.sw, self.wq, value, win)
                if self.indices:
                    self.t.split_row(row_phases, self.sw, self.wq, row, win)
            at = ((od * self.oh + oh) * self.ow + q0) * unit
            across.y = y.data + (n * y.stride[0] + c * y.stride[1] + at) * size
            across.base = ((od * self.sd - self.ld) * self.ih + oh * self.sh - self.lh) * self.iw + start - self.lw
            if self.indices:
                across.index = <int64_t *>index.data + n * index.stride[0] + c * index.stride[1] + at
            finish.y = across.y
            if unit == 1 or self.sw == 1:
                across.n = cols * unit
                self.t.pool_across(&across)
            else:
                across.n = unit
                for q in range(cols):
                    across.value = value + q * self.sw * unit * size
                    if self.indices:
                        across.row = row + q * self.sw * unit * size
                    self.t.pool_across(&across)
                    across.y = <char *>across.y + unit * size
                    across.base += self.sw
                    if self.indices:
                        across.index += unit
            if self.finish != POOL_AS_IS:
                finish.times = (<const double *>self.depth.values)[fc_pool_at(&self.depth, od)]
                finish.times *= (<const double *>self.height.values)[fc_pool_at(&self.height, oh)]
                self.t.pool_finish(&finish)

    cdef void border(
        self, char *row, Py_ssize_t first, Py_ssize_t last, Py_ssize_t count, double fill) noexcept nogil:
        """Fill the elements outside the image: before `first` and from `last` on."""
        cdef Py_ssize_t size = self.t.itemsize
        self.t.fill_row(row, 1, 0, NULL, 1, NULL, 0, first, 0, 0, fill)
        self.t.fill_row(row + last * size, 1, 0, NULL, 1, NULL, 0, count - last, 0, 0, fill)

    cdef void find_rows(self, const char *image, Py_ssize_t od, Py_ssize_t oh, const void **table) noexcept nogil:
        """The image rows that one row of windows reads, NULL for padding."""
        cdef Py_ssize_t z, t, plane, row, step = self.iw * self.unit * self.t.itemsize
        for z in range(self.kd):
            plane = od * self.sd - self.ld + z * self.dd
            for t in range(self.kh):
                row = oh * self.sh - self.lh + t * self.dh
                if 0 <= plane < self.id and 0 <= row < self.ih:
                    table[z * self.kh + t] = image + (plane * self.ih + row) * step
                else:
                    table[z * self.kh + t] = NULL


cdef class AdaptivePool(Prepared):
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
        cdef bint run
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
                across.value = <char *>down.value + (first - begin) * unit * size
                run = unit == 1 and across.count >= RUN and not self.indices
                if size == 4:
                    (<float *>widths)[q] = 1 if run else <float>across.count
                else:
                    widths[q] = 1 if run else <double>across.count
                if self.indices:
                    across.row = <char *>down.row + (first - begin) * unit * size
                    across.base = first
                if run:
                    self.t.pool_global(self.op, across.value, 1, across.count, across.y)
                else:
                    self.t.pool_across(&across)
                if self.indices:
                    across.index += unit
                across.y = <char *>across.y + unit * size
            if self.finish:
                self.t.pool_finish(&finish)
