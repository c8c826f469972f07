# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Winograd convolution with 3 x 3 kernels: transformed tiles times transformed weights on the register tile.

One item of work is some rows of tiles of one plane of one group of one image.  Each channel's rows are laid into a band,
split by their column's remainder modulo m, and transformed into `v`, [point][channel][tile].  Then, for each block
of NR output channels, every point is a product of matrices on the register tile, into `s`, [point][tile][NR], and
the output transform leaves rows of pixels in `y`, which are stored as everywhere else.

The transforms mix the pixels of a tile, so one infinity or NaN would spoil all of them: a tile whose results are not
all finite is worked out again from the definition.
"""

from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t
from libc.string cimport memset

from fastconv.backends.cython._simd cimport View, address, fc_epilogue, fc_table, view

ctypedef fused real:
    float
    double


cdef class Winograd:
    """One prepared convolution; immutable after construction, so runs may overlap."""

    cdef const fc_table *t
    cdef object keep  # arrays whose addresses are held below
    cdef Py_ssize_t n, groups, icg, ocg, kd, sd, dd, od, oh, ow, depth
    cdef Py_ssize_t m, points, kbs, tile_rows, tile_cols, row_blocks, block, pad_tiles, wq, row_len, rin, win
    cdef Py_ssize_t run0, run1, band_len, v_len, s_len, y_row
    cdef const int64_t *planes
    cdef const int64_t *rows
    cdef const int64_t *cols
    cdef char *weights  # transformed
    cdef char *plain  # as given
    cdef char *bias
    cdef double fill
    cdef bint relu

    def __init__(self, size_t table, p, tables, weights, plain, bias, blocks):
        self.t = <const fc_table *>table
        self.keep = (tables, weights, plain, bias)
        self.n, self.groups, self.icg, self.ocg = p.n, p.groups, p.icg, p.ocg
        self.kd, self.sd, self.dd = p.kernel[0], p.stride[0], p.dilation[0]
        self.od, self.oh, self.ow = p.output
        self.depth = p.icg * p.kernel[0]
        self.m = blocks.m
        self.points = (self.m + 2) * (self.m + 2)
        self.kbs = (self.ocg + self.t.nr - 1) // self.t.nr
        self.tile_rows = (self.oh + self.m - 1) // self.m
        self.tile_cols = (self.ow + self.m - 1) // self.m
        self.block = blocks.rows
        self.row_blocks = (self.tile_rows + self.block - 1) // self.block
        self.pad_tiles, self.wq, self.row_len = blocks.pad_tiles, blocks.wq, blocks.wq * self.m
        self.rin = self.block * self.m + 2
        self.win = self.tile_cols * self.m + 2
        self.band_len, self.v_len, self.s_len = blocks.band, blocks.v, blocks.s
        self.y_row = self.tile_cols * self.m * self.t.nr
        planes, rows, cols, self.run0, self.run1 = tables
        self.planes = <const int64_t *>address(planes)
        self.rows = <const int64_t *>address(rows)
        self.cols = <const int64_t *>address(cols)
        self.weights, self.plain, self.bias = address(weights), address(plain), address(bias)
        self.fill, self.relu = p.fill, p.activation == "relu"

    @property
    def items(self):
        """How many independent items of work a run has."""
        return self.n * self.groups * self.od * self.row_blocks

    def run(self, x, y, scratch, Py_ssize_t scratch_bytes, Py_ssize_t lo, Py_ssize_t hi, int threads):
        """Items lo to hi; `scratch` holds `scratch_bytes` for each thread."""
        cdef View xv = view(x), yv = view(y)
        cdef char *buf = address(scratch)
        cdef Py_ssize_t i
        if threads == 1:
            with nogil:
                for i in range(lo, hi):
                    self.item(i, &xv, &yv, buf)
        else:
            for i in prange(lo, hi, nogil=True, num_threads=threads, schedule="dynamic"):
                self.item(i, &xv, &yv, buf + threadid() * scratch_bytes)

    cdef void item(self, Py_ssize_t i, const View *x, const View *y, char *scratch) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr
        cdef Py_ssize_t block = i % self.row_blocks, od = i // self.row_blocks % self.od
        cdef Py_ssize_t g = i // self.row_blocks // self.od % self.groups, n = i // self.row_blocks // self.od // self.groups
        cdef Py_ssize_t first = block * self.block, count = min(self.block, self.tile_rows - block * self.block)
        cdef char *v = scratch + self.band_len * size
        cdef char *s = v + self.v_len * size
        cdef char *pixels = s + self.s_len * size
        cdef Py_ssize_t kb
        self.enter(x, n, g, od, first, count, scratch, v)
        for kb in range(self.kbs):
            self.multiply(g, kb, count * self.tile_cols, v, s)
            self.leave(x, y, n, g, kb, od, first, count, s, pixels)

    cdef void enter(
        self, const View *x, Py_ssize_t n, Py_ssize_t g, Py_ssize_t od, Py_ssize_t first, Py_ssize_t count, char *band,
        char *v) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, c, i, r
        cdef Py_ssize_t rin = count * self.m + 2, plane_len = self.depth * self.pad_tiles
        cdef int64_t plane, row
        cdef const char *channel
        cdef const char *src
        for c in range(self.depth):
            plane = self.planes[od * self.sd + (c % self.kd) * self.dd]
            channel = x.data + (n * x.stride[0] + (g * self.icg + c // self.kd) * x.stride[1] + plane * x.stride[2]) * size
            for i in range(rin):
                row = self.rows[first * self.m + i]
                src = NULL
                if plane >= 0 and row >= 0:
                    src = channel + row * x.stride[3] * size
                self.t.fill_row(
                    band + i * self.row_len * size, self.m, self.wq, src, x.stride[4], self.cols, self.win, self.run0,
                    self.run1, self.fill)
            for r in range(count):
                self.t.wino_in[self.m // 2 - 1](
                    band + r * self.m * self.row_len * size, self.row_len, self.wq, self.tile_cols,
                    v + (c * self.pad_tiles + r * self.tile_cols) * size, plane_len)

    cdef void multiply(self, Py_ssize_t g, Py_ssize_t kb, Py_ssize_t tiles, const char *v, char *s) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr
        cdef Py_ssize_t pieces = (tiles + self.t.mr - 1) // self.t.mr, point, piece, q, q_next, none = 0
        cdef const char *a
        cdef const char *b
        for point in range(self.points):
            a = v + point * self.depth * self.pad_tiles * size
            b = self.weights + ((g * self.kbs + kb) * self.points + point) * self.depth * nr * size
            q = 0
            for piece in range(pieces):  # near-equal parts of at most MR tiles
                q_next = tiles * (piece + 1) // pieces
                self.t.tile[q_next - q](
                    self.depth, 1, &none, a + q * size, self.pad_tiles, b, nr, 1, s + (point * tiles + q) * nr * size)
                q = q_next

    cdef void leave(
        self, const View *x, const View *y, Py_ssize_t n, Py_ssize_t g, Py_ssize_t kb, Py_ssize_t od, Py_ssize_t first,
        Py_ssize_t count, const char *s, char *pixels) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, tiles = count * self.tile_cols
        cdef Py_ssize_t k = g * self.ocg + kb * nr, channels = min(nr, self.ocg - kb * nr), r, c, i, row
        cdef fc_epilogue e
        e.alpha, e.beta, e.c, e.row_bias, e.relu = 1.0, 0.0, NULL, NULL, self.relu
        e.col_bias = NULL if self.bias == NULL else self.bias + k * size
        for r in range(count):
            for c in range(self.tile_cols):
                if not self.t.wino_out[self.m // 2 - 1](
                        s + (r * self.tile_cols + c) * nr * size, tiles * nr, pixels + c * self.m * nr * size, self.y_row):
                    if size == 4:
                        self.define[float](x, n, g, kb, od, (first + r) * self.m, c * self.m, channels, pixels)
                    else:
                        self.define[double](x, n, g, kb, od, (first + r) * self.m, c * self.m, channels, pixels)
            for i in range(self.m):
                row = (first + r) * self.m + i
                if row < self.oh:
                    self.t.store(
                        pixels + i * self.y_row * size, self.ow, channels,
                        y.data + (n * y.stride[0] + k * y.stride[1] + od * y.stride[2] + row * y.stride[3]) * size,
                        y.stride[4], y.stride[1], &e)

    cdef void define(
        self, const View *x, Py_ssize_t n, Py_ssize_t g, Py_ssize_t kb, Py_ssize_t od, Py_ssize_t row0, Py_ssize_t col0,
        Py_ssize_t channels, char *pixels, real unused=0) noexcept nogil:
        # One tile from the definition, in place of what the transforms made of it.
        cdef Py_ssize_t nr = self.t.nr, i, j, c, h, w, lane
        cdef int64_t plane, row, col
        cdef real value
        cdef const real *data = <const real *>x.data
        cdef const real *weights = <const real *>self.plain + (g * self.ocg + kb * nr) * self.depth * 9
        cdef real *out
        for i in range(self.m):
            for j in range(self.m):
                if row0 + i >= self.oh or col0 + j >= self.ow:
                    continue
                out = <real *>pixels + i * self.y_row + (col0 + j) * nr
                memset(out, 0, nr * sizeof(real))
                for c in range(self.depth):
                    plane = self.planes[od * self.sd + (c % self.kd) * self.dd]
                    for h in range(3):
                        row = self.rows[row0 + i + h]
                        for w in range(3):
                            col = self.cols[col0 + j + w]
                            value = self.fill
                            if plane >= 0 and row >= 0 and col >= 0:
                                value = data[
                                    n * x.stride[0] + (g * self.icg + c // self.kd) * x.stride[1] + plane * x.stride[2]
                                    + row * x.stride[3] + col * x.stride[4]]
                            for lane in range(channels):
                                out[lane] = out[lane] + value * weights[(lane * self.depth + c) * 9 + h * 3 + w]
