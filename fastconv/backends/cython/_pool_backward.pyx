# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Gradients of max pooling: each is added where its index says.

An item of work is a plane of one channel, or, channels last, some channels of one image: nobody else writes there,
and additions follow the order of memory.
"""

from cython.parallel cimport prange
from libc.stdint cimport int64_t
from libc.string cimport memset

from fastconv.backends.cython._simd cimport View, view

ctypedef fused real:
    float
    double


cdef void scatter(
    real *out, const real *dy, const int64_t *index, Py_ssize_t channels, Py_ssize_t outputs, Py_ssize_t elements,
    Py_ssize_t step) noexcept nogil:
    # `channels` neighbours at every position, `step` from one position to the next.  Indices that do not lie inside
    # add nothing: -1 means that, and an array that another thread changes must not lead out of the plane.
    cdef Py_ssize_t o, c
    cdef int64_t at
    if channels == step:
        memset(out, 0, elements * channels * sizeof(real))
    else:
        for o in range(elements):
            memset(out + o * step, 0, channels * sizeof(real))
    if channels == 1:
        for o in range(outputs):
            at = index[o * step]
            if 0 <= at < elements:
                out[at * step] += dy[o * step]
    else:
        for o in range(outputs):
            for c in range(channels):
                at = index[o * step + c]
                if 0 <= at < elements:
                    out[at * step + c] += dy[o * step + c]


def run(dy, index, out, Py_ssize_t width, Py_ssize_t lo, Py_ssize_t hi, int threads):
    """Items lo to hi: parts of `width` channels, which is 1 unless channels come last."""
    cdef View d = view(dy), i = view(index), y = view(out)
    cdef Py_ssize_t channels = out.shape[1], parts = (channels + width - 1) // width
    cdef Py_ssize_t outputs = dy.shape[2] * dy.shape[3] * dy.shape[4]
    cdef Py_ssize_t elements = out.shape[2] * out.shape[3] * out.shape[4]
    cdef bint single = out.dtype.itemsize == 4
    # Not the strides of the last axis: where it has length 1 they may be anything.
    cdef Py_ssize_t step = 1 if width == 1 else channels
    cdef Py_ssize_t item
    for item in prange(lo, hi, nogil=True, num_threads=threads, schedule="static"):
        part(&d, &i, &y, item // parts, item % parts * width, min(width, channels - item % parts * width), outputs,
             elements, step, single)


cdef void part(
    const View *d, const View *i, const View *y, Py_ssize_t n, Py_ssize_t c, Py_ssize_t channels, Py_ssize_t outputs,
    Py_ssize_t elements, Py_ssize_t step, bint single) noexcept nogil:
    cdef const int64_t *index = <const int64_t *>i.data + n * i.stride[0] + c * i.stride[1]
    if single:
        scatter[float](
            <float *>y.data + n * y.stride[0] + c * y.stride[1], <const float *>d.data + n * d.stride[0] + c * d.stride[1],
            index, channels, outputs, elements, step)
    else:
        scatter[double](
            <double *>y.data + n * y.stride[0] + c * y.stride[1],
            <const double *>d.data + n * d.stride[0] + c * d.stride[1], index, channels, outputs, elements, step)
