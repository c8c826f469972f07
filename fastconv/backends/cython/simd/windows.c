/* Filters by windows: their micro-kernels, and the table that exports them.  setup.py compiles this file once for each instruction set,
   for float and for double.  FC_HEADER, FC_DOUBLE and FC_TABLE are as in kernels.c. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include FC_HEADER

#include "isa/simd.h"
#include "isa/bytes.h"
#include "_shared.h"
#include "windows/windows.h"
#include "windows/tile.inc"
#include "windows/bands.inc"
#include "windows/networks.h"
#include "windows/ranks.inc"
#include "windows/extremes.inc"
#if !FC_DOUBLE
#include "windows/bits.inc"
#endif
#include "windows/heights.inc"
#include "windows/boxes.inc"

#if FC_DOUBLE
const fc_windows FC_TABLE = {VL, window_tile, window_sum, bands_down, bands_vectors, bands_row, bands_three, bands_leave, bands_root, window_rank, 0, window_median, 0, 0, 0, 0, 0, 0, 0, 0, window_extreme, 0, window_height, 0, 0, 0, 0, boxes_down, boxes_along, boxes_three, boxes_column};
#else
#include "windows/histogram.inc"
#include "windows/small.inc"
#include "windows/truncated.inc"
const fc_windows FC_TABLE = {VL, window_tile, window_sum, bands_down, bands_vectors, bands_row, bands_three, bands_leave, bands_root, window_rank, window_rank_bytes, window_median, window_median_bytes,
                             window_count, window_histogram, window_small, truncated_down, truncated_along, truncated_enter, truncated_leave, window_extreme, window_extreme_bytes,
                             window_height, window_height_first, window_bits, window_pack, window_unpack, boxes_down, boxes_along, boxes_three, boxes_column};
#endif
