# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Means and maxima of windows that are runs of memory, and positions of maxima; an item of work is some windows of one image."""

from libc.stdint cimport int64_t

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport View, fc_table


ctypedef fused real:
    float
    double

cdef enum:
    LOOKED = 64  # elements that are compared before one of them is looked for


cdef Py_ssize_t first_of(const real *x, Py_ssize_t n, real wanted) noexcept nogil:
    """The first of n elements that is `wanted`, or NaN if that is; one of them is."""
    cdef Py_ssize_t i = 0, k
    cdef int found
    if wanted != wanted:
        while i < n - 1 and x[i] == x[i]:
            i += 1
        return i
    while i + LOOKED <= n:
        found = 0
        for k in range(LOOKED):
            found |= x[i + k] == wanted
        if found:
            break
        i += LOOKED
    while i < n - 1 and x[i] != wanted:
        i += 1
    return i


cdef void maxima_last(
    const real *x, Py_ssize_t pixels, Py_ssize_t apart, Py_ssize_t channels, real *y, int64_t *index) noexcept nogil:
    """Of some channels of pixels, which are `apart`: the first of equal ones, or the first NaN."""
    cdef Py_ssize_t p, c
    for c in range(channels):
        y[c], index[c] = x[c], 0
    for p in range(1, pixels):
        x += apart
        for c in range(channels):
            if x[c] > y[c] or (x[c] != x[c] and y[c] == y[c]):
                y[c], index[c] = x[c], p


cdef class GlobalPool(Prepared):
    """Of `runs` windows of a channel, one after the other, of `elements` in a row; `width` windows in an item."""

    cdef Py_ssize_t channels, runs, elements, width, parts
    cdef int op
    cdef bint last
    cdef double counted  # by this means are divided once more: padding has a part in them

    def __init__(self, size_t table, p, int op, Py_ssize_t runs, Py_ssize_t elements, Py_ssize_t width, double counted):
        self.t, self.op = <const fc_table *>table, op
        self.channels, self.runs, self.elements, self.width, self.uniform = p.c, runs, elements, width, True
        self.last, self.counted = p.layout == "NHWC", counted
        self.parts = (self.channels * runs + width - 1) // width
        self.items = p.n * self.parts

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef const View *x = &arrays.x
        cdef const View *y = &arrays.y
        cdef Py_ssize_t n = i // self.parts, w = i % self.parts * self.width, c, count
        cdef Py_ssize_t last = min(self.channels * self.runs, w + self.width)
        cdef int64_t *index = <int64_t *>arrays.z.data
        if self.last:
            self.maxima(x.data + (n * x.stride[0] + w) * self.t.itemsize, last - w,
                        y.data + (n * y.stride[0] + w) * self.t.itemsize, index + n * arrays.z.stride[0] + w)
            return
        # Adjacent windows and results are processed together.
        cdef bint near = x.stride[1] == self.runs * self.elements and y.stride[1] == self.runs
        while w < last:
            c = w // self.runs
            count = last - w if near else min(last, (c + 1) * self.runs) - w
            self.t.pool_global(
                self.op, x.data + (n * x.stride[0] + self.at(w, x.stride[1], self.elements)) * self.t.itemsize, count, self.elements,
                y.data + (n * y.stride[0] + self.at(w, y.stride[1], 1)) * self.t.itemsize)
            if self.counted != 1:
                self.divide(y.data + (n * y.stride[0] + self.at(w, y.stride[1], 1)) * self.t.itemsize, count)
            if index != NULL:
                self.look(x, y, n, w, w + count, index + n * arrays.z.stride[0], arrays.z.stride[1])
            w += count

    cdef void divide(self, char *y, Py_ssize_t count) noexcept nogil:
        """Means of adjacent windows."""
        cdef Py_ssize_t i
        cdef float divisor = <float>self.counted
        for i in range(count):
            if self.t.itemsize == 8:
                (<double *>y)[i] /= self.counted
            else:
                (<float *>y)[i] /= divisor

    cdef inline Py_ssize_t at(self, Py_ssize_t w, Py_ssize_t channel, Py_ssize_t window) noexcept nogil:
        """Where window w is in an image whose channels and windows are so far apart."""
        return w // self.runs * channel + w % self.runs * window

    cdef void look(
        self, const View *x, const View *y, Py_ssize_t n, Py_ssize_t w, Py_ssize_t last, int64_t *index,
        Py_ssize_t step) noexcept nogil:
        """The positions of the maxima of some windows."""
        cdef Py_ssize_t at, to, k, first
        for k in range(w, last):
            at, to = n * x.stride[0] + self.at(k, x.stride[1], self.elements), n * y.stride[0] + self.at(k, y.stride[1], 1)
            if self.t.itemsize == 8:
                first = first_of(<const double *>x.data + at, self.elements, (<const double *>y.data)[to])
            else:
                first = first_of(<const float *>x.data + at, self.elements, (<const float *>y.data)[to])
            index[self.at(k, step, 1)] = k % self.runs * self.elements + first

    cdef void maxima(self, const char *x, Py_ssize_t channels, char *y, int64_t *index) noexcept nogil:
        """Channels last, with positions."""
        if self.t.itemsize == 8:
            maxima_last(<const double *>x, self.elements, self.channels, channels, <double *>y, index)
        else:
            maxima_last(<const float *>x, self.elements, self.channels, channels, <float *>y, index)
