# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Copy the elements of images that windows without overlap read: of each tap one image, as long as the result.

An item of work is a channel of an image, or, channels last, a row of pixels.  Where rows of copies are short, a table says
which elements of a channel are copied.
"""

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

from fastconv.backends.cython.runtime._padded cimport Padded, copy_row, padded, row_of
from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport View, address, fc_prefetch, fc_source, fc_table

cdef enum:
    SPLIT = 4  # columns from one window to the next, at most, where rows are split by vectors; the same in gathered.py
    SPLIT_BYTES = 8 << 10

ctypedef fused element:
    int32_t
    int64_t


cdef class Gather(Prepared):
    """``run(x, out)``; as many images as both have."""

    cdef Py_ssize_t channels, kd, kh, kw, sd, sh, sw, dd, dh, dw, od, oh, ow, ahead
    cdef bint last, whole
    cdef Padded image
    cdef const char *outside
    cdef const int64_t *places
    cdef Py_ssize_t count

    def __init__(self, size_t table, p, tables, outside, places, bint far):
        """`p`: taps, strides and outputs along each axis; `outside`: one pixel of padding; `places`: of all elements, or
        None; `far`: whether images are prefetched."""
        self.t = <const fc_table *>table
        self.keep = (tables, outside, places)
        self.places, self.count = <const int64_t *>address(places), 0 if places is None else places.size
        self.channels, self.last = p.ic, p.layout == "NHWC"
        self.kd, self.kh, self.kw = p.kernel
        self.sd, self.sh, self.sw = p.stride
        self.dd, self.dh, self.dw = p.dilation
        self.od, self.oh, self.ow = p.output
        self.image, self.outside = padded(tables, p.fill), address(outside)
        # Every column is read, and `fill_row` splits rows by vectors.
        self.whole = self.kw == self.sw <= SPLIT and self.dw == 1 and not self.last
        self.ahead = p.input[2] * self.t.itemsize if far else 0
        self.items = p.n * (self.od * self.oh if self.last else self.channels)
        self.uniform = True

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        if self.last:
            self.pixels(&arrays.x, &arrays.y, i // self.oh // self.od, i // self.oh % self.od, i % self.oh)
        elif self.places != NULL:
            self.listed(&arrays.x, &arrays.y, i // self.channels, i % self.channels)
        else:
            self.channel(&arrays.x, &arrays.y, i // self.channels, i % self.channels)

    cdef void listed(self, const View *x, const View *y, Py_ssize_t n, Py_ssize_t c) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, taps = self.kd * self.kh * self.kw, pixels = self.od * self.oh * self.ow, tap
        cdef Py_ssize_t rows = self.od * self.kd * self.oh * self.kh
        cdef const char *src = x.data + (n * x.stride[0] + c * x.stride[1]) * size
        cdef char *dst = y.data + (n * y.stride[0] + c * taps * y.stride[1]) * size
        for tap in range(taps):
            if self.ahead and c + 1 < self.channels:
                self.prefetch(x, src + x.stride[1] * size, rows * tap // taps, rows * (tap + 1) // taps)
            self.t.gather(dst + tap * pixels * size, src, self.places + tap * pixels, pixels, self.image.fill)

    cdef void prefetch(self, const View *x, const char *channel, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
        """Some of the rows of a channel that are read."""
        cdef Py_ssize_t size = self.t.itemsize, i, b, r, a
        cdef const char *row
        for i in range(first, end):
            b, r = i % self.kh, i // self.kh % self.oh
            a = i // self.kh // self.oh
            row = row_of(
                &self.image, x, channel, fc_source(&self.image.planes, a // self.kd * self.sd + a % self.kd * self.dd),
                r * self.sh + b * self.dh, size)
            if row != NULL:
                fc_prefetch(row, self.ahead)

    cdef void channel(self, const View *x, const View *y, Py_ssize_t n, Py_ssize_t c) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, taps = self.kd * self.kh * self.kw, z, a, r, b
        cdef const char *src = x.data + (n * x.stride[0] + c * x.stride[1]) * size
        cdef char *dst = y.data + (n * y.stride[0] + c * taps * y.stride[1]) * size
        cdef const char *row
        cdef int64_t plane
        for z in range(self.od):
            for a in range(self.kd):
                plane = fc_source(&self.image.planes, z * self.sd + a * self.dd)
                for r in range(self.oh):
                    for b in range(self.kh):
                        row = row_of(&self.image, x, src, plane, r * self.sh + b * self.dh, size)
                        if row != NULL:
                            fc_prefetch(row + x.stride[1] * size, self.ahead)  # of the next channel
                        self.columns(
                            row, dst + ((a * self.kh + b) * self.kw * y.stride[1] + z * y.stride[2] + r * y.stride[3]) * size,
                            y.stride[1])

    cdef void columns(self, const char *row, char *to, Py_ssize_t tap) noexcept nogil:
        """The columns of a row (NULL: padding), tap by tap."""
        cdef Py_ssize_t w
        if self.whole:
            self.t.fill_row(
                to, self.kw, tap, row, 1, &self.image.cols, 0, self.ow * self.kw, min(self.image.run0, self.ow * self.kw),
                min(self.image.run1, self.ow * self.kw), self.image.fill)
            return
        if self.sw <= SPLIT:
            self.split(row, to, tap)
            return
        for w in range(self.kw):
            if self.t.itemsize == 4:
                pick[int32_t](
                    &self.image, <const int32_t *>row, <int32_t *>(to + w * tap * 4), w * self.dw, self.sw, self.ow,
                    (<const int32_t *>self.outside)[0])
            else:
                pick[int64_t](
                    &self.image, <const int64_t *>row, <int64_t *>(to + w * tap * 8), w * self.dw, self.sw, self.ow,
                    (<const int64_t *>self.outside)[0])

    cdef void split(self, const char *row, char *to, Py_ssize_t tap) noexcept nogil:
        """The same for short strides: rows are split by phase in registers, of which some are taps."""
        cdef char phases[SPLIT_BYTES]
        cdef Py_ssize_t size = self.t.itemsize, room = SPLIT_BYTES // (self.sw * size), reach = (self.kw - 1) * self.dw
        cdef Py_ssize_t most = room - reach // self.sw - 1, q = 0, w, count
        while q < self.ow:
            count = min(most, self.ow - q)
            copy_row(
                self.t, &self.image, phases, self.sw, room, row, 1, q * self.sw, (count - 1) * self.sw + reach + 1)
            for w in range(self.kw):
                memcpy(
                    to + (w * tap + q) * size, phases + (w * self.dw % self.sw * room + w * self.dw // self.sw) * size,
                    count * size)
            q = q + count

    cdef void pixels(self, const View *x, const View *y, Py_ssize_t n, Py_ssize_t z, Py_ssize_t r) noexcept nogil:
        """Pixels with channels last, which have one tap."""
        cdef Py_ssize_t size = self.t.itemsize, nbytes = self.channels * size, q
        cdef const char *row = row_of(
            &self.image, x, x.data + n * x.stride[0] * size, fc_source(&self.image.planes, z * self.sd), r * self.sh, size)
        cdef char *to = y.data + (n * y.stride[0] + z * y.stride[2] + r * y.stride[3]) * size
        cdef int64_t col
        for q in range(self.ow):
            col = -1 if row == NULL else fc_source(&self.image.cols, q * self.sw)
            memcpy(to + q * nbytes, self.outside if col < 0 else row + col * nbytes, nbytes)


cdef void pick(
    const Padded *image, const element *row, element *to, Py_ssize_t start, Py_ssize_t step, Py_ssize_t count,
    element fill) noexcept nogil:
    """Padded columns start, start + step, ... of a row (NULL: padding)."""
    cdef Py_ssize_t q, begin = 0, end = 0
    cdef const element *run
    if row != NULL:  # columns begin <= q < end have sources `step` apart
        begin = min(max((image.run0 - start + step - 1) // step, 0), count)
        end = min(max((image.run1 - start + step - 1) // step, begin), count)
    if begin < end:
        run = row + fc_source(&image.cols, start + begin * step)
        if step == 1:
            memcpy(to + begin, run, (end - begin) * sizeof(element))
        else:
            for q in range(end - begin):
                to[begin + q] = run[q * step]
    for q in range(begin):
        to[q] = one_of(image, row, start + q * step, fill)
    for q in range(end, count):
        to[q] = one_of(image, row, start + q * step, fill)


cdef inline element one_of(const Padded *image, const element *row, Py_ssize_t at, element fill) noexcept nogil:
    cdef int64_t col = -1 if row == NULL else fc_source(&image.cols, at)
    return fill if col < 0 else row[col]
