/* Convolutions with channels last: tiles of every height, copies of pixels, and few channels per group in lanes. */
#include "check.h"

enum { MOST_RUNS = 4, MOST_LINES = 6 };

static void tile(int rows, int wide)
{
    const ptrdiff_t width = wide ? T->nr : T->vl;
    for (ptrdiff_t cols = wide ? T->vl + 1 : 1; cols <= width; cols++) { /* fewer are what the narrow ones are for */
        const ptrdiff_t runs = draw(1, MOST_RUNS), depth = draw(1, 7), pixel = draw(1, 5), ys = draw(cols, cols + 4);
        const ptrdiff_t size = (rows - 1) * ys + cols, nr = T->nr;
        const int relu = (int)draw(0, 1), with_bias = (int)draw(0, 1);
        ptrdiff_t at[MOST_RUNS], last = 0;
        for (ptrdiff_t r = 0; r < runs; r++) {
            at[r] = draw(0, 20);
            if (at[r] > last) last = at[r];
        }
        begin("last_tile[%d][%d]: runs %td, depth %td, pixel %td, cols %td, relu %d, bias %d", rows, wide, runs, depth, pixel, cols, relu,
              with_bias);
        REAL *a = numbers(last + (rows - 1) * pixel + depth), *b = numbers((runs * depth - 1) * nr + width);
        REAL *y = nothing(size), *bias = with_bias ? numbers(cols) : NULL, *want = copied(y, size);
        const last_tile_args t = {runs, at, depth, a, pixel, b, cols, y, ys, bias, relu};
        USE(T->last_tile[rows][wide])(&t);
        for (ptrdiff_t i = 0; i < rows; i++)
            for (ptrdiff_t j = 0; j < cols; j++) {
                REAL sum = bias ? bias[j] : 0;
                for (ptrdiff_t r = 0; r < runs; r++)
                    for (ptrdiff_t k = 0; k < depth; k++) sum += a[at[r] + i * pixel + k] * b[(r * depth + k) * nr + j];
                want[i * ys + j] = relu_of(relu, sum);
            }
        same(y, want, size);
    }
}

static void copy(ptrdiff_t n)
{
    const ptrdiff_t count = draw(1, 9), step = draw(0, 2) ? n + draw(0, 5) : 0, vl = T->vl, pitch = n + draw(0, 1) * draw(0, 20);
    begin("copy_pixels: %td of %td elements, step %td, pitch %td", count, n, step, pitch);
    REAL *x = numbers((count - 1) * step + n), *y = nothing((count - 1) * pitch + (n + vl - 1) / vl * vl);
    USE(T->copy_pixels)(y, pitch, x, step, count, n);
    for (ptrdiff_t j = 0; j < count; j++) same(y + j * pitch, x + j * step, n);
}

static void spread(ptrdiff_t n)
{
    const ptrdiff_t count = draw(1, 9), step = n + draw(0, 5), vl = T->vl;
    int32_t from[64];
    int64_t from64[64];
    REAL want[64];
    for (ptrdiff_t l = 0; l < vl; l++) from64[l] = from[l] = (int32_t)draw(0, n - 1);
    begin("spread_pixels: %td, %td channels", count, n);
    REAL *x = numbers((count - 1) * step + n), *y = nothing(count * vl);
    USE(T->spread_pixels)(y, x, step, count, sizeof(REAL) == 8 ? (const void *)from64 : from, n);
    for (ptrdiff_t j = 0; j < count; j++) {
        for (ptrdiff_t l = 0; l < vl; l++) want[l] = x[j * step + from[l]];
        same(y + j * vl, want, vl);
    }
}

/* `channels`: of a group, where lanes exchange their channels; else 0. */
static void lanes(ptrdiff_t kw, ptrdiff_t sw, ptrdiff_t dw, ptrdiff_t iw, ptrdiff_t vectors, ptrdiff_t channels)
{
    const ptrdiff_t nr = T->nr, one = T->vl, vl = one * vectors, most = (kw - 1) * dw, each = channels ? channels : 1;
    const ptrdiff_t pad = draw(0, 3) ? draw(0, most) : -draw(0, 2), room_for = iw + pad + draw(0, most) - most - 1;
    const ptrdiff_t lines = draw(1, MOST_LINES), rows = draw(1, 2), exist = vectors == 2 ? vl : draw(1, vl);
    if (room_for < 0) return;
    const ptrdiff_t ow = room_for / sw + 1, step = vl + draw(0, 3), ys = exist + draw(0, 3), yrow = ow * ys, line = iw * step;
    const int relu = (int)draw(0, 1), with_bias = (int)draw(0, 1);
    ptrdiff_t at[2 * MOST_LINES], source[64];
    int32_t narrow[64];
    int64_t wide[64];
    for (ptrdiff_t l = 0; l < rows * lines; l++) at[l] = draw(0, 9) ? draw(0, 2) * line : DEPTHWISE_NO_ROW;
    for (ptrdiff_t l = 0; l < each * one; l++) wide[l] = narrow[l] = (int32_t)(source[l] = channels ? draw(0, one - 1) : l);
    begin("last_lanes: kernel %td, stride %td, dilation %td, pad %td of %td, %td lines, %td x %td outputs of %td lanes, %td channels", kw, sw,
          dw, pad, iw, lines, rows, ow, exist, channels);
    REAL *x = numbers(2 * line + (iw - 1) * step + vl), *w = numbers((each * lines * kw - 1) * nr + vl);
    REAL *bias = with_bias ? numbers(exist) : NULL;
    const ptrdiff_t size = (rows - 1) * yrow + (ow - 1) * ys + exist;
    REAL *y = nothing(size), *want = copied(y, size);
    const last_lanes_args a = {
        .x = x, .at = at, .rows = rows, .lines = lines, .channels = each, .step = step, .pad = pad, .iw = iw, .kw = kw, .sw = sw, .dw = dw,
        .sources = !channels ? NULL : sizeof(REAL) == 8 ? (const void *)wide : narrow, .w = w, .bias = bias, .vectors = vectors,
        .lanes = vectors == 2 ? one : exist, .relu = relu, .y = y, .ow = ow, .yrow = yrow, .ys = ys};
    USE(T->last_lanes)(&a);
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t q = 0; q < ow; q++)
            for (ptrdiff_t k = 0; k < exist; k++) {
                REAL sum = bias ? bias[k] : 0;
                for (ptrdiff_t c = 0; c < each; c++)
                    for (ptrdiff_t l = 0; l < lines; l++)
                        for (ptrdiff_t s = 0; s < kw; s++) {
                            const ptrdiff_t from = at[r * lines + l], column = q * sw + s * dw - pad;
                            if (from == DEPTHWISE_NO_ROW || column < 0 || column >= iw) continue;
                            const ptrdiff_t lane = channels ? source[c * one + k] : k;
                            sum += w[((c * lines + l) * kw + s) * nr + k] * x[from + column * step + lane];
                        }
                want[r * yrow + q * ys + k] = relu_of(relu, sum);
            }
    same(y, want, size);
}

void check_last(void)
{
    for (int rows = 1; rows <= T->mr; rows++)
        for (int wide = 0; wide < 2; wide++) tile(rows, wide);
    for (ptrdiff_t n = 1; n <= 4 * T->vl + 1; n++)
        for (int run = 0; run < 4; run++) copy(n);
    for (ptrdiff_t n = 1; n <= 2 * T->vl; n++) spread(n);
    for (ptrdiff_t iw = 1; iw <= 24; iw++)
        for (ptrdiff_t kw = 1; kw <= 8; kw++)
            for (ptrdiff_t sw = 1; sw <= 3; sw++)
                for (int run = 0; run < 4; run++) lanes(kw, sw, run < 2 ? 1 : draw(1, 3), iw, 1 + run % 2, 0);
    for (ptrdiff_t iw = 1; iw <= 24; iw++)
        for (ptrdiff_t sw = 1; sw <= 2; sw++)
            for (int run = 0; run < 4; run++) lanes(3, sw, 1, iw, 1, draw(1, 4));
}
