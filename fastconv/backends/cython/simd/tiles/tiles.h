/* Arguments of the micro-kernels of matrix registers; see tiles.inc. */
#pragma once
#include <stddef.h>

/* Products of bfloat16 in matrix registers, of a, `rows` x depth, and b, depth x 16 or 32, in pairs along the sum; see tiles.inc.
   The depth is `parts` of `steps`.  Step s of part q begins at a + a_parts[q] + s*a_step, whose rows are ars apart, and at
   b + b_parts[q] + s*b_step, whose rows are pairs of 32 or 16 columns, brs apart.  The last step of a is at `last` instead, if that is
   not NULL, with rows last_rs apart.  Strides count bfloat16.  sums: `rows` rows of 32. */
typedef struct {
    ptrdiff_t parts, steps;
    const ptrdiff_t *a_parts, *b_parts;
    const void *a, *last;
    ptrdiff_t ars, a_step, last_rs;
    const void *b;
    ptrdiff_t brs, b_step;
    int rows, cols;
    float *sums;
} tiles_args;

/* y[i*rs + j*cs] = act(alpha*sums[i*32 + j] + beta*c[i*crs + j*ccs] + (row_bias[i] + col_bias[j])) for i < rows, j < cols;
   y is bfloat16, all else float. */
typedef struct {
    const float *sums;
    ptrdiff_t rows, cols;
    void *y;
    ptrdiff_t rs, cs;
    float alpha, beta;
    const float *c;
    ptrdiff_t crs, ccs;
    const float *row_bias, *col_bias;
    int relu;
} tiles_store_args;

/* The functions of tiles.inc, where they are described. */
typedef struct {
    void (*multiply_tiles)(const tiles_args *t);
    void (*begin_tiles)(int rows, int pairs);
    void (*end_tiles)(void);
    void (*store_tiles)(const tiles_store_args *given);
    void (*pair_rows)(void *y, ptrdiff_t panel, ptrdiff_t ys, const void *x, ptrdiff_t across, ptrdiff_t down, ptrdiff_t cols, ptrdiff_t depth,
                      ptrdiff_t pairs, ptrdiff_t width);
    void (*pair_columns)(void *y, const void *x, ptrdiff_t across, ptrdiff_t down, ptrdiff_t rows, ptrdiff_t depth, ptrdiff_t steps, ptrdiff_t pairs);
    void (*pair_taps)(void *y, const void *x, ptrdiff_t rs, ptrdiff_t rows, ptrdiff_t channels, ptrdiff_t taps, ptrdiff_t steps, ptrdiff_t pairs);
    void (*pair_row)(void *y, const void *x0, const void *x1, ptrdiff_t step, ptrdiff_t n);
} fc_tiles;
