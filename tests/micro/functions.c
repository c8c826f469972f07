/* Activations and their gradients, gates and powers, against libm in a wider type.

   Slack is in units of the last place of the result, and where a function subtracts or multiplies rounded arguments, of those. */
#include "check.h"

enum { LONGEST = 70 };

static const char *const NAMES[ACT_FUNCTIONS] = {
    "relu", "clip", "leaky_relu", "hardswish", "hardsigmoid", "softsign", "sigmoid", "tanh", "silu", "elu", "celu", "gelu", "gelu_tanh",
    "logsigmoid", "softplus", "mish", "hardshrink", "softshrink", "tanhshrink", "threshold", "clamp"};
/* a and b of each function. */
static const REAL PARAMETERS[ACT_FUNCTIONS][2] = {
    [ACT_CLIP] = {-1, 2}, [ACT_CLAMP] = {-1, 2}, [ACT_LEAKY_RELU] = {(REAL)0.0625, 0}, [ACT_ELU] = {(REAL)1.5, (REAL)1.25},
    [ACT_CELU] = {(REAL)1.5, 0}, [ACT_SOFTPLUS] = {2, 20}, [ACT_HARDSHRINK] = {(REAL)0.5, 0}, [ACT_SOFTSHRINK] = {(REAL)0.5, 0},
    [ACT_THRESHOLD] = {(REAL)0.5, -4}};

static const WIDE ROOT_HALF = 0.707106781186547524400844362104849039L, ROOT_2_PI = 0.797884560802865355879892119868763737L;

static WIDE sigmoid(WIDE x) { return 1 / (1 + W(exp)(-x)); }
static WIDE within(WIDE x, WIDE low, WIDE high) { return x < low ? low : x > high ? high : x; }
static WIDE tanh_argument(WIDE x) { return ROOT_2_PI * (x + (WIDE)0.044715L * x * x * x); }
static WIDE softplus(WIDE x) { return x > 0 ? x + W(log1p)(W(exp)(-x)) : W(log1p)(W(exp)(x)); }
static WIDE density(WIDE x) { return W(exp)(-x * x / 2) * ROOT_2_PI / 2; }
static WIDE below(WIDE x) { return W(erfc)(-x * ROOT_HALF) / 2; } /* the share of a normal distribution */

static WIDE value(int f, WIDE x, WIDE a, WIDE b)
{
    switch (f) {
    case ACT_RELU: return x > 0 ? x : 0;
    case ACT_CLIP:
    case ACT_CLAMP: return within(x, a, b);
    case ACT_LEAKY_RELU: return x > 0 ? x : a * x;
    case ACT_HARDSWISH: return x * within(x + 3, 0, 6) / 6;
    case ACT_HARDSIGMOID: return within(x + 3, 0, 6) / 6;
    case ACT_SOFTSIGN: return x / (1 + W(fabs)(x));
    case ACT_SIGMOID: return sigmoid(x);
    case ACT_TANH: return W(tanh)(x);
    case ACT_SILU: return x * sigmoid(x);
    case ACT_ELU: return b * (x > 0 ? x : a * W(expm1)(x));
    case ACT_CELU: return x > 0 ? x : a * W(expm1)(x / a);
    case ACT_GELU: return x * below(x);
    case ACT_GELU_TANH: return x * sigmoid(2 * tanh_argument(x));
    case ACT_LOGSIGMOID: return -softplus(-x);
    case ACT_SOFTPLUS: return a * x > b ? x : softplus(a * x) / a;
    case ACT_MISH: return x * W(tanh)(softplus(x));
    case ACT_HARDSHRINK: return W(fabs)(x) <= a ? 0 : x;
    case ACT_SOFTSHRINK: return x > a ? x - a : x < -a ? x + a : 0;
    case ACT_TANHSHRINK: return x - W(tanh)(x);
    default: return x <= a ? b : x; /* ACT_THRESHOLD */
    }
}

static WIDE slope(int f, WIDE x, WIDE a, WIDE b)
{
    const WIDE s = sigmoid(x), t = W(tanh)(x);
    switch (f) {
    case ACT_RELU: return x > 0;
    case ACT_CLIP: return x > a && x < b;
    case ACT_CLAMP: return x >= a && x <= b;
    case ACT_LEAKY_RELU: return x > 0 ? 1 : a;
    case ACT_HARDSWISH: return x >= 3 ? 1 : x <= -3 ? 0 : x / 3 + (WIDE)0.5;
    case ACT_HARDSIGMOID: return x > -3 && x < 3 ? (WIDE)1 / 6 : 0;
    case ACT_SOFTSIGN: return 1 / ((1 + W(fabs)(x)) * (1 + W(fabs)(x)));
    case ACT_SIGMOID: return s * sigmoid(-x);
    case ACT_TANH: return 4 * sigmoid(2 * x) * sigmoid(-2 * x);
    case ACT_SILU: return s * (1 + x * sigmoid(-x));
    case ACT_ELU: return b * (x > 0 ? 1 : a * W(exp)(x));
    case ACT_CELU: return x > 0 ? 1 : W(exp)(x / a);
    case ACT_GELU: return below(x) + x * density(x);
    case ACT_GELU_TANH: {
        const WIDE v = sigmoid(2 * tanh_argument(x)), rest = sigmoid(-2 * tanh_argument(x));
        return v + x * v * rest * 2 * ROOT_2_PI * (1 + 3 * (WIDE)0.044715L * x * x);
    }
    case ACT_LOGSIGMOID: return sigmoid(-x);
    case ACT_SOFTPLUS: return a * x > b ? 1 : sigmoid(a * x);
    case ACT_MISH: {
        const WIDE e = W(tanh)(softplus(x));
        return e + x * s * (1 - e * e);
    }
    case ACT_HARDSHRINK:
    case ACT_SOFTSHRINK: return x < -a || x > a;
    case ACT_TANHSHRINK: return t * t;
    default: return x > a; /* ACT_THRESHOLD */
    }
}

/* Arguments: small ones, kinks of the functions, and now and then large ones. */
static REAL argument(void)
{
    const REAL scale = draw(0, 3) ? 1 : draw(0, 3) ? 8 : 30;
    return draw(0, 7) ? scale * (REAL)draw(-4000, 4000) / 2000 : (REAL)draw(-6, 6) / 2;
}

static STORED *space(ptrdiff_t n) { return room((size_t)n * sizeof(STORED)); }

static STORED *arguments(ptrdiff_t n)
{
    STORED *x = space(n);
    for (ptrdiff_t i = 0; i < n; i++) x[i] = stored(argument());
    return x;
}

static STORED *gradients(ptrdiff_t n)
{
    STORED *x = space(n);
    for (ptrdiff_t i = 0; i < n; i++) x[i] = stored((REAL)draw(-3, 3));
    return x;
}

static void activations(int f, ptrdiff_t n)
{
    const REAL a = PARAMETERS[f][0], b = PARAMETERS[f][1];
    begin("activate: %s of %td", NAMES[f], n);
    STORED *x = arguments(n), *y = space(n), *dy, *dx;
    x[draw(0, n - 1)] = stored(NAN);
    USE(T->activate)(f, y, x, n, a, b);
    for (ptrdiff_t i = 0; i < n; i++) {
        const WIDE at = real(x[i]), want = at == at ? value(f, at, a, b) : NAN;
        WIDE slack = 8 * W(fabs)(want);
        if (f == ACT_TANHSHRINK || f == ACT_MISH) slack += 4 * W(fabs)(at);
        if (f == ACT_GELU_TANH) slack += 4 * W(fabs)(want * tanh_argument(at));
        near(y[i], want, EPS * slack);
    }
    if (!T->activate_backward) return;
    begin("activate_backward: %s of %td", NAMES[f], n);
    x = arguments(n), dy = gradients(n), dx = space(n);
    USE(T->activate_backward)(f, dx, dy, x, n, a, b);
    for (ptrdiff_t i = 0; i < n; i++) {
        const WIDE coming = real(dy[i]);
        near(dx[i], coming * slope(f, real(x[i]), a, b), 16 * EPS * W(fabs)(coming));
    }
}

static void gates(ptrdiff_t n)
{
    begin("gate: %td", n);
    STORED *x = gradients(n), *g = arguments(n), *dy = gradients(n), *y = space(n), *dx = space(n), *dg = space(n);
    USE(T->gate)(y, x, g, n);
    if (T->gate_backward) USE(T->gate_backward)(dx, dg, dy, x, g, n);
    for (ptrdiff_t i = 0; i < n; i++) {
        const WIDE s = sigmoid(real(g[i])), down = sigmoid(-(WIDE)real(g[i])), v = real(x[i]), coming = real(dy[i]);
        near(y[i], v * s, 8 * EPS * W(fabs)(v * s));
        if (!T->gate_backward) continue;
        near(dx[i], coming * s, 8 * EPS * W(fabs)(coming * s));
        near(dg[i], coming * v * s * down, 8 * EPS * W(fabs)(coming * v * s * down));
    }
}

static void gate_pairs(ptrdiff_t n)
{
    begin("gate_pairs: %td", n);
    STORED *x = arguments(2 * n), *y = space(n);
    USE(T->gate_pairs)(y, x, n);
    for (ptrdiff_t i = 0; i < n; i++) {
        const WIDE want = real(x[2 * i]) * sigmoid(real(x[2 * i + 1]));
        near(y[i], want, 8 * EPS * W(fabs)(want));
    }
}

static void slopes(ptrdiff_t rows, ptrdiff_t channels, ptrdiff_t inner)
{
    begin("slopes: %td rows of %td channels of %td", rows, channels, inner);
    const ptrdiff_t size = rows * channels * inner, first = draw(0, size - 1), n = draw(1, size - first);
    STORED *x = arguments(size), *slope = gradients(channels), *y = space(size);
    USE(T->slopes)(y, x, slope, first, n, channels, inner);
    for (ptrdiff_t i = first; i < first + n; i++) {
        const WIDE at = real(x[i]), want = at > 0 ? at : at * real(slope[i / inner % channels]);
        near(y[i], want, EPS * W(fabs)(want));
    }
}

#if !FC_DOUBLE && FC_STORED == FC_AS_IS
#define CHECK_LIMIT(type, kind)                                                                                        \
    static void limit_##type(ptrdiff_t n, type low, type high)                                                         \
    {                                                                                                                  \
        begin("limit: %td of " #type, n);                                                                              \
        type *x = room((size_t)n * sizeof(type)), *y = room((size_t)n * sizeof(type));                                 \
        for (ptrdiff_t i = 0; i < n; i++) x[i] = (type)draw(-128, 255);                                                \
        USE(T->limit[kind])(y, x, n, (int64_t)low, (int64_t)high);                                                     \
        for (ptrdiff_t i = 0; i < n; i++) {                                                                            \
            const type up = x[i] < low ? low : x[i];                                                                   \
            if (y[i] != (up > high ? high : up)) fail("not between the limits");                                       \
        }                                                                                                              \
    }
CHECK_LIMIT(int8_t, LIMIT_INT8)
CHECK_LIMIT(int16_t, LIMIT_INT16)
CHECK_LIMIT(int32_t, LIMIT_INT32)
CHECK_LIMIT(int64_t, LIMIT_INT64)
CHECK_LIMIT(uint8_t, LIMIT_UINT8)
CHECK_LIMIT(uint16_t, LIMIT_UINT16)
CHECK_LIMIT(uint32_t, LIMIT_UINT32)
CHECK_LIMIT(uint64_t, LIMIT_UINT64)
static void limits(ptrdiff_t n)
{
    limit_int8_t(n, -3, 40), limit_int16_t(n, 50, -4), limit_int32_t(n, -3, INT32_MAX), limit_int64_t(n, INT64_MIN, 7);
    limit_uint8_t(n, 3, 200), limit_uint16_t(n, 0, 40000), limit_uint32_t(n, 9, 3000000000u), limit_uint64_t(n, 20, UINT64_MAX - 100);
}
#else
static void limits(ptrdiff_t n) { (void)n; } /* in tables of float only */
#endif

#if FC_DOUBLE
static void powers(double p, ptrdiff_t n)
{
    float narrow[LONGEST], result[LONGEST];
    begin("powers: %g of %td", p, n);
    REAL *x = nothing(n), *y = nothing(n);
    for (ptrdiff_t i = 0; i < n; i++) x[i] = argument(), narrow[i] = (float)x[i];
    USE(T->powers)(y, 0, x, 0, n, p);
    T->powers(result, 1, narrow, 1, n, p);
    for (ptrdiff_t i = 0; i < n; i++) {
        const WIDE want = powl(x[i], p), from_narrow = (float)powl(narrow[i], p);
        close_to(y[i], want, 70 * EPS * fabsl(want) + TINY); /* up to a rounding for each of 64 factors */
        close_to(result[i], from_narrow, FLT_EPSILON * fabsl(from_narrow) + FLT_MIN);
    }
}
#endif

void check_functions(void)
{
    for (ptrdiff_t n = 1; n <= LONGEST; n++) {
        for (int f = 0; f < ACT_FUNCTIONS; f++) activations(f, n);
        gates(n);
        gate_pairs(n);
        limits(n + draw(0, 200));
        slopes(draw(1, 4), n, draw(1, 40));
        slopes(draw(1, 4), draw(1, 5), n);
        slopes(draw(1, 40), draw(1, 300), 1);
#if FC_DOUBLE
        static const double exponents[] = {1, 2, 3, 13, 64, -1, -2, 0.5, 1.5, -0.75, 65, 100};
        for (int i = 0; i < 12; i++) powers(exponents[i], n);
#else
        used((const void *)T->powers); /* there is none for float */
#endif
    }
}
