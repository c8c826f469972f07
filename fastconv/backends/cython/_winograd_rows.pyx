# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Convolution of few channels with Winograd's filtering along rows: blocks and threads around simd/winograd_rows.inc.

One item of work is some tile rows, of M output rows each, of one plane of one group of one image.  Each channel's rows
are laid into a band, split by their column's remainder modulo the stride, and combined into `v`, [channel][tile row]
[combination][pixel].  Then every tile of output channels goes along every tile row.

A combination spreads an infinity or NaN over the M rows of a tile: vectors of pixels whose results are not all finite
are worked out again from the definition.
"""

from libc.stdint cimport int64_t

from fastconv.backends.cython._prepared cimport Arrays, Prepared
from fastconv.backends.cython._simd cimport (
    View, WINOGRAD_ROWS_M, address, axis_of, fc_axis, fc_source, fc_table, winograd_rows_args,
    winograd_rows_in_args)

ctypedef fused real:
    float
    double


cdef class Rows(Prepared):
    """One prepared convolution; immutable after construction, so runs may overlap."""

    cdef Py_ssize_t n, groups, icg, ocg, kd, kh, kw, sd, sh, sw, dd, dw, od, oh, ow, depth
    cdef Py_ssize_t planes, pairs, combined, nfilters, win, wq, row_len, tile_rows, row_blocks, block, parts, whole, ntaps, nweights
    cdef Py_ssize_t channel_len, band_len, run0, run1
    cdef fc_axis plane_index
    cdef fc_axis rows
    cdef fc_axis cols
    cdef const Py_ssize_t *taps
    cdef const Py_ssize_t *filters
    cdef char *coef
    cdef char *powers
    cdef double fill
    cdef bint relu, fetch

    def __init__(self, size_t table, p, tables, scheme, blocks, inputs, taps):
        self.t = <const fc_table *>table
        self.keep = (tables, inputs, taps)
        self.n, self.groups, self.icg, self.ocg = p.n, p.groups, p.icg, p.ocg
        self.kd, self.kh, self.kw = p.kernel
        self.sd, self.sh, self.sw = p.stride
        self.dd, _, self.dw = p.dilation
        self.od, self.oh, self.ow = p.output
        self.depth = p.icg * p.kernel[0]
        self.planes, self.pairs, self.combined, self.parts = scheme.planes, scheme.pairs, scheme.combined, blocks.parts
        self.block, self.win, self.wq, self.row_len = blocks.rows, blocks.win, blocks.wq, blocks.row_len
        self.channel_len, self.band_len = blocks.channel, blocks.band
        self.tile_rows = (self.oh + WINOGRAD_ROWS_M - 1) // WINOGRAD_ROWS_M
        self.row_blocks = (self.tile_rows + self.block - 1) // self.block
        planes, rows, cols, self.run0, self.run1 = tables
        self.plane_index = axis_of(planes)
        self.rows = axis_of(rows)
        self.cols = axis_of(cols)
        filters, coef, powers = inputs
        self.nfilters, self.filters = len(filters), <const Py_ssize_t *>address(filters)
        self.coef, self.powers = address(coef), address(powers)
        offsets, self.whole = taps
        self.ntaps, self.taps = len(offsets), <const Py_ssize_t *>address(offsets)
        self.nweights = self.whole * self.planes + (self.ntaps - self.whole) * (self.planes - 1)
        self.fill, self.relu, self.fetch = p.fill, p.activation == "relu", blocks.fetch
        self.items = self.n * self.groups * self.od * self.row_blocks

    def transform(self, transforms, plain, weights):
        """Fill `weights`: [group][part of the output channels][tap][plane][channel]."""
        if self.t.itemsize == 4:
            self.transform_weights(<const double *>address(transforms), <const float *>address(plain), <float *>address(weights))
        else:
            self.transform_weights(
                <const double *>address(transforms), <const double *>address(plain), <double *>address(weights))

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef Py_ssize_t block = i % self.row_blocks, od = i // self.row_blocks % self.od
        cdef Py_ssize_t g = i // self.row_blocks // self.od % self.groups, n = i // self.row_blocks // self.od // self.groups
        cdef Py_ssize_t first = block * self.block, count = min(self.block, self.tile_rows - block * self.block)
        cdef char *v = scratch + self.band_len * self.t.itemsize
        self.enter(&arrays.x, n, g, od, first, count, scratch, v)
        self.multiply(arrays, n, g, od, first, count, v)

    cdef void enter(
        self, const View *x, Py_ssize_t n, Py_ssize_t g, Py_ssize_t od, Py_ssize_t first, Py_ssize_t count, char *band,
        char *v) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, row0 = first * WINOGRAD_ROWS_M * self.sh, c, i, r, f
        cdef Py_ssize_t rin = (count * WINOGRAD_ROWS_M - 1) * self.sh + self.kh
        cdef int64_t plane, row
        cdef const char *channel
        cdef const char *src
        cdef winograd_rows_in_args a
        a.pairs, a.step, a.len = self.pairs, self.sh * self.row_len, self.row_len
        for c in range(self.depth):
            plane = fc_source(&self.plane_index, od * self.sd + (c % self.kd) * self.dd)
            channel = x.data + (n * x.stride[0] + (g * self.icg + c // self.kd) * x.stride[1] + plane * x.stride[2]) * size
            for i in range(rin):
                row = fc_source(&self.rows, row0 + i)
                src = NULL
                if plane >= 0 and row >= 0:
                    src = channel + row * x.stride[3] * size
                self.t.fill_row(
                    band + i * self.row_len * size, self.sw, self.wq, src, x.stride[4], &self.cols, 0, self.win, self.run0,
                    self.run1, self.fill)
            for r in range(count):
                a.v = v + (c * self.channel_len + r * self.combined * self.row_len) * size
                for f in range(self.nfilters):  # kernel row where it starts, planes, where its coefficients are
                    a.planes = self.filters[3 * f + 1]
                    a.coef = self.coef + self.filters[3 * f + 2] * size
                    a.band = band + (r * WINOGRAD_ROWS_M * self.sh + self.filters[3 * f]) * self.row_len * size
                    self.t.winograd_rows_in(&a)
                    a.v = <char *>a.v + a.planes * self.row_len * size

    cdef void multiply(
        self, const Arrays *arrays, Py_ssize_t n, Py_ssize_t g, Py_ssize_t od, Py_ssize_t first, Py_ssize_t count,
        const char *v) noexcept nogil:
        cdef const View *y = &arrays.y
        cdef Py_ssize_t size = self.t.itemsize, vl = self.t.vl, vectors = (self.ow + vl - 1) // vl, part, r, i, k, k0, row
        cdef winograd_rows_args a
        a.planes, a.final, a.lanes = self.planes, max(0, self.ow - vl), min(vl, self.ow)
        a.taps, a.whole, a.ntaps, a.len, a.powers = self.taps, self.whole, self.ntaps, self.row_len, self.powers
        a.relu, a.fetch, a.ychannel, a.yrow = self.relu, self.fetch, y.stride[1], y.stride[3]
        for part in range(self.parts):  # near-equal parts
            k0 = self.ocg * part // self.parts
            a.count = self.ocg * (part + 1) // self.parts - k0
            k = g * self.ocg + k0
            a.w = arrays.weights + k * self.nweights * size
            a.bias = NULL if arrays.bias == NULL else arrays.bias + k * size
            for r in range(count):
                row = (first + r) * WINOGRAD_ROWS_M
                a.rows = min(<Py_ssize_t>WINOGRAD_ROWS_M, self.oh - row)
                a.v = v + r * self.combined * self.row_len * size
                a.y = y.data + (n * y.stride[0] + k * y.stride[1] + od * y.stride[2] + row * y.stride[3]) * size
                a.from_, a.to = 0, vectors
                if self.t.winograd_rows(&a):
                    continue
                for i in range(vectors):
                    a.from_, a.to = i, i + 1
                    if self.t.winograd_rows(&a):
                        continue
                    if size == 4:
                        self.define[float](arrays, n, g, od, row, min(i * vl, a.final), k, &a)
                    else:
                        self.define[double](arrays, n, g, od, row, min(i * vl, a.final), k, &a)

    cdef void transform_weights(self, const double *transforms, const real *plain, real *to) noexcept nogil:
        # transforms: for each plane of each filter, what it takes of the kernel's rows.
        cdef Py_ssize_t g, part, f, c, col, plane, k, h, start, end, taps = self.kh * self.kw
        cdef const double *rows
        cdef const real *w
        cdef double total
        for g in range(self.groups):
            for part in range(self.parts):
                start, end = g * self.ocg + self.ocg * part // self.parts, g * self.ocg + self.ocg * (part + 1) // self.parts
                rows = transforms
                for f in range(self.nfilters):
                    for c in range(self.depth):
                        for col in range(self.kw):
                            for plane in range(self.filters[3 * f + 1]):
                                for k in range(start, end):
                                    w = plain + (k * self.depth + c) * taps + col
                                    total = 0
                                    for h in range(self.filters[3 * f], self.kh):
                                        total += rows[plane * self.kh + h] * w[h * self.kw]
                                    to[0] = <real>total
                                    to += 1
                    rows += self.filters[3 * f + 1] * self.kh

    cdef void define(
        self, const Arrays *arrays, Py_ssize_t n, Py_ssize_t g, Py_ssize_t od, Py_ssize_t row0, Py_ssize_t col0,
        Py_ssize_t k0, const winograd_rows_args *a, real unused=0) noexcept nogil:
        # One vector of pixels from the definition, in place of what the combinations made of it.
        cdef const View *x = &arrays.x
        cdef Py_ssize_t k, i, j, c, h, w
        cdef int64_t plane, row, col
        cdef real value, total
        cdef const real *channel
        cdef const real *weights
        for k in range(a.count):
            for i in range(a.rows):
                for j in range(col0, col0 + a.lanes):
                    total = 0
                    weights = <const real *>arrays.plain + (k0 + k) * self.depth * self.kh * self.kw
                    for c in range(self.depth):
                        plane = fc_source(&self.plane_index, od * self.sd + (c % self.kd) * self.dd)
                        channel = <const real *>x.data + (
                            n * x.stride[0] + (g * self.icg + c // self.kd) * x.stride[1] + plane * x.stride[2])
                        for h in range(self.kh):
                            row = fc_source(&self.rows, (row0 + i) * self.sh + h)
                            for w in range(self.kw):
                                col = fc_source(&self.cols, j * self.sw + w * self.dw)
                                value = self.fill
                                if plane >= 0 and row >= 0 and col >= 0:
                                    value = channel[row * x.stride[3] + col * x.stride[4]]
                                total = total + value * weights[0]
                                weights += 1
                    if a.bias != NULL:
                        total = total + (<const real *>a.bias)[k]
                    if self.relu and total < 0:
                        total = 0
                    (<real *>a.y)[k * a.ychannel + i * a.yrow + j] = total
