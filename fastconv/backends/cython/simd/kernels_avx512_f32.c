/* avx512, float.  The flags are in setup.py; sizes and words in isa/avx512.h. */
#include <stdint.h>
#define FC_DOUBLE 0
#define FC_TABLE fc_avx512_f32
#include "isa/avx512.h"

#include "kernels.inc"
