/* Arguments of the filters of lines; see lines.inc.  Pointers to elements are untyped: one struct serves both dtypes. */
#pragma once
#include <stddef.h>

/* y[i] = sum over t < taps of rows[t][i] * weights[t], i < n.  `symmetry`: 1 of an odd number of symmetric weights, -1 of
   antisymmetric ones, else 0. */
typedef struct {
    const void *const *rows;
    const void *weights;
    ptrdiff_t taps;
    int symmetry;
    void *y;
    ptrdiff_t n;
} filter_sum_args;
