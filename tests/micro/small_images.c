/* What adds windows to a result, and tiles of small images side by side. */
#include "check.h"

static void fold(ptrdiff_t run)
{
    const ptrdiff_t outer = draw(1, 4), inner = draw(1, 4), step = draw(0, 2) ? 1 : draw(2, 3), span = (run - 1) * step + 1;
    const ptrdiff_t y_inner = span + draw(0, 3), y_outer = inner * y_inner + draw(0, 5), c_inner = run + draw(0, 2);
    const ptrdiff_t c_outer = inner * c_inner + draw(0, 5), written = (outer - 1) * y_outer + (inner - 1) * y_inner + span;
    begin("fold: %td x %td runs of %td, %td apart", outer, inner, run, step);
    REAL *y = numbers(written), *want = copied(y, written), *c = numbers((outer - 1) * c_outer + (inner - 1) * c_inner + run);
    const fold_args f = {outer, inner, run, y, y_outer, y_inner, step, c, c_outer, c_inner};
    USE(T->fold)(&f);
    for (ptrdiff_t i = 0; i < outer; i++)
        for (ptrdiff_t j = 0; j < inner; j++)
            for (ptrdiff_t k = 0; k < run; k++) want[i * y_outer + j * y_inner + k * step] += c[i * c_outer + j * c_inner + k];
    same(y, want, written);
}

static void phase_rows(ptrdiff_t width)
{
    enum { MOST = 40 };
    const int many = draw(0, 2) == 0, given = many || draw(0, 1);
    const ptrdiff_t stride = draw(many ? 5 : 1, draw(0, 1) ? 9 : 35), kernel = many ? stride * draw(1, 2) : draw(1, 9);
    const ptrdiff_t dilation = many ? 1 : draw(1, 2), pad = draw(0, 3), all = (width - 1) * stride + (kernel - 1) * dilation + 1 - 2 * pad;
    if (all < stride) return;
    const ptrdiff_t first = many ? 0 : draw(0, (all - 1) / stride), count = all - first * stride, rows = draw(0, 3), size = (all / stride / T->vl + 2) * T->vl;
    const ptrdiff_t pitch = given ? 0 : width + draw(0, 3);
    ptrdiff_t starts[MOST + 1] = {0}, n = 0;
    phase_tap taps[2 * MOST];
    const void *row[3], *weights[3], *part[MOST];
    begin("phase_rows: %td pixels, %td taps, stride %td, dilation %td, padding %td, %td rows, given %d", width, kernel, stride, dilation, pad,
          rows, given);
    for (ptrdiff_t q = 0; q < stride; q++) {
        for (ptrdiff_t t = 0; t < kernel; t++) {
            const ptrdiff_t from = q + pad - t * dilation;
            if (from % stride) continue;
            const ptrdiff_t shift = from / stride, end = (all - q + stride - 1) / stride;
            const phase_tap tap = {t, shift, shift < 0 ? -shift : 0, width - shift < end ? width - shift : end};
            if (tap.lo < tap.hi) taps[n++] = tap;
        }
        starts[q + 1] = n;
    }
    REAL *y = nothing(count), *want = nothing(count);
    for (ptrdiff_t i = 0; i < rows; i++)
        row[i] = numbers((given ? 0 : (kernel - 1) * pitch) + width), weights[i] = numbers(kernel);
    for (ptrdiff_t j = 0; j < count; j++) {
        const ptrdiff_t q = j % stride, at = first + j / stride;
        want[j] = 2;
        for (const phase_tap *t = taps + starts[q]; t < taps + starts[q + 1]; t++)
            for (ptrdiff_t i = 0; i < rows && at >= t->lo && at < t->hi; i++)
                want[j] += ((const REAL *)row[i])[t->tap * pitch + t->shift + at] * (given ? ((const REAL *)weights[i])[t->tap] : 1);
    }
    const phase_rows_args a = {y, count, first, stride, starts, taps, rows, row, pitch, given ? weights : NULL, 2,
                               nothing(stride * size), part, size, many ? kernel : 0, width, pad};
    USE(T->phase_rows)(&a);
    same(y, want, count);
}

static void image_tile(int rows)
{
    enum { TAPS = 7 };
    for (int form = 0; form < 16; form++) {
        const int first = form & 1, last = form >> 1 & 1, with_bias = form >> 2 & 1, relu = form >> 3;
        const ptrdiff_t nr = T->nr, mr = T->mr, channels = draw(1, 4), taps = draw(1, TAPS), xc = draw(0, 9) * nr + 4 * nr;
        const ptrdiff_t ys = nr * draw(1, 3), size = (rows - 1) * ys + nr;
        ptrdiff_t at[TAPS];
        begin("image_tile[%d]: %td channels, %td taps, first %d, last %d, bias %d, relu %d", rows, channels, taps, first, last, with_bias,
              relu);
        for (ptrdiff_t t = 0; t < taps; t++) at[t] = draw(0, 3) ? draw(0, 3) * nr : -draw(1, 5);
        REAL *w = numbers((channels * taps - 1) * mr + rows), *x = numbers((channels - 1) * xc + 4 * nr), *padding = numbers(nr);
        REAL *y = numbers(size), *want = copied(y, size), *bias = with_bias ? numbers(rows) : NULL;
        REAL *start = draw(0, 1) ? numbers(rows) : NULL;
        const image_tile_args a = {channels, taps, at, w, x, xc, padding, y, ys, first, last, start, bias, relu};
        USE(T->image_tile[rows])(&a);
        for (ptrdiff_t i = 0; i < rows; i++)
            for (ptrdiff_t l = 0; l < nr; l++) {
                REAL sum = (first ? 0 : want[i * ys + l]) + (start ? start[i] : 0);
                for (ptrdiff_t c = 0; c < channels; c++)
                    for (ptrdiff_t t = 0; t < taps; t++)
                        sum += w[(c * taps + t) * mr + i] * (at[t] < 0 ? padding[l] : x[c * xc + at[t] + l]);
                if (last && bias) sum += bias[i];
                want[i * ys + l] = relu_of(last && relu, sum);
            }
        same(y, want, size);
    }
}

void check_small_images(void)
{
    for (ptrdiff_t run = 1; run <= 3 * T->vl + 2; run++)
        for (int i = 0; i < 8; i++) fold(run);
    for (ptrdiff_t width = 1; width <= 7 * T->vl; width++)
        for (int i = 0; i < 12; i++) phase_rows(width);
    for (int rows = 1; rows <= T->mr; rows++) image_tile(rows);
}
