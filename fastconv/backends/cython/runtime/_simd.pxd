"""The C tables of simd/table.h, and addresses and strides of NumPy's arrays, read from their fields without NumPy's C API."""

from libc.stdint cimport int64_t
from libc.string cimport memset
from numpy cimport (
    NPY_ARRAY_ALIGNED, NPY_ARRAY_C_CONTIGUOUS, NPY_ARRAY_WRITEABLE, PyArray_CHKFLAGS, PyArray_DATA, PyArray_DIM,
    PyArray_ITEMSIZE, PyArray_NDIM, PyArray_STRIDE, ndarray)


cdef extern from "simd/table.h" nogil:
    void fc_ask(const void *from_, Py_ssize_t nbytes)

    ctypedef struct fc_axis:
        Py_ssize_t extent, lo, size
        int mode

    int64_t fc_source(const fc_axis *axis, Py_ssize_t at)

    ctypedef struct fc_epilogue:
        double alpha, beta
        const void *c
        Py_ssize_t crs, ccs
        const void *row_bias
        const void *col_bias
        int relu

    ctypedef void (*fc_tile_p)(
        Py_ssize_t depth, Py_ssize_t ntaps, const Py_ssize_t *taps, const void *a, Py_ssize_t acs,
        const void *b, Py_ssize_t bs, const void *next, Py_ssize_t lines, int first, void *m) noexcept nogil

    ctypedef void (*fc_pixel_tile_p)(
        Py_ssize_t depth, const void *a, const void *b, Py_ssize_t bs, Py_ssize_t ahead, void *y, Py_ssize_t ys,
        const void *row_bias, int relu) noexcept nogil

    ctypedef void (*fc_lane_tile_p)(
        Py_ssize_t blocks, Py_ssize_t lanes, const void *a, Py_ssize_t acs, const void *b, const void *next, Py_ssize_t lines,
        int first, void *m) noexcept nogil

    ctypedef void (*fc_wino_axis_p)(
        const void *coef, const void *x, Py_ssize_t tap, Py_ssize_t item, Py_ssize_t count, void *y, Py_ssize_t point,
        Py_ssize_t y_item) noexcept nogil

    ctypedef void (*fc_wino_count_p)(
        const void *coef, const void *x, Py_ssize_t tap, Py_ssize_t item, Py_ssize_t count, void *y, Py_ssize_t point,
        Py_ssize_t y_item, void *squares, int first) noexcept nogil

    const int64_t GATHER_NOTHING
    const Py_ssize_t LINE "FC_LINE"
    const Py_ssize_t DEPTHWISE_NO_ROW

    ctypedef struct depthwise_rows_args:
        const void *x
        const Py_ssize_t *rows
        Py_ssize_t nrows, planes, kh, kw, sh, dh
        const Py_ssize_t *cols
        Py_ssize_t sw, iw
        const void *w
        const void *bias
        int relu
        void *y
        Py_ssize_t yrow, oh, ow, groups, channels, xgroup, ygroup, ychannel

    ctypedef struct depthwise_pixels_args:
        const void *const *pixels
        Py_ssize_t taps, count, groups, multiplier
        const void *w
        const void *bias
        int relu
        void *y

    enum:
        POOL_AS_IS

    ctypedef struct pool_down_args:
        int op
        const void *const *rows
        Py_ssize_t count, start, n
        double pad
        void *value
        void *row

    ctypedef struct pool_across_args:
        int op
        const void *value
        const void *row
        const Py_ssize_t *taps
        Py_ssize_t count, n
        void *y
        int64_t *index
        int64_t base, step
        Py_ssize_t unit
        const int64_t *row_at
        const int64_t *tap_at

    ctypedef struct fc_pool_counts:
        const void *values
        Py_ssize_t first, skip

    Py_ssize_t fc_pool_at(const fc_pool_counts *c, Py_ssize_t q)

    ctypedef struct pool_finish_args:
        int op
        void *y
        fc_pool_counts divisor
        double times, scale
        Py_ssize_t start, n, unit

    enum:
        WINOGRAD_ROWS_M

    ctypedef struct winograd_rows_args:
        Py_ssize_t count, planes, from_ "from", to, final, rows, lanes
        const Py_ssize_t *taps
        Py_ssize_t whole, ntaps, len
        const void *v
        const void *w
        const void *powers
        const void *bias
        int relu, fetch
        void *y
        Py_ssize_t ychannel, yrow

    ctypedef struct column_squares:
        double unlike
        int repeated
        double total
        int even

    ctypedef struct winograd_rows_in_args:
        Py_ssize_t planes, pairs, step, len
        const void *coef
        const void *band
        void *v

    const Py_ssize_t WEIGHT_NO_ROW

    ctypedef struct weight_rows_args:
        const void *x
        const Py_ssize_t *rows
        Py_ssize_t nrows, planes, kh, kw, sh, dh
        const Py_ssize_t *cols
        Py_ssize_t sw, col, iw
        const void *y
        Py_ssize_t yrow, oh, ow
        void *sums

    ctypedef struct pool_shifts_args:
        int op, look
        const void *x
        Py_ssize_t channels, x_step, y_step, index_step, unit
        Py_ssize_t id, ih, iw, kd, kh, kw, sd, sh, sw, dd, dh, dw, ld, lh, lw, od, oh0, oh1, ow
        void *y
        int64_t *index
        fc_pool_counts depth, height, width
        double scale

    ctypedef struct pool_flat_args:
        int op
        const void *x
        void *y
        Py_ssize_t channels, x_step, y_step, ih, iw, kh, kw, dh, lh
        const void *masks
        const void *divisor
        const void *inverse

    ctypedef struct softmax_args:
        int log, negative
        const void *x
        const void *dy
        const void *factor
        void *y
        Py_ssize_t count, length, step
        void *scratch

    ctypedef struct log_sums_args:
        const void *x
        const void *weight
        void *top
        void *logs
        void *spread
        Py_ssize_t count, length, step

    ctypedef struct gemm_tile_args:
        Py_ssize_t depth
        const void *a
        Py_ssize_t ars, acs
        const void *b
        Py_ssize_t bs, cols
        int first
        void *y
        Py_ssize_t ys
        const void *bias
        int relu

    ctypedef void (*gemm_tile_p)(const gemm_tile_args *t) noexcept nogil

    ctypedef struct thin_args:
        Py_ssize_t rows, depth, part, cols
        const void *x
        Py_ssize_t xrs, xcs
        const void *w
        Py_ssize_t panel, step
        int first
        void *sums
        void *aside

    ctypedef void fc_convert(
        void *y, Py_ssize_t ys, const void *x, Py_ssize_t xs, Py_ssize_t n) noexcept nogil

    ctypedef struct fc_table:
        Py_ssize_t itemsize, vl, mr, nr
        fc_tile_p *tile
        fc_pixel_tile_p *pixel_tile
        void (*fill_row)(
            void *dst, Py_ssize_t phases, Py_ssize_t phase_stride, const void *src, Py_ssize_t xs,
            const fc_axis *cols, Py_ssize_t start, Py_ssize_t count, Py_ssize_t run0, Py_ssize_t run1,
            double fill) noexcept nogil
        void (*gather)(void *dst, const void *src, const int64_t *at, Py_ssize_t count, double fill) noexcept nogil
        void (*pack_a)(void *dst, const void *x, Py_ssize_t rs, Py_ssize_t cs, Py_ssize_t extent, Py_ssize_t depth) noexcept nogil
        void (*pack_b)(void *dst, const void *x, Py_ssize_t rs, Py_ssize_t cs, Py_ssize_t extent, Py_ssize_t depth) noexcept nogil
        void (*store)(
            const void *m, Py_ssize_t rows, Py_ssize_t cols, void *y, Py_ssize_t rs, Py_ssize_t cs,
            const fc_epilogue *e) noexcept nogil
        void (*load)(void *m, Py_ssize_t rows, Py_ssize_t cols, const void *y, Py_ssize_t rs, Py_ssize_t cs) noexcept nogil
        void (*split_row)(
            void *dst, Py_ssize_t phases, Py_ssize_t phase_stride, const void *src, Py_ssize_t count) noexcept nogil
        void (*interleave)(
            void *dst, const void *const *src, Py_ssize_t phases, Py_ssize_t count) noexcept nogil
        void (*depthwise_rows)(const depthwise_rows_args *a) noexcept nogil
        void (*depthwise_pixels)(const depthwise_pixels_args *a) noexcept nogil
        void (*pool_down)(const pool_down_args *a) noexcept nogil
        void (*pool_across)(const pool_across_args *a) noexcept nogil
        void (*pool_finish)(const pool_finish_args *a) noexcept nogil
        void (*pool_shifts)(const pool_shifts_args *a) noexcept nogil
        void (*pool_channels)(const pool_shifts_args *a) noexcept nogil
        void (*pool_flat)(const pool_flat_args *a) noexcept nogil
        void (*pool_flat_masks)(Py_ssize_t n, Py_ssize_t iw, Py_ssize_t kw, void *masks) noexcept nogil
        void (*pool_pairs)(
            const void *x0, const void *x1, Py_ssize_t iw, Py_ssize_t n, void *y, int64_t *index,
            int64_t base) noexcept nogil
        void (*plane_means)(const void *x, Py_ssize_t count, Py_ssize_t elements, void *y) noexcept nogil
        void (*powers)(
            void *y, int single_y, const void *x, int single_x, Py_ssize_t n, double p) noexcept nogil
        void (*activate)(int f, void *y, const void *x, Py_ssize_t n, double a, double b) noexcept nogil
        void (*activate_backward)(
            int f, void *dx, const void *dy, const void *x, Py_ssize_t n, double a, double b) noexcept nogil
        void (*gate)(void *y, const void *x, const void *gate, Py_ssize_t n) noexcept nogil
        void (*gate_backward)(
            void *dx, void *dgate, const void *dy, const void *x, const void *gate, Py_ssize_t n) noexcept nogil
        void (*softmax)(const softmax_args *a) noexcept nogil
        void (*log_sums)(const log_sums_args *a) noexcept nogil
        fc_lane_tile_p *lane_tile
        fc_wino_axis_p wino_in[11][2]
        fc_wino_count_p wino_count[11][2]
        fc_wino_axis_p wino_out[11][11]
        void (*wino_weights)(
            const void *coef, Py_ssize_t points, Py_ssize_t taps, const void *x, Py_ssize_t tap, void *y,
            Py_ssize_t point) noexcept nogil
        void (*wino_dense)(
            const void *coef, Py_ssize_t row, Py_ssize_t rows, Py_ssize_t taps, int vectors, const void *x,
            const Py_ssize_t *xat, Py_ssize_t item, Py_ssize_t count, void *y, const Py_ssize_t *yat,
            Py_ssize_t y_item) noexcept nogil
        void (*lane_row)(
            void *dst, const void *src, Py_ssize_t cs, Py_ssize_t xs, Py_ssize_t channels, const fc_axis *cols,
            Py_ssize_t start, Py_ssize_t count, Py_ssize_t run0, Py_ssize_t run1, double fill) noexcept nogil
        double (*largest)(const void *x, Py_ssize_t n) noexcept nogil
        double (*squares)(const void *x, Py_ssize_t n) noexcept nogil
        void (*wino_squares)(
            void *e, const void *x, Py_ssize_t tap, Py_ssize_t taps, Py_ssize_t count, int first) noexcept nogil
        void (*winograd_rows_in)(const winograd_rows_in_args *a) noexcept nogil
        void (*winograd_rows)(const winograd_rows_args *a) noexcept nogil
        void (*rows_squares)(
            const void *e, Py_ssize_t parts, Py_ssize_t apart, Py_ssize_t n, column_squares *s) noexcept nogil
        void (*weight_rows)(const weight_rows_args *a) noexcept nogil
        void (*lane_sums)(const void *sums, Py_ssize_t count, void *out) noexcept nogil
        gemm_tile_p gemm_tile[15][2]
        void (*thin_panels)(const thin_args *t) noexcept nogil
        void (*thin_columns)(const thin_args *t) noexcept nogil
        void (*thin_turned)(const thin_args *t) noexcept nogil
        fc_convert *widen[2]
        fc_convert *narrow[2]
        double (*peak)(Py_ssize_t rounds) noexcept nogil


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
