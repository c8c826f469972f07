# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Padding by whole rows; an item of work is some rows of the result.

A row is copied from the row that the axes before it choose: its middle in one piece, its borders element by element, where an
element is what follows the last padded axis.  Elements are bytes: any dtype is moved as it is.
"""

from libc.string cimport memcpy

cdef extern from *:
    """
    #include <stddef.h>
    #include <string.h>
    /* n bytes that do not overlap: rows are so short that a call of memcpy takes longer. */
    static inline void fc_copy(char *to, const char *from, ptrdiff_t n)
    {
        if (n >= 1024) memcpy(to, from, (size_t)n);
        else if (n >= 16) {
            for (ptrdiff_t i = 0; i < n - 16; i += 16) memcpy(to + i, from + i, 16);
            memcpy(to + n - 16, from + n - 16, 16);
        } else if (n >= 4) {
            for (ptrdiff_t i = 0; i < n - 4; i += 4) memcpy(to + i, from + i, 4);
            memcpy(to + n - 4, from + n - 4, 4);
        } else
            for (ptrdiff_t i = 0; i < n; i++) to[i] = from[i];
    }
    /* n bytes of each of `rows` rows. */
    #define FC_ROWS_OF(size)                                                                                           \\
        case size:                                                                                                     \\
            for (ptrdiff_t r = 0; r < rows; r++) memcpy(to + r * width, from + r * length, size);                      \\
            break;
    static inline void fc_copy_rows(char *to, ptrdiff_t width, const char *from, ptrdiff_t length, ptrdiff_t rows, ptrdiff_t n)
    {
        switch (n) {
            FC_ROWS_OF(1) FC_ROWS_OF(2) FC_ROWS_OF(4) FC_ROWS_OF(6) FC_ROWS_OF(8) FC_ROWS_OF(12) FC_ROWS_OF(16) FC_ROWS_OF(24)
        default:
            for (ptrdiff_t r = 0; r < rows; r++) fc_copy(to + r * width, from + r * length, n);
        }
    }
    """
    void fc_copy(char *to, const char *x, Py_ssize_t n) noexcept nogil
    void fc_copy_rows(char *to, Py_ssize_t width, const char *x, Py_ssize_t length, Py_ssize_t rows, Py_ssize_t n) noexcept nogil

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport axis_of, fc_axis, fc_source, fc_table

cdef enum:
    PATTERN = 64  # bytes: whole elements of any dtype
    NARROW = 128  # bytes: shorter rows of the result are filled together, before elements are copied
    NEAR = 16  # elements of a border whose sources are looked up once for all rows of an item


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
    cdef Py_ssize_t unit, rows, block, begin, end
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
        memcpy(self.pattern, fill, PATTERN)

    def schedule(self, Py_ssize_t scratch_bytes, int threads, tuple parts, x, y, z, Py_ssize_t shared_bytes):
        Prepared.schedule(self, scratch_bytes, threads, parts, x, y, z, shared_bytes)
        self.x_bytes, self.y_bytes = self.given, self.made

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t row = i * self.block, last = min(row + self.block, self.rows), m, o, n, plane, at
        cdef Py_ssize_t length = self.inner.extent * self.unit, width = self.inner.of.size * self.unit
        cdef char *to = a.y.data + row * width
        cdef const char *x
        cdef Py_ssize_t left[NEAR]
        cdef Py_ssize_t right[NEAR]
        m = row % self.middle.of.size
        o = row // self.middle.of.size % self.outer.of.size
        n = row // self.middle.of.size // self.outer.of.size
        plane = source(&self.outer, o)
        if self.inner.of.mode == 0 and self.middle.of.mode == 0 and width <= NARROW:
            self.narrow(a, to, row, last, m, o, n)
            return
        self.near(left, 0, self.begin)
        self.near(right, self.end, self.inner.of.size)
        while row < last:
            at = source(&self.middle, m)
            if plane < 0 or at < 0:
                self.fill(to, width)
            else:
                x = a.x.data + ((n * self.outer.extent + plane) * self.middle.extent + at) * length
                self.border(to, x, left, 0, self.begin)
                fc_copy(to + self.begin * self.unit, x + (self.begin - self.inner.of.lo + self.inner.skip) * self.unit,
                        (self.end - self.begin) * self.unit)
                self.border(to, x, right, self.end, self.inner.of.size)
            to += width
            row += 1
            m += 1
            if m == self.middle.of.size:
                m = 0
                o += 1
                if o == self.outer.of.size:
                    o = 0
                    n += 1
                plane = source(&self.outer, o)

    cdef void narrow(
        self, const Arrays *a, char *to, Py_ssize_t row, Py_ssize_t last, Py_ssize_t m, Py_ssize_t o, Py_ssize_t n) noexcept nogil:
        """Rows of constant padding, which follow each other as those of the input do."""
        cdef Py_ssize_t length = self.inner.extent * self.unit, width = self.inner.of.size * self.unit
        cdef Py_ssize_t count, plane, first, end, lo = self.middle.of.lo
        cdef const char *x
        self.fill(to, (last - row) * width)
        to += self.begin * self.unit
        while row < last:
            count, plane = min(last - row, self.middle.of.size - m), source(&self.outer, o)
            first, end = max(m, lo), min(m + count, lo + self.middle.of.extent)
            if plane >= 0 and end > first and self.end > self.begin:
                x = a.x.data + ((n * self.outer.extent + plane) * self.middle.extent + first - lo) * length
                fc_copy_rows(to + (first - m) * width, width, x + (self.begin - self.inner.of.lo) * self.unit, length,
                             end - first, (self.end - self.begin) * self.unit)
            to += count * width
            row += count
            m, o = 0, o + 1
            if o == self.outer.of.size:
                o, n = 0, n + 1

    cdef void near(self, Py_ssize_t *sources, Py_ssize_t first, Py_ssize_t last) noexcept nogil:
        """The sources of positions of a row, if they are few."""
        cdef Py_ssize_t at
        if self.inner.of.mode and last - first <= NEAR:
            for at in range(first, last):
                sources[at - first] = source(&self.inner, at)

    cdef void border(
        self, char *to, const char *x, const Py_ssize_t *sources, Py_ssize_t first, Py_ssize_t last) noexcept nogil:
        cdef Py_ssize_t at, unit = self.unit, found
        if self.inner.of.mode == 0 and unit == 4 and last - first <= NEAR:
            for at in range(first, last):
                memcpy(to + at * 4, self.pattern, 4)
        elif self.inner.of.mode == 0:
            self.fill(to + first * unit, (last - first) * unit)
        elif last - first <= NEAR and unit == 4:
            for at in range(last - first):
                memcpy(to + (first + at) * 4, x + sources[at] * 4, 4)
        else:
            for at in range(first, last):
                found = sources[at - first] if last - first <= NEAR else source(&self.inner, at)
                fc_copy(to + at * unit, x + found * unit, unit)

    cdef void fill(self, char *to, Py_ssize_t count) noexcept nogil:
        """The fill value in `count` bytes."""
        while count >= PATTERN:
            memcpy(to, self.pattern, PATTERN)
            to += PATTERN
            count -= PATTERN
        fc_copy(to, self.pattern, count)
