/* Arguments of softmax and of log_sums; see softmax.inc.  Pointers to elements are untyped: one struct serves both dtypes. */
#ifndef FASTCONV_SOFTMAX_H
#define FASTCONV_SOFTMAX_H
#include <stddef.h>

/* Some vectors of `length` elements.  With `step` 1 they are contiguous, one after the other; otherwise their elements are `step`
   apart and their first elements are adjacent. */
typedef struct {
    int log, negative;       /* the logarithm of the result; of -x */
    const void *x, *dy;      /* dy: NULL, or the gradient of the result, and y becomes that of x */
    const void *factor;      /* NULL, or [count]: results are multiplied by it */
    void *y;
    ptrdiff_t count, length, step;
    void *scratch;           /* where `step` is not 1: SOFT_VECTORS (softmax.inc) x VL x `length` elements, or NULL: y holds
                                intermediate values and x is read twice */
} softmax_args;

/* top = the maximum m of each vector, logs = log of the sum of e^(x - m), spread = sum of weight * (x - m). */
typedef struct {
    const void *x, *weight;  /* weight: [length], or NULL: the spread is not wanted */
    void *top, *logs, *spread; /* [count] */
    ptrdiff_t count, length, step;
} log_sums_args;

#endif
