# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Pooling of small planes, see simd/pool/flat.inc; an item of work is some channels of one image."""

import numpy as np

from libc.string cimport memset

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport View, address, fc_table, pool_flat_args


cdef class FlatPool(Prepared):
    """One prepared pooling."""

    cdef Py_ssize_t n, c, width, groups
    cdef pool_flat_args a

    def __init__(self, size_t table, p, kernel, lo, int op, shares, Py_ssize_t width):
        """`shares`: the divisor of each sum, and its inverse; None where there is none."""
        cdef Py_ssize_t plane
        self.t = <const fc_table *>table
        self.n, self.c, self.width = p.n, p.c, width
        self.groups = (self.c + width - 1) // width
        self.items = self.n * self.groups
        memset(&self.a, 0, sizeof(self.a))
        self.a.op = op
        _, self.a.ih, self.a.iw = p.input
        _, self.a.kh, self.a.kw = kernel
        self.a.lh, self.a.dh = lo[1], p.dilation[1]
        plane = self.a.ih * self.a.iw
        # One mask per block and tap; a mask is at most a vector.
        masks = np.empty((plane // self.t.vl + 1) * self.a.kw * self.t.vl * self.t.itemsize + 64, np.uint8)
        masks = masks[-masks.__array_interface__["data"][0] % 64:]
        self.t.pool_flat_masks(plane, self.a.iw, self.a.kw, address(masks))
        self.a.masks = address(masks)
        if shares is not None:
            self.a.divisor, self.a.inverse = address(shares[0]), address(shares[1])
        self.keep = masks, shares

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef const View *x = &arrays.x
        cdef const View *y = &arrays.y
        cdef pool_flat_args a = self.a
        cdef Py_ssize_t size = self.t.itemsize, n = i // self.groups, c = i % self.groups * self.width
        a.channels = min(self.width, self.c - c)
        a.x_step, a.y_step = x.stride[1], y.stride[1]
        a.x = x.data + (n * x.stride[0] + c * x.stride[1]) * size
        a.y = y.data + (n * y.stride[0] + c * y.stride[1]) * size
        self.t.pool_flat(&a)
