/* AVX-512: 16 floats or 8 doubles per vector, 32 registers.  See simd.h for the words. */
#include <immintrin.h>
#define VBYTES 64
#define MR 14 /* 14 x 2 accumulators + 2 vectors + 1 broadcast (folded into the FMA) = 30 of 32 */

#if FC_DOUBLE
#define v_set1(a) ((vec)_mm512_set1_pd(a))
#define v_fma(a, b, c) ((vec)_mm512_fmadd_pd((__m512d)(a), (__m512d)(b), (__m512d)(c)))
#define v_loadn(p, n) ((vec)_mm512_maskz_loadu_pd((__mmask8)v_first(n), p))
#define v_storen(p, v, n) _mm512_mask_storeu_pd(p, (__mmask8)v_first(n), (__m512d)(v))
#else
#define v_set1(a) ((vec)_mm512_set1_ps(a))
#define v_fma(a, b, c) ((vec)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define v_loadn(p, n) ((vec)_mm512_maskz_loadu_ps((__mmask16)v_first(n), p))
#define v_storen(p, v, n) _mm512_mask_storeu_ps(p, (__mmask16)v_first(n), (__m512)(v))
#endif
/* a mask of the first n lanes, 0 <= n <= 16 */
#define v_first(n) ((1u << (n)) - 1u)
