/* An instruction set that no CPU has, made of the compiler's vectors: 256 bits, 32 registers, FMA, no masks, and tiles of 8 or 12 rows.
   Bodies that pass their tests on it ask for traits, and for no instruction set that they know. */
#define VBYTES 32
#define NREGS 32
#define HAS_FMA 1
#define HAS_MASKS 0
#define HAS_ALIGN 0
#if FC_DOUBLE
#define MR 12
#define v_set1(a) ((vec){(a), (a), (a), (a)})
#else
#define MR 8
#define v_set1(a) ((vec){(a), (a), (a), (a), (a), (a), (a), (a)})
#endif
#define v_fma(a, b, c) ((a) * (b) + (c))
#define v_loadn(p, n) fc_loadn(p, n)
#define v_storen(p, v, n) fc_storen(p, v, n)
#define v_load_mask(p, m) fc_load_mask(p, m)
#define v_sqrt(a) fc_sqrt(a)
#define FC_SCALAR_TAILS 1
