"""Base of compiled kernels: see _prepared.pyx."""

from fastconv.backends.cython._simd cimport Contiguous, View, fc_table


cdef struct Arrays:
    # The arrays that one run reads and writes.
    View x, y
    View index  # of a second result, if there is one
    const char *weights  # packed or transformed
    const char *plain  # weights as they were given
    char *bias
    View b, c  # the other operands of a matrix product


cdef class Prepared:
    cdef const fc_table *t
    cdef object keep  # arrays whose addresses are held by the subclass
    cdef readonly Py_ssize_t items
    cdef Py_ssize_t own, scratch, shared  # bytes of one thread, from one thread's to the next thread's, and for all threads
    cdef int threads
    cdef tuple parts
    cdef Contiguous x, y  # contiguous arrays
    cdef Py_ssize_t x_bytes, y_bytes
    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil
    cdef void stretch(
        self, Py_ssize_t lo, Py_ssize_t hi, const Arrays *arrays, char *scratch, int threads) noexcept nogil


cdef class Bound:
    cdef Prepared prepared
    cdef object keep
    cdef Arrays arrays
    cdef int go(self, const Arrays *arrays) except -1


cdef Bound bound(Prepared prepared, object keep)
