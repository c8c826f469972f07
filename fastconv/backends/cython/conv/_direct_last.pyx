# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Direct convolution of images with channels last: output channels in lanes, blocking and threads around `last_tile`.

One item of work is a block of output rows and columns of one plane of one group of one image.  Its tiles read the image
in place, if there is no padding, or a band in scratch: the pixels that the block reads, of all planes that it reads, with
padding of every mode, channels innermost as in the image.
"""

from libc.stdint cimport int64_t
from libc.string cimport memcpy

from fastconv.backends.cython.runtime._padded cimport Padded, padded, row_of
from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport View, address, fc_source, fc_table, last_tile_args


cdef class DirectLast(Prepared):
    """One prepared convolution; immutable after construction, so runs may overlap."""

    cdef Py_ssize_t n, groups, icg, ocg, kd, sd, sh, sw, dd, dh, od, oh, ow
    cdef Py_ssize_t rb, qb, kb_chunk, together, kbs, row_blocks, col_blocks, k_chunks
    cdef Py_ssize_t runs, depth, pitch, win, rin  # of the band: elements of a pixel, pixels of a row, rows of a plane
    cdef Py_ssize_t down, across, band_sh, band_sw  # positions from row to row and column to column of the band; its strides
    cdef bint in_place, relu
    cdef Padded image
    cdef const Py_ssize_t *runs_at
    cdef const char *outside

    def __init__(self, size_t table, p, tables, blocks, runs, outside):
        """`runs`: where they begin; `outside`: one pixel of padding of a group."""
        self.t = <const fc_table *>table
        self.keep = (tables, runs, outside)
        self.n, self.groups, self.icg, self.ocg = p.n, p.groups, p.icg, p.ocg
        self.kd = p.kernel[0]
        self.sd, self.sh, self.sw = p.stride
        self.dd, self.dh, _ = p.dilation
        self.od, self.oh, self.ow = blocks.output
        self.rb, self.qb, self.kb_chunk, self.together = blocks.rows, blocks.cols, blocks.k_chunk, blocks.together
        self.in_place, self.depth, self.runs = blocks.in_place, blocks.depth, len(runs)
        self.pitch, self.win, self.rin = blocks.pitch, blocks.win, blocks.rin
        self.down, self.across = blocks.down, blocks.across
        self.band_sh, self.band_sw = self.sh // blocks.down, self.sw // blocks.across
        self.kbs = (self.ocg + self.t.nr - 1) // self.t.nr
        self.k_chunks = (self.kbs + self.kb_chunk - 1) // self.kb_chunk
        self.row_blocks = (self.oh + self.rb - 1) // self.rb
        self.col_blocks = (self.ow + self.qb - 1) // self.qb
        self.image = padded(tables, p.fill)
        self.runs_at, self.outside = <const Py_ssize_t *>address(runs), address(outside)
        self.relu = p.activation == "relu"
        self.items = self.n * self.groups * self.od * self.row_blocks * self.col_blocks * self.k_chunks

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef const View *x = &arrays.x
        cdef const View *y = &arrays.y
        cdef Py_ssize_t k_chunk, qi, ri, od, g, n, r, size = self.t.itemsize, nr = self.t.nr
        k_chunk = i % self.k_chunks
        i = i // self.k_chunks
        g = i % self.groups  # groups of the same pixels follow each other: these share cache lines
        i = i // self.groups
        qi = i % self.col_blocks
        i = i // self.col_blocks
        ri = i % self.row_blocks
        i = i // self.row_blocks
        od = i % self.od
        n = i // self.od
        cdef Py_ssize_t r0 = ri * self.rb, q0 = qi * self.qb, kb, k, q, q_next, piece, step
        cdef Py_ssize_t rows = min(self.rb, self.oh - r0), cols = min(self.qb, self.ow - q0)
        cdef Py_ssize_t pieces = (cols + self.t.mr - 1) // self.t.mr
        cdef const char *src = x.data + (n * x.stride[0] + g * self.icg) * size
        cdef char *to = y.data + (
            n * y.stride[0] + od * y.stride[2] + r0 * y.stride[3] + q0 * y.stride[4] + g * self.ocg) * size
        cdef const char *a
        cdef last_tile_args t
        t.runs, t.at, t.depth, t.ys, t.relu = self.runs, self.runs_at, self.depth, y.stride[4], self.relu
        if self.in_place:
            src = src + (
                od * self.sd * x.stride[2] + r0 * self.sh * x.stride[3] + q0 * self.sw * x.stride[4]) * size
            t.pixel, step = self.sw * x.stride[4], self.sh * x.stride[3]
        else:
            self.fill(x, src, od, r0, rows, q0, cols, scratch)
            src = scratch
            t.pixel, step = self.band_sw * self.pitch, self.band_sh * self.win * self.pitch
        cdef Py_ssize_t end = min(self.kbs, (k_chunk + 1) * self.kb_chunk), kb0 = k_chunk * self.kb_chunk
        while kb0 < end:
            for r in range(rows):
                q, a = 0, src + r * step * size
                for piece in range(pieces):  # near-equal parts of at most MR pixels
                    q_next = cols * (piece + 1) // pieces
                    t.a = a + q * t.pixel * size
                    for kb in range(kb0, min(end, kb0 + self.together)):
                        k = kb * nr
                        t.b = arrays.weights + (g * self.kbs + kb) * self.runs * self.depth * nr * size
                        t.bias = NULL if arrays.bias == NULL else arrays.bias + (g * self.ocg + k) * size
                        t.cols = min(nr, self.ocg - k)
                        t.y = to + (r * y.stride[3] + q * y.stride[4] + k) * size
                        self.t.last_tile[q_next - q][t.cols > self.t.vl](&t)
                    q = q_next
            kb0 = kb0 + self.together

    cdef void fill(
        self, const View *x, const char *group, Py_ssize_t od, Py_ssize_t r0, Py_ssize_t rows, Py_ssize_t q0, Py_ssize_t cols,
        char *band) noexcept nogil:
        """The pixels of a block, (planes, rows, columns, pitch)."""
        cdef Py_ssize_t size = self.t.itemsize, z, i, reads = self.rin - (self.rb - rows) * self.band_sh
        cdef Py_ssize_t win = self.win - (self.qb - cols) * self.band_sw
        cdef int64_t plane
        cdef const char *row
        for z in range(self.kd):
            plane = fc_source(&self.image.planes, od * self.sd + z * self.dd)
            for i in range(reads):
                row = row_of(&self.image, x, group, plane, r0 * self.sh + i * self.down, size)
                self.fill_row(x, row, q0 * self.sw, win, band + (z * self.rin + i) * self.win * self.pitch * size)

    cdef void fill_row(
        self, const View *x, const char *row, Py_ssize_t first, Py_ssize_t count, char *to) noexcept nogil:
        """The pixels of a row (NULL: padding) at padded columns first, first + across, and so on."""
        cdef Py_ssize_t size = self.t.itemsize, pixel = self.pitch * size, step = x.stride[4], across = self.across, j, begin, end
        cdef int64_t col
        if row == NULL:
            self.t.copy_pixels(to, self.pitch, self.outside, 0, count, self.icg)
            return
        # Columns begin <= j < end have neighbouring sources; the others are looked up.
        begin = min(max((self.image.run0 - first + across - 1) // across, 0), count)
        end = min(max((self.image.run1 - first + across - 1) // across, begin), count)
        for j in range(begin):
            self.fill_pixel(row, step, first + j * across, to + j * pixel)
        if begin < end:
            col = fc_source(&self.image.cols, first + begin * across)
            if across * step == self.pitch and self.icg == self.pitch:
                memcpy(to + begin * pixel, row + col * step * size, (end - begin) * pixel)
            else:
                self.t.copy_pixels(
                    to + begin * pixel, self.pitch, row + col * step * size, across * step, end - begin, self.icg)
        for j in range(end, count):
            self.fill_pixel(row, step, first + j * across, to + j * pixel)

    cdef void fill_pixel(self, const char *row, Py_ssize_t step, Py_ssize_t at, char *to) noexcept nogil:
        cdef int64_t col = fc_source(&self.image.cols, at)
        self.t.copy_pixels(
            to, self.pitch, self.outside if col < 0 else row + col * step * self.t.itemsize, 0, 1, self.icg)


def pack(size_t table, w, packed, aside, Py_ssize_t rows, Py_ssize_t channels, Py_ssize_t taps, Py_ssize_t groups):
    """w, (groups * rows, channels, taps), into panels (groups, blocks, taps, channels, NR), zero after the last row.

    `aside`: room for the panel of as many channels as are packed at a time, and a vector.
    """
    cdef const fc_table *t = <const fc_table *>table
    cdef const char *src = address(w)
    cdef char *dst = address(packed)
    cdef char *panel = address(aside)
    cdef Py_ssize_t nr = t.nr, size = t.itemsize, depth = channels * taps, blocks = (rows + nr - 1) // nr
    cdef Py_ssize_t most = max(1, (aside.size - t.vl) // (taps * nr)), g, b, c, z, count
    cdef char *to
    with nogil:
        for g in range(groups):
            for b in range(blocks):
                to = dst + (g * blocks + b) * depth * nr * size
                c = 0
                while c < channels:
                    count = min(most, channels - c)
                    t.pack_b(
                        panel, src + ((g * rows + b * nr) * depth + c * taps) * size, depth, 1, min(nr, rows - b * nr),
                        count * taps)
                    for z in range(taps):
                        t.copy_pixels(to + (z * channels + c) * nr * size, nr, panel + z * nr * size, taps * nr, count, nr)
                    c = c + count
