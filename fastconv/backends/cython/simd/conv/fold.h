/* Arguments of the micro-kernel that adds a window to a result; see fold.inc. */
#ifndef FASTCONV_FOLD_H
#define FASTCONV_FOLD_H
#include <stddef.h>

/* y[i*y_outer + j*y_inner + k*y_step] += c[i*c_outer + j*c_inner + k], for i < outer, j < inner, k < run */
typedef struct {
    ptrdiff_t outer, inner, run;
    void *y;
    ptrdiff_t y_outer, y_inner, y_step;
    const void *c;
    ptrdiff_t c_outer, c_inner;
} fold_args;

#endif
