/* avx2, double.  The flags are in setup.py; sizes and words in isa/avx2.h. */
#include <stdint.h>
#define FC_DOUBLE 1
#define FC_TABLE fc_avx2_f64
#include "isa/avx2.h"

#include "kernels.inc"
