# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Ranks of bytes in large windows, see simd/windows/histogram.inc.

An item of work is some rows of results, a block of columns after the other: their histograms stay in the cache.
"""

from libc.stdint cimport uint8_t
from libc.string cimport memcpy, memset

from fastconv.backends.cython.filter._edges cimport beyond, lined
from fastconv.backends.cython.filter._walk cimport Walked, window_histogram_args
from fastconv.backends.cython.runtime._prepared cimport Arrays

cdef enum:
    COARSE = 16  # bytes of the histogram of a column, upper and lower level
    FINE = 256


cdef class Histogram(Walked):
    """One prepared filter."""

    cdef Py_ssize_t rank
    cdef int fill

    def __init__(self, int fill, Py_ssize_t rank):
        """`fill`: what lies beyond the ends, if that is a constant."""
        self.fill, self.rank = fill, rank

    cdef void strip(
        self, const Arrays *a, Py_ssize_t outer, Py_ssize_t row, Py_ssize_t first, Py_ssize_t end, bint held, char *scratch
    ) noexcept nogil:
        """Results first to end of the rows of an item."""
        cdef Py_ssize_t last = min(row + self.rows, self.height.extent), tall = self.height.taps, r
        cdef Py_ssize_t columns = (end - first + self.width.taps - 1) * self.inner
        cdef Py_ssize_t most = (self.block + self.width.taps - 1) * self.inner
        cdef char *rest = scratch + lined(most * COARSE)
        cdef window_histogram_args h
        h.coarse, h.fine = <uint8_t *>scratch, <uint8_t *>rest
        h.wide, h.step, h.rank, h.n = self.width.taps, self.inner, self.rank, (end - first) * self.inner
        memset(scratch, 0, columns * COARSE)
        memset(rest, 0, columns * FINE)
        rest += most * FINE
        for r in range(row, row + tall - 1):
            self.count(a, &h, outer, r, -1, first, end, rest)
        for r in range(row, last):
            self.count(a, &h, outer, r + tall - 1, r - 1 if r > row else -1, first, end, rest)
            h.y = <uint8_t *>a.y.data + ((outer * self.height.extent + r) * self.width.extent + first) * self.inner
            self.w.histogram(&h)

    cdef void count(
        self, const Arrays *a, const window_histogram_args *h, Py_ssize_t outer, Py_ssize_t added, Py_ssize_t removed,
        Py_ssize_t first, Py_ssize_t end, char *scratch
    ) noexcept nogil:
        """Count a row of each plane, of those with what lies beyond the ends; no longer count another, unless it is -1."""
        cdef Py_ssize_t p, n = (end - first + self.width.taps - 1) * self.inner
        cdef char *second = scratch + self.pitch
        for p in range(self.planes):
            self.enter_row(a, self.plane(outer, p), added, first, end, scratch)
            if removed >= 0:
                self.enter_row(a, self.plane(outer, p), removed, first, end, second)
            self.w.count(
                <uint8_t *>h.coarse, <uint8_t *>h.fine, <uint8_t *>scratch, <uint8_t *>second if removed >= 0 else NULL, n)

    cdef void enter_row(
        self, const Arrays *a, Py_ssize_t plane, Py_ssize_t v, Py_ssize_t first, Py_ssize_t end, char *to) noexcept nogil:
        cdef Py_ssize_t at = -1
        if plane >= 0:
            at = beyond(v - self.height.before, self.height.extent, self.mode)
        if at < 0:
            self.constant(to, (end - first + self.width.taps - 1) * self.inner)
        else:
            at += plane * self.height.extent
            self.enter_strip(a.x.data + at * self.width.extent * self.inner, first, end, to)

    cdef void enter(self, const char *x, Py_ssize_t n, char *to) noexcept nogil:
        memcpy(to, x, n)

    cdef void constant(self, char *to, Py_ssize_t n) noexcept nogil:
        memset(to, self.fill, n)
