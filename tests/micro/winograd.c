/* Winograd's transforms, from the interpolation points themselves, and products along rows. */
#include "check.h"

enum { POINTS = FC_MAX_POINTS + 1, MOST_COEF = 64, FEWEST_SUMS = 12 /* of winograd1d, for any instruction set */ };

/* The sets of points: 0, `pairs` of +-1, +-2, ..., maybe a single one, infinity. */
static int pairs_of(int points) { return (points - 2) / 2; }
static int single_of(int points) { return points % 2; }

/* The finite points in their order. */
static int finite_points(int points, int *v)
{
    int n = 0;
    v[n++] = 0;
    for (int i = 1; i <= pairs_of(points); i++) v[n++] = i, v[n++] = -i;
    if (single_of(points)) v[n++] = pairs_of(points) + 1;
    return n;
}

/* Coefficients, ascending, of the product of (t - root); returns how many. */
static int product(const int *roots, int n, double *poly)
{
    poly[0] = 1;
    for (int i = 0; i < n; i++) {
        poly[i + 1] = poly[i];
        for (int k = i; k >= 0; k--) poly[k] = (k ? poly[k - 1] : 0) - roots[i] * poly[k];
    }
    return n + 1;
}

/* What the input transform reads: see winograd2d.inc. */
static void input_coefficients(int points, REAL *coef)
{
    const int pairs = pairs_of(points);
    int squares[8] = {0}, n = 0;
    double poly[8];
    if (single_of(points)) coef[n++] = (REAL)(pairs + 1);
    for (int i = 0; i < pairs; i++) squares[i] = (i + 1) * (i + 1);
    product(squares, pairs, poly);
    for (int k = 0; k < pairs; k++) coef[n++] = (REAL)poly[k];
    for (int i = 0; i < pairs; i++) {
        int others[8], m = 0;
        for (int k = 0; k < pairs; k++)
            if (k != i) others[m++] = squares[k];
        product(others, m, poly);
        coef[n++] = (REAL)(i + 1);
        for (int k = 0; k < m; k++) coef[n++] = (REAL)poly[k];
    }
}

static void input(int points, int infinite, int counted)
{
    const ptrdiff_t vl = T->vl, count = draw(1, 4);
    int v[POINTS];
    const int finite = finite_points(points, v), taps = finite + infinite, first = (int)draw(0, 1);
    const ptrdiff_t item = vl + draw(0, 3), tap = count * item + draw(0, 3), point = count * vl + draw(0, 3);
    const ptrdiff_t size = (taps - 1) * point + count * vl;
    begin("wino_%s[%d][%d]: %td items", counted ? "count" : "input", points, infinite, count);
    REAL *coef = nothing(MOST_COEF), *x = numbers((taps - 1) * tap + (count - 1) * item + vl), *y = nothing(size), *want = copied(y, size);
    REAL *squares = numbers(count * vl), *sums = copied(squares, count * vl);
    input_coefficients(points, coef);
    if (counted) USE(T->wino_count[points][infinite])(coef, x, tap, item, count, y, point, vl, squares, first);
    else USE(T->wino_input[points][infinite])(coef, x, tap, item, count, y, point, vl);
    for (int p = 0; p < taps; p++) {
        int others[POINTS], n = 0;
        double poly[POINTS + 1];
        for (int i = 0; i < finite; i++)
            if (i != p) others[n++] = v[i];
        const int terms = product(others, n, poly);
        for (ptrdiff_t q = 0; q < count; q++)
            for (ptrdiff_t l = 0; l < vl; l++) {
                REAL sum = 0;
                for (int k = 0; k < terms; k++) sum += (REAL)poly[k] * x[k * tap + q * item + l];
                want[p * point + q * vl + l] = sum;
            }
    }
    same(y, want, size);
    if (!counted) return;
    for (ptrdiff_t q = 0; q < count; q++)
        for (ptrdiff_t l = 0; l < vl; l++) {
            REAL sum = first ? 0 : sums[q * vl + l];
            for (int j = 0; j < taps; j++) sum += x[j * tap + q * item + l] * x[j * tap + q * item + l];
            sums[q * vl + l] = sum;
        }
    same(squares, sums, count * vl);
}

static void output(int points, int m)
{
    const ptrdiff_t nr = T->nr, count = draw(1, 3), item = nr + draw(0, 3), tap = count * item + draw(0, 3), row = count * nr + draw(0, 3);
    const ptrdiff_t size = (m - 1) * row + count * nr;
    int v[POINTS], n = 0;
    const int finite = finite_points(points, v), pairs = pairs_of(points);
    const int vectors = (int)draw(1, nr / T->vl);
    begin("wino_output[%d][%d]: %td items of %d vectors", points, m, count, vectors);
    REAL *coef = nothing(MOST_COEF), *s = numbers((points - 1) * tap + (count - 1) * item + nr), *y = nothing(size), *want = copied(y, size);
    for (int i = 1; i < m; i++)
        for (int k = 0; k < pairs + single_of(points); k++) coef[n++] = (REAL)pow(k + 1, i);
    USE(T->wino_output[points][m])(coef, s, tap, item, count, y, row, nr, vectors);
    for (int i = 0; i < m; i++)
        for (ptrdiff_t q = 0; q < count; q++)
            for (ptrdiff_t l = 0; l < vectors * T->vl; l++) {
                const REAL *from = s + q * item + l;
                REAL sum = i && i == m - 1 ? from[finite * tap] : 0; /* a single output is used without infinity */
                for (int p = 0; p < finite; p++) sum += (REAL)(i ? pow(v[p], i) : 1) * from[p * tap];
                want[i * row + q * nr + l] = sum;
            }
    same(y, want, size);
}

static void weights(ptrdiff_t taps, ptrdiff_t points)
{
    const ptrdiff_t nr = T->nr, tap = nr + draw(0, 3), point = nr + draw(0, 3), size = (points - 1) * point + nr;
    begin("wino_weights: %td points of %td taps", points, taps);
    REAL *coef = numbers(points * taps), *x = numbers((taps - 1) * tap + nr), *y = nothing(size), *want = copied(y, size);
    USE(T->wino_weights)(coef, points, taps, x, tap, y, point);
    for (ptrdiff_t p = 0; p < points; p++)
        for (ptrdiff_t l = 0; l < nr; l++) {
            want[p * point + l] = 0;
            for (ptrdiff_t k = 0; k < taps; k++) want[p * point + l] += coef[p * taps + k] * x[k * tap + l];
        }
    same(y, want, size);
}

static void dense(ptrdiff_t taps, ptrdiff_t rows)
{
    const int vectors = (int)draw(1, 2);
    const ptrdiff_t vl = T->vl, width = vectors * vl, count = draw(1, 3), row = taps + draw(0, 2);
    ptrdiff_t xat[FC_MAX_POINTS], yat[FC_MAX_POINTS];
    begin("wino_dense: %td rows of %td taps, %d vectors, %td items", rows, taps, vectors, count);
    for (ptrdiff_t k = 0; k < taps; k++) xat[k] = (taps - 1 - k) * count * width;
    for (ptrdiff_t i = 0; i < rows; i++) yat[i] = (rows - 1 - i) * count * width;
    REAL *coef = numbers((rows - 1) * row + taps), *x = numbers(taps * count * width), *y = nothing(rows * count * width);
    REAL *want = nothing(rows * count * width);
    USE(T->wino_dense)(coef, row, rows, taps, vectors, x, xat, width, count, y, yat, width);
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t l = 0; l < count * width; l++) {
            REAL sum = 0;
            for (ptrdiff_t k = 0; k < taps; k++) sum += coef[i * row + k] * x[xat[k] + l];
            want[yat[i] + l] = sum;
        }
    same(y, want, rows * count * width);
}

static void squares(ptrdiff_t taps)
{
    const ptrdiff_t vl = T->vl, count = draw(1, 4), tap = count * vl + draw(0, 3);
    const int first = (int)draw(0, 1);
    begin("wino_squares: %td taps, %td vectors, first %d", taps, count, first);
    REAL *x = numbers((taps - 1) * tap + count * vl), *e = numbers(count * vl), *want = copied(e, count * vl);
    USE(T->wino_squares)(e, x, tap, taps, count, first);
    for (ptrdiff_t j = 0; j < count * vl; j++) {
        REAL sum = first ? 0 : want[j];
        for (ptrdiff_t i = 0; i < taps; i++) sum += x[i * tap + j] * x[i * tap + j];
        want[j] = sum;
    }
    same(e, want, count * vl);
}

static void rows_in(ptrdiff_t planes, ptrdiff_t pairs)
{
    const ptrdiff_t len = draw(1, 4) * T->vl, step = len + draw(0, 3), all = planes * len;
    begin("winograd1d_input: %td planes, %td pairs, %td elements", planes, pairs, len);
    REAL *coef = numbers((pairs + 2) * planes), *band = numbers((planes - 1) * step + len), *v = nothing(all), *want = copied(v, all);
    const winograd1d_input_args a = {planes, pairs, step, len, coef, band, v};
    USE(T->winograd1d_input)(&a);
    for (ptrdiff_t p = 0; p < planes; p++)
        for (ptrdiff_t l = 0; l < len; l++) {
            REAL sum = 0;
            for (ptrdiff_t j = 0; j < planes; j++) {
                const ptrdiff_t row = p < 2 * pairs ? p / 2 : pairs + (p - 2 * pairs);
                const int kind = p < 2 * pairs ? 2 : p == 2 * pairs ? (int)((planes - 1) % 2) : 0; /* terms: all, odd, even */
                if (kind == 2 || j % 2 == kind)
                    sum += (kind == 2 && p % 2 && j % 2 ? -1 : 1) * coef[row * planes + j] * band[j * step + l];
            }
            want[p * len + l] = sum;
        }
    same(v, want, all);
}

static void rows_out(ptrdiff_t planes, ptrdiff_t count, ptrdiff_t pixels)
{
    enum { M = WINOGRAD1D_M };
    const ptrdiff_t vl = T->vl, pairs = (planes - 1) / 2, ntaps = draw(1, 7), whole = draw(1, ntaps), rows = draw(1, M);
    const ptrdiff_t lanes = pixels < vl ? pixels : vl, final = pixels < vl ? 0 : pixels - vl, len = final + vl + ntaps;
    const ptrdiff_t yrow = pixels + draw(0, 2), ychannel = M * yrow + draw(0, 3);
    ptrdiff_t taps[8];
    begin("winograd1d: %td planes, %td channels, %td pixels, %td rows, %td of %td taps whole", planes, count, pixels, rows, whole, ntaps);
    REAL *v = numbers((ntaps + planes) * len), *w = numbers(ntaps * planes * count), *powers = numbers(pairs * M), *bias = draw(0, 1) ? numbers(count) : NULL;
    const ptrdiff_t size = (count - 1) * ychannel + (rows - 1) * yrow + pixels;
    REAL *y = nothing(size), *want = copied(y, size);
    for (ptrdiff_t t = 0; t < ntaps; t++) taps[t] = t * len + t;
    const winograd1d_args a = {count, planes, 0, (pixels + vl - 1) / vl, final, rows, lanes, taps, whole, ntaps, len, v, w, powers, bias,
                                  (int)draw(0, 1), (int)draw(0, 1), y, ychannel, yrow};
    USE(T->winograd1d)(&a);
    if (planes * count > FEWEST_SUMS && y[0] != y[0]) return; /* more sums than this instruction set has registers for */
    for (ptrdiff_t k = 0; k < count; k++)
        for (ptrdiff_t j = 0; j < pixels; j++) {
            REAL sum[8] = {0};
            const REAL *weight = w;
            for (ptrdiff_t t = 0; t < ntaps; t++) {
                const ptrdiff_t n = t < whole ? planes : planes - 1;
                for (ptrdiff_t p = 0; p < n; p++) sum[p] += weight[p * count + k] * v[taps[t] + p * len + j];
                weight += n * count;
            }
            for (ptrdiff_t r = 0; r < rows; r++) {
                REAL out = bias ? bias[k] : 0;
                for (ptrdiff_t q = 0; q < pairs; q++)
                    out += (r ? powers[q * M + r] : 1) * (sum[2 * q] + (r % 2 ? -sum[2 * q + 1] : sum[2 * q + 1]));
                if (r == 0 && planes % 2 == 0) out += sum[planes - 1];
                if (r == M - 1) out += sum[2 * pairs];
                want[k * ychannel + r * yrow + j] = relu_of(a.relu, out);
            }
        }
    same(y, want, size);
}

static void rows_squares(ptrdiff_t n, int repeated)
{
    const ptrdiff_t parts = draw(1, 3), apart = n + draw(0, 3);
    begin("rows_squares: %td runs of %td, repeated %d", parts, n, repeated);
    REAL *e = nothing((parts - 1) * apart + n);
    column_squares s = {.unlike = (double)draw(1, 3), .repeated = repeated};
    double total = 0, most = 0, least = INFINITY;
    for (ptrdiff_t p = 0; p < parts; p++)
        for (ptrdiff_t j = 0; j < n; j++) {
            const double v = (double)(draw(0, 3) ? draw(1, 3) : draw(1, 40));
            e[p * apart + j] = (REAL)v;
            total += v;
            most = v > most ? v : most;
            least = v < least ? v : least;
        }
    USE(T->rows_squares)(e, parts, apart, n, &s);
    if (s.total != total) fail("total");
    if (s.even != !(most * s.unlike > (repeated ? least : total - most))) fail("even");
}

void check_winograd(void)
{
    for (int points = 0; points <= FC_MAX_POINTS; points++)
        for (int run = 0; run < 5; run++) {
            for (int infinite = 0; infinite < 2; infinite++) {
                if (T->wino_input[points][infinite]) input(points, infinite, 0);
                if (T->wino_count[points][infinite]) input(points, infinite, 1);
            }
            for (int m = 1; m <= FC_MAX_POINTS; m++)
                if (T->wino_output[points][m]) output(points, m);
        }
    for (ptrdiff_t taps = 1; taps <= 9; taps++)
        for (ptrdiff_t rows = 1; rows <= 9; rows++) {
            weights(taps, rows);
            dense(taps, rows);
        }
    for (ptrdiff_t taps = 1; taps <= 20; taps++) squares(taps);
    for (ptrdiff_t planes = 4; planes <= 6; planes++) rows_in(planes, 2);
    for (ptrdiff_t planes = 6; planes <= 8; planes++) rows_in(planes, 3);
    for (ptrdiff_t planes = 5; planes <= 8; planes++)
        for (ptrdiff_t count = 1; count <= 5; count++)
            for (ptrdiff_t pixels = 1; pixels <= 3 * T->vl + 1; pixels++) rows_out(planes, count, pixels);
    for (ptrdiff_t n = T->vl; n <= 4 * T->vl + 1; n++) rows_squares(n, (int)(n % 2));
}
