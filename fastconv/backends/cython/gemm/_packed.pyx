# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Matrix multiplication: panels of both operands, one register tile, blocks of columns and of depth.

A block of B, of KC rows and NC columns, is packed into panels.  An item of work is a panel of a block, or, after all
panels of the block, a part of its products: a run of strips of A, of at most MR rows each, and a run of panels.  The strips
are packed or read in place, and a group of panels stays in the L2 cache for all of them.  Between blocks of depth the
output holds partial sums; the last block applies alpha, beta*c, bias and activation.  Small products of a batch are one
item each.

Where A is small, B is streamed instead: read once, in place, panel by panel.  The first strip keeps a copy of the panel for
the other ones, which prefetch the next panel meanwhile, so that memory and arithmetic overlap whatever the rows' distance.
"""

from libc.stdint cimport uintptr_t

from fastconv.backends.cython.runtime._prepared cimport Arrays, Bound, Prepared, bound
from fastconv.backends.cython.runtime._simd cimport View, address, fc_epilogue, fc_table, gemm_tile_args, view

cdef enum:
    GROUP_BYTES = 256 << 10  # of panels of B that stay in the L2 cache
    GROUP = 8  # streamed panels that are prefetched together, at most, where there are four groups; see GROUPED in packed.py
    PASSES = 8  # largest number of panels that read A in place
    NEAR = 2048  # rows of A a multiple of this apart map to few sets of the L1 cache
    LAST = 63  # bytes after which a line begins that the panel before does not share
    AHEAD = 24  # rows of B that a streaming tile prefetches: a short time before it reads them
    L2_WAY = 128 << 10  # rows of B a multiple of this apart map to one set of the L2 cache, which keeps L2_ROWS of them
    L2_ROWS = 8
    L1_ROWS = 8  # rows of B that the L1 cache keeps however far they are apart
    COPIED = 16 << 10  # bytes of a panel; a smaller one stays in the L1 cache as it lies
    PIECE = 64  # rows that are streamed at a time where the L2 cache does not keep a panel; at least


cdef struct Job:
    # One block of one product.  Strides count elements; y, c and the bias begin at the block's first column.
    const char *a
    Py_ssize_t ars, acs
    const char *b
    Py_ssize_t panel, row, across  # from panel to panel of B, and within one from row to row and from column to column
    Py_ssize_t depth, cols
    char *y
    Py_ssize_t yrs, ycs
    fc_epilogue e
    bint first, straight  # straight: tiles are stored directly, with at most a bias and relu


cdef struct Rows:
    # Where strips of A are: packed, `strip` elements apart from strip `first` on, or in place, and `strip` is 0.
    const char *data
    Py_ssize_t rs, cs, strip, first


cdef Py_ssize_t reach(Py_ssize_t depth, Py_ssize_t row) noexcept nogil:
    """How many rows of B, `row` bytes apart, the L2 cache keeps until the next panel begins."""
    cdef Py_ssize_t step = row & -row, places = 1  # the largest power of two that divides their distance
    if 0 < step < L2_WAY:
        places = L2_WAY // step
    return min(depth, places * L2_ROWS)


cdef class PackedGemm(Prepared):
    """Sizes and options of one problem; a run gets b, c and the bias when it is bound."""

    cdef Py_ssize_t batch, m, n, k, kc, nc, strips, strips_per_item, panels_per_item, column_blocks, depth_blocks
    cdef Py_ssize_t panels, items_per_block  # panels of a block that runs pack, and all items of a block
    cdef bint trans_a, trans_b, b_batched, streams, whole, packs_a, pauses
    cdef fc_epilogue e

    def __init__(
        self, size_t table, p, Py_ssize_t kc, Py_ssize_t nc, Py_ssize_t strips, Py_ssize_t strips_per_item,
        Py_ssize_t panels_per_item, bint streams, bint whole, bint packs_a):
        self.t = <const fc_table *>table
        self.batch, self.m, self.n, self.k, self.kc, self.nc = p.batch, p.m, p.n, p.k, kc, nc
        self.strips, self.strips_per_item, self.panels_per_item = strips, strips_per_item, panels_per_item
        self.column_blocks, self.depth_blocks = (self.n + nc - 1) // nc, (self.k + kc - 1) // kc
        self.trans_a, self.trans_b, self.b_batched = p.trans_a, p.trans_b, p.b_batched
        self.streams, self.whole, self.packs_a = streams, whole, packs_a
        self.pauses = streams and self.kc > 2 * PIECE and min(self.strips, strips_per_item) > 1
        self.e.alpha, self.e.beta, self.e.relu = p.alpha, p.beta, p.activation == "relu"
        self.e.c, self.e.row_bias, self.e.col_bias = NULL, NULL, NULL
        self.panels = 0 if streams or (p.packed and not p.b_batched) else nc // self.t.nr
        self.items_per_block = self.panels + (self.strips + strips_per_item - 1) // strips_per_item * self.runs()
        self.items = self.batch if whole else self.batch * self.column_blocks * self.depth_blocks * self.items_per_block
        if self.m == 0 or self.n == 0:
            self.items = 0

    def operands(self, b, c, bias, packed=None, Panels panels=None):
        """A run with these operands; `panels` packs all blocks of b into `packed`, if that is given."""
        cdef Bound run = bound(self, (b, c, bias, packed))
        cdef Arrays *arrays = &run.arrays
        arrays.b = view(b)
        if self.trans_b:
            arrays.b.stride[1], arrays.b.stride[2] = arrays.b.stride[2], arrays.b.stride[1]
        if not self.b_batched:
            arrays.b.stride[0] = 0
        if c is not None:
            arrays.c = view(c)
        arrays.bias, arrays.weights = address(bias), address(packed)
        if panels is not None:
            panels.fill(&arrays.b, <char *>arrays.weights)
        return run

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef Job job
        cdef Py_ssize_t block = i // self.items_per_block, panel = i % self.items_per_block
        if self.whole:
            self.product(i, arrays, scratch)
        elif panel < self.panels:
            if not (self.same() and block > 0):
                self.pack(block, panel, &arrays.b, arrays.shared)
        else:
            self.describe(&job, block, arrays)
            if arrays.weights != NULL:
                job.b = arrays.weights + self.offset(block % (self.column_blocks * self.depth_blocks))
            elif not self.streams:
                job.b = arrays.shared
            self.part(&job, panel - self.panels, scratch)

    cdef Py_ssize_t barrier(self, Py_ssize_t i, const Arrays *arrays) noexcept nogil:
        """Panels are packed before they are used and used before the next block's are; depth is summed in order."""
        cdef Py_ssize_t block = i // self.items_per_block * self.items_per_block
        cdef bint packs = self.panels > 0
        if self.whole:
            return self.items
        if packs and i - block < self.panels and not (self.same() and block > 0):
            return block + self.panels
        if self.depth_blocks == 1 and (not packs or self.same()):
            return self.items
        return block + self.items_per_block

    cdef bint same(self) noexcept nogil:
        """Whether one block is the B of all products: it is packed once."""
        return not self.b_batched and self.column_blocks * self.depth_blocks == 1

    cdef Py_ssize_t runs(self) noexcept nogil:
        return (self.nc // self.t.nr + self.panels_per_item - 1) // self.panels_per_item

    cdef Py_ssize_t offset(self, Py_ssize_t block) noexcept nogil:
        """Offset of a block among all packed ones."""
        cdef Py_ssize_t j = block // self.depth_blocks * self.nc, nr = self.t.nr
        cdef Py_ssize_t panels = (min(self.nc, self.n - j) + nr - 1) // nr
        return (j * self.k + block % self.depth_blocks * self.kc * panels * nr) * self.t.itemsize

    cdef void pack(self, Py_ssize_t block, Py_ssize_t i, const View *b, char *dst) noexcept nogil:
        """Panel i of a block of B, which are (panel, depth, NR) from `dst` on."""
        cdef Py_ssize_t nr = self.t.nr, size = self.t.itemsize, across = b.stride[2], down = b.stride[1]
        cdef Py_ssize_t per_product = self.column_blocks * self.depth_blocks, z = block // per_product
        cdef Py_ssize_t j = block % per_product // self.depth_blocks * self.nc, k = block % self.depth_blocks * self.kc
        cdef Py_ssize_t depth = min(self.kc, self.k - k), cols = min(self.nc, self.n - j) - i * nr
        if cols > 0:
            self.t.pack_b(
                dst + i * nr * depth * size, b.data + (z * b.stride[0] + (j + i * nr) * across + k * down) * size, across,
                down, min(nr, cols), depth)

    cdef void describe(self, Job *job, Py_ssize_t block, const Arrays *arrays) noexcept nogil:
        """The job of a block; the caller sets the address of B if it is packed."""
        cdef Py_ssize_t size = self.t.itemsize, per_product = self.column_blocks * self.depth_blocks, z = block // per_product
        cdef Py_ssize_t j = block % per_product // self.depth_blocks * self.nc, k = block % self.depth_blocks * self.kc
        cdef const View *a = &arrays.x
        cdef const View *b = &arrays.b
        cdef const View *c = &arrays.c
        cdef const View *y = &arrays.y
        job.depth, job.cols, job.first = min(self.kc, self.k - k), min(self.nc, self.n - j), k == 0
        job.ars, job.acs = a.stride[1], a.stride[2]
        if self.trans_a:
            job.ars, job.acs = job.acs, job.ars
        job.a = a.data + (z * a.stride[0] + k * job.acs) * size
        job.panel, job.row, job.across = self.t.nr * job.depth, self.t.nr, 1
        if self.streams:
            job.row, job.across = b.stride[1], b.stride[2]
            job.panel = self.t.nr * job.across
            job.b = b.data + (z * b.stride[0] + k * job.row + j * job.across) * size
        job.yrs, job.ycs = y.stride[1], y.stride[2]
        job.y = y.data + (z * y.stride[0] + j * job.ycs) * size
        job.e = self.e
        if k + job.depth == self.k:
            if arrays.bias != NULL:
                job.e.col_bias = arrays.bias + j * size
            if c.data != NULL:
                job.e.crs, job.e.ccs = c.stride[1], c.stride[2]
                job.e.c = c.data + (z * c.stride[0] + j * job.e.ccs) * size
        else:
            job.e.alpha, job.e.beta, job.e.relu = 1.0, 0.0, 0
        job.straight = job.ycs == 1 and job.e.alpha == 1.0 and job.e.c == NULL

    cdef void product(self, Py_ssize_t z, const Arrays *arrays, char *scratch) noexcept nogil:
        """Product z of the batch; its packed B is after the scratch of a part."""
        cdef Job job
        cdef Py_ssize_t i
        cdef char *panels = scratch + self.part_bytes()
        self.describe(&job, z, arrays)
        job.b = arrays.weights
        if arrays.weights == NULL:
            for i in range(self.panels):
                self.pack(z, i, &arrays.b, panels)
            job.b = panels
        for i in range(self.items_per_block - self.panels):
            self.part(&job, i, scratch)

    cdef Py_ssize_t part_bytes(self) noexcept nogil:
        """Scratch of a part: a tile; a panel of B, if it is streamed, and sums that pause; panels of A, and a vector after them."""
        cdef Py_ssize_t mr = self.t.mr, nr = self.t.nr, count = mr * nr
        if self.pauses:
            count = count + self.strips_per_item * mr * nr
        if self.streams:
            count = count + nr * self.kc
        if self.packs_a:
            count = count + self.strips_per_item * mr * self.kc + self.t.vl
        return (count * self.t.itemsize + 63) // 64 * 64

    def scratch_bytes(self):
        """(bytes of one thread, bytes for all threads), the latter for a block of B unless it is packed beforehand."""
        cdef Py_ssize_t block = self.panels * self.t.nr * self.kc * self.t.itemsize
        if self.whole:
            return self.part_bytes() + block, 0
        return self.part_bytes(), block

    cdef void part(self, const Job *job, Py_ssize_t i, char *scratch) noexcept nogil:
        """A run of strips of A times a run of panels of B."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, mr = self.t.mr, runs = self.runs(), s, i0, g
        cdef Py_ssize_t lead = self.lead(job), j0 = i % runs * self.panels_per_item * nr, end = j0 + self.panels_per_item * nr - lead
        cdef Py_ssize_t s0 = i // runs * self.strips_per_item, s1 = min(self.strips, s0 + self.strips_per_item)
        cdef Py_ssize_t group = max(1, GROUP_BYTES // (nr * job.depth * size)) * nr
        cdef char *panel = scratch + mr * nr * (self.strips_per_item + 1 if self.pauses else 1) * size
        cdef char *panels = panel + (nr * self.kc if self.streams else 0) * size
        cdef Rows a
        j0, end = max(<Py_ssize_t>0, j0 - lead), job.cols if i % runs == runs - 1 else min(job.cols, end)
        if j0 >= end:
            return
        a.data, a.rs, a.cs, a.strip, a.first = job.a, job.ars, job.acs, 0, s0
        if self.packs_a and (end - j0 > PASSES * nr or (job.ars != 1 and job.ars * size % NEAR == 0)):
            for s in range(s0, s1):
                i0 = self.m * s // self.strips
                self.t.pack_a(
                    panels + (s - s0) * mr * job.depth * size, job.a + i0 * job.ars * size, job.ars, job.acs,
                    self.m * (s + 1) // self.strips - i0, job.depth)
            a.data, a.rs, a.cs, a.strip = panels, 1, mr, mr * job.depth
        if self.streams:
            self.stream(job, &a, s1, j0, end, panel, scratch)
            return
        g = j0
        while g < end:
            for s in range(s0, s1):
                self.strip(job, &a, s, g, min(end, g + group), scratch)
            g = g + group

    cdef Py_ssize_t lead(self, const Job *job) noexcept nogil:
        """By how many columns the first streamed panel is narrower, so that the other ones begin on cache lines."""
        cdef Py_ssize_t size = self.t.itemsize, past = <Py_ssize_t>(<uintptr_t>job.b % 64) // size
        if not self.streams or job.across != 1 or job.row * size % 64 != 0 or job.cols <= self.t.nr:
            return 0
        return past % self.t.vl

    cdef void strip(self, const Job *job, const Rows *a, Py_ssize_t s, Py_ssize_t j, Py_ssize_t end, char *m) noexcept nogil:
        """Strip s of A times the packed panels from column j of the block to column `end`."""
        cdef Py_ssize_t nr = self.t.nr, size = self.t.itemsize
        cdef gemm_tile_args tile
        tile.b, tile.bs, tile.depth = job.b + j // nr * job.panel * size, nr, job.depth
        tile.resumes, tile.pauses, tile.more = 0, 0, 0
        tile.spacing, tile.step, tile.run, tile.jump = 64, nr * size, tile.depth, 0
        while j < end:
            tile.cols = min(nr, end - j)
            tile.next = <const char *>tile.b + job.panel * size  # the next panel, from the L2 cache
            self.multiply(job, a, s, j, 0, &tile, tile.cols > self.t.vl, m)
            tile.b = tile.next
            j = j + nr

    cdef void stream(
        self, const Job *job, const Rows *a, Py_ssize_t s1, Py_ssize_t j, Py_ssize_t end, char *panel, char *m) noexcept nogil:
        """Strips up to s1 of A times panels that are read in place, from column j to column `end`."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, strips = s1 - a.first, lead = self.lead(job), row = job.row * size
        cdef Py_ssize_t piece, near = max(<Py_ssize_t>PIECE, reach(job.depth, row)), s, k, group = self.group(job, end - j), at = 0
        cdef gemm_tile_args tile
        cdef const char *b
        cdef const char *after
        cdef bint shallow = job.straight and job.across == 1 and job.depth <= AHEAD and not group
        cdef bint direct, more, copies = strips > 1 and (
            job.depth * nr * size > COPIED or (row % NEAR == 0 and job.depth > L1_ROWS))
        cdef int form
        while j < end:
            tile.cols, tile.more = min(nr - lead if j == 0 else nr, end - j), 0
            if strips == 1 and job.across == 1 and nr < end - j <= nr + self.t.vl:
                tile.cols = (end - j + 1) // 2  # a last panel of one vector would be packed, which takes longer
            if shallow and tile.cols == nr and not copies:  # panels that stay in the L1 cache for all strips
                tile.more = min((end - j) // nr, max(<Py_ssize_t>1, COPIED // (job.depth * nr * size))) - 1
            b, more = job.b + j * job.across * size, j + tile.cols + nr <= job.cols
            direct = job.across == 1 and tile.cols > self.t.vl
            if not direct:
                self.t.pack_b(panel, b, job.across, job.row, tile.cols, job.depth)
            piece = near if self.pauses and direct and strips > 1 else job.depth
            k = 0
            while k < job.depth:
                tile.depth, tile.resumes, tile.pauses = min(piece, job.depth - k), k > 0, k + piece < job.depth
                after = b + tile.cols * job.across * size if more else NULL
                if tile.pauses:
                    after = b + (k + piece) * row
                for s in range(strips):
                    form = tile.cols > self.t.vl
                    tile.b, tile.bs, tile.keep, tile.sums = panel, nr, panel, m + (s + 1) * self.t.mr * nr * size
                    if direct and (s == 0 or not copies):
                        tile.b, tile.bs = b + k * row, job.row
                        if copies:
                            form = 2
                    if group and direct:
                        self.prefetch_group(job, &tile, a.first, s, strips, j, group, at)
                    else:
                        self.prefetch(job, &tile, after, s, strips, direct)
                    self.multiply(job, a, a.first + s, j, k, &tile, form, m)
                k = k + piece
            j, at = j + tile.cols + tile.more * nr, (at + 1) % max(group, <Py_ssize_t>1)

    cdef Py_ssize_t group(self, const Job *job, Py_ssize_t cols) noexcept nogil:
        """How many panels are prefetched together; 0 where each is alone: if they are few, or more than the L2 cache keeps."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, group = min(GROUP, GROUP_BYTES // (nr * job.depth * size))
        if job.across != 1 or self.pauses or group < 2 or cols < 4 * group * nr:
            return 0
        return group if reach(2 * job.depth, job.row * size) == 2 * job.depth else 0

    cdef void prefetch_group(
        self, const Job *job, gemm_tile_args *tile, Py_ssize_t s0, Py_ssize_t s, Py_ssize_t strips, Py_ssize_t j,
        Py_ssize_t group, Py_ssize_t at) noexcept nogil:
        """What the tile of strip s of panel `at` of a group prefetches for the next group: a part of its rows, each in one run.

        Memory answers long runs several times as fast as two lines of each row.  The first strip prefetches rows of B, the other
        ones those of the result.
        """
        cdef Py_ssize_t size = self.t.itemsize, run = group * self.t.nr, rows = job.depth, first = 0, row = job.row
        cdef const char *of = job.b
        if s > 0 and not job.straight:  # results go through scratch
            tile.next, tile.spacing, tile.step, tile.run, tile.jump = <const char *>tile.b, 0, 0, tile.depth, 0
            return
        if s > 0:
            first, of, row = self.m * s0 // self.strips, job.y, job.yrs
            rows = self.m * (s0 + strips) // self.strips - first
            first, rows = first + rows * (s - 1) // (strips - 1), (rows + strips - 2) // (strips - 1)
        tile.next = of + ((first + (at * rows + group - 1) // group) * row + j + run - at * self.t.nr) * size + LAST
        tile.spacing, tile.step, tile.run, tile.jump = 64, self.t.nr * size, group, (row - run) * size

    cdef void prefetch(
        self, const Job *job, gemm_tile_args *tile, const char *after, Py_ssize_t s, Py_ssize_t strips, bint direct) noexcept nogil:
        """What the tile of strip s prefetches: what it reads soon itself, if it is `direct` and the first one, or what comes `after`.

        The first strip with nothing better to do prefetches one half of each row, the next one the other half, if there is one.
        """
        cdef Py_ssize_t size = self.t.itemsize, depth = tile.depth, row = job.row * size, rows, lines, half
        tile.next, tile.spacing, tile.step, tile.run, tile.jump = <const char *>tile.b, 0, 0, depth, 0
        if direct and s == 0 and depth > AHEAD:
            tile.next, tile.spacing, tile.step, tile.run = <const char *>tile.b + AHEAD * row + LAST, 64, row, depth - AHEAD
            tile.jump = after + LAST - <const char *>tile.next - tile.run * row if after != NULL else -tile.run * row
            return
        if after == NULL or (job.across != 1 and job.row != 1):
            return
        if direct and depth > AHEAD:
            s, strips = s - 1, strips - 1
        if s > 1:
            return
        if direct:
            half, rows, after = 64, reach(depth, row), after + LAST
            if depth > AHEAD:
                after, rows = after + AHEAD * row, max(1, rows - AHEAD)
            tile.step, tile.run, tile.jump = row, rows, -rows * row
        elif job.row == 1:
            lines = (depth * size + 63) // 64
            half, tile.step, tile.run, tile.jump = self.t.nr // 2 * job.across * size, 64, lines, job.across * size - lines * 64
        else:
            return
        tile.next = after + s * half
        if strips == 1:
            tile.spacing = half

    cdef void multiply(
        self, const Job *job, const Rows *a, Py_ssize_t s, Py_ssize_t j, Py_ssize_t k, gemm_tile_args *tile, int form,
        char *m) noexcept nogil:
        """One register tile: strip s times the columns from j of the block on; the piece of the sums from k on."""
        cdef Py_ssize_t size = self.t.itemsize, i0 = self.m * s // self.strips, rows = self.m * (s + 1) // self.strips - i0
        cdef Py_ssize_t width = tile.cols
        cdef char *y = job.y + (i0 * job.yrs + j * job.ycs) * size
        cdef fc_epilogue e
        tile.ars, tile.acs = a.rs, a.cs
        tile.a = a.data + ((s - a.first) * a.strip + k * a.cs if a.strip else i0 * a.rs + k * a.cs) * size
        if job.straight or tile.pauses:
            tile.first, tile.y, tile.ys, tile.relu, tile.bias = job.first, y, job.yrs, job.e.relu, NULL
            if job.e.col_bias != NULL:
                tile.bias = <const char *>job.e.col_bias + j * size
            self.t.gemm_tile[rows][form](tile)
            return
        e = job.e  # through scratch, for what the register tile does not support
        if not job.first:
            self.t.load(m, rows, width, y, job.yrs, job.ycs)
        tile.first, tile.y, tile.ys, tile.relu, tile.bias = job.first, m, self.t.nr, 0, NULL
        self.t.gemm_tile[rows][form](tile)
        if job.e.col_bias != NULL:
            e.col_bias = <const char *>job.e.col_bias + j * size
        if job.e.c != NULL:
            e.c = <const char *>job.e.c + (i0 * e.crs + j * e.ccs) * size
        self.t.store(m, rows, width, y, job.yrs, job.ycs, &e)


cdef class Panels(Prepared):
    """Packs all blocks of b beforehand; an item of work is a panel."""

    cdef PackedGemm gemm
    cdef Py_ssize_t panels  # of a block

    def __init__(self, PackedGemm gemm):
        self.t, self.gemm, self.panels, self.uniform = gemm.t, gemm, gemm.nc // gemm.t.nr, True
        self.items = gemm.column_blocks * gemm.depth_blocks * self.panels

    cdef int fill(self, const View *b, char *packed) except -1:
        cdef Arrays a
        a.b, a.y.data = b[0], packed
        self.execute(&a)

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef Py_ssize_t block = i // self.panels
        self.gemm.pack(block, i % self.panels, &arrays.b, arrays.y.data + self.gemm.offset(block))
