# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Ranks of the elements of windows, see simd/windows/ranks.inc."""

from libc.string cimport memcpy, memset

from fastconv.backends.cython.filter._edges cimport CONSTANT, beyond, lined, put_reals
from fastconv.backends.cython.filter._walk cimport Walked, window_median_args, window_rank_args
from fastconv.backends.cython.runtime._prepared cimport Arrays

cdef enum:
    LARGEST = 5  # rows of a window with a network


cdef class Rank(Walked):
    """One prepared filter."""

    cdef Py_ssize_t rank, pitch_found, pitch_sorted, part, apart
    cdef int out, square
    cdef bint of_bytes
    cdef double cval

    def __init__(
        self, int dtype, int out, double cval, Py_ssize_t rank, bint of_bytes, int square, pitches, Py_ssize_t part,
        Py_ssize_t apart
    ):
        """`square`: rows of a window whose median a network finds, or 0; `pitches`: bytes of a row of results, if they are
        not stored as they are, and of a row of sorted columns, if there is a network; `part`: see windows.h; `apart`: bytes of
        a column of an item, if results next to the ends of rows are computed apart, else 0."""
        self.dtype, self.out, self.cval, self.rank = dtype, out, cval, rank
        self.of_bytes, self.square, self.part, self.apart = of_bytes, square, part, apart
        self.pitch_found, self.pitch_sorted = pitches

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        """Rows of results from rows of the image as they lie in memory, and those next to their ends by columns."""
        if not self.apart:
            Walked.item(self, i, a, scratch)
            return
        cdef Py_ssize_t first = i % self.row_blocks * self.rows, outer = i // self.row_blocks, wide = self.width.extent, count
        cdef Py_ssize_t last = min(first + self.rows, self.height.extent), inside = wide - self.square + 1, r, t
        cdef const void **rows = <const void **>scratch
        cdef char *fill = scratch + lined(2 * self.square * sizeof(void *))
        cdef char *rest = fill + lined(wide * self.size)
        cdef const char *x = a.x.data + self.plane(outer, 0) * self.height.extent * wide * self.size
        cdef char *y = a.y.data + (outer * self.height.extent + first) * wide * self.size
        cdef char *to
        if self.mode == CONSTANT:
            self.constant(fill, wide)
        r = first
        while r < last:
            count = 2 if self.square == 3 and r + 1 < last else 1
            for t in range(self.square + count - 1):
                rows[t] = self.row_of(x, r + t - self.height.before, fill)
            to = y + ((r - first) * wide + self.width.before) * self.size
            if count == 1 or not self.network(rows, 2, inside, to, rest):
                for t in range(count):
                    self.line(rows + t, inside, to + t * wide * self.size, rest, False)
            r += count
        self.columns(x, first, last, 0, self.width.before, y, scratch, fill, rest)
        self.columns(x, first, last, self.width.before + inside, wide, y, scratch, fill, rest)

    cdef const char *row_of(self, const char *x, Py_ssize_t at, const char *fill) noexcept nogil:
        at = beyond(at, self.height.extent, self.mode)
        return fill if at < 0 else x + at * self.width.extent * self.size

    cdef void columns(
        self, const char *x, Py_ssize_t first, Py_ssize_t last, Py_ssize_t start, Py_ssize_t end, char *y, char *scratch,
        const char *fill, char *rest
    ) noexcept nogil:
        """Columns start to end of the results of an item: columns of the image become rows."""
        cdef const void **rows = <const void **>scratch
        cdef char *held = rest
        cdef char *found = held + (2 * self.square - 2) * self.apart
        cdef const char *from_
        cdef Py_ssize_t columns = end - start + self.square - 1, r, c, count = last - first + self.square - 1
        cdef Py_ssize_t at[2 * LARGEST]
        for c in range(columns):
            at[c] = beyond(start + c - self.width.before, self.width.extent, self.mode)
        for r in range(count):
            from_ = self.row_of(x, first + r - self.height.before, fill)
            for c in range(columns):
                self.copy(held + c * self.apart + r * self.size, fill if at[c] < 0 else from_ + at[c] * self.size)
        for c in range(end - start):
            for r in range(self.square):
                rows[r] = held + (c + r) * self.apart
            self.line(rows, last - first, found, found + self.apart, True)
            for r in range(last - first):
                self.copy(y + (r * self.width.extent + start + c) * self.size, found + r * self.size)

    cdef inline void copy(self, char *to, const char *from_) noexcept nogil:
        if self.size == 1:
            to[0] = from_[0]
        elif self.size == 4:
            memcpy(to, from_, 4)
        else:
            memcpy(to, from_, 8)

    cdef void results(
        self, const void **rows, Py_ssize_t at, Py_ssize_t count, Py_ssize_t all, Py_ssize_t n, char *y, const Arrays *a,
        char *scratch) noexcept nogil:
        """Of one row."""
        cdef char *found = y if self.stored else scratch
        self.line(rows, n, found, scratch + self.pitch_found, False)
        self.leave(found, n, y)

    cdef void line(
        self, const void **rows, Py_ssize_t n, char *found, char *scratch, bint by_columns) noexcept nogil:
        """`n` ranks; `by_columns`: `rows` are columns of the image."""
        cdef window_rank_args r
        cdef const void **taps
        cdef Py_ssize_t t
        if self.square:
            if self.network(rows, 1, n, found, scratch):
                return
            scratch += self.square * self.pitch_sorted
        taps = <const void **>scratch
        if by_columns:
            for t in range(self.taps):
                taps[t] = <const char *>rows[self.offsets[2 * t + 1]] + self.offsets[2 * t] * self.size
        else:
            self.point_taps(rows, taps)
        r.taps, r.count, r.rank, r.y, r.n = <const void *const *>scratch, self.taps, self.rank, found, n
        r.space = <double *>(scratch + lined(self.taps * sizeof(void *)))
        if self.of_bytes:
            self.w.rank_bytes(&r)
        else:
            self.w.rank(&r)

    cdef bint network(self, const void **rows, Py_ssize_t count, Py_ssize_t n, char *y, char *scratch) noexcept nogil:
        """`n` medians of each of `count` rows of the image; False if one of the elements is NaN."""
        cdef window_median_args m
        m.rows, m.size, m.step, m.count = <const void *const *>rows, self.square, self.inner, count
        m.y, m.ys, m.n, m.part = y, self.width.extent, n, self.part
        m.sorted, m.pitch = scratch, self.pitch_sorted // self.size
        return self.w.median_bytes(&m) if self.of_bytes else self.w.median(&m)

    cdef void leave(self, char *found, Py_ssize_t n, char *y) noexcept nogil:
        if not self.stored:
            self.t.filter_leave(self.out, found, n, y)

    cdef void constant(self, char *to, Py_ssize_t n) noexcept nogil:
        if self.of_bytes:
            memset(to, <int>self.cval, n)
        else:
            put_reals(to, n, self.size, self.cval)
