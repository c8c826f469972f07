/* portable, double.  The flags are in setup.py; sizes and words in isa/portable.h. */
#include <stdint.h>
#define FC_DOUBLE 1
#define FC_TABLE fc_portable_f64
#include "isa/portable.h"

#include "kernels.inc"
