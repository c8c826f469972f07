/* Arguments of the micro-kernels of matrix products; see gemm.inc and skinny.inc. */
#pragma once
#include <stddef.h>

/* y[i*ys + j] (+)= sum over k < depth of a[i*ars + k*acs] * b[k*bs + j], j < cols; then the bias is added and relu applied.
   A narrow tile loads a whole vector of b, a wide one, of more than one vector of columns, none after `cols`.
   If `first`, sums start at zero instead of at y; bias may be NULL.
   Wide tiles prefetch two lines for each k, `spacing` bytes apart, from `next` on; these are `step` bytes further for the
   next k, and after each `run` of them `jump` bytes in addition.  `keep` gets a copy of b, as a packed panel.  A sum in
   pieces `pauses`, and goes to `sums`, rows of nr, instead of y; the next piece `resumes` there.
   A wide tile that does not keep b goes on with `more` panels, of nr columns like the first one, which are adjacent in b and in y. */
typedef struct {
    ptrdiff_t depth;
    const void *a;
    ptrdiff_t ars, acs;
    const void *b;
    ptrdiff_t bs, cols;
    int first;
    void *y;
    ptrdiff_t ys;
    const void *bias;
    int relu;
    const void *next;
    ptrdiff_t spacing, step, run, jump;
    void *keep, *sums;
    int resumes, pauses;
    ptrdiff_t more;
} gemm_tile_args;
typedef void fc_gemm_tile(const gemm_tile_args *t);

/* sums[j/nr][i][j%nr] (+)= sum over k < depth of x[i*xrs + k*xcs] * W(k, j) for i < rows, j < cols, where W(k, j) is
     panels    w[j/nr*panel + k*nr + j%nr], zero after cols
     columns   w[k*step + j]
     transposed    w[j*step + k], and xcs is 1.
   `part` products are summed first, and then added to the sums; columns uses `aside` for these sums, if they fit.
   The sums after cols are not used.  If `first`, sums start at zero instead of at their current values. */
typedef struct {
    ptrdiff_t rows, depth, part, cols;
    const void *x;
    ptrdiff_t xrs, xcs;
    const void *w;
    ptrdiff_t panel, step;
    int first;
    void *sums, *aside;
} skinny_args;
