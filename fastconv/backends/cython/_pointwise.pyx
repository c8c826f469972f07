# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""1x1 convolution with pixels in lanes: the image is read in place, nothing is packed but the weights.

One item of work is a block of pixels of one group of one image.  For each tile of output channels it sweeps the panels
of NR pixels, so the block stays in the L2 cache.  Its last panel overlaps the one before; only a block smaller than a
panel is copied to scratch, because the tile loads whole vectors.
"""

from cython.parallel cimport prange, threadid

from fastconv.backends.cython._simd cimport View, address, fc_epilogue, fc_table, view


cdef class Pointwise:
    """One prepared 1x1 convolution of NCHW images."""

    cdef const fc_table *t
    cdef object keep
    cdef Py_ssize_t n, groups, icg, ocg, pixels, block, blocks, k_tiles
    cdef char *weights
    cdef char *bias
    cdef bint relu

    def __init__(self, size_t table, p, weights, bias, Py_ssize_t block):
        self.t = <const fc_table *>table
        self.keep = (weights, bias)
        self.n, self.groups, self.icg, self.ocg, self.pixels = p.n, p.groups, p.icg, p.ocg, p.pixels
        self.block = block
        self.blocks = (self.pixels + block - 1) // block
        self.k_tiles = (self.ocg + self.t.mr - 1) // self.t.mr
        self.weights, self.bias = address(weights), address(bias)
        self.relu = p.activation == "relu"

    @property
    def items(self):
        """How many independent items of work a run has."""
        return self.n * self.groups * self.blocks

    def run(self, x, y, scratch, Py_ssize_t scratch_bytes, Py_ssize_t lo, Py_ssize_t hi, int threads):
        """Items lo to hi; `scratch` holds `scratch_bytes` for each thread."""
        cdef View xv = view(x), yv = view(y)
        cdef char *buf = address(scratch)
        cdef Py_ssize_t i
        if threads == 1:
            with nogil:
                for i in range(lo, hi):
                    self.item(i, &xv, &yv, buf)
        else:
            for i in prange(lo, hi, nogil=True, num_threads=threads, schedule="dynamic"):
                self.item(i, &xv, &yv, buf + threadid() * scratch_bytes)

    cdef void item(self, Py_ssize_t i, const View *x, const View *y, char *scratch) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, mr = self.t.mr
        cdef Py_ssize_t b = i % self.blocks, g = (i // self.blocks) % self.groups, n = i // self.blocks // self.groups
        cdef Py_ssize_t first = b * self.block, count = min(self.pixels - first, self.block), zero = 0
        cdef const char *src = x.data + (n * x.stride[0] + g * self.icg * x.stride[1] + first) * size
        cdef char *dst = y.data + (n * y.stride[0] + g * self.ocg * y.stride[1] + first) * size
        cdef char *narrow = scratch + mr * nr * size
        cdef Py_ssize_t tile, k, rows, p
        cdef const char *w
        cdef const char *bias
        cdef char *out
        cdef fc_epilogue e
        if count < nr:
            self.t.pack_b(narrow, src, 1, x.stride[1], count, self.icg)
        for tile in range(self.k_tiles):
            k = self.ocg * tile // self.k_tiles
            rows = self.ocg * (tile + 1) // self.k_tiles - k
            w = self.weights + (g * self.k_tiles + tile) * self.icg * mr * size
            bias = NULL if self.bias == NULL else self.bias + (g * self.ocg + k) * size
            out = dst + k * y.stride[1] * size
            if count < nr:
                e.alpha, e.beta, e.c, e.row_bias, e.col_bias, e.relu = 1.0, 0.0, NULL, bias, NULL, self.relu
                self.t.tile[rows](self.icg, 1, &zero, w, mr, narrow, nr, 1, scratch)
                self.t.store(scratch, rows, count, out, y.stride[1], 1, &e)
                continue
            p = 0
            while p < count:
                p = min(p, count - nr)
                self.t.pixel_tile[rows](
                    self.icg, w, src + p * size, x.stride[1], out + p * size, y.stride[1], bias, self.relu)
                p = p + nr
