"""Base of compiled kernels: see _prepared.pyx."""

from fastconv.backends.cython.runtime._simd cimport Contiguous, Panels, View, fc_table


cdef struct Arrays:
    # What the items of one run read and write.
    View x, y
    View z  # a third array of the run: indices of maxima, or the second factor of a gradient of weights
    const char *weights  # packed or transformed
    const char *plain  # weights as they were given
    char *bias
    View b, c  # the other operands of a matrix product
    char *shared  # scratch of all threads
    const void *more  # whatever else a kernel passes to its items


cdef class Prepared:
    cdef const fc_table *t
    cdef object keep  # arrays whose addresses are held by the subclass
    cdef readonly Py_ssize_t items, closing  # `closing` more items read what the others write
    cdef bint uniform  # whether each thread computes one run of items, instead of taking the next item whenever it is idle
    cdef Py_ssize_t own, scratch, shared  # bytes of one thread, from one thread's to the next thread's, and for all threads
    cdef int threads
    cdef tuple parts
    cdef Contiguous x, y, z  # contiguous arrays
    cdef Py_ssize_t x_bytes, y_bytes
    cdef Py_ssize_t weight_bytes, bias_bytes, packed_bytes  # of the operands that `plain` takes
    cdef Panels panels  # in which `plain` packs weights, if `packed_bytes` is not 0
    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil
    cdef Py_ssize_t barrier(self, Py_ssize_t i, const Arrays *arrays) noexcept nogil
    cdef int execute(self, Arrays *arrays) except -1
    cdef void compute(self, Py_ssize_t lo, Py_ssize_t hi, const Arrays *arrays, char *scratch, int threads) noexcept nogil


cdef class Bound:
    cdef Prepared prepared
    cdef object keep
    cdef Arrays arrays


cdef Bound bound(Prepared prepared, object keep)
