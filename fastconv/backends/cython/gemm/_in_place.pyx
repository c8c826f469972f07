# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Products that are computed where their operands are: an item of work is a run of rows and columns of one product of the batch.

Columns of the result lie in lanes.  Rows of b are read in place if they are contiguous; where columns of b are, as in the weights
of `linear`, blocks of them are transposed in the L1 cache.  Few columns would leave lanes empty: such a product is `swapped`, with
rows of the result in lanes, and blocks of rows of a are transposed.  A matrix b of 16-bit floats, neither transposed nor swapped, is
multiplied by rows of floats, or of pairs, and results are floats or rounded to 16 bits.
"""

from libc.stdint cimport uint16_t

from fastconv.backends.cython.runtime._prepared cimport Arrays, Bound, Prepared, bound
from fastconv.backends.cython.runtime._simd cimport View, address, fc_table, in_place_args, view

cdef enum:
    AHEAD = 16  # rows of b that are prefetched before they are read
    WAY = 4096  # bytes: of rows a multiple of this apart the L1 cache keeps few
    FEW = 6
    WIDE = 6  # pairs of vectors that strips of few rows take at a time
    STORES = 12  # a sum so short takes less time than its store
    NEAR_BYTES = 16 << 10  # of b, which stay in the L1 cache for all strips of rows
    SPLIT = 4  # products that shuffles split; more are transposed
    JOINED = 8  # columns, at most, of a product that is swapped
    SPILLED = 64  # results of a row that are not adjacent, at a time


cdef class InPlace(Prepared):
    """Sizes of one problem; a run gets b and the bias when it is bound."""

    cdef Py_ssize_t batch, m, n, k, kc, rows, cols, row_runs, col_runs, block, strip
    cdef Py_ssize_t size, b_size, y_size  # bytes of an element of a, of b, and of y
    cdef bint trans_a, trans_b, b_batched, swapped, relu, paired, odd, row_bias

    def __init__(
        self, size_t table, p, Py_ssize_t kc, Py_ssize_t rows, Py_ssize_t cols, Py_ssize_t block, bint swapped, Py_ssize_t b_size,
        Py_ssize_t y_size, Py_ssize_t strip, bint paired=False, bint row_bias=False):
        """`rows` and `cols` of an item, `strip`: rows of a tile, at most; `block`: rows of a or columns of b, whichever lie in lanes, that are transposed at a time, if any are;
        `paired`: products are of pairs; `row_bias`: biases are of rows."""
        self.t = <const fc_table *>table
        self.batch, self.m, self.n, self.k, self.kc, self.size = p.batch, p.m, p.n, p.k, kc, p.acc.itemsize
        self.rows, self.cols, self.block, self.swapped, self.b_size, self.strip = rows, cols, block, swapped, b_size, strip
        self.y_size, self.paired, self.odd, self.row_bias = y_size, paired, False, row_bias
        self.trans_a, self.trans_b, self.b_batched, self.relu = p.trans_a, p.trans_b, p.b_batched, p.activation == "relu"
        self.row_runs, self.col_runs = (self.m + rows - 1) // rows, (self.n + cols - 1) // cols
        self.items = self.batch * self.row_runs * self.col_runs

    def schedule(self, Py_ssize_t scratch_bytes, int threads, tuple parts, x, y, z, Py_ssize_t shared_bytes):
        Prepared.schedule(self, scratch_bytes, threads, parts, x, y, z, shared_bytes)
        self.y_bytes = y[0] * self.y_size

    def operands(self, b, c, bias):
        """A run with these operands."""
        cdef Bound run
        if self.block == 0 and b.shape[2 - self.trans_b] > 1 and b.strides[2 - self.trans_b] != b.itemsize:
            b = b.copy()
        self.odd = self.paired and b.shape[1] % 2  # the same for all b of this problem
        run = bound(self, (b, c, bias))
        run.arrays.b = view(b)
        if not self.b_batched:
            run.arrays.b.stride[0] = 0
        run.arrays.bias = address(bias)
        return run

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef Py_ssize_t size = self.size, z = i // self.col_runs // self.row_runs, down, across
        cdef Py_ssize_t first = i // self.col_runs % self.row_runs * self.rows, j = i % self.col_runs * self.cols
        cdef const View *x = &arrays.x
        cdef const View *b = &arrays.b
        cdef const View *y = &arrays.y
        cdef in_place_args t
        t.depth, t.part, t.relu, t.row_bias, t.col_bias = self.k, self.kc, self.relu, NULL, NULL
        t.narrow, t.odd = self.y_size < self.size, self.odd
        t.ars, t.acs, down, across = x.stride[1], x.stride[2], b.stride[1], b.stride[2]
        if self.trans_a:
            t.ars, t.acs = t.acs, t.ars
        if self.trans_b:
            down, across = across, down
        t.a = x.data + (z * x.stride[0] + first * t.ars) * size
        t.b, t.bs = b.data + (z * b.stride[0] + j * across) * self.b_size, down
        t.y, t.ys = y.data + (z * y.stride[0] + first * y.stride[1] + j * y.stride[2]) * self.y_size, y.stride[1]
        t.m, t.n = min(self.rows, self.m - first), min(self.cols, self.n - j)
        if arrays.bias != NULL and self.row_bias:
            t.row_bias = arrays.bias + first * size
        elif arrays.bias != NULL:
            t.col_bias = arrays.bias + j * size
        if self.swapped:
            self.rows_in_lanes(&t, across, y.stride[2], scratch)
        elif self.block and across != 1 and self.n > 1:
            self.turned_columns(&t, across, y.stride[2], scratch)
        else:
            self.multiply(&t, y.stride[2])

    cdef void multiply(self, in_place_args *t, Py_ssize_t ycs) noexcept nogil:
        """A product whose rows of b are contiguous."""
        cdef Py_ssize_t size = self.size, nr = self.t.nr, i, j, m = t.m, n = t.n, most = SPILLED
        cdef in_place_args one
        cdef double some[SPILLED]
        t.ahead = t.bs * (FEW if t.bs * self.b_size % WAY == 0 else AHEAD)
        t.group = max(nr if self.b_size == size else WIDE * nr, NEAR_BYTES // (self.k * size) // nr * nr)
        if m <= self.strip:  # rows of b are read once, in long runs
            t.group = n
        if ycs == 1 and self.k <= STORES and t.ys * self.y_size % WAY == 0 and m > self.t.mr // 2:
            self.few_at_a_time(t)
            return
        if ycs == 1 or n == 1:
            self.t.in_place(t)
            return
        one = t[0]
        one.m, one.y = 1, some
        for i in range(m):
            one.a = <const char *>t.a + i * t.ars * size
            if t.row_bias != NULL:
                one.row_bias = <const char *>t.row_bias + i * size
            j = 0
            while j < n:
                one.n, one.b = min(most, n - j), <const char *>t.b + j * self.b_size
                if t.col_bias != NULL:
                    one.col_bias = <const char *>t.col_bias + j * size
                self.t.in_place(&one)
                copy(<char *>t.y + (i * t.ys + j * ycs) * self.y_size, ycs, <char *>some, 1, one.n, self.y_size)
                j = j + most

    cdef void few_at_a_time(self, in_place_args *t) noexcept nogil:
        """Rows of the result that lie in the same sets of the L1 cache: as many at a time as it keeps."""
        cdef Py_ssize_t size = self.size, rows = self.t.mr // 2, i, j = 0
        cdef in_place_args some = t[0]
        while j < t.n:
            some.n, i = min(t.group, t.n - j), 0
            some.b = <const char *>t.b + j * self.b_size
            if t.col_bias != NULL:
                some.col_bias = <const char *>t.col_bias + j * size
            while i < t.m:
                some.m = min(rows, t.m - i)
                some.a, some.y = <const char *>t.a + i * t.ars * size, <char *>t.y + (i * t.ys + j) * self.y_size
                if t.row_bias != NULL:
                    some.row_bias = <const char *>t.row_bias + i * size
                self.t.in_place(&some)
                i = i + rows
            j = j + t.group

    cdef void turned_columns(self, in_place_args *t, Py_ssize_t across, Py_ssize_t ycs, char *scratch) noexcept nogil:
        """Blocks of columns of b, transposed."""
        cdef Py_ssize_t size = self.size, n = t.n, down = t.bs, j = 0
        cdef const char *b = <const char *>t.b
        cdef const char *bias = <const char *>t.col_bias
        cdef char *y = <char *>t.y
        t.b, t.bs = scratch, self.block
        while j < n:
            t.n, t.y = min(self.block, n - j), y + j * ycs * size
            if bias != NULL:
                t.col_bias = bias + j * size
            self.turned(scratch, self.block, b + j * across * size, across, down, t.n)
            self.multiply(t, ycs)
            j = j + self.block

    cdef void turned(
        self, char *to, Py_ssize_t pitch, const char *x, Py_ssize_t xs, Py_ssize_t xcs, Py_ssize_t count) noexcept nogil:
        """to[k*pitch + i] = x[i*xs + k*xcs] for i < count and all k."""
        cdef Py_ssize_t k, size = self.size
        if xcs == 1 and xs == self.k and self.k <= SPLIT:
            self.t.split_row(to, self.k, pitch, x, count * self.k)
        elif xcs == 1:
            self.t.turn(to, pitch, x, xs, count, self.k)
        else:
            for k in range(self.k):
                copy(to + k * pitch * size, 1, x + k * xcs * size, xs, count, size)

    cdef void rows_in_lanes(self, in_place_args *t, Py_ssize_t across, Py_ssize_t ycs, char *scratch) noexcept nogil:
        """Columns of b times blocks of rows of a, transposed, and the results, transposed again."""
        cdef Py_ssize_t size = self.size, i = 0, j, m = t.m, n = t.n, ars = t.ars, acs = t.acs, yrs = t.ys, pitch = self.block
        cdef const char *a = <const char *>t.a
        cdef char *y = <char *>t.y
        cdef char *results = scratch + self.k * pitch * size
        cdef const void *rows[JOINED]
        t.a, t.ars, t.acs, t.m = t.b, across, t.bs, n
        t.row_bias, t.col_bias = t.col_bias, NULL
        t.b, t.bs, t.y, t.ys = scratch, pitch, results, pitch
        for j in range(n):
            rows[j] = results + j * pitch * size
        while i < m:
            t.n = min(pitch, m - i)
            if n == 1 and yrs == 1:
                t.y = y + i * size
            if ars == 1:
                t.b, t.bs = a + i * size, acs
            else:
                self.turned(scratch, pitch, a + i * ars * size, ars, acs, t.n)
            self.multiply(t, 1)
            if ycs == 1 and n > SPLIT and n < JOINED:
                self.t.turn(y + i * yrs * size, yrs, results, pitch, n, t.n)
            elif ycs == 1 and yrs == n and n > 1:
                self.t.interleave(y + i * n * size, rows, n, t.n * n)
            elif t.y == results:
                for j in range(n):
                    copy(y + (i * yrs + j * ycs) * size, yrs, results + j * pitch * size, 1, t.n, size)
            i = i + pitch


cdef void copy(char *to, Py_ssize_t to_step, const char *data, Py_ssize_t step, Py_ssize_t count, Py_ssize_t size) noexcept nogil:
    """`count` elements of `size` bytes, `step` elements apart, to where they are `to_step` apart."""
    cdef Py_ssize_t i
    if size == 2:
        for i in range(count):
            (<uint16_t *>to)[i * to_step] = (<const uint16_t *>data)[i * step]
    elif size == 4:
        for i in range(count):
            (<float *>to)[i * to_step] = (<const float *>data)[i * step]
    else:
        for i in range(count):
            (<double *>to)[i * to_step] = (<const double *>data)[i * step]
