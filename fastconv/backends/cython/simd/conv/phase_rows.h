/* Arguments of the micro-kernel that sums taps to a row of a transposed convolution; see phase_rows.inc. */
#ifndef FASTCONV_PHASE_ROWS_H
#define FASTCONV_PHASE_ROWS_H
#include <stddef.h>

/* Element j of a phase has element j + shift of the row of tap number `tap`, for lo <= j < hi. */
typedef struct {
    ptrdiff_t tap, shift, lo, hi;
} phase_tap;

/* y[(j - first)*phases + q] = start + the sum over i < rows and the taps t of phase q, number starts[q] to starts[q + 1], of
   row[i][t.tap*pitch + t.shift + j], times weights[i][t.tap] unless `weights` is NULL; `count` elements of y.
   `parts` has room for `phases` rows, each `part_size` elements from the next: whole vectors, and `part` for their addresses.
   If `kernel` is not 0, it is a multiple of `phases`, which are many: tap k of pixel w, of `extent`, is for element
   w*phases + k - pad, and `first` is 0. */
typedef struct {
    void *y;
    ptrdiff_t count, first, phases;
    const ptrdiff_t *starts;
    const phase_tap *taps;
    ptrdiff_t rows;
    const void *const *row;
    ptrdiff_t pitch;
    const void *const *weights;
    double start;
    void *parts;
    const void **part;
    ptrdiff_t part_size;
    ptrdiff_t kernel, extent, pad;
} phase_rows_args;

#endif
