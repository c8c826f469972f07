/* avx2, float.  The flags are in setup.py; sizes and words in isa/avx2.h. */
#include <stdint.h>
#define FC_DOUBLE 0
#define FC_TABLE fc_avx2_f32
#include "isa/avx2.h"

#include "kernels.inc"
