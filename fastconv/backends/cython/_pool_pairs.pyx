# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Maxima of adjacent 2 x 2 windows; an item of work is one plane of one channel of one image."""

from cython.parallel cimport prange
from libc.stdint cimport int64_t

from fastconv.backends.cython._simd cimport View, address, fc_table, view


def run(size_t table, x, y, index, Py_ssize_t lo, Py_ssize_t hi, int threads):
    """Items lo to hi."""
    cdef const fc_table *t = <const fc_table *>table
    cdef View xv = view(x), yv = view(y)
    cdef char *places = address(index)
    cdef Py_ssize_t channels = y.shape[1], planes = y.shape[2], ih = x.shape[3], iw = x.shape[4]
    cdef Py_ssize_t oh = y.shape[3], ow = y.shape[4], item
    for item in prange(lo, hi, nogil=True, num_threads=threads, schedule="static"):
        plane(t, &xv, &yv, places, item // planes // channels, item // planes % channels, item % planes, ih, iw, oh, ow)


cdef void plane(
    const fc_table *t, const View *x, const View *y, char *places, Py_ssize_t n, Py_ssize_t c, Py_ssize_t d, Py_ssize_t ih,
    Py_ssize_t iw, Py_ssize_t oh, Py_ssize_t ow) noexcept nogil:
    cdef Py_ssize_t size = t.itemsize, r, at
    cdef const char *first = x.data + (n * x.stride[0] + c * x.stride[1] + d * x.stride[2]) * size
    cdef const char *row
    cdef int64_t *index
    for r in range(oh):
        row = first + 2 * r * iw * size
        at = n * y.stride[0] + c * y.stride[1] + d * y.stride[2] + r * ow
        index = <int64_t *>places + at
        t.pool_pairs(
            row, row + iw * size if 2 * r + 1 < ih else NULL, iw, ow, y.data + at * size, index, (d * ih + 2 * r) * iw)
