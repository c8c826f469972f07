# cython: language_level=3
"""Products of padding zeros with infinities and NaN, which are NaN: for kernels that leave out products with zeros."""

from libc.math cimport NAN
from libc.stdint cimport uint32_t, uint64_t


cdef inline bint any_nonfinite(const char *values, Py_ssize_t count, Py_ssize_t itemsize) noexcept nogil:
    # Whether any of `count` floats or doubles has the exponent of infinity and NaN; without branches, so in vectors.
    cdef const uint32_t *f = <const uint32_t *>values
    cdef const uint64_t *d = <const uint64_t *>values
    cdef uint32_t found = 0
    cdef uint64_t found64 = 0
    cdef Py_ssize_t i
    if itemsize == 4:
        for i in range(count):
            found |= <uint32_t>((f[i] & 0x7f800000u) == 0x7f800000u)
        return found != 0
    for i in range(count):
        found64 |= <uint64_t>((d[i] & 0x7ff0000000000000ull) == 0x7ff0000000000000ull)
    return found64 != 0


cdef inline void put_nan(char *values, Py_ssize_t i, Py_ssize_t itemsize) noexcept nogil:
    if itemsize == 4:
        (<float *>values)[i] = NAN
    else:
        (<double *>values)[i] = NAN
