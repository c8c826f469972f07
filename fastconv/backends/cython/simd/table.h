/* The sizes and micro-kernels of one instruction set for one dtype, in one struct, which interface.py writes.

   Here are the types that several families use; each family has its own headers, with the arguments of its functions.  Pointers are void so
   that float and double use the same type; extents and strides count elements.  The .pyx files do blocking, packing order and threads. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "_shared.h"

/* m[i*nr + lane] (+)= sum over c < depth, t < ntaps of a[c*acs + taps[t] + i] * b[(c*ntaps + t)*bs + lane];
   one function per number of rows i.  If `first`, sums start at zero instead of at m.  For each c,
   prefetch `lines` cache lines from `next`, the panel that the following tiles use. */
typedef void fc_tile(ptrdiff_t depth, ptrdiff_t ntaps, const ptrdiff_t *taps, const void *a, ptrdiff_t acs,
                     const void *b, ptrdiff_t bs, const void *next, ptrdiff_t lines, int first, void *m);

/* y[i*ys + lane] = act(row_bias[i] + sum over k < depth of a[k*mr + i] * b[k*bs + lane]), nr lanes; row_bias may be NULL;
   `ahead`: distance in elements from b to the data that is needed next, which is prefetched */
typedef void fc_pixel_tile(ptrdiff_t depth, const void *a, const void *b, ptrdiff_t bs, ptrdiff_t ahead, void *y,
                           ptrdiff_t ys, const void *row_bias, int relu);

/* Prefetch memory that will be read soon. */
static inline void fc_prefetch(const void *from, ptrdiff_t bytes)
{
    for (ptrdiff_t at = 0; at < bytes; at += FC_LINE) __builtin_prefetch((const char *)from + at, 0, 3);
}

/* The sources of the positions of a padded axis, as a few numbers, so that no table grows with the image: `lo` positions
   are before the input (negative: cropped), of `size` in all.  The modes are FC_MODES. */
typedef struct {
    ptrdiff_t extent, lo, size;
    int mode;
} fc_axis;

/* Input index of a position, -1 for the fill value; without an axis, the position itself. */
static inline int64_t fc_source(const fc_axis *a, ptrdiff_t at)
{
    if (!a) return at;
    const ptrdiff_t i = at - a->lo, last = a->extent - 1;
    if (at >= a->size) return -1;
    if (i >= 0 && i <= last) return i;
    switch (a->mode) {
    case FC_REPLICATE: return i < 0 ? 0 : last;
    case FC_CIRCULAR: return last < 0 ? 0 : (i % a->extent + a->extent) % a->extent;
    case FC_REFLECT: return i < 0 ? -i : 2 * last - i;
    case FC_SYMMETRIC: return i < 0 ? -1 - i : 2 * last + 1 - i;
    default: return -1;
    }
}

#define GATHER_NOTHING INT64_MIN /* `gather` writes the fill value there */

/* y[i*rs + j*cs] = act(alpha*m[i*nr + j] + (beta*c[i*crs + j*ccs] + (row_bias[i] + col_bias[j]))) for i < rows, j < cols <= nr;
   c, row_bias and col_bias may be NULL. */
typedef struct {
    double alpha, beta;
    const void *c;
    ptrdiff_t crs, ccs;
    const void *row_bias, *col_bias;
    int relu;
} fc_epilogue;

/* Winograd's transforms along one axis; see winograd2d.inc. */
typedef void fc_wino_axis(const void *coef, const void *x, ptrdiff_t tap, ptrdiff_t item, ptrdiff_t count, void *y,
                          ptrdiff_t point, ptrdiff_t y_item);
/* The same for each of `vectors` vectors of an item. */
typedef void fc_wino_output(const void *coef, const void *x, ptrdiff_t tap, ptrdiff_t item, ptrdiff_t count, void *y,
                            ptrdiff_t point, ptrdiff_t y_item, int vectors);
/* As fc_wino_axis; the squares of the taps of each item are also added to `squares`, or stored there if they are the first. */
typedef void fc_wino_count(const void *coef, const void *x, ptrdiff_t tap, ptrdiff_t item, ptrdiff_t count, void *y,
                           ptrdiff_t point, ptrdiff_t y_item, void *squares, int first);
/* m[i*nr + lane] (+)= sum over k < blocks, l < lanes of a[k*acs + i*vl + l] * b[(k*lanes + l)*nr + lane]; the rest as fc_tile */
typedef void fc_lane_tile(ptrdiff_t blocks, ptrdiff_t lanes, const void *a, ptrdiff_t acs, const void *b, const void *next,
                          ptrdiff_t lines, int first, void *m);

/* y[i*ys] = x[i*xs] for i < n: 16-bit floats to float and back; in tables of float only. */
typedef void fc_convert(void *y, ptrdiff_t ys, const void *x, ptrdiff_t xs, ptrdiff_t n);

/* y = x between two limits, for n integers of one type; the bits of unsigned limits are those of signed ones. */
typedef void fc_limit(void *y, const void *x, ptrdiff_t n, int64_t low, int64_t high);

#include "_table.h"
