/* Products in matrix registers: their micro-kernels, and the table that exports them.  setup.py compiles this file once for each instruction
   set that has them.  FC_HEADER and FC_TABLE are as in kernels.c; the table is empty where the compiler has no such instructions. */
#include <math.h>
#include <stdint.h>
#include <string.h>
#include FC_HEADER

#include "isa/simd.h"
#include "tiles/tiles.h"

#if defined __AMX_BF16__ && defined __AVX512BF16__
#include "isa/amx.h"
#define KERNEL static
#include "tiles/tiles.inc"

const fc_tiles FC_TABLE = {multiply_tiles, begin_tiles, end_tiles, store_tiles, pair_rows, pair_columns, pair_taps, pair_row};
#else
const fc_tiles FC_TABLE = {0};
#endif
