# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Gradients of convolution weights: sums over pixels on the register tile of the forward kernels.

Lanes are output channels, rows are input channels or the taps of one kernel row (see weight.py).  One block is some
output rows and columns of one plane of some images: its part of y is packed with NR channels per pixel, its part of
x is copied to a band, and every tile sums the block's pixels in registers before it adds them to `partial`.
So no chain of additions is longer than a block.

An item of work is (segment of the blocks, group, part of the output channels).  The number of segments depends on
the problem, not on the threads, and so do the bits of the result.  The last items add up the segments.
"""

from libc.stdint cimport int64_t
from libc.string cimport memset

from fastconv.backends.cython.runtime._padded cimport Padded, copy_row, padded, row_of
from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport View, address, fc_epilogue, fc_source, fc_table


cdef class Weight(Prepared):
    """One prepared gradient y, of images x and the gradient z of the result; sums of segments are shared scratch."""

    cdef Py_ssize_t n, groups, icg, ocg, kd, kh, kw, sd, sh, sw, dd, dh, dw, od, oh, ow, depth
    cdef Py_ssize_t ib, rb, qb, image_blocks, row_blocks, col_blocks, blocks, segments
    cdef Py_ssize_t kbs, kb_chunk, k_chunks, units, unit_chunk, ntiles
    cdef Py_ssize_t rin, win, wlen, wq, plane_len, unit_len, row_step, out_step
    cdef bint channel_rows
    cdef Padded image
    cdef const Py_ssize_t *unit
    cdef const Py_ssize_t *tile
    cdef const Py_ssize_t *pixels

    def __init__(self, size_t table, p, tables, plan):
        self.t = <const fc_table *>table
        self.keep = (tables, plan)
        self.n, self.groups, self.icg, self.ocg = p.n, p.groups, p.icg, p.ocg
        self.kd, self.kh, self.kw = p.kernel
        self.sd, self.sh, self.sw = p.stride
        self.dd, self.dh, self.dw = p.dilation
        self.od, self.oh, self.ow = p.output
        self.depth = p.depth
        self.ib, self.rb, self.qb = plan.images, plan.rows, plan.cols
        self.image_blocks = (self.n + self.ib - 1) // self.ib
        self.row_blocks = (self.oh + self.rb - 1) // self.rb
        self.col_blocks = (self.ow + self.qb - 1) // self.qb
        self.blocks = self.image_blocks * self.od * self.row_blocks * self.col_blocks
        self.segments = plan.segments
        self.kbs = (self.ocg + self.t.nr - 1) // self.t.nr
        self.kb_chunk = plan.kb_chunk
        self.k_chunks = (self.kbs + self.kb_chunk - 1) // self.kb_chunk
        self.channel_rows = plan.channel_rows
        self.rin, self.win, self.wlen, self.wq = plan.rin, plan.win, plan.wlen, plan.wq
        self.plane_len = plan.plane_len
        self.unit_len, self.row_step, self.out_step = plan.unit_len, plan.row_step, plan.out_step
        self.units, self.unit_chunk, self.ntiles = len(plan.units), plan.unit_chunk, len(plan.tiles)
        self.image = padded(tables, p.fill)
        self.unit = <const Py_ssize_t *>address(plan.units)
        self.tile = <const Py_ssize_t *>address(plan.tiles)
        self.pixels = <const Py_ssize_t *>address(plan.pixels)
        self.items, self.closing = self.segments * self.groups * self.k_chunks, self.groups * self.kbs

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        if i < self.items:
            self.sum(i, &arrays.x, &arrays.z, arrays.shared, scratch)
        else:
            self.join(i - self.items, arrays.shared, arrays.y.data)

    cdef void join(self, Py_ssize_t i, char *sums, char *out) noexcept nogil:
        """Add the segments in order to the gradient, (oc, icg, kd, kh, kw) C-contiguous."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr
        cdef Py_ssize_t length = self.depth * nr * size, segment = self.groups * self.kbs * length, s
        cdef Py_ssize_t g = i // self.kbs, kb = i % self.kbs
        cdef char *total = sums + i * length
        cdef fc_epilogue e
        e.alpha, e.beta, e.c, e.row_bias, e.col_bias, e.relu = 1.0, 1.0, total, NULL, NULL, 0
        e.crs, e.ccs = nr, 1
        for s in range(1, self.segments):
            self.t.store(total + s * segment, self.depth, nr, total, nr, 1, &e)
        e.c = NULL
        self.t.store(
            total, self.depth, min(nr, self.ocg - kb * nr), out + (g * self.ocg + kb * nr) * self.depth * size, 1,
            self.depth, &e)

    cdef void sum(self, Py_ssize_t i, const View *x, const View *y, char *sums, char *scratch) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr
        cdef Py_ssize_t k_chunk = i % self.k_chunks, g = i // self.k_chunks % self.groups
        cdef Py_ssize_t segment = i // self.k_chunks // self.groups
        cdef Py_ssize_t kb0 = k_chunk * self.kb_chunk, kb1 = min(self.kbs, kb0 + self.kb_chunk)
        cdef Py_ssize_t first = self.blocks * segment // self.segments, last = self.blocks * (segment + 1) // self.segments
        cdef Py_ssize_t b, n0, n1, od, r0, rows, q0, cols, u0, u1
        sums = sums + (segment * self.groups + g) * self.kbs * self.depth * nr * size
        if first == last:
            memset(sums + kb0 * self.depth * nr * size, 0, (kb1 - kb0) * self.depth * nr * size)
        cdef char *packed = scratch
        cdef char *band = packed + self.ib * self.kb_chunk * self.rb * self.qb * nr * size
        for b in range(first, last):
            q0 = b % self.col_blocks * self.qb
            r0 = b // self.col_blocks % self.row_blocks * self.rb
            od = b // self.col_blocks // self.row_blocks % self.od
            n0 = b // self.col_blocks // self.row_blocks // self.od * self.ib
            n1, rows, cols = min(self.n, n0 + self.ib), min(self.rb, self.oh - r0), min(self.qb, self.ow - q0)
            self.pack_y(y, g, kb0, kb1, n0, n1, od, r0, rows, q0, cols, packed)
            u0 = 0
            while u0 < self.units:
                u1 = min(self.units, u0 + self.unit_chunk)
                self.fill_band(x, g, u0, u1, n0, n1, od, r0, rows, q0, cols, band)
                self.tiles(kb0, kb1, u0, u1, n1 - n0, rows, cols, b == first, packed, band, sums)
                u0 = u1

    cdef void pack_y(
        self, const View *y, Py_ssize_t g, Py_ssize_t kb0, Py_ssize_t kb1, Py_ssize_t n0, Py_ssize_t n1, Py_ssize_t od,
        Py_ssize_t r0, Py_ssize_t rows, Py_ssize_t q0, Py_ssize_t cols, char *packed) noexcept nogil:
        # [output block][image][pixel][NR], zero after the last channel
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, n, kb, r, count
        cdef const char *src
        for kb in range(kb0, kb1):
            count = min(nr, self.ocg - kb * nr)
            for n in range(n0, n1):
                src = y.data + (
                    n * y.stride[0] + (g * self.ocg + kb * nr) * y.stride[1] + od * y.stride[2] + r0 * y.stride[3]
                    + q0 * y.stride[4]) * size
                if cols * y.stride[4] == y.stride[3] or rows == 1:
                    self.t.pack_b(packed, src, y.stride[1], y.stride[4], count, rows * cols)
                else:
                    for r in range(rows):
                        self.t.pack_b(
                            packed + r * cols * nr * size, src + r * y.stride[3] * size, y.stride[1], y.stride[4], count,
                            cols)
                packed = packed + rows * cols * nr * size

    cdef void fill_band(
        self, const View *x, Py_ssize_t g, Py_ssize_t u0, Py_ssize_t u1, Py_ssize_t n0, Py_ssize_t n1, Py_ssize_t od,
        Py_ssize_t r0, Py_ssize_t rows, Py_ssize_t q0, Py_ssize_t cols, char *band) noexcept nogil:
        # [image][unit][depth tap]: rows, split by dilation phase, or rows of MR interleaved channels
        cdef Py_ssize_t size = self.t.itemsize
        cdef Py_ssize_t rin = (rows - 1) * self.sh + (self.kh - 1) * self.dh + 1
        cdef Py_ssize_t win = (cols - 1) * self.sw + (self.kw - 1) * self.dw + 1
        cdef Py_ssize_t start = q0 * self.sw
        cdef Py_ssize_t n, u, z, c, i, count
        cdef Py_ssize_t phases = 1 if self.channel_rows else self.dw
        cdef int64_t plane
        cdef const char *channel
        cdef char *temp = band + (self.ib * self.unit_chunk * self.unit_len + 64) * size
        cdef char *dst
        for n in range(n0, n1):
            for u in range(u0, u1):
                count = self.unit[2 * u + 1]
                for z in range(self.kd):
                    plane = fc_source(&self.image.planes, od * self.sd + z * self.dd)
                    dst = band + (((n - n0) * self.unit_chunk + u - u0) * self.unit_len + z * self.plane_len) * size
                    for c in range(count):
                        channel = x.data + (n * x.stride[0] + (g * self.icg + self.unit[2 * u] + c) * x.stride[1]) * size
                        for i in range(rin):
                            copy_row(
                                self.t, &self.image,
                                (temp + (c * self.rin + i) * self.wlen * size) if self.channel_rows
                                else dst + i * self.wlen * size,
                                phases, self.wq, row_of(&self.image, x, channel, plane, r0 * self.sh + i, size), x.stride[4],
                                start, win)
                    if self.channel_rows:
                        self.t.pack_a(dst, temp, self.rin * self.wlen, 1, count, rin * self.wlen)

    cdef void tiles(
        self, Py_ssize_t kb0, Py_ssize_t kb1, Py_ssize_t u0, Py_ssize_t u1, Py_ssize_t images, Py_ssize_t rows,
        Py_ssize_t cols, bint first, const char *packed, char *band, char *sums) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, mr = self.t.mr
        cdef char *m = band + (self.ib * self.unit_chunk * self.unit_len + 128 + mr * self.rin * self.wlen) * size
        cdef Py_ssize_t taps = self.kd * self.kh * self.kw, area = rows * cols * nr
        cdef Py_ssize_t kb, u, j, n, count
        cdef const Py_ssize_t *tile
        cdef char *total
        cdef fc_epilogue e
        e.alpha, e.beta, e.row_bias, e.col_bias, e.relu = 1.0, 1.0, NULL, NULL, 0
        e.crs, e.ccs = self.out_step * nr, 1
        for kb in range(kb0, kb1):
            for u in range(u0, u1):
                for j in range(self.ntiles):
                    tile = self.tile + 3 * j
                    count = tile[2] if tile[2] > 0 else self.unit[2 * u + 1]
                    for n in range(images):
                        self.t.tile[count][1](
                            rows, cols, self.pixels,
                            band + ((n * self.unit_chunk + u - u0) * self.unit_len + tile[0]) * size, self.row_step,
                            packed + ((kb - kb0) * images + n) * area * size, nr, packed, 0, n == 0, m)
                    total = sums + (kb * self.depth + self.unit[2 * u] * taps + tile[1]) * nr * size
                    e.c = NULL if first else total
                    self.t.store(m, count, nr, total, self.out_step * nr, 1, &e)
