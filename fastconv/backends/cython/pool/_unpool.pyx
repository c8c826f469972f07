# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Max unpooling: zeros, and values stored at their positions, the last one of equal positions.

An item of work is some channels of one image.
"""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from numpy cimport ndarray

from fastconv.backends.cython.runtime._prepared cimport Arrays, Bound, Prepared, bound
from fastconv.backends.cython.runtime._simd cimport address, fc_table, meet, whole

ctypedef fused bits:  # of one element
    uint16_t
    uint32_t
    uint64_t


cdef class Unpool(Prepared):
    """One prepared unpooling; its third array are the positions, each channel's in a row."""

    cdef Py_ssize_t channels, width, parts, values, pixels
    cdef bint last

    def __init__(self, size_t table, p, Py_ssize_t width, bint last):
        """`width`: channels of an item; `last`: whether channels come last."""
        self.t = <const fc_table *>table
        self.channels, self.width, self.uniform, self.last = p.c, width, True, last
        self.parts = (self.channels + width - 1) // width
        self.values, self.pixels = p.values, p.pixels
        self.items = p.n * self.parts

    def operands(self, indices):
        """A run with these indices."""
        cdef Bound run = bound(self, indices)
        run.arrays.z.data = address(indices)
        return run

    def unpool(self, ndarray x, ndarray out, ndarray indices):
        """Run on arrays as the user gave them, if they are contiguous, `out` overlaps none and positions exist; else do
        nothing and return False."""
        cdef Arrays a
        cdef Py_ssize_t k, count = self.y_bytes // (self.pixels * self.t.itemsize) * self.values
        cdef Py_ssize_t nbytes = count * sizeof(int64_t)
        cdef const uint64_t *index
        cdef uint64_t bad = 0
        memset(&a, 0, sizeof(Arrays))
        a.x.stride, a.y.stride = self.x.stride, self.y.stride
        a.x.data, a.y.data = whole(x, False, self.x_bytes), whole(out, True, self.y_bytes)
        a.z.data = whole(indices, False, nbytes)
        if self.last or a.x.data == NULL or a.y.data == NULL or a.z.data == NULL:
            return False
        if meet(a.x.data, self.x_bytes, a.y.data, self.y_bytes) or meet(a.z.data, nbytes, a.y.data, self.y_bytes):
            return False
        index = <const uint64_t *>a.z.data
        for k in range(count):
            bad |= index[k] >= <uint64_t>self.pixels  # negative ones are large
        if bad:
            return False
        self.execute(&a)
        return True

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t n = i // self.parts, c = i % self.parts * self.width, size = self.t.itemsize
        cdef Py_ssize_t channels = min(self.width, self.channels - c), k
        cdef const char *x = a.x.data + (n * a.x.stride[0] + c * a.x.stride[1]) * size
        cdef char *y = a.y.data + (n * a.y.stride[0] + c * a.y.stride[1]) * size
        cdef const int64_t *index = <const int64_t *>a.z.data + (n * self.channels + c) * self.values
        if self.last:
            self.scatter(x, index, y, channels, self.channels, size)
            return
        if a.y.stride[1] == self.pixels:
            memset(y, 0, channels * self.pixels * size)
        for k in range(channels):
            if a.y.stride[1] != self.pixels:
                memset(y, 0, self.pixels * size)
            self.scatter(x, index, y, 1, 1, size)
            x += a.x.stride[1] * size
            y += a.y.stride[1] * size
            index += self.values

    cdef inline void scatter(
        self, const char *x, const int64_t *index, char *y, Py_ssize_t channels, Py_ssize_t step,
        Py_ssize_t size) noexcept nogil:
        if size == 2:
            self.store[uint16_t](<const uint16_t *>x, index, <uint16_t *>y, channels, step)
        elif size == 4:
            self.store[uint32_t](<const uint32_t *>x, index, <uint32_t *>y, channels, step)
        else:
            self.store[uint64_t](<const uint64_t *>x, index, <uint64_t *>y, channels, step)

    cdef void store(
        self, const bits *x, const int64_t *index, bits *y, Py_ssize_t channels, Py_ssize_t step) noexcept nogil:
        # Positions were checked; but an array that another thread changes must not cause writes outside.
        cdef Py_ssize_t v, c, e
        cdef int64_t at
        if not self.last:
            pass
        elif channels == step:
            memset(y, 0, self.pixels * step * sizeof(bits))
        else:
            for e in range(self.pixels):
                memset(y + e * step, 0, channels * sizeof(bits))
        if not self.last:
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
