# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Means and maxima of whole planes, and positions of maxima; an item of work is some channels of one image."""

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
    """Of channels of `elements` in a row, `width` channels in an item."""

    cdef Py_ssize_t channels, elements, width, parts
    cdef int op
    cdef bint last

    def __init__(self, size_t table, p, int op, Py_ssize_t width):
        self.t, self.op = <const fc_table *>table, op
        self.channels, self.elements, self.width, self.uniform = p.c, p.taps, width, True
        self.last = p.layout == "NHWC"
        self.parts = (self.channels + width - 1) // width
        self.items = p.n * self.parts

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef const View *x = &arrays.x
        cdef const View *y = &arrays.y
        cdef Py_ssize_t n = i // self.parts, c = i % self.parts * self.width, last = min(self.channels, c + self.width)
        cdef int64_t *index = <int64_t *>arrays.z.data
        if self.last:
            self.maxima(x.data + (n * x.stride[0] + c) * self.t.itemsize, last - c,
                        y.data + (n * y.stride[0] + c) * self.t.itemsize, index + n * arrays.z.stride[0] + c)
            return
        # Adjacent planes and results are processed together.
        cdef Py_ssize_t count = last - c if x.stride[1] == self.elements and y.stride[1] == 1 else 1
        while c < last:
            self.t.pool_global(
                self.op, x.data + (n * x.stride[0] + c * x.stride[1]) * self.t.itemsize, count, self.elements,
                y.data + (n * y.stride[0] + c * y.stride[1]) * self.t.itemsize)
            if index != NULL:
                self.look(x, y, n, c, c + count, index + n * arrays.z.stride[0], arrays.z.stride[1])
            c += count

    cdef void look(
        self, const View *x, const View *y, Py_ssize_t n, Py_ssize_t c, Py_ssize_t last, int64_t *index,
        Py_ssize_t step) noexcept nogil:
        """The positions of the maxima of some channels."""
        cdef Py_ssize_t at, to, k
        for k in range(c, last):
            at, to = n * x.stride[0] + k * x.stride[1], n * y.stride[0] + k * y.stride[1]
            if self.t.itemsize == 8:
                index[k * step] = first_of(<const double *>x.data + at, self.elements, (<const double *>y.data)[to])
            else:
                index[k * step] = first_of(<const float *>x.data + at, self.elements, (<const float *>y.data)[to])

    cdef void maxima(self, const char *x, Py_ssize_t channels, char *y, int64_t *index) noexcept nogil:
        """Channels last, with positions."""
        if self.t.itemsize == 8:
            maxima_last(<const double *>x, self.elements, self.channels, channels, <double *>y, index)
        else:
            maxima_last(<const float *>x, self.elements, self.channels, channels, <float *>y, index)
