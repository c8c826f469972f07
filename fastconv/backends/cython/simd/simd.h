/* The neutral words that kernel bodies are written in.

   REAL      float or double (FC_DOUBLE)
   vec       VL of them in a register
   v_load, v_store            whole vectors, any alignment
   v_loadn, v_storen          the first n lanes, 0 <= n <= VL; memory behind them is not touched, lanes behind are 0
   v_set1, v_fma (a*b + c), v_relu (NaN survives), v_max (NaN survives)

   The ISA's header comes first and supplies VBYTES, MR, v_set1, v_fma, v_loadn and v_storen.
   Vector arithmetic is written with the compiler's operators on vec. */
#pragma once

#if FC_DOUBLE
typedef double REAL;
typedef int64_t LANE;
#else
typedef float REAL;
typedef int32_t LANE;
#endif
typedef REAL vec __attribute__((vector_size(VBYTES)));
typedef LANE ivec __attribute__((vector_size(VBYTES)));
typedef REAL vec_any __attribute__((vector_size(VBYTES), aligned(sizeof(REAL)), may_alias));

#define VL ((int)(VBYTES / sizeof(REAL)))
#define NV 2         /* vectors per row of a register tile */
#define NR (NV * VL) /* lanes per row of a register tile */

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 64")
#define NO_UNROLL _Pragma("GCC unroll 1")

INLINE vec v_load(const REAL *p) { return *(const vec_any *)p; }
INLINE void v_store(REAL *p, vec v) { *(vec_any *)p = v; }
INLINE vec v_zero(void) { return (vec){0}; }
INLINE vec v_select(ivec m, vec a, vec b) { return (vec)(((ivec)a & m) | ((ivec)b & ~m)); }
/* x < 0 is false for NaN, so NaN is kept */
INLINE vec v_relu(vec x) { return (vec)((ivec)x & ~(ivec)(x < v_zero())); }

/* the larger one; NaN if either is NaN, the first operand's if both are */
INLINE vec v_max(vec a, vec b) { return v_select((ivec)(b > a) | ((ivec)(b != b) & (ivec)(a == a)), b, a); }

#ifdef FC_SCALAR_TAILS
INLINE vec fc_loadn(const REAL *p, int n)
{
    vec v = v_zero();
    for (int i = 0; i < n; i++) v[i] = p[i];
    return v;
}
INLINE void fc_storen(REAL *p, vec v, int n)
{
    for (int i = 0; i < n; i++) p[i] = v[i];
}
#endif

/* Transpose a VL x VL block in registers: log2(VL) rounds that interleave row i with row i + VL/2. */
INLINE void v_transpose(vec *r)
{
    ivec lo, hi;
    UNROLL for (int i = 0; i < VL; i++)
    {
        lo[i] = i / 2 + i % 2 * VL;
        hi[i] = VL / 2 + i / 2 + i % 2 * VL;
    }
    UNROLL for (int round = 1; round < VL; round *= 2)
    {
        vec t[VL];
        UNROLL for (int i = 0; i < VL / 2; i++)
        {
            t[2 * i] = __builtin_shuffle(r[i], r[i + VL / 2], lo);
            t[2 * i + 1] = __builtin_shuffle(r[i], r[i + VL / 2], hi);
        }
        UNROLL for (int i = 0; i < VL; i++) r[i] = t[i];
    }
}
