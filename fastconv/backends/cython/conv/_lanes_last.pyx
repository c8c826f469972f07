# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Convolution with few channels per group of images with channels last: blocking and threads around `last_lanes`.

One item of work is a block of output rows and columns of one plane of all channels, one vector of output channels after
the other.  Tiles read the image in place where a vector of outputs depends on the same channels of the input and padding is
zeros, which they skip; otherwise the vectors that they read are made in a band in scratch, (planes, rows, channels of a group, columns, lanes), with
padding of every mode.  So are they where weights are infinite or NaN, whose products with zeros are NaN.
"""

from libc.stdint cimport int64_t

from fastconv.backends.cython.runtime._nonfinite cimport any_nonfinite
from fastconv.backends.cython.runtime._padded cimport Padded, padded, row_of
from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport (
    DEPTHWISE_NO_ROW, View, address, fc_source, fc_table, last_lanes_args)


cdef class Lanes(Prepared):
    """One prepared convolution; immutable after construction, so runs may overlap."""

    cdef Py_ssize_t n, icg, ic, oc, kd, kh, kw, sd, sh, sw, dd, dh, dw, od, oh, ow, iw, pad
    cdef Py_ssize_t rb, qb, row_blocks, col_blocks, lines, depth, rin, win, table_bytes, reach
    cdef bint in_place, adjacent, overlapping, zeros, relu
    cdef Padded image
    cdef const char *outside
    cdef const char *sources
    cdef const Py_ssize_t *firsts

    def __init__(self, size_t table, p, tables, blocks, firsts, sources, outside):
        """`firsts`, `sources`: by vector and channel, the first channel that lanes read, and which one after it each
        lane reads; `outside`: a vector of padding."""
        cdef Py_ssize_t last = int(sources.max(initial=0))
        self.t = <const fc_table *>table
        self.keep = (tables, firsts, sources, outside)
        self.n, self.icg, self.ic, self.oc = p.n, p.icg, p.ic, p.oc
        self.kd, self.kh, self.kw = p.kernel
        self.sd, self.sh, self.sw = p.stride
        self.dd, self.dh, self.dw = p.dilation
        self.od, self.oh, self.ow = p.output
        self.iw, self.pad = p.input[2], p.pads[2][0]
        self.rb, self.qb, self.rin, self.win = blocks.rows, blocks.cols, blocks.rin, blocks.win
        self.table_bytes, self.in_place = blocks.table_bytes, blocks.in_place
        self.adjacent, self.overlapping = blocks.adjacent, blocks.overlapping
        self.row_blocks = (self.oh + self.rb - 1) // self.rb
        self.col_blocks = (self.ow + self.qb - 1) // self.qb
        self.lines, self.depth = self.icg * self.kd * self.kh, self.icg * self.kd * self.kh * self.kw
        self.image = padded(tables, p.fill)
        self.firsts, self.sources, self.outside = <const Py_ssize_t *>address(firsts), address(sources), address(outside)
        self.reach = self.t.vl if last < self.t.vl else 2 * self.t.vl
        self.zeros, self.relu = p.pads_with_zeros, p.activation == "relu"
        self.items = self.n * self.od * self.row_blocks * self.col_blocks

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef const View *x = &arrays.x
        cdef const View *y = &arrays.y
        cdef Py_ssize_t size = self.t.itemsize, vl = self.t.vl, nr = self.t.nr, qi, ri, od, n, k, panel
        cdef Py_ssize_t v = 0, vectors = (self.oc + vl - 1) // vl
        qi = i % self.col_blocks
        i = i // self.col_blocks
        ri = i % self.row_blocks
        i = i // self.row_blocks
        od = i % self.od
        n = i // self.od
        cdef Py_ssize_t r0 = ri * self.rb, q0 = qi * self.qb
        cdef const char *image = x.data + n * x.stride[0] * size
        cdef char *to = y.data + (n * y.stride[0] + od * y.stride[2] + r0 * y.stride[3] + q0 * y.stride[4]) * size
        cdef const char *weights
        cdef char *band = scratch + self.table_bytes
        cdef bint reads_image, found = False, filled = False
        cdef last_lanes_args a
        a.rows, a.ow = min(self.rb, self.oh - r0), min(self.qb, self.ow - q0)
        a.kw, a.sw, a.dw, a.relu = self.kw, self.sw, self.dw, self.relu
        a.yrow, a.ys = y.stride[3], y.stride[4]
        while v < vectors:
            k, panel = v * vl, v // 2 * nr
            if self.overlapping:  # the last ones overlap those before
                k, panel = min(k, max(self.oc - vl, 0)), min(panel, max(self.oc - nr, 0))
            weights = arrays.weights + v // 2 * self.depth * nr * size
            reads_image = self.in_place and not (self.zeros and any_nonfinite(weights, self.depth * nr, size))
            a.w = weights + (k - panel) * size
            a.vectors, a.lanes = 1, min(vl, self.oc - k)
            if reads_image:
                a.sources = NULL if self.adjacent else self.sources
                a.channels, a.lines = self.icg, self.kd * self.kh
                if v % 2 == 0 and k + nr <= self.oc and self.adjacent:
                    a.vectors = 2
                if not found:
                    self.find_lines(x, od, r0, a.rows, <Py_ssize_t *>scratch)
                    found = True
                a.x, a.step, a.iw, a.pad = image + k * size, x.stride[4], self.iw, self.pad - q0 * self.sw
                a.at = <const Py_ssize_t *>scratch
            else:
                if not filled:
                    self.place_lines(a.rows, <Py_ssize_t *>(scratch + self.table_bytes // 2))
                self.fill(x, image, v, k, a.lanes, od, r0, a.rows, q0, a.ow, filled and self.image.cols.mode == 0, band)
                filled = True
                a.sources, a.channels, a.lines = NULL, 1, self.lines
                a.x, a.step, a.iw, a.pad = band, vl, self.win, 0
                a.at = <const Py_ssize_t *>(scratch + self.table_bytes // 2)
            a.bias = NULL if arrays.bias == NULL else arrays.bias + k * size
            a.y = to + k * size
            self.t.last_lanes(&a)
            v = v + a.vectors

    cdef void find_lines(
        self, const View *x, Py_ssize_t od, Py_ssize_t r0, Py_ssize_t rows, Py_ssize_t *table) noexcept nogil:
        """Where the image has the lines of each row of outputs."""
        cdef Py_ssize_t r, z, kr
        cdef int64_t plane, row
        for r in range(r0, r0 + rows):
            for z in range(self.kd):
                plane = fc_source(&self.image.planes, od * self.sd + z * self.dd)
                for kr in range(self.kh):
                    row = fc_source(&self.image.rows, r * self.sh + kr * self.dh)
                    table[0] = DEPTHWISE_NO_ROW if plane < 0 or row < 0 else plane * x.stride[2] + row * x.stride[3]
                    table += 1

    cdef void place_lines(self, Py_ssize_t rows, Py_ssize_t *table) noexcept nogil:
        """Where the band has them."""
        cdef Py_ssize_t r, c, z, kr, line = self.win * self.t.vl
        for r in range(rows):
            for c in range(self.icg):
                for z in range(self.kd):
                    for kr in range(self.kh):
                        table[0] = ((z * self.rin + r * self.sh + kr * self.dh) * self.icg + c) * line
                        table += 1

    cdef void fill(
        self, const View *x, const char *image, Py_ssize_t v, Py_ssize_t k, Py_ssize_t lanes, Py_ssize_t od, Py_ssize_t r0,
        Py_ssize_t rows, Py_ssize_t q0, Py_ssize_t cols, bint padded, char *band) noexcept nogil:
        """The vectors that a block reads; `padded`: all padding is there already."""
        cdef Py_ssize_t size = self.t.itemsize, line = self.win * self.t.vl * size, z, i, c
        cdef Py_ssize_t reads = (rows - 1) * self.sh + (self.kh - 1) * self.dh + 1
        cdef Py_ssize_t win = (cols - 1) * self.sw + (self.kw - 1) * self.dw + 1
        cdef int64_t plane
        cdef const char *row
        cdef char *to
        for z in range(self.kd):
            plane = fc_source(&self.image.planes, od * self.sd + z * self.dd)
            for i in range(reads):
                row = row_of(&self.image, x, image, plane, r0 * self.sh + i, size)
                for c in range(self.icg):
                    to = band + ((z * self.rin + i) * self.icg + c) * line
                    if row != NULL:
                        self.fill_line(x, row, v, k, c, lanes, q0 * self.sw, win, padded, to)
                    elif not padded:
                        self.t.copy_pixels(to, self.t.vl, self.outside, 0, win, self.t.vl)

    cdef void fill_line(
        self, const View *x, const char *row, Py_ssize_t v, Py_ssize_t k, Py_ssize_t c, Py_ssize_t lanes, Py_ssize_t first,
        Py_ssize_t count, bint padded, char *to) noexcept nogil:
        """The padded columns first, first + 1, and so on of a row."""
        cdef Py_ssize_t size = self.t.itemsize, pixel = self.t.vl * size, j, begin, end
        cdef int64_t col
        # Columns begin <= j < end have neighbouring sources; the others are looked up.
        begin = min(max(self.image.run0 - first, 0), count)
        end = min(max(self.image.run1 - first, begin), count)
        j = begin if padded else 0
        while j < (end if padded else count):
            col = fc_source(&self.image.cols, first + j)
            if begin <= j < end:
                self.put(x, row + col * x.stride[4] * size, v, k, c, lanes, end - begin, to + j * pixel)
                j = end
                continue
            if col < 0:
                self.t.copy_pixels(to + j * pixel, self.t.vl, self.outside, 0, 1, self.t.vl)
            else:
                self.put(x, row + col * x.stride[4] * size, v, k, c, lanes, 1, to + j * pixel)
            j = j + 1

    cdef void put(
        self, const View *x, const char *pixel, Py_ssize_t v, Py_ssize_t k, Py_ssize_t c, Py_ssize_t lanes, Py_ssize_t count,
        char *to) noexcept nogil:
        """The vectors of `count` neighbouring pixels."""
        cdef Py_ssize_t size = self.t.itemsize, vl = self.t.vl, which = v * self.icg + c, first
        if self.adjacent:
            self.t.copy_pixels(to, vl, pixel + k * size, x.stride[4], count, lanes)
            return
        first = self.firsts[which]
        self.t.spread_pixels(
            to, pixel + first * size, x.stride[4], count, self.sources + which * vl * size, min(self.reach, self.ic - first))


def pack(size_t table, w, packed, Py_ssize_t channels, Py_ssize_t depth, bint overlapping):
    """w, (channels, depth), into panels (blocks, depth, NR); `overlapping`: the last panel is full of channels, if there are
    enough, and repeats some of the one before."""
    cdef const fc_table *t = <const fc_table *>table
    cdef const char *src = address(w)
    cdef char *dst = address(packed)
    cdef Py_ssize_t nr = t.nr, size = t.itemsize, b, k
    with nogil:
        for b in range((channels + nr - 1) // nr):
            k = min(b * nr, max(channels - nr, 0)) if overlapping else b * nr
            t.pack_b(dst + b * depth * nr * size, src + k * depth * size, depth, 1, min(nr, channels - k), depth)
