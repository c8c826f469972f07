/* Register tiles of convolutions and of matrix products, of every height, and products of few rows. */
#include "check.h"

static void tile(int rows, int wide)
{
    const ptrdiff_t taps[] = {2, 0, 5}, nr = T->nr, width = wide ? nr : T->vl;
    for (int run = 0; run < 8; run++) {
        const ptrdiff_t ntaps = run % 2 ? 3 : 1, depth = draw(1, 6), acs = rows + draw(5, 8), bs = draw(width, width + 3);
        const int first = run / 2 % 2;
        begin("tile[%d][%d]: depth %td, ntaps %td, first %d", rows, wide, depth, ntaps, first);
        REAL *a = numbers((depth - 1) * acs + (ntaps == 1 ? 2 : 5) + rows), *b = numbers((depth * ntaps - 1) * bs + width);
        REAL *m = numbers(rows * nr), *want = copied(m, rows * nr);
        USE(T->tile[rows][wide])(depth, ntaps, taps, a, acs, b, bs, b, run / 4, first, m);
        for (ptrdiff_t i = 0; i < rows; i++)
            for (ptrdiff_t lane = 0; lane < width; lane++) {
                REAL sum = first ? 0 : want[i * nr + lane];
                for (ptrdiff_t c = 0; c < depth; c++)
                    for (ptrdiff_t t = 0; t < ntaps; t++) sum += a[c * acs + taps[t] + i] * b[(c * ntaps + t) * bs + lane];
                want[i * nr + lane] = sum;
            }
        same(m, want, rows * nr);
    }
}

static void pixel_tile(int rows, int wide)
{
    const ptrdiff_t width = wide ? T->nr : T->vl, mr = T->mr;
    for (int run = 0; run < 4; run++) {
        const ptrdiff_t depth = draw(1, 9), bs = draw(width, width + 3), ys = draw(width, width + 5), size = (rows - 1) * ys + width;
        const int relu = run % 2;
        begin("pixel_tile[%d][%d]: depth %td, relu %d, bias %d", rows, wide, depth, relu, run / 2);
        REAL *a = numbers((depth - 1) * mr + rows), *b = numbers((depth - 1) * bs + width), *y = nothing(size);
        REAL *bias = run / 2 ? numbers(rows) : NULL, *want = copied(y, size);
        USE(T->pixel_tile[rows][wide])(depth, a, b, bs, 0, y, ys, bias, relu);
        for (ptrdiff_t i = 0; i < rows; i++)
            for (ptrdiff_t lane = 0; lane < width; lane++) {
                REAL sum = bias ? bias[i] : 0;
                for (ptrdiff_t k = 0; k < depth; k++) sum += a[k * mr + i] * b[k * bs + lane];
                want[i * ys + lane] = relu_of(relu, sum);
            }
        same(y, want, size);
    }
}

static void lane_tile(int rows, int wide)
{
    const ptrdiff_t nr = T->nr, vl = T->vl, width = wide ? nr : vl;
    for (ptrdiff_t lanes = 1; lanes <= vl; lanes++) {
        const ptrdiff_t blocks = draw(1, 4), acs = rows * vl + draw(0, 3);
        const int first = (int)draw(0, 1);
        begin("lane_tile[%d][%d]: blocks %td, lanes %td, first %d", rows, wide, blocks, lanes, first);
        REAL *a = numbers((blocks - 1) * acs + (rows - 1) * vl + lanes), *b = numbers(blocks * lanes * nr);
        REAL *m = numbers(rows * nr), *want = copied(m, rows * nr);
        USE(T->lane_tile[rows][wide])(blocks, lanes, a, acs, b, b, lanes % 2, first, m);
        for (ptrdiff_t i = 0; i < rows; i++)
            for (ptrdiff_t lane = 0; lane < width; lane++) {
                REAL sum = first ? 0 : want[i * nr + lane];
                for (ptrdiff_t k = 0; k < blocks; k++)
                    for (ptrdiff_t l = 0; l < lanes; l++) sum += a[k * acs + i * vl + l] * b[(k * lanes + l) * nr + lane];
                want[i * nr + lane] = sum;
            }
        same(m, want, rows * nr);
    }
}

static void gemm_tile(int rows, int wide) /* 2: wide, and b is kept */
{
    const ptrdiff_t vl = T->vl, nr = T->nr;
    for (ptrdiff_t cols = wide ? vl + 1 : 1; cols <= (wide ? nr : vl); cols++)
        for (int form = 0; form < 8; form++) {
            const int first = form & 1, relu = form >> 1 & 1, with_bias = form >> 2;
            const int resumes = (int)draw(0, 1), pauses = (int)draw(0, 1);
            const ptrdiff_t more = wide == 1 && cols == nr && !resumes && !pauses ? draw(0, 3) : 0, all = cols + more * nr;
            const ptrdiff_t width = wide ? all : vl, depth = draw(1, 7), bs = draw(width, width + 3), ys = draw(all, all + 4), packed = draw(0, 1);
            const ptrdiff_t ars = packed ? 1 : depth + draw(0, 2), acs = packed ? T->mr : 1, size = (rows - 1) * ys + all;
            begin("gemm_tile[%d][%d]: depth %td, cols %td, more %td, first %d, relu %d, bias %d", rows, wide, depth, cols, more, first, relu,
                  with_bias);
            REAL *a = numbers((rows - 1) * ars + (depth - 1) * acs + 1), *b = numbers((depth - 1) * bs + width);
            REAL *y = numbers(size), *bias = with_bias ? numbers(all) : NULL, *want = copied(y, size);
            REAL *keep = wide == 2 ? nothing((depth - 1) * nr + cols) : NULL;
            const ptrdiff_t step = bs * (ptrdiff_t)sizeof(REAL), run = draw(1, depth + 1);
            REAL *sums = resumes || pauses ? numbers(rows * nr) : NULL;
            for (ptrdiff_t i = 0; sums && wide && i < rows; i++) /* columns that both vectors of a tile have */
                for (ptrdiff_t j = cols - vl; j < vl; j++) sums[i * nr + j - cols + 2 * vl] = sums[i * nr + j];
            REAL *before = copied(sums, sums ? rows * nr : 0);
            const gemm_tile_args t = {depth, a, ars, acs, b, bs, cols, first, y, ys, bias, relu, b, 64, step, run, -run * step, keep, sums,
                                      resumes, pauses, more};
            USE(T->gemm_tile[rows][wide])(&t);
            for (ptrdiff_t i = 0; i < rows; i++)
                for (ptrdiff_t j = 0; j < all; j++) {
                    const ptrdiff_t lane = i * nr + (wide && j >= vl ? j - cols + 2 * vl : j);
                    REAL sum = resumes ? before[lane] : 0;
                    for (ptrdiff_t k = 0; k < depth; k++) sum += a[i * ars + k * acs] * b[k * bs + j];
                    if (pauses) {
                        same(sums + lane, &sum, 1);
                        continue;
                    }
                    if (!first) sum += want[i * ys + j];
                    want[i * ys + j] = relu_of(relu, sum + (bias ? bias[j] : 0));
                }
            same(y, want, size);
            for (ptrdiff_t k = 0; keep && k < depth; k++) same(keep + k * nr, b + k * bs, cols);
        }
}

typedef enum { PANELS, COLUMNS, TRANSPOSED } skinny_form;

static void skinny(skinny_form form, ptrdiff_t rows, ptrdiff_t cols)
{
    static const char *const names[] = {"panels", "columns", "transposed"};
    const ptrdiff_t nr = T->nr, depth = draw(1, 2 * T->vl + 9), part = draw(1, depth + 3), panels = (cols + nr - 1) / nr;
    const ptrdiff_t all = panels * nr * rows, panel = depth * nr + draw(0, 3), across = form == TRANSPOSED ? 0 : draw(0, 1);
    const ptrdiff_t xcs = across ? rows : 1, xrs = across ? 1 : depth + draw(0, 2);
    const ptrdiff_t step = form == TRANSPOSED ? depth + draw(0, 3) : cols + draw(0, 3);
    const int first = (int)draw(0, 1);
    begin("skinny %s: %td x %td, depth %td in parts of %td, first %d", names[form], rows, cols, depth, part, first);
    REAL *x = numbers((rows - 1) * xrs + (depth - 1) * xcs + 1), *sums = numbers(all), *before = copied(sums, all);
    REAL *w = numbers(form == PANELS ? (panels - 1) * panel + depth * nr : form == COLUMNS ? (depth - 1) * step + cols
                                                                                           : (cols - 1) * step + depth);
    const skinny_args t = {rows, depth, part, cols, x, xrs, xcs, w, panel, step, first, sums, nothing(all)};
    if (form == PANELS) USE(T->skinny_panels)(&t);
    else if (form == COLUMNS) USE(T->skinny_columns)(&t);
    else USE(T->skinny_transposed)(&t);
    for (ptrdiff_t j = 0; j < cols; j++)
        for (ptrdiff_t i = 0; i < rows; i++) {
            const ptrdiff_t at = (j / nr * rows + i) * nr + j % nr;
            REAL sum = first ? 0 : before[at];
            for (ptrdiff_t k = 0; k < depth; k++)
                sum += x[i * xrs + k * xcs] * w[form == PANELS    ? j / nr * panel + k * nr + j % nr
                                                : form == COLUMNS ? k * step + j
                                                                  : j * step + k];
            same(sums + at, &sum, 1);
        }
}

static void dots(ptrdiff_t rows, ptrdiff_t cols, ptrdiff_t depth)
{
    const int relu = (int)draw(0, 1), with_c = (int)draw(0, 1), with_bias = (int)draw(0, 1), plain = (int)draw(0, 1);
    const ptrdiff_t acs = draw(0, 3) ? 1 : 2, ars = depth * acs + draw(0, 2), across = draw(0, 1);
    const ptrdiff_t bs = (across ? cols : depth) + draw(0, 2), ccs = draw(0, 2), crs = ccs * cols;
    const ptrdiff_t ycs = draw(0, 3) ? 1 : 2, ys = cols * ycs + draw(0, 1), room = draw(1, rows + 1), pitch = depth + draw(0, 3);
    const double alpha = plain ? 1 : 2, beta = 3;
    const ptrdiff_t size = (rows - 1) * ys + (cols - 1) * ycs + 1;
    begin("dots: %td x %td, depth %td, steps %td and %td, across %td, room %td, relu %d, c %d, bias %d, alpha %g", rows, cols, depth, acs,
          ycs, across, room, relu, with_c, with_bias, alpha);
    REAL *a = numbers((rows - 1) * ars + (depth - 1) * acs + 1);
    REAL *b = numbers(across ? (depth - 1) * bs + cols : (cols - 1) * bs + depth), *y = nothing(size);
    REAL *c = with_c && !plain ? numbers((rows - 1) * crs + (cols - 1) * ccs + 1) : NULL, *bias = with_bias ? numbers(cols) : NULL;
    REAL *want = copied(y, size);
    const dots_args t = {rows, cols, depth, a, ars, acs, b, bs, y, ys, ycs, alpha, beta, c, crs, ccs, bias, relu, (int)across,
                         nothing((room - 1) * pitch + depth), room, pitch};
    USE(T->dots)(&t);
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t j = 0; j < cols; j++) {
            REAL sum = 0;
            for (ptrdiff_t k = 0; k < depth; k++) sum += a[i * ars + k * acs] * b[across ? k * bs + j : j * bs + k];
            sum = (REAL)alpha * sum + (c ? (REAL)beta * c[i * crs + j * ccs] : 0) + (bias ? bias[j] : 0);
            want[i * ys + j * ycs] = relu_of(relu, sum);
        }
    same(y, want, size);
}

static void in_place(ptrdiff_t rows, ptrdiff_t cols, ptrdiff_t depth)
{
    const int relu = (int)draw(0, 1);
    const ptrdiff_t acs = draw(0, 1) ? 1 : rows + draw(0, 2), ars = acs == 1 ? depth + draw(0, 2) : 1, ys = cols + draw(0, 2);
    const ptrdiff_t bs = draw(0, 1) ? cols + draw(0, 2) : (cols + 15) / 16 * 16; /* rows that begin alike in cache lines, perhaps */
    const ptrdiff_t part = draw(0, 1) ? depth : draw(1, depth), group = draw(1, 3) * T->nr, size = (rows - 1) * ys + cols;
    begin("in_place: %td x %td, depth %td in parts of %td, steps of a %td and %td, group %td", rows, cols, depth, part, ars, acs, group);
    const REAL *a = numbers((rows - 1) * ars + (depth - 1) * acs + 1), *b = numbers((depth - 1) * bs + cols);
    const REAL *row_bias = draw(0, 1) ? numbers(rows) : NULL, *col_bias = draw(0, 1) ? numbers(cols) : NULL;
    REAL *y = nothing(size), *want = copied(y, size);
    const in_place_args t = {rows, cols, depth, part, a, ars, acs, b, bs, 16 * bs, group, y, ys, row_bias, col_bias, relu, 0, 0};
    USE(T->in_place)(&t);
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t j = 0; j < cols; j++) {
            REAL sum = (row_bias ? row_bias[i] : 0) + (col_bias ? col_bias[j] : 0);
            for (ptrdiff_t k = 0; k < depth; k++) sum += a[i * ars + k * acs] * b[k * bs + j];
            want[i * ys + j] = relu_of(relu, sum);
        }
    same(y, want, size);
}

static void turn(ptrdiff_t rows, ptrdiff_t cols)
{
    const ptrdiff_t xs = draw(cols, cols + 3), ys = draw(rows, rows + 3);
    begin("turn: %td x %td", rows, cols);
    REAL *x = numbers((rows - 1) * xs + cols), *y = nothing((cols - 1) * ys + rows);
    USE(T->turn)(y, ys, x, xs, rows, cols);
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t j = 0; j < cols; j++) same(y + j * ys + i, x + i * xs + j, 1);
}

/* Elements of 16 bits, and of 8 with and without a sign; tables of double have no pairs. */
static void join_pairs(int kind, int single, ptrdiff_t xs, ptrdiff_t apart, ptrdiff_t ys, ptrdiff_t n)
{
    const ptrdiff_t size = kind ? 1 : 2, count = (n - 1) * xs + 1 + (single ? 0 : apart);
    begin("join_pairs: kind %d, single %d, %td elements %td, %td and %td apart", kind, single, n, xs, apart, ys);
    uint8_t *x = room((size_t)(count * size));
    uint32_t *y = room((size_t)((n - 1) * ys + 1) * 4);
    for (ptrdiff_t i = 0; i < count * size; i++) x[i] = (uint8_t)draw(0, 255);
    USE(T->join_pairs)(y, ys, x, xs, apart, single, kind, FC_DOUBLE ? 0 : n);
    for (ptrdiff_t j = 0; j < (FC_DOUBLE ? 0 : n); j++) {
        uint32_t want = 0;
        for (int second = 0; second < 2 - single; second++) {
            const ptrdiff_t at = j * xs + (second ? apart : 0);
            const uint32_t v = kind == 1 ? (uint16_t)(int8_t)x[at] : kind == 2 ? x[at] : ((uint16_t *)x)[at];
            want |= v << (16 * second);
        }
        if (y[j * ys] != want) fail("pair");
    }
}

void check_tiles(void)
{
    for (ptrdiff_t rows = 1; rows <= 2 * T->vl + 1; rows++)
        for (ptrdiff_t cols = 1; cols <= 2 * T->vl + 1; cols++) turn(rows, cols);
    for (int kind = 0; kind < 3; kind++)
        for (ptrdiff_t n = 1; n <= 3 * T->vl + 2; n++) {
            join_pairs(kind, 0, 1, draw(n, n + 5), 1, n);
            join_pairs(kind, 0, 2, 1, 1, n);
            join_pairs(kind, 0, draw(1, 4), draw(0, 9), draw(1, 3), n);
            join_pairs(kind, 1, draw(1, 4), 0, draw(1, 3), n);
        }
    for (int rows = 1; rows <= T->mr; rows++) {
        for (int wide = 0; wide < 2; wide++) {
            tile(rows, wide);
            pixel_tile(rows, wide);
            lane_tile(rows, wide);
            gemm_tile(rows, wide);
        }
        gemm_tile(rows, 2);
    }
    for (ptrdiff_t rows = 1; rows <= 2 * T->mr + 1; rows++)
        for (ptrdiff_t cols = 1; cols <= 2 * T->nr + 3; cols++)
            for (int form = PANELS; form <= TRANSPOSED; form++) skinny(form, rows, cols);
    for (ptrdiff_t rows = 1; rows <= 2 * T->mr + 1; rows++)
        for (ptrdiff_t cols = 1; cols <= 9 * T->vl + 1; cols += draw(1, T->vl / 2 + 1)) in_place(rows, cols, draw(1, 20));
    for (int run = 0; run < 200; run++) in_place(draw(1, 70), draw(1, 19 * T->vl), draw(1, 9)); /* short sums, and wide rows */
    for (ptrdiff_t rows = 1; rows <= 35; rows++)
        for (ptrdiff_t cols = 1; cols <= 9; cols++) dots(rows, cols, draw(1, 3 * T->vl));
    for (ptrdiff_t depth = 1; depth <= 3 * T->vl; depth++) dots(draw(1, 40), draw(25, 75), depth);
    for (int run = 0; run < 20; run++) skinny(PANELS, draw(1, 3), draw(3 * T->nr, 9 * T->nr)); /* several panels at once */
}
