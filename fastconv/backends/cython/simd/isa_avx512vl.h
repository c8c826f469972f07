/* AVX-512 in vectors of half its width: 8 floats or 4 doubles per vector, 32 registers.  See simd.h for the words. */
#include <immintrin.h>
#define VBYTES 32
#define MR 14 /* 14 x 2 accumulators + 2 vectors + 1 broadcast (folded into the FMA) = 30 of 32 */

#if FC_DOUBLE
#define v_set1(a) ((vec)_mm256_set1_pd(a))
#define v_fma(a, b, c) ((vec)_mm256_fmadd_pd((__m256d)(a), (__m256d)(b), (__m256d)(c)))
#define v_loadn(p, n) ((vec)_mm256_maskz_loadu_pd((__mmask8)v_first(n), p))
#define v_storen(p, v, n) _mm256_mask_storeu_pd(p, (__mmask8)v_first(n), (__m256d)(v))
#define v_load_mask(p, m) ((vec)_mm256_maskz_loadu_pd(m, p))
#define v_sqrt(a) ((vec)_mm256_sqrt_pd((__m256d)(a)))
#define v_align(a, b, n) ((vec)_mm256_alignr_epi64((__m256i)(b), (__m256i)(a), n))
#define v_larger(a, b) ((vec)_mm256_max_pd((__m256d)(a), (__m256d)(b)))
#define v_smaller(a, b) ((vec)_mm256_min_pd((__m256d)(a), (__m256d)(b)))
#define v_scale(a, b) ((vec)_mm256_scalef_pd((__m256d)(a), (__m256d)(b)))
#define v_any_nan(v) (_mm256_cmp_pd_mask((__m256d)(v), (__m256d)(v), _CMP_UNORD_Q) != 0)
#define FC_BIT_MASK __mmask8
#define v_keep(v, m, rest) ((vec)_mm256_mask_mov_pd((__m256d)(rest), m, (__m256d)(v)))
/* max gives its second operand if one is NaN: a NaN in a stays, one in b is put in after */
#define v_max(a, b) ((vec)_mm256_mask_mov_pd(_mm256_max_pd((__m256d)(b), (__m256d)(a)), \
    _mm256_cmp_pd_mask((__m256d)(b), (__m256d)(b), _CMP_UNORD_Q), (__m256d)(b)))
#else
#define v_set1(a) ((vec)_mm256_set1_ps(a))
#define v_fma(a, b, c) ((vec)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define v_loadn(p, n) ((vec)_mm256_maskz_loadu_ps((__mmask8)v_first(n), p))
#define v_storen(p, v, n) _mm256_mask_storeu_ps(p, (__mmask8)v_first(n), (__m256)(v))
#define v_load_mask(p, m) ((vec)_mm256_maskz_loadu_ps(m, p))
#define v_sqrt(a) ((vec)_mm256_sqrt_ps((__m256)(a)))
#define v_align(a, b, n) ((vec)_mm256_alignr_epi32((__m256i)(b), (__m256i)(a), n))
#define v_larger(a, b) ((vec)_mm256_max_ps((__m256)(a), (__m256)(b)))
#define v_smaller(a, b) ((vec)_mm256_min_ps((__m256)(a), (__m256)(b)))
#define v_scale(a, b) ((vec)_mm256_scalef_ps((__m256)(a), (__m256)(b)))
#define v_rough_inverse(a) ((vec)_mm256_rcp14_ps((__m256)(a)))
#define v_any_nan(v) (_mm256_cmp_ps_mask((__m256)(v), (__m256)(v), _CMP_UNORD_Q) != 0)
#define FC_BIT_MASK __mmask8
#define v_keep(v, m, rest) ((vec)_mm256_mask_mov_ps((__m256)(rest), m, (__m256)(v)))
/* max gives its second operand if one is NaN: a NaN in a stays, one in b is put in after */
#define v_max(a, b) ((vec)_mm256_mask_mov_ps(_mm256_max_ps((__m256)(b), (__m256)(a)), \
    _mm256_cmp_ps_mask((__m256)(b), (__m256)(b), _CMP_UNORD_Q), (__m256)(b)))
#endif
/* a mask of the first n lanes, 0 <= n <= 8 */
#define v_first(n) ((1u << (n)) - 1u)
#define v_hold(v) __asm__("" : "+v"(v))
#define v_product_error(a, b, product) v_fma(a, b, -(product))
