# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Gradients of convolution weights with pixels in lanes: blocking and threads around simd/conv/weight_rows.inc.

A block is some output rows and columns of one plane of one image.  Its part of one input channel is read in
place, or copied to a band of padded rows, split by stride phase, and multiplied by the block of every output channel.  A
vector of sums for each tap, in scratch, accumulates block after block, and its lanes are added at the end: no chain of
additions is longer than one lane of a block, or the number of blocks.

An item of work is (segment of the blocks, some input channels, some output channels of their groups), so that images
are read in long runs.  The last items add up the segments.  Items depend on the problem, not on the threads.

Rows of padding zeros are skipped.  If sums are not finite, y may contain infinities or NaN, whose products with such zeros
are NaN: then y is tested.
"""

from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from fastconv.backends.cython.runtime._nonfinite cimport any_nonfinite, put_nan
from fastconv.backends.cython.runtime._padded cimport Padded, copy_row, padded, row_of
from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport (
    WEIGHT_NO_ROW, View, address, fc_source, fc_table, weight_rows_args)

ctypedef fused real:
    float
    double

cdef enum:
    JOINED = 1 << 12  # weights whose segments one item adds up


cdef class WeightRows(Prepared):
    """One prepared gradient y, of images x and the gradient z of the result.

    If the sum has segments, their sums, (segments, oc, icg, taps), are shared scratch.
    """

    cdef Py_ssize_t n, groups, icg, ocg, kd, kh, kw, sd, sh, sw, dd, dh, dw, od, oh, ow, iw, taps, weights
    cdef Py_ssize_t rb, qb, cb, kb, row_blocks, col_blocks, c_blocks, k_blocks, blocks, segments
    cdef Py_ssize_t rin, wq, row_len
    cdef Padded image
    cdef const Py_ssize_t *tap
    cdef bint in_place, zeros, alone

    def __init__(self, size_t table, p, tables, taps, plan):
        self.t = <const fc_table *>table
        self.keep = (tables, taps)
        self.n, self.groups, self.icg, self.ocg = p.n, p.groups, p.icg, p.ocg
        self.kd, self.kh, self.kw = p.kernel
        self.sd, self.sh, self.sw = p.stride
        self.dd, self.dh, self.dw = p.dilation
        self.od, self.oh, self.ow = p.output
        self.taps, self.weights = p.taps, p.oc * p.depth
        self.iw = p.input[2]
        self.in_place = plan.in_place
        self.rb, self.qb, self.cb, self.kb, self.segments = plan.rows, plan.cols, plan.inputs, plan.outputs, plan.segments
        self.rin, self.wq, self.row_len = plan.band.rin, plan.band.wq, plan.band.row_len
        self.row_blocks = (self.oh + self.rb - 1) // self.rb
        self.col_blocks = (self.ow + self.qb - 1) // self.qb
        self.c_blocks = (p.ic + self.cb - 1) // self.cb
        self.k_blocks = (self.ocg + self.kb - 1) // self.kb
        self.blocks = self.n * self.od * self.row_blocks * self.col_blocks
        self.image = padded(tables, p.fill)
        self.tap = <const Py_ssize_t *>address(taps)
        self.zeros, self.alone = p.pads_with_zeros, plan.alone
        self.items = self.segments * self.c_blocks * self.k_blocks
        if self.segments > 1:
            self.closing = (self.weights + JOINED - 1) // JOINED

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        if i < self.items:
            self.sum(i, &arrays.x, &arrays.z, arrays.shared if self.segments > 1 else arrays.y.data, scratch)
        elif self.t.itemsize == 4:
            self.join(i - self.items, <const float *>arrays.shared, <float *>arrays.y.data)
        else:
            self.join(i - self.items, <const double *>arrays.shared, <double *>arrays.y.data)

    cdef void join(self, Py_ssize_t i, const real *sums, real *out) noexcept nogil:
        """Add the segments in order."""
        cdef Py_ssize_t first = i * JOINED, count = min(<Py_ssize_t>JOINED, self.weights - first), s, j
        out, sums = out + first, sums + first
        memcpy(out, sums, count * sizeof(real))
        for s in range(1, self.segments):
            sums = sums + self.weights
            for j in range(count):
                out[j] += sums[j]

    cdef void sum(self, Py_ssize_t i, const View *x, const View *y, char *out, char *sums) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, length = self.taps * self.t.vl * size
        cdef Py_ssize_t k0 = i % self.k_blocks * self.kb, k1 = min(self.ocg, k0 + self.kb)
        cdef Py_ssize_t c0 = i // self.k_blocks % self.c_blocks * self.cb
        cdef Py_ssize_t c1 = min(self.groups * self.icg, c0 + self.cb)
        cdef Py_ssize_t segment = i // self.k_blocks // self.c_blocks
        cdef Py_ssize_t first = self.blocks * segment // self.segments, end = self.blocks * (segment + 1) // self.segments
        cdef Py_ssize_t b, c, k, n, g, known = -1, many = max(1, self.od * self.row_blocks * self.col_blocks)
        cdef Py_ssize_t *rows = <Py_ssize_t *>(sums + self.cb * self.kb * length)
        cdef char *band = <char *>(rows + self.kd * self.rin)
        cdef char *total
        cdef const char *channel
        cdef const char *plane
        memset(sums, 0, (c1 - c0) * (k1 - k0) * length)
        for n in range(first // many, (end + many - 1) // many):
            for c in range(c0, c1):
                channel = x.data + (n * x.stride[0] + c * x.stride[1]) * size
                g = c // self.icg
                for b in range(max(first - n * many, 0), min(end - n * many, many)):
                    self.block(
                        b, b == known, x, channel, y, y.data + (n * y.stride[0] + (g * self.ocg + k0) * y.stride[1]) * size,
                        k1 - k0, rows, band, sums + (c - c0) * (k1 - k0) * length)
                    known = b
        for c in range(c0, c1):
            g = c // self.icg
            for k in range(k0, k1):
                total = out + (((segment * self.groups + g) * self.ocg + k) * self.icg + c % self.icg) * self.taps * size
                self.t.lane_sums(sums, self.taps, total)
                sums = sums + length
                if self.zeros and (self.alone or any_nonfinite(total, self.taps, size)):
                    plane = y.data + (g * self.ocg + k) * y.stride[1] * size
                    for b in range(first, end):
                        self.multiply_zeros(b % many, plane + b // many * y.stride[0] * size, y, total)

    cdef void multiply_zeros(
        self, Py_ssize_t b, const char *plane, const View *y, char *sums) noexcept nogil:
        """Write NaN to the taps that multiply padding by an infinity or NaN in a block of a channel of y."""
        cdef Py_ssize_t size = self.t.itemsize, i, q, z, r, s
        cdef Py_ssize_t q0 = b % self.col_blocks * self.qb, r0 = b // self.col_blocks % self.row_blocks * self.rb
        cdef Py_ssize_t od = b // self.col_blocks // self.row_blocks
        cdef Py_ssize_t r1 = min(r0 + self.rb, self.oh), q1 = min(q0 + self.qb, self.ow)
        cdef const char *row
        cdef bint outside
        for i in range(r0, r1):
            row = plane + (od * y.stride[2] + i * y.stride[3]) * size
            if y.stride[4] == 1 and not any_nonfinite(row + q0 * size, q1 - q0, size):
                continue
            for q in range(q0, q1):
                if not any_nonfinite(row + q * y.stride[4] * size, 1, size):
                    continue
                for z in range(self.kd):
                    for r in range(self.kh):
                        outside = fc_source(&self.image.planes, od * self.sd + z * self.dd) < 0
                        outside |= fc_source(&self.image.rows, i * self.sh + r * self.dh) < 0
                        for s in range(self.kw):
                            if outside or fc_source(&self.image.cols, q * self.sw + s * self.dw) < 0:
                                put_nan(sums, (z * self.kh + r) * self.kw + s, size)

    cdef void block(
        self, Py_ssize_t b, bint known, const View *x, const char *channel, const View *y, const char *plane,
        Py_ssize_t channels, Py_ssize_t *rows, char *band, char *sums) noexcept nogil:
        """One input channel and some output channels; `known`: the table of rows is already that of this block."""
        cdef Py_ssize_t size = self.t.itemsize, k
        cdef Py_ssize_t q0 = b % self.col_blocks * self.qb, r0 = b // self.col_blocks % self.row_blocks * self.rb
        cdef Py_ssize_t od = b // self.col_blocks // self.row_blocks
        cdef char *copied = band + self.kd * self.rin * self.row_len * size
        cdef weight_rows_args a
        a.x, a.rows, a.cols, a.sw, a.col, a.iw = band, rows, self.tap, 1, 0, 0
        a.planes, a.kh, a.kw, a.sh, a.dh = self.kd, self.kh, self.kw, self.sh, self.dh
        a.oh, a.ow = min(self.rb, self.oh - r0), min(self.qb, self.ow - q0)
        a.nrows = (a.oh - 1) * self.sh + (self.kh - 1) * self.dh + 1
        if not known:
            self.find_rows(x, od, r0, a.nrows, rows)
        if self.in_place:
            a.x, a.sw, a.col, a.iw = channel, self.sw, q0, self.iw
        else:
            self.fill_band(channel, x, od, r0, a.nrows, q0, a.ow, rows, band)
        plane = plane + (od * y.stride[2] + r0 * y.stride[3] + q0 * y.stride[4]) * size
        for k in range(channels):
            a.y, a.yrow = plane, y.stride[3]
            if y.stride[4] != 1:
                self.copy_rows(plane, y, a.oh, a.ow, copied)
                a.y, a.yrow = copied, a.ow
            a.sums = sums
            self.t.weight_rows(&a)
            plane, sums = plane + y.stride[1] * size, sums + self.taps * self.t.vl * size

    cdef void find_rows(
        self, const View *x, Py_ssize_t od, Py_ssize_t r0, Py_ssize_t nrows, Py_ssize_t *table) noexcept nogil:
        """Offsets, in a channel or in the band, of the input rows that a block reads."""
        cdef Py_ssize_t z, r
        cdef int64_t plane, row
        for z in range(self.kd):
            plane = fc_source(&self.image.planes, od * self.sd + z * self.dd)
            for r in range(nrows):
                row = fc_source(&self.image.rows, r0 * self.sh + r)
                if not self.in_place:
                    table[r] = (z * self.rin + r) * self.row_len
                    if self.image.fill == 0 and (plane < 0 or row < 0):
                        table[r] = WEIGHT_NO_ROW
                elif plane < 0 or row < 0:
                    table[r] = WEIGHT_NO_ROW
                else:
                    table[r] = plane * x.stride[2] + row * x.stride[3]
            table += nrows

    cdef void fill_band(
        self, const char *channel, const View *x, Py_ssize_t od, Py_ssize_t r0, Py_ssize_t nrows, Py_ssize_t q0,
        Py_ssize_t cols, const Py_ssize_t *table, char *band) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, z, r, start = q0 * self.sw
        cdef Py_ssize_t win = (cols - 1) * self.sw + (self.kw - 1) * self.dw + 1
        cdef int64_t plane
        for z in range(self.kd):
            plane = fc_source(&self.image.planes, od * self.sd + z * self.dd)
            for r in range(nrows):
                if table[r] != WEIGHT_NO_ROW:
                    copy_row(
                        self.t, &self.image, band + table[r] * size, self.sw, self.wq,
                        row_of(&self.image, x, channel, plane, r0 * self.sh + r, size), x.stride[4], start, win)
            table += nrows

    cdef void copy_rows(
        self, const char *plane, const View *y, Py_ssize_t rows, Py_ssize_t cols, char *to) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, i
        for i in range(rows):
            self.t.fill_row(
                to + i * cols * size, 1, 0, plane + i * y.stride[3] * size, y.stride[4], NULL, 0, cols, 0, cols, 0.0)
