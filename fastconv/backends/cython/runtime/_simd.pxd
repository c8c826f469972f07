"""The C tables of simd/table.h, and addresses and strides of NumPy's arrays, read from their fields without NumPy's C API."""

from libc.stdint cimport int64_t
from libc.string cimport memset
from numpy cimport (
    NPY_ARRAY_ALIGNED, NPY_ARRAY_C_CONTIGUOUS, NPY_ARRAY_WRITEABLE, PyArray_CHKFLAGS, PyArray_DATA, PyArray_DIM,
    PyArray_ITEMSIZE, PyArray_NDIM, PyArray_STRIDE, ndarray)


include "_table.pxi"

cdef extern from "simd/table.h" nogil:
    const int64_t GATHER_NOTHING
    const Py_ssize_t DEPTHWISE_NO_ROW
    const Py_ssize_t WEIGHT_NO_ROW


cdef inline fc_axis axis_of(tuple numbers) except *:
    """From (extent, lo, size, mode): see `native.index_tables`."""
    cdef fc_axis a
    a.extent, a.lo, a.size, a.mode = numbers
    return a


cdef struct View:
    # An array of up to five axes: address of the first element, strides in elements.
    char *data
    Py_ssize_t stride[5]


cdef struct Contiguous:
    # Strides of a contiguous array, in elements; other arrays may have other ones along the first `free` axes.
    Py_ssize_t stride[5]
    int free


cdef inline Py_ssize_t elements(ndarray array) noexcept:
    """How many `array` has."""
    cdef Py_ssize_t count = 1
    cdef int i
    for i in range(PyArray_NDIM(array)):
        count *= PyArray_DIM(array, i)
    return count


cdef inline View view(ndarray array) except *:
    """Address and strides of `array`.  The caller keeps it alive; its memory does not move.

    Strides are the array's own fields, and those of axes of length 1 may be anything: only for kernels that multiply
    them by indices and use them for nothing else.  (The buffer protocol would return other strides, even where the
    array's are right.)
    """
    cdef View v
    cdef int i
    v.data = <char *>PyArray_DATA(array)
    for i in range(5):
        v.stride[i] = PyArray_STRIDE(array, i) // PyArray_ITEMSIZE(array) if i < PyArray_NDIM(array) else 0
    return v


cdef inline View placed(ndarray array, const Contiguous *as_if) except *:
    """Address of `array`, with the strides that the problem determines.

    Free axes of more than one element have the array's strides; along the others it must agree.  So the strides of axes of
    length 1 follow from those of their neighbours, whatever the array's are.
    """
    cdef View v
    cdef int i
    cdef Py_ssize_t own
    v.data = <char *>PyArray_DATA(array)
    for i in range(5):
        v.stride[i] = as_if.stride[i]
        if i < PyArray_NDIM(array) and PyArray_DIM(array, i) > 1:
            own = PyArray_STRIDE(array, i) // PyArray_ITEMSIZE(array)
            if i < as_if.free:
                v.stride[i] = own
            elif own != as_if.stride[i] and elements(array) != 0:
                raise AssertionError(f"axis {i} of a canonical view has stride {own}, not {as_if.stride[i]}")
    return v


cdef inline Contiguous contiguous(array) except *:
    """From a `native.Contiguous`."""
    cdef Contiguous c
    cdef int i
    _, strides, c.free = array
    for i in range(5):
        c.stride[i] = strides[i] if i < len(strides) else 0
    return c


cdef inline char *address(object array) except? NULL:
    """Address of the first element; NULL for None."""
    if array is None:
        return NULL
    return <char *>PyArray_DATA(<ndarray?>array)


cdef inline fc_pool_counts pool_counts(object counts) except *:
    """From an `AxisCounts`, which the caller keeps alive."""
    cdef fc_pool_counts a
    values, a.first, a.skip = counts
    a.values = address(values)
    return a


cdef inline char *whole(ndarray array, bint written, Py_ssize_t nbytes) noexcept:
    """Address of a contiguous array of `nbytes`, writable if `written`; NULL if the array is not that."""
    cdef int flags = NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED | (NPY_ARRAY_WRITEABLE if written else 0)
    if elements(array) * PyArray_ITEMSIZE(array) != nbytes:
        return NULL
    if not PyArray_CHKFLAGS(array, flags):
        return NULL
    return <char *>PyArray_DATA(array)


cdef inline bint meet(const char *a, Py_ssize_t a_bytes, const char *b, Py_ssize_t b_bytes) noexcept:
    """Whether two arrays share memory."""
    return a < b + b_bytes and b < a + a_bytes


cdef inline void clear_behind(
    char *row, Py_ssize_t phases, Py_ssize_t allotted, Py_ssize_t filled, Py_ssize_t size) noexcept nogil:
    """Write zeros after the last of `filled` columns in each part of a row of a band; see `fill_row` in simd/table.h.

    Whole vectors read them.  Their results are not used, but denormal numbers would take 100 times a product's time.
    """
    cdef Py_ssize_t phase, count
    for phase in range(phases):
        count = max(<Py_ssize_t>0, (filled - phase + phases - 1) // phases)
        if count < allotted:
            memset(row + (phase * allotted + count) * size, 0, (allotted - count) * size)


cdef struct Panels:
    # Of weights (groups * rows, depth): blocks of NR rows, or without `lanes` near-equal ones of at most MR.
    Py_ssize_t groups, rows, depth
    bint lanes


cdef inline void pack_panels(const fc_table *t, const Panels *p, const char *src, char *dst) noexcept nogil:
    """Weights into panels (groups, blocks, depth, NR or MR); see `_simd.pack`."""
    cdef Py_ssize_t width = t.nr if p.lanes else t.mr, blocks = (p.rows + width - 1) // width, size = t.itemsize, g, b, r, end
    for g in range(p.groups):
        for b in range(blocks):
            r = b * width if p.lanes else p.rows * b // blocks
            end = min(r + width, p.rows) if p.lanes else p.rows * (b + 1) // blocks
            (t.pack_b if p.lanes else t.pack_a)(
                dst + (g * blocks + b) * p.depth * width * size, src + (g * p.rows + r) * p.depth * size, p.depth, 1,
                end - r, p.depth)
