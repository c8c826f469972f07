# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Means of whole planes; an item of work is some channels of one image."""

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport View, fc_table


cdef class Means(Prepared):
    """Of channels of `elements` in a row, `width` channels in an item."""

    cdef Py_ssize_t channels, elements, width, parts

    def __init__(self, size_t table, p, Py_ssize_t width):
        self.t = <const fc_table *>table
        self.channels, self.elements, self.width, self.uniform = p.c, p.taps, width, True
        self.parts = (self.channels + width - 1) // width
        self.items = p.n * self.parts

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef Py_ssize_t n = i // self.parts, first = i % self.parts * self.width
        part(self.t, &arrays.x, &arrays.y, n, first, min(self.channels, first + self.width), self.elements)


cdef void part(
    const fc_table *t, const View *x, const View *y, Py_ssize_t n, Py_ssize_t first, Py_ssize_t last,
    Py_ssize_t elements) noexcept nogil:
    cdef Py_ssize_t size = t.itemsize, c = first, count
    # Adjacent planes and results are processed together.
    count = last - first if x.stride[1] == elements and y.stride[1] == 1 else 1
    while c < last:
        t.plane_means(
            x.data + (n * x.stride[0] + c * x.stride[1]) * size, count, elements,
            y.data + (n * y.stride[0] + c * y.stride[1]) * size)
        c += count
