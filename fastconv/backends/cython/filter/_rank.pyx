# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Ranks of the elements of windows, see simd/windows/ranks.inc."""

from libc.string cimport memcpy, memset

from fastconv.backends.cython.filter._edges cimport lined
from fastconv.backends.cython.filter._walk cimport Walked, window_median_args, window_rank_args
from fastconv.backends.cython.runtime._prepared cimport Arrays


cdef class Rank(Walked):
    """One prepared filter."""

    cdef Py_ssize_t rank, pitch_found, pitch_sorted
    cdef int dtype, out, square
    cdef bint of_bytes
    cdef double cval

    def __init__(self, int dtype, int out, double cval, Py_ssize_t rank, bint of_bytes, int square, pitches):
        """`square`: rows of a window whose median a network finds, or 0; `pitches`: bytes of a row of results, if they are
        not stored as they are, and of a row of sorted columns, if there is a network."""
        self.dtype, self.out, self.cval, self.rank = dtype, out, cval, rank
        self.of_bytes, self.square = of_bytes, square
        self.pitch_found, self.pitch_sorted = pitches

    cdef void results(
        self, const void **rows, Py_ssize_t count, Py_ssize_t n, char *y, const Arrays *a, char *scratch) noexcept nogil:
        """Of one row."""
        cdef char *found = y if self.stored else scratch
        cdef window_median_args m
        cdef window_rank_args r
        scratch += self.pitch_found
        if self.square:
            m.rows, m.size, m.step, m.y, m.n = <const void *const *>rows, self.square, self.inner, found, n
            m.sorted, m.pitch = scratch, self.pitch_sorted // self.size
            if self.w.median_bytes(&m) if self.of_bytes else self.w.median(&m):
                self.leave(found, n, y)
                return
            scratch += self.square * self.pitch_sorted
        self.point_taps(rows, <const void **>scratch)
        r.taps, r.count, r.rank, r.y, r.n = <const void *const *>scratch, self.taps, self.rank, found, n
        r.space = <double *>(scratch + lined(self.taps * sizeof(void *)))
        if self.of_bytes:
            self.w.rank_bytes(&r)
        else:
            self.w.rank(&r)
        self.leave(found, n, y)

    cdef void leave(self, char *found, Py_ssize_t n, char *y) noexcept nogil:
        if not self.stored:
            self.t.filter_leave(self.out, found, n, y)

    cdef void enter(self, const char *x, Py_ssize_t n, char *to) noexcept nogil:
        if self.direct:
            memcpy(to, x, n * self.size)
        else:
            self.t.filter_enter(self.dtype, x, n, to)

    cdef void constant(self, char *to, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t i
        if self.of_bytes:
            memset(to, <int>self.cval, n)
            return
        for i in range(n):
            if self.size == 4:
                (<float *>to)[i] = <float>self.cval
            else:
                (<double *>to)[i] = self.cval
