# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Lp pooling: an item of work is a block of windows of one channel, or of all where they come last.

The powers of the rows of the image that the block reads are computed once, into scratch.  A row of windows is then the sum of some
of these rows, combined along the width, divided, and its root; see simd/pool/separable.inc and simd/pool/powers.inc.  All of it in float64.  A block
of one row of windows uses no row twice: it processes some rows at a time, and sums them.

Scratch contains the addresses of the rows that a row of windows reads, which rows of powers are computed, those rows, the combined
row, this split by stride phase where lanes are pixels and the stride is not 1, and a row of results.
"""

from libc.string cimport memset

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport (
    View, address, fc_pool_at, fc_pool_counts, fc_table, pool_across_args, pool_counts, pool_down_args, pool_finish_args)


cdef struct Axis:
    # `block` windows at a time; in rows of powers, neighbouring windows are `step` apart, and taps `apart`.
    Py_ssize_t input, output, kernel, stride, dilation, before, block, blocks, step, apart


cdef struct Columns:
    # Of a block: windows from `first` on; padded columns from `start` on, of which `lo` to `hi` are inside the image.
    Py_ssize_t first, windows, start, win, lo, hi


cdef class PowerPool(Prepared):
    """One prepared pooling."""

    cdef const fc_table *wide
    cdef Axis d, h, w
    cdef Py_ssize_t n, c, unit, wq, part, pitch, slots, lines, chunk, table_bytes, done_bytes
    cdef const Py_ssize_t *taps
    cdef fc_pool_counts depth, height, width
    cdef int combine, divide
    cdef double norm, scale
    cdef bint split, single, runs

    def __init__(self, size_t table, size_t wide, p, blocks, taps, counts):
        """`table` of the problem's type, `wide` of float64, in which the factors of `counts` are; see `pool_powers`."""
        self.t, self.wide = <const fc_table *>table, <const fc_table *>wide
        self.single = p.dtype.itemsize == 4
        self.unit = blocks.unit
        self.n, self.c = p.n, p.c if p.layout == "NCHW" else 1
        self.d, self.h, self.w = axis(p, blocks, 0), axis(p, blocks, 1), axis(p, blocks, 2)
        self.wq, self.part, self.pitch, self.split = blocks.wq, blocks.part, blocks.pitch, blocks.split
        self.lines, self.slots, self.chunk = blocks.lines, blocks.slots, blocks.chunk
        self.table_bytes, self.done_bytes = blocks.table_bytes, blocks.done_bytes
        self.combine, self.divide = blocks.combine, blocks.divide
        self.norm, self.scale = p.norm, p.taps
        self.runs = self.w.blocks == 1 and self.h.dilation == 1
        self.items = self.n * self.c * self.d.blocks * self.h.blocks * self.w.blocks
        self.taps = <const Py_ssize_t *>address(taps)
        self.depth, self.height, self.width = pool_counts(counts[0]), pool_counts(counts[1]), pool_counts(counts[2])
        self.keep = taps, counts

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef const View *x = &arrays.x
        cdef const View *y = &arrays.y
        cdef Py_ssize_t size = self.t.itemsize, unit = self.unit, z0, r0, od, oh, n, c, k
        cdef char *done = scratch + self.table_bytes
        cdef double *powers = <double *>(done + self.done_bytes)
        cdef double *row = powers + self.slots * self.pitch
        cdef double *result = row + (1 + self.split) * self.part
        cdef const char *image
        cdef char *to
        cdef Columns q
        cdef pool_finish_args finish
        q.first = i % self.w.blocks * self.w.block
        i = i // self.w.blocks
        r0 = i % self.h.blocks * self.h.block
        i = i // self.h.blocks
        z0 = i % self.d.blocks * self.d.block
        i = i // self.d.blocks
        c = i % self.c
        n = i // self.c
        q.windows = min(self.w.block, self.w.output - q.first)
        q.start = q.first * self.w.stride - self.w.before
        q.win = (q.windows - 1) * self.w.stride + (self.w.kernel - 1) * self.w.dilation + 1
        q.lo = min(max(-q.start, 0), q.win)
        q.hi = min(max(self.w.input - q.start, q.lo), q.win)
        memset(done, 0, self.slots)
        memset(row, 0, self.part * sizeof(double))
        image = x.data + (n * x.stride[0] + c * x.stride[1]) * size
        finish.op, finish.scale, finish.n, finish.unit = self.divide, self.scale, q.windows, unit
        finish.divisor, finish.start, finish.y = self.width, q.first, result
        for od in range(z0, min(z0 + self.d.block, self.d.output)):
            for oh in range(r0, min(r0 + self.h.block, self.h.output)):
                self.down(image, od, oh, od - z0, oh - r0, &q, done, powers, row, <const void **>scratch)
                self.across(&q, row, result)
                finish.times = (<const double *>self.depth.values)[fc_pool_at(&self.depth, od)]
                finish.times *= (<const double *>self.height.values)[fc_pool_at(&self.height, oh)]
                self.wide.pool_finish(&finish)
                if self.norm < 0:
                    for k in range(q.windows * unit):
                        result[k] = result[k] + 0.0  # sums begin at 0: none is -0, whose root would be -infinity
                to = y.data + (n * y.stride[0] + c * y.stride[1]) * size
                to += ((od * self.h.output + oh) * self.w.output + q.first) * unit * size
                self.wide.powers(to, self.single, result, 0, q.windows * unit, 1 / self.norm)

    cdef void down(
        self, const char *image, Py_ssize_t od, Py_ssize_t oh, Py_ssize_t z, Py_ssize_t r, const Columns *q, char *done,
        double *powers, double *row, const void **table) noexcept nogil:
        """The sum of the rows that one row of windows reads, the z-th and r-th of a block."""
        cdef Py_ssize_t taps = self.d.kernel * self.h.kernel, t = 0, first, end, line, plane, slot, ahead
        cdef pool_down_args down
        down.op, down.rows, down.start, down.n = self.combine, <const void *const *>table, 0, (q.hi - q.lo) * self.unit
        down.pad, down.value, down.row = 0, row + q.lo * self.unit, NULL
        if down.n == 0:
            return
        while t < taps:
            first, end = t, min(t + self.chunk, taps)
            table[0] = down.value if first else NULL
            while t < end:
                plane = od * self.d.stride - self.d.before + t // self.h.kernel * self.d.dilation
                line = oh * self.h.stride - self.h.before + t % self.h.kernel * self.h.dilation
                if not (0 <= plane < self.d.input and 0 <= line < self.h.input):
                    t += 1
                    table[t - first] = NULL
                    continue
                if self.chunk < taps:
                    slot = t - first
                else:
                    slot = (z * self.d.step + t // self.h.kernel * self.d.apart) * self.lines
                    slot += r * self.h.step + t % self.h.kernel * self.h.apart
                # Rows that are adjacent in the image and in scratch are processed in one run.
                ahead = 1
                if self.runs:
                    ahead = min(min(end - t, self.h.kernel - t % self.h.kernel), self.h.input - line)
                self.raise_rows(
                    image + ((plane * self.h.input + line) * self.w.input + q.start + q.lo) * self.unit * self.t.itemsize,
                    down.n, ahead, done + slot if self.chunk == taps else NULL, powers + slot * self.pitch)
                while ahead:
                    t += 1
                    table[t - first] = powers + slot * self.pitch
                    slot += 1
                    ahead -= 1
            down.count = end - first + 1
            self.wide.pool_down(&down)

    cdef void raise_rows(
        self, const char *x, Py_ssize_t n, Py_ssize_t count, char *done, double *powers) noexcept nogil:
        """Powers of `count` rows of n elements, of which the first ones may be `done`."""
        cdef Py_ssize_t had = 0
        while done and had < count and done[had]:
            had += 1
        if had == count:
            return
        if done:
            memset(done, 1, count)
        self.wide.powers(
            powers + had * self.pitch, 0, x + had * self.w.input * self.unit * self.t.itemsize, self.single,
            (count - had - 1) * self.pitch + n, self.norm)

    cdef void across(self, const Columns *q, double *row, double *result) noexcept nogil:
        cdef Py_ssize_t unit = self.unit, i
        cdef pool_across_args across
        memset(&across, 0, sizeof(across))
        across.op, across.taps, across.count, across.unit = self.combine, self.taps, self.w.kernel, unit
        across.value, across.y, across.n = row, result, q.windows * unit
        if self.split:
            self.wide.split_row(row + self.part, self.w.stride, self.wq, row, q.win)
            across.value = row + self.part
        if unit == 1 or self.w.stride == 1:
            self.wide.pool_across(&across)
            return
        across.n = unit
        for i in range(q.windows):
            self.wide.pool_across(&across)
            across.value = <const double *>across.value + self.w.stride * unit
            across.y = <double *>across.y + unit


cdef Axis axis(p, blocks, int i) except *:
    cdef Axis a
    a.input, a.output, a.stride, a.dilation = p.input[i], p.output[i], p.stride[i], p.dilation[i]
    a.kernel, a.before, a.block = blocks.kernel[i], blocks.lo[i], blocks.windows[i]
    a.blocks = (a.output + a.block - 1) // a.block
    a.step, a.apart = (p.stride[i], p.dilation[i]) if blocks.windows[i] > 1 else (0, 1)
    return a
