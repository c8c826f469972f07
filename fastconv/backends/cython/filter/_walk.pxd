"""Base of filters by windows, see _walk.pyx."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared

cdef extern from "simd/windows/windows.h" nogil:
    enum:
        WINDOW_ROWS, SMALL_TOGETHER, PAIRS_TOGETHER, SMALL_PAIRS, SMALL_ROWS
    ctypedef struct window_tile_args:
        const void *const *rows
        const void *weights
        Py_ssize_t planes, height, taps, step, count
        void *y
        Py_ssize_t ys, n
        const void *ahead
        Py_ssize_t pitch, at, all
        void *carried
    enum:
        BAND_ROWS, BAND_FIRST, BAND_ADD, BAND_SQUARE, BAND_ADD_SQUARE
    ctypedef struct window_band_args:
        const void *const *rows
        const void *weights
        Py_ssize_t taps
        int symmetry, transposed
        Py_ssize_t count, n
        void *y
        Py_ssize_t ys
        const void *const *next
        const void *result
        Py_ssize_t results
    ctypedef struct window_along_args:
        const void *x
        const void *weights
        Py_ssize_t taps
        int symmetry, join
        Py_ssize_t step, n
        const void *z
        void *y
    ctypedef struct window_three_args:
        const void *const *rows
        const void *down
        const void *along
        int down_symmetry, along_symmetry, cross
        Py_ssize_t step, count, n, pitch
        void *y
        Py_ssize_t ys
    ctypedef struct window_rank_args:
        const void *const *taps
        Py_ssize_t count, rank
        void *y
        Py_ssize_t n
        double *space
    ctypedef struct window_median_args:
        const void *const *rows
        Py_ssize_t size, step, count
        void *y
        Py_ssize_t ys, n, part
        void *sorted
        Py_ssize_t pitch
    ctypedef struct window_histogram_args:
        const uint8_t *coarse
        const uint8_t *fine
        Py_ssize_t wide, step, rank
        uint8_t *y
        Py_ssize_t n
    ctypedef struct window_small_args:
        const void *const *rows
        Py_ssize_t count, n, given, made, taps, before, step
        const Py_ssize_t *beyond
        int32_t fill, kind
        int32_t middle[2]
        int32_t low
        Py_ssize_t height, pairs
        const int32_t *weights
        void *y
        Py_ssize_t ys
        void *space
    ctypedef struct window_truncated_args:
        const void *const *rows
        const void *weights
        const double *exact
        Py_ssize_t taps, step, n
        int symmetry, shift, is_signed
        float bound
        const int32_t *equal
        int least
        void *y
    ctypedef struct window_extreme_args:
        const void *const *taps
        Py_ssize_t count
        int largest
        void *y
        Py_ssize_t n
    ctypedef struct window_height_args:
        const void *const *taps
        const void *heights
        Py_ssize_t count
        int size, negated
        int64_t after
        void *y
        Py_ssize_t n
    ctypedef struct window_bits_args:
        const uint64_t *const *taps
        const Py_ssize_t *shifts
        Py_ssize_t straight, count
        int largest
        const uint64_t *mask
        const uint64_t *kept
        uint64_t *y
        Py_ssize_t n
    enum:
        BOX_ROWS
    ctypedef struct window_box_args:
        int kind
        Py_ssize_t taps
        const void *const *rows
        const void *x
        Py_ssize_t count, n
        void *y
        Py_ssize_t ys
        const void *next
        const void *result
        Py_ssize_t pitch
        int flipped
    ctypedef struct fc_windows:
        Py_ssize_t vl
        void (*tile)(const window_tile_args *a) noexcept nogil
        void (*sum_ "sum")(const void *const *taps, const void *weights, Py_ssize_t count, void *y, Py_ssize_t n) noexcept nogil
        void (*down)(const window_band_args *a) noexcept nogil
        void (*vectors)(const window_along_args *a) noexcept nogil
        void (*row)(const window_along_args *a) noexcept nogil
        void (*three)(const window_three_args *a) noexcept nogil
        void (*leave)(const void *x, Py_ssize_t n, int root, Py_ssize_t count, void *y, Py_ssize_t ys) noexcept nogil
        void (*root)(void *y, Py_ssize_t n) noexcept nogil
        void (*rank)(const window_rank_args *a) noexcept nogil
        void (*rank_bytes)(const window_rank_args *a) noexcept nogil
        int (*median)(const window_median_args *a) noexcept nogil
        int (*median_bytes)(const window_median_args *a) noexcept nogil
        void (*count)(
            uint8_t *coarse, uint8_t *fine, const uint8_t *added, const uint8_t *removed, Py_ssize_t n) noexcept nogil
        void (*histogram)(const window_histogram_args *a) noexcept nogil
        void (*small)(const window_small_args *a) noexcept nogil
        void (*truncated_down)(const window_truncated_args *a) noexcept nogil
        void (*truncated_along)(const window_truncated_args *a) noexcept nogil
        void (*truncated_enter)(int type, const void *x, Py_ssize_t n, void *y) noexcept nogil
        void (*truncated_leave)(
            const void *x, Py_ssize_t n, Py_ssize_t count, void *y, Py_ssize_t ys, Py_ssize_t size) noexcept nogil
        void (*extreme)(const window_extreme_args *a) noexcept nogil
        void (*extreme_bytes)(const window_extreme_args *a) noexcept nogil
        void (*height)(const window_height_args *a) noexcept nogil
        void (*height_first)(int type, const void *x, int64_t height, int largest, void *y, Py_ssize_t n) noexcept nogil
        void (*bits)(const window_bits_args *a) noexcept nogil
        void (*pack)(const uint8_t *x, Py_ssize_t n, uint64_t fill, uint64_t *y) noexcept nogil
        void (*unpack)(const uint64_t *x, Py_ssize_t n, uint8_t *y) noexcept nogil
        void (*box_down)(const window_box_args *a) noexcept nogil
        void (*box_along)(const window_box_args *a) noexcept nogil
        int (*box_three)(const window_box_args *a) noexcept nogil
        void (*box_column)(const window_box_args *a, const Py_ssize_t *at) noexcept nogil


cdef const fc_windows *named_windows(str table) except NULL


cdef enum:
    AXES = 64


cdef struct Axis:
    Py_ssize_t extent, taps, before


cdef class Walked(Prepared):
    cdef const fc_windows *w
    cdef int axes, mode, dtype  # axes before the rows; the type of x, where numbers are converted
    cdef Axis leading[AXES]
    cdef Axis height, width
    cdef Py_ssize_t inner, planes, outer
    cdef Py_ssize_t rows, row_blocks  # of an item
    cdef Py_ssize_t together, least  # rows of results that are computed at once, where there are `least` or more
    cdef Py_ssize_t block, run, step, edge  # results of a row: from held rows, from memory, a multiple of `step`; at each end, at least
    cdef Py_ssize_t pitch, slots  # bytes of a held row, and how many are held
    cdef Py_ssize_t vl, size, given, made  # elements of a vector; bytes of a number in held rows, of one of x and of y
    cdef const Py_ssize_t *offsets  # of each tap: the row among those that windows see, and the element
    cdef Py_ssize_t taps
    cdef bint direct, stored  # whether x has numbers, and y results, as held rows have them
    cdef void results(
        self, const void **rows, Py_ssize_t at, Py_ssize_t count, Py_ssize_t all, Py_ssize_t n, char *y, const Arrays *a,
        char *scratch) noexcept nogil
    cdef void point_taps(self, const void **rows, const void **taps) noexcept nogil
    cdef void enter(self, const char *x, Py_ssize_t n, char *to) noexcept nogil
    cdef void constant(self, char *to, Py_ssize_t n) noexcept nogil
    cdef void strip(
        self, const Arrays *a, Py_ssize_t outer, Py_ssize_t row, Py_ssize_t first, Py_ssize_t end, bint held, char *scratch) noexcept nogil
    cdef void enter_strip(self, const char *x, Py_ssize_t first, Py_ssize_t end, char *to) noexcept nogil
    cdef Py_ssize_t plane(self, Py_ssize_t outer, Py_ssize_t plane) noexcept nogil
