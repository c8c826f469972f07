# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Pooling in registers, see simd/pool/small_window.inc, strided.inc and channels.inc; an item of work is some rows of windows of one plane of some channels."""

from libc.stdint cimport int64_t

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport View, fc_table, pool_counts, pool_shifts_args


cdef class SmallWindow(Prepared):
    """One prepared pooling."""

    cdef Py_ssize_t n, c, od, oh, rows, parts, width, groups
    cdef bint last, strided
    cdef pool_shifts_args a

    def __init__(self, size_t table, p, kernel, lo, int op, divisors, double scale, bint look, Py_ssize_t rows,
                 Py_ssize_t width, Py_ssize_t ahead=0, halvings=None):
        """`divisors`: factors of each window's divisor along depth, height and width; None: sums are multiplied by `scale`.

        Channels last are processed together: `width` is their number then.  `ahead`: bytes, see pool.h.  `halvings`: see strided.inc, if that is what runs.
        """
        self.t = <const fc_table *>table
        self.keep = divisors
        self.n, self.c, self.rows, self.width = p.n, p.c, rows, width
        self.a.op, self.a.look, self.a.ahead = op, look, ahead
        self.a.kd, self.a.kh, self.a.kw = kernel
        self.a.ld, self.a.lh, self.a.lw = lo
        self.a.sd, self.a.sh, self.a.sw = p.stride
        self.a.dd, self.a.dh, self.a.dw = p.dilation
        self.last, self.strided = p.layout == "NHWC", halvings is not None
        self.a.halvings = halvings or 0
        self.a.unit, self.a.scale = self.c if self.last else 1, scale
        self.a.id, self.a.ih, self.a.iw = p.input
        self.od, self.oh, self.a.ow = p.output
        self.parts = (self.oh + rows - 1) // rows
        self.groups = (self.c + width - 1) // width
        self.items = self.n * self.groups * self.od * self.parts
        if divisors is not None:
            self.a.depth, self.a.height = pool_counts(divisors[0]), pool_counts(divisors[1])
            self.a.width = pool_counts(divisors[2])

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef const View *x = &arrays.x
        cdef const View *y = &arrays.y
        cdef const View *index = &arrays.z
        cdef pool_shifts_args a = self.a
        cdef Py_ssize_t size = self.t.itemsize, n, c, at
        a.oh0 = i % self.parts * self.rows
        a.oh1 = min(a.oh0 + self.rows, self.oh)
        i = i // self.parts
        a.od = i % self.od
        i = i // self.od
        c = i % self.groups * self.width
        n = i // self.groups
        a.channels = 1 if self.last else min(self.width, self.c - c)
        a.x_step, a.y_step, a.index_step = x.stride[1], y.stride[1], index.stride[1]
        at = (a.od * self.oh + a.oh0) * a.ow * a.unit
        a.x = x.data + (n * x.stride[0] + c * x.stride[1]) * size
        a.y = y.data + (n * y.stride[0] + c * y.stride[1] + at) * size
        if index.data != NULL:
            a.index = <int64_t *>index.data + n * index.stride[0] + c * index.stride[1] + at
        if self.last:
            self.t.pool_channels(&a)
        elif self.strided:
            a.scratch = scratch
            self.t.pool_strided(&a)
        else:
            self.t.pool_shifts(&a)
