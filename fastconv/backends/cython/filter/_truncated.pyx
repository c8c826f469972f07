# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Correlations of small integers down columns and along rows, truncated after each axis, see simd/windows/truncated.inc.

An item of work is some rows of an image, in strips of columns.  The rows that windows see are held as floats, with what lies
beside the strip, so that each is converted once for each item.  As many rows as a vector has lanes are summed down columns at once,
and those sums are transposed for the sums along rows.
"""

from libc.stdint cimport int32_t
from libc.string cimport memcpy, memset

from fastconv.backends.cython.filter._edges cimport CONSTANT, beyond, lined
from fastconv.backends.cython.filter._stages cimport Pass, pass_of
from fastconv.backends.cython.filter._walk cimport BAND_ROWS, fc_windows, named_windows, window_truncated_args
from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport fc_table


cdef struct Known:
    # Of the sums along an axis, see `truncated.KNOWN`.
    int32_t symmetry, shift
    float bound
    int32_t has_equal, least
    int32_t equal[256]


cdef class Truncated(Prepared):
    """One prepared filter.  Bound are weights, as float and as double, and what is known of the sums along each axis."""

    cdef const fc_windows *w
    cdef Pass down, along
    cdef Py_ssize_t outer, height, width, inner, rows, row_blocks, strip, given, made
    cdef Py_ssize_t slots, pitch  # rows that are held, and bytes of one
    cdef int dtype
    cdef bint is_signed
    cdef float cval

    def __init__(self, str table, size_t types, plan, int dtype, sizes, bint is_signed, float cval):
        """`plan`: see truncated.py; `dtype`: of the input; `sizes`: bytes of numbers of x and of y; `is_signed`: of y."""
        self.w, self.t = named_windows(table), <const fc_table *>types
        self.down, self.along = pass_of(plan.down), pass_of(plan.along)
        self.outer, self.height, self.width, self.inner = plan.image
        self.rows, self.strip, self.slots, self.pitch = plan.rows, plan.strip, plan.slots, plan.pitch
        self.dtype, self.is_signed, self.cval = dtype, is_signed, cval
        self.given, self.made = sizes
        self.row_blocks = (self.height + self.rows - 1) // self.rows
        self.items = self.outer * self.row_blocks if self.width * self.inner else 0

    def schedule(self, Py_ssize_t scratch_bytes, int threads, tuple parts, x, y, z, Py_ssize_t shared_bytes):
        Prepared.schedule(self, scratch_bytes, threads, parts, x, y, z, shared_bytes)
        cdef Py_ssize_t count = self.outer * self.height * self.width * self.inner
        self.x_bytes, self.y_bytes = count * self.given, count * self.made

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t row = i % self.row_blocks * self.rows, plane = i // self.row_blocks * self.height
        cdef Py_ssize_t last = min(row + self.rows, self.height), first = 0, r, v, at, need, entered, count, unit
        cdef Py_ssize_t vl = self.w.vl, columns, most = max(vl, <Py_ssize_t>BAND_ROWS) + self.down.taps - 1
        cdef const void **rows = <const void **>scratch
        cdef char *fill = scratch + lined(most * sizeof(void *))
        cdef char *ring = fill + self.pitch
        cdef char *sums = ring + self.slots * self.pitch
        cdef window_truncated_args down, along
        self.window(&down, a, &self.down)
        self.window(&along, a, &self.along)
        down.rows, down.step, down.y = <const void *const *>rows, 1, sums
        along.rows, along.step, along.y = NULL, self.inner, sums
        unit = self.width * self.inner
        if self.down.mode == CONSTANT:
            self.constant(fill, self.pitch // sizeof(float))
        while first < self.width:
            columns = min(self.strip, self.width - first)
            down.n, along.n = (columns + self.along.taps - 1) * self.inner, columns * self.inner
            r, entered = row, row
            while r < last:
                count = min(vl, last - r)
                need = r + count + self.down.taps - 1
                for v in range(r, need):
                    at = beyond(v - self.down.before, self.height, self.down.mode)
                    rows[v - r] = fill if at < 0 else ring + v % self.slots * self.pitch
                    if at >= 0 and v >= entered:
                        self.enter(a.x.data + (plane + at) * unit * self.given, first, columns, <char *>rows[v - r])
                for v in range(need - r, most):
                    rows[v] = rows[need - r - 1]
                entered = need
                self.w.truncated_down(&down)
                if self.along.mode == CONSTANT:
                    self.beside(first, columns, sums)
                self.w.truncated_along(&along)
                self.w.truncated_leave(
                    sums, along.n, count, a.y.data + ((plane + r) * self.width + first) * self.inner * self.made,
                    unit * self.made, self.made)
                r += vl
            first += columns

    cdef void window(self, window_truncated_args *f, const Arrays *a, const Pass *w) noexcept nogil:
        cdef const Known *known = <const Known *>a.more + w.at
        f.weights, f.exact = a.weights + w.weight * sizeof(float), <const double *>a.plain + w.weight
        f.taps, f.symmetry, f.bound, f.shift = w.taps, known.symmetry, known.bound, known.shift
        f.is_signed, f.equal, f.least = self.is_signed, NULL, known.least
        if known.has_equal:
            f.equal = known.equal

    cdef void enter(self, const char *x, Py_ssize_t first, Py_ssize_t columns, char *to) noexcept nogil:
        """What a strip sees of a row."""
        cdef Py_ssize_t start = first - self.along.before, after = start + columns + self.along.taps - 1, j
        cdef Py_ssize_t lo = max(start, 0), hi = min(after, self.width), unit = self.inner * sizeof(float)
        self.w.truncated_enter(
            self.dtype, x + lo * self.inner * self.given, (hi - lo) * self.inner, to + (lo - start) * unit)
        memset(to + (after - start) * unit, 0, self.w.vl * sizeof(float))
        for j in range(start, lo):
            self.enter_beside(x, j, start, lo, hi, to)
        for j in range(hi, after):
            self.enter_beside(x, j, start, lo, hi, to)

    cdef void enter_beside(
        self, const char *x, Py_ssize_t j, Py_ssize_t start, Py_ssize_t lo, Py_ssize_t hi, char *to) noexcept nogil:
        """Pixel j, beyond the ends of a row, of a strip that begins with pixel `start` and has `lo` to `hi`."""
        cdef Py_ssize_t at = beyond(j, self.width, self.along.mode), unit = self.inner * sizeof(float)
        to += (j - start) * unit
        if at < 0:
            memset(to, 0, unit)
        elif lo <= at < hi:
            memcpy(to, to + (at - j) * unit, unit)
        else:
            self.w.truncated_enter(self.dtype, x + at * self.inner * self.given, self.inner, to)

    cdef void beside(self, Py_ssize_t first, Py_ssize_t columns, char *sums) noexcept nogil:
        """The constant in place of sums down columns that do not exist."""
        cdef Py_ssize_t start = first - self.along.before, j, n = self.inner * self.w.vl
        for j in range(start, start + columns + self.along.taps - 1):
            if j < 0 or j >= self.width:
                self.constant(sums + (j - start) * n * sizeof(float), n)

    cdef void constant(self, char *to, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(n):
            (<float *>to)[i] = self.cval
