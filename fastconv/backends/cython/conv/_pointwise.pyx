# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""1x1 convolution with pixels in lanes: the image is read in place, nothing is packed but the weights.

One item of work is a block of pixels of one group of one image.  For each tile of output channels it processes the panels
of NR pixels, so the block stays in the L2 cache.  Its last panel has NR or VL pixels and overlaps the one before; only a block
smaller than a panel is copied to scratch, because the tile loads whole vectors.
"""


from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport View, fc_epilogue, fc_table


cdef class Pointwise(Prepared):
    """One prepared 1x1 convolution of NCHW images."""

    cdef Py_ssize_t n, groups, icg, ocg, pixels, block, blocks, k_tiles
    cdef bint relu

    def __init__(self, size_t table, p, Py_ssize_t block):
        self.t = <const fc_table *>table
        self.n, self.groups, self.icg, self.ocg, self.pixels = p.n, p.groups, p.icg, p.ocg, p.pixels
        self.block = block
        self.blocks = (self.pixels + block - 1) // block
        self.k_tiles = (self.ocg + self.t.mr - 1) // self.t.mr
        self.relu = p.activation == "relu"
        self.items = self.n * self.groups * self.blocks

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef const View *x = &arrays.x
        cdef const View *y = &arrays.y
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, mr = self.t.mr
        cdef Py_ssize_t b = i % self.blocks, g = (i // self.blocks) % self.groups, n = i // self.blocks // self.groups
        cdef Py_ssize_t first = b * self.block, count = min(self.pixels - first, self.block), zero = 0
        cdef const char *src = x.data + (n * x.stride[0] + g * self.icg * x.stride[1] + first) * size
        cdef char *dst = y.data + (n * y.stride[0] + g * self.ocg * y.stride[1] + first) * size
        cdef char *narrow = scratch + mr * nr * size
        cdef Py_ssize_t tile, k, rows, p, ahead
        cdef bint wide
        cdef const char *w
        cdef const char *bias
        cdef char *out
        cdef fc_epilogue e
        if count < nr:
            self.t.pack_b(narrow, src, 1, x.stride[1], count, self.icg)
        for tile in range(self.k_tiles):
            k = self.ocg * tile // self.k_tiles
            rows = self.ocg * (tile + 1) // self.k_tiles - k
            w = arrays.weights + (g * self.k_tiles + tile) * self.icg * mr * size
            bias = NULL if arrays.bias == NULL else arrays.bias + (g * self.ocg + k) * size
            out = dst + k * y.stride[1] * size
            if count < nr:
                e.alpha, e.beta, e.c, e.row_bias, e.col_bias, e.relu = 1.0, 0.0, NULL, bias, NULL, self.relu
                self.t.tile[rows][count > self.t.vl](self.icg, 1, &zero, w, mr, narrow, nr, narrow, 0, 1, scratch)
                self.t.store(scratch, rows, count, out, y.stride[1], 1, &e)
                continue
            # The first channels prefetch the next pixels, the last ones those of the next block.
            ahead = nr if tile == 0 else self.block if tile == self.k_tiles - 1 else 0
            p = 0
            while p < count:
                wide = count - p > self.t.vl
                p = min(p, count - (nr if wide else self.t.vl))
                self.t.pixel_tile[rows][wide](
                    self.icg, w, src + p * size, x.stride[1], ahead, out + p * size, y.stride[1], bias, self.relu)
                p = p + nr
