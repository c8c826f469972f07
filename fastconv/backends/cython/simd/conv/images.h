/* Arguments of the micro-kernel of small images; see images.inc. */
#ifndef FASTCONV_IMAGES_H
#define FASTCONV_IMAGES_H
#include <stddef.h>

/* y[i*ys + l] (+)= sum over c < channels, t < taps of w[(c*taps + t)*MR + i] * x[c*xc + at[t] + l], l < NR; where at[t] is negative,
   `padding` is read instead.  The sum starts at start[i], or at zero if that is NULL, and is then added to y, unless it is the
   `first`.  If `last`, bias[i] is added, which may be NULL, and relu applied. */
typedef struct {
    ptrdiff_t channels, taps;
    const ptrdiff_t *at;
    const void *w, *x;
    ptrdiff_t xc;
    const void *padding;
    void *y;
    ptrdiff_t ys;
    int first, last;
    const void *start, *bias;
    int relu;
} image_tile_args;
typedef void fc_image_tile(const image_tile_args *t);

#endif
