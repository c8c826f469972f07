/* AVX2 with FMA: 8 floats or 4 doubles per vector, 16 registers.  See simd.h for the functions. */
#include <immintrin.h>
#define VBYTES 32
#define NREGS 16
#define HAS_FMA 1
#define HAS_MASKS 0
#define HAS_ALIGN 0 /* halves of 16 bytes are shifted apart */
#define MR 6 /* 6 x 2 accumulators + 2 vectors + 1 broadcast = 15 of 16 */

/* -1 in the first n lanes: a window into eight ones and eight zeros */
static const int32_t fc_lanes[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
static const int64_t fc_lanes64[8] = {-1, -1, -1, -1};

#if FC_DOUBLE
#define v_set1(a) ((vec)_mm256_set1_pd(a))
#define v_fma(a, b, c) ((vec)_mm256_fmadd_pd((__m256d)(a), (__m256d)(b), (__m256d)(c)))
#define v_first(n) _mm256_loadu_si256((const __m256i *)(fc_lanes64 + 4 - (n)))
#define v_loadn(p, n) ((vec)_mm256_maskload_pd(p, v_first(n)))
#define v_storen(p, v, n) _mm256_maskstore_pd(p, v_first(n), (__m256d)(v))
#define v_load_mask(p, m) ((vec)_mm256_maskload_pd(p, (__m256i)(m)))
#define v_sqrt(a) ((vec)_mm256_sqrt_pd((__m256d)(a)))
#define v_larger(a, b) ((vec)_mm256_max_pd((__m256d)(a), (__m256d)(b)))
#define v_smaller(a, b) ((vec)_mm256_min_pd((__m256d)(a), (__m256d)(b)))
#define v_any_nan(v) (_mm256_movemask_pd(_mm256_cmp_pd((__m256d)(v), (__m256d)(v), _CMP_UNORD_Q)) != 0)
#define v_any_less(a, b) (_mm256_movemask_pd(_mm256_cmp_pd((__m256d)(a), (__m256d)(b), _CMP_LT_OQ)) != 0)
/* max gives its second operand if one is NaN: a NaN in a stays, one in b makes all bits of the lane one, a NaN too */
#define v_max(a, b) ((vec)_mm256_or_pd(_mm256_max_pd((__m256d)(b), (__m256d)(a)), \
    _mm256_cmp_pd((__m256d)(b), (__m256d)(b), _CMP_UNORD_Q)))
#else
#define v_set1(a) ((vec)_mm256_set1_ps(a))
#define v_fma(a, b, c) ((vec)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define v_first(n) _mm256_loadu_si256((const __m256i *)(fc_lanes + 8 - (n)))
#define v_loadn(p, n) ((vec)_mm256_maskload_ps(p, v_first(n)))
#define v_storen(p, v, n) _mm256_maskstore_ps(p, v_first(n), (__m256)(v))
#define v_load_mask(p, m) ((vec)_mm256_maskload_ps(p, (__m256i)(m)))
#define v_sqrt(a) ((vec)_mm256_sqrt_ps((__m256)(a)))
#define v_larger(a, b) ((vec)_mm256_max_ps((__m256)(a), (__m256)(b)))
#define v_smaller(a, b) ((vec)_mm256_min_ps((__m256)(a), (__m256)(b)))
#define v_any_nan(v) (_mm256_movemask_ps(_mm256_cmp_ps((__m256)(v), (__m256)(v), _CMP_UNORD_Q)) != 0)
#define v_any_less(a, b) (_mm256_movemask_ps(_mm256_cmp_ps((__m256)(a), (__m256)(b), _CMP_LT_OQ)) != 0)
/* max gives its second operand if one is NaN: a NaN in a stays, one in b makes all bits of the lane one, a NaN too */
#define v_max(a, b) ((vec)_mm256_or_ps(_mm256_max_ps((__m256)(b), (__m256)(a)), \
    _mm256_cmp_ps((__m256)(b), (__m256)(b), _CMP_UNORD_Q)))
#define v_dot_int16(a, b, c) ((vec)_mm256_add_epi32((__m256i)(c), _mm256_madd_epi16((__m256i)(a), (__m256i)(b))))
#define v_from_bfloat16(h) ((vec)_mm256_slli_epi32(_mm256_cvtepu16_epi32((__m128i)(h)), 16))
#define v_from_float16(h) ((vec)_mm256_cvtph_ps((__m128i)(h)))
#define v_to_float16(v) ((short_vec)_mm256_cvtps_ph((__m256)(v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC))
#endif
/* A masked load that waits for memory stalls all other instructions, and the hardware does not prefetch for it: prefetch the next rows. */
#define v_load_edge(p, m) (__builtin_prefetch((const char *)(p) + 1024), v_load_mask(p, m))
#define v_product_error(a, b, product) v_fma(a, b, -(product))
#define v_rounded(v) __asm__("" : "+x"(v))
