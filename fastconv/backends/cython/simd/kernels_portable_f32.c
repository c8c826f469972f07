/* portable, float.  The flags are in setup.py; sizes and words in isa/portable.h. */
#include <stdint.h>
#define FC_DOUBLE 0
#define FC_TABLE fc_portable_f32
#include "isa/portable.h"

#include "kernels.inc"
