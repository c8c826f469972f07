/* AVX-512: 16 floats or 8 doubles per vector, 32 registers.  See simd.h for the functions. */
#include <immintrin.h>
#define VBYTES 64
#define NREGS 32
#define HAS_FMA 1
#define HAS_MASKS 1
#define HAS_ALIGN 1
#define MR 14 /* 14 x 2 accumulators + 2 vectors + 1 broadcast (folded into the FMA) = 30 of 32 */

#if FC_DOUBLE
#define v_set1(a) ((vec)_mm512_set1_pd(a))
#define v_fma(a, b, c) ((vec)_mm512_fmadd_pd((__m512d)(a), (__m512d)(b), (__m512d)(c)))
#define v_loadn(p, n) ((vec)_mm512_maskz_loadu_pd((__mmask8)v_first(n), p))
#define v_storen(p, v, n) _mm512_mask_storeu_pd(p, (__mmask8)v_first(n), (__m512d)(v))
#define v_load_mask(p, m) ((vec)_mm512_maskz_loadu_pd(m, p))
#define v_half(a) ((half_vec)_mm512_castpd512_pd256((__m512d)(a)))
#define v_whole(a) ((vec)_mm512_castpd256_pd512((__m256d)(a)))
#define v_half_load_mask(p, m) ((half_vec)_mm256_maskz_loadu_pd(m, p))
#define v_sqrt(a) ((vec)_mm512_sqrt_pd((__m512d)(a)))
#ifndef __clang__ /* the intrinsic needs a constant, also before functions are inlined */
#define v_align(a, b, n) ((vec)_mm512_alignr_epi64((__m512i)(b), (__m512i)(a), n))
#endif
#define v_larger(a, b) ((vec)_mm512_max_pd((__m512d)(a), (__m512d)(b)))
#define v_smaller(a, b) ((vec)_mm512_min_pd((__m512d)(a), (__m512d)(b)))
#define v_scale(a, b) ((vec)_mm512_scalef_pd((__m512d)(a), (__m512d)(b)))
#define v_any_nan(v) (_mm512_cmp_pd_mask((__m512d)(v), (__m512d)(v), _CMP_UNORD_Q) != 0)
#define v_any_less(a, b) (_mm512_cmp_pd_mask((__m512d)(a), (__m512d)(b), _CMP_LT_OQ) != 0)
#define FC_BIT_MASK __mmask8
#define v_keep(v, m, rest) ((vec)_mm512_mask_mov_pd((__m512d)(rest), m, (__m512d)(v)))
#define v_gather8(to, x, at, nothing, fill) _mm512_storeu_pd(to, _mm512_mask_i64gather_pd(_mm512_set1_pd(fill), \
    _mm512_cmpneq_epi64_mask(_mm512_loadu_si512(at), _mm512_set1_epi64(nothing)), _mm512_loadu_si512(at), x, 8))
/* max gives its second operand if one is NaN: a NaN in a stays, one in b is inserted afterwards */
#define v_max(a, b) ((vec)_mm512_mask_mov_pd(_mm512_max_pd((__m512d)(b), (__m512d)(a)), \
    _mm512_cmp_pd_mask((__m512d)(b), (__m512d)(b), _CMP_UNORD_Q), (__m512d)(b)))
#define v_beats(w, v) _mm512_mask_cmp_pd_mask( \
    _mm512_cmp_pd_mask((__m512d)(v), (__m512d)(v), _CMP_ORD_Q), (__m512d)(w), (__m512d)(v), _CMP_NLE_UQ)
#else
#define v_set1(a) ((vec)_mm512_set1_ps(a))
#define v_fma(a, b, c) ((vec)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define v_loadn(p, n) ((vec)_mm512_maskz_loadu_ps((__mmask16)v_first(n), p))
#define v_storen(p, v, n) _mm512_mask_storeu_ps(p, (__mmask16)v_first(n), (__m512)(v))
#define v_load_mask(p, m) ((vec)_mm512_maskz_loadu_ps(m, p))
#define v_half(a) ((half_vec)_mm512_castps512_ps256((__m512)(a)))
#define v_whole(a) ((vec)_mm512_castps256_ps512((__m256)(a)))
#define v_half_load_mask(p, m) ((half_vec)_mm256_maskz_loadu_ps((__mmask8)(m), p))
#define v_sqrt(a) ((vec)_mm512_sqrt_ps((__m512)(a)))
#ifndef __clang__ /* the intrinsic needs a constant, also before functions are inlined */
#define v_align(a, b, n) ((vec)_mm512_alignr_epi32((__m512i)(b), (__m512i)(a), n))
#endif
#define v_larger(a, b) ((vec)_mm512_max_ps((__m512)(a), (__m512)(b)))
#define v_smaller(a, b) ((vec)_mm512_min_ps((__m512)(a), (__m512)(b)))
#define v_scale(a, b) ((vec)_mm512_scalef_ps((__m512)(a), (__m512)(b)))
#define v_rough_inverse(a) ((vec)_mm512_rcp14_ps((__m512)(a)))
#define v_any_nan(v) (_mm512_cmp_ps_mask((__m512)(v), (__m512)(v), _CMP_UNORD_Q) != 0)
#define v_any_less(a, b) (_mm512_cmp_ps_mask((__m512)(a), (__m512)(b), _CMP_LT_OQ) != 0)
#define FC_BIT_MASK __mmask16
#define v_keep(v, m, rest) ((vec)_mm512_mask_mov_ps((__m512)(rest), m, (__m512)(v)))
#define v_gather8(to, x, at, nothing, fill) _mm256_storeu_ps(to, _mm512_mask_i64gather_ps(_mm256_set1_ps(fill), \
    _mm512_cmpneq_epi64_mask(_mm512_loadu_si512(at), _mm512_set1_epi64(nothing)), _mm512_loadu_si512(at), x, 4))
/* max gives its second operand if one is NaN: a NaN in a stays, one in b is inserted afterwards */
#define v_max(a, b) ((vec)_mm512_mask_mov_ps(_mm512_max_ps((__m512)(b), (__m512)(a)), \
    _mm512_cmp_ps_mask((__m512)(b), (__m512)(b), _CMP_UNORD_Q), (__m512)(b)))
#define v_beats(w, v) _mm512_mask_cmp_ps_mask( \
    _mm512_cmp_ps_mask((__m512)(v), (__m512)(v), _CMP_ORD_Q), (__m512)(w), (__m512)(v), _CMP_NLE_UQ)
#ifdef __AVX512BF16__
#define v_sums_to_bfloat16(v) ((short_vec)_mm512_cvtneps_pbh((__m512)(v)))
#define v_dot_bfloat16(a, b, c) ((vec)_mm512_dpbf16_ps((__m512)(c), (__m512bh)(a), (__m512bh)(b)))
#endif
#ifdef __AVX512VNNI__
#define v_dot_int16(a, b, c) ((vec)_mm512_dpwssd_epi32((__m512i)(c), (__m512i)(a), (__m512i)(b)))
#else
#define v_dot_int16(a, b, c) ((vec)_mm512_add_epi32((__m512i)(c), _mm512_madd_epi16((__m512i)(a), (__m512i)(b))))
#endif
/* bfloat16 is the upper half of a lane: one shuffle takes the place of a conversion and a shift */
#define v_from_bfloat16(h) ((vec)_mm512_maskz_permutexvar_epi16(0xaaaaaaaa, (__m512i)v_steps(0, 0x10000), _mm512_castsi256_si512((__m256i)(h))))
#define v_to_bfloat16(v) ((short_vec)_mm512_castsi512_si256(_mm512_permutexvar_epi16((__m512i)v_steps(0x30001, 0x40004), fc_bfloat16((__m512)(v)))))
static inline __attribute__((always_inline)) __m512i fc_bfloat16(__m512 v)
{
    const __m512i all = _mm512_castps_si512(v), odd = _mm512_and_si512(_mm512_srli_epi32(all, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(all, _mm512_set1_epi32(0x7fff)), odd);
    return _mm512_mask_or_epi32(rounded, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), all, _mm512_set1_epi32(0x400000));
}
#define v_join_pairs(low, high) ((vec)_mm512_permutex2var_epi16(_mm512_castsi256_si512((__m256i)(low)), (__m512i)v_steps(0x200000, 0x10001), \
    _mm512_castsi256_si512((__m256i)(high))))
#define v_lookup(p, i) ((vec)_mm512_permutex2var_ps(_mm512_loadu_ps(p), (__m512i)(i), _mm512_loadu_ps((p) + 16)))
#define v_from_float16(h) ((vec)_mm512_cvtph_ps((__m256i)(h)))
#define v_to_float16(v) ((short_vec)_mm512_cvtps_ph((__m512)(v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC))
#define v_short_load_mask(p, m) ((short_vec)_mm256_maskz_loadu_epi16(m, p))
#define v_short_store_mask(p, h, m) _mm256_mask_storeu_epi16(p, m, (__m256i)(h))
#endif
/* a mask of the first n lanes, 0 <= n <= 16 */
#define v_first(n) ((1u << (n)) - 1u)
#define v_hold(v) __asm__("" : "+v"(v))
#define v_rounded(v) v_hold(v)
#define v_product_error(a, b, product) v_fma(a, b, -(product))
