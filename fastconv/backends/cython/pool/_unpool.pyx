# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Max unpooling: zeros, and values stored at their positions, the last one of equal positions.

An item of work is a plane of one channel, or, channels last, some channels of one image.
"""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from fastconv.backends.cython.runtime._prepared cimport Arrays, Bound, Prepared, bound
from fastconv.backends.cython.runtime._simd cimport address, fc_table

ctypedef fused bits:  # of one element
    uint16_t
    uint32_t
    uint64_t


cdef class Unpool(Prepared):
    """One prepared unpooling; its third array are the positions, each channel's in a row."""

    cdef Py_ssize_t channels, width, parts, values, pixels

    def __init__(self, size_t table, p, Py_ssize_t width):
        """`width`: channels of an item, 1 unless channels come last."""
        self.t = <const fc_table *>table
        self.channels, self.width, self.uniform = p.c, width, True
        self.parts = (self.channels + width - 1) // width
        self.values, self.pixels = p.values, p.pixels
        self.items = p.n * self.parts

    def operands(self, indices):
        """A run with these indices."""
        cdef Bound run = bound(self, indices)
        run.arrays.z.data = address(indices)
        return run

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t n = i // self.parts, c = i % self.parts * self.width, size = self.t.itemsize
        cdef Py_ssize_t channels = min(self.width, self.channels - c), step = 1 if self.width == 1 else self.channels
        cdef const char *x = a.x.data + (n * a.x.stride[0] + c * a.x.stride[1]) * size
        cdef char *y = a.y.data + (n * a.y.stride[0] + c * a.y.stride[1]) * size
        cdef const int64_t *index = <const int64_t *>a.z.data + (n * self.channels + c) * self.values
        if size == 2:
            self.scatter[uint16_t](<const uint16_t *>x, index, <uint16_t *>y, channels, step)
        elif size == 4:
            self.scatter[uint32_t](<const uint32_t *>x, index, <uint32_t *>y, channels, step)
        else:
            self.scatter[uint64_t](<const uint64_t *>x, index, <uint64_t *>y, channels, step)

    cdef void scatter(
        self, const bits *x, const int64_t *index, bits *y, Py_ssize_t channels, Py_ssize_t step) noexcept nogil:
        # Positions were checked; but an array that another thread changes must not cause writes outside.
        cdef Py_ssize_t v, c, e
        cdef int64_t at
        if channels == step:
            memset(y, 0, self.pixels * step * sizeof(bits))
        else:
            for e in range(self.pixels):
                memset(y + e * step, 0, channels * sizeof(bits))
        if step == 1:
            for v in range(self.values):
                at = index[v]
                if 0 <= at < self.pixels:
                    y[at] = x[v]
        else:
            for v in range(self.values):
                for c in range(channels):
                    at = index[c * self.values + v]
                    if 0 <= at < self.pixels:
                        y[at * step + c] = x[v * step + c]
