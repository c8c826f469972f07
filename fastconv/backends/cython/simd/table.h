/* The sizes and micro-kernels of one instruction set for one dtype, in one struct.

   Pointers are void so that float and double use the same type; extents and strides count elements.
   The .pyx files do blocking, packing order and threads. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "conv/depthwise.h"
#include "gemm/gemm.h"
#include "pool/pool.h"
#include "elementwise/softmax.h"
#include "conv/weight_rows.h"
#include "conv/winograd1d.h"

#define FC_MAX_MR 14
#define FC_LINE 64 /* bytes of a line of the caches */
#define FC_MAX_POINTS 10

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
static inline void fc_ask(const void *from, ptrdiff_t bytes)
{
    for (ptrdiff_t at = 0; at < bytes; at += FC_LINE) __builtin_prefetch((const char *)from + at, 0, 3);
}

/* The sources of the positions of a padded axis, as a few numbers, so that no table grows with the image: `lo` positions
   are before the input (negative: cropped), of `size` in all.  The modes are those of `native.MODES`. */
typedef struct {
    ptrdiff_t extent, lo, size;
    int mode;
} fc_axis;
enum { FC_ZEROS, FC_REPLICATE, FC_CIRCULAR, FC_REFLECT, FC_SYMMETRIC };

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

/* One row of a band: dst[j%phases * phase_stride + j/phases] = src[c * xs], where c is the source of position start + j of
   `cols`, `fill` where there is none or src is NULL.  Between run0 and run1, sources are consecutive; outside, padding
   of zeros has none. */
typedef void fc_fill_row(void *dst, ptrdiff_t phases, ptrdiff_t phase_stride, const void *src, ptrdiff_t xs,
                         const fc_axis *cols, ptrdiff_t start, ptrdiff_t count, ptrdiff_t run0, ptrdiff_t run1,
                         double fill);

/* dst[j] = src[at[j]], `fill` where at[j] is GATHER_NOTHING or src is NULL. */
#define GATHER_NOTHING INT64_MIN
typedef void fc_gather(void *dst, const void *src, const int64_t *at, ptrdiff_t count, double fill);

/* Panels of a matrix x[i*rs + j*cs]: pack_a gives dst[k*mr + i], zero for extent <= i < mr, and clobbers up to vl elements
   after the panel; pack_b gives dst[k*nr + j], zero for extent <= j < nr. */
typedef void fc_pack(void *dst, const void *x, ptrdiff_t rs, ptrdiff_t cs, ptrdiff_t extent, ptrdiff_t depth);

/* y[i*rs + j*cs] = act(alpha*m[i*nr + j] + (beta*c[i*crs + j*ccs] + (row_bias[i] + col_bias[j]))) for i < rows, j < cols <= nr;
   c, row_bias and col_bias may be NULL. */
typedef struct {
    double alpha, beta;
    const void *c;
    ptrdiff_t crs, ccs;
    const void *row_bias, *col_bias;
    int relu;
} fc_epilogue;
typedef void fc_store(const void *m, ptrdiff_t rows, ptrdiff_t cols, void *y, ptrdiff_t rs, ptrdiff_t cs,
                      const fc_epilogue *e);

/* m[i*nr + j] = y[i*rs + j*cs]: partial sums are loaded again between blocks of depth. */
typedef void fc_load(void *m, ptrdiff_t rows, ptrdiff_t cols, const void *y, ptrdiff_t rs, ptrdiff_t cs);

/* Elements of a row split by stride phase: dst[j%phases * phase_stride + j/phases] = src[j]. */
typedef void fc_split_row(void *dst, ptrdiff_t phases, ptrdiff_t phase_stride, const void *src, ptrdiff_t count);

/* The inverse: dst[j] = src[j%phases][j/phases]. */
typedef void fc_interleave(void *dst, const void *const *src, ptrdiff_t phases, ptrdiff_t count);

/* A row of n maxima of adjacent 2 x 2 windows; see pairs.inc. */
typedef void fc_pool_pairs(const void *x0, const void *x1, ptrdiff_t iw, ptrdiff_t n, void *y, int64_t *index, int64_t base);

/* y[p] = the mean of the p-th of `count` contiguous planes. */
typedef void fc_plane_means(const void *x, ptrdiff_t count, ptrdiff_t elements, void *y);

/* y = x^p of n elements, computed in double; x and y are floats or doubles.  In tables of double only. */
typedef void fc_powers(void *y, int single_y, const void *x, int single_x, ptrdiff_t n, double p);

/* y = f(x) with parameters a and b, and dx = dy f'(x); n contiguous elements. */
enum { ACT_RELU, ACT_CLIP, ACT_LEAKY_RELU, ACT_HARDSWISH, ACT_HARDSIGMOID, ACT_SOFTSIGN, ACT_SIGMOID, ACT_TANH, ACT_SILU, ACT_ELU,
       ACT_CELU, ACT_GELU, ACT_GELU_TANH, ACT_LOGSIGMOID, ACT_SOFTPLUS, ACT_MISH, ACT_HARDSHRINK, ACT_SOFTSHRINK, ACT_TANHSHRINK,
       ACT_THRESHOLD, ACT_CLAMP };
typedef void fc_activate(int f, void *y, const void *x, ptrdiff_t n, double a, double b);
typedef void fc_activate_backward(int f, void *dx, const void *dy, const void *x, ptrdiff_t n, double a, double b);
/* y = x * sigmoid(gate); backward the gradients of both */
typedef void fc_gate(void *y, const void *x, const void *gate, ptrdiff_t n);
typedef void fc_gate_backward(void *dx, void *dgate, const void *dy, const void *x, const void *gate, ptrdiff_t n);

/* Winograd's transforms along one axis, and rows of channels in lanes; see winograd.inc. */
typedef void fc_wino_axis(const void *coef, const void *x, ptrdiff_t tap, ptrdiff_t item, ptrdiff_t count, void *y,
                          ptrdiff_t point, ptrdiff_t y_item);
/* The same; the squares of the taps of each item are also added to `squares`, or stored there if they are the first. */
typedef void fc_wino_count(const void *coef, const void *x, ptrdiff_t tap, ptrdiff_t item, ptrdiff_t count, void *y,
                           ptrdiff_t point, ptrdiff_t y_item, void *squares, int first);
typedef void fc_wino_weights(const void *coef, ptrdiff_t points, ptrdiff_t taps, const void *x, ptrdiff_t tap, void *y,
                             ptrdiff_t point);
typedef void fc_wino_dense(const void *coef, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t taps, int vectors, const void *x,
                           const ptrdiff_t *xat, ptrdiff_t item, ptrdiff_t count, void *y, const ptrdiff_t *yat,
                           ptrdiff_t y_item);
typedef void fc_lane_row(void *dst, const void *src, ptrdiff_t cs, ptrdiff_t xs, ptrdiff_t channels, const fc_axis *cols,
                         ptrdiff_t start, ptrdiff_t count, ptrdiff_t run0, ptrdiff_t run1, double fill);
/* The largest magnitude of n elements; the sum of the squares of n vectors. */
typedef double fc_reduce(const void *x, ptrdiff_t n);
/* e[j*vl + lane] (+)= the squares of x[i*tap + j*vl + lane] for i < taps; count vectors */
typedef void fc_wino_squares(void *e, const void *x, ptrdiff_t tap, ptrdiff_t taps, ptrdiff_t count, int first);
/* m[i*nr + lane] (+)= sum over k < blocks, l < lanes of a[k*acs + i*vl + l] * b[(k*lanes + l)*nr + lane]; the rest as fc_tile */
typedef void fc_lane_tile(ptrdiff_t blocks, ptrdiff_t lanes, const void *a, ptrdiff_t acs, const void *b, const void *next,
                          ptrdiff_t lines, int first, void *m);

/* out[i] = the sum of the lanes of the i-th of count vectors */
typedef void fc_lane_sums(const void *sums, ptrdiff_t count, void *out);

/* y[i*ys] = x[i*xs] for i < n: 16-bit floats to float and back; in tables of float only. */
typedef void fc_convert(void *y, ptrdiff_t ys, const void *x, ptrdiff_t xs, ptrdiff_t n);

/* Keeps every multiply-add unit busy; returns the number of floating-point operations. */
typedef double fc_peak(ptrdiff_t rounds);

typedef struct {
    ptrdiff_t itemsize, vl, mr, nr;
    fc_tile *tile[FC_MAX_MR + 1];
    fc_pixel_tile *pixel_tile[FC_MAX_MR + 1];
    fc_fill_row *fill_row;
    fc_gather *gather;
    fc_pack *pack_a, *pack_b;
    fc_store *store;
    fc_load *load;
    fc_split_row *split_row;
    fc_interleave *interleave;
    void (*depthwise_rows)(const depthwise_rows_args *a);
    void (*depthwise_pixels)(const depthwise_pixels_args *a);
    void (*pool_down)(const pool_down_args *a);
    void (*pool_across)(const pool_across_args *a);
    void (*pool_finish)(const pool_finish_args *a);
    void (*pool_shifts)(const pool_shifts_args *a);
    void (*pool_channels)(const pool_shifts_args *a);
    void (*pool_flat)(const pool_flat_args *a);
    void (*pool_flat_masks)(ptrdiff_t n, ptrdiff_t iw, ptrdiff_t kw, void *masks);
    fc_pool_pairs *pool_pairs;
    fc_plane_means *plane_means;
    fc_powers *powers;
    fc_activate *activate;
    fc_activate_backward *activate_backward;
    fc_gate *gate;
    fc_gate_backward *gate_backward;
    void (*softmax)(const softmax_args *a);
    void (*log_sums)(const log_sums_args *a);
    fc_lane_tile *lane_tile[FC_MAX_MR + 1];
    fc_wino_axis *wino_in[FC_MAX_POINTS + 1][2]; /* by points, and whether infinity is one of them */
    fc_wino_count *wino_count[FC_MAX_POINTS + 1][2];
    fc_wino_axis *wino_out[FC_MAX_POINTS + 1][FC_MAX_POINTS + 1]; /* by points and outputs */
    fc_wino_weights *wino_weights;
    fc_wino_dense *wino_dense;
    fc_lane_row *lane_row;
    fc_reduce *largest, *squares;
    fc_wino_squares *wino_squares;
    void (*winograd_rows_in)(const winograd_rows_in_args *a);
    void (*winograd_rows)(const winograd_rows_args *a);
    void (*rows_squares)(const void *e, ptrdiff_t parts, ptrdiff_t apart, ptrdiff_t n, column_squares *s);
    void (*weight_rows)(const weight_rows_args *a);
    fc_lane_sums *lane_sums;
    void (*gemm_tile[FC_MAX_MR + 1][2])(const gemm_tile_args *t); /* by rows; one vector, or NV of them */
    void (*thin_panels)(const thin_args *t);
    void (*thin_columns)(const thin_args *t);
    void (*thin_turned)(const thin_args *t);
    fc_convert *widen[2], *narrow[2]; /* float16, bfloat16 */
    fc_peak *peak;
} fc_table;

extern const fc_table fc_portable_f32, fc_portable_f64;
#if defined(__x86_64__) && defined(__GNUC__)
#define FC_X86 1
extern const fc_table fc_avx2_f32, fc_avx2_f64, fc_avx512_f32, fc_avx512_f64;
#endif
