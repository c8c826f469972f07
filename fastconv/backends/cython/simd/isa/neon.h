/* NEON of aarch64: 4 floats or 2 doubles per vector, 32 registers.  See simd.h for the functions. */
#include <arm_neon.h>
#define VBYTES 16
#define NREGS 32
#define HAS_FMA 1
#define HAS_MASKS 0
#define HAS_ALIGN 1
#define MR 12 /* 12 x 2 accumulators + 2 vectors + 3 vectors of scalars, one lane of which is an operand of the FMA = 29 of 32 */

#if FC_DOUBLE
#define v_set1(a) ((vec)vdupq_n_f64(a))
#define v_fma(a, b, c) ((vec)vfmaq_f64((float64x2_t)(c), (float64x2_t)(a), (float64x2_t)(b)))
#define v_sqrt(a) ((vec)vsqrtq_f64((float64x2_t)(a)))
#else
#define v_set1(a) ((vec)vdupq_n_f32(a))
#define v_fma(a, b, c) ((vec)vfmaq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(b)))
#define v_sqrt(a) ((vec)vsqrtq_f32((float32x4_t)(a)))
#define v_from_float16(h) ((vec)vcvt_f32_f16((float16x4_t)(h)))
#define v_to_float16(v) ((short_vec)vcvt_f16_f32((float32x4_t)(v)))
#endif
#define v_loadn(p, n) fc_loadn(p, n)
#define v_storen(p, v, n) fc_storen(p, v, n)
#define v_load_mask(p, m) fc_load_mask(p, m)
#define v_any_nan(v) (vminvq_u32((uint32x4_t)((v) == (v))) == 0)
#define v_hold(v) __asm__("" : "+w"(v))
#define v_rounded(v) v_hold(v)
#define v_product_error(a, b, product) v_fma(a, b, -(product))
#define FC_SCALAR_TAILS 1
