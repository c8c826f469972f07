"""What lies beyond the ends of an axis, and lengths of scratch: of all filters."""

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

cdef enum:
    REFLECT = 0, CONSTANT, NEAREST, MIRROR, WRAP  # flat.MODES


cdef inline Py_ssize_t beyond(Py_ssize_t i, Py_ssize_t extent, int mode) noexcept nogil:
    """`core.problems.separable.beyond`."""
    if 0 <= i < extent:
        return i
    if mode == CONSTANT:
        return -1
    if mode == NEAREST:
        return 0 if i < 0 else extent - 1
    if mode == WRAP:
        if -extent <= i < 2 * extent:  # almost always: no division
            return i + extent if i < 0 else i - extent
        return (i % extent + extent) % extent
    if -extent < i < 2 * extent - 1:
        if mode == REFLECT:
            return -1 - i if i < 0 else 2 * extent - 1 - i
        return -i if i < 0 else 2 * extent - 2 - i
    cdef Py_ssize_t period = max(2 * extent - 2, 1) if mode == MIRROR else 2 * extent
    i = (i % period + period) % period
    if i < extent:
        return i
    return period - i if mode == MIRROR else period - 1 - i


cdef inline void copy_element(char *to, const char *x, Py_ssize_t nbytes) noexcept nogil:
    """`memcpy`, without its call for single numbers."""
    if nbytes == 4:
        (<int32_t *>to)[0] = (<const int32_t *>x)[0]
    elif nbytes == 8:
        (<int64_t *>to)[0] = (<const int64_t *>x)[0]
    elif nbytes == 1:
        to[0] = x[0]
    else:
        memcpy(to, x, nbytes)


cdef inline void put_reals(char *to, Py_ssize_t n, Py_ssize_t size, double value) noexcept nogil:
    """`n` equal numbers of `size` bytes."""
    cdef Py_ssize_t i
    for i in range(n):
        if size == 4:
            (<float *>to)[i] = <float>value
        else:
            (<double *>to)[i] = value


cdef inline Py_ssize_t lined(Py_ssize_t nbytes) noexcept nogil:
    """Whole cache lines."""
    return (nbytes + 63) // 64 * 64
