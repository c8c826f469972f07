# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Correlations with weights of any shape, see simd/windows/tile.inc; where some weights are zero, row by row."""

from fastconv.backends.cython.filter._edges cimport put_reals
from fastconv.backends.cython.filter._walk cimport Walked, window_tile_args
from fastconv.backends.cython.runtime._prepared cimport Arrays


cdef class Correlation(Walked):
    """One prepared correlation; its weights are bound."""

    cdef Py_ssize_t sums_pitch
    cdef int out
    cdef double cval

    def __init__(self, int dtype, int out, double cval, Py_ssize_t sums_pitch):
        """`sums_pitch`: bytes of a row of sums, if they are not stored as they are."""
        self.dtype, self.out, self.cval, self.sums_pitch = dtype, out, cval, sums_pitch

    cdef void results(
        self, const void **rows, Py_ssize_t at, Py_ssize_t count, Py_ssize_t all, Py_ssize_t n, char *y, const Arrays *a,
        char *scratch) noexcept nogil:
        cdef Py_ssize_t pitch = self.width.extent * self.inner * self.made, i
        cdef char *sums = y if self.stored else scratch
        cdef char *carried = scratch + self.together * self.sums_pitch
        cdef const void **taps = <const void **>carried
        cdef window_tile_args f
        if self.keep is not None:
            self.point_taps(rows, taps)
            self.w.sum_(<const void *const *>taps, a.weights, self.taps, sums, n)
        else:
            f.rows, f.weights, f.planes, f.height = <const void *const *>rows, a.weights, self.planes, self.height.taps
            f.taps, f.step, f.count, f.n = self.width.taps, self.inner, count, n
            f.y, f.ys = sums, (pitch if self.stored else self.sums_pitch) // self.size
            f.at, f.all, f.carried = at, all, carried
            f.ahead, f.pitch = NULL, self.width.extent * self.inner
            if self.direct and self.stored and self.planes == 1 and n > self.vl:
                f.ahead = <const char *>rows[self.height.taps + count - 2] + f.pitch * self.size
            self.w.tile(&f)
        if not self.stored:
            for i in range(count):
                self.t.filter_leave(self.out, sums + i * self.sums_pitch, n, y + i * pitch)

    cdef void constant(self, char *to, Py_ssize_t n) noexcept nogil:
        put_reals(to, n, self.size, self.cval)
