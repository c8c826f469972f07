# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Gradients of convolution weights by Winograd's algorithm: the result is the filter's output, tiles of y are its taps.

The tiles of all images are processed in chunks of rows of tiles.  For one chunk, the tiles of x, blocks of VL input channels in
lanes, are transformed into `vx`, [plane][channel block][tile][lane], and those of y, NR output channels in lanes, into
`vy`, [point][block][tile][NR].  With strides, x has a set of points for each pair of phases.  For every plane, that
is every point of every pair, a product of matrices over the chunk's tiles on the register tile is added to
`sums`, [plane][block][channel][NR].  At the end the output transform computes kernels from them.

Chunks depend on the problem only.  Where sums are small, the chunks have segments, each with its own sums, which are added
at the end, and an item of work is some chunks of a segment; between its rounds signals are handled.  Else an item is a block
of channels of one chunk, which is transformed, or, after all of them, a product.
"""

from libc.string cimport memset

from fastconv.backends.cython.runtime._padded cimport Padded, copy_lanes, padded, row_of
from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport View, address, fc_epilogue, fc_table

cdef struct Axis:
    # Tiles of `tile` pixels of y; the kernel's `taps` are the outputs, every `stride`-th of them in one phase.
    Py_ssize_t tile, taps, stride, points
    const char *coef_in
    const char *coef_out
    const char *weights


cdef struct Slot:
    # A pair of phases: where in the kernel, its taps, the points that it uses, and its first plane of products.
    Py_ssize_t row, col, taps_h, taps_w, used_h, used_w, plane


cdef class WinogradWeight(Prepared):
    """One prepared gradient y, of images x and the gradient z of the result.

    Bound as `more` are 8 doubles, all zero, for each of `summands`, the segments or, if there is one only, the blocks of
    channels: the sum of all squares in x, and the largest sum of a row of tiles of some channels; the same for z.
    """

    cdef Axis h, w
    cdef Py_ssize_t n, groups, icg, ocg, oh, ow, kbs, channel_blocks, tile_rows, tile_cols, unit_rows, chunk, points, planes
    cdef Py_ssize_t win, yw, vx, vy, sums, chunks, segments, rounds, products
    cdef const Slot *slots
    cdef const Py_ssize_t *point  # of y, for each plane
    cdef Padded image
    cdef readonly Py_ssize_t summands  # of the sums of squares

    def __init__(self, size_t table, p, scheme, tables, Py_ssize_t rounds):
        """`rounds`: of the items of all segments, between which signals are handled."""
        self.t = <const fc_table *>table
        self.keep = (scheme, tables)
        self.n, self.groups, self.icg, self.ocg = p.n, p.groups, p.icg, p.ocg
        self.oh, self.ow = p.output[1:]
        self.h, self.w = axis(scheme.h, p.kernel[1], p.stride[1]), axis(scheme.w, p.kernel[2], p.stride[2])
        self.points, self.planes = self.h.points * self.w.points, len(scheme.planes)
        self.slots = <const Slot *>address(scheme.slots)
        self.point = <const Py_ssize_t *>address(scheme.planes)
        self.kbs = (self.ocg + self.t.nr - 1) // self.t.nr
        self.channel_blocks = (self.icg + self.t.vl - 1) // self.t.vl
        self.tile_rows, self.tile_cols = scheme.tile_rows, scheme.tile_cols
        self.unit_rows = self.n * self.tile_rows
        self.chunk, self.chunks, self.segments = scheme.chunk, scheme.chunks, scheme.segments
        self.win, self.yw, self.vx, self.vy, self.sums = scheme.win, scheme.yw, scheme.vx, scheme.vy, scheme.sums
        self.image = padded(tables, p.fill)
        self.rounds, self.products = rounds, self.planes * self.kbs
        self.summands = self.segments if self.segments > 1 else self.channel_blocks + self.kbs
        self.closing = self.groups * self.kbs * self.channel_blocks
        if self.segments > 1:
            self.items = self.segments * rounds
        else:
            self.items = self.chunks * self.groups * (self.channel_blocks + self.kbs + self.products)
            self.uniform = True  # threads reuse tiles, and sums from chunk to chunk

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef double *seen = <double *>arrays.more
        cdef char *sums = arrays.shared
        cdef char *tiles = sums + self.sums * self.t.itemsize  # there where all items are of one segment
        cdef Py_ssize_t per_chunk = self.channel_blocks + self.kbs + self.products, at = i % per_chunk
        if i >= self.items:
            self.leave(arrays.y.data, i - self.items, sums, scratch)
        elif self.segments > 1:
            self.walk(i % self.segments, i // self.segments, arrays, sums, scratch, seen + i % self.segments * 8)
        elif at < self.channel_blocks + self.kbs:
            self.enter(
                i // per_chunk // self.groups, i // per_chunk % self.groups, at, arrays, tiles, scratch, seen + at * 8)
        else:
            self.multiply(
                i // per_chunk // self.groups, i // per_chunk % self.groups, at - self.channel_blocks - self.kbs,
                i // per_chunk < self.groups, tiles, sums)

    cdef Py_ssize_t barrier(self, Py_ssize_t i, const Arrays *arrays) noexcept nogil:
        """A round follows the one before, products follow the tiles they read, and tiles those products."""
        cdef Py_ssize_t blocks = self.channel_blocks + self.kbs, first
        if i >= self.items:
            return self.items + self.closing
        if self.segments > 1:
            return (i // self.segments + 1) * self.segments
        first = i - i % (blocks + self.products)
        return first + blocks if i < first + blocks else first + blocks + self.products

    cdef void walk(
        self, Py_ssize_t s, Py_ssize_t round, const Arrays *arrays, char *sums, char *own, double *seen) noexcept nogil:
        """The chunks of one round of a segment; tiles are in the thread's own scratch."""
        cdef Py_ssize_t first = self.chunks * s // self.segments, end = self.chunks * (s + 1) // self.segments, c, g, i
        cdef Py_ssize_t many = end - first
        cdef char *band = own + (self.vx + self.vy) * self.t.itemsize
        sums = sums + s * self.sums * self.t.itemsize
        for c in range(first + many * round // self.rounds, first + many * (round + 1) // self.rounds):
            for g in range(self.groups):
                for i in range(self.channel_blocks + self.kbs):
                    self.enter(c, g, i, arrays, own, band, seen)
                for i in range(self.products):
                    self.multiply(c, g, i, c == first, own, sums)

    cdef void enter(
        self, Py_ssize_t c, Py_ssize_t g, Py_ssize_t i, const Arrays *arrays, char *tiles, char *band,
        double *seen) noexcept nogil:
        """Block i of a chunk's channels, of x or z, into `tiles`, through a thread's own scratch.

        Blocks of both are mixed evenly, so that threads have equal shares of each.
        """
        cdef Py_ssize_t first = c * self.chunk, count = min(self.chunk, self.unit_rows - first)
        cdef Py_ssize_t blocks = self.channel_blocks + self.kbs, before = i * self.kbs // blocks  # of z
        if (i + 1) * self.kbs // blocks == before:
            self.enter_x(&arrays.x, g, i - before, first, count, tiles, band, seen)
        else:
            self.enter_y(&arrays.z, g, before, first, count, tiles + self.vx * self.t.itemsize, band, seen + 2)

    cdef void enter_x(
        self, const View *x, Py_ssize_t g, Py_ssize_t b, Py_ssize_t first, Py_ssize_t count, char *v, char *band,
        double *seen) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, vl = self.t.vl, c = b * vl, r, i, p, n, band_row = self.win * vl
        cdef Py_ssize_t hn = (self.h.tile - 1) * self.h.stride + self.h.taps, tiles = count * self.tile_cols
        cdef Py_ssize_t point = self.channel_blocks * tiles * vl
        cdef char *half = band + hn * band_row * size
        cdef char *dst
        cdef const char *channel
        cdef const char *src
        cdef const Slot *slot
        cdef bint last
        for r in range(count):
            n = (first + r) // self.tile_rows
            channel = x.data + (n * x.stride[0] + (g * self.icg + c) * x.stride[1]) * size
            for i in range(hn):
                src = row_of(
                    &self.image, x, channel, 0, (first + r) % self.tile_rows * self.h.tile * self.h.stride + i, size)
                copy_lanes(self.t, &self.image, band + i * band_row * size, src, x, min(vl, self.icg - c), self.win)
            # Each row once: the next row of tiles begins with the rows after it.
            last = (first + r) % self.tile_rows == self.tile_rows - 1
            self.note(band, (hn if last else min(hn, self.h.tile * self.h.stride)) * self.win, seen)
            for i in range(self.h.stride * self.w.stride):
                slot = self.slots + i
                dst = v + (slot.plane * point + (b * tiles + r * self.tile_cols) * vl) * size
                src = band
                if self.h.points > 1:
                    if self.w.points == 1:  # columns are tiles
                        self.t.wino_input[self.h.points][slot.used_h == self.h.points](
                            self.h.coef_in, band + slot.row * band_row * size, self.h.stride * band_row, vl, self.ow, dst,
                            point, vl)
                        continue
                    if slot.col == 0:
                        self.t.wino_input[self.h.points][slot.used_h == self.h.points](
                            self.h.coef_in, band + slot.row * band_row * size, self.h.stride * band_row, vl, self.win, half,
                            band_row, vl)
                    src = half
                for p in range(slot.used_h):
                    self.t.wino_input[self.w.points][slot.used_w == self.w.points](
                        self.w.coef_in, src + (p * band_row + slot.col * vl) * size, self.w.stride * vl,
                        self.w.tile * self.w.stride * vl, self.tile_cols, dst + p * slot.used_w * point * size, point, vl)

    cdef void enter_y(
        self, const View *y, Py_ssize_t g, Py_ssize_t kb, Py_ssize_t first, Py_ssize_t count, char *v, char *band,
        double *seen) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, k = kb * nr, r, i, p, n, q, row, band_row = self.yw * nr
        cdef Py_ssize_t tiles = count * self.tile_cols, point = self.kbs * tiles * nr
        cdef char *half = band + (self.h.tile * band_row + nr) * size
        cdef char *dst
        cdef const char *src
        for r in range(count):
            n = (first + r) // self.tile_rows
            for i in range(self.h.tile):
                row = (first + r) % self.tile_rows * self.h.tile + i
                dst = band + i * band_row * size
                q = 0
                if row < self.oh:
                    q = self.ow
                    self.t.pack_b(
                        dst, y.data + (n * y.stride[0] + (g * self.ocg + k) * y.stride[1] + row * y.stride[3]) * size,
                        y.stride[1], y.stride[4], min(nr, self.ocg - k), q)
                memset(dst + q * nr * size, 0, (self.yw - q) * nr * size)
            self.note(band, self.h.tile * self.yw * (nr // self.t.vl), seen)
            src = band
            if self.h.points > 1:
                for q in range(self.yw):
                    self.t.wino_weights(
                        self.h.weights, self.h.points, self.h.tile, band + q * nr * size, band_row, half + q * nr * size,
                        band_row)
                src = half
            for q in range(self.tile_cols):
                dst = v + (kb * tiles + r * self.tile_cols + q) * nr * size
                for p in range(self.h.points):
                    self.t.wino_weights(
                        self.w.weights, self.w.points, self.w.tile, src + (p * band_row + q * self.w.tile * nr) * size, nr,
                        dst + p * self.w.points * point * size, point)

    cdef void note(self, const char *band, Py_ssize_t vectors, double *seen) noexcept nogil:
        """Add the squares of a row of tiles of some channels."""
        cdef double found = self.t.squares(band, vectors)
        seen[0] += found
        seen[1] = found if found > seen[1] or found != found else seen[1]

    cdef void multiply(
        self, Py_ssize_t c, Py_ssize_t g, Py_ssize_t i, bint start, const char *vx, char *sums) noexcept nogil:
        """The products of a chunk, for one plane and one block of output channels."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, vl = self.t.vl, none = 0, b, q, q_next, piece, pieces, lanes
        cdef Py_ssize_t plane = i // self.kbs, kb = i % self.kbs
        cdef Py_ssize_t tiles = min(self.chunk, self.unit_rows - c * self.chunk) * self.tile_cols
        cdef const char *a
        cdef const char *y = vx + (self.vx + (self.point[plane] * self.kbs + kb) * tiles * nr) * size
        cdef char *to = sums + ((g * self.planes + plane) * self.kbs + kb) * self.icg * nr * size
        for b in range(self.channel_blocks):
            a = vx + (plane * self.channel_blocks + b) * tiles * vl * size
            lanes = min(vl, self.icg - b * vl)
            pieces = (lanes + self.t.mr - 1) // self.t.mr
            q = 0
            for piece in range(pieces):  # near-equal parts of at most MR channels
                q_next = lanes * (piece + 1) // pieces
                self.t.tile[q_next - q][1](tiles, 1, &none, a + q * size, vl, y, nr, y, 0, start, to + (b * vl + q) * nr * size)
                q = q_next

    cdef void join(self, Py_ssize_t g, Py_ssize_t kb, Py_ssize_t first, Py_ssize_t count, char *sums) noexcept nogil:
        """Add the sums of some channels and one block of output channels, of all segments, into those of the first."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, s, plane
        cdef char *to
        cdef fc_epilogue e
        e.alpha, e.beta, e.crs, e.ccs, e.row_bias, e.col_bias, e.relu = 1.0, 1.0, nr, 1, NULL, NULL, 0
        for plane in range(self.planes):
            to = sums + (((g * self.planes + plane) * self.kbs + kb) * self.icg + first) * nr * size
            e.c = to
            for s in range(1, self.segments):
                self.t.store(to + s * self.sums * size, count, nr, to, nr, 1, &e)

    cdef void leave(self, char *out, Py_ssize_t item, char *sums, char *kernels) noexcept nogil:
        """The kernels, (oc, icg, 1, kh, kw), of some channels and one block of output channels, from their sums."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, vl = self.t.vl, taps = self.h.taps * self.w.taps, c
        cdef Py_ssize_t b = item % self.channel_blocks, kb = item // self.channel_blocks % self.kbs
        cdef Py_ssize_t g = item // self.channel_blocks // self.kbs, lanes = min(vl, self.icg - b * vl)
        cdef Py_ssize_t plane = self.kbs * self.icg * nr, wp = self.w.points, channels = min(nr, self.ocg - kb * nr), i
        cdef char *half = kernels + (vl * taps + vl) * nr * size
        cdef const char *s
        cdef int vectors = nr // vl
        cdef const Slot *slot
        cdef char *y
        cdef fc_epilogue e
        e.alpha, e.beta, e.c, e.row_bias, e.col_bias, e.relu = 1.0, 0.0, NULL, NULL, NULL, 0
        self.join(g, kb, b * vl, lanes, sums)
        for c in range(lanes):
            for i in range(self.h.stride * self.w.stride):
                slot = self.slots + i
                s = sums + (((g * self.planes + slot.plane) * self.kbs + kb) * self.icg + b * vl + c) * nr * size
                y = kernels + (c * taps + slot.row * self.w.taps + slot.col) * nr * size
                if self.h.points == 1:
                    self.t.wino_output[wp][slot.taps_w](self.w.coef_out, s, plane, nr, 1, y, self.w.stride * nr, nr, vectors)
                elif wp == 1:
                    self.t.wino_output[self.h.points][slot.taps_h](self.h.coef_out, s, plane, nr, 1, y, self.h.stride * nr, nr, vectors)
                else:
                    self.t.wino_output[self.h.points][slot.taps_h](
                        self.h.coef_out, s, slot.used_w * plane, plane, slot.used_w, half, wp * nr, nr, vectors)
                    self.t.wino_output[wp][slot.taps_w](
                        self.w.coef_out, half, nr, wp * nr, slot.taps_h, y, self.w.stride * nr,
                        self.h.stride * self.w.taps * nr, vectors)
        self.t.store(
            kernels, lanes * taps, channels,
            out + ((g * self.ocg + kb * nr) * self.icg + b * vl) * taps * size, 1, self.icg * taps, &e)


cdef Axis axis(scheme, Py_ssize_t taps, Py_ssize_t stride) except *:
    cdef Axis a
    # As a filter, its taps are a tile's pixels, and its tile the taps of a phase of the kernel.
    a.tile, a.taps, a.stride, a.points = scheme.taps, taps, stride, scheme.points
    a.coef_in, a.coef_out, a.weights = address(scheme.coef_in), address(scheme.coef_out), address(scheme.weights)
    return a
