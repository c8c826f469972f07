/* Gradients of weights with pixels in lanes. */
#include "check.h"

static void compare(weight_rows_args *a, ptrdiff_t size)
{
    const ptrdiff_t taps = a->planes * a->kh * a->kw, vl = T->vl;
    begin("weight_rows: planes %td, kernel %td x %td, strides %td and %td, dilation %td, first column %td of %td, block at %td, %td x %td",
          a->planes, a->kh, a->kw, a->sh, a->sw, a->dh, a->cols[0], a->iw, a->col, a->oh, a->ow);
    const REAL *x = a->x = numbers(size), *y = a->y = numbers((a->oh - 1) * a->yrow + a->ow);
    REAL *sums = a->sums = numbers(taps * vl), *before = copied(sums, taps * vl);
    USE(T->weight_rows)(a);
    for (ptrdiff_t z = 0, tap = 0; z < a->planes; z++)
        for (ptrdiff_t t = 0; t < a->kh; t++)
            for (ptrdiff_t s = 0; s < a->kw; s++, tap++) {
                REAL want = 0, got = 0;
                for (ptrdiff_t l = 0; l < vl; l++) want += before[tap * vl + l], got += sums[tap * vl + l];
                for (ptrdiff_t i = 0; i < a->oh; i++)
                    for (ptrdiff_t j = 0; j < a->ow; j++) {
                        const ptrdiff_t row = a->rows[z * a->nrows + i * a->sh + t * a->dh], col = a->cols[s] + (a->col + j) * a->sw;
                        if (row != WEIGHT_NO_ROW && (!a->iw || (col >= 0 && col < a->iw))) want += y[i * a->yrow + j] * x[row + col];
                    }
                same(&got, &want, 1);
            }
}

/* Images read in place, zeros on both sides: any taps with stride 1, adjacent ones of certain kernels with both strides 2. */
static void in_place(ptrdiff_t kh, ptrdiff_t kw, ptrdiff_t iw)
{
    const ptrdiff_t sw = kw % 2 && kw > 1 && kw <= 7 && kw <= T->vl + 1 ? draw(1, 2) : 1, sh = sw == 2 ? 2 : draw(1, 3);
    const ptrdiff_t dh = draw(0, 2) ? 1 : 2, dw = sw == 2 || draw(0, 2) ? 1 : 2, oh = draw(1, 7), planes = draw(1, 2);
    const ptrdiff_t before = draw(0, (kw - 1) * dw), after = draw(0, (kw - 1) * dw), nrows = (oh - 1) * sh + (kh - 1) * dh + 1;
    const ptrdiff_t room_for = iw + before + after - (kw - 1) * dw - 1;
    if (room_for < 0) return;
    const ptrdiff_t all = room_for / sw + 1, col = draw(0, all - 1), ow = draw(0, 1) ? all - col : draw(1, all - col);
    ptrdiff_t rows[128], cols[16];
    for (ptrdiff_t r = 0; r < planes * nrows; r++) rows[r] = draw(0, 9) ? r * iw : WEIGHT_NO_ROW;
    for (ptrdiff_t s = 0; s < kw; s++) cols[s] = s * dw - before;
    weight_rows_args a = {.rows = rows, .nrows = nrows, .planes = planes, .kh = kh, .kw = kw, .sh = sh, .dh = dh, .cols = cols, .sw = sw,
                          .col = col, .iw = iw, .yrow = ow + draw(0, 2), .oh = oh, .ow = ow};
    compare(&a, planes * nrows * iw);
}

/* Rows of a band, which taps never leave. */
static void in_band(ptrdiff_t kh, ptrdiff_t kw, ptrdiff_t ow)
{
    const ptrdiff_t sh = draw(1, 3), dh = draw(1, 2), dw = draw(1, 2), oh = draw(1, 7), nrows = (oh - 1) * sh + (kh - 1) * dh + 1;
    const ptrdiff_t length = ow + (kw - 1) * dw;
    ptrdiff_t rows[128], cols[16];
    for (ptrdiff_t r = 0; r < nrows; r++) rows[r] = draw(0, 9) ? r * length : WEIGHT_NO_ROW;
    for (ptrdiff_t s = 0; s < kw; s++) cols[s] = s * dw;
    weight_rows_args a = {.rows = rows, .nrows = nrows, .planes = 1, .kh = kh, .kw = kw, .sh = sh, .dh = dh, .cols = cols, .sw = 1,
                          .yrow = ow, .oh = oh, .ow = ow};
    compare(&a, nrows * length);
}

void check_weight_rows(void)
{
    for (ptrdiff_t width = 1; width <= 4 * T->vl + 3; width++) {
        for (ptrdiff_t k = 3; k <= 7; k += 2)
            for (int run = 0; run < 4; run++) in_place(k, k, width);
        for (int run = 0; run < 4; run++) in_place(draw(1, 8), draw(1, 12), width);
        for (int run = 0; run < 4; run++) in_band(draw(1, 8), draw(1, 12), width);
    }
}
