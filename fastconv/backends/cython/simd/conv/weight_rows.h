/* Arguments of the micro-kernel of weight gradients along rows; see weight_rows.inc. */
#ifndef FASTCONV_WEIGHT_ROWS_H
#define FASTCONV_WEIGHT_ROWS_H
#include <stddef.h>
#include <stdint.h>

#define WEIGHT_NO_ROW PTRDIFF_MIN

/* A block of output rows and columns of one output channel, and one input channel. */
typedef struct {
    const void *x;
    const ptrdiff_t *rows; /* [planes][nrows]: offset of each padded row that is read, WEIGHT_NO_ROW for zeros */
    ptrdiff_t nrows, planes, kh, kw, sh, dh;
    const ptrdiff_t *cols; /* [kw]: element of a row that each tap reads for output column 0 */
    ptrdiff_t sw;          /* distance of the elements that neighbouring outputs read: 1; or 2, where the taps are 3, 5 or 7 adjacent ones */
    ptrdiff_t col;         /* the block's first column */
    ptrdiff_t iw;          /* elements of a row, with zeros on both sides; 0: taps never leave a row */
    const void *y;
    ptrdiff_t yrow, oh, ow;
    void *sums; /* [planes][kh][kw][VL], added to */
} weight_rows_args;

#endif
