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
#define INVENTED_FMA __builtin_fma
typedef double invented_vec __attribute__((vector_size(VBYTES)));
#else
#define MR 8
#define v_set1(a) ((vec){(a), (a), (a), (a), (a), (a), (a), (a)})
#define INVENTED_FMA __builtin_fmaf
typedef float invented_vec __attribute__((vector_size(VBYTES)));
#endif
/* Rounds once, as HAS_FMA says; a product and a sum would round twice. */
static inline invented_vec v_fma(invented_vec a, invented_vec b, invented_vec c)
{
    for (unsigned i = 0; i < VBYTES / sizeof a[0]; i++) a[i] = INVENTED_FMA(a[i], b[i], c[i]);
    return a;
}
#define v_loadn(p, n) fc_loadn(p, n)
#define v_storen(p, v, n) fc_storen(p, v, n)
#define v_load_mask(p, m) fc_load_mask(p, m)
#define v_sqrt(a) fc_sqrt(a)
#define FC_SCALAR_TAILS 1
