# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Transposed convolution with pixels in lanes: each phase of a result row is a sum of shifted rows, one for each tap.

With few input channels the rows are those of the image, and the sum multiplies them by the weights.  Otherwise a matrix
product sums all input channels beforehand, for a strip of pixels at a time: its rows are (output channel, tap), as weights are
stored, and its columns are pixels, packed into panels of NR.  A strip is some images, some rows of an image, or a part of a
signal; the last products of a strip that later results need are kept for the next one.  Where each element of a large result
is one product of many channels, there are no strips: products of a tile are interleaved into the result, whose lines were prefetched before the tile.

One item of work is a block of output channels of one group, for some images.  Sums have one order, whatever the blocks are.

With channels last and few input channels, an item is some whole groups.  Their channels of the image are transposed to planes, and
those of each result row are computed side by side and transposed back.
"""

from libc.string cimport memcpy, memmove, memset

from fastconv.backends.cython.conv._transposed cimport BlocksOfChannels
from fastconv.backends.cython.runtime._prepared cimport Arrays
from fastconv.backends.cython.runtime._simd cimport View, address, fc_epilogue, fc_prefetch, phase_rows_args, phase_tap


cdef enum:
    PANELS = 2  # next to each other; the same as in row_sums.py
    LONGEST = 128  # pixels of them


cdef struct PixelRun:
    # Pixels of a panel that are adjacent in a row of an image, from pixel `at` on.
    Py_ssize_t at, d, h
    Py_ssize_t count  # elements of a result row that they give
    char *to  # the first of them, in the first row of the first channel


cdef struct Job:
    # One item: its weights, its parts of the scratch, and its channels.
    const View *x
    const View *y
    const char *w  # packed, or (input channels, output channels, taps) as they were given
    const char *bias
    char *panel  # packed pixels, (depth, NR)
    char *sums  # products, `pitch` apart
    char *biases  # of the rows of the product
    const void **rows  # of one result row
    const void **weights
    const void **part
    char *parts  # phases of one result row
    Py_ssize_t group, channel, channels
    const char *planes  # of the input channels of the group, if there is no product
    Py_ssize_t plane  # from one to the next
    char *lines  # result rows of all channels with channels last, `line` apart; else NULL


cdef inline Py_ssize_t remainder(Py_ssize_t value, Py_ssize_t divisor) noexcept nogil:
    """Not negative."""
    return value % divisor if value >= 0 else (value % divisor + divisor) % divisor


cdef inline double number(const char *at, Py_ssize_t size) noexcept nogil:
    return (<const float *>at)[0] if size == 4 else (<const double *>at)[0]


cdef class RowSums(BlocksOfChannels):
    """One prepared transposed convolution, padded with zeros."""

    cdef Py_ssize_t pitch, part_size, together, lines, early, late
    cdef Py_ssize_t rows_bytes, panel_bytes, sums_bytes, bias_bytes_, table_bytes, parts_bytes, planes_bytes
    cdef Py_ssize_t groups_together, line  # of an item with channels last; elements of a result row in scratch
    cdef Py_ssize_t steps_d, steps_h  # from one tap of a phase to the next, along depth and height
    cdef const Py_ssize_t *starts
    cdef const phase_tap *row_taps
    cdef const Py_ssize_t *first_d  # first tap of each remainder of a position; the kernel's size where there is none
    cdef const Py_ssize_t *first_h
    cdef bint given, in_lanes, single, at_once

    def __init__(self, size_t table, p, blocks, axes, bint outside):
        """`axes`: a `PhaseAxes`; all else as in `BlocksOfChannels`."""
        BlocksOfChannels.__init__(self, table, p, blocks, outside)
        self.keep = axes
        self.starts, self.row_taps = <const Py_ssize_t *>address(axes.starts), <const phase_tap *>address(axes.taps)
        self.first_d, self.first_h = <const Py_ssize_t *>address(axes.first_d), <const Py_ssize_t *>address(axes.first_h)
        self.steps_d, self.steps_h = axes.steps
        self.early, self.late = axes.early, axes.late
        self.given, self.in_lanes, self.single, self.at_once = blocks.given, blocks.in_lanes, blocks.single, blocks.at_once
        self.together, self.lines = blocks.together, blocks.lines
        self.pitch, self.part_size = blocks.pitch, blocks.part
        self.groups_together, self.line = blocks.groups, blocks.line
        self.items = (self.n + self.images - 1) // self.images * self.blocks * (
            (self.groups + self.groups_together - 1) // self.groups_together)
        (self.panel_bytes, self.sums_bytes, self.bias_bytes_, self.table_bytes, self.parts_bytes, self.rows_bytes,
         self.planes_bytes) = blocks.pieces

    cdef Py_ssize_t block_bytes(self) noexcept nogil:
        """Of the packed weights of a block of channels, and of what packing clobbers after them."""
        cdef Py_ssize_t mr = self.t.mr
        return (((self.block * self.taps + mr - 1) // mr * mr * self.icg + self.t.vl) * self.t.itemsize + 63) // 64 * 64

    cdef void pack_block(self, const char *w, Py_ssize_t g, Py_ssize_t b, char *to) noexcept nogil:
        """A block of output channels of a group: near-equal panels of up to MR rows."""
        cdef Py_ssize_t size = self.t.itemsize, mr = self.t.mr, across = self.ocg * self.taps, tile, r
        cdef Py_ssize_t rows = min(self.block, self.ocg - b * self.block) * self.taps, tiles = (rows + mr - 1) // mr
        w = w + (g * self.icg * self.ocg + b * self.block) * self.taps * size
        for tile in range(tiles):
            r = rows * tile // tiles
            self.t.pack_a(
                to + tile * mr * self.icg * size, w + r * size, 1, across, rows * (tile + 1) // tiles - r, self.icg)

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef Job job
        cdef Py_ssize_t across = (self.groups + self.groups_together - 1) // self.groups_together
        cdef Py_ssize_t size = self.t.itemsize, b = i % self.blocks, g = i // self.blocks % across * self.groups_together
        cdef Py_ssize_t n = i // self.blocks // across * self.images, end = min(self.n, n + self.images), j, k
        job.x, job.y, job.bias = &arrays.x, &arrays.y, arrays.bias
        job.panel, scratch = scratch, scratch + self.panel_bytes
        job.sums, scratch = scratch, scratch + self.sums_bytes
        job.biases, scratch = scratch, scratch + self.bias_bytes_
        job.rows, job.weights = <const void **>scratch, <const void **>(scratch + self.table_bytes)
        job.part, scratch = <const void **>(scratch + 2 * self.table_bytes), scratch + 2 * self.table_bytes + self.rows_bytes
        job.parts, scratch = scratch, scratch + self.parts_bytes
        job.group, job.channel, job.channels = g, g * self.ocg + b * self.block, min(self.block, self.ocg - b * self.block)
        job.lines = NULL
        if self.channels_last:
            for j in range(n, end):
                self.last(&job, arrays.weights, j, min(self.groups, g + self.groups_together) - g, scratch)
            return
        if self.given:
            job.w, job.plane = arrays.weights + (g * self.icg * self.ocg + b * self.block) * self.taps * size, job.x.stride[1]
            for j in range(n, end):
                job.planes = job.x.data + (j * job.x.stride[0] + g * self.icg * job.plane) * size
                self.sum_rows(&job, j, 0, 0, self.od * self.oh, 0, self.ow)
            return
        if arrays.weights != arrays.plain:
            job.w = arrays.weights + (g * self.blocks + b) * self.block_bytes()
        else:
            self.pack_block(arrays.plain, g, b, scratch)
            job.w = scratch
        if self.single and arrays.bias != NULL:
            for j in range(job.channels):
                for k in range(self.taps):
                    memcpy(job.biases + (j * self.taps + k) * size, arrays.bias + (job.channel + j) * size, size)
        if self.at_once:
            self.by_panels(&job, n, end)
            return
        if self.together:
            j = n
            while j < end:
                self.multiply(&job, j, 0, min(self.together, end - j) * self.pixels, 0)
                for k in range(min(self.together, end - j)):
                    self.sum_rows(&job, j + k, k * self.pixels, 0, self.od * self.oh, 0, self.ow)
                j = j + self.together
            return
        for j in range(n, end):
            if self.xh > 1:
                self.by_rows(&job, j)
            else:
                self.by_pixels(&job, j)

    cdef void last(self, Job *job, const char *weights, Py_ssize_t n, Py_ssize_t groups, char *planes) noexcept nogil:
        """The groups from `job.group` on of an image with channels last."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, g0 = job.group, channels = groups * self.icg, p = 0, count, k, r, g
        cdef const View *x = job.x
        cdef const View *y = job.y
        cdef const char *source = x.data + (n * x.stride[0] + g0 * self.icg) * size
        cdef char *lines = planes + self.planes_bytes
        cdef char *tile = lines + groups * self.ocg * self.line * size
        cdef char *to
        cdef fc_epilogue e
        e.alpha, e.beta, e.c, e.row_bias, e.col_bias, e.relu = 1.0, 0.0, NULL, NULL, NULL, 0
        job.plane = (self.pixels + nr - 1) // nr * nr
        while p < self.pixels:
            self.t.pack_b(job.panel, source + p * x.stride[4] * size, x.stride[4], 1, min(nr, self.pixels - p), channels)
            for k in range(channels):
                memcpy(planes + (k * job.plane + p) * size, job.panel + k * nr * size, nr * size)
            p = p + nr
        job.channels = self.ocg
        for r in range(self.od * self.oh):
            for g in range(groups):
                job.planes, job.lines = planes + g * self.icg * job.plane * size, lines + g * self.ocg * self.line * size
                job.channel = (g0 + g) * self.ocg
                job.w = weights + (g0 + g) * self.icg * self.ocg * self.taps * size
                self.sum_rows(job, n, 0, r, r + 1, 0, self.ow)
            to = y.data + (n * y.stride[0] + g0 * self.ocg + r // self.oh * y.stride[2] + r % self.oh * y.stride[3]) * size
            p = 0
            while p < self.ow:
                count = min(nr, self.ow - p)
                for k in range(groups * self.ocg):
                    memcpy(tile + k * nr * size, lines + (k * self.line + p) * size, nr * size)
                self.t.store(tile, groups * self.ocg, count, to + p * y.stride[4] * size, 1, y.stride[4], &e)
                p = p + nr

    cdef void keep_last(self, const Job *job, Py_ssize_t held, Py_ssize_t count) noexcept nogil:
        """Move the last `count` of `held` products to the front."""
        cdef Py_ssize_t size = self.t.itemsize, r
        cdef char *row = job.sums + self.t.vl * size
        if count == 0 or count == held:
            return
        for r in range(job.channels * self.taps):
            memmove(row, row + (held - count) * size, count * size)
            row = row + self.pitch * size

    cdef void by_rows(self, const Job *job, Py_ssize_t n) noexcept nogil:
        """An image, some of its rows at a time."""
        cdef Py_ssize_t a = 0, b, base = 0, y = 0, end, needed
        while a < self.xh:
            b = min(self.xh, a + self.lines)
            self.multiply(job, n, a * self.xw, (b - a) * self.xw, (a - base) * self.xw)
            end = self.oh if b == self.xh else min(self.oh, max(y, b * self.sh - self.ph))
            self.sum_rows(job, n, -base * self.xw, y, end, 0, self.ow)
            y = end
            needed = max(base, b - (self.kh - 1) * self.dh // self.sh)
            self.keep_last(job, (b - base) * self.xw, (b - needed) * self.xw)
            a, base = b, needed

    cdef void by_pixels(self, const Job *job, Py_ssize_t n) noexcept nogil:
        """A signal, some of its pixels at a time."""
        cdef Py_ssize_t a = 0, b, base = 0, j = 0, end, needed, outputs = (self.ow + self.sw - 1) // self.sw
        while a < self.xw:
            b = min(self.xw, a + self.lines)
            self.multiply(job, n, a, b - a, a - base)
            end = outputs if b == self.xw else min(outputs, max(j, b - self.late))
            if end > j:
                self.sum_rows(job, n, -base, 0, 1, j, min(self.ow, end * self.sw) - j * self.sw)
            j = end
            needed = min(b, max(base, j + self.early))
            self.keep_last(job, b - base, b - needed)
            a, base = b, needed

    cdef void multiply(self, const Job *job, Py_ssize_t n, Py_ssize_t pixel, Py_ssize_t count, Py_ssize_t to) noexcept nogil:
        """Products of `count` pixels, of one image or from the first one of image n on, to column `to` of the sums."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, mr = self.t.mr, vl = self.t.vl, p = 0, some, tile, r
        cdef Py_ssize_t rows = job.channels * self.taps, tiles = (rows + mr - 1) // mr
        cdef const View *x = job.x
        cdef const char *source
        cdef const char *bias
        cdef char *sums = job.sums + (vl + to) * size
        while p < count:
            some = min(nr, count - p)
            if self.together > 1:
                self.collect(job, n, p, some, job.panel)
            else:
                source = x.data + (n * x.stride[0] + job.group * self.icg * x.stride[1] + pixel + p) * size
                self.t.pack_b(job.panel, source, 1, x.stride[1], some, self.icg)
            for tile in range(tiles):
                r = rows * tile // tiles
                bias = job.biases + r * size if self.single and job.bias != NULL else NULL
                self.t.pixel_tile[rows * (tile + 1) // tiles - r][some > vl](
                    self.icg, job.w + tile * mr * self.icg * size, job.panel, nr, 0, sums + (r * self.pitch + p) * size, self.pitch,
                    bias, 0)
            p = p + nr

    cdef void collect(self, const Job *job, Py_ssize_t n, Py_ssize_t pixel, Py_ssize_t count, char *panel) noexcept nogil:
        """Pack to `panel` `count` pixels from pixel `pixel` on, which may be those of several images, and zeros after them."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, at = 0, some, k
        cdef const View *x = job.x
        cdef const char *source
        n, pixel = n + pixel // self.pixels, pixel % self.pixels
        if pixel + count <= self.pixels or self.pixels == 1:
            source = x.data + (n * x.stride[0] + job.group * self.icg * x.stride[1] + pixel) * size
            self.t.pack_b(panel, source, x.stride[0] if self.pixels == 1 else 1, x.stride[1], count, self.icg)
            return
        while at < count:
            some = min(count - at, self.pixels - pixel)
            source = x.data + (n * x.stride[0] + job.group * self.icg * x.stride[1] + pixel) * size
            for k in range(self.icg):
                memcpy(panel + (k * nr + at) * size, source + k * x.stride[1] * size, some * size)
            n, pixel, at = n + 1, 0, at + some
        some = nr - count
        if some:
            for k in range(self.icg):
                memset(panel + (k * nr + count) * size, 0, some * size)

    cdef void sum_rows(
        self, const Job *job, Py_ssize_t n, Py_ssize_t shift, Py_ssize_t y0, Py_ssize_t y1, Py_ssize_t first, Py_ssize_t count) noexcept nogil:
        """Result rows y0 to y1 of all planes of image n, `count` pixels of each from step `first` on.

        `shift`: from a pixel of the image to its products.
        """
        cdef Py_ssize_t size = self.t.itemsize, y, z, c, k, r
        cdef const View *out = job.y
        cdef Py_ssize_t next_channel = out.stride[1] if job.lines == NULL else self.line
        cdef char *to
        cdef phase_rows_args a
        a.count, a.first, a.phases = count, first, min(self.sw, self.ow)
        a.starts, a.taps, a.parts, a.part, a.part_size = self.starts, self.row_taps, job.parts, job.part, self.part_size
        a.row, a.start, a.weights = job.rows, 0, NULL
        a.pitch, a.kernel, a.extent, a.pad = 0 if self.given else self.pitch, 0, self.xw, self.pw
        if self.in_lanes:
            a.kernel = self.kw
        for r in range(y0, y1):
            z, y = r // self.oh, r % self.oh
            a.rows = self.reach(job, z, y, shift)
            to = out.data + (n * out.stride[0] + job.channel * out.stride[1] + z * out.stride[2] + y * out.stride[3]
                             + first * self.sw) * size
            if job.lines != NULL:
                to = job.lines
            if self.given:
                a.weights = job.weights
            for c in range(job.channels):
                a.y = to + c * next_channel * size
                if job.bias != NULL and not (self.single and a.rows):
                    a.start = number(job.bias + (job.channel + c) * size, size)
                else:
                    a.start = 0
                if self.single and a.rows:
                    for k in range(self.sw):
                        job.part[k] = <const char *>job.rows[0] + (self.row_taps[k].tap * self.pitch + first) * size
                    self.t.interleave(a.y, job.part, self.sw, count)
                else:
                    self.t.phase_rows(&a)
                if self.given:
                    for k in range(a.rows):
                        job.weights[k] = <const char *>job.weights[k] + self.taps * size
                else:
                    for k in range(a.rows):
                        job.rows[k] = <const char *>job.rows[k] + self.taps * self.pitch * size

    cdef Py_ssize_t reach(self, const Job *job, Py_ssize_t z, Py_ssize_t y, Py_ssize_t shift) noexcept nogil:
        """Fill the table of rows, and of weights, of the taps that reach row y of plane z of the result; how many there are."""
        cdef Py_ssize_t size = self.t.itemsize, l = self.first_d[remainder(z + self.pd, self.sd)], i, d, h, k, rows = 0
        cdef const char *from_
        while l < self.kd:
            d = (z + self.pd - l * self.dd) // self.sd
            if 0 <= d < self.xd and z + self.pd >= l * self.dd:
                i = self.first_h[remainder(y + self.ph, self.sh)]
                while i < self.kh and y + self.ph >= i * self.dh:
                    h = (y + self.ph - i * self.dh) // self.sh
                    if h < self.xh:
                        if self.given:
                            from_ = job.planes + (d * self.xh + h) * self.xw * size
                            for k in range(self.icg):
                                job.rows[rows] = from_ + k * job.plane * size
                                job.weights[rows] = job.w + (k * self.ocg * self.taps + (l * self.kh + i) * self.kw) * size
                                rows += 1
                        else:
                            job.rows[rows] = job.sums + (
                                (l * self.kh + i) * self.kw * self.pitch + self.t.vl + (d * self.xh + h) * self.xw + shift) * size
                            rows += 1
                    i += self.steps_h
            l += self.steps_d
        return rows

    cdef void by_panels(self, const Job *job, Py_ssize_t n, Py_ssize_t end) noexcept nogil:
        """Images n to `end` where each element of the result is one product: those of a tile are stored at once."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, wide = PANELS * nr, panel = nr * self.icg * size, p = 0, count, runs
        cdef Py_ssize_t rows = job.channels * self.taps, tiles = (rows + self.t.mr - 1) // self.t.mr, all = (end - n) * self.pixels
        cdef Py_ssize_t tile, r, next, held, first, ready, j
        cdef const char *bias
        cdef const char *ahead
        cdef PixelRun found[LONGEST]
        while p < all:
            count = min(wide, all - p)
            for j in range((count + nr - 1) // nr):
                self.collect(job, n, p + j * nr, min(nr, count - j * nr), job.panel + j * panel)
            runs = self.find_runs(job, n, p, count, found)
            ahead = NULL
            if p % self.pixels + count + wide <= self.pixels:
                ahead = job.x.data + (
                    (n + p // self.pixels) * job.x.stride[0] + job.group * self.icg * job.x.stride[1] + p % self.pixels + count) * size
            held = 0  # rows of products before those of this tile, as a group of rows with all phases may begin in another one
            for tile in range(tiles):
                r, next = rows * tile // tiles, rows * (tile + 1) // tiles
                first, ready = r - held, next // self.sw * self.sw
                self.join(job, found, runs, first // self.sw, ready // self.sw, True)
                if ahead != NULL:
                    for j in range(self.icg * tile // tiles, self.icg * (tile + 1) // tiles):
                        fc_prefetch(ahead + j * job.x.stride[1] * size, wide * size)
                bias = job.biases + r * size if job.bias != NULL else NULL
                for j in range((count + nr - 1) // nr):
                    self.t.pixel_tile[next - r][count - j * nr > self.t.vl](
                        self.icg, job.w + tile * self.t.mr * self.icg * size, job.panel + j * panel, nr, 0,
                        job.sums + (held * wide + j * nr) * size, wide, bias, 0)
                self.join(job, found, runs, first // self.sw, ready // self.sw, False)
                held = next - ready
                if held:
                    memmove(job.sums, job.sums + (ready - first) * wide * size, held * wide * size)
            p = p + wide
        for j in range(n, end):
            self.fill_rest(job, j)

    cdef Py_ssize_t find_runs(self, const Job *job, Py_ssize_t n, Py_ssize_t p, Py_ssize_t count, PixelRun *found) noexcept nogil:
        """The runs of `count` pixels from pixel p on, counted from image n on; how many there are."""
        cdef Py_ssize_t at = 0, runs = 0, row = p // self.xw % (self.xd * self.xh), col = p % self.xw
        cdef const View *y = job.y
        n = n + p // self.pixels
        while at < count:
            found.at, found.d, found.h = at, row // self.xh, row % self.xh
            found.count = min(min(count - at, self.xw - col) * self.sw, self.ow - col * self.sw)
            found.to = y.data + (n * y.stride[0] + job.channel * y.stride[1] + col * self.sw) * self.t.itemsize
            at = at + self.xw - col
            row, col, runs, found = row + 1, 0, runs + 1, found + 1
            if row == self.xd * self.xh:
                row, n = 0, n + 1
        return runs

    cdef void join(
        self, const Job *job, const PixelRun *found, Py_ssize_t runs, Py_ssize_t first, Py_ssize_t end, bint ahead) noexcept nogil:
        """Store products of the groups `first` to `end`, a group being the phases along a row, or prefetch where they go (`ahead`)."""
        cdef Py_ssize_t size = self.t.itemsize, step = PANELS * self.t.nr * size, across = self.kd * self.kh
        cdef Py_ssize_t c = first // across, l = first % across // self.kh, i = first % self.kh, group, k, z, y, r
        cdef const View *out = job.y
        cdef const char *from_ = job.sums
        cdef char *to
        for group in range(first, end):
            for r in range(runs):
                z, y = found[r].d * self.sd - self.pd + l * self.dd, found[r].h * self.sh - self.ph + i * self.dh
                if found[r].count <= 0 or z < 0 or z >= self.od or y < 0 or y >= self.oh:
                    continue
                to = found[r].to + (c * out.stride[1] + z * out.stride[2] + y * out.stride[3]) * size
                if ahead:
                    fc_prefetch(to, found[r].count * size)
                    continue
                for k in range(self.sw):
                    job.part[k] = from_ + k * step + found[r].at * size
                self.t.interleave(to, job.part, self.sw, found[r].count)
            from_ = from_ + self.sw * step
            i = i + 1
            if i == self.kh:
                i, l = 0, l + 1
                if l == self.kd:
                    l, c = 0, c + 1

    cdef void fill_rest(self, const Job *job, Py_ssize_t n) noexcept nogil:
        """Rows of image n on which no tap lands."""
        cdef Py_ssize_t r
        for r in range(self.od * self.oh):
            if self.reach(job, r // self.oh, r % self.oh, 0) == 0:
                self.sum_rows(job, n, 0, r, r + 1, 0, self.ow)
