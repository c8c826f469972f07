/* Arguments of softmax and of log_sums; see softmax.inc.  Pointers to elements are untyped: one struct serves all dtypes.  x, dy and y
   are as memory holds them, and so is target; factor, weight, results of log_sums and scratch are as in registers. */
#ifndef FASTCONV_SOFTMAX_H
#define FASTCONV_SOFTMAX_H
#include <stddef.h>

/* Some vectors of `length` elements.  With `step` 1 they are contiguous, one after the other; otherwise their elements are `step`
   apart and their first elements are adjacent.  With `planes`, `step` is less than VL and the number of such vectors in a plane; planes follow
   each other, and there is no factor. */
typedef struct {
    int log, negative;       /* the logarithm of the result; of -x */
    const void *x, *dy;      /* dy: NULL, or the gradient of the result, and y becomes that of x */
    const void *factor;      /* NULL, or [count]: results are multiplied by it */
    void *y;
    ptrdiff_t count, length, step, planes;
    void *scratch;           /* columns: SOFT_VECTORS x VL x `length` elements; 16-bit floats: one row or plane.
                                NULL: y holds exponentials, or they are computed twice */
} softmax_args;

/* Targets of class probabilities: of each class of a vector, t = (share * target + spread) * weight. */
typedef struct {
    const void *target, *weight; /* weight: [length], or NULL: 1 */
    const void *x, *top;         /* x: NULL, or along = sum of t * (x - top); top: [count] */
    const void *factor;          /* [count] */
    void *along, *sum;           /* [count]; sum of t */
    void *y;
    ptrdiff_t count, length, step;
    double share, spread;
} likely_args;

/* top = the maximum m of each vector, logs = log of the sum of e^(x - m), spread = sum of weight * (x - m). */
typedef struct {
    const void *x, *weight;  /* weight: [length], or NULL: the spread is not wanted */
    void *top, *logs, *spread; /* [count] */
    ptrdiff_t count, length, step;
} log_sums_args;

#endif
