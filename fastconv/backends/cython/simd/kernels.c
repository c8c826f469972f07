/* All kernel bodies for one instruction set and one dtype.  setup.py compiles this file once for each of both, with the flags of the
   instruction set, and defines FC_HEADER, its header; FC_DOUBLE and FC_STORED, see simd.h; and FC_TABLE, the name of the table. */
#include <stdint.h>
#include FC_HEADER

#include "kernels.inc"
