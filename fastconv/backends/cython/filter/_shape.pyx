# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Extrema of windows of any shape, see simd/windows/extremes.inc.

A row of a window is some runs of taps.  Rows of the image are held together with the extrema of 2, 4, 8, ... adjacent
elements, their levels, so that a run is two loads, whatever its length.

Taps that have heights, simd/windows/heights.inc, are loaded one by one.  As in SciPy, their sums are of the elements' type and
wrap around, but that of the first tap is a double, with which all others are compared.
"""

from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy, memset

from fastconv.backends.cython.filter._edges cimport CONSTANT, beyond, lined
from fastconv.backends.cython.filter._walk cimport Walked, fc_windows, named_windows, window_extreme_args, window_height_args
from fastconv.backends.cython.runtime._prepared cimport Arrays
from fastconv.backends.cython.runtime._simd cimport WINDOW_MAX, WINDOW_MIN, address

cdef enum:
    BYTES, REALS, OTHERS  # whose extrema are found by `extreme_bytes`, `extreme`, `window_join`
    DOUBLES = 1024  # that are compared at a time


cdef struct Known:
    int64_t exact  # whether the sum of the first tap can be found in the type, too
    int64_t after  # see `window_height_args`
    int64_t first  # its height, if that is an integer
    double height  # the same; of minima with the other sign


cdef class Shape(Walked):
    """One prepared filter."""

    cdef int out, acc, kind
    cdef bint largest
    cdef uint64_t fill  # the constant, as held rows have it
    cdef Py_ssize_t levels, level  # of a row, and bytes of one
    cdef Py_ssize_t front  # bytes before a held row, so that results begin on a cache line
    cdef const Py_ssize_t *runs  # of each load: the row, and bytes from the start of the first level
    cdef object kept_runs
    cdef const fc_windows *doubles  # of taps that have heights

    def __init__(self, types, int kind, bint largest, fill, levels, runs, str doubles=None):
        """`types`: of the input, the result and what is compared; `fill`: the constant as an array of one of these; `levels`:
        how many, bytes of one, and before the first; `runs`: of each load the row, and bytes from its start; `doubles`: if
        taps have heights, the name of the micro-kernels that compare doubles."""
        self.dtype, self.out, self.acc = types
        self.kind, self.largest = kind, largest
        self.fill = 0
        memcpy(&self.fill, address(fill), fill.itemsize)
        self.levels, self.level, self.front = levels
        self.kept_runs, self.runs, self.taps = runs, <const Py_ssize_t *>address(runs), len(runs)
        self.doubles = NULL if doubles is None else named_windows(doubles)

    cdef void strip(
        self, const Arrays *a, Py_ssize_t outer, Py_ssize_t row, Py_ssize_t first, Py_ssize_t end, bint held, char *scratch
    ) noexcept nogil:
        """Results first to end of the rows of an item."""
        cdef Py_ssize_t last = min(row + self.rows, self.height.extent), tall = self.height.taps, before = self.height.before
        cdef Py_ssize_t columns = end - first + self.width.taps - 1, unit = self.width.extent * self.inner * self.given
        cdef Py_ssize_t p, v, at
        cdef Py_ssize_t *planes = <Py_ssize_t *>scratch
        cdef const void **taps = <const void **>(scratch + lined(self.planes * sizeof(Py_ssize_t)))
        cdef const char **rows = <const char **>(<char *>taps + lined(self.taps * sizeof(void *)))
        cdef char *fill = <char *>rows + lined(self.planes * tall * sizeof(void *)) + self.front
        cdef char *ring = fill + (self.pitch if self.mode == CONSTANT else 0)
        cdef char *rest = ring - self.front + self.planes * tall * self.pitch
        cdef char *slot
        for p in range(self.planes):
            planes[p] = self.plane(outer, p)
        if self.mode == CONSTANT:
            self.constant(fill - self.front, self.pitch // self.size)
        for v in range(row - before, last + tall - 1 - before):
            at = beyond(v, self.height.extent, self.mode)
            for p in range(self.planes):
                if at >= 0 and planes[p] >= 0:
                    slot = self.held(ring, p, v)
                    self.enter_strip(a.x.data + (planes[p] * self.height.extent + at) * unit, first, end, slot)
                    self.lengthen(slot, columns)
            if v - (tall - 1 - before) >= row:
                self.compute_row(a, outer, v - (tall - 1 - before), first, end, planes, rows, taps, fill, ring, rest)

    cdef inline char *held(self, char *ring, Py_ssize_t plane, Py_ssize_t row) noexcept nogil:
        """A row of a plane of the image."""
        cdef Py_ssize_t tall = self.height.taps
        return ring + (plane * tall + (row + 2 * tall) % tall) * self.pitch

    cdef void lengthen(self, char *row, Py_ssize_t columns) noexcept nogil:
        """The further levels of a row."""
        cdef Py_ssize_t l, n = columns * self.inner, step = self.inner
        cdef const void *halves[2]
        for l in range(1, self.levels):
            halves[0] = row + (l - 1) * self.level
            halves[1] = <const char *>halves[0] + step * self.size
            n -= step
            if n <= 0:
                return
            self.join(halves, 2, row + l * self.level, n)
            step *= 2

    cdef void join(self, const void **rows, Py_ssize_t count, void *y, Py_ssize_t n) noexcept nogil:
        """Extrema of rows."""
        cdef window_extreme_args e
        cdef const void *some[4]
        cdef int op = WINDOW_MAX if self.largest else WINDOW_MIN, k, many
        cdef Py_ssize_t t
        if self.kind != OTHERS:
            e.taps, e.count, e.largest, e.y, e.n = <const void *const *>rows, count, self.largest, y, n
            if self.kind == BYTES:
                self.w.extreme_bytes(&e)
            else:
                self.w.extreme(&e)
            return
        some[0], t = rows[0], 1
        if count == 1:
            memcpy(y, rows[0], n * self.size)
        while t < count:
            many = <int>min(count - t, 3)
            for k in range(many):
                some[k + 1] = rows[t + k]
            self.t.window_join(self.acc, op, some, many + 1, y, n)
            some[0] = y
            t += many

    cdef void compute_row(
        self, const Arrays *a, Py_ssize_t outer, Py_ssize_t q, Py_ssize_t first, Py_ssize_t end, const Py_ssize_t *planes,
        const char **rows, const void **taps, char *fill, char *ring, char *rest
    ) noexcept nogil:
        """A row of results."""
        cdef Py_ssize_t t, p, n = (end - first) * self.inner, tall = self.height.taps, up = q - self.height.before
        cdef char *y = a.y.data + ((outer * self.height.extent + q) * self.width.extent + first) * self.inner * self.made
        for p in range(self.planes):
            for t in range(tall):
                if self.mode == CONSTANT and (planes[p] < 0 or not 0 <= up + t < self.height.extent):
                    rows[p * tall + t] = fill
                else:
                    rows[p * tall + t] = self.held(ring, p, up + t)
        for t in range(self.taps):
            taps[t] = rows[self.runs[2 * t]] + self.runs[2 * t + 1]
        if self.doubles != NULL:
            self.raised(a, taps, y, n, rest)
        elif self.stored:
            self.join(taps, self.taps, y, n)
        else:
            self.join(taps, self.taps, rest, n)
            self.t.filter_leave(self.out, rest, n, y)

    cdef void raised(self, const Arrays *a, const void **taps, char *y, Py_ssize_t n, char *scratch) noexcept nogil:
        """Extrema of taps that have heights."""
        cdef const Known *known = <const Known *>a.weights
        cdef window_height_args e
        cdef Py_ssize_t i = 0, some
        cdef double *sums = <double *>scratch
        cdef double *others = sums + DOUBLES
        cdef double *found = others + DOUBLES
        cdef char *rest = <char *>(found + DOUBLES)
        cdef const void *both[2]
        cdef double heights[2]
        e.taps, e.heights, e.count, e.n = <const void *const *>taps, a.bias, self.taps, n
        e.size, e.negated, e.after = 0 if self.kind == REALS else <int>self.size, not self.largest, known.after
        if known.exact and self.kind == REALS:
            e.y = y
            self.w.height(&e)
            return
        e.taps, e.heights, e.count = &taps[1], <const char *>a.bias + self.size, self.taps - 1
        e.y = y if known.exact else rest
        if e.count:
            self.w.height(&e)
        if known.exact:
            self.w.height_first(self.dtype, taps[0], known.first, self.largest, y, n)
            return
        e.size, e.after, e.taps, e.heights = 0, 0, both, heights
        both[0], both[1], heights[0], heights[1] = sums, others, known.height, 0
        e.count, e.y = 2 if e.count else 1, found
        while i < n:
            some = min(DOUBLES, n - i)
            self.t.filter_enter(self.dtype, <const char *>taps[0] + i * self.size, some, sums)
            if e.count > 1:
                self.t.filter_enter(self.dtype, rest + i * self.size, some, others)
            e.n = some
            self.doubles.height(&e)
            self.t.filter_leave(self.out, found, some, y + i * self.made)
            i += some

    cdef void constant(self, char *to, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t i
        if self.size == 1:
            memset(to, <int>(self.fill & 255), n)
            return
        for i in range(n):
            memcpy(to + i * self.size, &self.fill, self.size)
