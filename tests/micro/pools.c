/* Pooling: two passes, windows in registers, near and far apart, channels last, small planes, pairs, whole planes, planes in lanes. */
#include "check.h"

enum { MOST = 256 };

/* The scalar maximum: the first one, or the first NaN. */
static int larger(REAL v, REAL best) { return !(v <= best) && best == best; }

static REAL entered(int op, REAL v)
{
    if (op == POOL_MAX_ABS) return (REAL)fabs(v);
    if (op == POOL_MAX_NEG_ABS) return -(REAL)fabs(v);
    return op == POOL_SUM_SQUARE ? v * v : v;
}

static REAL joined(int op, REAL a, REAL b)
{
    if (op >= POOL_SUM) return a + b;
    return larger(b, a) ? b : a;
}

/* The same elements as memory holds them. */
static STORED *kept(const REAL *x, ptrdiff_t n)
{
    STORED *s = room((size_t)n * sizeof(STORED));
    for (ptrdiff_t i = 0; i < n; i++) s[i] = stored(x[i]);
    return s;
}

static STORED *space(ptrdiff_t n) { return room((size_t)n * sizeof(STORED)); }

static void down(int op, ptrdiff_t n, int where)
{
    const ptrdiff_t count = draw(0, 9) ? draw(1, 9) : draw(30, 80), start = draw(0, 3);
    const void *rows[80];
    begin("pool_down: operation %d, %td rows of %td, where %d", op, count, n, where);
    REAL *x = numbers(20 * (start + n)), *value = nothing(n), *want = nothing(n), *row = where ? nothing(n) : NULL, *want_row = nothing(n);
    if (draw(0, 1)) spoil(x, 20 * (start + n));
    for (ptrdiff_t r = 0; r < count; r++) rows[r] = draw(0, 4) ? x + draw(0, 19) * (start + n) : NULL;
    const pool_down_args a = {op, rows, count, start, n, -7, value, row};
    USE(T->pool_down)(&a);
    for (ptrdiff_t e = 0; e < n; e++) {
        int some = 0;
        want[e] = -7, want_row[e] = INFINITY;
        for (ptrdiff_t r = 0; r < count; r++) {
            if (!rows[r]) continue;
            const REAL v = entered(op, ((const REAL *)rows[r])[start + e]);
            if (!some || larger(v, want[e])) want_row[e] = (REAL)r;
            want[e] = some ? joined(op, want[e], v) : v;
            some = 1;
        }
    }
    same(value, want, n);
    if (where) same(row, want_row, n);
}

static void across(int op, ptrdiff_t n)
{
    const ptrdiff_t count = draw(0, 9) ? draw(1, 9) : draw(30, 80), reach = 12, unit = draw(1, 3);
    ptrdiff_t taps[80];
    int64_t row_at[8], tap_at[80], index[MOST], want_index[MOST];
    const int where = op == POOL_MAX && draw(0, 1);
    begin("pool_across: operation %d, %td outputs of %td taps, where %d", op, n, count, where);
    REAL *value = numbers(n + reach), *row = nothing(n + reach), *y = nothing(n), *want = nothing(n);
    if (draw(0, 1)) spoil(value, n + reach);
    for (ptrdiff_t i = 0; i < n + reach; i++) row[i] = draw(0, 5) ? (REAL)draw(0, 7) : INFINITY;
    for (ptrdiff_t s = 0; s < count; s++) taps[s] = draw(0, reach), tap_at[s] = 10 * s;
    for (ptrdiff_t r = 0; r < 8; r++) row_at[r] = 1000 * r;
    const pool_across_args a = {op, value, where ? row : NULL, taps, count, n, y, index, 5, 100000, unit, row_at, tap_at};
    USE(T->pool_across)(&a);
    for (ptrdiff_t q = 0; q < n; q++) {
        REAL best = value[q + taps[0]], best_row = row[q + taps[0]];
        ptrdiff_t tap = 0;
        want[q] = best;
        for (ptrdiff_t s = 1; s < count; s++) {
            const REAL v = value[q + taps[s]], r = row[q + taps[s]];
            const int equal = v == best || (v != v && best != best);
            if (larger(v, best) || (equal && r < best_row)) best = v, best_row = r, tap = s;
            want[q] = joined(op, want[q], v);
        }
        if (where) want[q] = best, want_index[q] = best_row < (REAL)INFINITY ? 5 + q / unit * 100000 + row_at[(int)best_row] + tap_at[tap] : -1;
    }
    same(y, want, n);
    if (where) same_index(index, want_index, n);
}

/* One value of 1 to 4 for each of `total` windows, equal ones in the middle, most of which are left out; all[q] is that of window q. */
static fc_pool_counts drawn_counts(ptrdiff_t total, REAL *all)
{
    const ptrdiff_t edge = total > 2 ? draw(0, 2) : 0, middle = total - 2 * edge, skip = middle > T->vl ? middle - T->vl : 0;
    REAL *values = nothing(total - skip);
    for (ptrdiff_t q = 0; q < total; q++) all[q] = q < edge || q >= total - edge ? (REAL)draw(1, 3) : 4;
    for (ptrdiff_t q = 0; q < total - skip; q++) values[q] = q < edge ? all[q] : all[q + skip];
    return (fc_pool_counts){values, edge, skip};
}

static void finish(int op, ptrdiff_t n)
{
    const ptrdiff_t start = draw(0, 5), unit = draw(0, 1) ? 1 : draw(2, 2 * T->vl + 1);
    REAL divisor[MOST];
    begin("pool_finish: operation %d, %td of %td", op, n, unit);
    REAL *y = numbers(n * unit), *want = copied(y, n * unit);
    if (op == POOL_DIVIDE_ROOT)
        for (ptrdiff_t i = 0; i < n * unit; i++) y[i] = want[i] = (REAL)fabs(y[i]);
    const pool_finish_args a = {op, y, drawn_counts(start + n, divisor), 3, 5, start, n, unit};
    USE(T->pool_finish)(&a);
    for (ptrdiff_t i = 0; i < n * unit; i++) {
        if (op == POOL_NEGATE) want[i] = -want[i];
        else want[i] = want[i] / (divisor[start + i / unit] * 3) * 5;
        if (op == POOL_DIVIDE_ROOT) want[i] = (REAL)sqrt(want[i]);
    }
    same(y, want, n * unit);
}

/* A window of small_window.inc, strided.inc or channels.inc: its maximum with its position, or its sum. */
static REAL window(const pool_shifts_args *a, const REAL *x, ptrdiff_t oh, ptrdiff_t q, ptrdiff_t c, int64_t *at)
{
    REAL best = a->op == POOL_SUM ? 0 : -INFINITY;
    *at = -1;
    for (ptrdiff_t z = 0; z < a->kd; z++)
        for (ptrdiff_t t = 0; t < a->kh; t++)
            for (ptrdiff_t s = 0; s < a->kw; s++) {
                const ptrdiff_t d = a->od * a->sd - a->ld + z * a->dd, r = oh * a->sh - a->lh + t * a->dh, k = q * a->sw - a->lw + s * a->dw;
                if (d < 0 || d >= a->id || r < 0 || r >= a->ih || k < 0 || k >= a->iw) continue;
                const int64_t from = (d * a->ih + r) * a->iw + k;
                const REAL v = x[from * a->unit + c];
                if (a->op == POOL_SUM) best += v;
                else if (*at < 0 || larger(v, best)) best = v, *at = from;
            }
    return best;
}

static ptrdiff_t outputs(ptrdiff_t extent, ptrdiff_t kernel, ptrdiff_t stride, ptrdiff_t dilation, ptrdiff_t before, ptrdiff_t after)
{
    const ptrdiff_t left = extent + before + after - (kernel - 1) * dilation - 1;
    return left < 0 ? 0 : left / stride + 1;
}

enum { SHIFTS, CHANNELS, STRIDED };

/* How windows are extracted, see strided.py: how often they are halved, or -1 for a tree, which serves all. */
static int halvings_of(ptrdiff_t sw, ptrdiff_t kw)
{
    static const int chains[][2] = {{2, 0}, {3, 0}, {4, 0}, {5, 0}, {7, 0}, {1, 1}, {2, 1}, {3, 1}, {5, 1}, {1, 2}, {1, 3}};
    const int halvings = (int)draw(0, 3), halves = 1 << halvings;
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++)
        if (halvings == chains[i][1] && sw == halves * chains[i][0] && kw % halves == 0) return halvings;
    return -1;
}

static void windows(ptrdiff_t iw, int way)
{
    const int last = way == CHANNELS, far = way == STRIDED;
    const ptrdiff_t vl = T->vl, kd = draw(1, 2), kh = draw(1, 4), kw = draw(1, far ? 4 * vl : 5),
                    sw = far ? draw(2, draw(0, 3) ? 10 : 64) : draw(1, last ? 3 : 2), sh = draw(1, 2), dh = draw(1, 2);
    const ptrdiff_t dw = last ? draw(1, 2) : 1, id = draw(1, 3), ih = draw(1, 6), most = (kw - 1) * dw < vl || far ? (kw - 1) * dw : vl;
    const ptrdiff_t lw = draw(0, most), rw = draw(0, most), lh = draw(0, kh - 1), ld = draw(0, kd - 1), channels = draw(1, 3);
    const ptrdiff_t od = outputs(id, kd, 1, 1, ld, ld), oh = outputs(ih, kh, sh, dh, lh, lh), ow = outputs(iw, kw, sw, dw, lw, rw);
    if (!od || !oh || !ow || (way == SHIFTS && (kw - 1) / sw > vl)) return;
    const ptrdiff_t oh0 = draw(0, oh - 1), oh1 = draw(oh0 + 1, oh), unit = last ? draw(1, 9 * vl) : 1, plane = (oh1 - oh0) * ow;
    const int op = draw(0, 1) ? POOL_MAX : POOL_SUM, where = way == SHIFTS && op == POOL_MAX && draw(0, 1), counted = op == POOL_SUM && draw(0, 1);
    static const char *const name[] = {"shifts", "channels", "strided"};
    const int halvings = far ? halvings_of(sw, kw) : 0;
    REAL by_width[MOST];
    double by_depth[8], by_height[MOST];
    begin("pool_%s: operation %d, where %d, halvings %d, counted %d, kernel %td x %td x %td, strides %td and %td, dilations %td and %td, image %td x %td x %td "
          "of %td, padding %td %td %td and %td, rows %td to %td of %td", name[way], op, where, halvings, counted, kd, kh, kw, sh, sw, dh, dw,
          id, ih, iw, unit, ld, lh, lw, rw, oh0, oh1, ow);
    for (ptrdiff_t i = 0; i < 8; i++) by_depth[i] = (double)draw(1, 2);
    for (ptrdiff_t i = 0; i < oh; i++) by_height[i] = (double)draw(1, 4);
    pool_shifts_args a = {.op = op, .look = (int)draw(0, 1), .channels = last ? 1 : channels, .unit = unit, .id = id, .ih = ih, .iw = iw, .kd = kd,
                          .kh = kh, .kw = kw, .sd = 1, .sh = sh, .sw = sw, .dd = 1, .dh = dh, .dw = dw, .ld = ld, .lh = lh, .lw = lw,
                          .od = draw(0, od - 1), .oh0 = oh0, .oh1 = oh1, .ow = ow, .scale = 0.25, .halvings = halvings};
    const ptrdiff_t image = id * ih * iw * unit;
    a.x_step = image, a.y_step = a.index_step = plane * unit;
    REAL *x = numbers(a.channels * image);
    STORED *y = space(a.channels * plane * unit);
    if (draw(0, 2) == 0) spoil(x, a.channels * image);
    int64_t *index = room((size_t)(a.channels * plane) * sizeof(int64_t));
    a.x = kept(x, a.channels * image), a.y = y, a.index = where ? index : NULL;
    if (counted) {
        a.depth = (fc_pool_counts){by_depth, 0, 0}, a.height = (fc_pool_counts){by_height, 0, 0};
        a.width = drawn_counts(ow, by_width);
    }
    if (last) USE(T->pool_channels)(&a);
    else if (far) { /* scratch for the columns of some blocks of a tree, or of one of a chain */
        const ptrdiff_t reach = halvings < 0 ? (vl - 1) * sw + (kw + vl - 1) / vl * vl : (kw - 1) / sw * sw + sw * vl;
        a.scratch = nothing((halvings < 0 ? (POOL_STRIDED_BLOCKS - 1) * sw * vl : 0) + (reach + vl - 1) / vl * vl);
        USE(T->pool_strided)(&a);
        if (!MASKS) return;
    } else USE(T->pool_shifts)(&a);
    for (ptrdiff_t i = 0; i < a.channels * plane; i++)
        for (ptrdiff_t c = 0; c < unit; c++) {
            const ptrdiff_t row = oh0 + i % plane / ow, q = i % ow;
            int64_t at;
            REAL want = window(&a, x + i / plane * image, row, q, c, &at);
            const REAL divisor = counted ? by_width[q] * (REAL)(by_depth[a.od] * by_height[row]) : 4;
            if (op == POOL_SUM) want = want / divisor;
            near(y[i * unit + c], want, op == POOL_SUM ? 2 * EPS * fabs(want) : 0);
            if (where) same_index(index + i, &at, 1);
        }
}

static void flat(ptrdiff_t ih, ptrdiff_t iw)
{
    static uint64_t masks[MOST * 64] __attribute__((aligned(64)));
    const ptrdiff_t kw = draw(0, 1) ? 3 : 5, kh = draw(0, 1) ? kw : draw(1, 6), dh = draw(0, 3) ? 1 : 2, n = ih * iw, channels = draw(1, 3);
    const ptrdiff_t lh = draw(0, 1) ? (kh - 1) * dh / 2 : draw(0, (kh - 1) * dh), step = n + draw(0, 3);
    const int op = draw(0, 1) ? POOL_MAX : POOL_SUM;
    begin("pool_flat: operation %d, %td x %td, kernel %td x %td, dilation %td, %td before", op, ih, iw, kh, kw, dh, lh);
    REAL *x = numbers((channels - 1) * step + n), *y = nothing((channels - 1) * step + n), *divisor = nothing(n), *inverse = nothing(n);
    if (draw(0, 2) == 0) spoil(x, n);
    for (ptrdiff_t i = 0; i < n; i++) divisor[i] = (REAL)draw(1, 9), inverse[i] = 1 / divisor[i];
    USE(T->pool_flat_masks)(n, iw, kw, masks);
    const pool_flat_args a = {op, x, y, channels, step, step, ih, iw, kh, kw, dh, lh, masks, divisor, inverse};
    USE(T->pool_flat)(&a);
    for (ptrdiff_t c = 0; c < channels; c++)
        for (ptrdiff_t i = 0; i < n; i++) {
            REAL best = op == POOL_SUM ? 0 : -INFINITY;
            for (ptrdiff_t t = 0; t < kh; t++)
                for (ptrdiff_t s = 0; s < kw; s++) {
                    const ptrdiff_t row = i / iw - lh + t * dh, col = i % iw - kw / 2 + s;
                    if (row < 0 || row >= ih || col < 0 || col >= iw) continue;
                    const REAL v = x[c * step + row * iw + col];
                    best = op == POOL_SUM ? best + v : larger(v, best) ? v : best;
                }
            if (op == POOL_SUM) best = best / divisor[i];
            close_to(y[c * step + i], best, op == POOL_SUM ? 2 * EPS * fabs(best) : 0);
        }
}

static void pairs(ptrdiff_t iw)
{
    const ptrdiff_t n = draw(0, 1) && iw > 1 ? iw / 2 : (iw + 1) / 2;
    const int high = (int)draw(1, 2);
    int64_t index[MOST], want_index[MOST];
    begin("pool_pairs: %td windows in %td columns, %d rows", n, iw, high);
    REAL *x = numbers(high * iw), *y = nothing(n), *want = nothing(n);
    if (draw(0, 1)) spoil(x, high * iw);
    USE(T->pool_pairs)(x, high == 2 ? x + iw : NULL, iw, n, y, index, 100);
    for (ptrdiff_t j = 0; j < n; j++) {
        ptrdiff_t best = 2 * j;
        for (int t = 0; t < high; t++)
            for (ptrdiff_t s = 2 * j; s < 2 * j + 2 && s < iw; s++)
                if (larger(x[t * iw + s], x[best])) best = t * iw + s;
        want[j] = x[best], want_index[j] = 100 + best;
    }
    same(y, want, n);
    same_index(index, want_index, n);
}

static void whole(int op, ptrdiff_t count, ptrdiff_t elements)
{
    begin("pool_global: operation %d, %td planes of %td", op, count, elements);
    REAL *x = numbers(count * elements);
    if (op == POOL_MAX && draw(0, 1)) spoil(x, count * elements);
    STORED *y = space(count);
    USE(T->pool_global)(op, kept(x, count * elements), count, elements, y);
    for (ptrdiff_t p = 0; p < count; p++) {
        REAL all = x[p * elements];
        for (ptrdiff_t i = 1; i < elements; i++) all = joined(op, all, x[p * elements + i]);
        near(y[p], op == POOL_SUM ? all / (REAL)elements : all, 0);
    }
}

enum { MOST_WINDOWS = 40, MOST_LANES = 16 };

typedef struct {
    ptrdiff_t extent, k, s, d, lo, outputs, first[MOST_WINDOWS], count[MOST_WINDOWS];
} drawn_axis;

static drawn_axis draw_axis(ptrdiff_t extent)
{
    drawn_axis a = {extent, draw(1, 4), draw(1, 4), draw(1, 3), 0, 0, {0}, {0}};
    a.lo = draw(0, (a.k - 1) * a.d);
    a.outputs = outputs(extent, a.k, a.s, a.d, a.lo, draw(0, (a.k - 1) * a.d));
    for (ptrdiff_t o = 0; o < a.outputs; o++)
        for (ptrdiff_t t = a.k - 1; t >= 0; t--) {
            const ptrdiff_t at = o * a.s - a.lo + t * a.d;
            if (at >= 0 && at < extent) a.first[o] = at, a.count[o]++;
        }
    return a;
}

/* The elements that windows from `from` up to `to` read. */
static void reach(const drawn_axis *a, ptrdiff_t from, ptrdiff_t to, ptrdiff_t *begins, ptrdiff_t *ends)
{
    *begins = a->extent, *ends = 0;
    for (ptrdiff_t o = from; o < to; o++) {
        if (!a->count[o]) continue;
        const ptrdiff_t last = a->first[o] + (a->count[o] - 1) * a->d + 1;
        *begins = a->first[o] < *begins ? a->first[o] : *begins, *ends = last > *ends ? last : *ends;
    }
    if (*begins > *ends) *begins = *ends = 0;
}

static void lanes(ptrdiff_t id, ptrdiff_t ih, ptrdiff_t iw)
{
    const ptrdiff_t vl = T->vl, planes = draw(1, vl), volume = id * ih * iw;
    const drawn_axis D = draw_axis(id), H = draw_axis(ih), W = draw_axis(iw);
    const ptrdiff_t pixels = D.outputs * H.outputs * W.outputs;
    if (!pixels || D.outputs > MOST_WINDOWS || H.outputs > MOST_WINDOWS || W.outputs > MOST_WINDOWS) return;
    const int op = draw(0, 1) ? POOL_MAX : POOL_SUM, where = op == POOL_MAX && draw(0, 1), all = (int)draw(0, 1);
    begin("pool_lanes: operation %d, where %d, %td planes of %td x %td x %td, kernel %td x %td x %td, strides %td %td %td, dilations %td %td %td, "
          "padding %td %td %td, all %d", op, where, planes, id, ih, iw, D.k, H.k, W.k, D.s, H.s, W.s, D.d, H.d, W.d, D.lo, H.lo, W.lo, all);
    double by_depth[MOST_WINDOWS], by_height[MOST_WINDOWS];
    REAL by_width[MOST_WINDOWS];
    for (int i = 0; i < MOST_WINDOWS; i++)
        by_depth[i] = (double)draw(1, 2), by_height[i] = (double)draw(1, 4), by_width[i] = (REAL)draw(1, 3);
    REAL *x = numbers(planes * volume);
    if (draw(0, 2) == 0) spoil(x, planes * volume);
    STORED *from = kept(x, planes * volume), *y = space(planes * pixels);
    int64_t *index = room((size_t)(planes * pixels) * sizeof(int64_t)), *places[MOST_LANES];
    const void *given[MOST_LANES];
    void *made[MOST_LANES];
    for (ptrdiff_t p = 0; p < vl; p++) {
        const ptrdiff_t at = p < planes ? p : planes - 1;
        given[p] = from + at * volume, made[p] = y + at * pixels, places[p] = index + at * pixels;
    }
    const ptrdiff_t d = all ? 0 : draw(0, D.outputs - 1), r = all ? 0 : draw(0, H.outputs - 1);
    pool_lanes_args a = {.op = op, .x = given, .y = made, .index = where ? places : NULL, .planes = planes, .ih = ih, .iw = iw, .oh = H.outputs,
                         .ow = W.outputs, .od0 = d, .od1 = all ? D.outputs : d + 1, .oh0 = r, .oh1 = all ? H.outputs : draw(r + 1, H.outputs),
                         .depth = {D.first, D.count, D.d}, .height = {H.first, H.count, H.d}, .width = {W.first, W.count, W.d},
                         .depths = by_depth, .heights = by_height, .widths = by_width};
    reach(&D, a.od0, a.od1, &a.z0, &a.z1);
    reach(&H, a.oh0, a.oh1, &a.r0, &a.r1);
    const ptrdiff_t out = (a.od1 - a.od0) * (a.oh1 - a.oh0) * W.outputs;
    a.image = (a.z1 - a.z0) * (a.r1 - a.r0) * iw + vl, a.results = out > vl ? out : vl;
    a.scratch = nothing((a.image + (1 + where) * a.results) * vl);
    USE(T->pool_lanes)(&a);
    const pool_shifts_args plain = {.op = op, .unit = 1, .id = id, .ih = ih, .iw = iw, .kd = D.k, .kh = H.k, .kw = W.k, .sd = D.s, .sh = H.s,
                                    .sw = W.s, .dd = D.d, .dh = H.d, .dw = W.d, .ld = D.lo, .lh = H.lo, .lw = W.lo};
    for (ptrdiff_t p = 0; p < planes; p++)
        for (ptrdiff_t i = 0; i < out; i++) {
            const ptrdiff_t z = a.od0 + i / W.outputs / (a.oh1 - a.oh0), row = a.oh0 + i / W.outputs % (a.oh1 - a.oh0), q = i % W.outputs;
            const ptrdiff_t to = (z * H.outputs + row) * W.outputs + q;
            int64_t at;
            pool_shifts_args one = plain;
            one.od = z;
            REAL want = window(&one, x + p * volume, row, q, 0, &at);
            if (op == POOL_SUM) want = want / (by_width[q] * (REAL)(by_depth[z] * by_height[row]));
            near(y[p * pixels + to], want, op == POOL_SUM ? 2 * EPS * fabs(want) : 0);
            if (where) same_index(index + p * pixels + to, &at, 1);
        }
}

static void check_both(void)
{
    const ptrdiff_t vl = T->vl;
    for (ptrdiff_t iw = 1; iw <= 5 * vl + 3; iw++)
        for (int run = 0; run < 12; run++) windows(iw, run % 3 == 0 ? CHANNELS : SHIFTS);
    for (ptrdiff_t iw = 1; iw <= vl + 1; iw++) /* two rows in a vector */
        for (int run = 0; run < 24; run++) windows(iw, SHIFTS);
    for (int run = 0; run < 300 * (1 + 9 * MASKS); run++) windows(draw(1, 12 * vl), STRIDED);
    for (ptrdiff_t elements = 1; elements <= 9 * vl + 1; elements++) whole(draw(0, 1) ? POOL_SUM : POOL_MAX, draw(1, 2 * vl + 1), elements);
    for (int run = 0; run < 6; run++) whole(run % 2 ? POOL_SUM : POOL_MAX, draw(1, 3), draw(200, 6000));
    for (ptrdiff_t iw = 1; iw <= 2 * vl + 3; iw++)
        for (int run = 0; run < 30; run++) lanes(draw(1, 3), draw(1, 7), iw);
}

void check_pools(void)
{
    const ptrdiff_t vl = T->vl;
    check_both();
    if (FC_STORED != FC_AS_IS) return;
    for (ptrdiff_t n = 1; n <= 9 * vl + 3; n++) {
        for (int op = 0; op < POOL_OPS; op++) down(op, n, 0);
        down(POOL_MAX, n, 1);
        for (int run = 0; run < 3; run++) across(run ? POOL_MAX : POOL_SUM, n);
        finish(POOL_DIVIDE, n);
    }
    for (ptrdiff_t n = 1; n <= 2 * vl + 1; n++) {
        finish(POOL_DIVIDE_ROOT, n);
        finish(POOL_NEGATE, n);
    }
    for (ptrdiff_t iw = 1; iw <= 16; iw++)
        for (ptrdiff_t ih = 1; ih <= 16; ih++) flat(ih, iw);
    for (ptrdiff_t iw = 1; iw <= 5 * vl + 3; iw++)
        for (int run = 0; run < 4; run++) pairs(iw);
}
