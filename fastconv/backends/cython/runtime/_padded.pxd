"""The padded input of a convolution: where its rows are, and copies of them in scratch."""

from libc.stdint cimport int64_t

from fastconv.backends.cython.runtime._simd cimport View, axis_of, fc_axis, fc_source, fc_table


cdef struct Padded:
    # Axes, the run of columns whose sources are consecutive, and the value of padding: see `native.padded_axes`.
    fc_axis planes, rows, cols
    Py_ssize_t run0, run1
    double fill


cdef inline Padded padded(tables, double fill) except *:
    """From a `native.Axes`."""
    cdef Padded p
    planes, rows, cols, p.run0, p.run1 = tables
    p.planes, p.rows, p.cols, p.fill = axis_of(planes), axis_of(rows), axis_of(cols), fill
    return p


cdef inline const char *row_of(
    const Padded *p, const View *x, const char *channel, int64_t plane, Py_ssize_t at, Py_ssize_t size) noexcept nogil:
    """The source of row `at` of a plane, which is an input plane of a channel or negative; NULL if it is padding."""
    cdef int64_t row = fc_source(&p.rows, at)
    if plane < 0 or row < 0:
        return NULL
    return channel + (plane * x.stride[2] + row * x.stride[3]) * size


cdef inline void copy_row(
    const fc_table *t, const Padded *p, char *to, Py_ssize_t phases, Py_ssize_t allotted, const char *row, Py_ssize_t step,
    Py_ssize_t start, Py_ssize_t count) noexcept nogil:
    """Copy `count` padded columns from `start` on into a row of a band; see `fill_row` in simd/table.h."""
    cdef Py_ssize_t run0 = min(max(p.run0 - start, <Py_ssize_t>0), count)
    t.fill_row(to, phases, allotted, row, step, &p.cols, start, count, run0, min(max(p.run1 - start, run0), count), p.fill)


cdef inline void copy_lanes(
    const fc_table *t, const Padded *p, char *to, const char *row, const View *x, Py_ssize_t lanes, Py_ssize_t count) noexcept nogil:
    """Copy the first `count` padded columns of adjacent channels, which become lanes."""
    t.lane_row(to, row, x.stride[1], x.stride[4], lanes, &p.cols, 0, count, p.run0, p.run1, p.fill)
