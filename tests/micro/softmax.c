/* Softmax in all its forms, and sums for losses, of STORED elements. */
#include "check.h"

typedef struct {
    int log, negative, back, weighted;
} form;

/* With `planes`, `count` of them; else `count` vectors. */
static void run(form f, ptrdiff_t count, ptrdiff_t length, ptrdiff_t step, int planes, int scratch)
{
    const ptrdiff_t along = step, apart = step == 1 ? length : 1, vectors = planes ? count * step : count;
    const ptrdiff_t size = planes ? count * length * step : (count - 1) * apart + (length - 1) * along + 1;
    begin("softmax: log %d, negative %d, backward %d, factor %d, %td vectors of %td, step %td, planes %d, scratch %d", f.log, f.negative,
          f.back, f.weighted, count, length, step, planes, scratch);
    STORED *x = room((size_t)size * sizeof(STORED)), *dy = room((size_t)size * sizeof(STORED)), *y = room((size_t)size * sizeof(STORED));
    REAL *factor = numbers(count);
    for (ptrdiff_t i = 0; i < size; i++) x[i] = stored((REAL)draw(-80, 80) / 8), dy[i] = stored((REAL)draw(-3, 3));
    softmax_args a = {f.log, f.negative, x, f.back ? dy : NULL, f.weighted ? factor : NULL, y, count, length, step, 0, NULL};
    if (planes) a.planes = count, a.count = step;
    if (scratch) a.scratch = nothing(step == 1 || planes ? length * step : SOFT_VECTORS * T->vl * length);
    USE(T->softmax)(&a);
    for (ptrdiff_t r = 0; r < vectors; r++) {
        const ptrdiff_t first = planes ? r / step * length * step + r % step : r * apart;
        WIDE top = -INFINITY, sum = 0, dot = 0;
        const WIDE sign = f.negative ? -1 : 1;
        for (ptrdiff_t i = 0; i < length; i++) top = W(fmax)(top, sign * real(x[first + i * along]));
        for (ptrdiff_t i = 0; i < length; i++) sum += W(exp)(sign * real(x[first + i * along]) - top);
        for (ptrdiff_t i = 0; i < length; i++)
            dot += real(dy[first + i * along]) * (f.log ? 1 : W(exp)(sign * real(x[first + i * along]) - top) / sum);
        for (ptrdiff_t i = 0; i < length; i++) {
            const ptrdiff_t at = first + i * along;
            const WIDE shifted = sign * real(x[at]) - top, part = W(exp)(shifted) / sum, errors = EPS * (8 + length), g = real(dy[at]);
            if (f.back && f.log) near(y[at], g - part * dot, errors * (3 + part * 3 * length));
            else if (f.back) near(y[at], sign * part * (g - dot), errors * 6 * part);
            else if (f.log) near(y[at], shifted - W(log)(sum), errors * (1 + W(fabs)(shifted)));
            else near(y[at], part * (f.weighted ? factor[r] : 1), errors * 3 * part);
        }
    }
}

static void sums(ptrdiff_t count, ptrdiff_t length, ptrdiff_t step, int weighted)
{
    const ptrdiff_t along = step == 1 ? 1 : step, apart = step == 1 ? length : 1, size = (count - 1) * apart + (length - 1) * along + 1;
    begin("log_sums: %td vectors of %td, step %td, weights %d", count, length, step, weighted);
    STORED *x = room((size_t)size * sizeof(STORED));
    REAL *weight = numbers(length), *top = nothing(count), *logs = nothing(count), *spread = nothing(count);
    for (ptrdiff_t i = 0; i < size; i++) x[i] = stored((REAL)draw(-80, 80) / 8);
    const log_sums_args a = {x, weighted ? weight : NULL, top, logs, weighted ? spread : NULL, count, length, step};
    USE(T->log_sums)(&a);
    for (ptrdiff_t r = 0; r < count; r++) {
        WIDE most = -INFINITY, sum = 0, away = 0;
        for (ptrdiff_t i = 0; i < length; i++) most = W(fmax)(most, real(x[r * apart + i * along]));
        for (ptrdiff_t i = 0; i < length; i++) {
            sum += W(exp)(real(x[r * apart + i * along]) - most);
            away += weight[i] * (real(x[r * apart + i * along]) - most);
        }
        close_to(top[r], most, 0);
        close_to(logs[r], W(log)(sum), EPS * (8 + length));
        if (weighted) close_to(spread[r], away, EPS * 60 * length * length);
    }
}

static void stores(ptrdiff_t n)
{
    begin("store_reals: %td", n);
    REAL *x = nothing(n);
    STORED *y = room((size_t)n * sizeof(STORED));
    for (ptrdiff_t i = 0; i < n; i++) x[i] = (REAL)draw(-9000, 9000) / 1000;
    USE(T->store_reals)(y, x, n);
    for (ptrdiff_t i = 0; i < n; i++) near(y[i], x[i], 0);
}

/* Probabilities as targets: sums, and what a gradient adds to softmax or makes of its logarithm. */
static void likely(int weighted, int against, ptrdiff_t count, ptrdiff_t length, ptrdiff_t step)
{
    const ptrdiff_t apart = step == 1 ? length : 1, size = (count - 1) * apart + (length - 1) * step + 1;
    begin("likelihoods: weighted %d, of x %d, %td vectors of %td, step %td", weighted, against, count, length, step);
    STORED *x = room((size_t)size * sizeof(STORED)), *target = room((size_t)size * sizeof(STORED)), *y = room((size_t)size * sizeof(STORED));
    REAL *weight = numbers(length), *top = numbers(count), *factor = numbers(count), *along = nothing(count), *sum = nothing(count);
    WIDE *before = calloc((size_t)size, sizeof(WIDE));
    for (ptrdiff_t i = 0; i < size; i++) {
        x[i] = stored((REAL)draw(-3, 3)), target[i] = stored((REAL)draw(0, 8) / 8), y[i] = stored((REAL)draw(-8, 8));
        before[i] = real(y[i]);
    }
    likely_args a = {target, weighted ? weight : NULL, against ? x : NULL, top, factor, along, sum, y, count, length, step, 0.75, 0.125};
    USE(T->likelihoods)(&a);
    if (!against) a.target = NULL;
    USE(T->likely_gradient)(&a);
    for (ptrdiff_t r = 0; r < count; r++) {
        WIDE dot = 0, total = 0;
        for (ptrdiff_t c = 0; c < length; c++) {
            const ptrdiff_t at = r * apart + c * step;
            const WIDE w = weighted ? weight[c] : 1, t = ((WIDE)0.75 * real(target[at]) + (WIDE)0.125) * w;
            dot += t * (real(x[at]) - top[r]), total += t;
            near(y[at], against ? before[at] + factor[r] * t : before[at] * factor[r] * w, 0);
        }
        close_to(sum[r], total, 0);
        if (against) close_to(along[r], dot, 0);
    }
    free(before);
}

void check_softmax(void)
{
    static const form forms[] = {{0, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 0, 1}, {1, 0, 0, 0}, {0, 0, 1, 0}, {0, 1, 1, 0}, {1, 0, 1, 0}};
    const ptrdiff_t vl = T->vl;
    for (int f = 0; f < 7; f++) {
        for (ptrdiff_t length = 1; length <= 5 * vl + 3; length++) run(forms[f], draw(1, 2 * vl + 3), length, 1, 0, (int)draw(0, 1));
        for (ptrdiff_t count = 1; count <= 5 * vl + 3; count++) run(forms[f], count, draw(1, 9), count + draw(0, 2), 0, (int)draw(0, 1));
        if (!forms[f].weighted)
            for (ptrdiff_t inner = 2; inner < vl; inner++)
                for (int i = 0; i < 4; i++) run(forms[f], draw(1, 3), draw(1, 6 * vl), inner, 1, (int)draw(0, 1));
    }
    for (ptrdiff_t n = 1; n <= 3 * vl; n++) stores(n);
    for (ptrdiff_t n = 1; n <= 5 * vl + 3; n++)
        for (int weighted = 0; weighted < 2; weighted++) {
            sums(draw(1, 2 * vl + 3), n, 1, weighted);
            sums(n, draw(1, 9), n + draw(2, 4), weighted);
        }
    for (int k = 0; k < 60; k++) {
        likely(k % 2, k / 2 % 2, draw(1, 40), draw(1, 70), 1);
        const ptrdiff_t count = draw(1, 70);
        likely(k % 2, k / 2 % 2, count, draw(1, 20), count + draw(0, 9));
    }
}
