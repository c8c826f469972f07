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

void check_filter(void)
{
    for (ptrdiff_t n = 1; n <= 5 * T->vl + 2; n++) {
        sum(n);
        types(n);
    }
}
