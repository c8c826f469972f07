# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Maxima of adjacent 2 x 2 windows; an item of work is one plane of one channel of one image."""

from libc.stdint cimport int64_t

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport fc_table


cdef class Pairs(Prepared):
    """One prepared pooling."""

    cdef Py_ssize_t c, planes, ih, iw, oh, ow

    def __init__(self, size_t table, p):
        self.t = <const fc_table *>table
        self.c, self.uniform = p.c, True
        _, self.ih, self.iw = p.input
        self.planes, self.oh, self.ow = p.output
        self.items = p.n * self.c * self.planes

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, d = i % self.planes, c = i // self.planes % self.c, n = i // self.planes // self.c
        cdef Py_ssize_t step = self.iw * size, out = d * self.oh * self.ow, r
        cdef const char *row = a.x.data + (n * a.x.stride[0] + c * a.x.stride[1] + d * self.ih * self.iw) * size
        cdef char *y = a.y.data + (n * a.y.stride[0] + c * a.y.stride[1] + out) * size
        cdef int64_t *index = <int64_t *>a.z.data + n * a.z.stride[0] + c * a.z.stride[1] + out
        for r in range(self.oh):
            self.t.pool_pairs(
                row, row + step if 2 * r + 1 < self.ih else NULL, self.iw, self.ow, y, index, (d * self.ih + 2 * r) * self.iw)
            row, y, index = row + 2 * step, y + self.ow * size, index + self.ow
