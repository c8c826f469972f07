# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Products of bfloat16 matrices in matrix registers, 32 x 32 outputs at a time.

The rows of one operand, `left`, are read in place where they are contiguous; of the other, `right`, panels of 32 columns are
packed in pairs.  Which operand is which makes no difference to a bit.  An item of work is a run of panels, which stays in
the L2 cache, and a run of strips of `left`, of at most 32 rows each.
"""

from fastconv.backends.cython.runtime._prepared cimport Arrays, Bound, Prepared, bound
from fastconv.backends.cython.runtime._simd cimport View, address, fc_table, view
from fastconv.backends.cython.runtime._tiles cimport fc_tiles, tiles_args, tiles_store_args

cdef enum:
    WIDTH = 32  # rows of a strip, columns of a panel
    SIZE = 2  # bytes of an element
    PASSES = 2  # largest number of panels for which rows are read in place


cdef class TiledGemm(Prepared):
    """Sizes and options of one problem; a run gets b, c and the bias when it is bound."""

    cdef const fc_tiles *tiles
    cdef Py_ssize_t batch, m, n, k  # of left and right
    cdef Py_ssize_t steps, pairs  # of the depth; pairs of a step
    cdef Py_ssize_t strips, panels, panels_per_item, strips_per_item, groups, runs
    cdef bint swapped, trans_a, trans_b, b_batched
    cdef float alpha, beta
    cdef bint relu

    def __init__(
        self, size_t table, size_t tiles, p, Py_ssize_t steps, Py_ssize_t pairs, Py_ssize_t panels_per_item,
        Py_ssize_t strips_per_item, bint swapped):
        self.t, self.tiles = <const fc_table *>table, <const fc_tiles *>tiles
        self.batch, self.k, self.swapped = p.batch, p.k, swapped
        self.m, self.n = (p.n, p.m) if swapped else (p.m, p.n)
        self.trans_a, self.trans_b, self.b_batched = p.trans_a, p.trans_b, p.b_batched
        self.alpha, self.beta, self.relu = p.alpha, p.beta, p.activation == "relu"
        self.steps, self.pairs = steps, pairs
        self.strips, self.panels = (self.m + WIDTH - 1) // WIDTH, (self.n + WIDTH - 1) // WIDTH
        self.panels_per_item, self.strips_per_item = panels_per_item, strips_per_item
        self.groups = (self.panels + panels_per_item - 1) // panels_per_item
        self.runs = (self.strips + strips_per_item - 1) // strips_per_item
        self.items = self.batch * self.groups * self.runs

    def scratch_bytes(self):
        """Of one thread: sums of a tile, a packed strip, panels of an item."""
        return self.strip_bytes() + WIDTH * WIDTH * 4 + self.panels_per_item * self.panel_bytes()

    cdef Py_ssize_t panel_bytes(self) noexcept nogil:
        return self.steps * self.pairs * WIDTH * 2 * SIZE

    cdef Py_ssize_t strip_bytes(self) noexcept nogil:
        return self.panel_bytes()

    def operands(self, b, c, bias, packed=None):
        """A run with these operands; b is packed into `packed`, if that is given."""
        cdef Bound run = bound(self, (b, c, bias, packed))
        cdef Arrays *arrays = &run.arrays
        arrays.b = view(b)
        if not self.b_batched:
            arrays.b.stride[0] = 0
        if c is not None:
            arrays.c = view(c)
        arrays.bias, arrays.weights = address(bias), address(packed)
        if packed is not None:
            with nogil:
                self.pack(&arrays.b, 0, self.panels, <char *>arrays.weights)
        return run

    cdef void pack(self, const View *right, Py_ssize_t panel, Py_ssize_t count, char *to) noexcept nogil:
        """Some panels of the right operand, whose last axes are (k, n), or (n, k) if it is the transposed b or a."""
        cdef Py_ssize_t down = right.stride[1], across = right.stride[2], j = panel * WIDTH
        if self.trans_b if not self.swapped else not self.trans_a:
            down, across = across, down
        self.tiles.pair_rows(
            to, self.panel_bytes() // 4, WIDTH, right.data + j * across * SIZE, across, down, min(count * WIDTH, self.n - j),
            self.k, self.steps * self.pairs, count * WIDTH)

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef Py_ssize_t g = i % self.groups, r = i // self.groups % self.runs, z = i // self.groups // self.runs
        cdef Py_ssize_t j0 = g * self.panels_per_item, j1 = min(self.panels, j0 + self.panels_per_item), j
        cdef Py_ssize_t s, i0, i1, rows = 0, down, across, depth = 2 * self.pairs, part = 0
        cdef View left = arrays.x, right = arrays.b
        cdef char *strip = scratch + WIDTH * WIDTH * 4
        cdef char *panels = strip + self.strip_bytes()
        cdef const char *y
        cdef float *c = NULL
        cdef const char *row
        cdef bint in_place
        cdef tiles_args t
        cdef tiles_store_args e
        if self.swapped:
            left, right = right, left
        left.data = left.data + z * left.stride[0] * SIZE
        right.data = right.data + z * right.stride[0] * SIZE
        down, across = left.stride[1], left.stride[2]  # from row to row, and along the sum
        if self.trans_a if not self.swapped else not self.trans_b:
            down, across = across, down
        e.rs, e.cs = arrays.y.stride[1], arrays.y.stride[2]
        e.crs, e.ccs = arrays.c.stride[1], arrays.c.stride[2]
        e.row_bias, e.col_bias = NULL, <const float *>arrays.bias
        if self.swapped:
            e.rs, e.cs, e.crs, e.ccs = e.cs, e.rs, e.ccs, e.crs
            e.row_bias, e.col_bias = e.col_bias, NULL
        e.alpha, e.beta, e.relu = self.alpha, self.beta, self.relu
        e.sums = t.sums = <float *>scratch
        y = arrays.y.data + z * arrays.y.stride[0] * SIZE
        if arrays.c.data != NULL:
            c = <float *>arrays.c.data + z * arrays.c.stride[0]
        if arrays.weights == NULL:
            self.pack(&right, j0, j1 - j0, panels)
        else:
            panels = <char *>arrays.weights + j0 * self.panel_bytes()
        t.parts, t.a_parts, t.b_parts, t.steps = 1, &part, &part, self.steps
        t.brs, t.b_step = WIDTH * 2, self.pairs * WIDTH * 2
        # Rows across cache lines take twice as long to load: a strip that is read more often is copied.
        in_place = across == 1 and j1 - j0 <= PASSES
        for s in range(r * self.strips_per_item, min(self.strips, (r + 1) * self.strips_per_item)):
            i0, i1 = self.m * s // self.strips, self.m * (s + 1) // self.strips
            if i1 - i0 != rows:
                rows = i1 - i0
                self.tiles.begin_tiles(rows, self.pairs)
            t.rows = e.rows = rows
            row = left.data + i0 * down * SIZE
            t.last = NULL
            if in_place:
                t.a, t.ars, t.a_step = row, down, depth
                if self.k % depth:
                    self.tiles.pair_columns(
                        strip, row + (self.steps - 1) * depth * SIZE, down, 1, rows, self.k - (self.steps - 1) * depth, 1,
                        self.pairs)
                    t.last, t.last_rs = strip, depth
            else:
                self.tiles.pair_columns(strip, row, down, across, rows, self.k, self.steps, self.pairs)
                t.a, t.ars, t.a_step = strip, depth, rows * depth
            for j in range(j0, j1):
                t.b = panels + (j - j0) * self.panel_bytes()
                t.cols = e.cols = min(<Py_ssize_t>WIDTH, self.n - j * WIDTH)
                self.tiles.multiply_tiles(&t)
                e.y = <char *>y + (i0 * e.rs + j * WIDTH * e.cs) * SIZE
                e.c = NULL if c == NULL else c + i0 * e.crs + j * WIDTH * e.ccs
                if arrays.bias != NULL:
                    if self.swapped:
                        e.row_bias = <const float *>arrays.bias + i0
                    else:
                        e.col_bias = <const float *>arrays.bias + j * WIDTH
                self.tiles.store_tiles(&e)
        self.tiles.end_tiles()
