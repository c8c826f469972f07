# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Matrix multiplication: panels of both operands, one register tile, blocks of columns and of depth.

A strip packs an MR x depth panel of A and multiplies it with one panel of B after the other.  Panels of B are
packed beforehand, or lie in the matrix itself where packing would cost more than it gains.  Partial sums wait in
the output between blocks of depth; the last block applies alpha, beta*c, bias and activation.
"""

from cython.parallel cimport prange, threadid

from fastconv.backends.cython._simd cimport View, address, fc_epilogue, fc_table, view


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
    bint first, in_place


cdef class Gemm:
    """Sizes and options of one problem; operands come with each run, so runs may overlap."""

    cdef const fc_table *t
    cdef Py_ssize_t m, n, k, panels_per_item
    cdef double alpha, beta
    cdef bint trans_a, trans_b, b_batched, relu

    def __init__(self, size_t table, p, Py_ssize_t panels_per_item):
        self.t = <const fc_table *>table
        self.m, self.n, self.k, self.panels_per_item = p.m, p.n, p.k, panels_per_item
        self.alpha, self.beta = p.alpha, p.beta
        self.trans_a, self.trans_b, self.b_batched, self.relu = p.trans_a, p.trans_b, p.b_batched, p.activation == "relu"

    def items(self, Py_ssize_t cols):
        """Items of work of a block of `cols` columns."""
        return self.strips() * self.runs(cols)

    cdef Py_ssize_t strips(self) noexcept nogil:
        return (self.m + self.t.mr - 1) // self.t.mr

    cdef Py_ssize_t runs(self, Py_ssize_t cols) noexcept nogil:
        cdef Py_ssize_t panels = (cols + self.t.nr - 1) // self.t.nr
        return (panels + self.panels_per_item - 1) // self.panels_per_item

    def pack_b(self, b, packed, Py_ssize_t j0, Py_ssize_t cols, Py_ssize_t p0, Py_ssize_t depth, int threads):
        """Columns j0 to j0 + cols, rows p0 to p0 + depth of matrix `b` as panels (panel, depth, NR)."""
        cdef View bv = view(b)
        cdef char *dst = address(packed)
        cdef Py_ssize_t nr = self.t.nr, size = self.t.itemsize, i
        cdef Py_ssize_t across = bv.stride[1], down = bv.stride[0]
        if self.trans_b:
            across, down = down, across
        cdef const char *src = bv.data + (j0 * across + p0 * down) * size
        for i in prange((cols + nr - 1) // nr, nogil=True, num_threads=threads, schedule="static"):
            self.t.pack_b(
                dst + i * nr * depth * size, src + i * nr * across * size, across, down, min(nr, cols - i * nr), depth)

    def multiply(
        self, a, b, bint in_place, c, bias, y, scratch, Py_ssize_t scratch_bytes, Py_ssize_t j0, Py_ssize_t cols,
        Py_ssize_t p0, Py_ssize_t depth, Py_ssize_t lo, Py_ssize_t hi, int threads):
        """Items lo to hi of one block; `b` comes from `pack_b`, or is the matrix itself if `in_place`."""
        cdef View av = view(a), bv = view(b), yv = view(y), cv
        cdef char *buf = address(scratch)
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, runs = self.runs(cols), i
        cdef Job job
        job.depth, job.cols, job.first, job.in_place = depth, cols, p0 == 0, in_place
        job.ars, job.acs = (av.stride[1], av.stride[0]) if self.trans_a else (av.stride[0], av.stride[1])
        job.a = av.data + p0 * job.acs * size
        job.b, job.panel, job.row = bv.data, nr * depth, nr
        if in_place:
            job.panel, job.row = nr, bv.stride[1] if self.trans_b else bv.stride[0]
            job.b = bv.data + (p0 * job.row + j0) * size
        job.y, job.yrs, job.ycs = yv.data + j0 * yv.stride[1] * size, yv.stride[0], yv.stride[1]
        self.start(&job.e)
        if p0 + depth == self.k:
            job.e.alpha, job.e.relu = self.alpha, self.relu
            if bias is not None:
                job.e.col_bias = address(bias) + j0 * size
            if c is not None:
                cv = view(c)
                job.e.beta, job.e.crs, job.e.ccs = self.beta, cv.stride[0], cv.stride[1]
                job.e.c = cv.data + j0 * job.e.ccs * size
        for i in prange(lo, hi, nogil=True, num_threads=threads, schedule="dynamic"):
            self.strip(
                &job, i // runs, i % runs * self.panels_per_item * nr,
                min(cols, (i % runs + 1) * self.panels_per_item * nr), buf + threadid() * scratch_bytes)

    def multiply_batch(
        self, a, b, bint in_place, c, bias, y, scratch, Py_ssize_t scratch_bytes, Py_ssize_t panels_at,
        Py_ssize_t lo, Py_ssize_t hi, int threads):
        """Whole products lo to hi of a batch, one item each; panels of B are packed `panels_at` bytes into the scratch."""
        cdef View av = view(a), bv = view(b), yv = view(y), cv
        cdef char *buf = address(scratch)
        cdef Py_ssize_t i
        cdef Job job
        job.depth, job.cols, job.first, job.in_place = self.k, self.n, True, in_place
        job.ars, job.acs = (av.stride[2], av.stride[1]) if self.trans_a else (av.stride[1], av.stride[2])
        job.panel, job.row = self.t.nr * self.k, self.t.nr
        if in_place:
            job.panel, job.row = self.t.nr, bv.stride[2] if self.trans_b else bv.stride[1]
        if not self.b_batched:
            bv.stride[0] = 0
        job.yrs, job.ycs = yv.stride[1], yv.stride[2]
        self.start(&job.e)
        job.e.alpha, job.e.relu, job.e.col_bias = self.alpha, self.relu, address(bias)
        cv.data, cv.stride[0] = NULL, 0
        if c is not None:
            cv = view(c)
            job.e.beta, job.e.crs, job.e.ccs = self.beta, cv.stride[1], cv.stride[2]
        for i in prange(lo, hi, nogil=True, num_threads=threads, schedule="dynamic"):
            self.product(job, i, &av, &bv, &cv, &yv, buf + threadid() * scratch_bytes, panels_at)

    cdef void start(self, fc_epilogue *e) noexcept nogil:
        """An epilogue that only stores."""
        e.alpha, e.beta, e.c, e.crs, e.ccs = 1.0, 0.0, NULL, 0, 0
        e.row_bias, e.col_bias, e.relu = NULL, NULL, 0

    cdef void product(
        self, Job job, Py_ssize_t z, const View *a, const View *b, const View *c, const View *y, char *scratch,
        Py_ssize_t panels_at) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, i, j
        cdef Py_ssize_t across = b.stride[2], down = b.stride[1]
        job.a, job.b, job.y = a.data + z * a.stride[0] * size, b.data + z * b.stride[0] * size, y.data + z * y.stride[0] * size
        if c.data != NULL:
            job.e.c = c.data + z * c.stride[0] * size
        if not job.in_place:
            if self.trans_b:
                across, down = down, across
            for j in range((self.n + nr - 1) // nr):
                self.t.pack_b(
                    scratch + panels_at + j * job.panel * size, job.b + j * nr * across * size, across, down,
                    min(nr, self.n - j * nr), self.k)
            job.b = scratch + panels_at
        for i in range(self.strips()):
            self.strip(&job, i, 0, self.n, scratch)

    cdef void strip(self, const Job *job, Py_ssize_t i, Py_ssize_t j, Py_ssize_t end, char *scratch) noexcept nogil:
        """Strip i of the product, one of near-equal parts of at most MR rows; columns j to `end` of the block."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, mr = self.t.mr, strips = self.strips(), zero = 0
        cdef Py_ssize_t i0 = self.m * i // strips, rows = self.m * (i + 1) // strips - i0, width, row
        cdef char *m = scratch
        cdef char *tail = m + mr * nr * size
        cdef char *panel = tail + (nr * job.depth * size if job.in_place else 0)
        cdef const char *b
        cdef char *y
        cdef fc_epilogue e = job.e
        self.t.pack_a(panel, job.a + i0 * job.ars * size, job.ars, job.acs, rows, job.depth)
        while j < end:
            width, b, row = min(nr, job.cols - j), job.b + j // nr * job.panel * size, job.row
            if width < nr and job.in_place:  # the tile loads whole vectors
                self.t.pack_b(tail, b, 1, row, width, job.depth)
                b, row = tail, nr
            y = job.y + (i0 * job.yrs + j * job.ycs) * size
            if not job.first:
                self.t.load(m, rows, width, y, job.yrs, job.ycs)
            self.t.tile[rows](job.depth, 1, &zero, panel, mr, b, row, job.first, m)
            if job.e.col_bias != NULL:
                e.col_bias = <const char *>job.e.col_bias + j * size
            if job.e.c != NULL:
                e.c = <const char *>job.e.c + (i0 * e.crs + j * e.ccs) * size
            self.t.store(m, rows, width, y, job.yrs, job.ycs, &e)
            j = j + nr
