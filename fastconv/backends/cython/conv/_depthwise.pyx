# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Depthwise convolution of NCHW images: blocking and threads around the tiles of simd/conv/depthwise.inc.

Lanes are pixels.  One item of work is a block of output rows and columns of one
plane of the output channels of some groups.  Tiles read rows through a table of offsets,
into the image itself where a tile can read its columns and padding is zero; otherwise the rows of
one group are copied to a band in scratch, padded and split by stride phase.  Rows of padding zeros are
skipped, so where weights are infinite or NaN, a separate pass writes NaN.
"""

from libc.stdint cimport int64_t
from libc.string cimport memset

from fastconv.backends.cython.runtime._nonfinite cimport any_nonfinite, put_nan
from fastconv.backends.cython.runtime._padded cimport Padded, copy_row, padded, row_of
from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport (
    DEPTHWISE_NO_ROW, View, address, clear_behind, depthwise_rows_args, fc_axis, fc_source,
    fc_table)

from fastconv.backends.cython.runtime.native import SLACK


cdef struct Place:
    # Of an item: its image, first group, plane, and first row and column of outputs.
    Py_ssize_t n, g, od, r0, q0


cdef class Rows(Prepared):
    """One prepared convolution of NCHW images; immutable after construction, so runs may overlap."""

    cdef Py_ssize_t n, groups, icg, ocg, kd, kh, kw, sd, sh, sw, dd, dh, dw, od, oh, ow, iw
    cdef Py_ssize_t gb, rb, qb, group_blocks, row_blocks, col_blocks, wq, row_len, table_bytes, slack
    cdef Padded image
    cdef const Py_ssize_t *taps
    cdef bint relu, in_place, zeros, far

    def __init__(self, size_t table, p, tables, taps, blocks):
        self.t = <const fc_table *>table
        self.keep = (tables, taps)
        self.n, self.groups, self.icg, self.ocg = p.n, p.groups, p.icg, p.ocg
        self.kd, self.kh, self.kw = p.kernel
        self.sd, self.sh, self.sw = p.stride
        self.dd, self.dh, self.dw = p.dilation
        self.od, self.oh, self.ow = p.output
        self.iw = p.input[2]
        self.in_place, self.far = blocks.in_place, blocks.far
        self.gb, self.rb, self.qb = blocks.groups, blocks.rows, blocks.cols
        self.wq, self.row_len = blocks.wq, blocks.row_len
        self.group_blocks = (self.groups + self.gb - 1) // self.gb
        self.table_bytes, self.slack = blocks.table_bytes, SLACK * self.t.itemsize
        self.row_blocks = (self.oh + self.rb - 1) // self.rb
        self.col_blocks = (self.ow + self.qb - 1) // self.qb
        self.image = padded(tables, p.fill)
        self.taps = <const Py_ssize_t *>address(taps)
        self.relu = p.activation == "relu"
        self.zeros = p.pads_with_zeros
        self.items = self.n * self.group_blocks * self.od * self.row_blocks * self.col_blocks

    cdef Place place(self, Py_ssize_t i) noexcept nogil:
        cdef Place p
        p.q0, i = i % self.col_blocks * self.qb, i // self.col_blocks
        p.r0, i = i % self.row_blocks * self.rb, i // self.row_blocks
        p.od, i = i % self.od, i // self.od
        p.g, p.n = i % self.group_blocks * self.gb, i // self.group_blocks
        return p

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef const View *x = &arrays.x
        cdef const View *y = &arrays.y
        cdef Py_ssize_t k, size = self.t.itemsize
        cdef Place p = self.place(i), next
        cdef Py_ssize_t od = p.od, g = p.g, n = p.n, r0 = p.r0, q0 = p.q0
        cdef depthwise_rows_args a
        a.xahead = a.yahead = 0
        if self.far and i + 1 < self.items:
            next = self.place(i + 1)
            a.xahead = ((next.n - n) * x.stride[0] + (next.g - g) * self.icg * x.stride[1]
                        + (next.od - od) * self.sd * x.stride[2] + (next.r0 - r0) * self.sh * x.stride[3])
            a.yahead = ((next.n - n) * y.stride[0] + (next.g - g) * self.ocg * y.stride[1]
                        + (next.od - od) * y.stride[2] + (next.r0 - r0) * y.stride[3])
        a.oh, a.ow = min(self.rb, self.oh - r0), min(self.qb, self.ow - q0)
        a.nrows = (a.oh - 1) * self.sh + (self.kh - 1) * self.dh + 1
        a.groups, a.channels = min(self.gb, self.groups - g), self.ocg
        a.xgroup, a.ygroup, a.ychannel = self.icg * x.stride[1], self.ocg * y.stride[1], y.stride[1]
        a.planes, a.kh, a.kw, a.sh, a.dh = self.icg * self.kd, self.kh, self.kw, self.sh, self.dh
        a.cols, a.relu, a.yrow = self.taps, self.relu, y.stride[3]
        a.x = x.data + (n * x.stride[0] + g * self.icg * x.stride[1]) * size
        a.rows = <const Py_ssize_t *>scratch
        if self.in_place:
            a.sw, a.iw = self.sw, self.iw
            self.find_rows(x, od, r0, a.nrows, <Py_ssize_t *>scratch)
        else:
            a.sw, a.iw = 1, 0
            self.copy_rows(
                <const char *>a.x, x, od, r0, a.nrows, q0, a.ow, <Py_ssize_t *>scratch, scratch + self.table_bytes)
            a.x = scratch + self.table_bytes
        k = g * self.ocg
        a.w = arrays.weights + k * a.planes * self.kh * self.kw * size
        a.bias = NULL if arrays.bias == NULL else arrays.bias + k * size
        a.y = y.data + (n * y.stride[0] + k * y.stride[1] + od * y.stride[2] + r0 * y.stride[3] + q0) * size
        self.t.depthwise_rows(&a)
        if self.zeros and any_nonfinite(<const char *>a.w, a.groups * a.channels * a.planes * self.kh * self.kw, size):
            self.multiply_zeros(&a, od, r0, q0)

    cdef void multiply_zeros(
        self, const depthwise_rows_args *a, Py_ssize_t od, Py_ssize_t r0, Py_ssize_t q0) noexcept nogil:
        """Write NaN to the outputs of a block for which an infinite or NaN weight is multiplied by padding."""
        cdef Py_ssize_t size = self.t.itemsize, g, k, c, z, r, s, i, q
        cdef const char *w = <const char *>a.w
        cdef char *y
        cdef bint outside
        for g in range(a.groups):
            for k in range(a.channels):
                y = <char *>a.y + (g * a.ygroup + k * a.ychannel) * size
                for c in range(self.icg):
                    for z in range(self.kd):
                        for r in range(self.kh):
                            for s in range(self.kw):
                                if any_nonfinite(w, 1, size):
                                    for i in range(a.oh):
                                        outside = fc_source(&self.image.planes, od * self.sd + z * self.dd) < 0
                                        outside |= fc_source(&self.image.rows, (r0 + i) * self.sh + r * self.dh) < 0
                                        for q in range(a.ow):
                                            if outside or fc_source(&self.image.cols, (q0 + q) * self.sw + s * self.dw) < 0:
                                                put_nan(y, i * a.yrow + q, size)
                                w += size

    cdef void find_rows(
        self, const View *x, Py_ssize_t od, Py_ssize_t r0, Py_ssize_t nrows, Py_ssize_t *table) noexcept nogil:
        """Offsets, in a group, of the input rows that a block reads."""
        cdef Py_ssize_t first = r0 * self.sh, offset, c, z, r
        # Rows inside the image are consecutive; only those outside are looked up.
        cdef Py_ssize_t begin = min(max(self.image.rows.lo - first, 0), nrows)
        cdef const fc_axis *rows = &self.image.rows
        cdef Py_ssize_t end = min(max(min(rows.lo + rows.extent, rows.size) - first, begin), nrows)
        cdef int64_t plane
        for c in range(self.icg):
            for z in range(self.kd):
                plane = fc_source(&self.image.planes, od * self.sd + z * self.dd)
                offset = c * x.stride[1] + plane * x.stride[2]
                self.look_up(x, plane, offset, first, 0, begin, table)
                for r in range(begin, end):
                    table[r] = DEPTHWISE_NO_ROW if plane < 0 else offset + (first - self.image.rows.lo + r) * x.stride[3]
                self.look_up(x, plane, offset, first, end, nrows, table)
                table += nrows

    cdef void look_up(
        self, const View *x, int64_t plane, Py_ssize_t offset, Py_ssize_t first, Py_ssize_t begin, Py_ssize_t end,
        Py_ssize_t *table) noexcept nogil:
        """Offsets of the rows `begin` to `end` of a block of one plane."""
        cdef Py_ssize_t r
        cdef int64_t row
        for r in range(begin, end):
            row = fc_source(&self.image.rows, first + r)
            table[r] = offset + row * x.stride[3] if plane >= 0 and row >= 0 else DEPTHWISE_NO_ROW

    cdef void copy_rows(
        self, const char *group, const View *x, Py_ssize_t od, Py_ssize_t r0, Py_ssize_t nrows, Py_ssize_t q0,
        Py_ssize_t cols, Py_ssize_t *table, char *band) noexcept nogil:
        """Copy the input rows that a block of one group reads into the band; not those between windows far apart."""
        cdef Py_ssize_t size = self.t.itemsize, c, z, r, start = q0 * self.sw, filled = 0
        cdef Py_ssize_t win = (cols - 1) * self.sw + (self.kw - 1) * self.dw + 1
        cdef Py_ssize_t reach = (self.kh - 1) * self.dh  # the last row of a window
        cdef const char *src
        cdef int64_t plane
        for c in range(self.icg):
            for z in range(self.kd):
                plane = fc_source(&self.image.planes, od * self.sd + z * self.dd)
                for r in range(nrows):
                    if r % self.sh > reach:
                        continue
                    src = row_of(&self.image, x, group + c * x.stride[1] * size, plane, r0 * self.sh + r, size)
                    table[r] = DEPTHWISE_NO_ROW
                    if src != NULL or self.image.fill != 0:
                        copy_row(self.t, &self.image, band + filled * size, self.sw, self.wq, src, 1, start, win)
                        clear_behind(band + filled * size, self.sw, self.wq, win, size)
                        table[r] = filled
                        filled += self.row_len
                table += nrows
        memset(band + filled * size, 0, self.slack)
