# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Element-wise functions over contiguous arrays, a block of elements per item of work."""

from cython.parallel cimport prange

from fastconv.backends.cython._simd cimport address, fc_table


def activate(size_t table, int f, double a, double b, x, y, Py_ssize_t block, Py_ssize_t lo, Py_ssize_t hi, int threads):
    """Blocks lo to hi of y = f(x), f one of the enum of simd/table.h with its parameters."""
    cdef const fc_table *t = <const fc_table *>table
    cdef char *xs = address(x)
    cdef char *ys = address(y)
    cdef Py_ssize_t size = t.itemsize, total = y.size, i, at
    for i in prange(lo, hi, nogil=True, num_threads=threads, schedule="static"):
        at = i * block
        t.activate(f, ys + at * size, xs + at * size, min(block, total - at), a, b)


def relu_backward(size_t table, dy, x, dx, Py_ssize_t block, Py_ssize_t lo, Py_ssize_t hi, int threads):
    """Blocks lo to hi of dx = dy where x > 0."""
    cdef const fc_table *t = <const fc_table *>table
    cdef char *ds = address(dy)
    cdef char *xs = address(x)
    cdef char *out = address(dx)
    cdef Py_ssize_t size = t.itemsize, total = dx.size, i, at
    for i in prange(lo, hi, nogil=True, num_threads=threads, schedule="static"):
        at = i * block
        t.relu_backward(out + at * size, ds + at * size, xs + at * size, min(block, total - at))
