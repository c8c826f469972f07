# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Means and maxima of whole planes; an item of work is some channels of one image."""

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport View, fc_table


cdef class GlobalPool(Prepared):
    """Of channels of `elements` in a row, `width` channels in an item."""

    cdef Py_ssize_t channels, elements, width, parts
    cdef int op

    def __init__(self, size_t table, p, int op, Py_ssize_t width):
        self.t, self.op = <const fc_table *>table, op
        self.channels, self.elements, self.width, self.uniform = p.c, p.taps, width, True
        self.parts = (self.channels + width - 1) // width
        self.items = p.n * self.parts

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef const View *x = &arrays.x
        cdef const View *y = &arrays.y
        cdef Py_ssize_t n = i // self.parts, c = i % self.parts * self.width, last = min(self.channels, c + self.width)
        # Adjacent planes and results are processed together.
        cdef Py_ssize_t count = last - c if x.stride[1] == self.elements and y.stride[1] == 1 else 1
        while c < last:
            self.t.pool_global(
                self.op, x.data + (n * x.stride[0] + c * x.stride[1]) * self.t.itemsize, count, self.elements,
                y.data + (n * y.stride[0] + c * y.stride[1]) * self.t.itemsize)
            c += count
