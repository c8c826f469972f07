/* Rows of bands, packed panels, and what surrounds a register tile. */
#include "check.h"

static const char *const MODES[] = {"zeros", "replicate", "circular", "reflect", "symmetric"};

/* A padded axis of any mode; positions may end behind its last one. */
static fc_axis drawn_axis(ptrdiff_t extent)
{
    const int mode = (int)draw(FC_ZEROS, FC_SYMMETRIC);
    const ptrdiff_t most = mode == FC_REFLECT ? extent - 1 : extent, low = most < 3 ? most : 3;
    const ptrdiff_t lo = mode == FC_ZEROS ? draw(-low, 5) : draw(0, low), hi = draw(0, low);
    return (fc_axis){extent, lo, lo + extent + hi > 1 ? lo + extent + hi : 1, mode};
}

/* Part of an axis: `count` positions from `start` on; between *run0 and *run1 sources are consecutive. */
static void drawn_part(const fc_axis *cols, ptrdiff_t *start, ptrdiff_t *count, ptrdiff_t *run0, ptrdiff_t *run1)
{
    *start = draw(0, cols->size - 1);
    *count = draw(1, cols->size - *start + 3);
    ptrdiff_t first = cols->lo < 0 ? 0 : cols->lo, last = cols->lo + cols->extent;
    if (first > cols->size) first = cols->size;
    if (last > cols->size) last = cols->size;
    if (last < first) last = first;
    *run0 = first < *start ? 0 : first - *start > *count ? *count : first - *start;
    *run1 = last - *start < *run0 ? *run0 : last - *start > *count ? *count : last - *start;
}

static void fill_row(ptrdiff_t extent, ptrdiff_t phases)
{
    const fc_axis cols = drawn_axis(extent);
    ptrdiff_t start, count, run0, run1;
    drawn_part(&cols, &start, &count, &run0, &run1);
    const ptrdiff_t xs = draw(1, 2), phase = (count + phases - 1) / phases + draw(0, 2);
    const int none = draw(0, 9) == 0;
    const REAL fill = (REAL)draw(-9, 9);
    begin("fill_row: %td phases, %td of %td elements %td apart, %td before, %s, from %td on, %s", phases, count, extent, xs, cols.lo,
          MODES[cols.mode], start, none ? "absent" : "there");
    REAL *src = numbers((extent - 1) * xs + 1), *dst = nothing(phases * phase), *want = copied(dst, phases * phase);
    USE(T->fill_row)(dst, phases, phase, none ? NULL : src, xs, &cols, start, count, run0, run1, fill);
    for (ptrdiff_t j = 0; j < count; j++) {
        const int64_t from = none ? -1 : fc_source(&cols, start + j);
        want[j % phases * phase + j / phases] = from < 0 ? fill : src[from * xs];
    }
    same(dst, want, phases * phase);
}

static void lane_row(ptrdiff_t extent)
{
    const fc_axis cols = drawn_axis(extent);
    ptrdiff_t start, count, run0, run1;
    drawn_part(&cols, &start, &count, &run0, &run1);
    const ptrdiff_t vl = T->vl, channels = draw(1, vl), form = draw(0, 2);
    const ptrdiff_t cs = form == 0 ? 1 : form == 1 ? extent + draw(0, 3) : 2, xs = form == 0 ? channels + draw(0, 3) : form == 1 ? 1 : 2 * channels;
    const REAL fill = (REAL)draw(-9, 9);
    begin("lane_row: %td channels %td apart, %td of %td elements %td apart, %td before, %s", channels, cs, count, extent, xs, cols.lo,
          MODES[cols.mode]);
    REAL *src = numbers((channels - 1) * cs + (extent - 1) * xs + 1), *dst = nothing(count * vl), *want = nothing(count * vl);
    USE(T->lane_row)(dst, src, cs, xs, channels, &cols, start, count, run0, run1, fill);
    for (ptrdiff_t j = 0; j < count; j++)
        for (ptrdiff_t c = 0; c < vl; c++) {
            const int64_t from = fc_source(&cols, start + j);
            want[j * vl + c] = c >= channels ? 0 : from < 0 ? fill : src[c * cs + from * xs];
        }
    same(dst, want, count * vl);
}

static void gather(ptrdiff_t count)
{
    int64_t at[64];
    begin("gather: %td", count);
    REAL *src = numbers(20), *dst = nothing(count), *want = nothing(count);
    for (ptrdiff_t j = 0; j < count; j++) at[j] = draw(0, 4) ? draw(0, 19) : GATHER_NOTHING;
    USE(T->gather)(dst, src, at, count, 7);
    for (ptrdiff_t j = 0; j < count; j++) want[j] = at[j] == GATHER_NOTHING ? 7 : src[at[j]];
    same(dst, want, count);
    T->gather(dst, NULL, at, count, 7);
    for (ptrdiff_t j = 0; j < count; j++) want[j] = 7;
    same(dst, want, count);
}

static void pack(int of_b, ptrdiff_t extent, ptrdiff_t depth)
{
    const ptrdiff_t width = of_b ? T->nr : T->mr;
    for (int form = 0; form < 3; form++) {
        const ptrdiff_t pad = draw(0, 3), rs = form == 0 ? 1 : form == 1 ? depth + pad : 2, cs = form == 0 ? extent + pad : form == 1 ? 1 : 2 * extent + 1;
        begin("pack_%c: %td x %td, strides %td and %td", "ab"[of_b], extent, depth, rs, cs);
        REAL *x = numbers((extent - 1) * rs + (depth - 1) * cs + 1), *dst = nothing(depth * width + (of_b ? 0 : T->vl)), *want = nothing(depth * width);
        USE(of_b ? T->pack_b : T->pack_a)(dst, x, rs, cs, extent, depth);
        for (ptrdiff_t k = 0; k < depth; k++)
            for (ptrdiff_t i = 0; i < width; i++) want[k * width + i] = i < extent ? x[i * rs + k * cs] : 0;
        same(dst, want, depth * width);
    }
}

/* Strides of a matrix of rows x cols: rows, columns, or neither contiguous. */
static void drawn_strides(ptrdiff_t rows, ptrdiff_t cols, ptrdiff_t *rs, ptrdiff_t *cs)
{
    const ptrdiff_t form = draw(0, 2), pad = draw(0, 3);
    *rs = form == 0 ? cols + pad : form == 1 ? 1 : 2 * cols + 1;
    *cs = form == 0 ? 1 : form == 1 ? rows + pad : 2;
}

static void store_and_load(ptrdiff_t rows, ptrdiff_t cols)
{
    const ptrdiff_t nr = T->nr;
    ptrdiff_t rs, cs, crs, ccs;
    drawn_strides(rows, cols, &rs, &cs);
    drawn_strides(rows, cols, &crs, &ccs);
    fc_epilogue e = {(double)draw(-2, 2), (double)draw(-2, 2), NULL, crs, ccs, NULL, NULL, (int)draw(0, 1)};
    begin("store: %td x %td, strides %td and %td, of c %td and %td, alpha %g, beta %g, relu %d", rows, cols, rs, cs, crs, ccs, e.alpha,
          e.beta, e.relu);
    REAL *c = numbers((rows - 1) * crs + (cols - 1) * ccs + 1), *by_row = numbers(rows), *by_col = numbers(cols);
    const ptrdiff_t size = (rows - 1) * rs + (cols - 1) * cs + 1;
    REAL *m = numbers(rows * nr), *y = nothing(size), *want = copied(y, size);
    if (draw(0, 1)) e.c = c;
    if (draw(0, 1)) e.row_bias = by_row;
    if (draw(0, 1)) e.col_bias = by_col;
    USE(T->store)(m, rows, cols, y, rs, cs, &e);
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t j = 0; j < cols; j++) {
            REAL v = (REAL)e.alpha * m[i * nr + j] + (e.row_bias ? by_row[i] : 0) + (e.col_bias ? by_col[j] : 0);
            if (e.c) v += (REAL)e.beta * c[i * crs + j * ccs];
            want[i * rs + j * cs] = relu_of(e.relu, v);
        }
    same(y, want, size);
    begin("load: %td x %td, strides %td and %td", rows, cols, rs, cs);
    y = numbers(size), m = nothing(rows * nr), want = copied(m, rows * nr);
    USE(T->load)(m, rows, cols, y, rs, cs);
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t j = 0; j < cols; j++) want[i * nr + j] = y[i * rs + j * cs];
    same(m, want, rows * nr);
}

static void split_and_interleave(ptrdiff_t phases, ptrdiff_t count)
{
    const ptrdiff_t phase = (count + phases - 1) / phases + draw(0, 2);
    const void *parts[17];
    begin("split_row: %td elements in %td phases", count, phases);
    REAL *src = numbers(count), *dst = nothing(phases * phase), *want = copied(dst, phases * phase);
    USE(T->split_row)(dst, phases, phase, src, count);
    for (ptrdiff_t j = 0; j < count; j++) want[j % phases * phase + j / phases] = src[j];
    same(dst, want, phases * phase);
    begin("interleave: %td elements of %td phases", count, phases);
    want = numbers(count), dst = nothing(count);
    for (ptrdiff_t p = 0; p < phases; p++) {
        const ptrdiff_t n = (count - p + phases - 1) / phases;
        REAL *part = nothing(n > 0 ? n : 0);
        for (ptrdiff_t j = 0; j < n; j++) part[j] = want[j * phases + p];
        parts[p] = part;
    }
    USE(T->interleave)(dst, parts, phases, count);
    same(dst, want, count);
}

static void lane_sums(ptrdiff_t count)
{
    begin("lane_sums: %td", count);
    REAL *sums = numbers(count * T->vl), *got = nothing(count), *want = nothing(count);
    USE(T->lane_sums)(sums, count, got);
    for (ptrdiff_t i = 0; i < count; i++) {
        want[i] = 0;
        for (ptrdiff_t l = 0; l < T->vl; l++) want[i] += sums[i * T->vl + l];
    }
    same(got, want, count);
}

static void reductions(ptrdiff_t n)
{
    const REAL odd[] = {INFINITY, NAN};
    begin("largest: %td", n);
    REAL *x = numbers(n), most = 0;
    for (ptrdiff_t i = 0; i < n; i++) most = (REAL)fabs(x[i]) > most ? (REAL)fabs(x[i]) : most;
    REAL got = (REAL)USE(T->largest)(x, n);
    same(&got, &most, 1);
    for (int i = 0; i < 2; i++) {
        x[draw(0, n - 1)] = odd[i];
        got = (REAL)T->largest(x, n);
        same(&got, odd + i, 1);
    }
    begin("squares: %td vectors", n);
    x = numbers(n * T->vl);
    REAL sum = 0;
    for (ptrdiff_t i = 0; i < n * T->vl; i++) sum += x[i] * x[i];
    got = (REAL)USE(T->squares)(x, n);
    same(&got, &sum, 1);
}

void check_rows(void)
{
    const ptrdiff_t vl = T->vl;
    for (ptrdiff_t extent = 1; extent <= 4 * vl + 9; extent++)
        for (int run = 0; run < 4; run++) {
            for (ptrdiff_t phases = 1; phases <= 5; phases++) fill_row(extent, phases);
            lane_row(extent);
        }
    for (ptrdiff_t count = 1; count <= 40; count++) gather(count);
    for (int of_b = 0; of_b < 2; of_b++)
        for (ptrdiff_t extent = 1; extent <= (of_b ? T->nr : T->mr); extent++)
            for (ptrdiff_t depth = 1; depth <= 2 * vl + 3; depth++) pack(of_b, extent, depth);
    for (ptrdiff_t rows = 1; rows <= T->mr; rows++)
        for (ptrdiff_t cols = 1; cols <= T->nr; cols++)
            for (int run = 0; run < 4; run++) store_and_load(rows, cols);
    for (ptrdiff_t phases = 1; phases <= 5; phases++)
        for (ptrdiff_t count = 1; count <= 5 * vl + 3; count++) split_and_interleave(phases, count);
    for (ptrdiff_t phases = 3; phases <= 17; phases += phases == 5 ? 3 : phases < 9 ? 1 : 8)
        for (ptrdiff_t count = phases * vl - 1; count <= 2 * phases * vl + 1; count += draw(1, phases)) split_and_interleave(phases, count);
    for (ptrdiff_t count = 1; count <= 3 * vl + 1; count++) lane_sums(count);
    for (ptrdiff_t n = 1; n <= 6 * vl + 3; n++) reductions(n);
}
