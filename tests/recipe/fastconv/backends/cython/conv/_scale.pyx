# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Depthwise 1x1 convolution; an item of work is one plane of one image."""

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport fc_table


cdef class Scale(Prepared):
    """One prepared problem."""

    cdef Py_ssize_t channels, pixels

    def __init__(self, size_t table, p):
        self.t = <const fc_table *>table
        self.channels, self.pixels = p.ic, p.pixels
        self.items = p.n * p.ic

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, n = i // self.channels, c = i % self.channels
        self.t.scale(
            arrays.y.data + (n * arrays.y.stride[0] + c * arrays.y.stride[1]) * size,
            arrays.x.data + (n * arrays.x.stride[0] + c * arrays.x.stride[1]) * size,
            self.pixels, arrays.weights + c * size, NULL if arrays.bias == NULL else arrays.bias + c * size)
