# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Means and extrema of windows along one axis after the other, see simd/filter/window.inc.

Windows are joined from those of 1, 4, 16, ... elements.  Extrema overlap the last ones; of sums, whose windows may not
overlap, the shorter ones are joined to what is summed up so far.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove

from fastconv.backends.cython.filter._edges cimport CONSTANT, beyond, lined
from fastconv.backends.cython.filter._stages cimport BOTH, Joining, Pass, Stage
from fastconv.backends.cython.runtime._prepared cimport Arrays
from fastconv.backends.cython.runtime._simd cimport FILTER_BOOL, FILTER_FLOAT32, FILTER_FLOAT64, FILTER_UINT8, WINDOW_SUM, fc_table

cdef struct Line:
    # A contiguous line: its elements and those beyond its ends; longer windows; sums so far; what is left in another type.
    char *elements
    char *longer[2]
    char *sums
    char *rest
    Py_ssize_t *beyond  # which elements those beyond its ends are, -1 for the constant


cdef bint holds(int dtype, int acc) noexcept nogil:
    """Whether memory holds elements as they are joined."""
    return dtype == acc or (dtype == FILTER_BOOL and acc == FILTER_UINT8)


cdef class Window(Joining):
    """One prepared filter."""

    cdef int join, acc
    cdef bint mean

    def __init__(self, size_t table, Py_ssize_t size, int join, types, sizes, double cval, stages):
        """`types`, `sizes`: of elements of the input, the result and what is joined; `stages`: see stages.py."""
        self.t = <const fc_table *>table
        self.join, self.mean = join, join == WINDOW_SUM
        self.dtype, self.out, self.acc = types
        given, made, self.size = sizes
        self.direct_in, self.direct_out = holds(self.dtype, self.acc), holds(self.out, self.acc)
        self.fill = 0
        self.set_fill(cval)
        self.divide(size, (given, made), stages)

    cdef int set_fill(self, double cval) except -1:
        """The constant in the type that is joined, which holds it if a pass needs it."""
        cdef double real = cval
        cdef float single
        if self.acc == FILTER_FLOAT64:
            memcpy(&self.fill, &real, 8)
        elif self.acc == FILTER_FLOAT32:
            single = <float>cval
            memcpy(&self.fill, &single, 4)
        elif cval == cval and -2.0 ** 40 < cval < 2.0 ** 40:
            self.fill = <uint64_t>(<Py_ssize_t>cval)
        return 0

    cdef char *line_of(self, Line *l, char *scratch, Py_ssize_t n, Py_ssize_t taps) noexcept nogil:
        """Scratch of a line; the rest of it is returned."""
        cdef Py_ssize_t whole = lined((n + taps - 1) * self.size)
        l.elements, l.longer[0], l.longer[1] = scratch, scratch + whole, scratch + 2 * whole
        l.sums = scratch + 3 * whole
        l.rest = l.sums + lined(n * self.size)
        l.beyond = <Py_ssize_t *>(l.rest + lined(n * self.size))
        return <char *>l.beyond + lined(taps * sizeof(Py_ssize_t))

    cdef char *elements(self, const Stage *s, char *scratch, char **tail) noexcept nogil:
        cdef Line l
        tail[0] = self.line_of(&l, scratch, s.rows, s.along.taps)
        return l.elements

    cdef void join_line(self, const Stage *s, char *scratch, Py_ssize_t n, char *y) noexcept nogil:
        cdef Line l
        self.line_of(&l, scratch, s.rows, s.along.taps)
        self.join_windows(&l, n, s.along.taps, y)

    cdef void join_windows(self, const Line *l, Py_ssize_t n, Py_ssize_t taps, char *y) noexcept nogil:
        """`n` windows of a line."""
        cdef const void *rows[4]
        cdef const char *from_ = l.elements
        cdef const char *sums = NULL
        cdef char *to = l.elements
        cdef Py_ssize_t power = 1, at = 0, size = self.size, k
        cdef int count, side = 0
        while 4 * power < taps:
            if self.mean and taps // power % 4:
                count = 0
                if sums != NULL:
                    rows[0], count = sums, 1
                for k in range(taps // power % 4):
                    rows[count] = from_ + (at + k * power) * size
                    count += 1
                at += taps // power % 4 * power
                if count == 1:
                    memcpy(l.sums, rows[0], n * size)
                else:
                    self.t.window_join(self.acc, self.join, rows, count, l.sums, n)
                sums = l.sums
            to = l.longer[side]
            for k in range(4):
                rows[k] = from_ + k * power * size
            self.t.window_join(self.acc, self.join, rows, 4, to, n + taps - 4 * power)
            from_, side, power = to, 1 - side, 4 * power
        count = 0
        if sums != NULL:
            rows[0], count = sums, 1
        for k in range(self.last_parts(taps, power)):
            rows[count] = from_ + (at + k * power if self.mean else min(k * power, taps - power)) * size
            count += 1
        self.finish(rows, count, n, taps, l.rest, y)

    cdef Py_ssize_t last_parts(self, Py_ssize_t taps, Py_ssize_t power) noexcept nogil:
        """Windows of `power` elements that are joined at last."""
        return taps // power if self.mean else (taps + power - 1) // power

    cdef void finish(
        self, const void **rows, int count, Py_ssize_t n, Py_ssize_t taps, char *rest, char *y) noexcept nogil:
        """The last windows joined, as memory holds the result; `rest` is scratch."""
        cdef char *to = y if self.direct_out or self.acc != FILTER_FLOAT64 else rest
        if self.mean:
            self.t.window_mean(self.acc, rows, count, taps, to, n)
        else:
            self.t.window_join(self.acc, self.join, rows, count, to, n)
        if to != y:
            self.t.filter_leave(self.out, to, n, y)

    cdef void convert(self, int dtype, const char *x, Py_ssize_t n, char *to) noexcept nogil:
        if self.acc == FILTER_FLOAT64:
            self.t.filter_enter(dtype, x, n, to)
        else:
            self.t.window_enter(x, n, to)

    cdef void across(
        self, const Stage *s, const Arrays *a, const char *x, Py_ssize_t outer, Py_ssize_t row, Py_ssize_t column,
        char *scratch
    ) noexcept nogil:
        """Lines that are side by side, from element `row` on, a band of rows at a time.

        Row v of a line with what lies beyond its ends is at v % slots, if it is held.
        """
        cdef const Pass *w = &s.across
        cdef Py_ssize_t width = min(s.columns, s.inner - column), last = min(row + s.rows, s.length)
        cdef Py_ssize_t size = self.size, taps = w.taps, pitch = lined(s.columns * size), strip = lined(s.strip * size)
        cdef Py_ssize_t slots = s.band + taps - 1, r, n, v, at, c, k, held = row, wide = lined(s.columns * self.made)
        cdef int dtype = self.out if s.in_place else self.dtype
        cdef Py_ssize_t given = self.made if s.in_place else self.given
        cdef bint direct = self.direct_in and not s.in_place
        cdef const void **rows = <const void **>scratch
        cdef char *fill = scratch + lined(slots * sizeof(void *))
        cdef char *ring = fill + pitch
        cdef char *tail = ring + slots * pitch
        cdef char *longer = tail + taps * pitch
        cdef char *middle = longer + (slots + s.band + 1) * strip
        cdef char *y
        cdef Line l
        x += (outer * s.length * s.inner + column) * given
        if w.mode == CONSTANT:
            for k in range(width):
                memcpy(fill + k * size, &self.fill, size)
        if s.in_place:  # what lies beyond the end, which is overwritten when it is needed
            last = s.length
            for k in range(taps - 1 - w.before):
                at = beyond(s.length + k, w.extent, w.mode)
                if at >= 0:
                    self.enter(dtype, x + at * s.inner * given, width, tail + k * pitch)
        if s.kind == BOTH:
            self.line_of(&l, middle + s.band * wide, s.columns, s.along.taps)
            for k in range(s.along.taps - 1):
                at = k - s.along.before if k < s.along.before else s.inner + k - s.along.before
                l.beyond[k] = beyond(at, s.along.extent, s.along.mode)
        r = row
        while r < last:
            n = min(s.band, last - r)
            for v in range(r, r + n + taps - 1):
                at = beyond(v - w.before, w.extent, w.mode)
                if at < 0:
                    rows[v - r] = fill
                elif direct:
                    rows[v - r] = x + at * s.inner * size
                elif s.in_place and v - w.before >= s.length:
                    rows[v - r] = tail + (v - w.before - s.length) * pitch
                else:
                    rows[v - r] = ring + v % slots * pitch
            y = a.y.data + ((outer * s.length + r) * s.inner + column) * self.made
            c = 0
            while c < width:
                k = min(s.strip, width - c)
                if not direct:
                    for v in range(held, r + n + taps - 1):
                        at = beyond(v - w.before, w.extent, w.mode)
                        if at >= 0 and not (s.in_place and v - w.before >= s.length):
                            self.enter(
                                dtype, x + (at * s.inner + c) * given, k, ring + v % slots * pitch + c * size)
                if s.kind == BOTH:
                    self.join_rows(s, rows, c, n, k, longer, middle + c * self.made, wide)
                else:
                    self.join_rows(s, rows, c, n, k, longer, y + c * self.made, s.inner * self.made)
                c += k
            held = r + n + taps - 1
            if s.kind == BOTH:
                for k in range(n):
                    self.lengthen(&l, &s.along, middle + k * wide, s.inner)
                    self.join_windows(&l, s.inner, s.along.taps, y + k * s.inner * self.made)
            r += n

    cdef void lengthen(self, const Line *l, const Pass *w, const char *x, Py_ssize_t n) noexcept nogil:
        """The elements of a line, as the result has them, and those beyond its ends."""
        cdef Py_ssize_t i, to, at, size = self.size
        cdef char *middle = l.elements + w.before * size
        self.enter(self.out, x, n, middle)
        for i in range(w.taps - 1):
            to, at = i - w.before if i < w.before else n + i - w.before, l.beyond[i]
            if size == 1:
                (<uint8_t *>middle)[to] = <uint8_t>self.fill if at < 0 else (<uint8_t *>middle)[at]
            elif size == 2:
                (<uint16_t *>middle)[to] = <uint16_t>self.fill if at < 0 else (<uint16_t *>middle)[at]
            elif size == 4:
                (<uint32_t *>middle)[to] = <uint32_t>self.fill if at < 0 else (<uint32_t *>middle)[at]
            else:
                (<uint64_t *>middle)[to] = self.fill if at < 0 else (<uint64_t *>middle)[at]

    cdef void join_rows(
        self, const Stage *s, const void **elements, Py_ssize_t column, Py_ssize_t n, Py_ssize_t width, char *longer,
        char *y, Py_ssize_t pitch
    ) noexcept nogil:
        """`n` rows of results, `width` elements from `column` on, to rows that are `pitch` bytes apart."""
        cdef const void *rows[4]
        cdef Py_ssize_t taps = s.across.taps, strip = lined(s.strip * self.size), skip = column * self.size
        cdef Py_ssize_t power = 1, at = 0, j, k
        cdef char *sums = longer + (s.band + taps - 1) * strip
        cdef char *rest = sums + s.band * strip
        cdef int count, digit
        cdef bint summed = False
        while 4 * power < taps:
            digit = taps // power % 4 if self.mean else 0
            if digit:
                for j in range(n):
                    count = 0
                    if summed:
                        rows[0], count = sums + j * strip, 1
                    for k in range(digit):
                        rows[count] = self.row(elements, longer, strip, skip, power, j + at + k * power)
                        count += 1
                    if count == 1:
                        memcpy(sums + j * strip, rows[0], width * self.size)
                    else:
                        self.t.window_join(self.acc, self.join, rows, count, sums + j * strip, width)
                at += digit * power
                summed = True
            for j in range(n + taps - 4 * power):
                for k in range(4):
                    rows[k] = self.row(elements, longer, strip, skip, power, j + k * power)
                self.t.window_join(self.acc, self.join, rows, 4, longer + j * strip, width)
            power *= 4
        for j in range(n):
            count = 0
            if summed:
                rows[0], count = sums + j * strip, 1
            for k in range(self.last_parts(taps, power)):
                rows[count] = self.row(
                    elements, longer, strip, skip, power,
                    j + (at + k * power if self.mean else min(k * power, taps - power)))
                count += 1
            self.finish(rows, count, width, taps, rest, y + j * pitch)

    cdef inline const void *row(
        self, const void **elements, char *longer, Py_ssize_t strip, Py_ssize_t skip, Py_ssize_t power, Py_ssize_t j
    ) noexcept nogil:
        """Windows of `power` elements that begin in row j."""
        return <const char *>elements[j] + skip if power == 1 else longer + j * strip
