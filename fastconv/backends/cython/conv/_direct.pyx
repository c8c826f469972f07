# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Direct convolution with output channels in lanes: any kernel, stride, dilation, padding, group.

One item of work is a block of output rows and columns of one plane of one group of one image.  It
fills a band of input rows in scratch (with padding of every mode; depth
taps become channels; columns are split by stride phase, so that neighbouring pixels are
adjacent), then computes blocks of NR output channels with the register tile, and stores
each block with bias and activation.  Bands with too many channels are filled in parts; `m` keeps the
accumulators of all blocks.  A flat band (`direct.FlatBand`) makes one long row of the pixels of
narrow maps.  With few output channels, lanes are pixels: tiles have MR channels of NR adjacent pixels, and sums the same order.
"""

from libc.stdint cimport int64_t

from fastconv.backends.cython.runtime._padded cimport Padded, copy_row, padded, row_of
from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport (
    FC_LINE, GATHER_NOTHING, View, address, fc_prefetch, fc_epilogue, fc_source, fc_table, image_tile_args)

from fastconv.backends.cython.runtime.native import SLACK

cdef enum:
    FLAT_COLS = 32  # of a flat band at most, as in direct.py


cdef class Direct(Prepared):
    """One prepared convolution; immutable after construction, so runs may overlap."""

    cdef Py_ssize_t n, groups, icg, ocg, kd, kh, kw, sd, sh, sw, dd, dh, dw, od, oh, ow
    cdef Py_ssize_t rb, qb, cb, kb_chunk  # block sizes: rows, columns, channels (with depth taps), NR blocks
    cdef Py_ssize_t kbs, row_blocks, col_blocks, k_chunks, wq, row_len, step, between, chan_len, band_len, ntaps
    cdef Py_ssize_t phases, apart, rq, table_bytes  # of a flat band
    cdef bint flat, pixels, far
    cdef Padded image
    cdef const Py_ssize_t *taps
    cdef bint relu

    def __init__(self, size_t table, p, tables, blocks, bint far):
        """`far`: whether images come from memory, so that planes of all depths are prefetched."""
        self.t, self.far = <const fc_table *>table, far
        band, taps = blocks.band, blocks.taps(p)
        self.keep = (tables, taps)
        self.n, self.groups, self.icg, self.ocg = p.n, p.groups, p.icg, p.ocg
        self.kd, self.kh, self.kw = p.kernel
        self.sd, self.sh, self.sw = p.stride
        self.dd, self.dh, self.dw = p.dilation
        self.od, self.oh, self.ow = p.output
        self.rb, self.qb, self.cb, self.kb_chunk = blocks.rows, blocks.cols, blocks.channels, blocks.k_chunk
        self.chan_len = blocks.channel(p)
        self.band_len, self.table_bytes = blocks.channels * self.chan_len + SLACK, blocks.table_bytes(p)
        self.flat = blocks.flat
        if self.flat:
            assert self.qb <= FLAT_COLS
            self.phases, self.apart, self.rq = band.phases, band.apart, band.rq
        else:
            self.wq, self.row_len, self.step, self.between = band.wq, band.row_len, band.step, self.dh // band.apart
        self.pixels = blocks.pixels
        width = self.t.mr if self.pixels else self.t.nr
        self.kbs = (self.ocg + width - 1) // width
        self.k_chunks = (self.kbs + self.kb_chunk - 1) // self.kb_chunk
        self.row_blocks = (self.oh + self.rb - 1) // self.rb
        self.col_blocks = (self.ow + self.qb - 1) // self.qb
        self.ntaps = self.kh * self.kw
        self.image = padded(tables, p.fill)
        self.taps = <const Py_ssize_t *>address(taps)
        self.relu = p.activation == "relu"
        self.items = self.n * self.groups * self.od * self.row_blocks * self.col_blocks * self.k_chunks

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef const View *x = &arrays.x
        cdef const View *y = &arrays.y
        cdef Py_ssize_t k_chunk, qi, ri, od, g, n
        k_chunk = i % self.k_chunks
        i = i // self.k_chunks
        qi = i % self.col_blocks
        i = i // self.col_blocks
        ri = i % self.row_blocks
        i = i // self.row_blocks
        od = i % self.od
        i = i // self.od
        g = i % self.groups
        n = i // self.groups
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr
        cdef Py_ssize_t r0 = ri * self.rb, q0 = qi * self.qb
        cdef Py_ssize_t rows = min(self.rb, self.oh - r0), cols = min(self.qb, self.ow - q0)
        cdef char *band = scratch + self.table_bytes
        cdef char *m = band + self.band_len * size
        cdef Py_ssize_t depth = self.icg * self.kd
        cdef Py_ssize_t kb, c0 = 0, count
        cdef Py_ssize_t k_begin = k_chunk * self.kb_chunk, k_end = min(self.kbs, k_begin + self.kb_chunk)
        cdef Py_ssize_t apart = 0  # accumulators of one block and the next
        if self.cb < depth:
            apart = self.runs_of(rows) * self.chunks(rows, cols) * self.t.mr if self.pixels else rows * cols
            apart = apart * nr * size
        if self.flat:
            self.find_pixels(x, r0, rows, cols, <int64_t *>scratch)
        while True:
            count = min(self.cb, depth - c0)
            if self.flat:
                self.fill_flat(x, n, g, od, r0, rows, c0, count, <const int64_t *>scratch, band)
            else:
                self.fill_band(x, n, g, od, r0, rows, q0, cols, c0, count, band)
            for kb in range(k_begin, k_end):
                if self.pixels:
                    self.pixel_tiles(arrays.weights, g, kb, c0, count, rows, cols, band, m + (kb - k_begin) * apart)
                    if c0 + count == depth:
                        self.finish_pixels(y, arrays.bias, n, g, kb, od, r0, rows, q0, cols, m + (kb - k_begin) * apart)
                    continue
                self.tiles(arrays.weights, g, kb, c0, count, rows, cols, band, m + (kb - k_begin) * apart)
                if c0 + count == depth:
                    self.finish(y, arrays.bias, n, g, kb, od, r0, rows, q0, cols, m + (kb - k_begin) * apart)
            c0 = c0 + count
            if c0 == depth:
                break

    cdef void fill_band(
        self, const View *x, Py_ssize_t n, Py_ssize_t g, Py_ssize_t od, Py_ssize_t r0, Py_ssize_t rows,
        Py_ssize_t q0, Py_ssize_t cols, Py_ssize_t c0, Py_ssize_t count, char *band) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize
        cdef Py_ssize_t rin = (rows - 1) * self.step + (self.kh - 1) * (self.dh // self.between) + 1
        cdef Py_ssize_t win = (cols - 1) * self.sw + (self.kw - 1) * self.dw + 1
        cdef Py_ssize_t start = q0 * self.sw
        cdef Py_ssize_t prefetched = win * size if x.stride[4] == 1 and (self.far or self.kd == 1) else 0
        cdef Py_ssize_t c, i
        cdef const char *plane = self.plane(x, n, g, od, c0)
        cdef const char *next
        cdef const char *src
        for c in range(c0, c0 + count):
            next = self.plane(x, n, g, od, c + 1)
            for i in range(rin):
                src = row_of(
                    &self.image, x, plane, -1 if plane == NULL else 0,
                    (r0 + i // self.step) * self.sh + i % self.step * self.between, size)
                if src != NULL and next != NULL:
                    fc_prefetch(next + (src - plane), prefetched)
                copy_row(
                    self.t, &self.image, band + ((c - c0) * self.chan_len + i * self.row_len) * size, self.sw, self.wq, src,
                    x.stride[4], start, win)
            plane = next

    cdef void find_pixels(
        self, const View *x, Py_ssize_t r0, Py_ssize_t rows, Py_ssize_t cols, int64_t *table) noexcept nogil:
        """The source of each element of one channel of a flat band."""
        cdef Py_ssize_t rin = (rows - 1) * self.sh + (self.kh - 1) * self.dh + 1
        cdef Py_ssize_t w, phase, j, i, q
        cdef int64_t row, col
        cdef int64_t at[FLAT_COLS]  # where the columns are in a row
        for w in range(self.kw):
            for q in range(cols):
                col = fc_source(&self.image.cols, q * self.sw + w * self.dw)
                at[q] = GATHER_NOTHING if col < 0 else col * x.stride[4]
            for phase in range(self.phases):
                for j in range(self.rq):
                    i = j * self.sh + phase * self.apart
                    row = fc_source(&self.image.rows, r0 * self.sh + i) if i < rin else -1
                    for q in range(cols):
                        table[q] = GATHER_NOTHING if row < 0 or at[q] == GATHER_NOTHING else row * x.stride[3] + at[q]
                    table += cols

    cdef void fill_flat(
        self, const View *x, Py_ssize_t n, Py_ssize_t g, Py_ssize_t od, Py_ssize_t r0, Py_ssize_t rows, Py_ssize_t c0,
        Py_ssize_t count, const int64_t *table, char *band) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, c, i
        cdef Py_ssize_t rin = (rows - 1) * self.sh + (self.kh - 1) * self.dh + 1
        cdef Py_ssize_t prefetched = self.image.cols.extent * size if x.stride[4] == 1 else 0
        cdef const char *next
        cdef const char *row
        for c in range(c0, c0 + count):
            next = self.plane(x, n, g, od, c + 1) if self.far else NULL
            if next != NULL:
                for i in range(rin):
                    row = row_of(&self.image, x, next, 0, r0 * self.sh + i, size)
                    if row != NULL:
                        fc_prefetch(row, prefetched)
            self.t.gather(
                band + (c - c0) * self.chan_len * size, self.plane(x, n, g, od, c), table, self.chan_len, self.image.fill)

    cdef const char *plane(self, const View *x, Py_ssize_t n, Py_ssize_t g, Py_ssize_t od, Py_ssize_t c) noexcept nogil:
        """Plane of channel c, depth taps being channels; NULL in the padding."""
        cdef int64_t plane = fc_source(&self.image.planes, od * self.sd + (c % self.kd) * self.dd)
        if plane < 0:
            return NULL
        return x.data + (
            n * x.stride[0] + (g * self.icg + c // self.kd) * x.stride[1] + plane * x.stride[2]) * self.t.itemsize

    cdef void tiles(
        self, const char *weights, Py_ssize_t g, Py_ssize_t kb, Py_ssize_t c0, Py_ssize_t count, Py_ssize_t rows,
        Py_ssize_t cols, const char *band, char *m) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr
        if self.flat:
            rows, cols = 1, rows * cols
        cdef Py_ssize_t pieces = (cols + self.t.mr - 1) // self.t.mr
        cdef Py_ssize_t depth = self.icg * self.kd
        cdef const char *w = weights + (((g * self.kbs + kb) * depth + c0) * self.ntaps) * nr * size
        # Every tile prefetches a part of the weights of the next block.
        cdef Py_ssize_t all_lines = self.ntaps * nr * size // FC_LINE, tile = 0
        cdef Py_ssize_t lines = (all_lines + rows * pieces - 1) // (rows * pieces)
        cdef const char *next = w + depth * self.ntaps * nr * size
        cdef Py_ssize_t r, piece, q, q_next
        cdef bint wide = self.ocg - kb * nr > self.t.vl
        for r in range(rows):
            q = 0
            for piece in range(pieces):  # near-equal parts of at most MR pixels
                q_next = cols * (piece + 1) // pieces
                self.t.tile[q_next - q][wide](
                    count, self.ntaps, self.taps, band + (r * self.step * self.row_len + q) * size, self.chan_len,
                    w, nr, next + tile * lines * FC_LINE, lines if tile * lines < all_lines else 0, c0 == 0,
                    m + (r * cols + q) * nr * size)
                q, tile = q_next, tile + 1

    cdef void finish(
        self, const View *y, const char *bias, Py_ssize_t n, Py_ssize_t g, Py_ssize_t kb, Py_ssize_t od, Py_ssize_t r0,
        Py_ssize_t rows, Py_ssize_t q0, Py_ssize_t cols, const char *m) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr
        cdef Py_ssize_t k = g * self.ocg + kb * nr, channels = min(nr, self.ocg - kb * nr), r
        cdef fc_epilogue e
        e.alpha, e.beta, e.c, e.row_bias, e.relu = 1.0, 0.0, NULL, NULL, self.relu
        e.col_bias = NULL if bias == NULL else bias + k * size
        cdef char *out = y.data + (
            n * y.stride[0] + k * y.stride[1] + od * y.stride[2] + r0 * y.stride[3] + q0 * y.stride[4]) * size
        if cols * y.stride[4] == y.stride[3] or rows == 1:
            self.t.store(m, rows * cols, channels, out, y.stride[4], y.stride[1], &e)
        else:
            for r in range(rows):
                self.t.store(
                    m + r * cols * nr * size, cols, channels, out + r * y.stride[3] * size, y.stride[4], y.stride[1], &e)

    cdef Py_ssize_t runs_of(self, Py_ssize_t rows) noexcept nogil:
        """Runs of adjacent pixels of a block."""
        return 1 if self.flat else rows

    cdef Py_ssize_t chunks(self, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil:
        """Groups of NR pixels of a run."""
        return ((rows * cols if self.flat else cols) + self.t.nr - 1) // self.t.nr

    cdef void pixel_tiles(
        self, const char *weights, Py_ssize_t g, Py_ssize_t kb, Py_ssize_t c0, Py_ssize_t count, Py_ssize_t rows,
        Py_ssize_t cols, const char *band, char *m) noexcept nogil:
        """Sums of the channels of a block, (runs, chunks, channels, NR)."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, chunks = self.chunks(rows, cols), r, q
        cdef Py_ssize_t channels = self.ocg * (kb + 1) // self.kbs - self.ocg * kb // self.kbs
        cdef Py_ssize_t depth = self.icg * self.kd
        cdef image_tile_args a
        a.channels, a.taps, a.at, a.xc, a.padding = count, self.ntaps, self.taps, self.chan_len, NULL
        a.w = weights + ((g * self.kbs + kb) * depth + c0) * self.ntaps * self.t.mr * size
        a.ys, a.first, a.last, a.start, a.bias, a.relu = nr, c0 == 0, 0, NULL, NULL, 0
        for r in range(self.runs_of(rows)):
            for q in range(chunks):
                a.x = band + (r * self.step * self.row_len + q * nr) * size
                a.y = m + (r * chunks + q) * channels * nr * size
                self.t.image_tile[channels](&a)

    cdef void finish_pixels(
        self, const View *y, const char *bias, Py_ssize_t n, Py_ssize_t g, Py_ssize_t kb, Py_ssize_t od, Py_ssize_t r0,
        Py_ssize_t rows, Py_ssize_t q0, Py_ssize_t cols, const char *m) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, chunks = self.chunks(rows, cols), r, q
        cdef Py_ssize_t run = rows * cols if self.flat else cols, first = self.ocg * kb // self.kbs
        cdef Py_ssize_t k = g * self.ocg + first, channels = self.ocg * (kb + 1) // self.kbs - first
        cdef fc_epilogue e
        e.alpha, e.beta, e.c, e.col_bias, e.relu = 1.0, 0.0, NULL, NULL, self.relu
        e.row_bias = NULL if bias == NULL else bias + k * size
        cdef char *out = y.data + (
            n * y.stride[0] + k * y.stride[1] + od * y.stride[2] + r0 * y.stride[3] + q0 * y.stride[4]) * size
        for r in range(self.runs_of(rows)):
            for q in range(chunks):
                self.t.store(
                    m + (r * chunks + q) * channels * nr * size, channels, min(nr, run - q * nr),
                    out + (r * y.stride[3] + q * nr * y.stride[4]) * size, y.stride[1], y.stride[4], &e)
