/* Arguments of simd/conv/winograd1d.inc. */
#pragma once
#include <stddef.h>

/* Vectors `from` to `to` of a tile row: `count` output channels x M rows. */
typedef struct {
    ptrdiff_t count, planes, from, to;
    ptrdiff_t final;        /* first pixel of the last vector of a row: it overlaps the one before */
    ptrdiff_t rows, lanes;  /* of M rows, of the pixels of a vector, those that exist */
    const ptrdiff_t *taps;  /* where in v the first plane of each tap starts; the others follow, `len` apart */
    ptrdiff_t whole, ntaps; /* the first `whole` taps use all planes, the others all but the last */
    ptrdiff_t len;
    const void *v;
    const void *w;      /* [tap][plane][count] */
    const void *powers; /* [pair][M]: powers of each pair's positive point */
    const void *bias;
    int relu, fetch; /* fetch: prefetch lines of y while they are computed */
    void *y;
    ptrdiff_t ychannel, yrow;
} winograd1d_args;

/* Squares of columns, to find outliers: their sum, and whether the largest column times `unlike` is at most the sum of the
   others, or, where pixels are `repeated`, the smallest. */
typedef struct {
    double unlike;
    int repeated;
    double total;
    int even;
} column_squares;

/* The transformed rows v, [plane][len], of rows `step` apart; len is a multiple of VL. */
typedef struct {
    ptrdiff_t planes, pairs, step, len;
    const void *coef; /* [pair][planes] for +p, then [planes] for infinity and for 0; see `Scheme.inputs` */
    const void *band;
    void *v;
} winograd1d_input_args;
