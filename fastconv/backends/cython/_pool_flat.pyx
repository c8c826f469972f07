# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Pooling of small planes, see simd/flat.inc; an item of work is some channels of one image."""

import numpy as np

from cython.parallel cimport prange
from libc.string cimport memset

from fastconv.backends.cython._simd cimport View, address, fc_table, pool_flat_args, view


cdef class Pool:
    """One prepared pooling; immutable after construction, so runs may overlap."""

    cdef const fc_table *t
    cdef object keep  # arrays whose addresses are held below
    cdef Py_ssize_t n, c, width, groups
    cdef pool_flat_args a

    def __init__(self, size_t table, p, kernel, lo, int op, shares, Py_ssize_t width):
        """`shares`: the divisor of each sum, and its inverse; None where there is none."""
        cdef Py_ssize_t plane
        self.t = <const fc_table *>table
        self.n, self.c, self.width = p.n, p.c, width
        self.groups = (self.c + width - 1) // width
        memset(&self.a, 0, sizeof(self.a))
        self.a.op = op
        _, self.a.ih, self.a.iw = p.input
        _, self.a.kh, self.a.kw = kernel
        self.a.lh, self.a.dh = lo[1], p.dilation[1]
        plane = self.a.ih * self.a.iw
        # One mask to a block and tap; no mask takes more than a vector.
        masks = np.empty((plane // self.t.vl + 1) * self.a.kw * self.t.vl * self.t.itemsize + 64, np.uint8)
        masks = masks[-masks.ctypes.data % 64:]
        self.t.pool_flat_masks(plane, self.a.iw, self.a.kw, address(masks))
        self.a.masks = address(masks)
        if shares is not None:
            self.a.divisor, self.a.inverse = address(shares[0]), address(shares[1])
        self.keep = masks, shares

    @property
    def items(self):
        """How many independent items of work a run has."""
        return self.n * self.groups

    def run(self, x, y, scratch, Py_ssize_t scratch_bytes, Py_ssize_t lo, Py_ssize_t hi, int threads):
        """Items lo to hi; no scratch is needed."""
        cdef View xv = view(x), yv = view(y)
        cdef Py_ssize_t i
        for i in prange(lo, hi, nogil=True, num_threads=threads, schedule="static"):
            self.item(i // self.groups, i % self.groups * self.width, &xv, &yv)

    cdef void item(self, Py_ssize_t n, Py_ssize_t c, const View *x, const View *y) noexcept nogil:
        cdef pool_flat_args a = self.a
        cdef Py_ssize_t size = self.t.itemsize
        a.channels = min(self.width, self.c - c)
        a.x_step, a.y_step = x.stride[1], y.stride[1]
        a.x = x.data + (n * x.stride[0] + c * x.stride[1]) * size
        a.y = y.data + (n * y.stride[0] + c * y.stride[1]) * size
        self.t.pool_flat(&a)
