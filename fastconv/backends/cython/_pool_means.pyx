# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Means of whole planes; an item of work is some channels of one image."""

from cython.parallel cimport prange

from fastconv.backends.cython._simd cimport View, fc_table, view


def run(size_t table, x, y, Py_ssize_t elements, Py_ssize_t width, Py_ssize_t lo, Py_ssize_t hi, int threads):
    """Items lo to hi: parts of `width` channels, each channel `elements` in a row."""
    cdef const fc_table *t = <const fc_table *>table
    cdef View xv = view(x), yv = view(y)
    cdef Py_ssize_t channels = y.shape[1], parts = (channels + width - 1) // width, i
    for i in prange(lo, hi, nogil=True, num_threads=threads, schedule="static"):
        part(t, &xv, &yv, i // parts, i % parts * width, min(channels, (i % parts + 1) * width), elements)


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
