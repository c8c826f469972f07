# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Windows of small integers in lanes of 16 bits, see simd/windows/small.inc; an item of work is some rows of results."""

from libc.stdint cimport int32_t
from libc.string cimport memcpy, memset

from fastconv.backends.cython.filter._edges cimport CONSTANT, beyond, lined
from fastconv.backends.cython.filter._walk cimport (
    PAIRS_TOGETHER,
    SMALL_PAIRS,
    SMALL_ROWS,
    SMALL_TOGETHER,
    Axis,
    fc_windows,
    named_windows,
    window_small_args,
)
from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport address, fc_table


cdef class Small(Prepared):
    """One prepared filter.  Bound are `small.Sums`: what is known of its weights."""

    cdef const fc_windows *w
    cdef Axis height, width
    cdef Py_ssize_t outer, inner, rows, row_blocks, given, made
    cdef int mode, fill
    cdef const Py_ssize_t *beyond

    def __init__(self, str table, size_t types, lines, Py_ssize_t rows, sizes, int mode, int fill, beyond):
        """`table`, `types`: as in `Walked.walk`; `rows`: of an item; `sizes`: bytes of numbers of x and of y; `beyond`: of a
        row, the elements that those beyond its ends repeat."""
        self.w, self.t, self.keep = named_windows(table), <const fc_table *>types, beyond
        self.height.extent, self.height.taps, self.height.before = lines.height
        self.width.extent, self.width.taps, self.width.before = lines.width
        self.outer, self.inner, self.rows, self.mode, self.fill = lines.outer, lines.inner, rows, mode, fill
        self.given, self.made = sizes
        self.beyond = <const Py_ssize_t *>address(beyond)
        self.row_blocks = (self.height.extent + rows - 1) // rows
        self.items = self.outer * self.row_blocks if self.width.extent else 0

    def schedule(self, Py_ssize_t scratch_bytes, int threads, tuple parts, x, y, z, Py_ssize_t shared_bytes):
        Prepared.schedule(self, scratch_bytes, threads, parts, x, y, z, shared_bytes)
        cdef Py_ssize_t count = self.outer * self.height.extent * self.width.extent * self.inner
        self.x_bytes, self.y_bytes = count * self.given, count * self.made

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t r = i % self.row_blocks * self.rows, first = r, last = min(r + self.rows, self.height.extent), v, at
        cdef Py_ssize_t n = self.width.extent * self.inner, together, plane = i // self.row_blocks * self.height.extent
        cdef const int32_t *known = <const int32_t *>a.weights
        cdef const void *rows[SMALL_ROWS]
        cdef window_small_args f
        f.rows, f.n, f.given, f.made, f.step = <const void *const *>rows, n, self.given, self.made, self.inner
        f.taps, f.before, f.beyond, f.fill, f.ys = self.width.taps, self.width.before, self.beyond, self.fill, n * self.made
        f.kind, f.middle[0], f.middle[1], f.low = known[0], known[1], known[2], known[3]
        f.height, f.pairs, f.weights, f.space = self.height.taps, (self.width.taps + 1) // 2, known + 4, scratch
        together = PAIRS_TOGETHER if f.kind == SMALL_PAIRS else SMALL_TOGETHER
        if f.kind == SMALL_PAIRS and self.height.taps < PAIRS_TOGETHER - 1:
            together = 1
        if self.mode == CONSTANT:
            f.space = scratch + lined(n * self.given)
            if self.given == 1:
                memset(scratch, self.fill, n)
            else:
                for v in range(n):
                    memcpy(scratch + 2 * v, &self.fill, 2)
        while r < last:
            if last - first >= together:  # the last rows overlap those before them
                r, f.count = min(r, last - together), together
            else:
                f.count = 1
            for v in range(f.count + self.height.taps - 1):
                at = beyond(r + v - self.height.before, self.height.extent, self.mode)
                rows[v] = scratch if at < 0 else a.x.data + (plane + at) * n * self.given
            f.y = a.y.data + (plane + r) * n * self.made
            self.w.small(&f)
            r += f.count
