# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Padding by whole rows; an item of work is some rows of the result.

A row is copied from the row that the axes before it choose: its middle in one piece, its borders element by element, where an
element is what follows the last padded axis.  Each part is copied for several rows before the next part is: what depends on
its size is decided once.  Elements are bytes: any dtype is moved as it is.
"""

from libc.string cimport memcpy

cdef extern from *:
    """
    #include <stddef.h>
    #include <string.h>
    /* n bytes that do not overlap: most are so few that a call of memcpy takes longer. */
    static inline void fc_copy(char *to, const char *from, ptrdiff_t n)
    {
        if (n >= 128) memcpy(to, from, (size_t)n);
        else if (n >= 16) {
            for (ptrdiff_t i = 0; i < n - 16; i += 16) memcpy(to + i, from + i, 16);
            memcpy(to + n - 16, from + n - 16, 16);
        } else if (n >= 4) {
            for (ptrdiff_t i = 0; i < n - 4; i += 4) memcpy(to + i, from + i, 4);
            memcpy(to + n - 4, from + n - 4, 4);
        } else
            for (ptrdiff_t i = 0; i < n; i++) to[i] = from[i];
    }
    /* n bytes of each of `rows` rows, from byte `at` of a row on. */
    #define FC_ROWS_OF(size)                                                                                           \\
        case size:                                                                                                     \\
            for (ptrdiff_t r = 0; r < rows; r++) memcpy(to + r * width, from[r] + at, size);                           \\
            break;
    static inline void fc_copy_rows(char *to, ptrdiff_t width, const char *const *from, ptrdiff_t at, ptrdiff_t rows, ptrdiff_t n)
    {
        switch (n) {
            FC_ROWS_OF(1) FC_ROWS_OF(2) FC_ROWS_OF(4) FC_ROWS_OF(6) FC_ROWS_OF(8) FC_ROWS_OF(12) FC_ROWS_OF(16) FC_ROWS_OF(24)
        default:
            for (ptrdiff_t r = 0; r < rows; r++) fc_copy(to + r * width, from[r] + at, n);
        }
    }
    """
    void fc_copy(char *to, const char *x, Py_ssize_t n) noexcept nogil
    void fc_copy_rows(char *to, Py_ssize_t width, const char *const *x, Py_ssize_t at, Py_ssize_t rows, Py_ssize_t n) noexcept nogil

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport axis_of, fc_axis, fc_source, fc_table

cdef enum:
    PATTERN = 64  # bytes: whole elements of any dtype
    TOGETHER = 64  # rows, whose parts are copied one after the other: at most so many, and
    TOGETHER_BYTES = 8 << 10  # which stay in the L1 cache meanwhile


cdef struct PadAxis:
    fc_axis of
    Py_ssize_t extent, skip  # of the input, and its elements before those that are repeated


cdef PadAxis pad_axis(axis) except *:
    """From an `AxisOfPad`."""
    cdef PadAxis a
    a.extent, a.skip, numbers = axis
    a.of = axis_of(numbers)
    return a


cdef inline Py_ssize_t source(const PadAxis *a, Py_ssize_t at) noexcept nogil:
    """Input index of a position of the result; -1 for the fill value."""
    cdef Py_ssize_t found = at - a.of.lo
    if not (0 <= found < a.of.extent and at < a.of.size):
        found = fc_source(&a.of, at)
    return found if found < 0 else found + a.skip


cdef class Padded(Prepared):
    """One prepared padding of up to three axes."""

    cdef PadAxis outer, middle, inner
    cdef Py_ssize_t unit, rows, block, together, begin, end
    cdef Py_ssize_t given, made
    cdef char pattern[PATTERN]

    def __init__(self, size_t table, Py_ssize_t n, axes, Py_ssize_t unit, bytes pattern, Py_ssize_t block):
        """`axes`: three `AxisOfPad`; `unit`: bytes of an element of the last one; `block`: rows of an item."""
        cdef const char *fill = pattern
        self.t, self.uniform = <const fc_table *>table, True
        self.outer, self.middle, self.inner = pad_axis(axes[0]), pad_axis(axes[1]), pad_axis(axes[2])
        self.unit, self.block = unit, block
        self.rows = n * self.outer.of.size * self.middle.of.size
        self.items = (self.rows + block - 1) // block
        self.given = n * self.outer.extent * self.middle.extent * self.inner.extent * unit
        self.made = self.rows * self.inner.of.size * unit
        # Those positions of a row whose sources follow each other.
        self.begin = min(max(self.inner.of.lo, 0), self.inner.of.size)
        self.end = min(max(self.inner.of.lo + self.inner.of.extent, self.begin), self.inner.of.size)
        self.together = min(max(TOGETHER_BYTES // max(self.inner.of.size * unit, 1), 1), TOGETHER)
        memcpy(self.pattern, fill, PATTERN)

    def schedule(self, Py_ssize_t scratch_bytes, int threads, tuple parts, x, y, z, Py_ssize_t shared_bytes):
        Prepared.schedule(self, scratch_bytes, threads, parts, x, y, z, shared_bytes)
        self.x_bytes, self.y_bytes = self.given, self.made

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t row = i * self.block, last = min(row + self.block, self.rows), m, o, n, plane, count, first, end, r
        cdef Py_ssize_t length = self.inner.extent * self.unit, width = self.inner.of.size * self.unit
        cdef char *to = a.y.data + row * width
        cdef const char *x
        cdef const char *sources[TOGETHER]
        m = row % self.middle.of.size
        o = row // self.middle.of.size % self.outer.of.size
        n = row // self.middle.of.size // self.outer.of.size
        while row < last:
            count, plane, first = min(min(last - row, self.middle.of.size - m), self.together), source(&self.outer, o), 0
            end = count if plane >= 0 else 0
            if self.middle.of.mode == 0:  # rows before and behind the image are the fill value
                first = min(max(self.middle.of.lo - m, 0), end)
                end = max(min(self.middle.of.lo + self.middle.of.extent - m, end), first)
            x = a.x.data + (n * self.outer.extent + plane) * self.middle.extent * length
            for r in range(first, end):
                sources[r] = x + source(&self.middle, m + r) * length
            self.fill(to, first * width)
            self.copy(to + first * width, sources + first, end - first)
            self.fill(to + end * width, (count - end) * width)
            to += count * width
            row += count
            m += count
            if m == self.middle.of.size:
                m = 0
                o += 1
                if o == self.outer.of.size:
                    o = 0
                    n += 1

    cdef void copy(self, char *to, const char *const *sources, Py_ssize_t rows) noexcept nogil:
        """Rows of the result: their middles, then their borders, position by position."""
        cdef Py_ssize_t unit = self.unit, size = self.inner.of.size, width = size * unit, at
        cdef Py_ssize_t inside = (self.begin - self.inner.of.lo + self.inner.skip) * unit
        fc_copy_rows(to + self.begin * unit, width, sources, inside, rows, (self.end - self.begin) * unit)
        if self.inner.of.mode == 0:
            self.fill_rows(to, width, rows, self.begin * unit)
            self.fill_rows(to + self.end * unit, width, rows, (size - self.end) * unit)
            return
        for at in range(self.begin):
            fc_copy_rows(to + at * unit, width, sources, source(&self.inner, at) * unit, rows, unit)
        for at in range(self.end, size):
            fc_copy_rows(to + at * unit, width, sources, source(&self.inner, at) * unit, rows, unit)

    cdef void fill_rows(self, char *to, Py_ssize_t width, Py_ssize_t rows, Py_ssize_t count) noexcept nogil:
        """The fill value in `count` bytes of each row."""
        cdef const char *same[TOGETHER]
        cdef Py_ssize_t r, at = 0
        for r in range(rows):
            same[r] = self.pattern
        while at < count:
            fc_copy_rows(to + at, width, same, 0, rows, min(count - at, <Py_ssize_t>PATTERN))
            at += PATTERN

    cdef void fill(self, char *to, Py_ssize_t count) noexcept nogil:
        """The fill value in `count` bytes."""
        while count >= PATTERN:
            memcpy(to, self.pattern, PATTERN)
            to += PATTERN
            count -= PATTERN
        fc_copy(to, self.pattern, count)
