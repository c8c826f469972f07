# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Interleave phases to an image: element j along an axis is element j // stride of phase j % stride.

An item of work is a plane of one channel, or, channels last, a row of one image.
"""

from libc.string cimport memcpy

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport View, fc_table, view


cdef struct Phases:
    # Those of one run, in the order of memory, and the extents of its images, which may be smaller than prepared ones.
    const View *parts
    Py_ssize_t c, d, h, w, items


cdef class Interleave(Prepared):
    """Of as many phases along each axis as `counts`."""

    cdef Py_ssize_t nd, nh, nw
    cdef bint channels_last

    def __init__(self, size_t table, tuple counts, bint channels_last, Py_ssize_t items):
        self.t = <const fc_table *>table
        self.nd, self.nh, self.nw = counts
        self.channels_last, self.items, self.uniform = channels_last, items, True

    def scratch_bytes(self):
        """A pointer to each phase of a row, or of a column."""
        return max(self.nw, self.nh) * sizeof(void *)

    def join(self, parts, out):
        """Interleave `parts`, the phases in the order of memory, to `out`, (N, C, D, H, W)."""
        cdef bytearray memory = bytearray(len(parts) * sizeof(View))
        cdef View *views = <View *><char *>memory
        cdef Py_ssize_t i
        cdef Phases phases
        cdef Arrays a
        for i in range(len(parts)):
            views[i] = view(parts[i])
        n, phases.c, phases.d, phases.h, phases.w = out.shape
        phases.parts, phases.items = views, n * phases.d * (phases.h if self.channels_last else phases.c)
        a.y, a.more = view(out), &phases
        self.execute(&a)

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef const Phases *p = <const Phases *>arrays.more
        if i >= p.items:
            return
        if self.channels_last:
            pixels(
                self.t, p.parts, self.nd, self.nh, self.nw, &arrays.y, i // p.h // p.d, i // p.h % p.d, i % p.h, p.w, p.c)
        else:
            plane(
                self.t, p.parts, self.nd, self.nh, self.nw, &arrays.y, i // p.d // p.c, i // p.d % p.c, i % p.d, p.h, p.w,
                <const void **>scratch)


cdef void plane(
    const fc_table *t, const View *parts, Py_ssize_t nd, Py_ssize_t nh, Py_ssize_t nw, const View *y, Py_ssize_t n, Py_ssize_t c,
    Py_ssize_t d, Py_ssize_t rows, Py_ssize_t cols, const void **phase) noexcept nogil:
    cdef Py_ssize_t r, p
    cdef const View *part
    cdef char *dst = y.data + (n * y.stride[0] + c * y.stride[1] + d * y.stride[2]) * t.itemsize
    cdef bint one_run = nh == 1 and y.stride[3] == cols  # rows of all phases and of the image follow each other
    if cols == 1 and y.stride[3] == 1 and parts.stride[3] == 1:  # the rows of a phase follow each other
        part = parts + d % nd * nh * nw
        for p in range(min(nh, rows)):
            phase[p] = part.data + (n * part.stride[0] + c * part.stride[1] + d // nd * part.stride[2]) * t.itemsize
            part += nw
        t.interleave(dst, phase, nh, rows)
        return
    for p in range(nw):
        one_run = one_run and parts[d % nd * nw + p].stride[3] * nw == cols
    if one_run:
        rows, cols = 1, rows * cols
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
