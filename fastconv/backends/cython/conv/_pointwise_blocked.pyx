# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""1x1 convolution with output channels in lanes, on an image laid out in blocks of VL channels.

One item of work is a block of pixels of one group of one image, and some blocks of NR output channels.  The pixels are
copied to `v`, [channel block][pixel][lane], so that the register tile, MR pixels by NR output channels, uses every byte of
the cache lines that it reads; small maps are read in place, channel by channel.  The sums of `together` channels at a time
are added in `s`, [pixel][NR].
"""

from libc.stdint cimport int64_t

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport FC_LINE, View, address, fc_epilogue, fc_table

cdef enum:
    MOST_LANES = 16


cdef class PointwiseBlocked(Prepared):
    """One prepared 1x1 convolution."""

    cdef Py_ssize_t n, groups, icg, ocg, sd, sh, sw, oh, line, pixels, block, blocks, kbs, k_chunk, k_chunks
    cdef Py_ssize_t together, v_len
    cdef bint relu, in_place

    def __init__(self, size_t table, p, blocks):
        self.t = <const fc_table *>table
        self.n, self.groups, self.icg, self.ocg = p.n, p.groups, p.icg, p.ocg
        self.sd, self.sh, self.sw = p.stride
        self.oh, self.pixels, self.line = p.output[1], p.pixels, blocks.line
        self.block, self.k_chunk, self.together = blocks.pixels, blocks.k_chunk, blocks.together
        self.blocks = (self.pixels + self.block - 1) // self.block
        self.kbs = (self.ocg + self.t.nr - 1) // self.t.nr
        self.k_chunks = (self.kbs + self.k_chunk - 1) // self.k_chunk
        self.v_len, self.in_place = blocks.v, blocks.in_place
        self.relu = p.activation == "relu"
        self.items = self.n * self.groups * self.blocks * self.k_chunks

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef const View *x = &arrays.x
        cdef const View *y = &arrays.y
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr
        cdef Py_ssize_t chunk = i % self.k_chunks, b = i // self.k_chunks % self.blocks
        cdef Py_ssize_t g = i // self.k_chunks // self.blocks % self.groups, n = i // self.k_chunks // self.blocks // self.groups
        cdef Py_ssize_t first = b * self.block, count = min(self.block, self.pixels - first), kb, k
        cdef char *s = scratch + self.v_len * size
        cdef char *dst = y.data + (n * y.stride[0] + g * self.ocg * y.stride[1] + first * y.stride[4]) * size
        cdef fc_epilogue e
        e.alpha, e.beta, e.c, e.row_bias, e.relu = 1.0, 0.0, NULL, NULL, self.relu
        cdef const char *src = x.data + (n * x.stride[0] + g * self.icg * x.stride[1] + first) * size
        cdef const char *weights
        if not self.in_place:
            self.enter(x, n, g, first, count, scratch)
        for kb in range(chunk * self.k_chunk, min(self.kbs, (chunk + 1) * self.k_chunk)):
            k = kb * nr
            weights = arrays.weights + (g * self.kbs + kb) * self.icg * nr * size
            if self.in_place:
                self.multiply(src, 1, x.stride[1], count, weights, self.ocg - k > self.t.vl, s)
            else:
                self.multiply(scratch, self.t.vl, count, count, weights, self.ocg - k > self.t.vl, s)
            e.col_bias = NULL if arrays.bias == NULL else arrays.bias + (g * self.ocg + k) * size
            self.t.store(s, count, min(nr, self.ocg - k), dst + k * y.stride[1] * size, y.stride[4], y.stride[1], &e)

    cdef void enter(
        self, const View *x, Py_ssize_t n, Py_ssize_t g, Py_ssize_t first, Py_ssize_t count, char *v) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, vl = self.t.vl, block, c, at, line, col, cols
        cdef const char *channel
        cdef const char *src
        cdef char *dst
        for block in range((self.icg + vl - 1) // vl):
            c = block * vl
            channel = x.data + (n * x.stride[0] + (g * self.icg + c) * x.stride[1]) * size
            dst = v + c * count * size
            at = first
            while at < first + count:  # the part of a line of pixels that is in the block
                line, col = at // self.line, at % self.line
                cols = min(self.line - col, first + count - at)
                src = channel + (
                    line // self.oh * self.sd * x.stride[2] + line % self.oh * self.sh * x.stride[3]
                    + col * self.sw * x.stride[4]) * size
                self.t.lane_row(
                    dst, src, x.stride[1], self.sw * x.stride[4], min(vl, self.icg - c), NULL, 0, cols, 0, cols, 0.0)
                dst = dst + cols * vl * size
                at = at + cols

    cdef void multiply(
        self, const char *pixels, Py_ssize_t pixel, Py_ssize_t channel, Py_ssize_t count, const char *weights, bint wide,
        char *s) noexcept nogil:
        # `pixel`, `channel`: from one to the next, in elements; `wide`: more than VL output channels.  In place, VL channels are taps of each other.
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, vl = self.t.vl
        cdef Py_ssize_t pieces = (count + self.t.mr - 1) // self.t.mr, piece, q, q_next, c, blocks, lanes
        # Every tile prefetches a part of the next weights.
        cdef Py_ssize_t lines = (vl * nr * size // FC_LINE + pieces - 1) // pieces
        cdef Py_ssize_t taps[MOST_LANES]
        cdef const char *a
        cdef const char *w
        cdef const char *next
        for c in range(vl):
            taps[c] = c * channel
        c = 0
        while c < self.icg:
            lanes = min(vl, self.icg - c)
            blocks = max(1, min(self.together, self.icg - c) // vl)
            q, w, next = 0, weights + c * nr * size, weights + (c + blocks * lanes) * nr * size
            for piece in range(pieces):  # near-equal parts of at most MR pixels
                q_next = count * (piece + 1) // pieces
                a = pixels + (c * channel + q * pixel) * size
                if self.in_place:
                    self.t.tile[q_next - q][wide](
                        blocks, lanes, taps, a, vl * channel, w, nr, next + piece * lines * FC_LINE, lines, c == 0, s + q * nr * size)
                else:
                    self.t.lane_tile[q_next - q][wide](
                        blocks, lanes, a, vl * channel, w, next + piece * lines * FC_LINE, lines, c == 0, s + q * nr * size)
                q = q_next
            c = c + blocks * lanes
