"""The micro-kernels of matrix registers: simd/tiles/tiles.h."""

cdef extern from "simd/tiles/tiles.h" nogil:
    ctypedef struct tiles_args:
        Py_ssize_t parts, steps
        const Py_ssize_t *a_parts
        const Py_ssize_t *b_parts
        const void *a
        const void *last
        Py_ssize_t ars, a_step, last_rs
        const void *b
        Py_ssize_t brs, b_step
        int rows, cols
        float *sums
    ctypedef struct tiles_store_args:
        const float *sums
        Py_ssize_t rows, cols
        void *y
        Py_ssize_t rs, cs
        float alpha, beta
        const float *c
        Py_ssize_t crs, ccs
        const float *row_bias
        const float *col_bias
        int relu
    ctypedef struct fc_tiles:
        void (*multiply_tiles)(const tiles_args *t) noexcept nogil
        void (*begin_tiles)(int rows, int pairs) noexcept nogil
        void (*end_tiles)() noexcept nogil
        void (*store_tiles)(const tiles_store_args *given) noexcept nogil
        void (*pair_rows)(
            void *y, Py_ssize_t panel, Py_ssize_t ys, const void *x, Py_ssize_t across, Py_ssize_t down, Py_ssize_t cols,
            Py_ssize_t depth, Py_ssize_t pairs, Py_ssize_t width) noexcept nogil
        void (*pair_columns)(
            void *y, const void *x, Py_ssize_t across, Py_ssize_t down, Py_ssize_t rows, Py_ssize_t depth, Py_ssize_t steps,
            Py_ssize_t pairs) noexcept nogil
        void (*pair_taps)(
            void *y, const void *x, Py_ssize_t rs, Py_ssize_t rows, Py_ssize_t channels, Py_ssize_t taps, Py_ssize_t steps,
            Py_ssize_t pairs) noexcept nogil
        void (*pair_row)(void *y, const void *x0, const void *x1, Py_ssize_t step, Py_ssize_t n) noexcept nogil
