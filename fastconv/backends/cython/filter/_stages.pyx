# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Filters along one axis after the other: stages, and their items.

A stage is one pass over all lines, or two passes at once: across rows of the image and then along the rows that result,
which have not left the cache.  The first stage reads x; later ones read the result and write it again, and therefore hold
whole lines.  An item of work is some lines, or a part of some.
"""

from libc.string cimport memcpy, memmove, memset

from fastconv.backends.cython.filter._edges cimport beyond
from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared


cdef Pass pass_of(numbers) except *:
    cdef Pass w
    w.weight, w.at = 0, 0
    w.extent, w.taps, w.before, w.mode = numbers[:4]
    if len(numbers) > 4:
        w.weight, w.at = numbers[4:]
    return w


cdef class Staged(Prepared):
    """One prepared filter."""

    def divide(self, Py_ssize_t size, sizes, stages):
        """`size`: elements; `sizes`: bytes of one of the input and of the result; `stages`: see separable.py, stages.py."""
        cdef Stage *s
        self.length = size
        self.given, self.made = sizes
        self.count, self.items = len(stages), 0
        for k, stage in enumerate(stages):
            s = &self.stages[k]
            memset(s, 0, sizeof(Stage))
            kind, s.in_place, across, along, (s.outer, s.length, s.inner), (s.rows, s.columns), *joined = stage
            if joined:
                s.band, s.strip = joined
            s.kind = {"along": ALONG, "across": ACROSS, "both": BOTH}[kind]
            if across is not None:
                s.across = pass_of(across)
            if along is not None:
                s.along = pass_of(along)
            s.row_blocks = (s.length + s.rows - 1) // s.rows
            if s.in_place:
                s.row_blocks = min(s.row_blocks, 1)
            s.column_blocks = (s.inner + s.columns - 1) // s.columns
            if s.kind == ALONG:
                s.items = (s.outer + s.columns - 1) // s.columns * s.row_blocks
            else:
                s.items = s.outer * s.row_blocks * s.column_blocks
            self.items += s.items

    def schedule(self, Py_ssize_t scratch_bytes, int threads, tuple parts, x, y, z, Py_ssize_t shared_bytes):
        Prepared.schedule(self, scratch_bytes, threads, parts, x, y, z, shared_bytes)
        self.x_bytes, self.y_bytes = self.length * self.given, self.length * self.made

    cdef Py_ssize_t barrier(self, Py_ssize_t i, const Arrays *arrays) noexcept nogil:
        """The first item of the next stage."""
        cdef Py_ssize_t k, end = 0
        for k in range(self.count):
            end += self.stages[k].items
            if i < end:
                return end
        return end

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef const Stage *s = &self.stages[0]
        cdef const char *x
        cdef Py_ssize_t row, column
        while i >= s.items:
            i -= s.items
            s += 1
        x = a.y.data if s.in_place else a.x.data
        if s.kind == ALONG:
            self.along(s, a, x, i // s.row_blocks * s.columns, i % s.row_blocks * s.rows, scratch)
            return
        column, i = i % s.column_blocks * s.columns, i // s.column_blocks
        row = i % s.row_blocks * s.rows
        self.across(s, a, x, i // s.row_blocks, row, column, scratch)

    cdef void along(
        self, const Stage *s, const Arrays *a, const char *x, Py_ssize_t line, Py_ssize_t row, char *scratch
    ) noexcept nogil:
        """Lines that are contiguous, from element `row` on; in place, whole lines, a piece at a time."""
        pass

    cdef void across(
        self, const Stage *s, const Arrays *a, const char *x, Py_ssize_t outer, Py_ssize_t row, Py_ssize_t column,
        char *scratch
    ) noexcept nogil:
        """Lines that are side by side, from element `row` on."""
        pass


cdef class Joining(Staged):
    """Filters whose windows are joined of elements of one type."""

    cdef void along(
        self, const Stage *s, const Arrays *a, const char *x, Py_ssize_t line, Py_ssize_t row, char *scratch
    ) noexcept nogil:
        cdef const Pass *w = &s.along
        cdef Py_ssize_t last = min(line + s.columns, s.outer), size = self.size, taps = w.taps, n, at, end, i, from_
        cdef int dtype = self.out if s.in_place else self.dtype
        cdef Py_ssize_t given = self.made if s.in_place else self.given, lo, hi, carried
        cdef char *tail = NULL
        cdef char *elements = self.elements(s, scratch, &tail)
        cdef const char *start
        end = s.length if s.in_place else min(row + s.rows, s.length)
        while line < last:
            start, at, carried = x + line * s.length * given, row, 0
            if s.in_place:  # what lies beyond the end, which is overwritten when it is needed
                for i in range(taps - 1 - w.before):
                    self.element(w, dtype, start, given, s.length + i, tail + i * size)
            while at < end:
                n = min(s.rows, end - at)
                # Elements at - before to at - before + n + taps - 1, of which the carried ones are there.
                lo = min(max(at - w.before + carried, 0), s.length)
                hi = max(min(at - w.before + n + taps - 1, s.length), lo)
                self.enter(dtype, start + lo * given, hi - lo, elements + (lo - at + w.before) * size)
                i = carried
                while i < n + taps - 1:
                    from_ = at - w.before + i
                    if lo <= from_ < hi:
                        i += hi - from_
                        continue
                    if s.in_place and from_ >= s.length:
                        memcpy(elements + i * size, tail + (from_ - s.length) * size, size)
                    else:
                        self.element(w, dtype, start, given, from_, elements + i * size)
                    i += 1
                self.join_line(s, scratch, n, a.y.data + (line * s.length + at) * self.made)
                carried = taps - 1
                if at + n < end:
                    memmove(elements, elements + n * size, carried * size)
                at += n
            line += 1

    cdef char *elements(self, const Stage *s, char *scratch, char **tail) noexcept nogil:
        """Where a line begins in scratch, and in `tail` where what lies beyond its end does."""
        return NULL

    cdef void join_line(self, const Stage *s, char *scratch, Py_ssize_t n, char *y) noexcept nogil:
        """`n` windows of the line in scratch, as memory holds the result."""
        pass

    cdef void element(
        self, const Pass *w, int dtype, const char *x, Py_ssize_t given, Py_ssize_t i, char *to) noexcept nogil:
        """Element i of a line, beyond its ends, too."""
        i = beyond(i, w.extent, w.mode)
        if i < 0:
            memcpy(to, &self.fill, self.size)
        else:
            self.enter(dtype, x + i * given, 1, to)

    cdef bint is_joined(self, int dtype) noexcept nogil:
        """Whether elements of the input or of the result are joined as memory holds them."""
        return self.direct_in if dtype == self.dtype else self.direct_out

    cdef void enter(self, int dtype, const char *x, Py_ssize_t n, char *to) noexcept nogil:
        if self.is_joined(dtype):
            memcpy(to, x, n * self.size)
        else:
            self.convert(dtype, x, n, to)

    cdef void convert(self, int dtype, const char *x, Py_ssize_t n, char *to) noexcept nogil:
        """From another type to that which is joined."""
        self.t.filter_enter(dtype, x, n, to)
