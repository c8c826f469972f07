/* Softmax in all its forms, and sums for losses. */
#include "check.h"

typedef struct {
    int log, negative, back, weighted;
} form;

static void run(form f, ptrdiff_t count, ptrdiff_t length, ptrdiff_t step, int scratch)
{
    const ptrdiff_t along = step == 1 ? 1 : step, apart = step == 1 ? length : 1, size = (count - 1) * apart + (length - 1) * along + 1;
    begin("softmax: log %d, negative %d, backward %d, factor %d, %td vectors of %td, step %td, scratch %d", f.log, f.negative, f.back,
          f.weighted, count, length, step, scratch);
    REAL *x = nothing(size), *dy = numbers(size), *y = nothing(size), *factor = numbers(count);
    for (ptrdiff_t i = 0; i < size; i++) x[i] = (REAL)draw(-80, 80) / 8;
    softmax_args a = {f.log, f.negative, x, f.back ? dy : NULL, f.weighted ? factor : NULL, y, count, length, step, NULL};
    if (scratch) a.scratch = nothing(SOFT_VECTORS * T->vl * length);
    USE(T->softmax)(&a);
    for (ptrdiff_t r = 0; r < count; r++) {
        WIDE top = -INFINITY, sum = 0, dot = 0;
        const WIDE sign = f.negative ? -1 : 1;
        for (ptrdiff_t i = 0; i < length; i++) top = W(fmax)(top, sign * x[r * apart + i * along]);
        for (ptrdiff_t i = 0; i < length; i++) sum += W(exp)(sign * x[r * apart + i * along] - top);
        for (ptrdiff_t i = 0; i < length; i++)
            dot += dy[r * apart + i * along] * (f.log ? 1 : W(exp)(sign * x[r * apart + i * along] - top) / sum);
        for (ptrdiff_t i = 0; i < length; i++) {
            const ptrdiff_t at = r * apart + i * along;
            const WIDE shifted = sign * x[at] - top, part = W(exp)(shifted) / sum, errors = EPS * (8 + length);
            if (f.back && f.log) close_to(y[at], dy[at] - part * dot, errors * (3 + part * 3 * length));
            else if (f.back) close_to(y[at], sign * part * (dy[at] - dot), errors * 6 * part + TINY);
            else if (f.log) close_to(y[at], shifted - W(log)(sum), errors * (1 + W(fabs)(shifted)));
            else close_to(y[at], part * (f.weighted ? factor[r] : 1), errors * 3 * part + TINY);
        }
    }
}

static void sums(ptrdiff_t count, ptrdiff_t length, ptrdiff_t step, int weighted)
{
    const ptrdiff_t along = step == 1 ? 1 : step, apart = step == 1 ? length : 1, size = (count - 1) * apart + (length - 1) * along + 1;
    begin("log_sums: %td vectors of %td, step %td, weights %d", count, length, step, weighted);
    REAL *x = nothing(size), *weight = numbers(length), *top = nothing(count), *logs = nothing(count), *spread = nothing(count);
    for (ptrdiff_t i = 0; i < size; i++) x[i] = (REAL)draw(-80, 80) / 8;
    const log_sums_args a = {x, weighted ? weight : NULL, top, logs, weighted ? spread : NULL, count, length, step};
    USE(T->log_sums)(&a);
    for (ptrdiff_t r = 0; r < count; r++) {
        WIDE most = -INFINITY, sum = 0, away = 0;
        for (ptrdiff_t i = 0; i < length; i++) most = W(fmax)(most, x[r * apart + i * along]);
        for (ptrdiff_t i = 0; i < length; i++) {
            sum += W(exp)(x[r * apart + i * along] - most);
            away += weight[i] * (x[r * apart + i * along] - most);
        }
        close_to(top[r], most, 0);
        close_to(logs[r], W(log)(sum), EPS * (8 + length));
        if (weighted) close_to(spread[r], away, EPS * 60 * length * length);
    }
}

void check_softmax(void)
{
    static const form forms[] = {{0, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 0, 1}, {1, 0, 0, 0}, {0, 0, 1, 0}, {0, 1, 1, 0}, {1, 0, 1, 0}};
    const ptrdiff_t vl = T->vl;
    for (int f = 0; f < 7; f++) {
        for (ptrdiff_t length = 1; length <= 5 * vl + 3; length++) run(forms[f], draw(1, 3), length, 1, 0);
        for (ptrdiff_t count = 1; count <= 5 * vl + 3; count++) run(forms[f], count, draw(1, 9), count + draw(0, 2), (int)draw(0, 1));
    }
    for (ptrdiff_t n = 1; n <= 5 * vl + 3; n++)
        for (int weighted = 0; weighted < 2; weighted++) {
            sums(draw(1, 3), n, 1, weighted);
            sums(n, draw(1, 9), n + draw(2, 4), weighted);
        }
}
