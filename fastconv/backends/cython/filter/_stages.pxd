"""Base of filters along one axis after the other, see _stages.pyx."""

from libc.stdint cimport uint64_t

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared

cdef enum:
    STAGES = 16
    ALONG, ACROSS, BOTH  # what a stage filters


cdef struct Pass:
    Py_ssize_t extent, taps, before
    int mode
    Py_ssize_t weight  # of correlations: where its weights begin
    int at  # and which pass it is


cdef struct Stage:
    int kind
    bint in_place
    Pass along, across
    Py_ssize_t outer, length, inner  # lines are `length` elements, `inner` apart; of both passes, those across
    Py_ssize_t rows, columns  # of an item: elements of each line, and adjacent lines
    Py_ssize_t band, strip  # of what is joined together: rows, and elements of each
    Py_ssize_t row_blocks, column_blocks, items


cdef class Staged(Prepared):
    cdef Stage stages[STAGES]
    cdef Py_ssize_t count, length, given, made  # stages; elements; bytes of one of the input and of the result
    cdef void along(
        self, const Stage *s, const Arrays *a, const char *x, Py_ssize_t line, Py_ssize_t row, char *scratch
    ) noexcept nogil
    cdef void across(
        self, const Stage *s, const Arrays *a, const char *x, Py_ssize_t outer, Py_ssize_t row, Py_ssize_t column,
        char *scratch
    ) noexcept nogil


cdef class Joining(Staged):
    cdef Py_ssize_t size  # bytes of an element that is joined
    cdef int dtype, out
    cdef bint direct_in, direct_out  # whether memory holds what is joined
    cdef uint64_t fill  # the constant, as it is joined
    cdef char *elements(self, const Stage *s, char *scratch, char **tail) noexcept nogil
    cdef void join_line(self, const Stage *s, char *scratch, Py_ssize_t n, char *y) noexcept nogil
    cdef void element(
        self, const Pass *w, int dtype, const char *x, Py_ssize_t given, Py_ssize_t i, char *to) noexcept nogil
    cdef bint is_joined(self, int dtype) noexcept nogil
    cdef void enter(self, int dtype, const char *x, Py_ssize_t n, char *to) noexcept nogil
    cdef void convert(self, int dtype, const char *x, Py_ssize_t n, char *to) noexcept nogil


cdef Pass pass_of(numbers) except *
