/* Arguments of in_place.inc. */
#pragma once
#include <stddef.h>

/* y[i*ys + j] = sum over k < depth of a[i*ars + k*acs] * b[k*bs + j] + row_bias[i] + col_bias[j] for i < m, j < n, or the larger one
   of that and 0 with `relu`; of pairs, those of b are in rows 2k and 2k + 1.  A bias may be NULL.  `part` products are summed first, and then added to the sum.  Rows of
   b are prefetched `ahead` elements before they are read.  A strip of rows is multiplied by `group` columns before the next one is.
   `narrow`: y has 16-bit floats, where b has.  `odd`: b has no row for the second product of the last pair. */
typedef struct {
    ptrdiff_t m, n, depth, part;
    const void *a;
    ptrdiff_t ars, acs;
    const void *b;
    ptrdiff_t bs, ahead, group;
    void *y;
    ptrdiff_t ys;
    const void *row_bias, *col_bias;
    int relu, narrow, odd;
} in_place_args;
