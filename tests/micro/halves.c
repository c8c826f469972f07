/* 16-bit floats: every one to float, and floats to the nearest one, ties to even. */
#include "check.h"

#if FC_DOUBLE
void check_halves(void) {} /* tables of double have no such kernels */
#else
enum { FLOAT16, BFLOAT16 };

/* The magnitude of a 16-bit float; that which infinity would have if its exponent were one more. */
static double magnitude(int kind, unsigned bits)
{
    const int digits = kind == FLOAT16 ? 10 : 7, bias = kind == FLOAT16 ? 15 : 127;
    const int exponent = (int)((bits & 0x7fff) >> digits), fraction = (int)(bits & ((1u << digits) - 1));
    return exponent ? ldexp((1 << digits) + fraction, exponent - bias - digits) : ldexp(fraction, 1 - bias - digits);
}

static unsigned infinity_of(int kind) { return kind == FLOAT16 ? 0x7c00 : 0x7f80; }

static void widen(int kind, unsigned first, ptrdiff_t n, ptrdiff_t xs, ptrdiff_t ys)
{
    begin("widen[%d]: %td from %#x on, %td and %td apart", kind, n, first, xs, ys);
    uint16_t *x = room((size_t)((n - 1) * xs + 1) * 2);
    REAL *y = nothing((n - 1) * ys + 1);
    for (ptrdiff_t i = 0; i < n; i++) x[i * xs] = (uint16_t)(first + (unsigned)i);
    USE(T->widen[kind])(y, ys, x, xs, n);
    for (ptrdiff_t i = 0; i < n; i++) {
        const unsigned bits = (uint16_t)(first + (unsigned)i), rest = bits & 0x7fff;
        const double size = rest > infinity_of(kind) ? NAN : rest == infinity_of(kind) ? INFINITY : magnitude(kind, bits);
        close_to(y[i * ys], bits & 0x8000 ? -size : size, 0);
        if (rest <= infinity_of(kind) && (signbit(y[i * ys]) != 0) != (bits >> 15)) fail("sign");
    }
}

/* Whether no other 16-bit float is nearer to x, and of two equally near ones this is the even one. */
static int nearest(int kind, float x, unsigned bits)
{
    const unsigned rest = bits & 0x7fff;
    const double size = fabs(x), here = magnitude(kind, rest);
    if (x != x) return rest > infinity_of(kind);
    if ((signbit(x) != 0) != (bits >> 15) || rest > infinity_of(kind)) return 0;
    if (isinf(x)) return rest == infinity_of(kind);
    const double above = rest < infinity_of(kind) ? magnitude(kind, rest + 1) : INFINITY, low = rest ? magnitude(kind, rest - 1) : -INFINITY;
    if (size > here && rest == infinity_of(kind)) return 1;
    const double apart = fabs(size - here), other = size > here ? above - size : size - low;
    return apart < other || (apart == other && rest % 2 == 0) || apart == 0;
}

static void narrow(int kind, unsigned first, ptrdiff_t n, ptrdiff_t xs, ptrdiff_t ys)
{
    begin("narrow[%d]: %td from %#x on, %td and %td apart", kind, n, first, xs, ys);
    REAL *x = nothing((n - 1) * xs + 1);
    uint16_t *y = room((size_t)((n - 1) * ys + 1) * 2);
    for (ptrdiff_t i = 0; i < n; i++) { /* 16-bit floats, halves between them, and what is next to those */
        const unsigned bits = (uint16_t)(first + (unsigned)i / 4);
        const double size = ((unsigned)i % 4 ? magnitude(kind, bits) + magnitude(kind, bits + 1) : 2 * magnitude(kind, bits)) / 2;
        float v = (float)size;
        if (i % 4 == 2) v = nextafterf(v, 0);
        if (i % 4 == 3) v = nextafterf(v, INFINITY);
        if ((bits & 0x7fff) > infinity_of(kind)) v = NAN;
        x[i * xs] = bits & 0x8000 ? -v : v;
    }
    USE(T->narrow[kind])(y, ys, x, xs, n);
    for (ptrdiff_t i = 0; i < n; i++)
        if (!nearest(kind, x[i * xs], y[i * ys])) {
            char what[80];
            snprintf(what, sizeof what, "%.9g became %#x", x[i * xs], y[i * ys]);
            fail(what);
        }
}

void check_halves(void)
{
    for (int kind = FLOAT16; kind <= BFLOAT16; kind++) {
        for (unsigned first = 0; first < 0x10000; first += 4096) widen(kind, first, 4096, 1, 1);
        for (unsigned first = 0; first < 0x10000; first += 1024) narrow(kind, first, 4096, 1, 1);
        for (ptrdiff_t n = 1; n <= 3 * T->vl + 1; n++)
            for (int form = 0; form < 4; form++) {
                widen(kind, (unsigned)draw(0, 65000), n, 1 + form % 2, 1 + form / 2);
                narrow(kind, (unsigned)draw(0, 65000), n, 1 + form % 2, 1 + form / 2);
            }
    }
}
#endif
