# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Means and extrema of windows of a few elements, along one axis after the other, see simd/windows/boxes.inc.

Of two axes at once, bands of BOX_ROWS rows are filtered in strips: down columns to scratch in the first cache, and from there
along rows.  The last columns of a strip are the first that windows of the next one see.  Windows of 3 by 3 need no scratch.
"""

from libc.string cimport memcpy, memmove

from fastconv.backends.cython.filter._edges cimport CONSTANT, beyond, lined
from fastconv.backends.cython.filter._stages cimport BOTH, Joining, Pass, Stage
from fastconv.backends.cython.filter._walk cimport BOX_ROWS, fc_windows, named_windows, window_box_args
from fastconv.backends.cython.runtime._prepared cimport Arrays
from fastconv.backends.cython.runtime._simd cimport fc_table

cdef enum:
    PAD = 64  # bytes before and behind rows: a vector is read there


cdef struct Band:
    # Rows of a band: where windows down columns begin, from column 0 on, NULL for the constant; and the same from some column on.
    const void **rows
    const void **some
    char *fill
    char *middle  # windows down columns, `wide` bytes apart
    char *rest  # results that are not yet of the type that memory has, `strip` bytes apart, and a row of that type
    char *small
    Py_ssize_t wide, strip
    int count
    # Rows that are read for the next band, and those that are written for this one, `pitch` bytes apart, from column 0 on; or NULL.
    const char *next
    const char *result
    Py_ssize_t pitch


cdef class Boxes(Joining):
    """One prepared filter."""

    cdef const fc_windows *w
    cdef int kind, flipped

    def __init__(self, str table, size_t types, Py_ssize_t size, kind, numbers, sizes, direct, bytes fill, stages):
        """`kind`: see boxes.py; `numbers`, `sizes`: of elements of the input and the result, and what is joined; `stages`: see stages.py."""
        self.w, self.t = named_windows(table), <const fc_table *>types
        self.kind, self.flipped = kind
        self.dtype, self.out = numbers
        given, made, self.size = sizes
        self.direct_in, self.direct_out = direct
        self.fill = 0
        memcpy(&self.fill, <const char *>fill, len(fill))
        self.divide(size, (given, made), stages)

    cdef char *elements(self, const Stage *s, char *scratch, char **tail) noexcept nogil:
        tail[0] = self.rest_of(s, scratch) + lined(s.rows * self.size)
        return scratch + PAD

    cdef char *rest_of(self, const Stage *s, char *scratch) noexcept nogil:
        """Where results of a line are that are not yet of the type that memory has."""
        return scratch + lined((s.rows + s.along.taps - 1) * self.size + 2 * PAD)

    cdef void join_line(self, const Stage *s, char *scratch, Py_ssize_t n, char *y) noexcept nogil:
        self.join_row(&s.along, scratch + PAD, n, self.rest_of(s, scratch), y)

    cdef void join_row(self, const Pass *w, const char *x, Py_ssize_t n, char *rest, char *y) noexcept nogil:
        """`n` windows of a row, as memory holds the result."""
        cdef window_box_args f
        f.kind, f.flipped, f.taps, f.x, f.n = self.kind, self.flipped, w.taps, x, n
        f.y = y if self.direct_out else rest
        self.w.box_along(&f)
        if not self.direct_out:
            self.t.filter_leave(self.out, rest, n, y)

    cdef void across(
        self, const Stage *s, const Arrays *a, const char *x, Py_ssize_t outer, Py_ssize_t row, Py_ssize_t column,
        char *scratch
    ) noexcept nogil:
        """Lines that are side by side, from element `row` on, a band of rows at a time.

        Row v of a line with what lies beyond its ends is at v % slots, if it is held.
        """
        cdef const Pass *w = &s.across
        cdef Py_ssize_t width = min(s.columns, s.inner - column), last = min(row + s.rows, s.length)
        cdef Py_ssize_t size = self.size, taps = w.taps, pitch = lined(s.columns * size)
        cdef Py_ssize_t slots = BOX_ROWS + taps - 1, r, v, at, k, held = row, i
        cdef Py_ssize_t longest = s.strip + s.along.taps - 1 if s.kind == BOTH else s.columns
        cdef int dtype = self.out if s.in_place else self.dtype
        cdef Py_ssize_t given = self.made if s.in_place else self.given
        cdef bint direct = self.direct_in and not s.in_place
        cdef char *ring
        cdef char *tail
        cdef Band b
        b.rows = <const void **>scratch
        b.some = <const void **>(scratch + lined(slots * sizeof(void *)))
        b.fill = scratch + 2 * lined(slots * sizeof(void *))
        b.strip, b.wide = lined(longest * size), lined(longest * size + 2 * PAD)
        b.middle = b.fill + b.strip
        b.rest = b.middle + (BOX_ROWS * b.wide if s.kind == BOTH else 0)
        b.small = b.rest + (0 if self.direct_out else BOX_ROWS * b.strip)
        ring = b.small + (0 if self.direct_out else lined(longest * self.made))
        tail = ring + slots * pitch
        x += outer * s.length * s.inner * given
        if w.mode == CONSTANT:
            for k in range(longest):
                memcpy(b.fill + k * size, &self.fill, size)
        if s.in_place:  # what lies beyond the end, which is overwritten when it is needed
            last = s.length
            for k in range(taps - 1 - w.before):
                at = beyond(s.length + k, w.extent, w.mode)
                if at >= 0:
                    self.enter(dtype, x + (at * s.inner + column) * given, width, tail + k * pitch)
        r = row
        while r < last:
            b.count = min(<Py_ssize_t>BOX_ROWS, last - r)
            for i in range(slots):
                v = r + min(i, b.count + taps - 2)
                at = beyond(v - w.before, w.extent, w.mode)
                if at < 0:
                    b.rows[i] = NULL
                elif direct:
                    b.rows[i] = x + at * s.inner * size
                elif s.in_place and v - w.before >= s.length:
                    b.rows[i] = tail + (v - w.before - s.length) * pitch - column * size
                else:
                    b.rows[i] = ring + v % slots * pitch - column * size
                    if v >= held:
                        self.enter(dtype, x + (at * s.inner + column) * given, width, ring + v % slots * pitch)
            held = r + b.count + taps - 1
            at = held + (BOX_ROWS - b.count) - w.before
            b.pitch, b.next, b.result = s.inner * size, NULL, NULL
            if direct and at + BOX_ROWS <= s.length:
                b.next = x + at * b.pitch
            if s.kind == BOTH and self.direct_out and b.count == BOX_ROWS:
                b.result = a.y.data + (outer * s.length + r) * b.pitch
            if s.kind == BOTH:
                if not self.three(s, a, &b, outer, r, column, column + width):
                    self.both(s, a, &b, outer, r, column, column + width)
            else:
                self.down(w, &b, column, width, a.y.data + ((outer * s.length + r) * s.inner + column) * self.made,
                          s.inner * self.made)
            r += b.count

    cdef void down(
        self, const Pass *w, const Band *b, Py_ssize_t column, Py_ssize_t n, char *to, Py_ssize_t pitch
    ) noexcept nogil:
        """Windows down columns, as memory holds results."""
        cdef int i
        if self.direct_out:
            self.join_rows(w, b, column, n, to, pitch)
            return
        self.join_rows(w, b, column, n, b.rest, b.strip)
        for i in range(b.count):
            self.t.filter_leave(self.out, b.rest + i * b.strip, n, to + i * pitch)

    cdef void join_rows(
        self, const Pass *w, const Band *b, Py_ssize_t column, Py_ssize_t n, char *to, Py_ssize_t pitch
    ) noexcept nogil:
        """`n` windows down columns of each row of a band."""
        cdef window_box_args f
        cdef Py_ssize_t i
        for i in range(BOX_ROWS + w.taps - 1):
            b.some[i] = b.fill if b.rows[i] == NULL else <const char *>b.rows[i] + column * self.size
        f.kind, f.flipped, f.taps, f.rows = self.kind, self.flipped, w.taps, b.some
        f.count, f.n, f.y, f.ys = b.count, n, to, pitch
        f.next = NULL if b.next == NULL else b.next + column * self.size
        f.result = NULL if b.result == NULL else b.result + column * self.size
        f.pitch = b.pitch
        self.w.box_down(&f)

    cdef bint three(
        self, const Stage *s, const Arrays *a, const Band *b, Py_ssize_t outer, Py_ssize_t row, Py_ssize_t begin, Py_ssize_t end
    ) noexcept nogil:
        """A band of windows of three by three, down columns and along rows at once; whether that is done."""
        cdef const Pass *w = &s.along
        cdef Py_ssize_t lo = max(begin, w.before), hi = min(end, s.inner - 2 + w.before), i, column, t
        cdef Py_ssize_t at[3]
        cdef char *y = a.y.data + (outer * s.length + row) * b.pitch
        cdef window_box_args f
        if s.across.taps != 3 or w.taps != 3 or not self.direct_out or hi <= lo:
            return False
        for i in range(b.count + 2):
            if b.rows[i] == NULL:
                return False
            b.some[i] = <const char *>b.rows[i] + (lo - w.before) * self.size
        f.kind, f.flipped, f.taps, f.rows, f.x, f.count = self.kind, self.flipped, 3, b.some, &self.fill, b.count
        f.y, f.ys, f.n, f.pitch = y + lo * self.size, b.pitch, hi - lo, b.pitch
        f.next = NULL if b.next == NULL else b.next + lo * self.size
        if not self.w.box_three(&f):
            return False
        f.rows = b.rows
        column = begin
        while column < end:
            if lo <= column < hi:
                column = hi
                continue
            for t in range(3):
                at[t] = beyond(column - w.before + t, w.extent, w.mode)
            f.y = y + column * self.size
            self.w.box_column(&f, at)
            column += 1
        return True

    cdef void both(
        self, const Stage *s, const Arrays *a, const Band *b, Py_ssize_t outer, Py_ssize_t row, Py_ssize_t begin, Py_ssize_t end
    ) noexcept nogil:
        """A band down columns and along rows, columns `begin` to `end` of results."""
        cdef const Pass *w = &s.along
        cdef Py_ssize_t column = begin, n, first, lo, hi, i
        cdef char *middle = b.middle + PAD
        cdef char *y = a.y.data + (outer * s.length + row) * s.inner * self.made
        while column < end:
            n = min(s.strip, end - column)
            first = column - w.before  # the column at the beginning of `middle`
            lo = first if column == begin else first + w.taps - 1
            hi = first + n + w.taps - 1
            self.middle(s, b, first, max(lo, 0), min(hi, s.inner), lo, hi)
            for i in range(b.count):
                self.join_row(
                    w, middle + i * b.wide, n, b.rest, y + (i * s.inner + column) * self.made)
                memmove(middle + i * b.wide, middle + i * b.wide + n * self.size, (w.taps - 1) * self.size)
            column += n

    cdef void middle(
        self, const Stage *s, const Band *b, Py_ssize_t first, Py_ssize_t lo, Py_ssize_t hi, Py_ssize_t begin, Py_ssize_t end
    ) noexcept nogil:
        """Windows down columns `begin` to `end`, of which `lo` to `hi` are within the image."""
        cdef const Pass *w = &s.along
        cdef Py_ssize_t size = self.size, at, n, j = begin, i
        cdef char *to = b.middle + PAD
        if lo < hi:
            self.rounded(&s.across, b, lo, hi - lo, to + (lo - first) * size)
        while j < end:
            if lo <= j < hi:
                j = hi
                continue
            at, n = beyond(j, w.extent, w.mode), 1
            if at < 0 or first <= at < hi:
                for i in range(b.count):
                    memcpy(
                        to + i * b.wide + (j - first) * size,
                        <const char *>&self.fill if at < 0 else to + i * b.wide + (at - first) * size, size)
            else:
                while j + n < end and beyond(j + n, w.extent, w.mode) == at + n:
                    n += 1
                self.rounded(&s.across, b, at, n, to + (j - first) * size)
            j += n

    cdef void rounded(self, const Pass *w, const Band *b, Py_ssize_t column, Py_ssize_t n, char *to) noexcept nogil:
        """Windows down columns, which have passed through the type of the result."""
        cdef int i
        if self.direct_out:
            self.join_rows(w, b, column, n, to, b.wide)
            return
        self.join_rows(w, b, column, n, b.rest, b.strip)
        for i in range(b.count):
            self.t.filter_leave(self.out, b.rest + i * b.strip, n, b.small)
            self.t.filter_enter(self.out, b.small, n, to + i * b.wide)
