# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Products of few rows with a matrix that is read once, in place; either operand may be the matrix.

One item of work is a run of panels of NR columns, for at most SKINNY_ROWS rows.  Its sums stay in scratch, panel by panel,
while runs of about SKINNY_DEPTH products are added to them, so that rows of x stay in the L1 cache; alpha, beta*c, bias and
activation come last.  Each output is summed in the order of `_gemm`: by parts of the depth, `kc` products each.
"""

from libc.stdint cimport uint16_t
from libc.string cimport memcpy

from fastconv.backends.cython.runtime._prepared cimport Arrays, Bound, Prepared, bound
from fastconv.backends.cython.runtime._simd cimport (
    SKINNY_DEPTH, SKINNY_PITCH, SKINNY_ROWS, View, address, dots_args, fc_epilogue, fc_table, skinny_args, view)

cdef enum:
    TRANSPOSED_ROWS = 8  # of x: with more, transposed blocks are kept
    NEAR = 2048  # rows a multiple of this many bytes apart map to few sets
    SPLIT = 4  # columns, at most, that are split by shuffles; more are transposed
    FEW = 4  # columns, of which a tile of dots.inc has fewer than rows


cdef View transposed(View v) noexcept nogil:
    # rows become columns
    v.stride[1], v.stride[2] = v.stride[2], v.stride[1]
    return v


cdef void gather(
    char *dst, const char *src, Py_ssize_t rows, Py_ssize_t depth, Py_ssize_t rs, Py_ssize_t cs, Py_ssize_t size) noexcept nogil:
    """Rows of contiguous elements, SKINNY_PITCH apart."""
    cdef Py_ssize_t i, k
    for i in range(rows):
        if cs == 1:
            memcpy(dst + i * SKINNY_PITCH * size, src + i * rs * size, depth * size)
        elif size == 4:
            for k in range(depth):
                (<float *>dst)[i * SKINNY_PITCH + k] = (<const float *>src)[i * rs + k * cs]
        else:
            for k in range(depth):
                (<double *>dst)[i * SKINNY_PITCH + k] = (<const double *>src)[i * rs + k * cs]


cdef struct Job:
    View x, w, c, y  # (batch, rows, depth), (batch, depth, cols), (batch, rows, cols) twice
    fc_epilogue e


cdef class Skinny(Prepared):
    """Sizes of one problem; `swapped` makes the first operand the matrix.  A run gets b, c and the bias when it is bound."""

    cdef Py_ssize_t batch, rows, cols, k, kc, panels_per_item, runs, blocks
    cdef bint trans_a, trans_b, b_batched, swapped
    cdef fc_epilogue e

    def __init__(self, size_t table, p, bint swapped, Py_ssize_t kc, Py_ssize_t panels_per_item):
        self.t = <const fc_table *>table
        self.batch, self.k, self.kc, self.panels_per_item, self.swapped = p.batch, p.k, kc, panels_per_item, swapped
        self.rows, self.cols = (p.n, p.m) if swapped else (p.m, p.n)
        self.runs = ((self.cols + self.t.nr - 1) // self.t.nr + panels_per_item - 1) // panels_per_item
        self.blocks = (self.rows + SKINNY_ROWS - 1) // SKINNY_ROWS
        self.trans_a, self.trans_b, self.b_batched = p.trans_a, p.trans_b, p.b_batched
        self.e.alpha, self.e.beta, self.e.relu = p.alpha, p.beta, p.activation == "relu"
        self.e.c, self.e.row_bias, self.e.col_bias = NULL, NULL, NULL
        self.items = self.batch * self.runs * self.blocks

    def operands(self, b, c, bias, packed=None):
        """A run with these operands; `packed` are the panels of b, or None."""
        cdef Bound run = bound(self, (b, c, bias, packed))
        run.arrays.b = view(b)
        if not self.b_batched:
            run.arrays.b.stride[0] = 0
        if c is not None:
            run.arrays.c = view(c)
        run.arrays.bias, run.arrays.weights = address(bias), address(packed)
        return run

    cdef Job describe(self, const Arrays *arrays) noexcept nogil:
        """Both operands, the addend and the result as x, the matrix, c and y."""
        cdef Job job
        job.x, job.w, job.c, job.y, job.e = arrays.x, arrays.b, arrays.c, arrays.y, self.e
        if self.trans_a:
            job.x = transposed(job.x)
        if self.trans_b:
            job.w = transposed(job.w)
        if self.swapped:
            job.x, job.w, job.c, job.y = transposed(job.w), transposed(job.x), transposed(job.c), transposed(job.y)
            job.e.row_bias = arrays.bias
        else:
            job.e.col_bias = arrays.bias
        return job

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef Job job = self.describe(arrays)
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, i0 = i % self.blocks * SKINNY_ROWS, rows = min(self.rows - i0, SKINNY_ROWS)
        cdef Py_ssize_t run = i // self.blocks % self.runs, z = i // self.blocks // self.runs, panel = run * self.panels_per_item
        cdef Py_ssize_t first = panel * nr, cols = min(self.cols - first, self.panels_per_item * nr), k = 0, j
        cdef Py_ssize_t across = job.w.stride[2], down = job.w.stride[1]
        cdef Py_ssize_t sum_bytes = self.panels_per_item * nr * rows * size
        cdef char *sums = scratch
        cdef char *row = sums + 2 * sum_bytes
        cdef char *narrow = row + rows * SKINNY_PITCH * size
        cdef const char *x = job.x.data + (z * job.x.stride[0] + i0 * job.x.stride[1]) * size
        cdef const char *w = job.w.data + (z * job.w.stride[0] + first * across) * size
        cdef skinny_args s
        s.rows, s.part, s.sums, s.aside, s.panel = rows, self.kc, sums, sums + sum_bytes, nr * self.k
        while k < self.k:
            s.depth, s.cols, s.first = min(self.k - k, SKINNY_DEPTH // self.kc * self.kc), cols, k == 0
            s.x, s.xrs, s.xcs = x + k * job.x.stride[2] * size, job.x.stride[1], job.x.stride[2]
            s.w = w + k * down * size
            if (across != 1 and s.xcs != 1) or (s.rows > 2 and s.xrs * size % NEAR == 0):
                gather(row, <const char *>s.x, s.rows, s.depth, s.xrs, s.xcs, size)
                s.x, s.xrs, s.xcs = row, SKINNY_PITCH, 1
            if arrays.weights != NULL:
                s.w = arrays.weights + (panel * s.panel + k * nr) * size
                self.t.skinny_panels(&s)
            elif across == 1:
                s.step = down
                self.t.skinny_columns(&s)
            elif down == 1 and rows <= TRANSPOSED_ROWS:
                s.step = across
                self.t.skinny_transposed(&s)
            else:
                self.packed(&s, <const char *>s.w, across, down, narrow)
            k = k + s.depth
        self.finish(&job, z, i0, rows, first, cols, sums)

    cdef void packed(
        self, skinny_args *s, const char *w, Py_ssize_t across, Py_ssize_t down, char *narrow) noexcept nogil:
        """Panel by panel and part by part, each packed into `narrow` before it is used."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, j = 0, k, cols = s.cols, depth = s.depth
        cdef char *sums = <char *>s.sums
        cdef const char *x = <const char *>s.x
        cdef bint first = s.first
        s.w = narrow
        while j < cols:
            s.cols, s.sums, k = min(nr, cols - j), sums + j * s.rows * size, 0
            while k < depth:
                s.depth, s.x, s.first = min(self.kc, depth - k), x + k * s.xcs * size, first and k == 0
                self.t.pack_b(narrow, w + (k * down + j * across) * size, across, down, s.cols, s.depth)
                self.t.skinny_panels(s)
                k = k + s.depth
            j = j + nr
        s.depth, s.sums = depth, sums

    cdef void finish(
        self, const Job *job, Py_ssize_t z, Py_ssize_t i0, Py_ssize_t rows, Py_ssize_t first, Py_ssize_t cols,
        const char *sums) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, j = first
        cdef fc_epilogue e = job.e
        cdef const char *y = job.y.data + (z * job.y.stride[0] + i0 * job.y.stride[1]) * size
        if e.row_bias != NULL:
            e.row_bias = <const char *>e.row_bias + i0 * size
        e.crs, e.ccs = job.c.stride[1], job.c.stride[2]
        while j < first + cols:
            if job.c.data != NULL:
                e.c = job.c.data + (z * job.c.stride[0] + i0 * e.crs + j * e.ccs) * size
            if job.e.col_bias != NULL:
                e.col_bias = <const char *>job.e.col_bias + j * size
            self.t.store(
                sums + (j - first) * rows * size, rows, min(nr, first + cols - j), <char *>y + j * job.y.stride[2] * size,
                job.y.stride[1], job.y.stride[2], &e)
            j = j + nr


cdef class Dots(Prepared):
    """Products whose depth is in lanes: rows of the first operand times columns of the second one, read in place if they are contiguous.

    An item is a run of rows times a run of columns.  Columns that are not contiguous are copied for all rows, `copies` of them at a
    time.  Instead of the depth, columns may be in lanes: where rows of b are contiguous if `across`, for rows `one_by_one` perhaps; else, unless `turned` is 0, so many
    columns at a time are transposed.  A run gets b, c and the bias when it is bound.  Of 16-bit floats, all rows of an item are copied as
    floats, and c, the bias and sums are floats.
    """

    cdef Py_ssize_t batch, m, n, k, rows, cols, row_runs, col_runs, pitch, room, copies, turned, wide  # wide: bytes of a sum
    cdef bint trans_b, b_batched, across, one_by_one
    cdef fc_epilogue e

    def __init__(
        self, size_t table, p, Py_ssize_t rows, Py_ssize_t cols, Py_ssize_t pitch, Py_ssize_t room, Py_ssize_t copies,
        bint across, bint one_by_one, Py_ssize_t turned):
        self.t = <const fc_table *>table
        self.batch, self.m, self.n, self.k, self.rows, self.cols = p.batch, p.m, p.n, p.k, rows, cols
        self.pitch, self.room, self.copies, self.across, self.turned = pitch, room, copies, across, turned
        self.wide, self.one_by_one = p.acc.itemsize, one_by_one
        self.trans_b, self.b_batched = p.trans_b, p.b_batched
        self.e.alpha, self.e.beta, self.e.relu = p.alpha, p.beta, p.activation == "relu"
        self.row_runs, self.col_runs = (self.m + rows - 1) // rows, (self.n + cols - 1) // cols
        self.items = self.batch * self.row_runs * self.col_runs

    def operands(self, b, c, bias):
        """A run with these operands."""
        cdef Bound run = bound(self, (b, c, bias))
        run.arrays.b = view(b)
        if not self.b_batched:
            run.arrays.b.stride[0] = 0
        if c is not None:
            run.arrays.c = view(c)
        run.arrays.bias = address(bias)
        return run

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, z = i // self.col_runs // self.row_runs
        cdef Py_ssize_t i0 = i // self.col_runs % self.row_runs * self.rows, j = i % self.col_runs * self.cols
        cdef Py_ssize_t end = min(self.n, j + self.cols), step, q
        cdef const View *x = &arrays.x
        cdef const View *y = &arrays.y
        cdef const View *c = &arrays.c
        cdef View b = arrays.b if self.trans_b else transposed(arrays.b)  # (batch, columns, depth)
        cdef bint in_place = b.stride[2] == 1 or self.k == 1, across = self.across and not in_place and b.stride[1] == 1
        cdef char *copied = scratch + self.room * self.pitch * self.wide
        cdef dots_args d, other
        d.rows, d.depth, d.alpha, d.beta, d.relu = min(self.rows, self.m - i0), self.k, self.e.alpha, self.e.beta, self.e.relu
        d.a, d.ars, d.acs = x.data + (z * x.stride[0] + i0 * x.stride[1]) * size, x.stride[1], x.stride[2]
        d.ys, d.ycs, d.crs, d.ccs, d.c, d.bias = y.stride[1], y.stride[2], c.stride[1], c.stride[2], NULL, NULL
        d.copy, d.room, d.pitch = scratch, self.room, self.pitch
        while j < end:
            step = end - j if in_place or across else min(end - j, self.copies)
            d.b, d.bs, d.across = b.data + (z * b.stride[0] + j * b.stride[1]) * size, b.stride[1], 0
            if across:
                d.bs, d.across = b.stride[2], 1
            elif in_place and self.turned:
                step = min(end - j, self.turned)
                self.t.turn(copied, self.turned, d.b, d.bs, step, self.k)
                d.b, d.bs, d.across = copied, self.turned, 1
            elif not in_place:
                if size == self.wide and b.stride[1] == 1 and b.stride[2] == step and step <= SPLIT:
                    self.t.split_row(copied, step, self.pitch, d.b, self.k * step)
                elif size == self.wide and b.stride[1] == 1 and step > SPLIT:
                    self.t.turn(copied, self.pitch, d.b, b.stride[2], self.k, step)
                else:
                    for q in range(step):
                        copy_column(copied + q * self.pitch * size, <const char *>d.b + q * b.stride[1] * size, b.stride[2], self.k, size)
                d.b, d.bs = copied, self.pitch
            d.cols = step
            d.y = <char *>y.data + (z * y.stride[0] + i0 * y.stride[1] + j * y.stride[2]) * size
            if c.data != NULL:
                d.c = c.data + (z * c.stride[0] + i0 * c.stride[1] + j * c.stride[2]) * self.wide
            if arrays.bias != NULL:
                d.bias = arrays.bias + j * self.wide
            if step < FEW and not d.across and (d.bias == NULL or d.c == NULL) and d.acs == 1 and d.ars * size % NEAR == 0:
                other = turned_over(d)
                self.t.dots(&other)
            elif across and self.one_by_one:
                self.rows_one_by_one(&d)
            else:
                self.t.dots(&d)
            j = j + step

    cdef void rows_one_by_one(self, dots_args *d) noexcept nogil:
        cdef Py_ssize_t i, rows = d.rows, size = self.t.itemsize
        cdef dots_args one = d[0]
        one.rows = 1
        for i in range(rows):
            one.a, one.y = <const char *>d.a + i * d.ars * size, <char *>d.y + i * d.ys * size
            if d.c != NULL:
                one.c = <const char *>d.c + i * d.crs * self.wide
            self.t.dots(&one)


cdef dots_args turned_over(dots_args d) noexcept nogil:
    """The transposed product, with the other operand's rows as the many: of those the kernel reads fewer at a time where they
    lie in few sets of the L1 cache."""
    cdef dots_args other = d
    other.a, other.ars, other.rows = d.b, d.bs, d.cols
    other.b, other.bs, other.cols = d.a, d.ars, d.rows
    other.ys, other.ycs, other.crs, other.ccs = d.ycs, d.ys, d.ccs, d.crs
    if d.bias != NULL:  # of columns, which are rows now: an addend that is the same in all columns
        other.c, other.bias, other.beta, other.crs, other.ccs = d.bias, NULL, 1.0, 1, 0
    return other


cdef void copy_column(char *to, const char *data, Py_ssize_t down, Py_ssize_t count, Py_ssize_t size) noexcept nogil:
    """`count` elements of `size` bytes, `down` elements apart."""
    cdef Py_ssize_t k
    if size == 4:
        for k in range(count):
            (<float *>to)[k] = (<const float *>data)[k * down]
    elif size == 8:
        for k in range(count):
            (<double *>to)[k] = (<const double *>data)[k * down]
    else:
        for k in range(count):
            (<uint16_t *>to)[k] = (<const uint16_t *>data)[k * down]
