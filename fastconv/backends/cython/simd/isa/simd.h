/* The vector functions in which kernel bodies are written; the same names for every instruction set.

   REAL      float or double (FC_DOUBLE)
   vec       VL of them in a register
   v_load, v_store            whole vectors, any alignment
   v_loadn, v_storen          the first n lanes, 0 <= n <= VL; memory after them is not accessed, lanes after them are 0
   v_lanes, v_load_mask       lanes lo <= l < hi as a vmask; those lanes of a vector, the others are 0 and their memory is not accessed
   v_load_edge              v_load_mask at the edge of an image whose rows are read one after the other
   v_set1, v_fma (a*b + c), v_sqrt, v_relu (NaN survives), v_max (NaN survives)
   v_product_error(a, b, a*b) the rounding error of the product
   v_inverse                  1 / a, not always correctly rounded
   v_rounded(v)               v, a product, is rounded before it is added to something
   v_finite                   whether no lane is infinite or NaN
   v_larger, v_smaller        of two; the second operand if one is NaN
   v_any_nan                  whether some lane is NaN
   v_beats(w, v)              the lanes of which w is larger than v, or the first of the two to be NaN, as a vmask
   v_shuffle, v_permute       elements of two vectors, or of one, in any order
   v_even, v_odd              every second element of two vectors
   v_ahead                    VL adjacent elements of two vectors, from element n of the first on
   v_keep(v, m, rest)         the lanes of v that are in the vmask m, those of `rest` elsewhere
   v_steps(first, step)       integers in lanes
   v_sum_lanes, v_largest_lane  of all lanes, in every lane
   half_vec, v_half, v_whole  conversions to and from the first half of the lanes; the others are undefined. v_half_load_mask: as
                              v_load_mask.

   v_from_float16, v_to_float16   one vector of 16-bit floats and one of REAL, of float only; the same for bfloat16
   v_join_pairs(low, high)    pairs of 16-bit numbers in lanes, of float only
   v_dot(a, b, c)             what register tiles sum: a*b + c; of pairs (FC_STORED) both products and c
   v_sum, v_no_sum, v_positive, v_scaled   the same numbers, integers or floats: a + b; what adds nothing; relu; factor * a + b
   s_load, s_store, s_loadn, s_storen, s_load_mask   as v_load and its like, of what memory holds, STORED: REAL, or 16-bit floats (FC_STORED), which are
                              rounded to the nearest when they are stored

   The ISA's header comes first and supplies these traits, by which bodies choose among tiles and loops,
     VBYTES      bytes of a vector
     NREGS       vector registers
     HAS_FMA     v_fma is one instruction and rounds once
     HAS_MASKS   a vmask is a register of bits of its own, and masked loads and stores cost what others do
     HAS_ALIGN   v_align is one instruction
     MR          rows of the register tile, a plain number up to FC_MAX_MR
   and v_set1, v_fma, v_sqrt, v_loadn, v_storen, v_load_mask; with HAS_MASKS also FC_BIT_MASK, the type of a vmask, v_keep, v_beats, and v_short_load_mask
   and v_short_store_mask(p, h, m), of 16-bit elements; and where it
   has better ones than those below, v_gather8 (to[i] = x[at[i]] for i < 8, `fill` where at[i] is `nothing`), conversions of 16-bit floats, v_join_pairs,
   v_rounded, v_load_edge, v_max, v_larger and v_smaller, v_any_nan, v_align, v_half with v_whole and v_half_load_mask, v_scale (a * 2^b, rounded once),
   v_any_less (whether some lane of a is less than b's), with both of these and of float only v_lookup(p, i) (elements of p, an array of 32, at the
   bits of i modulo 32), v_product_error, v_rough_inverse, v_dot_bfloat16 and v_dot_int16 (v_dot of pairs),
   v_sums_to_bfloat16 (of what v_dot_bfloat16 made, whose sums are never denormal).
   FC_SCALAR_TAILS: fc_loadn and its
   like below are made of scalars.
   Vector arithmetic is written with the compiler's operators on vec. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#if FC_DOUBLE
typedef double REAL;
typedef int64_t LANE;
typedef uint64_t ULANE;
#else
typedef float REAL;
typedef int32_t LANE;
typedef uint32_t ULANE;
#endif
typedef REAL vec __attribute__((vector_size(VBYTES)));
typedef LANE ivec __attribute__((vector_size(VBYTES)));
typedef ULANE uint_vec __attribute__((vector_size(VBYTES))); /* wraps around */
typedef REAL half_vec __attribute__((vector_size(VBYTES / 2)));
typedef REAL vec_any __attribute__((vector_size(VBYTES), aligned(sizeof(REAL)), may_alias));
typedef LANE ivec_any __attribute__((vector_size(VBYTES), aligned(sizeof(REAL)), may_alias));

#define VL (VBYTES / (FC_DOUBLE ? 8 : 4))
#define NV 2         /* vectors per row of a register tile */
#define NR (NV * VL) /* lanes per row of a register tile */

/* Without a loop: gcc folds this to a constant, but would build the result of a loop element by element. */
#define FC_STEPS4(a, d, i) (LANE)((a) + (i) * (d)), (LANE)((a) + ((i) + 1) * (d)), (LANE)((a) + ((i) + 2) * (d)), \
                           (LANE)((a) + ((i) + 3) * (d))
#if VL == 2
#define v_steps(a, d) ((ivec){(LANE)(a), (LANE)((a) + (d))})
#elif VL == 4
#define v_steps(a, d) ((ivec){FC_STEPS4(a, d, 0)})
#elif VL == 8
#define v_steps(a, d) ((ivec){FC_STEPS4(a, d, 0), FC_STEPS4(a, d, 4)})
#else
#define v_steps(a, d) ((ivec){FC_STEPS4(a, d, 0), FC_STEPS4(a, d, 4), FC_STEPS4(a, d, 8), FC_STEPS4(a, d, 12)})
#endif

/* X(1) X(2) ... X(MR): the heights of register tiles */
#define FC_ROWS_1(X) X(1)
#define FC_ROWS_2(X) FC_ROWS_1(X) X(2)
#define FC_ROWS_3(X) FC_ROWS_2(X) X(3)
#define FC_ROWS_4(X) FC_ROWS_3(X) X(4)
#define FC_ROWS_5(X) FC_ROWS_4(X) X(5)
#define FC_ROWS_6(X) FC_ROWS_5(X) X(6)
#define FC_ROWS_7(X) FC_ROWS_6(X) X(7)
#define FC_ROWS_8(X) FC_ROWS_7(X) X(8)
#define FC_ROWS_9(X) FC_ROWS_8(X) X(9)
#define FC_ROWS_10(X) FC_ROWS_9(X) X(10)
#define FC_ROWS_11(X) FC_ROWS_10(X) X(11)
#define FC_ROWS_12(X) FC_ROWS_11(X) X(12)
#define FC_ROWS_13(X) FC_ROWS_12(X) X(13)
#define FC_ROWS_14(X) FC_ROWS_13(X) X(14)
#define FC_PASTE_(a, b) a##b
#define FC_PASTE(a, b) FC_PASTE_(a, b)
#define EACH_ROW(X) FC_PASTE(FC_ROWS_, MR)(X)

#define INLINE static inline __attribute__((always_inline))
#define TAIL static __attribute__((noinline, unused)) /* a few elements one by one: many places, little time in each */
#define APART static __attribute__((noinline)) /* a part of a long function: gcc takes far more than twice the time for twice the length */
#define UNROLL _Pragma("GCC unroll 64")
#define NO_UNROLL _Pragma("GCC unroll 1")

#ifdef __clang__ /* which needs constants: this becomes such a shuffle after loops are unrolled */
INLINE vec v_shuffle(vec a, vec b, ivec from)
{
    vec r;
    UNROLL for (int i = 0; i < VL; i++) r[i] = from[i] < VL ? a[from[i]] : b[from[i] - VL];
    return r;
}
#else
#define v_shuffle(a, b, from) __builtin_shuffle(a, b, from)
#endif
#ifdef __clang__
#define v_permute(a, from) v_shuffle(a, a, from)
#else
#define v_permute(a, from) __builtin_shuffle(a, from)
#endif

INLINE vec v_load(const REAL *p) { return *(const vec_any *)p; }
INLINE void v_store(REAL *p, vec v) { *(vec_any *)p = v; }
INLINE vec v_zero(void) { return (vec){0}; }
INLINE vec v_select(ivec m, vec a, vec b) { return (vec)(((ivec)a & m) | ((ivec)b & ~m)); }
#ifndef v_max
/* the larger one; NaN if either is NaN, the first operand's if both are */
INLINE vec v_max(vec a, vec b) { return v_select((ivec)(b > a) | ((ivec)(b != b) & (ivec)(a == a)), b, a); }
#endif

#ifndef v_larger
#define v_larger(a, b) v_select((ivec)((a) > (b)), a, b)
#define v_smaller(a, b) v_select((ivec)((a) < (b)), a, b)
#endif

#ifndef v_any_nan
INLINE int v_any_nan(vec v)
{
    int found = 0;
    for (int i = 0; i < VL; i++) found |= v[i] != v[i];
    return found;
}
#endif

INLINE vec v_relu(vec x) { return v_larger(v_zero(), x); } /* the second operand if that is NaN */

#ifndef v_load_edge
#define v_load_edge(p, m) v_load_mask(p, m)
#endif

/* Keep v in a register: without it, a broadcast is loaded again for every use. */
#ifndef v_hold
#define v_hold(v) (void)(v)
#endif

/* Round v, a product: the compiler may not join it with the sum that follows. */
#ifndef v_rounded
#define v_rounded(v) (void)(v)
#endif

INLINE int v_finite(vec v)
{
    ivec ok = (ivec)(v - v == v_zero());
    LANE all = -1;
    UNROLL for (int i = 0; i < VL; i++) all &= ok[i];
    return all != 0;
}

#if HAS_MASKS
typedef FC_BIT_MASK vmask;
INLINE vmask v_lanes(ptrdiff_t lo, ptrdiff_t hi)
{
    lo = lo < 0 ? 0 : lo > VL ? VL : lo;
    hi = hi < 0 ? 0 : hi > VL ? VL : hi;
    return (vmask)(((1u << hi) - 1u) & ~((1u << lo) - 1u));
}
#else
typedef ivec vmask;
INLINE vmask v_lanes(ptrdiff_t lo, ptrdiff_t hi)
{
    vmask m;
    UNROLL for (int i = 0; i < VL; i++) m[i] = i >= lo && i < hi ? -1 : 0;
    return m;
}
#define v_keep(v, m, rest) v_select(m, v, rest)
#endif

#ifndef v_beats
INLINE vmask v_beats(vec w, vec v) { return ~(ivec)(w <= v) & (ivec)(v == v); }
#endif

#ifdef FC_SCALAR_TAILS
TAIL vec fc_loadn(const REAL *p, int n)
{
    vec v = v_zero();
    UNROLL for (int i = 0; i < VL; i++)
        if (i < n) v[i] = p[i];
    return v;
}
TAIL void fc_storen(REAL *p, vec v, int n)
{
    UNROLL for (int i = 0; i < VL; i++)
        if (i < n) p[i] = v[i];
}
INLINE vec fc_load_mask(const REAL *p, ivec m)
{
    vec v = v_zero();
    UNROLL for (int i = 0; i < VL; i++)
        if (m[i]) v[i] = p[i];
    return v;
}
INLINE vec fc_sqrt(vec v)
{
    UNROLL for (int i = 0; i < VL; i++) v[i] = FC_DOUBLE ? sqrt(v[i]) : sqrtf(v[i]);
    return v;
}
#endif

#ifndef v_half
INLINE half_vec v_half(vec v)
{
    half_vec h;
    memcpy(&h, &v, sizeof h);
    return h;
}
INLINE vec v_whole(half_vec h)
{
    vec v = v_zero();
    memcpy(&v, &h, sizeof h);
    return v;
}
INLINE half_vec v_half_load_mask(const REAL *p, vmask m)
{
    half_vec h = {0};
    UNROLL for (int i = 0; i < VL / 2; i++)
        if (m[i]) h[i] = p[i];
    return h;
}
#endif

/* 1 / a, where both are far from overflow and underflow */
#ifdef v_rough_inverse /* 14 bits; a Newton step doubles them in a third of the time of a division */
INLINE vec v_inverse(vec a)
{
    vec r = v_rough_inverse(a);
    return v_fma(v_fma(-a, r, v_set1(1)), r, r);
}
#else
#define v_inverse(a) (v_set1(1) / (a))
#endif

#ifndef v_product_error
enum { FC_HALF_BITS = FC_DOUBLE ? 27 : 12 }; /* of a fraction: products of halves are exact */
INLINE vec v_product_error(vec a, vec b, vec product)
{
    vec ah = (vec)((ivec)a >> FC_HALF_BITS << FC_HALF_BITS), bh = (vec)((ivec)b >> FC_HALF_BITS << FC_HALF_BITS);
    vec al = a - ah, bl = b - bh;
    return ((ah * bh - product) + ah * bl) + al * bh + al * bl;
}
#endif

INLINE vec v_abs(vec x) { return (vec)((ivec)x & ~(ivec)v_set1((REAL)-0.0)); }

/* elements 0 2 4 ..., or 1 3 5 ..., of a followed by b */
INLINE vec v_even(vec a, vec b) { return v_shuffle(a, b, v_steps(0, 2)); }
INLINE vec v_odd(vec a, vec b) { return v_shuffle(a, b, v_steps(1, 2)); }

/* elements n to n + VL - 1 of a followed by b; n is a constant, 0 <= n <= VL */
#ifndef v_align
#define v_align(a, b, n) v_shuffle(a, b, v_steps(n, 1))
#endif
INLINE vec v_ahead(vec a, vec b, int n) { return n == 0 ? a : n == VL ? b : v_align(a, b, n); }

/* in every lane the sum, or the largest, of all lanes */
INLINE vec v_sum_lanes(vec v)
{
    UNROLL for (int n = VL / 2; n; n /= 2) v = v + v_ahead(v, v, n);
    return v;
}
INLINE vec v_largest_lane(vec v)
{
    UNROLL for (int n = VL / 2; n; n /= 2) v = v_larger(v, v_ahead(v, v, n));
    return v;
}

/* For v_shuffle: interleave the elements of two vectors, from element `first` of both. */
INLINE ivec v_turns(int first)
{
    ivec turns;
    UNROLL for (int i = 0; i < VL; i++) turns[i] = first + i / 2 + i % 2 * VL;
    return turns;
}

/* Blocks of 16 bytes: QUAD elements, within which shuffles are cheap. */
enum { QUAD = 16 / sizeof(REAL) };

/* Interleave units of 1 or 2 elements of a and b, block by block: the first half of each block to a, the second to b. */
INLINE void v_interleave_quads(vec *a, vec *b, const int unit)
{
    const ivec i = v_steps(0, 1), lo = (i & -QUAD) + ((i & (QUAD - 1)) / (2 * unit)) * unit + (i & (unit - 1)) + (i / unit & 1) * VL;
    vec first = v_shuffle(*a, *b, lo);
    *b = v_shuffle(*a, *b, lo + QUAD / 2);
    *a = first;
}

/* Transpose a VL x VL block in registers: log2(VL) rounds that interleave row i with row i + VL/2; with vectors of two blocks of
   16 bytes, whose halves need two more instructions to interleave, blocks are interleaved within first. */
INLINE void v_transpose(vec *r)
{
    if (VL == 2 * QUAD) {
        const ivec lo = (v_steps(0, 1) & (QUAD - 1)) + v_steps(0, 1) / QUAD * VL;
        vec t[VL];
        UNROLL for (int i = 0; i < VL; i += 2) v_interleave_quads(r + i, r + i + 1, 1);
        if (QUAD == 4)
            UNROLL for (int i = 0; i < VL; i += 4)
            {
                v_interleave_quads(r + i, r + i + 2, 2);
                v_interleave_quads(r + i + 1, r + i + 3, 2);
            }
        UNROLL for (int i = 0; i < QUAD; i++)
        {
            const int from = QUAD == 4 ? i % 2 * 2 + i / 2 : i; /* two rounds exchange 1 and 2 */
            t[i] = v_shuffle(r[from], r[from + QUAD], lo);
            t[i + QUAD] = v_shuffle(r[from], r[from + QUAD], lo + QUAD);
        }
        UNROLL for (int i = 0; i < VL; i++) r[i] = t[i];
        return;
    }
    ivec lo = v_turns(0), hi = v_turns(VL / 2);
    UNROLL for (int round = 1; round < VL; round *= 2)
    {
        vec t[VL];
        UNROLL for (int i = 0; i < VL / 2; i++)
        {
            t[2 * i] = v_shuffle(r[i], r[i + VL / 2], lo);
            t[2 * i + 1] = v_shuffle(r[i], r[i + VL / 2], hi);
        }
        UNROLL for (int i = 0; i < VL; i++) r[i] = t[i];
    }
}

/* The vector whose lane p is the sum of r[p]'s lanes: in each round halves are added while row i is interleaved with row i + rows/2. */
INLINE vec v_sums(vec *r)
{
    ivec lo = v_turns(0), hi = v_turns(VL / 2);
    UNROLL for (int rows = VL; rows > 1; rows /= 2)
        UNROLL for (int i = 0; i < rows / 2; i++)
            r[i] = v_shuffle(r[i], r[i + rows / 2], lo) + v_shuffle(r[i], r[i + rows / 2], hi);
    return r[0];
}

#if !FC_DOUBLE
/* 16-bit floats, in the lower half of a vector's bits, to float and back, rounded to the nearest, ties to even; NaN stays NaN. */
typedef uint16_t short_vec __attribute__((vector_size(VBYTES / 2)));
typedef uint16_t short_vec_any __attribute__((vector_size(VBYTES / 2), aligned(2), may_alias));
typedef uint32_t uvec __attribute__((vector_size(VBYTES)));

#ifndef v_from_float16
INLINE vec v_from_float16(short_vec h)
{
    const uvec all = __builtin_convertvector(h, uvec), sign = (all & 0x8000) << 16, rest = all & 0x7fff;
    const ivec special = (ivec)rest >= 0x7c00, tiny = (ivec)rest < 0x400;
    const uvec normal = (rest << 13) + (112u << 23) + ((uvec)special & (112u << 23));
    const vec small = __builtin_convertvector((ivec)rest, vec) * 0x1p-24f;
    return (vec)((uvec)v_select(tiny, small, (vec)normal) | sign);
}

INLINE short_vec v_to_float16(vec v)
{
    const uvec sign = (uvec)v & 0x80000000u, rest = (uvec)v ^ sign;
    const uvec normal = (rest - (112u << 23) + 0xfff + ((rest >> 13) & 1)) >> 13;
    const uvec tiny = (uvec)((vec)rest + 0.5f) - 0x3f000000u; /* the addition rounds to the precision of half floats */
    uvec r = (uvec)v_select((ivec)rest < 0x38800000, (vec)tiny, (vec)normal);
    r = (uvec)v_select((ivec)rest >= 0x47800000, (vec)(r * 0 + 0x7c00), (vec)r);
    r = (uvec)v_select((ivec)rest > 0x7f800000, (vec)(r * 0 + 0x7e00), (vec)r);
    return __builtin_convertvector(r | (sign >> 16), short_vec);
}
#endif

#ifndef v_from_bfloat16
INLINE vec v_from_bfloat16(short_vec h) { return (vec)(__builtin_convertvector(h, uvec) << 16); }
#endif

#ifndef v_join_pairs
INLINE vec v_join_pairs(short_vec low, short_vec high)
{
    return (vec)(__builtin_convertvector(low, uvec) | __builtin_convertvector(high, uvec) << 16);
}
#endif

#ifndef v_to_bfloat16
INLINE short_vec v_to_bfloat16(vec v)
{
    const uvec all = (uvec)v, rounded = (all + 0x7fff + ((all >> 16) & 1)) >> 16;
    const uvec quiet = (all >> 16) | 0x40;
    return __builtin_convertvector((uvec)v_select((ivec)(v != v), (vec)quiet, (vec)rounded), short_vec);
}
#endif
#endif

/* Elements as memory holds them: REAL, or 16-bit floats, which are REAL in registers only. */
#define FC_AS_IS 0
#define FC_FLOAT16 1
#define FC_BFLOAT16 2
#define FC_BFLOAT16_PAIRS 3 /* an element is a pair of 16-bit numbers, the first in the lower half, and takes part in products only */
#define FC_INT16_PAIRS 4    /* sums are integers of as many bits as REAL has */
#define FC_INT64 5
#ifndef FC_STORED
#define FC_STORED FC_AS_IS
#endif
#if FC_STORED == FC_BFLOAT16_PAIRS
#ifdef v_dot_bfloat16
#define v_dot(a, b, c) v_dot_bfloat16(a, b, c)
#else
INLINE vec v_dot(vec a, vec b, vec c)
{
    const ivec upper = (ivec){0} + (LANE)0xffff0000;
    c = v_fma((vec)((ivec)a & upper), (vec)((ivec)b & upper), c);
    return v_fma((vec)((ivec)a << 16), (vec)((ivec)b << 16), c);
}
#endif
#elif FC_STORED == FC_INT16_PAIRS
#ifdef v_dot_int16
#define v_dot(a, b, c) v_dot_int16(a, b, c)
#else
INLINE vec v_dot(vec a, vec b, vec c)
{
    const ivec upper = ((ivec)a >> 16) * ((ivec)b >> 16), lower = ((ivec)a << 16 >> 16) * ((ivec)b << 16 >> 16);
    return (vec)((ivec)c + upper + lower);
}
#endif
#elif FC_STORED == FC_INT64
#define v_dot(a, b, c) ((vec)((uint_vec)(a) * (uint_vec)(b) + (uint_vec)(c)))
#else
#define v_dot(a, b, c) v_fma(a, b, c)
#endif
#if FC_STORED >= FC_INT16_PAIRS
#define v_sum(a, b) ((vec)((uint_vec)(a) + (uint_vec)(b)))
#define v_no_sum() v_zero()
#define v_positive(a) ((vec)((ivec)(a) & ((ivec)(a) > 0)))
#define v_scaled(a, factor, b) v_sum(a, b) /* the factor is 1 */
#else
#define v_sum(a, b) ((a) + (b))
#define v_no_sum() v_set1((REAL)-0.0)
#define v_positive(a) v_relu(a)
#define v_scaled(a, factor, b) v_fma(a, v_set1((REAL)(factor)), b)
#endif
#if FC_STORED == FC_AS_IS || FC_STORED >= FC_BFLOAT16_PAIRS
typedef REAL STORED;
#define s_load(p) v_load(p)
#define s_store(p, v) v_store(p, v)
#define s_loadn(p, n) v_loadn(p, n)
#define s_storen(p, v, n) v_storen(p, v, n)
#define s_load_mask(p, m) v_load_mask(p, m)
#else
typedef uint16_t STORED;
#if FC_STORED == FC_FLOAT16
#define s_widen(h) v_from_float16(h)
#define s_narrow(v) v_to_float16(v)
#else
#define s_widen(h) v_from_bfloat16(h)
#define s_narrow(v) v_to_bfloat16(v)
#endif
INLINE vec s_load(const STORED *p) { return s_widen(*(const short_vec_any *)p); }
INLINE void s_store(STORED *p, vec v) { *(short_vec_any *)p = s_narrow(v); }
#if HAS_MASKS
INLINE vec s_load_mask(const STORED *p, vmask m) { return s_widen(v_short_load_mask(p, m)); }
INLINE vec s_loadn(const STORED *p, int n) { return s_load_mask(p, v_lanes(0, n)); }
INLINE void s_storen(STORED *p, vec v, int n) { v_short_store_mask(p, s_narrow(v), v_lanes(0, n)); }
#else
INLINE vec s_load_mask(const STORED *p, vmask m)
{
    short_vec h = {0};
    UNROLL for (int i = 0; i < VL; i++)
        if (m[i]) h[i] = p[i];
    return s_widen(h);
}
/* The first n elements: 1, 2, 4 ... of them at a time. */
TAIL vec s_loadn(const STORED *p, int n)
{
    short_vec h = {0};
    char *to = (char *)&h;
    UNROLL for (int part = VL; part; part /= 2)
        if (n & part) {
            memcpy(to, p, part * sizeof *p);
            to += part * sizeof *p, p += part;
        }
    return s_widen(h);
}
TAIL void s_storen(STORED *p, vec v, int n)
{
    const short_vec h = s_narrow(v);
    const char *from = (const char *)&h;
    UNROLL for (int part = VL; part; part /= 2)
        if (n & part) {
            memcpy(p, from, part * sizeof *p);
            from += part * sizeof *p, p += part;
        }
}
#endif
#endif
