# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Interleave phases to an image: element j along an axis is element j // stride of phase j % stride.

An item of work is a plane of one channel, or, channels last, a row of one image.
"""

from cython.parallel cimport prange, threadid
from libc.string cimport memcpy

from fastconv.backends.cython._simd cimport View, address, fc_table, view


def scratch_bytes(tuple counts):
    """Scratch of one thread: the views of all phases, and a pointer to each phase of a row."""
    nd, nh, nw = counts
    return nd * nh * nw * sizeof(View) + nw * sizeof(void *)


def interleave(
    size_t table, parts, tuple counts, out, bint channels_last, scratch, Py_ssize_t step, Py_ssize_t lo, Py_ssize_t hi,
    int threads):
    """Items lo to hi of `out`, (N, C, D, H, W).

    `parts` has the phases in the order of memory, `counts` of them along each axis; `scratch` has `step` bytes for each
    thread, and the views in those of the first.
    """
    cdef View y = view(out)
    cdef View *views = <View *>address(scratch)
    cdef char *pointers = <char *>(views + len(parts))
    cdef Py_ssize_t c = out.shape[1], d = out.shape[2], h = out.shape[3], w = out.shape[4], i
    cdef Py_ssize_t nd = counts[0], nh = counts[1], nw = counts[2]
    for i in range(len(parts)):
        views[i] = view(parts[i])
    if channels_last:
        for i in prange(lo, hi, nogil=True, num_threads=threads, schedule="static"):
            pixels(<const fc_table *>table, views, nd, nh, nw, &y, i // h // d, i // h % d, i % h, w, c)
    else:
        for i in prange(lo, hi, nogil=True, num_threads=threads, schedule="static"):
            plane(
                <const fc_table *>table, views, nd, nh, nw, &y, i // d // c, i // d % c, i % d, h, w,
                <const void **>(pointers + threadid() * step))


cdef void plane(
    const fc_table *t, const View *parts, Py_ssize_t nd, Py_ssize_t nh, Py_ssize_t nw, const View *y, Py_ssize_t n, Py_ssize_t c,
    Py_ssize_t d, Py_ssize_t rows, Py_ssize_t cols, const void **phase) noexcept nogil:
    cdef Py_ssize_t r, p
    cdef const View *part
    cdef char *dst = y.data + (n * y.stride[0] + c * y.stride[1] + d * y.stride[2]) * t.itemsize
    for r in range(rows):
        part = parts + (d % nd * nh + r % nh) * nw
        for p in range(nw):
            phase[p] = part.data + (
                n * part.stride[0] + c * part.stride[1] + d // nd * part.stride[2] + r // nh * part.stride[3]) * t.itemsize
            part += 1
        t.interleave(dst + r * y.stride[3] * t.itemsize, phase, nw, cols)


cdef void pixels(
    const fc_table *t, const View *parts, Py_ssize_t nd, Py_ssize_t nh, Py_ssize_t nw, const View *y, Py_ssize_t n, Py_ssize_t d,
    Py_ssize_t r, Py_ssize_t cols, Py_ssize_t channels) noexcept nogil:
    cdef Py_ssize_t p, q, nbytes = channels * t.itemsize
    cdef const View *part = parts + (d % nd * nh + r % nh) * nw
    cdef const char *src
    cdef char *dst = y.data + (n * y.stride[0] + d * y.stride[2] + r * y.stride[3]) * t.itemsize
    for p in range(nw):
        src = part.data + (n * part.stride[0] + d // nd * part.stride[2] + r // nh * part.stride[3]) * t.itemsize
        q = p
        while q < cols:
            memcpy(dst + q * nbytes, src, nbytes)
            src += nbytes
            q += nw
        part += 1
