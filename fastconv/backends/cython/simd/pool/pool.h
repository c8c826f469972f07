/* Arguments of the pooling passes; see separable.inc.  Pointers to elements are untyped: one struct serves both dtypes. */
#ifndef FASTCONV_POOL_H
#define FASTCONV_POOL_H
#include <stddef.h>
#include <stdint.h>

/* The first pass: element-wise over whole rows of the window. */
typedef struct {
    int op;
    const void *const *rows; /* [count], in order of depth, then height; NULL where a row is padding */
    ptrdiff_t count;
    ptrdiff_t start, n; /* elements of a row */
    double pad;        /* the result where all rows are padding */
    void *value;       /* [n] */
    void *row;         /* [n]: which of the rows holds the maximum, infinite if none; NULL if not wanted */
} pool_down_args;

/* The second pass: along the combined row. */
typedef struct {
    int op;
    const void *value, *row; /* result of the first pass, with padding around it */
    const ptrdiff_t *taps;   /* [count]: element that each tap reads for the first output */
    ptrdiff_t count, n;      /* outputs */
    void *y;
    /* With `row`: the flat position of the maximum of output q is base + row_at[row] + tap_at[tap] + (q / unit) * step. */
    int64_t *index;
    int64_t base, step;
    ptrdiff_t unit;
    const int64_t *row_at, *tap_at;
} pool_across_args;

/* One value for each window along an axis, without most of the equal ones in its middle: the value of window q, followed
   by those of a vector of windows, is at fc_pool_at. */
typedef struct {
    const void *values;
    ptrdiff_t first, skip; /* windows before the middle; omitted values */
} fc_pool_counts;

static inline ptrdiff_t fc_pool_at(const fc_pool_counts *c, ptrdiff_t q)
{
    ptrdiff_t at = q - c->skip < c->first ? c->first : q - c->skip;
    return at < q ? at : q;
}

/* The last pass, in place: y = y / (divisor * times) * scale, then perhaps the square root; or y = -y. */
typedef struct {
    int op;
    void *y;                /* [n][unit] */
    fc_pool_counts divisor; /* of windows from `start` on */
    double times, scale;
    ptrdiff_t start, n, unit;
} pool_finish_args;

/* Both passes at once, in registers; see small_window.inc and strided.inc.  Columns of a window are adjacent. */
enum { POOL_SHIFTS_EDGES = POOL_SHIFTS_COLUMNS + 1 };
typedef struct {
    int op;        /* POOL_MAX or POOL_SUM */
    int look;      /* whether to test for NaN first, for maxima */
    const void *x; /* the first of some channels of one image */
    ptrdiff_t channels, x_step, y_step, index_step; /* elements from one channel to the next */
    ptrdiff_t unit; /* elements of a column: 1, or all channels, which count as one then */
    ptrdiff_t id, ih, iw, kd, kh, kw, sd, sh, sw, dd, dh, dw, ld, lh, lw, od, oh0, oh1, ow;
    void *y;        /* from row oh0 on */
    int64_t *index; /* the same; NULL if not wanted */
    fc_pool_counts depth, height, width; /* factors of divisors: double, but those along width; values NULL: results are */
    double scale;                        /* multiplied by `scale`, a power of two */
    ptrdiff_t ahead; /* of channels first, bytes: rows that far behind those that are read are prefetched; 0: none */
    int halvings;                        /* of strided.inc alone, like what follows */
    void *scratch;
} pool_shifts_args;

/* Whole planes that keep their size; see flat.inc. */
typedef struct {
    int op;        /* POOL_MAX or POOL_SUM */
    const void *x; /* the first plane */
    void *y;
    ptrdiff_t channels, x_step, y_step; /* elements from one plane to the next */
    ptrdiff_t ih, iw, kh, kw, dh, lh; /* columns of a window are adjacent, half of them on either side */
    const void *masks;             /* result of pool_flat_masks */
    const void *divisor, *inverse; /* [ih * iw], of sums */
} pool_flat_args;

/* The windows of one axis: window o has count[o] elements from first[o] on, `step` apart. */
typedef struct {
    const ptrdiff_t *first, *count;
    ptrdiff_t step;
} pool_axis;

/* Some planes in lanes; see lanes.inc.  A block of windows reads rows r0 to r1 of the planes of depth z0 to z1. */
typedef struct {
    int op;               /* POOL_MAX or POOL_SUM */
    const void *const *x; /* [VL]: the volume of each lane; those after `planes` may be any */
    void *const *y;       /* [planes] */
    int64_t *const *index; /* [planes]; NULL if not wanted */
    ptrdiff_t planes, ih, iw, oh, ow, od0, od1, oh0, oh1, z0, z1, r0, r1;
    pool_axis depth, height, width;
    const void *depths, *heights, *widths; /* factors of the divisors of sums: double, double, REAL */
    void *scratch;
    ptrdiff_t image, results; /* vectors of scratch for the elements that a block reads; for its results, and again for their places */
} pool_lanes_args;

#endif
