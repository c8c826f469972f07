# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Max and average pooling.

NCHW (and NHWC with indices): one item of work is a block of output rows of one channel; a band of
input rows goes to scratch, -inf (max) or 0 (average) where there is no input, and the window's taps
are combined a row at a time.  NHWC: one item is an output row, channels in lanes, read in place.
The index tables tell padding from input: a padded tap never wins a maximum, and the divisors of the
average are given per axis.
"""

from cython.parallel cimport prange, threadid
from libc.math cimport INFINITY
from libc.stdint cimport int64_t

from fastconv.backends.cython._simd cimport View, address, fc_table, view


cdef class Pool:
    """One prepared pooling."""

    cdef const fc_table *t
    cdef object keep
    cdef Py_ssize_t n, channels, kd, kh, kw, sd, sh, sw, dd, dh, dw, od, oh, ow, ih, iw
    cdef Py_ssize_t rb, row_blocks, wq, row_len, rin, ntaps, width, run0, run1, row_bytes
    cdef const int64_t *planes
    cdef const int64_t *rows
    cdef const int64_t *cols
    cdef const Py_ssize_t *taps
    cdef const double *count_d
    cdef const double *count_h
    cdef const double *count_w
    cdef bint is_max, last
    cdef double divisor

    def __init__(self, size_t table, p, tables, taps, counts, blocks):
        """`counts`: per axis and output, how many taps count in the divisor; `p.divisor` overrides them."""
        self.t = <const fc_table *>table
        self.keep = (tables, taps, counts)
        self.n, self.channels = p.n, p.c
        self.kd, self.kh, self.kw = p.kernel
        self.sd, self.sh, self.sw = p.stride
        self.dd, self.dh, self.dw = p.dilation
        self.od, self.oh, self.ow = p.output
        self.ih, self.iw = p.input[1], p.input[2]
        self.is_max, self.last = p.kind == "max", blocks.channels_last
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
        self.count_d = <const double *>address(counts[0])
        self.count_h = <const double *>address(counts[1])
        self.count_w = <const double *>address(counts[2])
        self.divisor = 0.0 if p.divisor is None else p.divisor
        self.row_bytes = self.ow * 8

    @property
    def items(self):
        """How many independent items of work a run has."""
        planes = self.n * self.od * self.row_blocks
        return planes if self.last else planes * self.channels

    def run(self, x, y, at, scratch, Py_ssize_t scratch_bytes, Py_ssize_t lo, Py_ssize_t hi, int threads):
        """Items lo to hi; `at` is the array of indices or None; `scratch` holds `scratch_bytes` per thread."""
        cdef View xv = view(x), yv = view(y), av
        cdef const View *ap = NULL
        cdef char *buf = address(scratch)
        cdef Py_ssize_t i
        if at is not None:
            av = view(at)
            ap = &av
        if threads == 1:
            with nogil:
                for i in range(lo, hi):
                    self.item(i, &xv, &yv, ap, buf)
        else:
            for i in prange(lo, hi, nogil=True, num_threads=threads, schedule="dynamic"):
                self.item(i, &xv, &yv, ap, buf + threadid() * scratch_bytes)

    cdef void item(self, Py_ssize_t i, const View *x, const View *y, const View *at, char *scratch) noexcept nogil:
        cdef Py_ssize_t ri = i % self.row_blocks, od = i // self.row_blocks % self.od
        i = i // self.row_blocks // self.od
        if self.last:
            self.row_channels_last(i, od, ri, x, y, scratch)
        else:
            self.rows_of_plane(i // self.channels, i % self.channels, od, ri * self.rb, x, y, at, scratch)

    cdef double divisor_at(self, Py_ssize_t od, Py_ssize_t oh, Py_ssize_t q) noexcept nogil:
        cdef double count
        if self.divisor != 0.0:
            return self.divisor
        count = self.count_d[od] * self.count_h[oh] * self.count_w[q]
        return count if count > 0 else 1.0

    cdef void rows_of_plane(
        self, Py_ssize_t n, Py_ssize_t c, Py_ssize_t od, Py_ssize_t r0, const View *x, const View *y, const View *at,
        char *scratch) noexcept nogil:
        # scratch: one row of results, one row of tap numbers or divisors, then the band
        cdef Py_ssize_t size = self.t.itemsize
        cdef Py_ssize_t rows = min(self.rb, self.oh - r0)
        cdef Py_ssize_t rin = (rows - 1) * self.sh + (self.kh - 1) * self.dh + 1
        cdef Py_ssize_t t, i, r, q
        cdef int64_t plane, row
        cdef const char *channel = x.data + (n * x.stride[0] + c * x.stride[1]) * size
        cdef const char *src
        cdef char *line = scratch
        cdef char *second = scratch + self.row_bytes
        cdef char *band = second + self.row_bytes
        cdef char *here
        cdef char *out
        cdef double fill = -INFINITY if self.is_max else 0.0
        for t in range(self.kd):
            plane = self.planes[od * self.sd + t * self.dd]
            for i in range(rin):
                row = self.rows[r0 * self.sh + i]
                src = NULL if plane < 0 or row < 0 else channel + (plane * x.stride[2] + row * x.stride[3]) * size
                self.t.fill_row(
                    band + (t * self.rin + i) * self.row_len * size, self.sw, self.wq, src, x.stride[4], self.cols,
                    self.width, self.run0, self.run1, fill)
        for r in range(rows):
            here = band + r * self.sh * self.row_len * size
            out = y.data + (n * y.stride[0] + c * y.stride[1] + od * y.stride[2] + (r0 + r) * y.stride[3]) * size
            line = out if y.stride[4] == 1 else scratch
            if at != NULL:
                self.t.max_row_at(here, self.ntaps, self.taps, self.ow, line, <int64_t *>second)
                self.write_indices(
                    od, r0 + r, <const int64_t *>second,
                    (<int64_t *>at.data) + n * at.stride[0] + c * at.stride[1] + od * at.stride[2]
                    + (r0 + r) * at.stride[3], at.stride[4])
            elif self.is_max:
                self.t.max_row(here, self.ntaps, self.taps, self.ow, line)
            else:
                self.t.sum_row(here, self.ntaps, self.taps, self.ow, line)
                for q in range(self.ow):
                    put(second + q * size, self.divisor_at(od, r0 + r, q), size)
                self.t.divide_row(line, second, self.ow)
            if line != out:
                for q in range(self.ow):
                    put(out + q * y.stride[4] * size, get(line + q * size, size), size)

    cdef void write_indices(
        self, Py_ssize_t od, Py_ssize_t oh, const int64_t *which, int64_t *out, Py_ssize_t step) noexcept nogil:
        # Flat positions in the unpadded (d, h, w) volume.  No winner means that every tap holds -inf: the
        # first tap inside the input wins then, and -1 says that there is none.
        cdef Py_ssize_t q, t, d, h, w
        cdef int64_t flat
        for q in range(self.ow):
            flat = -1
            for t in range(which[q] if which[q] >= 0 else 0, which[q] + 1 if which[q] >= 0 else self.ntaps):
                d = self.planes[od * self.sd + t // (self.kh * self.kw) * self.dd]
                h = self.rows[oh * self.sh + t // self.kw % self.kh * self.dh]
                w = self.cols[q * self.sw + t % self.kw * self.dw]
                if d >= 0 and h >= 0 and w >= 0:
                    flat = (d * self.ih + h) * self.iw + w
                    break
            out[q * step] = flat

    cdef void row_channels_last(
        self, Py_ssize_t n, Py_ssize_t od, Py_ssize_t oh, const View *x, const View *y, char *scratch) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize
        cdef Py_ssize_t *offs = <Py_ssize_t *>scratch
        cdef Py_ssize_t q, d, h, w, t
        cdef int64_t plane, row, col
        cdef const char *image = x.data + n * x.stride[0] * size
        cdef char *out
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
            out = y.data + (n * y.stride[0] + od * y.stride[2] + oh * y.stride[3] + q * y.stride[4]) * size
            if self.is_max:
                self.t.max_last(image, self.ntaps, offs, self.channels, 1.0, out)
            else:
                self.t.sum_last(image, self.ntaps, offs, self.channels, self.divisor_at(od, oh, q), out)


cdef inline void put(char *p, double v, Py_ssize_t size) noexcept nogil:
    if size == 4:
        (<float *>p)[0] = <float>v
    else:
        (<double *>p)[0] = v


cdef inline double get(const char *p, Py_ssize_t size) noexcept nogil:
    return (<const float *>p)[0] if size == 4 else (<const double *>p)[0]
