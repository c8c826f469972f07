"""The C tables of simd/table.h, and the strides of a NumPy view in elements."""

from libc.stdint cimport int64_t
from cpython.buffer cimport PyBUF_STRIDED_RO, PyBuffer_Release, PyObject_GetBuffer


cdef extern from "simd/table.h" nogil:
    ctypedef struct fc_epilogue:
        double alpha, beta
        const void *c
        Py_ssize_t crs, ccs
        const void *row_bias
        const void *col_bias
        int relu

    ctypedef void (*fc_tile_p)(
        Py_ssize_t depth, Py_ssize_t ntaps, const Py_ssize_t *taps, const void *a, Py_ssize_t acs,
        const void *b, Py_ssize_t bs, int first, void *m) noexcept nogil

    ctypedef struct fc_table:
        Py_ssize_t itemsize, vl, mr, nr
        fc_tile_p *tile
        void (*fill_row)(
            void *dst, Py_ssize_t phases, Py_ssize_t phase_stride, const void *src, Py_ssize_t xs,
            const int64_t *cols, Py_ssize_t count, Py_ssize_t run0, Py_ssize_t run1, double fill) noexcept nogil
        void (*pack_a)(void *dst, const void *x, Py_ssize_t rs, Py_ssize_t cs, Py_ssize_t extent, Py_ssize_t depth) noexcept nogil
        void (*pack_b)(void *dst, const void *x, Py_ssize_t rs, Py_ssize_t cs, Py_ssize_t extent, Py_ssize_t depth) noexcept nogil
        void (*store)(
            const void *m, Py_ssize_t rows, Py_ssize_t cols, void *y, Py_ssize_t rs, Py_ssize_t cs,
            const fc_epilogue *e) noexcept nogil
        void (*load)(void *m, Py_ssize_t rows, Py_ssize_t cols, const void *y, Py_ssize_t rs, Py_ssize_t cs) noexcept nogil
        void (*depthwise)(
            const void *band, Py_ssize_t row_step, Py_ssize_t ntaps, const Py_ssize_t *taps, const void *w,
            double bias, int relu, Py_ssize_t rows, Py_ssize_t ow, void *y, Py_ssize_t ys) noexcept nogil
        void (*depthwise_last)(
            const void *x, Py_ssize_t ntaps, const Py_ssize_t *offs, const void *w, const void *bias,
            double fill, int relu, Py_ssize_t channels, void *y) noexcept nogil
        void (*max_row)(const void *band, Py_ssize_t ntaps, const Py_ssize_t *taps, Py_ssize_t ow, void *y) noexcept nogil
        void (*sum_row)(const void *band, Py_ssize_t ntaps, const Py_ssize_t *taps, Py_ssize_t ow, void *y) noexcept nogil
        void (*max_row_at)(
            const void *band, Py_ssize_t ntaps, const Py_ssize_t *taps, Py_ssize_t ow, void *y, int64_t *which) noexcept nogil
        void (*max_last)(
            const void *x, Py_ssize_t ntaps, const Py_ssize_t *offs, Py_ssize_t channels, double divisor, void *y) noexcept nogil
        void (*sum_last)(
            const void *x, Py_ssize_t ntaps, const Py_ssize_t *offs, Py_ssize_t channels, double divisor, void *y) noexcept nogil
        void (*divide_row)(void *y, const void *divisor, Py_ssize_t n) noexcept nogil
        double (*peak)(Py_ssize_t rounds) noexcept nogil


cdef struct View:
    # An array of up to five axes: address of the first element, strides in elements.
    char *data
    Py_ssize_t stride[5]


cdef inline View view(object array) except *:
    """Where `array` lies.  The caller keeps it alive; its memory does not move."""
    cdef Py_buffer buf
    cdef View v
    cdef int i
    PyObject_GetBuffer(array, &buf, PyBUF_STRIDED_RO)
    v.data = <char *>buf.buf
    for i in range(5):
        v.stride[i] = buf.strides[i] // buf.itemsize if i < buf.ndim else 0
    PyBuffer_Release(&buf)
    return v


cdef inline char *address(object array) except? NULL:
    """Address of the first element; NULL for None."""
    if array is None:
        return NULL
    return view(array).data
