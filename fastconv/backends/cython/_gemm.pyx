# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Matrix multiplication: both operands packed into panels, one register tile, blocks of N and K.

For each block of columns and of depth, panels of B are packed (or come packed); one item of work
then packs an MR x KC panel of A and multiplies it with a run of B panels.  Partial sums wait in the
output between blocks of depth; the last block applies alpha, beta*c, bias and activation.
"""

from cython.parallel cimport prange, threadid

from fastconv.backends.cython._simd cimport View, address, fc_epilogue, fc_table, view


cdef class Gemm:
    """Sizes and blocks of one problem; operands come with each run."""

    cdef const fc_table *t
    cdef Py_ssize_t m, n, k, kc, panels_per_item
    cdef double alpha, beta
    cdef bint trans_a, trans_b, relu

    def __init__(self, size_t table, p, Py_ssize_t kc, Py_ssize_t panels_per_item):
        self.t = <const fc_table *>table
        self.m, self.n, self.k, self.kc, self.panels_per_item = p.m, p.n, p.k, kc, panels_per_item
        self.alpha, self.beta = p.alpha, p.beta
        self.trans_a, self.trans_b, self.relu = p.trans_a, p.trans_b, p.activation == "relu"

    def pack_b(self, b, packed, Py_ssize_t j0, Py_ssize_t cols, Py_ssize_t p0, Py_ssize_t depth, int threads):
        """Panels of columns j0 to j0 + cols, depth p0 to p0 + depth, of matrix `b` as (panel, depth, NR)."""
        cdef View bv = view(b)
        cdef char *dst = address(packed)
        cdef Py_ssize_t nr = self.t.nr, size = self.t.itemsize, i
        cdef Py_ssize_t rs = bv.stride[1], cs = bv.stride[0]
        if self.trans_b:
            rs, cs = cs, rs
        cdef const char *src = bv.data + (j0 * rs + p0 * cs) * size
        for i in prange((cols + nr - 1) // nr, nogil=True, num_threads=threads, schedule="static"):
            self.t.pack_b(dst + i * nr * depth * size, src + i * nr * rs * size, rs, cs, min(nr, cols - i * nr), depth)

    def multiply(
        self, a, packed, c, bias, y, scratch, Py_ssize_t scratch_bytes, Py_ssize_t j0, Py_ssize_t cols,
        Py_ssize_t p0, Py_ssize_t depth, Py_ssize_t lo, Py_ssize_t hi, int threads):
        """Items lo to hi of one block: `packed` from `pack_b`; `scratch` holds `scratch_bytes` per thread."""
        cdef View av = view(a), yv = view(y), cv
        cdef const char *panels = address(packed)
        cdef char *buf = address(scratch)
        cdef Py_ssize_t i
        cdef bint first = p0 == 0, last = p0 + depth == self.k
        cdef fc_epilogue e
        e.alpha, e.beta, e.c, e.row_bias, e.col_bias, e.relu = 1.0, 0.0, NULL, NULL, NULL, 0
        e.crs = e.ccs = 0
        if last:
            e.alpha, e.relu = self.alpha, self.relu
            e.col_bias = address(bias)
            if c is not None:
                cv = view(c)
                e.beta, e.c, e.crs, e.ccs = self.beta, cv.data, cv.stride[0], cv.stride[1]
        for i in prange(lo, hi, nogil=True, num_threads=threads, schedule="dynamic"):
            self.item(i, &av, &yv, panels, &e, j0, cols, p0, depth, first, buf + threadid() * scratch_bytes)

    cdef void item(
        self, Py_ssize_t i, const View *a, const View *y, const char *panels, const fc_epilogue *whole, Py_ssize_t j0,
        Py_ssize_t cols, Py_ssize_t p0, Py_ssize_t depth, bint first, char *scratch) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, mr = self.t.mr, zero = 0
        cdef Py_ssize_t runs = ((cols + nr - 1) // nr + self.panels_per_item - 1) // self.panels_per_item
        cdef Py_ssize_t i0 = i // runs * mr, rows = min(mr, self.m - i // runs * mr)
        cdef Py_ssize_t jb = i % runs * self.panels_per_item * nr
        cdef Py_ssize_t je = min(cols, jb + self.panels_per_item * nr), j, width
        cdef Py_ssize_t rs = a.stride[0], cs = a.stride[1]
        cdef char *panel = scratch + mr * nr * size
        cdef char *out
        cdef fc_epilogue e = whole[0]
        if self.trans_a:
            rs, cs = cs, rs
        self.t.pack_a(panel, a.data + (i0 * rs + p0 * cs) * size, rs, cs, rows, depth)
        j = jb
        while j < je:
            width = min(nr, cols - j)
            out = y.data + (i0 * y.stride[0] + (j0 + j) * y.stride[1]) * size
            if not first:
                self.t.load(scratch, rows, width, out, y.stride[0], y.stride[1])
            self.t.tile[rows](depth, 1, &zero, panel, mr, panels + j * depth * size, nr, first, scratch)
            if whole.col_bias != NULL:
                e.col_bias = <const char *>whole.col_bias + (j0 + j) * size
            if whole.c != NULL:
                e.c = <const char *>whole.c + (i0 * e.crs + (j0 + j) * e.ccs) * size
            self.t.store(scratch, rows, width, out, y.stride[0], y.stride[1], &e)
            j = j + nr

    def items(self, Py_ssize_t cols):
        """Items of work of a block of `cols` columns."""
        cdef Py_ssize_t panels = (cols + self.t.nr - 1) // self.t.nr
        return (self.m + self.t.mr - 1) // self.t.mr * ((panels + self.panels_per_item - 1) // self.panels_per_item)
