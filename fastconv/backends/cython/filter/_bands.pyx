# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Correlations down columns and along rows at once, see simd/windows/bands.inc: the input is read once, the result written once.

The image is filtered in patches: a band of rows, a strip of columns.  Columns are summed up first, of the patch and of what windows
along rows see beside it; then rows.  Several such filters of the same image, the parts, are joined: added, or their squares.
"""

from libc.stdint cimport uintptr_t
from libc.string cimport memcpy

from fastconv.backends.cython.filter._edges cimport CONSTANT, beyond, lined, put_reals
from fastconv.backends.cython.filter._stages cimport Pass, pass_of
from fastconv.backends.cython.filter._walk cimport (
    BAND_ADD, BAND_ADD_SQUARE, BAND_FIRST, BAND_ROWS, BAND_SQUARE, fc_windows, named_windows, window_along_args,
    window_band_args, window_three_args,
)
from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport fc_table

cdef enum:
    PARTS = 8
    SEEN = 10  # rows that windows of three rows of BAND_ROWS results see


cdef struct Patch:
    # Results of `count` rows from `row` on, of `columns` pixels from `column` on; `carried`: whether the patch to the left was before.
    Py_ssize_t outer, row, count, column, columns
    bint carried


cdef class Bands(Prepared):
    """One prepared filter; its weights are bound as one array, and what is symmetric among them as another."""

    cdef const fc_windows *w
    cdef Pass down[PARTS]
    cdef Pass along[PARTS]
    cdef int parts
    cdef bint magnitude, transposed, straight, three, cross
    cdef Py_ssize_t outer, height, width, inner  # images, rows, pixels of a row, numbers of a pixel
    cdef Py_ssize_t band, strip, rows, block  # rows and pixels of a patch, and of an item
    cdef Py_ssize_t pitch  # numbers from row to row of sums down columns
    cdef Py_ssize_t size, row_blocks, column_blocks
    cdef Py_ssize_t pointers, fill, sums, kept  # bytes of scratch: of pointers to rows, of a constant row, of each part
    cdef double cval

    def __init__(self, str table, size_t types, Py_ssize_t size, double cval, parts, plan):
        """`size`: bytes of a number; `parts`: of passes down and along; `plan`: see bands.py."""
        cdef int p
        self.w, self.t, self.size, self.cval = named_windows(table), <const fc_table *>types, size, cval
        self.parts = len(parts)
        for p, (down, along) in enumerate(parts):
            self.down[p], self.along[p] = pass_of(down), pass_of(along)
        self.magnitude, self.transposed, self.straight = plan.magnitude, plan.transposed, plan.straight
        self.three, self.cross = plan.three, len(parts) == 2
        self.outer, self.height, self.width, self.inner = plan.image
        self.band, self.strip, self.rows, self.block, self.pitch = plan.band, plan.strip, plan.rows, plan.block, plan.pitch
        self.pointers, self.fill, self.sums, self.kept = plan.scratch
        self.row_blocks = (self.height + self.rows - 1) // self.rows
        self.column_blocks = (self.width + self.block - 1) // self.block
        self.items = self.outer * self.row_blocks * self.column_blocks if self.inner else 0

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t first = i % self.column_blocks * self.block, row, last, end, at
        cdef Patch p
        i //= self.column_blocks
        row, p.outer = i % self.row_blocks * self.rows, i // self.row_blocks
        last, end = min(row + self.rows, self.height), min(first + self.block, self.width)
        self.constant(scratch + self.pointers, self.fill // self.size)
        while row < last:
            p.row, p.count, p.column = row, min(self.band, last - row), first
            if self.three:
                self.whole_rows(a, &p, end, scratch)
            while p.column < end:
                p.columns, p.carried = min(self.strip, end - p.column), p.column > first
                at = <uintptr_t>self.result(a, &p) % 64
                if self.inner == 1 and at and at % self.size == 0 and p.columns > self.w.vl:
                    p.columns -= self.w.vl - (64 - at) // self.size % self.w.vl  # further results begin with cache lines
                self.patch(a, &p, p.column + p.columns < end, scratch)
                p.column += p.columns
            row += p.count

    cdef void whole_rows(self, const Arrays *a, Patch *p, Py_ssize_t end, char *scratch) noexcept nogil:
        """Windows of three by three, up to column `end`, but for those that see what is beyond the end: `p` moves on to them."""
        cdef const Pass *down = &self.down[0]
        cdef const Pass *along = &self.along[self.parts - 1]
        cdef const void *rows[SEEN]
        cdef Py_ssize_t lo = max(p.column, 1), hi = min(end, self.width - 1), k, at, pitch = self.width * self.inner
        cdef Py_ssize_t image = p.outer * self.height * pitch
        cdef window_three_args f
        f.down_symmetry, f.along_symmetry = (<const int *>a.more)[down.at], (<const int *>a.more)[along.at]
        if f.down_symmetry == 0 or f.along_symmetry == 0 or (self.cross and (f.down_symmetry < 0 or f.along_symmetry < 0)):
            return
        if self.inner == 1:  # results on whole cache lines
            at = <uintptr_t>(a.y.data + (image + p.row * pitch + lo) * self.size) % 64
            lo += (64 - at) % 64 // self.size
        if (hi - lo) * self.inner < self.w.vl:
            return
        if lo > p.column:
            p.columns, p.carried = lo - p.column, False
            self.patch(a, p, False, scratch)
        for k in range(p.count + 2):
            at = beyond(p.row + k - 1, down.extent, down.mode)
            if at < 0:
                rows[k] = scratch + self.pointers + self.inner * self.size
            else:
                rows[k] = a.x.data + (image + at * pitch + lo * self.inner) * self.size
        f.rows, f.count, f.n, f.step, f.pitch = <const void *const *>rows, p.count, (hi - lo) * self.inner, self.inner, pitch
        f.down, f.along = a.weights + down.weight * self.size, a.weights + along.weight * self.size
        f.cross, f.y, f.ys = self.cross, a.y.data + (image + p.row * pitch + lo * self.inner) * self.size, pitch
        self.w.three(&f)
        p.column = hi

    cdef char *result(self, const Arrays *a, const Patch *p) noexcept nogil:
        """The first one of a patch."""
        return a.y.data + ((p.outer * self.height + p.row) * self.width + p.column) * self.inner * self.size

    cdef void patch(self, const Arrays *a, const Patch *p, bint followed, char *scratch) noexcept nogil:
        cdef Py_ssize_t n = p.columns * self.inner, vector = self.w.vl * self.size, k
        cdef char *y = self.result(a, p)
        cdef char *sums = scratch + self.pointers + self.fill
        cdef window_along_args f
        cdef int i
        if self.straight:
            self.sum_down(a, 0, p, p.column, p.columns, y, self.width * self.inner, scratch)
            return
        for i in range(self.parts):
            self.columns(a, i, p, sums + i * (self.sums + self.kept), scratch)
        f.step, f.n = self.inner, n
        for i in range(self.parts):
            f.weights, f.taps = a.weights + self.along[i].weight * self.size, self.along[i].taps
            f.symmetry = (<const int *>a.more)[self.along[i].at]
            f.join = BAND_ADD if i else BAND_FIRST
            if self.magnitude:
                f.join = BAND_ADD_SQUARE if i else BAND_SQUARE
            f.x = sums + i * (self.sums + self.kept)
            if self.transposed:
                if followed:
                    memcpy(
                        <char *>f.x + self.sums, <const char *>f.x + n * vector, (f.taps - 1) * self.inner * vector)
                f.y = sums
                f.z = f.y
                self.w.vectors(&f)
                continue
            f.x = <const char *>f.x + self.lead(i) * self.size
            for k in range(p.count):
                f.y = y + k * self.width * self.inner * self.size
                f.z = f.y
                self.w.row(&f)
                f.x = <const char *>f.x + self.pitch * self.size
        if self.transposed:
            self.w.leave(sums, n, self.magnitude, p.count, y, self.width * self.inner)
        elif self.magnitude:
            for k in range(p.count):
                self.w.root(y + k * self.width * self.inner * self.size, n)

    cdef Py_ssize_t lead(self, int part) noexcept nogil:
        """Numbers before the first one of a row of sums, so that what lies above a result begins with a cache line."""
        cdef Py_ssize_t before = self.along[part].before * self.inner % self.w.vl
        return (self.w.vl - before) % self.w.vl

    cdef void columns(self, const Arrays *a, int part, const Patch *p, char *sums, char *scratch) noexcept nogil:
        """Sums down columns, of all those that windows along the rows of the patch see."""
        cdef const Pass *w = &self.along[part]
        cdef Py_ssize_t unit = self.inner * self.size, first = p.column - w.before, last = first + p.columns + w.taps - 1
        cdef Py_ssize_t kept = 0, lo, hi, j, at, k, pitch = self.pitch * self.size
        cdef char *to
        if self.transposed:
            unit *= self.w.vl
            if p.carried:
                kept = w.taps - 1
                memcpy(sums, sums + self.sums, kept * unit)
        else:
            sums += self.lead(part) * self.size
        lo = min(max(first + kept, 0), self.width)
        hi = max(min(last, self.width), lo)
        self.sum_down(a, part, p, lo, hi - lo, sums + (lo - first) * unit, self.pitch, scratch)
        j = first + kept - 1
        while j < last - 1:
            j += 1
            if lo <= j < hi:
                j = hi - 1
                continue
            at, to = beyond(j, w.extent, w.mode), sums + (j - first) * unit
            if at >= 0 and not first <= at < hi:
                self.sum_down(a, part, p, at, 1, to, self.pitch, scratch)
                continue
            for k in range(1 if self.transposed else p.count):
                if at < 0:
                    self.constant(to + k * pitch, unit // self.size)
                else:
                    memcpy(to + k * pitch, sums + (at - first) * unit + k * pitch, unit)

    cdef void sum_down(
        self, const Arrays *a, int part, const Patch *p, Py_ssize_t column, Py_ssize_t n, char *to, Py_ssize_t pitch,
        char *scratch
    ) noexcept nogil:
        """Sums down `n` pixels."""
        cdef const Pass *w = &self.down[part]
        cdef const void **rows = <const void **>scratch
        cdef Py_ssize_t count = max(self.band, max(self.w.vl, <Py_ssize_t>BAND_ROWS)) + w.taps - 1, k, at
        cdef const char *x = a.x.data + (p.outer * self.height * self.width + column) * self.inner * self.size
        cdef Py_ssize_t row_bytes = self.width * self.inner * self.size, band = count - w.taps + 1
        cdef window_band_args f
        if n <= 0:
            return
        for k in range(count):
            at = beyond(p.row + min(k, p.count + w.taps - 2) - w.before, w.extent, w.mode)
            rows[k] = scratch + self.pointers if at < 0 else x + at * row_bytes
        f.next = NULL
        if part == 0 and n > 1 and not self.straight:
            f.next = <const void *const *>(rows + count)
            for k in range(count, count + band):
                rows[k] = x + min(p.row + k - w.before, self.height - 1) * row_bytes
        f.result, f.results = self.result(a, p), self.width * self.inner
        f.rows, f.weights, f.taps = <const void *const *>rows, a.weights + w.weight * self.size, w.taps
        f.symmetry, f.transposed = (<const int *>a.more)[w.at], self.transposed
        f.count, f.n, f.y, f.ys = p.count, n * self.inner, to, pitch
        self.w.down(&f)

    cdef void constant(self, char *to, Py_ssize_t n) noexcept nogil:
        put_reals(to, n, self.size, self.cval)
