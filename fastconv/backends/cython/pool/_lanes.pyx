# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Pooling with planes in lanes, see simd/pool/lanes.inc; an item of work is some rows of windows of a vector of planes."""

from libc.stdint cimport int64_t
from libc.string cimport memset

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport View, address, fc_table, pool_axis, pool_lanes_args

cdef enum:
    MOST_LANES = 64


cdef pool_axis windows_of(axis) except *:
    """From a `lanes.LaneAxis`, which the caller keeps alive."""
    cdef pool_axis a
    a.first, a.count, a.step = <const Py_ssize_t *>address(axis.first), <const Py_ssize_t *>address(axis.taps), axis.step
    return a


cdef class LanesPool(Prepared):
    """One prepared pooling, of any windows."""

    cdef Py_ssize_t c, planes, od, depths, rows, depth_blocks, row_blocks
    cdef const Py_ssize_t *depth_begin
    cdef const Py_ssize_t *depth_end
    cdef const Py_ssize_t *row_begin
    cdef const Py_ssize_t *row_end
    cdef pool_lanes_args a

    def __init__(self, size_t table, int op, Py_ssize_t n, Py_ssize_t c, axes, factors, blocks):
        """`axes`: of depth, height and width; `factors`: of divisors, along these; `blocks`: see lanes.py."""
        self.t = <const fc_table *>table
        self.keep = axes, factors
        self.c, self.planes = c, n * c
        depth, height, width = axes
        memset(&self.a, 0, sizeof(self.a))
        self.a.op = op
        self.a.ih, self.a.iw = height.extent, width.extent
        self.od, self.a.oh, self.a.ow = depth.outputs, height.outputs, width.outputs
        self.a.depth, self.a.height, self.a.width = windows_of(depth), windows_of(height), windows_of(width)
        self.depth_begin, self.depth_end = <const Py_ssize_t *>address(depth.begin), <const Py_ssize_t *>address(depth.end)
        self.row_begin, self.row_end = <const Py_ssize_t *>address(height.begin), <const Py_ssize_t *>address(height.end)
        self.a.depths, self.a.heights, self.a.widths = address(factors[0]), address(factors[1]), address(factors[2])
        self.depths, self.rows, self.a.image, self.a.results, _ = blocks
        self.depth_blocks = (self.od + self.depths - 1) // self.depths
        self.row_blocks = (self.a.oh + self.rows - 1) // self.rows
        self.items = (self.planes + self.t.vl - 1) // self.t.vl * self.depth_blocks * self.row_blocks if self.a.ow else 0

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef const View *x = &arrays.x
        cdef const View *y = &arrays.y
        cdef const View *index = &arrays.z  # there with indices
        cdef pool_lanes_args a = self.a
        cdef const void *images[MOST_LANES]
        cdef void *results[MOST_LANES]
        cdef int64_t *places[MOST_LANES]
        cdef Py_ssize_t size = self.t.itemsize, lane, n, c
        a.oh0 = i % self.row_blocks * self.rows
        a.oh1 = min(a.oh0 + self.rows, a.oh)
        i = i // self.row_blocks
        a.od0 = i % self.depth_blocks * self.depths
        a.od1 = min(a.od0 + self.depths, self.od)
        i = i // self.depth_blocks * self.t.vl
        a.planes = min(self.t.vl, self.planes - i)
        n, c = i // self.c, i % self.c
        for lane in range(self.t.vl):
            images[lane] = x.data + (n * x.stride[0] + c * x.stride[1]) * size
            results[lane] = y.data + (n * y.stride[0] + c * y.stride[1]) * size
            places[lane] = <int64_t *>index.data + n * index.stride[0] + c * index.stride[1]
            if lane + 1 < a.planes:
                c += 1
                if c == self.c:
                    n, c = n + 1, 0
        a.z0, a.z1 = self.depth_begin[a.od0], self.depth_end[a.od1 - 1]
        a.r0, a.r1 = self.row_begin[a.oh0], self.row_end[a.oh1 - 1]
        a.x, a.y, a.scratch = <const void *const *>images, <void *const *>results, scratch
        if index.data != NULL:
            a.index = <int64_t *const *>places
        self.t.pool_lanes(&a)
