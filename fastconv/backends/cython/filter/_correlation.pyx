# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Correlations with weights of any shape, see simd/windows/tile.inc; where some weights are zero, row by row."""

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

from fastconv.backends.cython.filter._edges cimport CONSTANT, beyond, lined, put_reals
from fastconv.backends.cython.filter._walk cimport Walked, window_tile_args
from fastconv.backends.cython.runtime._prepared cimport Arrays


ctypedef fused number:
    int32_t
    int64_t


cdef inline void take(const char **rows, Py_ssize_t n, Py_ssize_t at, const number *fill, number *to) noexcept nogil:
    """The number `at` bytes into each row."""
    cdef Py_ssize_t r
    for r in range(n):
        to[r] = fill[0] if rows[r] == NULL else (<const number *>(rows[r] + at))[0]


cdef inline void put(const number *x, Py_ssize_t n, char *to, Py_ssize_t pitch) noexcept nogil:
    """To rows `pitch` bytes apart."""
    cdef Py_ssize_t r
    for r in range(n):
        (<number *>(to + r * pitch))[0] = x[r]


cdef class Correlation(Walked):
    """One prepared correlation; its weights are bound."""

    cdef Py_ssize_t sums_pitch, apart
    cdef int out
    cdef double cval

    def __init__(self, int dtype, int out, double cval, Py_ssize_t sums_pitch, Py_ssize_t apart):
        """`sums_pitch`: bytes of a row of sums, if they are not stored as they are; `apart`: of a column of an item, if results
        next to the ends of rows are computed apart, else 0."""
        self.dtype, self.out, self.cval, self.sums_pitch, self.apart = dtype, out, cval, sums_pitch, apart

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        """Results whose windows lie within rows of the image from these, and those next to their ends by columns."""
        cdef Py_ssize_t row = i % self.row_blocks * self.rows, outer = i // self.row_blocks, first = self.width.before
        cdef Py_ssize_t inside = self.width.extent - self.width.taps + 1, parts, k
        if not self.apart:
            Walked.item(self, i, a, scratch)
            return
        parts = (inside + self.run - 1) // self.run
        for k in range(parts):
            self.strip(a, outer, row, first + inside * k // parts, first + inside * (k + 1) // parts, False, scratch)
        self.columns(a, outer, row, 0, first, scratch)
        self.columns(a, outer, row, first + inside, self.width.extent, scratch)

    cdef void columns(
        self, const Arrays *a, Py_ssize_t outer, Py_ssize_t row, Py_ssize_t first, Py_ssize_t end, char *scratch
    ) noexcept nogil:
        """Results first to end of the rows of an item: columns of the image become rows."""
        cdef Py_ssize_t count = min(self.rows, self.height.extent - row), seen = count + self.height.taps - 1, size = self.size
        cdef Py_ssize_t columns = end - first + self.width.taps - 1, line = self.width.extent * self.inner * size, r, c, e, t, at
        cdef const char **rows = <const char **>scratch
        cdef const void **taps = <const void **>(scratch + lined(seen * sizeof(void *)))
        cdef char *sums = <char *>taps + lined(self.height.taps * self.width.taps * sizeof(void *))
        cdef char *fill = sums + self.apart
        cdef char *held = fill + self.apart
        cdef char *to = held
        cdef const char *x = a.x.data + self.plane(outer, 0) * self.height.extent * line
        cdef char *y = a.y.data + (outer * self.height.extent + row) * line + first * self.inner * size
        if self.mode == CONSTANT:
            self.constant(fill, self.apart // size)
        for r in range(seen):
            at = beyond(row + r - self.height.before, self.height.extent, self.mode)
            rows[r] = NULL if at < 0 else x + at * line
        for c in range(columns):
            at = beyond(first + c - self.width.before, self.width.extent, self.mode)
            for e in range(self.inner):
                if at < 0:
                    memcpy(to, fill, seen * size)
                elif size == 4:
                    take[int32_t](rows, seen, (at * self.inner + e) * size, <int32_t *>fill, <int32_t *>to)
                else:
                    take[int64_t](rows, seen, (at * self.inner + e) * size, <int64_t *>fill, <int64_t *>to)
                to += self.apart
        for c in range((end - first) * self.inner):
            t = 0
            for r in range(self.height.taps):
                for at in range(self.width.taps):
                    taps[t] = held + (c + at * self.inner) * self.apart + r * size
                    t += 1
            self.w.sum_(<const void *const *>taps, a.weights, t, sums, count)
            if size == 4:
                put[int32_t](<int32_t *>sums, count, y + c * size, line)
            else:
                put[int64_t](<int64_t *>sums, count, y + c * size, line)

    cdef void results(
        self, const void **rows, Py_ssize_t at, Py_ssize_t count, Py_ssize_t all, Py_ssize_t n, char *y, const Arrays *a,
        char *scratch) noexcept nogil:
        cdef Py_ssize_t pitch = self.width.extent * self.inner * self.made, i
        cdef char *sums = y if self.stored else scratch
        cdef char *carried = scratch + self.together * self.sums_pitch
        cdef const void **taps = <const void **>carried
        cdef window_tile_args f
        if self.keep is not None:
            self.point_taps(rows, taps)
            self.w.sum_(<const void *const *>taps, a.weights, self.taps, sums, n)
        else:
            f.rows, f.weights, f.planes, f.height = <const void *const *>rows, a.weights, self.planes, self.height.taps
            f.taps, f.step, f.count, f.n = self.width.taps, self.inner, count, n
            f.y, f.ys = sums, (pitch if self.stored else self.sums_pitch) // self.size
            f.at, f.all, f.carried = at, all, carried
            f.ahead, f.pitch = NULL, self.width.extent * self.inner
            if self.direct and self.stored and self.planes == 1 and n > self.vl:
                f.ahead = <const char *>rows[self.height.taps + count - 2] + f.pitch * self.size
            self.w.tile(&f)
        if not self.stored:
            for i in range(count):
                self.t.filter_leave(self.out, sums + i * self.sums_pitch, n, y + i * pitch)

    cdef void constant(self, char *to, Py_ssize_t n) noexcept nogil:
        put_reals(to, n, self.size, self.cval)
