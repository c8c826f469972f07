# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Element-wise functions over contiguous arrays, a block of elements per item of work."""

from libc.stdint cimport int64_t

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport fc_table


cdef class Activation(Prepared):
    """y = f(x), f one of ACT_FUNCTIONS of shared.py with its parameters.

    Backward, x is bound: a run computes the gradient of x from that of y.
    """

    cdef Py_ssize_t size, block
    cdef int f
    cdef double first, second
    cdef bint backward

    def __init__(self, size_t table, Py_ssize_t size, Py_ssize_t block, int f, double first, double second, bint backward):
        self.t = <const fc_table *>table
        self.size, self.block, self.f, self.first, self.second, self.backward = size, block, f, first, second, backward
        self.items = (size + block - 1) // block

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t at = i * self.block, offset = at * self.t.itemsize, n = min(self.block, self.size - at)
        if self.backward:
            self.t.activate_backward(
                self.f, a.y.data + offset, a.x.data + offset, a.weights + offset, n, self.first, self.second)
        else:
            self.t.activate(self.f, a.y.data + offset, a.x.data + offset, n, self.first, self.second)


cdef class Sloped(Prepared):
    """Images (rows, channels, inner), negative elements times the slope of their channel, which each call gives."""

    cdef Py_ssize_t size, block, channels, inner

    def __init__(self, size_t table, Py_ssize_t size, Py_ssize_t block, Py_ssize_t channels, Py_ssize_t inner):
        self.t = <const fc_table *>table
        self.size, self.block, self.channels, self.inner = size, block, channels, inner
        self.items = (size + block - 1) // block

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t at = i * self.block
        self.t.slopes(
            a.y.data, a.x.data, a.weights, at, min(self.block, self.size - at), self.channels, self.inner)


cdef class Limited(Prepared):
    """Integers between two limits; `kind`: one of LIMIT_TYPES of shared.py."""

    cdef Py_ssize_t size, block, itemsize
    cdef int kind
    cdef int64_t low, high

    def __init__(
        self, size_t table, Py_ssize_t size, Py_ssize_t block, int kind, Py_ssize_t itemsize, int64_t low, int64_t high):
        self.t = <const fc_table *>table
        self.size, self.block, self.kind, self.itemsize = size, block, kind, itemsize
        self.low, self.high = low, high
        self.items = (size + block - 1) // block

    def schedule(self, Py_ssize_t scratch_bytes, int threads, tuple parts, x, y, z, Py_ssize_t shared_bytes):
        Prepared.schedule(self, scratch_bytes, threads, parts, x, y, z, shared_bytes)
        self.x_bytes = self.y_bytes = self.size * self.itemsize

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t at = i * self.block, offset = at * self.itemsize
        self.t.limit[self.kind](
            a.y.data + offset, a.x.data + offset, min(self.block, self.size - at), self.low, self.high)


cdef class Gated(Prepared):
    """Each row of x is values followed by as many gates; y is the values times the sigmoids of their gates.

    Backward, x is bound: a run computes the gradient of x from that of y.  An item is some rows, or part of one.
    """

    cdef Py_ssize_t rows, length, block, group, pieces
    cdef bint backward

    def __init__(self, size_t table, Py_ssize_t rows, Py_ssize_t length, Py_ssize_t block, bint backward):
        self.t = <const fc_table *>table
        self.rows, self.length, self.block, self.backward = rows, length, block, backward
        self.group, self.pieces = max(1, block // max(1, length)), (length + block - 1) // block
        self.items = (rows + self.group - 1) // self.group * self.pieces

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, gate = self.length * size
        cdef Py_ssize_t first = i // self.pieces * self.group, at = i % self.pieces * self.block
        cdef Py_ssize_t n = min(self.block, self.length - at), row, one, both
        if self.length == 1 and not self.backward:
            n = min(self.group, self.rows - first)
            self.t.gate_pairs(a.y.data + first * size, a.x.data + 2 * first * size, n)
            return
        for row in range(first, min(first + self.group, self.rows)):
            one, both = (row * self.length + at) * size, (2 * row * self.length + at) * size
            if self.backward:
                self.t.gate_backward(
                    a.y.data + both, a.y.data + both + gate, a.x.data + one, a.weights + both, a.weights + both + gate,
                    n)
            else:
                self.t.gate(a.y.data + one, a.x.data + both, a.x.data + both + gate, n)
