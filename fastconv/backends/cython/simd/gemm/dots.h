/* Arguments of dots.inc. */
#pragma once
#include <stddef.h>

/* y[i*ys + j*ycs] = alpha * sum over k < depth of a[i*ars + k*acs] * b[j*bs + k] + beta * c[i*crs + j*ccs] + bias[j] for i < rows,
   j < cols, or the larger one of that and 0 with `relu`; with `across`, b[k*bs + j] instead.  c and bias may be NULL.  `copy` has space
   for `room` rows of a, `pitch` elements apart, and at least for one. */
typedef struct {
    ptrdiff_t rows, cols, depth;
    const void *a;
    ptrdiff_t ars, acs;
    const void *b;
    ptrdiff_t bs;
    void *y;
    ptrdiff_t ys, ycs;
    double alpha, beta;
    const void *c;
    ptrdiff_t crs, ccs;
    const void *bias;
    int relu, across;
    void *copy;
    ptrdiff_t room, pitch;
} dots_args;
