/* Arguments of the micro-kernels of convolutions with channels last; see last.inc.  Strides and offsets count elements. */
#ifndef FASTCONV_LAST_H
#define FASTCONV_LAST_H
#include <stddef.h>

/* y[i*ys + j] = act(bias[j] + sum over r < runs, k < depth of a[at[r] + i*pixel + k] * b[(r*depth + k)*nr + j]), j < cols. */
typedef struct {
    ptrdiff_t runs;
    const ptrdiff_t *at;
    ptrdiff_t depth;
    const void *a;
    ptrdiff_t pixel;
    const void *b;
    ptrdiff_t cols;
    void *y;
    ptrdiff_t ys;
    const void *bias; /* or NULL */
    int relu;
} last_tile_args;
typedef void fc_last_tile(const last_tile_args *t);

/* A block of output pixels, one vector of channels, or two adjacent ones that are full.  A line is a row of one plane that a row
   of outputs reads. */
typedef struct {
    const void *x;           /* of the first lane */
    const ptrdiff_t *at;     /* [rows][lines]: where column 0 of each line is, DEPTHWISE_NO_ROW for zeros */
    ptrdiff_t rows, lines;
    const void *sources;     /* [channels][vl], or NULL: which lane of x each lane reads, for all lines of a channel */
    ptrdiff_t channels;      /* 1 without sources */
    ptrdiff_t step;          /* from column to column */
    ptrdiff_t pad, iw;       /* output q reads column q*sw + s*dw - pad through tap s; zeros outside 0 <= column < iw */
    ptrdiff_t kw, sw, dw;
    const void *w;           /* [channels][lines][kw], nr elements apart */
    const void *bias;        /* of the first lane, or NULL */
    ptrdiff_t vectors;
    ptrdiff_t lanes;         /* that exist: all are loaded, others are not stored */
    int relu;
    void *y;
    ptrdiff_t ow, yrow, ys;  /* columns; elements from row to row, from column to column */
} last_lanes_args;

#endif
