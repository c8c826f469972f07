/* What the depthwise micro-kernels take; see depthwise.inc.  Pointers to elements are untyped: one struct serves both dtypes. */
#ifndef FASTCONV_DEPTHWISE_H
#define FASTCONV_DEPTHWISE_H
#include <stddef.h>

#define DEPTHWISE_MASKED_TAPS 64 /* taps per row that can be masked at the image's edges; more need a band */

/* One channel, a block of output rows, all or some of their columns; pixels in lanes. */
typedef struct {
    const void *const *rows; /* [kd][nrows]: the padded rows that the block reads, NULL where a row is all zeros */
    ptrdiff_t nrows;
    ptrdiff_t kd, kh, kw, sh, dh;
    const ptrdiff_t *cols; /* [kw], ascending: element of a row that each tap reads for output column 0 */
    ptrdiff_t iw;          /* elements of a row, zeros beside them; 0: rows may be read a tile past the last column */
    const void *w;         /* [kd][kh][kw] */
    const void *bias;      /* one element, or NULL */
    int relu;
    void *y;
    ptrdiff_t yrow; /* elements between output rows */
    ptrdiff_t oh, ow;
} depthwise_rows_args;

/* A run of output pixels, all channels; channels in lanes. */
typedef struct {
    const void *const *pixels; /* [taps][count]: the pixel that each tap reads for each output */
    ptrdiff_t taps, count;
    ptrdiff_t groups, multiplier; /* output channel g * multiplier + m reads channel g */
    const void *w;                /* [taps][groups * multiplier] */
    const void *bias;             /* [groups * multiplier], or NULL */
    int relu;
    void *y; /* [count][groups * multiplier] */
} depthwise_pixels_args;

#endif
