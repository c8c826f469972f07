# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Correlations along one axis after the other, see simd/filter/lines.inc."""

from libc.string cimport memcpy, memmove

from fastconv.backends.cython.filter._edges cimport CONSTANT, beyond, lined, put_reals
from fastconv.backends.cython.filter._stages cimport BOTH, Pass, Stage, Staged
from fastconv.backends.cython.runtime._prepared cimport Arrays
from fastconv.backends.cython.runtime._simd cimport FILTER_FLOAT32, FILTER_FLOAT64, fc_table, filter_sum_args

cdef struct Line:
    # A line that is contiguous: in memory, and its elements as a pass takes them, with what lies beyond its ends.
    const Pass *w
    int dtype
    Py_ssize_t given  # bytes of an element in memory
    const char *x
    char *elements
    Py_ssize_t carried  # of the elements, which were entered for the piece before
    char *head  # the first elements, where memory has them no longer


cdef class Separable(Staged):
    """One prepared filter; its weights are bound as one array, and what is symmetric among them as another."""

    cdef int dtype, out
    cdef double cval

    def __init__(self, size_t table, Py_ssize_t size, int dtype, int out, sizes, double cval, stages):
        """`sizes`: bytes of an element of the input and of the result; `stages`: see separable.py."""
        self.t = <const fc_table *>table
        self.dtype, self.out, self.cval = dtype, out, cval
        self.divide(size, sizes, stages)

    cdef void along(
        self, const Stage *s, const Arrays *a, const char *x, Py_ssize_t line, Py_ssize_t row, char *scratch
    ) noexcept nogil:
        """Lines that are contiguous, from element `row` on; in place, whole lines, a piece at a time."""
        cdef Py_ssize_t last = min(line + s.columns, s.outer), size = self.t.itemsize, taps = s.along.taps, t, n, at, end
        cdef const void **starts = <const void **>scratch
        cdef Line l
        l.w, l.dtype = &s.along, self.out if s.in_place else self.dtype
        l.given = self.made if s.in_place else self.given
        l.elements = scratch + lined(taps * sizeof(void *))
        cdef char *sums = l.elements + lined((s.rows + taps - 1) * size)
        l.head = sums + lined(s.rows * size)
        cdef filter_sum_args f
        for t in range(taps):
            starts[t] = l.elements + t * size
        end = s.length if s.in_place else min(row + s.rows, s.length)
        while line < last:
            l.x, l.carried = x + line * s.length * l.given, 0
            if s.in_place:
                self.enter(l.dtype, l.x, min(taps, s.length), l.head)
            at = row
            while at < end:
                # The last piece has all that what lies beyond the end repeats.
                n = end - at if end - at <= s.rows else min(s.rows, end - at - s.rows // 2)
                self.lengthen(&l, at - s.along.before, n + taps - 1, s.in_place and at > 0)
                self.window(&f, a, &s.along, starts, n)
                self.sum(&f, a.y.data + (line * s.length + at) * self.made, sums)
                if at + n < end:
                    l.carried = taps - 1
                    memmove(l.elements, l.elements + n * size, (taps - 1) * size)
                at += n
            line += 1

    cdef void lengthen(self, const Line *l, Py_ssize_t first, Py_ssize_t count, bint overwritten) noexcept nogil:
        """`count` elements of a line from `first` on, which may lie beyond its ends; those carried over are there.

        `overwritten`: those that precede the carried ones are no longer in memory.
        """
        cdef Py_ssize_t extent = l.w.extent
        cdef Py_ssize_t lo = min(max(first + l.carried, 0), extent), hi = max(min(first + count, extent), lo)
        self.enter(l.dtype, l.x + lo * l.given, hi - lo, l.elements + (lo - first) * self.t.itemsize)
        self.beyond_ends(l, first, count, lo, hi, overwritten)

    cdef void beyond_ends(
        self, const Line *l, Py_ssize_t first, Py_ssize_t count, Py_ssize_t lo, Py_ssize_t hi, bint overwritten
    ) noexcept nogil:
        """What lies beyond the ends of a line, whose elements up to `hi` are there."""
        cdef Py_ssize_t size = self.t.itemsize, i, at
        cdef Py_ssize_t there = lo if l.carried == 0 else first
        i = first + l.carried - 1
        while i < first + count - 1:
            i += 1
            if lo <= i < hi:
                i = hi - 1
                continue
            at = beyond(i, l.w.extent, l.w.mode)
            if at < 0:
                self.constant(l.elements + (i - first) * size)
            elif there <= at < hi:
                memcpy(l.elements + (i - first) * size, l.elements + (at - first) * size, size)
            elif overwritten:
                memcpy(l.elements + (i - first) * size, l.head + at * size, size)
            else:
                self.enter(l.dtype, l.x + at * l.given, 1, l.elements + (i - first) * size)

    cdef void across(
        self, const Stage *s, const Arrays *a, const char *x, Py_ssize_t outer, Py_ssize_t row, Py_ssize_t column,
        char *scratch
    ) noexcept nogil:
        """Lines that are side by side, from element `row` on.

        Rows that must be converted, or are overwritten, are held: as many as a window has, in place twice as many, since
        what lies beyond the end repeats rows before it, and the first ones.
        """
        cdef Py_ssize_t width = min(s.columns, s.inner - column), last = min(row + s.rows, s.length), r, t, at, v
        cdef Py_ssize_t size = self.t.itemsize, taps = s.across.taps, pitch = s.columns * size, from_
        cdef Py_ssize_t slots = 2 * taps if s.in_place else taps
        cdef int dtype = self.out if s.in_place else self.dtype
        cdef Py_ssize_t given = self.made if s.in_place else self.given
        cdef bint direct = not s.in_place and self.is_real(dtype)
        cdef const void **rows = <const void **>scratch
        cdef char *fill = scratch + lined(taps * sizeof(void *))
        cdef char *sums = fill + lined(pitch)
        cdef char *held = sums + lined(pitch)
        cdef char *head = held + lined(slots * pitch)
        cdef char *rest = held if direct else head
        cdef char *y
        cdef filter_sum_args f
        x += (outer * s.length * s.inner + column) * given
        if s.across.mode == CONSTANT:
            for t in range(width):
                self.constant(fill + t * size)
        if s.in_place:
            for t in range(min(taps, s.length)):
                self.enter(dtype, x + t * s.inner * given, width, head + t * pitch)
        self.window(&f, a, &s.across, rows, width)
        for r in range(row, last):
            for t in range(taps):
                v = r + t  # of the line with what lies beyond its ends
                at = beyond(v - s.across.before, s.across.extent, s.across.mode)
                if at < 0:
                    rows[t] = fill
                elif direct:
                    rows[t] = x + at * s.inner * size
                else:
                    rows[t] = held + v % slots * pitch
                    if r > row and t < taps - 1:
                        continue
                    if s.in_place and at < r:  # overwritten
                        from_ = at + s.across.before
                        if from_ > v - slots:
                            memcpy(<char *>rows[t], held + from_ % slots * pitch, width * size)
                        else:
                            memcpy(<char *>rows[t], head + at * pitch, width * size)
                    else:
                        self.enter(dtype, x + at * s.inner * given, width, <char *>rows[t])
            y = a.y.data + ((outer * s.length + r) * s.inner + column) * self.made
            if s.kind == BOTH:
                self.both(s, a, &f, y, sums, rest)
            else:
                self.sum(&f, y, sums)

    cdef void both(
        self, const Stage *s, const Arrays *a, filter_sum_args *f, char *y, char *sums, char *scratch) noexcept nogil:
        """Sums of rows, and then sums along the row that results."""
        cdef Py_ssize_t size = self.t.itemsize, taps = s.along.taps, before = s.along.before, n = s.inner, t
        cdef const void **rows = <const void **>scratch
        cdef char *lengthened = scratch + lined(taps * sizeof(void *))
        cdef char *middle = lengthened + before * size
        cdef char *narrow = lengthened + lined((n + taps - 1) * size)
        cdef filter_sum_args g
        cdef Line l
        f.y = middle
        self.t.filter_sum(f)
        if not self.is_real(self.out):
            self.t.filter_leave(self.out, middle, n, narrow)
            self.t.filter_enter(self.out, narrow, n, middle)
        l.w, l.elements, l.carried = &s.along, lengthened, 0
        self.beyond_ends(&l, -before, n + taps - 1, 0, n, False)
        self.window(&g, a, &s.along, rows, n)
        for t in range(taps):
            rows[t] = lengthened + t * size
        self.sum(&g, y, sums)

    cdef bint is_real(self, int dtype) noexcept nogil:
        """Whether memory holds what sums are made of."""
        return dtype == (FILTER_FLOAT32 if self.t.itemsize == 4 else FILTER_FLOAT64)

    cdef void window(
        self, filter_sum_args *f, const Arrays *a, const Pass *w, const void **rows, Py_ssize_t n) noexcept nogil:
        """The arguments of a pass over `n` results."""
        f.rows, f.n, f.taps = <const void *const *>rows, n, w.taps
        f.weights = a.weights + w.weight * self.t.itemsize
        f.symmetry = (<const int *>a.more)[w.at]

    cdef void sum(self, filter_sum_args *f, char *y, char *sums) noexcept nogil:
        """Sums as memory holds them."""
        f.y = y if self.is_real(self.out) else sums
        self.t.filter_sum(f)
        if f.y != y:
            self.t.filter_leave(self.out, sums, f.n, y)

    cdef void enter(self, int dtype, const char *x, Py_ssize_t n, char *to) noexcept nogil:
        if self.is_real(dtype):
            memcpy(to, x, n * self.t.itemsize)
        else:
            self.t.filter_enter(dtype, x, n, to)

    cdef void constant(self, char *to) noexcept nogil:
        put_reals(to, 1, self.t.itemsize, self.cval)
