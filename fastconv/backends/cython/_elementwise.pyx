# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Element-wise functions over contiguous arrays, a block of elements per item of work."""

from cython.parallel cimport prange

from fastconv.backends.cython._prepared cimport Arrays, Prepared
from fastconv.backends.cython._simd cimport address, fc_table


cdef class Activation(Prepared):
    """y = f(x), f one of the enum of simd/table.h with its parameters."""

    cdef Py_ssize_t size, block
    cdef int f
    cdef double first, second

    def __init__(self, size_t table, Py_ssize_t size, Py_ssize_t block, int f, double first, double second):
        self.t = <const fc_table *>table
        self.size, self.block, self.f, self.first, self.second = size, block, f, first, second
        self.items = (size + block - 1) // block

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t at = i * self.block, offset = at * self.t.itemsize
        self.t.activate(
            self.f, a.y.data + offset, a.x.data + offset, min(self.block, self.size - at), self.first, self.second)


def backward(
    size_t table, int f, double first, double second, dy, x, dx, Py_ssize_t block, Py_ssize_t lo, Py_ssize_t hi,
    int threads):
    """Blocks lo to hi of dx = dy f'(x)."""
    cdef const fc_table *t = <const fc_table *>table
    cdef char *ds = address(dy)
    cdef char *xs = address(x)
    cdef char *out = address(dx)
    cdef Py_ssize_t size = t.itemsize, total = dx.size, i, at
    for i in prange(lo, hi, nogil=True, num_threads=threads, schedule="static"):
        at = i * block
        t.activate_backward(
            f, out + at * size, ds + at * size, xs + at * size, min(block, total - at), first, second)
