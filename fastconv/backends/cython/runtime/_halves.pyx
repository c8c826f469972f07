# cython: language_level=3
"""16-bit floats to float and back, and to pairs of them, of arrays with any strides."""

from numpy cimport PyArray_DIM, PyArray_ITEMSIZE, PyArray_NDIM, ndarray

from fastconv.backends.cython.runtime._simd cimport View, fc_convert, fc_table, view

DEF AXES = 5


cdef struct Walk:
    # Two arrays of the same extents, axes merged where both are contiguous, longest strides of y first.
    int axes
    Py_ssize_t extent[AXES]
    Py_ssize_t xs[AXES]
    Py_ssize_t ys[AXES]
    Py_ssize_t xsize, ysize  # bytes of an element


cdef bint describe(Walk *w, ndarray y, ndarray x) except -1:
    """Whether there is anything to do; strides of x count its elements."""
    cdef View from_ = view(x), to = view(y)
    cdef Py_ssize_t e
    cdef int axes = 0, i, j
    assert PyArray_NDIM(x) == PyArray_NDIM(y) <= AXES
    w.xsize, w.ysize = PyArray_ITEMSIZE(x), PyArray_ITEMSIZE(y)
    for i in range(PyArray_NDIM(x)):
        e = PyArray_DIM(x, i)
        assert e == PyArray_DIM(y, i)
        if e == 0:
            return False
        if e == 1:
            continue
        j = axes
        while j > 0 and w.ys[j - 1] < to.stride[i]:
            w.extent[j], w.xs[j], w.ys[j] = w.extent[j - 1], w.xs[j - 1], w.ys[j - 1]
            j -= 1
        w.extent[j], w.xs[j], w.ys[j] = e, from_.stride[i], to.stride[i]
        axes += 1
    j = 0
    for i in range(1, axes):
        if w.xs[j] == w.xs[i] * w.extent[i] and w.ys[j] == w.ys[i] * w.extent[i]:
            w.extent[j] *= w.extent[i]
        else:
            j += 1
            w.extent[j] = w.extent[i]
        w.xs[j], w.ys[j] = w.xs[i], w.ys[i]
    if axes == 0:
        w.extent[0] = w.xs[0] = w.ys[0] = 1
    w.axes = max(1, j + 1)
    return True


cdef bint following(const Walk *w, Py_ssize_t *at, char **dst, char **src) noexcept nogil:
    """Go on to the next run along the last axis; False after the last one."""
    cdef int i = w.axes - 2
    while i >= 0:
        at[i] += 1
        src[0] += w.xs[i] * w.xsize
        dst[0] += w.ys[i] * w.ysize
        if at[i] < w.extent[i]:
            return True
        src[0] -= w.extent[i] * w.xs[i] * w.xsize
        dst[0] -= w.extent[i] * w.ys[i] * w.ysize
        at[i] = 0
        i -= 1
    return False


def convert(size_t table, ndarray y, ndarray x, bint bfloat, bint wide):
    """y = x, of up to five axes; one is float and the other of 16 bits, bfloat16 if `bfloat`: y is the float if `wide`."""
    cdef const fc_table *t = <const fc_table *>table
    cdef fc_convert *one = t.widen[bfloat] if wide else t.narrow[bfloat]
    cdef Walk w
    cdef Py_ssize_t[AXES] at = [0, 0, 0, 0, 0]
    cdef char *src = view(x).data
    cdef char *dst = view(y).data
    cdef int last
    if not describe(&w, y, x):
        return
    last = w.axes - 1
    with nogil:
        while True:
            one(dst, w.ys[last], src, w.xs[last], w.extent[last])
            if not following(&w, at, &dst, &src):
                break


def join_pairs(size_t table, ndarray y, ndarray x, Py_ssize_t apart, bint single, bint signed):
    """y = pairs of the elements of x, of 8 bits with or without a sign or of 16, and those `apart` from them, or zero if `single`."""
    cdef const fc_table *t = <const fc_table *>table
    cdef Walk w
    cdef Py_ssize_t[AXES] at = [0, 0, 0, 0, 0]
    cdef char *src = view(x).data
    cdef char *dst = view(y).data
    cdef int last, kind
    if not describe(&w, y, x):
        return
    assert w.xsize <= 2 and w.ysize == 4
    kind = 0 if w.xsize == 2 else 1 if signed else 2
    last = w.axes - 1
    with nogil:
        while True:
            t.join_pairs(dst, w.ys[last], src, w.xs[last], apart, single, kind, w.extent[last])
            if not following(&w, at, &dst, &src):
                break


def turn(size_t table, ndarray y, ndarray x):
    """y[o, j, i] = x[o, i, j], of elements of the table's size; last axes are contiguous."""
    cdef const fc_table *t = <const fc_table *>table
    cdef View from_ = view(x), to = view(y)
    cdef Py_ssize_t o, outer = x.shape[0], rows = x.shape[1], cols = x.shape[2]
    assert (y.shape[0], y.shape[1], y.shape[2]) == (outer, cols, rows)
    with nogil:
        for o in range(outer):
            t.turn(
                to.data + o * to.stride[0] * t.itemsize, to.stride[1], from_.data + o * from_.stride[0] * t.itemsize,
                from_.stride[1], rows, cols)
