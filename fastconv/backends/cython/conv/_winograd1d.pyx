# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Convolution of few channels with Winograd's algorithm along one axis: blocks and threads around simd/conv/winograd1d.inc.

One item of work is some tile rows, of M output rows each, of one plane of one group of one image.  Each channel's rows
are copied to a band, split by their column's remainder modulo the stride, and transformed into `v`, [channel][tile row]
[combination][pixel].  Then every tile of output channels is computed along every tile row.

The transform spreads infinities, NaN and the errors of outliers over the M rows of a tile.  Sums of squares find such
pixels (_outliers.pxd), and the vectors of output pixels that read them are computed directly, as sums of products.  So is
everything where the weights have no transform, because they are not finite, or too small or large for it.
"""

from libc.stdint cimport int64_t

from libc.string cimport memchr, memcpy, memset

from fastconv.backends.cython.conv._outliers cimport Values, least_squares, count_value, most_squares, stands_out
from fastconv.backends.cython.runtime._padded cimport Padded, copy_row, padded, row_of
from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport (
    WINOGRAD1D_M, View, address, clear_behind, column_squares, fc_source, fc_table, gemm_tile_args, placed,
    winograd1d_args, winograd1d_input_args)

ctypedef fused real:
    float
    double


cdef struct Scratch:
    # Of one thread; see `RowBlocks`.
    char *band
    char *v
    char *squares  # [row of tiles][column of the band]
    char *patch
    char *direct  # [row of tiles][vector of pixels]: whether it is computed directly


cdef class Winograd1d(Prepared):
    """One prepared convolution; immutable after construction, so runs may overlap."""

    cdef Py_ssize_t n, groups, icg, ocg, kd, kh, kw, sd, sh, sw, dd, dw, od, oh, ow, depth
    cdef Py_ssize_t planes, pairs, combined, nfilters, win, wq, row_len, tile_rows, row_blocks, block, parts, whole, ntaps, nweights
    cdef Py_ssize_t channel_len, band_len, v_len, squares_len, patch_len, high, vectors, final, reads, high0, high1
    cdef Padded image
    cdef const Py_ssize_t *taps
    cdef const Py_ssize_t *filters
    cdef char *coef
    cdef char *powers
    cdef bint relu, fetch, mirrored  # mirrored: padding repeats pixels
    cdef double values, row_values, unlike  # numbers of a tile, of a row; with an outlier, one part * unlike > the others

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
        self.channel_len, self.band_len, self.v_len = blocks.channel, blocks.band, blocks.v
        self.squares_len, self.patch_len = blocks.squares, blocks.patch
        self.tile_rows = (self.oh + WINOGRAD1D_M - 1) // WINOGRAD1D_M
        self.row_blocks = (self.tile_rows + self.block - 1) // self.block
        self.image = padded(tables, p.fill)
        filters, coef, powers = inputs
        self.nfilters, self.filters = len(filters), <const Py_ssize_t *>address(filters)
        self.coef, self.powers = address(coef), address(powers)
        offsets, self.whole = taps
        self.ntaps, self.taps = len(offsets), <const Py_ssize_t *>address(offsets)
        self.nweights = self.whole * self.planes + (self.ntaps - self.whole) * (self.planes - 1)
        self.relu, self.fetch = p.activation == "relu", blocks.fetch
        self.items = self.n * self.groups * self.od * self.row_blocks
        self.high = (WINOGRAD1D_M - 1) * self.sh + self.kh
        self.vectors, self.final = (self.ow + self.t.vl - 1) // self.t.vl, max(0, self.ow - self.t.vl)
        self.reads = self.t.vl + (self.kw - 1) * self.dw // self.sw  # columns of each part of the band
        self.values, self.row_values = self.depth * self.high * self.reads * self.sw, self.depth * self.high * self.row_len
        self.unlike = (self.values - 1) / 65536 * 1.125  # rounding included
        self.mirrored, self.high0, self.high1 = p.mode != "zeros", p.pads[1][0], p.pads[1][0] + p.input[1]

    def transform(self, transforms, plain, weights):
        """Fill `weights`: [group][part of the output channels][tap][plane][channel]."""
        cdef const double *rows = <const double *>address(transforms)
        cdef char *w = address(plain)
        cdef char *to = address(weights)
        with nogil:
            if self.t.itemsize == 4:
                self.transform_weights(rows, <const float *>w, <float *>to)
            else:
                self.transform_weights(rows, <const double *>w, <double *>to)

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef Py_ssize_t block = i % self.row_blocks, od = i // self.row_blocks % self.od
        cdef Py_ssize_t g = i // self.row_blocks // self.od % self.groups, n = i // self.row_blocks // self.od // self.groups
        cdef Py_ssize_t first = block * self.block, count = min(self.block, self.tile_rows - block * self.block)
        cdef Scratch to = self.split(scratch)
        if arrays.weights == NULL:
            memset(to.direct, 1, count * self.vectors)
        else:
            self.enter(&arrays.x, n, g, od, first, count, &to)
        self.multiply(arrays, n, g, od, first, count, &to)

    cdef Scratch split(self, char *scratch) noexcept nogil:
        cdef Scratch to
        to.band = scratch
        to.v = to.band + self.band_len * self.t.itemsize
        to.squares = to.v + self.v_len * self.t.itemsize
        to.patch = to.squares + self.squares_len * self.t.itemsize
        to.direct = to.patch + self.patch_len * self.t.itemsize
        return to

    cdef void enter(
        self, const View *x, Py_ssize_t n, Py_ssize_t g, Py_ssize_t od, Py_ssize_t first, Py_ssize_t count,
        const Scratch *to) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, row0 = first * WINOGRAD1D_M * self.sh, c, i, r, f
        cdef Py_ssize_t rin = (count * WINOGRAD1D_M - 1) * self.sh + self.kh
        cdef int64_t plane
        cdef const char *channel
        cdef winograd1d_input_args a
        a.pairs, a.step, a.len = self.pairs, self.sh * self.row_len, self.row_len
        for c in range(self.depth):
            plane = fc_source(&self.image.planes, od * self.sd + (c % self.kd) * self.dd)
            channel = x.data + (n * x.stride[0] + (g * self.icg + c // self.kd) * x.stride[1]) * size
            for i in range(rin):
                copy_row(
                    self.t, &self.image, to.band + i * self.row_len * size, self.sw, self.wq,
                    row_of(&self.image, x, channel, plane, row0 + i, size), x.stride[4], 0, self.win)
                clear_behind(to.band + i * self.row_len * size, self.sw, self.wq, self.win, size)
            for r in range(count):
                self.t.wino_squares(
                    to.squares + r * self.row_len * size, to.band + r * WINOGRAD1D_M * self.sh * self.row_len * size,
                    self.row_len, self.high, self.row_len // self.t.vl, c == 0)
                a.v = to.v + (c * self.channel_len + r * self.combined * self.row_len) * size
                for f in range(self.nfilters):  # kernel row where it starts, planes, where its coefficients are
                    a.planes = self.filters[3 * f + 1]
                    a.coef = self.coef + self.filters[3 * f + 2] * size
                    a.band = to.band + (r * WINOGRAD1D_M * self.sh + self.filters[3 * f]) * self.row_len * size
                    self.t.winograd1d_input(&a)
                    a.v = <char *>a.v + a.planes * self.row_len * size
        for r in range(count):
            if size == 4:
                self.judge_row[float](x, n, g, od, first + r, r, to)
            else:
                self.judge_row[double](x, n, g, od, first + r, r, to)

    cdef void judge_row(
        self, const View *x, Py_ssize_t n, Py_ssize_t g, Py_ssize_t od, Py_ssize_t tile_row, Py_ssize_t r, const Scratch *to,
        real unused=0) noexcept nogil:
        # Which vectors of pixels in a row of tiles are computed directly.
        cdef Py_ssize_t i, at, first
        cdef const real *squares = <const real *>to.squares + r * self.row_len
        cdef char *direct = to.direct + r * self.vectors
        cdef column_squares s
        s.unlike = self.unlike
        for i in range(self.vectors):
            at = min(i * self.t.vl, self.final)
            first = tile_row * WINOGRAD1D_M * self.sh
            s.repeated = self.mirrored and (
                first < self.high0 or first + self.high > self.high1 or at * self.sw < self.image.run0
                or (at + self.reads) * self.sw > self.image.run1)
            self.t.rows_squares(squares + at, self.sw, self.wq, self.reads, &s)
            direct[i] = not (
                s.even and s.total >= least_squares(sizeof(real)) and s.total <= most_squares(sizeof(real))
            ) and self.uneven(x, n, g, od, first, at, squares, s.repeated)

    cdef bint uneven(
        self, const View *x, Py_ssize_t n, Py_ssize_t g, Py_ssize_t od, Py_ssize_t row0, Py_ssize_t at, const real *squares,
        bint repeated) noexcept nogil:
        # The exact test: whether pixels `at` and on must be computed directly.
        cdef Py_ssize_t i, part, c, a, b
        cdef int64_t plane, row, col
        cdef double most = 0, others = 0, total = 0, all_columns = 0, value
        cdef Values values
        cdef const real *channel
        for part in range(self.sw):
            for i in range(self.reads):
                value = squares[part * self.wq + at + i]
                total += value
                if value > most:
                    others += most
                    most = value
                else:
                    others += value
        if not total <= most_squares(sizeof(real)):
            return True
        for i in range(self.row_len):
            all_columns += squares[i]
        if total >= least_squares(sizeof(real)) and not repeated:
            if not stands_out(most, others, self.values - 1):
                return False
            if others == 0 and not stands_out(most, all_columns - most, self.row_values - 1):
                return False
        values.largest, values.others, values.count = 0, 0, 0
        for c in range(self.depth):
            plane = fc_source(&self.image.planes, od * self.sd + (c % self.kd) * self.dd)
            channel = <const real *>x.data + (
                n * x.stride[0] + (g * self.icg + c // self.kd) * x.stride[1] + plane * x.stride[2])
            for a in range(self.high):
                row = fc_source(&self.image.rows, row0 + a)
                for b in range(min(self.reads * self.sw, self.win - at * self.sw)):
                    col = fc_source(&self.image.cols, at * self.sw + b)
                    value = self.image.fill
                    if plane >= 0 and row >= 0 and col >= 0:
                        value = channel[row * x.stride[3] + col * x.stride[4]]
                    if total < least_squares(sizeof(real)):
                        if value != 0:
                            return True
                    else:
                        count_value(&values, value)
        if values.others > 0:
            return stands_out(values.largest, values.others, self.values - values.count)
        # Among zeros any number is large, as around a pixel of a sparse map: the other tiles of its row count, too.
        return values.count < self.values and stands_out(
            values.largest, all_columns - values.largest * values.count, self.row_values - values.count)

    cdef void multiply(
        self, const Arrays *arrays, Py_ssize_t n, Py_ssize_t g, Py_ssize_t od, Py_ssize_t first, Py_ssize_t count,
        const Scratch *to) noexcept nogil:
        cdef const View *y = &arrays.y
        cdef Py_ssize_t size = self.t.itemsize, vl = self.t.vl, part, r, i, k, k0, row
        cdef winograd1d_args a
        a.planes, a.final, a.lanes, a.from_, a.to = self.planes, self.final, min(vl, self.ow), 0, self.vectors
        a.taps, a.whole, a.ntaps, a.len, a.powers = self.taps, self.whole, self.ntaps, self.row_len, self.powers
        a.relu, a.fetch, a.ychannel, a.yrow = self.relu, self.fetch, y.stride[1], y.stride[3]
        for part in range(self.parts):  # near-equal parts
            k0 = self.ocg * part // self.parts
            a.count = self.ocg * (part + 1) // self.parts - k0
            k = g * self.ocg + k0
            a.bias = NULL if arrays.bias == NULL else arrays.bias + k * size
            for r in range(count):
                if memchr(to.direct + r * self.vectors, 0, self.vectors) == NULL:
                    continue
                row = (first + r) * WINOGRAD1D_M
                a.rows = min(<Py_ssize_t>WINOGRAD1D_M, self.oh - row)
                a.y = y.data + (n * y.stride[0] + k * y.stride[1] + od * y.stride[2] + row * y.stride[3]) * size
                a.w = arrays.weights + k * self.nweights * size
                a.v = to.v + r * self.combined * self.row_len * size
                self.t.winograd1d(&a)
        for r in range(count):
            for i in range(self.vectors):
                if to.direct[r * self.vectors + i]:
                    row = (first + r) * WINOGRAD1D_M
                    if size == 4:
                        self.compute_directly[float](arrays, n, g, od, row, min(i * vl, self.final), to)
                    else:
                        self.compute_directly[double](arrays, n, g, od, row, min(i * vl, self.final), to)

    cdef void compute_directly(
        self, const Arrays *arrays, Py_ssize_t n, Py_ssize_t g, Py_ssize_t od, Py_ssize_t row0, Py_ssize_t col0,
        const Scratch *to, real unused=0) noexcept nogil:
        # One vector of pixels of all channels: for each input channel, the pixels that each tap reads are adjacent,
        # and are multiplied by the weights as they were given.
        cdef const View *x = &arrays.x
        cdef const View *y = &arrays.y
        cdef Py_ssize_t vl = self.t.vl, taps = self.kh * self.kw, first = col0 * self.sw, i, j, c, w, piece, j_next
        cdef Py_ssize_t count = min((vl - 1) * self.sw + (self.kw - 1) * self.dw + 1, self.win - first)
        cdef Py_ssize_t phase = (count + self.sw - 1) // self.sw, pieces = (self.ocg + self.t.mr - 1) // self.t.mr
        cdef Py_ssize_t rows = min(<Py_ssize_t>WINOGRAD1D_M, self.oh - row0)
        cdef int64_t plane
        cdef const char *channel
        cdef const real *weights = <const real *>arrays.plain + g * self.ocg * self.depth * taps
        cdef const real *bias = NULL
        cdef real *patch = <real *>to.patch
        cdef real *pixels = patch + self.high * self.kw * vl
        cdef real *result = <real *>y.data + (
            n * y.stride[0] + g * self.ocg * y.stride[1] + od * y.stride[2] + row0 * y.stride[3] + col0)
        cdef gemm_tile_args t
        t.depth, t.ars, t.acs, t.bs, t.cols = taps, self.depth * taps, 1, vl, min(vl, self.ow)
        t.ys, t.bias, t.resumes, t.pauses, t.more = y.stride[1], NULL, 0, 0, 0
        if arrays.bias != NULL:
            bias = <const real *>arrays.bias + g * self.ocg
            for j in range(self.ocg):
                for i in range(rows):
                    for w in range(t.cols):
                        result[j * y.stride[1] + i * y.stride[3] + w] = bias[j]
        for c in range(self.depth):
            plane = fc_source(&self.image.planes, od * self.sd + (c % self.kd) * self.dd)
            channel = x.data + (n * x.stride[0] + (g * self.icg + c // self.kd) * x.stride[1]) * sizeof(real)
            for i in range((rows - 1) * self.sh + self.kh):
                copy_row(
                    self.t, &self.image, <char *>pixels, self.sw, phase,
                    row_of(&self.image, x, channel, plane, row0 * self.sh + i, sizeof(real)), x.stride[4], first, count)
                for w in range(self.kw):
                    memcpy(
                        patch + (i * self.kw + w) * vl, pixels + w * self.dw % self.sw * phase + w * self.dw // self.sw,
                        vl * sizeof(real))
            t.first, t.relu = c == 0 and bias == NULL, self.relu and c == self.depth - 1
            j = 0
            for piece in range(pieces):  # near-equal parts of at most MR output channels
                j_next = self.ocg * (piece + 1) // pieces
                t.a = weights + (j * self.depth + c) * taps
                for i in range(rows):
                    t.b, t.y = patch + i * self.sh * self.kw * vl, result + j * y.stride[1] + i * y.stride[3]
                    self.t.gemm_tile[j_next - j][0](&t)
                j = j_next

    def direct_tiles(self, x):
        """(vectors of pixels that are computed directly, all vectors): for tests and figures, not fast."""
        cdef View v = placed(x, &self.x)
        cdef bytearray space = bytearray(self.scratch)
        cdef char *scratch = space
        cdef Scratch to = self.split(scratch)
        cdef Py_ssize_t i, block, od, n, g, count, at, found = 0, every = 0
        for i in range(self.items):
            block, od = i % self.row_blocks, i // self.row_blocks % self.od
            n, g = i // self.row_blocks // self.od // self.groups, i // self.row_blocks // self.od % self.groups
            count = min(self.block, self.tile_rows - block * self.block)
            self.enter(&v, n, g, od, block * self.block, count, &to)
            every += count * self.vectors
            for at in range(count * self.vectors):
                found += to.direct[at]
        return found, every

    cdef void transform_weights(self, const double *transforms, const real *plain, real *to) noexcept nogil:
        # transforms: for each plane of each filter, its coefficients of the kernel's rows.
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
