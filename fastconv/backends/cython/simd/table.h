/* What one ISA offers for one dtype: sizes and micro-kernels, behind one struct.

   Pointers are void so that float and double share the type; extents and strides count elements.
   Blocking, packing order and threads are the business of the .pyx files above. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define FC_MAX_MR 14

/* m[i*nr + lane] (+)= sum over c < depth, t < ntaps of a[c*acs + taps[t] + i] * b[(c*ntaps + t)*bs + lane];
   one function per number of rows i.  `first` starts at zero instead of at what m holds. */
typedef void fc_tile(ptrdiff_t depth, ptrdiff_t ntaps, const ptrdiff_t *taps, const void *a, ptrdiff_t acs,
                     const void *b, ptrdiff_t bs, int first, void *m);

/* One row of a band: dst[j%phases * phase_stride + j/phases] = src[cols[j] * xs], `fill` where cols[j] < 0 or src is
   NULL.  Between run0 and run1, cols counts up by one. */
typedef void fc_fill_row(void *dst, ptrdiff_t phases, ptrdiff_t phase_stride, const void *src, ptrdiff_t xs,
                         const int64_t *cols, ptrdiff_t count, ptrdiff_t run0, ptrdiff_t run1, double fill);

/* Panels of a matrix x[i*rs + j*cs]: pack_a gives dst[k*mr + i], zero for rows <= i < mr; pack_b gives
   dst[k*nr + j], zero for cols <= j < nr. */
typedef void fc_pack(void *dst, const void *x, ptrdiff_t rs, ptrdiff_t cs, ptrdiff_t extent, ptrdiff_t depth);

/* y[i*rs + j*cs] = act(alpha*m[i*nr + j] + beta*c[i*crs + j*ccs] + row_bias[i] + col_bias[j]) for i < rows, j < cols <= nr;
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

/* m[i*nr + j] = y[i*rs + j*cs]: partial sums come back between blocks of depth. */
typedef void fc_load(void *m, ptrdiff_t rows, ptrdiff_t cols, const void *y, ptrdiff_t rs, ptrdiff_t cs);

/* Depthwise, lanes are pixels: y[r*ys + q] = act(bias + sum over t of w[t] * band[r*row_step + taps[t] + q]).
   Reads up to 2*vl elements past the last pixel, so the band needs that much slack. */
typedef void fc_depthwise(const void *band, ptrdiff_t row_step, ptrdiff_t ntaps, const ptrdiff_t *taps, const void *w,
                          double bias, int relu, ptrdiff_t rows, ptrdiff_t ow, void *y, ptrdiff_t ys);

/* Depthwise, lanes are channels: y[k] = act(bias[k] + sum over t of w[t*channels + k] * x[offs[t] + k]), `fill` in place
   of x where offs[t] < 0; bias may be NULL.  x is read in place. */
typedef void fc_depthwise_last(const void *x, ptrdiff_t ntaps, const ptrdiff_t *offs, const void *w, const void *bias,
                               double fill, int relu, ptrdiff_t channels, void *y);

/* Pooling, lanes are pixels: y[q] = max or sum over t of band[taps[t] + q], with slack as for depthwise; max_at also
   gives the number of the first maximal tap (first NaN if there is one), -1 where every tap is -inf. */
typedef void fc_pool_row(const void *band, ptrdiff_t ntaps, const ptrdiff_t *taps, ptrdiff_t ow, void *y);
typedef void fc_pool_row_at(const void *band, ptrdiff_t ntaps, const ptrdiff_t *taps, ptrdiff_t ow, void *y,
                            int64_t *which);

/* Pooling, lanes are channels: the same for one output position, taps with offs[t] < 0 left out. */
typedef void fc_pool_last(const void *x, ptrdiff_t ntaps, const ptrdiff_t *offs, ptrdiff_t channels, double divisor,
                          void *y);

/* y[q] /= divisor[q] */
typedef void fc_divide_row(void *y, const void *divisor, ptrdiff_t n);

/* Keeps every multiply-add unit busy; returns the floating-point operations done. */
typedef double fc_peak(ptrdiff_t rounds);

typedef struct {
    ptrdiff_t itemsize, vl, mr, nr;
    fc_tile *tile[FC_MAX_MR + 1];
    fc_fill_row *fill_row;
    fc_pack *pack_a, *pack_b;
    fc_store *store;
    fc_load *load;
    fc_depthwise *depthwise;
    fc_depthwise_last *depthwise_last;
    fc_pool_row *max_row, *sum_row;
    fc_pool_row_at *max_row_at;
    fc_pool_last *max_last, *sum_last;
    fc_divide_row *divide_row;
    fc_peak *peak;
} fc_table;

extern const fc_table fc_portable_f32, fc_portable_f64;
#if defined(__x86_64__) && defined(__GNUC__)
#define FC_X86 1
extern const fc_table fc_avx2_f32, fc_avx2_f64, fc_avx512_f32, fc_avx512_f64;
#endif
