# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Matrix multiplication: panels of both operands, one register tile, blocks of columns and of depth.

A block of B, of KC rows and NC columns, is packed into panels unless it can be read in place.  An item of work is
a panel of a block, or, after all panels of the block, a part of its products: a run of strips of A, of at most MR rows
each, and a run of panels.  The strips are packed or read in place, and a group of panels stays in the L2 cache for all of
them.  Between blocks of depth the output holds partial sums; the last block applies alpha, beta*c, bias and activation.
Small products of a batch are one item each.
"""

from fastconv.backends.cython.runtime._prepared cimport Arrays, Bound, Prepared, bound
from fastconv.backends.cython.runtime._simd cimport View, address, fc_epilogue, fc_table, gemm_tile_args, view

cdef enum:
    GROUP_BYTES = 256 << 10  # of panels of B that stay in the L2 cache
    PASSES = 8  # largest number of panels that read A in place
    NEAR = 2048  # rows of A a multiple of this apart map to few sets of the L1 cache


cdef struct Job:
    # One block of one product.  Strides count elements; y, c and the bias begin at the block's first column.
    const char *a
    Py_ssize_t ars, acs
    const char *b
    Py_ssize_t panel, row  # from panel to panel of B, and from row to row within one
    Py_ssize_t depth, cols
    char *y
    Py_ssize_t yrs, ycs
    fc_epilogue e
    bint in_place  # whether B is read in place
    bint first, straight  # straight: tiles are stored directly, with at most a bias and relu


cdef class PackedGemm(Prepared):
    """Sizes and options of one problem; a run gets b, c and the bias when it is bound."""

    cdef Py_ssize_t batch, m, n, k, kc, nc, strips, strips_per_item, panels_per_item, column_blocks, depth_blocks
    cdef Py_ssize_t panels, items_per_block  # panels of a block that runs pack, and all items of a block
    cdef bint trans_a, trans_b, b_batched, few, whole
    cdef public bint rows_in_place  # whether rows of A are always read in place
    cdef public Py_ssize_t parts, apart  # of a row of A; see gemm.h
    cdef fc_epilogue e

    def __init__(
        self, size_t table, p, Py_ssize_t kc, Py_ssize_t nc, Py_ssize_t strips_per_item, Py_ssize_t panels_per_item, bint few,
        bint whole):
        self.t = <const fc_table *>table
        self.batch, self.m, self.n, self.k, self.kc, self.nc = p.batch, p.m, p.n, p.k, kc, nc
        self.strips = (self.m + self.t.mr - 1) // self.t.mr
        self.strips_per_item, self.panels_per_item = strips_per_item, panels_per_item
        self.column_blocks, self.depth_blocks = (self.n + nc - 1) // nc, (self.k + kc - 1) // kc
        self.parts = 1
        self.trans_a, self.trans_b, self.b_batched, self.few, self.whole = p.trans_a, p.trans_b, p.b_batched, few, whole
        self.e.alpha, self.e.beta, self.e.relu = p.alpha, p.beta, p.activation == "relu"
        self.e.c, self.e.row_bias, self.e.col_bias = NULL, NULL, NULL
        self.panels = 0 if p.packed and not p.b_batched else nc // self.t.nr
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
            if not self.in_place(arrays) and not (self.same() and block > 0):
                self.pack(block, panel, &arrays.b, arrays.shared)
        else:
            self.describe(&job, block, arrays)
            if arrays.weights != NULL:
                job.b = arrays.weights + self.offset(block % (self.column_blocks * self.depth_blocks))
            elif not job.in_place:
                job.b = arrays.shared
            self.part(&job, panel - self.panels, scratch)

    cdef Py_ssize_t barrier(self, Py_ssize_t i, const Arrays *arrays) noexcept nogil:
        """Panels are packed before they are used and used before the next block's are; depth is summed in order."""
        cdef Py_ssize_t block = i // self.items_per_block * self.items_per_block
        cdef bint packs = self.panels > 0 and not self.in_place(arrays)
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

    cdef bint in_place(self, const Arrays *arrays) noexcept nogil:
        """Whether tiles read b in place."""
        return self.few and arrays.weights == NULL and arrays.b.stride[2] == 1

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
        """The job of a block; the caller sets the address of B if it is not read in place."""
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
        job.panel, job.row, job.in_place = self.t.nr * job.depth, self.t.nr, self.in_place(arrays)
        if job.in_place:
            job.panel, job.row = self.t.nr, b.stride[1]
            job.b = b.data + (z * b.stride[0] + k * job.row + j) * size
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
        if arrays.weights != NULL:
            job.b = arrays.weights
        elif not job.in_place:
            for i in range(self.panels):
                self.pack(z, i, &arrays.b, panels)
            job.b = panels
        for i in range(self.items_per_block - self.panels):
            self.part(&job, i, scratch)

    cdef Py_ssize_t part_bytes(self) noexcept nogil:
        """Scratch of a part: a tile, the last panel of B, panels of A and a vector after them, which packing clobbers."""
        cdef Py_ssize_t mr = self.t.mr, nr = self.t.nr
        return ((mr * nr + nr * self.kc + self.strips_per_item * mr * self.kc + self.t.vl) * self.t.itemsize + 63) // 64 * 64

    def scratch_bytes(self):
        """(bytes of one thread, bytes for all threads), the latter for a block of B unless it is packed beforehand."""
        cdef Py_ssize_t block = self.panels * self.t.nr * self.kc * self.t.itemsize
        if self.whole:
            return self.part_bytes() + block, 0
        return self.part_bytes(), block

    cdef void part(self, const Job *job, Py_ssize_t i, char *scratch) noexcept nogil:
        """A run of strips of A times a run of panels of B."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, mr = self.t.mr, runs = self.runs()
        cdef Py_ssize_t j0 = i % runs * self.panels_per_item * nr, end = min(job.cols, j0 + self.panels_per_item * nr)
        cdef Py_ssize_t s0 = i // runs * self.strips_per_item, s1 = min(self.strips, s0 + self.strips_per_item)
        cdef Py_ssize_t group = max(1, GROUP_BYTES // (nr * job.depth * size)) * nr, ars = job.ars, acs = job.acs, s, i0, j, g
        cdef char *tail = scratch + mr * nr * size
        cdef char *panels = tail + nr * self.kc * size
        cdef const char *a
        cdef bint near = self.rows_in_place or (end - j0 <= PASSES * nr and (ars == 1 or ars * size % NEAR != 0))
        if j0 >= end:
            return
        if not near:
            for s in range(s0, s1):
                i0 = self.m * s // self.strips
                self.t.pack_a(
                    panels + (s - s0) * mr * job.depth * size, job.a + i0 * ars * size, ars, acs,
                    self.m * (s + 1) // self.strips - i0, job.depth)
            ars, acs = 1, mr
        if job.in_place and end % nr != 0:  # the tile loads whole vectors
            j = end // nr * nr
            self.t.pack_b(tail, job.b + j * size, 1, job.row, end - j, job.depth)
        g = j0
        while g < end:
            for s in range(s0, s1):
                i0 = self.m * s // self.strips
                a = job.a + i0 * ars * size if near else panels + (s - s0) * mr * job.depth * size
                self.strip(job, i0, self.m * (s + 1) // self.strips - i0, a, ars, acs, g, min(end, g + group), tail, scratch)
            g = g + group
        self.t.gemm_release()

    cdef void strip(
        self, const Job *job, Py_ssize_t i0, Py_ssize_t rows, const char *a, Py_ssize_t ars, Py_ssize_t acs, Py_ssize_t j,
        Py_ssize_t end, const char *tail, char *m) noexcept nogil:
        """Rows i0 to i0 + rows of the panels from column j of the block to column `end`."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, vl = self.t.vl
        cdef const char *b = job.b + j // nr * job.panel * size
        cdef char *y = job.y + (i0 * job.yrs + j * job.ycs) * size
        cdef gemm_tile_args tile
        tile.depth, tile.a, tile.ars, tile.acs = job.depth // self.parts, a, ars, acs
        tile.parts, tile.apart = self.parts, self.apart
        tile.first, tile.ys, tile.bias, tile.relu = job.first, job.yrs, NULL, job.e.relu
        while j < end:
            tile.b, tile.bs, tile.cols, tile.y = b, job.row, min(nr, end - j), y
            if job.in_place and tile.cols < nr:
                tile.b, tile.bs = tail, nr
            if job.straight:
                if job.e.col_bias != NULL:
                    tile.bias = <const char *>job.e.col_bias + j * size
                self.t.gemm_tile[rows][tile.cols > vl](&tile)
            else:
                self.detour(job, tile, rows, i0, j, m)
            b = b + job.panel * size
            y = y + nr * job.ycs * size
            j = j + nr

    cdef void detour(
        self, const Job *job, gemm_tile_args tile, Py_ssize_t rows, Py_ssize_t i0, Py_ssize_t j, char *m) noexcept nogil:
        """One tile through scratch, for cases that the register tile does not support."""
        cdef Py_ssize_t size = self.t.itemsize, width = tile.cols
        cdef char *y = <char *>tile.y
        cdef fc_epilogue e = job.e
        if not job.first:
            self.t.load(m, rows, width, y, job.yrs, job.ycs)
        tile.cols, tile.y, tile.ys, tile.relu = self.t.nr if width > self.t.vl else self.t.vl, m, self.t.nr, 0
        self.t.gemm_tile[rows][width > self.t.vl](&tile)
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
