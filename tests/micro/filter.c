/* Sums of rows, and elements as memory holds them. */
#include "check.h"

static void sum(ptrdiff_t n)
{
    enum { TAPS = 9 };
    for (int symmetry = -1; symmetry <= 1; symmetry++) {
        const ptrdiff_t taps = symmetry ? 2 * draw(0, (TAPS - 1) / 2) + 1 : draw(1, TAPS);
        const REAL *rows[TAPS];
        begin("filter_sum: %td of %td, symmetry %d", taps, n, symmetry);
        REAL *weights = numbers(taps), *y = nothing(n), *want = nothing(n);
        for (ptrdiff_t t = 0; symmetry && t < taps / 2; t++) weights[taps - 1 - t] = (REAL)symmetry * weights[t];
        for (ptrdiff_t t = 0; t < taps; t++) rows[t] = numbers(n);
        const filter_sum_args a = {(const void *const *)rows, weights, taps, symmetry, y, n};
        USE(T->filter_sum)(&a);
        for (ptrdiff_t i = 0; i < n; i++) {
            want[i] = 0;
            for (ptrdiff_t t = 0; t < taps; t++) want[i] += rows[t][i] * weights[t];
        }
        same(y, want, n);
    }
}

/* Numbers that C converts: small ones, and those of 32 and 64 bits. */
static void types(ptrdiff_t n)
{
    static const struct {
        size_t bytes;
        double low, high;
    } types[FILTER_TYPES] = {
        {1, 0, 1}, {1, 0, 255}, {1, -128, 127}, {2, 0, 65535}, {2, -32768, 32767}, {4, 0, 4294967295.0}, {4, -2147483648.0, 2147483647.0},
        {8, 0, 0x1p63}, {8, -0x1p62, 0x1p62}, {4, -0x1p20, 0x1p20}, {8, -0x1p40, 0x1p40},
    };
    for (int type = 0; type < FILTER_TYPES; type++) {
        begin("filter_enter and filter_leave: %td of type %d", n, type);
        char *stored = room((size_t)n * types[type].bytes);
        REAL *x = nothing(n), *y = nothing(n);
        for (ptrdiff_t i = 0; i < n; i++) {
            const double drawn = types[type].low + (types[type].high - types[type].low) * (double)draw(0, 64) / 64;
            x[i] = (REAL)trunc(drawn);
        }
        const REAL *given = copied(x, n);
        if (type < FILTER_FLOAT32 && type != FILTER_BOOL) /* a fraction is lost */
            for (ptrdiff_t i = 0; i < n; i++)
                if (fabs((double)x[i]) < 0x1p20) x[i] += (REAL)(x[i] < 0 ? -0.5 : 0.5);
        USE(T->filter_leave)(type, x, n, stored);
        USE(T->filter_enter)(type, stored, n, y);
        if (FC_DOUBLE) same(y, given, n);
    }
}

/* Numbers that every type of joined elements has, as it has them, and back. */
static void cast(const REAL *x, ptrdiff_t n, int type, void *to)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        const int64_t v = (int64_t)x[i];
        switch (type) {
        case FILTER_UINT8:
        case FILTER_INT8: ((uint8_t *)to)[i] = (uint8_t)v; break;
        case FILTER_UINT16:
        case FILTER_INT16: ((uint16_t *)to)[i] = (uint16_t)v; break;
        case FILTER_UINT32:
        case FILTER_INT32: ((uint32_t *)to)[i] = (uint32_t)v; break;
        default: ((REAL *)to)[i] = x[i];
        }
    }
}

static size_t bytes_of(int type)
{
    return type <= FILTER_INT8 ? 1 : type <= FILTER_INT16 ? 2 : type <= FILTER_INT32 ? 4 : sizeof(REAL);
}

static void equal(const void *got, const REAL *want, ptrdiff_t n, int type)
{
    void *wanted = malloc((size_t)n * 8);
    cast(want, n, type, wanted);
    if (type < FILTER_FLOAT32 && memcmp(got, wanted, (size_t)n * bytes_of(type))) fail("other integers");
    if (type >= FILTER_FLOAT32) same(got, wanted, n);
    free(wanted);
}

/* Rows joined, also onto the first one; of reals, NaN survives. */
static void join(ptrdiff_t n)
{
    static const int types[] = {FILTER_UINT8, FILTER_INT8, FILTER_UINT16, FILTER_INT16, FILTER_UINT32, FILTER_INT32, FILTER_FLOAT32};
    for (int k = FC_DOUBLE ? 6 : 0; k < 7; k++)
        for (int op = 0; op < WINDOW_OPS; op++) {
            const int type = FC_DOUBLE ? FILTER_FLOAT64 : types[k], count = (int)draw(2, 4);
            if (op == WINDOW_SUM && type != FILTER_UINT16 && type < FILTER_FLOAT32) continue;
            begin("window_join: %td of type %d, op %d, %d rows", n, type, op, count);
            const void *rows[4];
            REAL *want = nothing(n);
            for (int t = 0; t < count; t++) {
                REAL *x = numbers(n);
                void *row = room((size_t)n * bytes_of(type));
                for (ptrdiff_t i = 0; i < n && type != FILTER_INT8 && type != FILTER_INT16 && type != FILTER_INT32 && type < FILTER_FLOAT32; i++)
                    x[i] += 3;
                if (type >= FILTER_FLOAT32) spoil(x, n);
                cast(x, n, type, row);
                rows[t] = row;
                for (ptrdiff_t i = 0; i < n; i++) {
                    const REAL a = want[i], b = x[i];
                    want[i] = !t ? b : op == WINDOW_SUM ? a + b : a != a || b != b ? (REAL)NAN : op == WINDOW_MIN ? (a < b ? a : b) : a > b ? a : b;
                }
            }
            void *y = draw(0, 1) ? room((size_t)n * bytes_of(type)) : (void *)rows[0];
            USE(T->window_join)(type, op, rows, count, y, n);
            equal(y, want, n, type);
        }
}

/* Bytes that are widened, and sums that are divided. */
static void means(ptrdiff_t n)
{
    const ptrdiff_t taps = draw(2, 128);
    begin("window_enter and window_mean: %td bytes over %td", n, taps);
    REAL *x = nothing(n), *total = nothing(n);
    const int count = (int)draw(2, 4);
    const void *rows[4];
    for (int t = 0; t < count; t++) {
        REAL *part = nothing(n);
        for (ptrdiff_t i = 0; i < n; i++) {
            x[i] = (REAL)draw(0, 255);
            part[i] = (REAL)(draw(0, 255) * (taps / count));
            total[i] = part[i] + (t ? total[i] : 0);
        }
        void *row = room((size_t)n * 2);
        cast(part, n, FILTER_UINT16, row);
        rows[t] = row;
    }
    for (ptrdiff_t i = 0; i < n; i++) total[i] = (REAL)((int64_t)total[i] / taps);
    void *narrow = room((size_t)n), *widened = room((size_t)n * 2), *mean = room((size_t)n);
    cast(x, n, FILTER_UINT8, narrow);
    USE(T->window_enter)(narrow, n, widened);
    if (!FC_DOUBLE) {
        equal(widened, x, n, FILTER_UINT16);
        USE(T->window_mean)(FILTER_UINT16, rows, count, taps, mean, n);
        equal(mean, total, n, FILTER_UINT8);
    }
    begin("window_mean: %td reals", n);
    const REAL *a = numbers(n), *b = numbers(n);
    const void *both[2] = {a, b};
    REAL *y = nothing(n), *want = nothing(n);
    for (ptrdiff_t i = 0; i < n; i++) want[i] = (a[i] + b[i]) / 3;
    USE(T->window_mean)(FC_DOUBLE ? FILTER_FLOAT64 : FILTER_FLOAT32, both, 2, 3, y, n);
    same(y, want, n);
}

void check_filter(void)
{
    for (ptrdiff_t n = 1; n <= 5 * T->vl + 2; n++) {
        sum(n);
        types(n);
        join(n);
        means(n);
    }
}
