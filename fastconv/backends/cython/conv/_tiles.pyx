# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Convolution of bfloat16 in matrix registers: weights times a band of pixels, 32 output channels x 32 pixels at a time.

An item of work is a block of output rows and columns of one group of one image.  Its band has a plane for each pair of
channels, whose pixels are pairs, split by stride phase along both axes: for each tap, the pixels of a block of outputs follow
each other, and of the next output row after `wq` more.  So a tile of 16 or 32 outputs may span rows; outputs between the
rows of a block are computed and not stored.  Few channels are combined with the columns of the kernel: then a plane is a pair
of these, and its rows have no gaps.
"""

from libc.string cimport memcpy, memset

from fastconv.backends.cython.runtime._prepared cimport Arrays, Bound, Prepared, bound
from fastconv.backends.cython.runtime._simd cimport View, address, fc_table
from fastconv.backends.cython.runtime._tiles cimport fc_tiles, tiles_args, tiles_store_args

cdef enum:
    WIDTH = 32  # rows and columns of the sums of a tile
    SIZE = 2  # bytes of an element


cdef class TiledConv(Prepared):
    """Sizes of one problem and its blocks."""

    cdef const fc_tiles *tiles
    cdef Py_ssize_t n, groups, icg, ocg, ih, iw, oh, ow, kh, kw, sh, sw, dh, dw, top, left
    cdef Py_ssize_t rows, cols, height, width, hq, wq, plane, steps, pairs, taps, channels, strips
    cdef Py_ssize_t row_blocks, col_blocks, staged
    cdef bint last, combined, relu
    cdef const Py_ssize_t *tap_at

    def __init__(self, size_t table, size_t tiles, p, blocks, tap_at):
        self.t, self.tiles, self.keep = <const fc_table *>table, <const fc_tiles *>tiles, tap_at
        self.n, self.groups, self.icg, self.ocg = p.n, p.groups, p.icg, p.ocg
        (_, self.ih, self.iw), (_, self.oh, self.ow), (_, self.kh, self.kw) = p.input, p.output, p.kernel
        (_, self.sh, self.sw), (_, self.dh, self.dw), (_, (self.top, _), (self.left, _)) = p.stride, p.dilation, p.pads
        self.rows, self.cols, self.height, self.width = blocks.rows, blocks.cols, blocks.height, blocks.width
        self.hq, self.wq, self.plane = blocks.hq, blocks.wq, blocks.plane
        self.steps, self.pairs, self.taps, self.channels = blocks.steps, blocks.pairs, blocks.taps, blocks.channels
        self.staged, self.combined, self.last = blocks.staged, blocks.combined, p.layout == "NHWC"
        self.strips = (self.ocg + WIDTH - 1) // WIDTH
        self.tap_at = <const Py_ssize_t *>address(tap_at)
        self.relu = p.activation == "relu"
        self.row_blocks = (self.oh + self.rows - 1) // self.rows if self.rows else 0
        self.col_blocks = (self.ow + self.cols - 1) // self.cols if self.cols else 0
        self.items = self.n * self.groups * self.row_blocks * self.col_blocks

    def operands(self, weights, packed, bias):
        """A run; `weights`, (outputs, channels, taps), are packed into `packed`."""
        cdef Bound run = bound(self, (weights, packed, bias))
        cdef const char *w = address(weights)
        cdef char *to = address(packed)
        cdef Py_ssize_t depth = self.channels * self.taps, s, i0, i1, g
        run.arrays.weights, run.arrays.bias = to, address(bias)
        with nogil:
            for g in range(self.groups):
                for s in range(self.strips):
                    i0, i1 = self.ocg * s // self.strips, self.ocg * (s + 1) // self.strips
                    self.tiles.pair_taps(
                        to + (g * self.ocg + i0) * self.row_bytes(), w + (g * self.ocg + i0) * depth * SIZE, depth, i1 - i0,
                        self.channels, self.taps, self.steps, self.pairs)
        return run

    cdef Py_ssize_t row_bytes(self) noexcept nogil:
        """Packed weights of one output channel."""
        return self.taps * self.steps * self.pairs * 2 * SIZE

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef Py_ssize_t c = i % self.col_blocks, r = i // self.col_blocks % self.row_blocks
        cdef Py_ssize_t g = i // self.col_blocks // self.row_blocks % self.groups
        cdef Py_ssize_t n = i // self.col_blocks // self.row_blocks // self.groups
        # Blocks have one size: the last one begins earlier.
        cdef Py_ssize_t r0 = min(r * self.rows, self.oh - self.rows), c0 = min(c * self.cols, self.ow - self.cols)
        cdef Py_ssize_t pixels = (self.rows - 1) * self.wq + self.cols, s, i0, i1, p, t
        cdef const View *y = &arrays.y
        cdef char *to = y.data + (n * y.stride[0] + g * self.ocg * y.stride[1] + r0 * y.stride[3] + c0 * y.stride[4]) * SIZE
        cdef Py_ssize_t *a_parts = <Py_ssize_t *>(scratch + WIDTH * WIDTH * 4)
        cdef char *band = scratch + WIDTH * WIDTH * 4 + (self.taps * 8 + 63) // 64 * 64
        cdef tiles_args m
        cdef tiles_store_args e
        cdef char *first
        self.fill(&arrays.x, n, g, r0, c0, band, band + self.steps * self.pairs * self.plane * 4)
        m.parts, m.steps, m.a_parts, m.b_parts, m.last = self.taps, self.steps, a_parts, self.tap_at, NULL
        m.ars, m.last_rs, m.brs, m.b_step = self.pairs * 2, 0, self.plane * 2, self.pairs * self.plane * 2
        m.sums = <float *>scratch
        e.alpha, e.beta, e.c, e.crs, e.ccs, e.row_bias, e.col_bias, e.relu = 1.0, 0.0, NULL, 0, 0, NULL, NULL, self.relu
        e.rs, e.cs = y.stride[1], y.stride[4]
        m.rows = 0
        for s in range(self.strips):
            i0, i1 = self.ocg * s // self.strips, self.ocg * (s + 1) // self.strips
            if i1 - i0 != m.rows:
                m.rows = i1 - i0
                self.tiles.begin_tiles(m.rows, self.pairs)
                m.a_step = m.rows * self.pairs * 2
                for t in range(self.taps):
                    a_parts[t] = t * self.steps * m.a_step
            e.rows = m.rows
            m.a = arrays.weights + (g * self.ocg + i0) * self.row_bytes()
            if arrays.bias != NULL:
                e.row_bias = <const float *>arrays.bias + g * self.ocg + i0
            first = to + i0 * y.stride[1] * SIZE
            p = 0
            while p < pixels:
                m.b = band + p * 4
                m.cols = min(<Py_ssize_t>WIDTH, pixels - p)
                self.tiles.multiply_tiles(&m)
                self.store(&e, y, first, m.sums, p, m.cols)
                p = p + WIDTH
        self.tiles.end_tiles()

    cdef void store(
        self, tiles_store_args *e, const View *y, char *first, const float *sums, Py_ssize_t p, Py_ssize_t count) noexcept nogil:
        """The sums of `count` pixels of a block from p on, without those between rows."""
        cdef Py_ssize_t row, col, run
        if self.wq == self.ow:  # rows follow each other in the result, too
            e.sums, e.cols, e.y = sums, count, first + p * y.stride[4] * SIZE
            self.tiles.store_tiles(e)
            return
        while count > 0:
            row, col = p // self.wq, p % self.wq
            run = min(self.wq - col, count)
            if col < self.cols:
                e.sums, e.cols = sums, min(run, self.cols - col)
                e.y = first + (row * y.stride[3] + col * y.stride[4]) * SIZE
                self.tiles.store_tiles(e)
            sums, p, count = sums + run, p + run, count - run

    cdef void fill(
        self, const View *x, Py_ssize_t n, Py_ssize_t g, Py_ssize_t r0, Py_ssize_t c0, char *band, char *staged) noexcept nogil:
        """The band of a block, whose first pixel may be outside of the image."""
        cdef Py_ssize_t y0 = r0 * self.sh - self.top, x0 = c0 * self.sw - self.left, i, phase, tap, at
        cdef Py_ssize_t lo, hi, across = x.stride[4]
        cdef const char *src = x.data + (n * x.stride[0] + g * self.icg * x.stride[1]) * SIZE
        cdef const char *row
        cdef char *to
        cdef bint used
        if y0 < 0 or x0 < 0 or y0 + self.height > self.ih or x0 + self.width > self.iw:
            memset(band, 0, self.steps * self.pairs * self.plane * 4)
        for i in range(max(<Py_ssize_t>0, -y0), min(self.height, self.ih - y0)):
            used = False
            for tap in range(self.kh):  # some output row of the block reads it
                at = i - tap * self.dh
                used = used or (at >= 0 and at % self.sh == 0 and at // self.sh < self.rows)
            if not used:
                continue
            row = src + (y0 + i) * x.stride[3] * SIZE
            to = band + (i % self.sh * self.phases() * self.hq + i // self.sh) * self.wq * 4
            if self.combined:
                self.combine(x, row, x0, to, staged)
                continue
            for phase in range(min(self.sw, self.width)):
                used = False
                for tap in range(self.kw):
                    used = used or tap * self.dw % self.sw == phase
                if not used:
                    continue
                lo = max(<Py_ssize_t>0, (-(x0 + phase) + self.sw - 1) // self.sw)
                hi = min(self.wq, (self.iw - x0 - phase + self.sw - 1) // self.sw)
                if lo < hi:
                    self.tiles.pair_rows(
                        to + (phase * self.hq * self.wq + lo) * 4, WIDTH, self.plane,
                        row + (x0 + phase + lo * self.sw) * across * SIZE, self.sw * across, x.stride[1], hi - lo, self.icg,
                        self.steps * self.pairs, hi - lo)

    cdef Py_ssize_t phases(self) noexcept nogil:
        """Of the columns of a band."""
        return 1 if self.combined else self.sw

    cdef void combine(self, const View *x, const char *row, Py_ssize_t x0, char *to, char *staged) noexcept nogil:
        """A row of the band of which each plane is a pair of a channel and a column of the kernel, from a padded copy."""
        cdef Py_ssize_t lo = min(max(<Py_ssize_t>0, -x0), self.width), hi = max(lo, min(self.width, self.iw - x0)), c, q, v0, v1
        cdef Py_ssize_t size = SIZE * (self.icg if self.last else 1), across = x.stride[4]
        for c in range(1 if self.last else self.icg):
            memset(staged + c * self.width * SIZE, 0, lo * size)
            if self.last and across != self.icg:
                for q in range(lo, hi):
                    memcpy(staged + q * size, row + (x0 + q) * across * SIZE, size)
            else:
                memcpy(staged + c * self.width * SIZE + lo * size, row + (c * x.stride[1] + (x0 + lo) * across) * SIZE, (hi - lo) * size)
            memset(staged + c * self.width * SIZE + hi * size, 0, (self.width - hi) * size)
        if self.last:
            self.tiles.pair_rows(
                to, WIDTH, self.plane, staged, self.sw * self.icg, 1, self.cols, self.channels, self.steps * self.pairs, self.cols)
            return
        for q in range(self.steps * self.pairs):
            v0, v1 = 2 * q, 2 * q + 1
            if v0 >= self.channels:
                memset(to + q * self.plane * 4, 0, self.cols * 4)
                continue
            self.tiles.pair_row(
                to + q * self.plane * 4, self.column(staged, v0), self.column(staged, v1) if v1 < self.channels else NULL,
                self.sw, self.cols)

    cdef const char *column(self, const char *staged, Py_ssize_t v) noexcept nogil:
        """Where channel v // kw begins for column v % kw of the kernel."""
        return staged + (v // self.kw * self.width + v % self.kw * self.dw) * SIZE
