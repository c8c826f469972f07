/* Any CPU: vectors of 16 bytes as the compiler makes them.  See simd.h for the functions. */
#define VBYTES 16
#define NREGS 16
#define HAS_FMA 0
#define HAS_MASKS 0
#define HAS_ALIGN 0
#define MR 4 /* 4 x 2 accumulators + 2 vectors + 2 products + 1 broadcast = 13 of 16 */

#if FC_DOUBLE
#define v_set1(a) ((vec){(a), (a)})
#else
#define v_set1(a) ((vec){(a), (a), (a), (a)})
#endif
#define v_fma(a, b, c) ((a) * (b) + (c))
#define v_loadn(p, n) fc_loadn(p, n)
#define v_storen(p, v, n) fc_storen(p, v, n)
#define v_load_mask(p, m) fc_load_mask(p, m)
#define v_sqrt(a) fc_sqrt(a)
#define FC_SCALAR_TAILS 1
