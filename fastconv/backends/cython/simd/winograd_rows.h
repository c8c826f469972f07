/* Arguments of simd/winograd_rows.inc. */
#pragma once
#include <stddef.h>

enum { WINOGRAD_ROWS_M = 4 /* output rows of a tile */ };

/* Vectors `from` to `to` of a tile row: `count` output channels x M rows. */
typedef struct {
    ptrdiff_t count, planes, from, to;
    ptrdiff_t final;        /* first pixel of the last vector of a row: it overlaps the one before */
    ptrdiff_t rows, lanes;  /* of M rows, of the pixels of a vector, those that exist */
    const ptrdiff_t *taps;  /* where in v the first plane of each tap starts; the others follow, `len` apart */
    ptrdiff_t whole, ntaps; /* the first `whole` taps meet all planes, the others all but the last */
    ptrdiff_t len;
    const void *v;
    const void *w;      /* [tap][plane][count] */
    const void *powers; /* [pair][M]: powers of each pair's positive point */
    const void *bias;
    int relu;
    void *y;
    ptrdiff_t ychannel, yrow;
} winograd_rows_args;

/* v[j*len + i] = sum over first[j] <= q < first[j + 1] of coef[q] * band[from[q] + i] for j < count, i < len, a multiple
   of VL. */
typedef struct {
    const ptrdiff_t *first, *from;
    const void *coef;
    ptrdiff_t count, len;
    const void *band;
    void *v;
} winograd_rows_in_args;
