# cython: language_level=3
"""16-bit floats to float and back, of arrays with any strides."""

from numpy cimport PyArray_DIM, PyArray_NDIM, ndarray

from fastconv.backends.cython.runtime._simd cimport View, fc_convert, fc_table, view

DEF AXES = 5


def convert(size_t table, ndarray y, ndarray x, bint bfloat, bint wide):
    """y = x, of up to five axes; one is float and the other of 16 bits, bfloat16 if `bfloat`: y is the float if `wide`."""
    cdef const fc_table *t = <const fc_table *>table
    cdef fc_convert *one = t.widen[bfloat] if wide else t.narrow[bfloat]
    cdef View from_ = view(x), to = view(y)
    cdef Py_ssize_t extent[AXES]
    cdef Py_ssize_t xs[AXES]
    cdef Py_ssize_t ys[AXES]
    cdef Py_ssize_t at[AXES]
    cdef Py_ssize_t e, xsize = 2 if wide else 4, ysize = 4 if wide else 2
    cdef int axes = 0, i, j
    cdef char *src = from_.data
    cdef char *dst = to.data
    assert PyArray_NDIM(x) == PyArray_NDIM(y) <= AXES
    for i in range(PyArray_NDIM(x)):
        e = PyArray_DIM(x, i)
        assert e == PyArray_DIM(y, i)
        if e == 0:
            return
        if e == 1:
            continue
        j = axes  # longest strides of the result first
        while j > 0 and ys[j - 1] < to.stride[i]:
            extent[j], xs[j], ys[j] = extent[j - 1], xs[j - 1], ys[j - 1]
            j -= 1
        extent[j], xs[j], ys[j] = e, from_.stride[i], to.stride[i]
        axes += 1
    j = 0
    for i in range(1, axes):  # contiguous axes are merged
        if xs[j] == xs[i] * extent[i] and ys[j] == ys[i] * extent[i]:
            extent[j] *= extent[i]
        else:
            j += 1
            extent[j] = extent[i]
        xs[j], ys[j] = xs[i], ys[i]
    axes = j + 1 if axes else 0
    with nogil:
        if axes == 0:
            one(dst, 1, src, 1, 1)
        else:
            for i in range(AXES):
                at[i] = 0
            while True:
                one(dst, ys[axes - 1], src, xs[axes - 1], extent[axes - 1])
                i = axes - 2
                while i >= 0:
                    at[i] += 1
                    src += xs[i] * xsize
                    dst += ys[i] * ysize
                    if at[i] < extent[i]:
                        break
                    src -= extent[i] * xs[i] * xsize
                    dst -= extent[i] * ys[i] * ysize
                    at[i] = 0
                    i -= 1
                if i < 0:
                    break
