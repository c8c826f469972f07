/* avx512, double.  The flags are in setup.py; sizes and words in isa/avx512.h. */
#include <stdint.h>
#define FC_DOUBLE 1
#define FC_TABLE fc_avx512_f64
#include "isa/avx512.h"

#include "kernels.inc"
