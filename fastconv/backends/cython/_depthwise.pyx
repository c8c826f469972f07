# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Depthwise convolution: every output channel meets one input channel.

NCHW: one item of work is a block of rows of one output plane; a band of input rows (padding from
the index tables, columns split by stride phase) goes to scratch, where the taps roll over it.
NHWC with one output per input channel: one item is an output row, channels in lanes, read in place.
"""

from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t

from fastconv.backends.cython._simd cimport View, address, fc_table, view


cdef class Depthwise:
    """One prepared depthwise convolution."""

    cdef const fc_table *t
    cdef object keep
    cdef Py_ssize_t n, channels, multiplier, kd, kh, kw, sd, sh, sw, dd, dh, dw, od, oh, ow
    cdef Py_ssize_t rb, row_blocks, wq, row_len, rin, ntaps, width, run0, run1, row_bytes
    cdef const int64_t *planes
    cdef const int64_t *rows
    cdef const int64_t *cols
    cdef const Py_ssize_t *taps
    cdef char *weights
    cdef char *bias
    cdef double fill
    cdef bint relu, last

    def __init__(self, size_t table, p, tables, taps, weights, bias, blocks):
        self.t = <const fc_table *>table
        self.keep = (tables, taps, weights, bias)
        self.n, self.channels, self.multiplier = p.n, p.ic, p.ocg
        self.kd, self.kh, self.kw = p.kernel
        self.sd, self.sh, self.sw = p.stride
        self.dd, self.dh, self.dw = p.dilation
        self.od, self.oh, self.ow = p.output
        self.last = blocks.channels_last
        self.rb = 1 if self.last else blocks.rows
        self.row_blocks = (self.oh + self.rb - 1) // self.rb
        self.wq, self.row_len, self.rin = blocks.wq, blocks.row_len, blocks.rin
        self.ntaps = self.kd * self.kh * self.kw
        planes, rows, cols, self.run0, self.run1 = tables
        self.width = len(cols)
        self.planes = <const int64_t *>address(planes)
        self.rows = <const int64_t *>address(rows)
        self.cols = <const int64_t *>address(cols)
        self.taps = <const Py_ssize_t *>address(taps)
        self.weights, self.bias = address(weights), address(bias)
        self.fill, self.relu = p.fill, p.activation == "relu"
        self.row_bytes = self.rb * self.ow * self.t.itemsize

    @property
    def items(self):
        """How many independent items of work a run has."""
        planes = self.n * self.od * self.row_blocks
        return planes if self.last else planes * self.channels

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
        cdef Py_ssize_t ri = i % self.row_blocks, od = i // self.row_blocks % self.od
        i = i // self.row_blocks // self.od
        if self.last:
            self.row_channels_last(i, od, ri, x, y, scratch)
        else:
            self.rows_of_plane(i // self.channels, i % self.channels, od, ri * self.rb, x, y, scratch)

    cdef void rows_of_plane(
        self, Py_ssize_t n, Py_ssize_t c, Py_ssize_t od, Py_ssize_t r0, const View *x, const View *y,
        char *scratch) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize
        cdef Py_ssize_t rows = min(self.rb, self.oh - r0)
        cdef Py_ssize_t rin = (rows - 1) * self.sh + (self.kh - 1) * self.dh + 1
        cdef Py_ssize_t t, i, m, k, r, q
        cdef int64_t plane, row
        cdef const char *channel = x.data + (n * x.stride[0] + c * x.stride[1]) * size
        cdef const char *src
        cdef char *band = scratch + self.row_bytes
        cdef char *out
        for t in range(self.kd):
            plane = self.planes[od * self.sd + t * self.dd]
            for i in range(rin):
                row = self.rows[r0 * self.sh + i]
                src = NULL if plane < 0 or row < 0 else channel + (plane * x.stride[2] + row * x.stride[3]) * size
                self.t.fill_row(
                    band + (t * self.rin + i) * self.row_len * size, self.sw, self.wq, src, x.stride[4], self.cols,
                    self.width, self.run0, self.run1, self.fill)
        for m in range(self.multiplier):
            k = c * self.multiplier + m
            out = y.data + (n * y.stride[0] + k * y.stride[1] + od * y.stride[2] + r0 * y.stride[3]) * size
            if y.stride[4] == 1:
                self.t.depthwise(
                    band, self.sh * self.row_len, self.ntaps, self.taps, self.weights + k * self.ntaps * size,
                    self.bias_at(k), self.relu, rows, self.ow, out, y.stride[3])
                continue
            self.t.depthwise(
                band, self.sh * self.row_len, self.ntaps, self.taps, self.weights + k * self.ntaps * size,
                self.bias_at(k), self.relu, rows, self.ow, scratch, self.ow)
            for r in range(rows):
                for q in range(self.ow):
                    copy_one(out + (r * y.stride[3] + q * y.stride[4]) * size, scratch + (r * self.ow + q) * size, size)

    cdef double bias_at(self, Py_ssize_t k) noexcept nogil:
        if self.bias == NULL:
            return 0.0
        return (<float *>self.bias)[k] if self.t.itemsize == 4 else (<double *>self.bias)[k]

    cdef void row_channels_last(
        self, Py_ssize_t n, Py_ssize_t od, Py_ssize_t oh, const View *x, const View *y, char *scratch) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize
        cdef Py_ssize_t *offs = <Py_ssize_t *>scratch
        cdef Py_ssize_t q, d, h, w, t
        cdef int64_t plane, row, col
        cdef const char *image = x.data + n * x.stride[0] * size
        for q in range(self.ow):
            t = 0
            for d in range(self.kd):
                plane = self.planes[od * self.sd + d * self.dd]
                for h in range(self.kh):
                    row = self.rows[oh * self.sh + h * self.dh]
                    for w in range(self.kw):
                        col = self.cols[q * self.sw + w * self.dw]
                        if plane < 0 or row < 0 or col < 0:
                            offs[t] = -1
                        else:
                            offs[t] = plane * x.stride[2] + row * x.stride[3] + col * x.stride[4]
                        t = t + 1
            self.t.depthwise_last(
                image, self.ntaps, offs, self.weights, self.bias, self.fill, self.relu, self.channels,
                y.data + (n * y.stride[0] + od * y.stride[2] + oh * y.stride[3] + q * y.stride[4]) * size)


cdef inline void copy_one(char *dst, const char *src, Py_ssize_t size) noexcept nogil:
    if size == 4:
        (<float *>dst)[0] = (<const float *>src)[0]
    else:
        (<double *>dst)[0] = (<const double *>src)[0]
