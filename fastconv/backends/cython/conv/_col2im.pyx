# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Transposed convolution as a product of matrices, whose rows, the windows of pixels, are added to the result.

One item of work is a block of output channels of one group, for some images.  Its weights are a matrix (input channels, lanes),
packed into panels of NR lanes; channels first, the lanes are (channel, tap), as weights are stored, and channels last (tap, channel),
so that in both cases neighbouring lanes are neighbours in the result.  For each tile of up to MR pixels the product goes
to scratch, which stays in the caches, and its rows are added to the result, which holds the bias beforehand.
The pixels of an image are added in one order, whatever the blocks are, and so each result is summed in one order.

Where windows neither overlap nor leave the image, products with channels last are stored to the result at once: each is a
`segment`, the lanes of one tap, or of a whole kernel row if an item has all channels.
"""

from libc.string cimport memcpy, memset

from fastconv.backends.cython.conv._transposed cimport BlocksOfChannels
from fastconv.backends.cython.runtime._prepared cimport Arrays
from fastconv.backends.cython.runtime._simd cimport View, fold_args, gemm_tile_args

cdef enum:
    PACKED_PANELS = 3  # so many panels are worth a packed copy of a tile's pixels
    PACKED_DEPTH = 16  # rows of weights that are packed at a time, so that few pages are read at once
    FOLDED = 8  # channels whose windows are added at a time: planes often map to the same sets of the L1 cache
    FEW_RUNS = 32  # of a pixel: the next one's wait for their stores, and every other pixel is left for later


cdef struct Job:
    # One item: its part of the weights, packed, of the scratch and of the channels.
    const View *x
    const View *y
    const char *w
    char *pixels  # packed pixels of a tile, (depth, MR)
    char *columns  # their windows, `pitch` apart
    Py_ssize_t group, channel, channels, lanes


cdef inline void reached(
    Py_ssize_t start, Py_ssize_t dilation, Py_ssize_t kernel, Py_ssize_t outputs, Py_ssize_t *first, Py_ssize_t *end) noexcept nogil:
    """The taps of a window from `start` on that are on an output."""
    first[0], end[0] = 0, 0
    if dilation == 1:
        first[0], end[0] = max(<Py_ssize_t>0, -start), min(kernel, outputs - start)
        return
    if start < 0:
        first[0] = (-start + dilation - 1) // dilation
    if start < outputs:
        end[0] = min(kernel, (outputs - start + dilation - 1) // dilation)


cdef inline void move(char *to, const char *source, Py_ssize_t size) noexcept nogil:
    if size == 4:
        (<float *>to)[0] = (<const float *>source)[0]
    else:
        (<double *>to)[0] = (<const double *>source)[0]


cdef class Col2im(BlocksOfChannels):
    """One prepared transposed convolution, padded with zeros."""

    cdef Py_ssize_t panels, pitch
    cdef Py_ssize_t segment, segment_panels  # lanes that are adjacent in the result, and their panels
    cdef bint alternate, apart, covered

    def __init__(self, size_t table, p, blocks, bint outside):
        BlocksOfChannels.__init__(self, table, p, blocks, outside)
        self.alternate = (
            not self.channels_last and 2 * self.xd * self.xh * self.xw >= self.t.mr and self.kw > self.sw
            and min(self.ocg, <Py_ssize_t>FOLDED) * self.kd * self.kh < FEW_RUNS)
        self.panels = (self.block * self.taps + self.t.nr - 1) // self.t.nr
        self.apart, self.covered = blocks.apart, blocks.covered
        if self.apart:
            self.segment = self.ocg * self.kw if self.groups == 1 and self.blocks == 1 else self.block
            self.segment_panels = (self.segment + self.t.nr - 1) // self.t.nr
            self.panels = self.block * self.taps // self.segment * self.segment_panels
        self.pitch = self.panels * self.t.nr + self.t.vl  # so that rows map to different sets
        self.items = (self.n + self.images - 1) // self.images * self.groups * self.blocks

    cdef Py_ssize_t block_bytes(self) noexcept nogil:
        return self.panels * self.t.nr * self.icg * self.t.itemsize

    cdef Py_ssize_t pixel_bytes(self) noexcept nogil:
        """Of a tile's packed pixels, and of what packing clobbers after them; whole lines."""
        return ((self.icg * self.t.mr + self.t.vl) * self.t.itemsize + 63) // 64 * 64

    cdef Py_ssize_t column_bytes(self) noexcept nogil:
        if self.apart:
            return (self.segment * self.t.itemsize + 63) // 64 * 64
        return self.t.mr * self.pitch * self.t.itemsize

    cdef void pack_block(self, const char *w, Py_ssize_t g, Py_ssize_t b, char *to) noexcept nogil:
        """A block of output channels of a group."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, across = self.ocg * self.taps, k = 0, j, depth, channel, tap, lane
        cdef Py_ssize_t channels = min(self.block, self.ocg - b * self.block), lanes = channels * self.taps
        cdef Py_ssize_t left, done, segment = -1
        cdef char *row
        w = w + (g * self.icg * self.ocg + b * self.block) * self.taps * size
        if self.apart or self.channels_last and self.taps > 1 and channels > 1:
            if lanes < self.panels * nr:
                memset(to, 0, self.block_bytes())
            if self.apart:
                segment = self.segment if self.segment > self.block else channels
            for k in range(self.icg):
                row, lane, left, done = to + k * nr * size, 0, segment, 0
                for tap in range(self.taps):
                    for channel in range(channels):
                        move(row + lane * size, w + (k * across + channel * self.taps + tap) * size, size)
                        lane += 1
                        left -= 1
                        if left == 0:
                            done += 1
                            row, lane, left = to + (done * self.segment_panels * self.icg + k) * nr * size, 0, segment
                        elif lane == nr:
                            row, lane = row + self.icg * nr * size, 0
            return
        while k < self.icg:
            depth, j = min(<Py_ssize_t>PACKED_DEPTH, self.icg - k), 0
            while j < lanes:
                self.t.pack_b(to + (j * self.icg + k * nr) * size, w + (k * across + j) * size, 1, across, min(nr, lanes - j), depth)
                j = j + nr
            k = k + depth

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef Job job
        cdef Py_ssize_t size = self.t.itemsize, b = i % self.blocks, g = i // self.blocks % self.groups
        cdef Py_ssize_t n = i // self.blocks // self.groups * self.images, end = min(self.n, n + self.images), j
        cdef char *weights = scratch + self.pixel_bytes() + self.column_bytes()
        job.x, job.y, job.pixels, job.columns = &arrays.x, &arrays.y, scratch, scratch + self.pixel_bytes()
        job.group, job.channel, job.channels = g, g * self.ocg + b * self.block, min(self.block, self.ocg - b * self.block)
        job.lanes = job.channels * self.taps
        if arrays.weights != arrays.plain:
            job.w = arrays.weights + (g * self.blocks + b) * self.block_bytes()
        else:
            self.pack_block(arrays.plain, g, b, weights)
            job.w = weights
        if self.apart:
            for j in range(n, end):
                if not self.covered:
                    self.start(&job, j, arrays.bias)
                self.store_rows(&job, j, arrays.bias)
            return
        if 2 * self.pixels < self.t.mr:  # tiles of several images
            for j in range(n, end):
                self.start(&job, j, arrays.bias)
            self.tiles(&job, n, (end - n) * self.pixels)
            return
        for j in range(n, end):
            self.start(&job, j, arrays.bias)
            self.tiles(&job, j, self.pixels)

    cdef void store_rows(self, const Job *job, Py_ssize_t n, const char *bias) noexcept nogil:
        """All products of an image, whose windows do not meet."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, vl = self.t.vl, tiles = (self.xw + self.t.mr - 1) // self.t.mr
        cdef Py_ssize_t segment = self.segment if self.segment > self.block else job.channels, width = segment // job.channels
        cdef Py_ssize_t row, piece, w, rows, tap, j, at
        cdef const View *x = job.x
        cdef const View *y = job.y
        cdef gemm_tile_args tile
        cdef const char *source
        cdef char *to
        tile.depth, tile.bs, tile.first, tile.relu, tile.ys = self.icg, nr, 1, 0, self.sw * y.stride[4]
        tile.spacing, tile.step, tile.run, tile.jump, tile.resumes, tile.pauses, tile.more = 64, nr * size, self.icg, 0, 0, 0, 0
        if bias != NULL:
            for j in range(width):
                memcpy(job.columns + j * job.channels * size, bias + job.channel * size, job.channels * size)
        for row in range(self.xd * self.xh):
            for piece in range(tiles):
                w = self.xw * piece // tiles
                rows = self.xw * (piece + 1) // tiles - w
                source = x.data + (
                    n * x.stride[0] + job.group * self.icg * x.stride[1] + (row * self.xw + w) * x.stride[4]) * size
                tile.a, tile.ars, tile.acs = source, x.stride[4], x.stride[1]
                if self.panels >= PACKED_PANELS:
                    self.t.pack_a(job.pixels, source, tile.ars, tile.acs, rows, self.icg)
                    tile.a, tile.ars, tile.acs = job.pixels, 1, self.t.mr
                tile.b = job.w
                tap = 0
                while tap < self.taps:
                    to = y.data + (
                        n * y.stride[0] + job.channel + (row // self.xh * self.sd + tap // self.kw // self.kh) * y.stride[2]
                        + (row % self.xh * self.sh + tap // self.kw % self.kh) * y.stride[3]
                        + (w * self.sw + tap % self.kw) * y.stride[4]) * size
                    for at in range(self.segment_panels):
                        j = at * nr
                        if j < segment:
                            tile.cols, tile.y = min(nr, segment - j), to + j * size
                            tile.bias = NULL if bias == NULL else job.columns + j * size
                            tile.next = <const char *>tile.b + nr * self.icg * size  # the next panel
                            self.t.gemm_tile[rows][tile.cols > vl](&tile)
                        tile.b = <const char *>tile.b + self.icg * nr * size
                    tap = tap + width

    cdef void start(self, const Job *job, Py_ssize_t n, const char *bias) noexcept nogil:
        """The bias, or zeros, in every result."""
        cdef Py_ssize_t size = self.t.itemsize, outputs = self.od * self.oh * self.ow, i, j, run
        cdef char *y = job.y.data + (n * job.y.stride[0] + job.channel * job.y.stride[1]) * size
        if self.channels_last:
            run = job.channels * size
            for i in range(outputs):
                if bias == NULL:
                    memset(y + i * job.y.stride[4] * size, 0, run)
                else:
                    memcpy(y + i * job.y.stride[4] * size, bias + job.channel * size, run)
            return
        for i in range(job.channels):
            if bias == NULL:
                memset(y + i * job.y.stride[1] * size, 0, outputs * size)
            else:
                spread(y + i * job.y.stride[1] * size, bias + (job.channel + i) * size, outputs, size)

    cdef void tiles(self, const Job *job, Py_ssize_t n, Py_ssize_t count) noexcept nogil:
        """`count` pixels from the first one of image n on, in near-equal tiles."""
        cdef Py_ssize_t pieces = (count + self.t.mr - 1) // self.t.mr, piece, q = 0, end
        for piece in range(pieces):
            end = count * (piece + 1) // pieces
            self.tile(job, n + q // self.pixels, q % self.pixels, end - q)
            q = end

    cdef void tile(self, const Job *job, Py_ssize_t n, Py_ssize_t pixel, Py_ssize_t rows) noexcept nogil:
        """`rows` pixels from pixel `pixel` of image n on."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, vl = self.t.vl, j = 0
        cdef const View *x = job.x
        cdef gemm_tile_args tile
        cdef bint wide
        cdef int first
        tile.a = x.data + (n * x.stride[0] + job.group * self.icg * x.stride[1] + pixel * x.stride[4]) * size
        tile.ars, tile.acs = x.stride[0] if self.pixels == 1 else x.stride[4], x.stride[1]
        if pixel + rows > self.pixels > 1:
            self.collect(job, n, pixel, rows)
            tile.a, tile.ars, tile.acs = job.pixels, 1, self.t.mr
        elif job.lanes > (PACKED_PANELS - 1) * nr:
            self.t.pack_a(job.pixels, tile.a, tile.ars, tile.acs, rows, self.icg)
            tile.a, tile.ars, tile.acs = job.pixels, 1, self.t.mr
        tile.depth, tile.bs, tile.ys, tile.first, tile.bias, tile.relu = self.icg, nr, self.pitch, 1, NULL, 0
        tile.spacing, tile.step, tile.run, tile.jump, tile.resumes, tile.pauses, tile.more = 64, nr * size, self.icg, 0, 0, 0, 0
        while j < job.lanes:
            wide = job.lanes - j > vl
            tile.b, tile.y, tile.cols = job.w + j * self.icg * size, job.columns + j * size, nr if wide else vl
            tile.next = <const char *>tile.b + nr * self.icg * size  # the next panel
            self.t.gemm_tile[rows][wide](&tile)
            j = j + nr
        if self.channels_last:
            self.add(job, n, pixel, 0, 1, rows, 0, job.channels)
            return
        j = 0
        while j < job.channels:
            for first in range(2 if self.alternate else 1):
                self.add(
                    job, n, pixel, first, 2 if self.alternate else 1, rows, j, min(<Py_ssize_t>FOLDED, job.channels - j))
            j = j + FOLDED

    cdef void collect(self, const Job *job, Py_ssize_t n, Py_ssize_t pixel, Py_ssize_t rows) noexcept nogil:
        """Pack pixels of several images."""
        cdef Py_ssize_t size = self.t.itemsize, mr = self.t.mr, r, k
        cdef const View *x = job.x
        cdef const char *source
        for r in range(rows):
            source = x.data + (n * x.stride[0] + job.group * self.icg * x.stride[1] + pixel * x.stride[4]) * size
            for k in range(self.icg):
                move(job.pixels + (k * mr + r) * size, source + k * x.stride[1] * size, size)
            pixel += 1
            if pixel == self.pixels:
                pixel, n = 0, n + 1

    cdef void add(
        self, const Job *job, Py_ssize_t n, Py_ssize_t pixel, Py_ssize_t row0, Py_ssize_t step, Py_ssize_t rows, Py_ssize_t first,
        Py_ssize_t channels) noexcept nogil:
        """Add windows of a tile to the results of `channels` channels from `first` on: every `step`-th row from `row0` on."""
        cdef Py_ssize_t size = self.t.itemsize, w = pixel % self.xw, h = pixel // self.xw % self.xh, d = pixel // self.xw // self.xh
        cdef Py_ssize_t r, z, z1, i0, i1, j0, j1, row, plane
        cdef const View *y = job.y
        cdef const char *c
        cdef fold_args f
        for r in range(rows):
            plane, row = d * self.sd - self.pd, h * self.sh - self.ph
            reached(plane, self.dd, self.kd, self.od, &z, &z1)
            reached(row, self.dh, self.kh, self.oh, &i0, &i1)
            reached(w * self.sw - self.pw, self.dw, self.kw, self.ow, &j0, &j1)
            while z < z1 and i0 < i1 and j0 < j1 and r % step == row0:
                f.y = y.data + (
                    n * y.stride[0] + (job.channel + first) * y.stride[1] + (plane + z * self.dd) * y.stride[2]
                    + (row + i0 * self.dh) * y.stride[3] + (w * self.sw - self.pw + j0 * self.dw) * y.stride[4]) * size
                c = job.columns + r * self.pitch * size
                if self.channels_last:
                    f.c = c + ((z * self.kh + i0) * self.kw + j0) * job.channels * size
                    f.outer, f.y_outer, f.c_outer = i1 - i0, self.dh * y.stride[3], self.kw * job.channels
                    f.inner, f.y_inner, f.c_inner = j1 - j0, self.dw * y.stride[4], job.channels
                    f.run, f.y_step = job.channels, 1
                    if f.y_inner == f.c_inner:
                        f.run, f.inner = f.run * f.inner, 1
                else:
                    f.c = c + (first * self.taps + (z * self.kh + i0) * self.kw + j0) * size
                    f.outer, f.y_outer, f.c_outer = channels, y.stride[1], self.taps
                    f.inner, f.y_inner, f.c_inner = i1 - i0, self.dh * y.stride[3], self.kw
                    f.run, f.y_step = j1 - j0, self.dw
                self.t.fold(&f)
                z += 1
            w += 1
            if w == self.xw:
                w, h = 0, h + 1
                if h == self.xh:
                    h, d = 0, d + 1
                    if d == self.xd:
                        d, n = 0, n + 1


cdef void spread(char *to, const char *value, Py_ssize_t count, Py_ssize_t size) noexcept nogil:
    """`count` copies of a value."""
    cdef Py_ssize_t i
    cdef float single
    cdef double wide
    if size == 4:
        single = (<const float *>value)[0]
        for i in range(count):
            (<float *>to)[i] = single
    else:
        wide = (<const double *>value)[0]
        for i in range(count):
            (<double *>to)[i] = wide
