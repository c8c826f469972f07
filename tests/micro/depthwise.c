/* Depthwise convolution with pixels in lanes: every special tile and any other kernel. */
#include "check.h"

enum { MOST_ROWS = 64, MOST_PLANES = 3, SLACK = 64 /* elements after a band, as in native.py */ };

typedef struct {
    ptrdiff_t before, after; /* zeros around an axis of the image */
} padding;

static padding drawn_padding(ptrdiff_t kernel, ptrdiff_t dilation)
{
    const ptrdiff_t most = (kernel - 1) * dilation;
    if (draw(0, 2)) return (padding){most / 2, most - most / 2}; /* "same" */
    return (padding){draw(0, most), draw(0, most)};
}

/* Outputs of an axis; 0 if there are none. */
static ptrdiff_t outputs(ptrdiff_t extent, ptrdiff_t kernel, ptrdiff_t stride, ptrdiff_t dilation, padding p)
{
    const ptrdiff_t room_for = extent + p.before + p.after - (kernel - 1) * dilation - 1;
    return room_for < 0 ? 0 : room_for / stride + 1;
}

/* y of one output channel from `planes` planes of rows. */
static void plain(const depthwise_rows_args *a, const REAL *x, const REAL *w, REAL bias, REAL *y)
{
    for (ptrdiff_t i = 0; i < a->oh; i++)
        for (ptrdiff_t j = 0; j < a->ow; j++) {
            REAL sum = bias;
            const REAL *tap = w;
            for (ptrdiff_t z = 0; z < a->planes; z++)
                for (ptrdiff_t t = 0; t < a->kh; t++)
                    for (ptrdiff_t s = 0; s < a->kw; s++, tap++) {
                        const ptrdiff_t row = a->rows[z * a->nrows + i * a->sh + t * a->dh], col = a->cols[s] + j * a->sw;
                        if (row != DEPTHWISE_NO_ROW && (!a->iw || (col >= 0 && col < a->iw))) sum += *tap * x[row + col];
                    }
            y[i * a->yrow + j] = relu_of(a->relu, sum);
        }
}

static void run_rows(depthwise_rows_args *a, ptrdiff_t size, const char *what)
{
    const ptrdiff_t outs = a->groups * a->channels, weights = a->planes * a->kh * a->kw;
    a->ychannel = a->oh * a->yrow + draw(0, 3), a->ygroup = a->channels * a->ychannel;
    a->relu = (int)draw(0, 1);
    begin("depthwise_rows %s: kernel %td x %td, strides %td and %td, dilation %td, first column %td of %td, output %td x %td, planes %td, "
          "groups %td x %td", what, a->kh, a->kw, a->sh, a->sw, a->dh, a->cols[0], a->iw, a->oh, a->ow, a->planes, a->groups, a->channels);
    const REAL *x = a->x = numbers(size), *w = a->w = numbers(outs * weights), *bias = draw(0, 1) ? numbers(outs) : NULL;
    const ptrdiff_t written = (outs - 1) * a->ychannel + (a->oh - 1) * a->yrow + a->ow;
    REAL *y = a->y = nothing(written), *want = copied(y, written);
    a->bias = bias;
    USE(T->depthwise_rows)(a);
    for (ptrdiff_t k = 0; k < outs; k++)
        plain(a, x + k / a->channels * a->xgroup, w + k * weights, bias ? bias[k] : 0, want + k * a->ychannel);
    same(y, want, written);
}

/* Images that are read in place. */
static void in_place(ptrdiff_t kh, ptrdiff_t kw, ptrdiff_t stride, ptrdiff_t iw)
{
    const ptrdiff_t sw = stride, sh = draw(0, 3) ? stride : draw(1, 3), dh = draw(0, 3) ? 1 : 2, dw = draw(0, 3) ? 1 : 2;
    const padding tall = drawn_padding(kh, dh), wide = drawn_padding(kw, dw);
    const ptrdiff_t ih = draw(1, 17), oh = outputs(ih, kh, sh, dh, tall), ow = outputs(iw, kw, sw, dw, wide);
    if (!oh || !ow) return;
    const ptrdiff_t nrows = (oh - 1) * sh + (kh - 1) * dh + 1, planes = draw(0, 2) ? 1 : draw(1, MOST_PLANES);
    ptrdiff_t rows[MOST_PLANES * MOST_ROWS], cols[16];
    const int mirrored = draw(0, 9) == 0, absent = draw(0, 9) == 0 ? (int)draw(0, planes - 1) : -1;
    for (ptrdiff_t z = 0; z < planes; z++)
        for (ptrdiff_t r = 0; r < nrows; r++) {
            ptrdiff_t row = r - tall.before;
            if (mirrored && (row < 0 || row >= ih)) row = draw(0, ih - 1);
            rows[z * nrows + r] = row < 0 || row >= ih || z == absent ? DEPTHWISE_NO_ROW : (z * ih + row) * iw;
        }
    for (ptrdiff_t s = 0; s < kw; s++) cols[s] = s * dw - wide.before;
    depthwise_rows_args a = {.rows = rows, .nrows = nrows, .planes = planes, .kh = kh, .kw = kw, .sh = sh, .dh = dh, .cols = cols, .sw = sw,
                             .iw = iw, .yrow = ow, .oh = oh, .ow = ow, .groups = draw(1, 4), .channels = draw(0, 2) ? 1 : 2,
                             .xgroup = planes * ih * iw};
    run_rows(&a, a.groups * a.xgroup, "in place");
}

/* A band, whose rows may be read up to a tile past their last column; its columns may be parted by stride phase. */
static void in_band(ptrdiff_t kh, ptrdiff_t kw, ptrdiff_t ow)
{
    const ptrdiff_t sh = draw(1, 3), dh = draw(1, 2), dw = draw(1, 2), phases = draw(1, 3), oh = draw(1, 9);
    const ptrdiff_t nrows = (oh - 1) * sh + (kh - 1) * dh + 1, planes = draw(1, 2), vl = T->vl;
    const ptrdiff_t phase = (ow + vl - 1) / vl * vl + (kw - 1) * dw / phases + 1, length = phases * phase;
    ptrdiff_t rows[MOST_PLANES * MOST_ROWS], cols[16];
    for (ptrdiff_t r = 0; r < planes * nrows; r++) rows[r] = draw(0, 9) ? r * length : DEPTHWISE_NO_ROW;
    for (ptrdiff_t s = 0; s < kw; s++) cols[s] = s * dw % phases * phase + s * dw / phases;
    depthwise_rows_args a = {.rows = rows, .nrows = nrows, .planes = planes, .kh = kh, .kw = kw, .sh = sh, .dh = dh, .cols = cols, .sw = 1,
                             .yrow = ow, .oh = oh, .ow = ow, .groups = 1, .channels = draw(1, 2)};
    run_rows(&a, planes * nrows * length + SLACK, "of a band");
}

void check_depthwise(void)
{
    static const ptrdiff_t squares[] = {3, 5, 7};
    const ptrdiff_t widest = 5 * T->vl + 3;
    for (ptrdiff_t iw = 1; iw <= widest; iw++)
        for (ptrdiff_t stride = 1; stride <= 2; stride++) {
            for (int i = 0; i < 3; i++)
                for (int run = 0; run < 3; run++) in_place(squares[i], squares[i], stride, iw);
            for (int run = 0; run < 3; run++) in_place(draw(1, 8), draw(1, 8), stride, iw);
        }
    for (ptrdiff_t ow = 1; ow <= widest; ow++) {
        in_band(squares[draw(0, 2)], squares[draw(0, 2)], ow);
        in_band(draw(1, 7), draw(1, 8), ow);
    }
}
