/* Micro-kernels of filters by windows: their arguments and tables.  One table for float and one for double, of each
   instruction set; that of float has the ranks of bytes, too.  Pointers to elements are untyped. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { WINDOW_ROWS = 4 }; /* of a tile of a correlation; filter/windows.py says the same */

/* y[i*ys + c] = sum over p < planes, r < height, t < taps of rows[p*(height + count - 1) + i + r][c + t*step] *
   weights[(p*height + r)*taps + t], i < count, c < n; of several planes, count is 1, or WINDOW_ROWS where height is at least that minus 1.
   Whole vectors are read.  `ahead`: the first of `count` rows, `pitch` apart, that are read later, or NULL.  Of one plane, these are
   rows from `at` on of `all`, which are computed one tile after the other; `carried`: room for height - 1 rows of n numbers and 4
   vectors, which the tiles hand on. */
typedef struct {
    const void *const *rows;
    const void *weights;
    ptrdiff_t planes, height, taps, step, count;
    void *y;
    ptrdiff_t ys, n;
    const void *ahead;
    ptrdiff_t pitch, at, all;
    void *carried;
} window_tile_args;

/* y[c] = what `rank` elements among taps[t][c], t < count, precede in ascending order, c < n.  Whole vectors are read and
   written.  `space`: `count` doubles. */
typedef struct {
    const void *const *taps;
    ptrdiff_t count, rank;
    void *y;
    ptrdiff_t n;
    double *space;
} window_rank_args;

/* The median of a square window of `size` rows, 3 or 5, whose adjacent elements are `step` apart, some `part` results at a
   time, or up to twice as many; `sorted`: room for `size` rows of as many columns as those see and two vectors, `pitch` apart.
   Of less than a vector of results or columns, whole vectors are read.  `count`: 1, or 2 rows of results, `ys` apart, if `size`
   is 3, `step` 1, and `n` a vector or more; `sorted` is not needed then. */
typedef struct {
    const void *const *rows;
    ptrdiff_t size, step, count;
    void *y;
    ptrdiff_t ys, n, part;
    void *sorted;
    ptrdiff_t pitch;
} window_median_args;

/* Of bands.inc: sums down the columns of an image, y[i*ys + c] = sum over t < taps of rows[i + t][c] * weights[t], i < count, c < n;
   transposed: y[c*VL + i], of all i < VL.  `symmetry`: 1 of an odd number of symmetric weights, -1 of antisymmetric ones, else 0.
   There are pointers to taps - 1 rows more than results, of which as many are computed as are multiples of VL and of BAND_ROWS.
   `next`: rows that are read later, as many as results, or NULL; `result`: what is written next, rows that are `results` apart. */
enum { BAND_ROWS = 8, BAND_FIRST = 0, BAND_ADD, BAND_SQUARE, BAND_ADD_SQUARE };
typedef struct {
    const void *const *rows;
    const void *weights;
    ptrdiff_t taps;
    int symmetry, transposed;
    ptrdiff_t count, n;
    void *y;
    ptrdiff_t ys;
    const void *const *next;
    const void *result;
    ptrdiff_t results;
} window_band_args;

/* y[c] = z[c] joined with the sum over t < taps of x[c + t*step] * weights[t], c < n, of elements or vectors; y may be z, and x if those
   are vectors.  `join`: one of BAND_*.  Of vectors, BAND_ROWS * step more are read. */
typedef struct {
    const void *x;
    const void *weights;
    ptrdiff_t taps;
    int symmetry, join;
    ptrdiff_t step, n;
    const void *z;
    void *y;
} window_along_args;

/* Of bands.inc: `count` rows of `n` results, `ys` apart, of windows of three rows and three elements, which are `step` apart, at once;
   `n` is a vector or more.  `rows`: count + 2, from the element below the first result on.  `down`, `along`: three weights each, with
   `down_symmetry` and `along_symmetry`, 1 or -1.  `cross`: the sum of both, else one after the other.  `pitch`: from row to row of the
   image, of which those are read next that follow. */
typedef struct {
    const void *const *rows;
    const void *down, *along;
    int down_symmetry, along_symmetry, cross;
    ptrdiff_t step, count, n, pitch;
    void *y;
    ptrdiff_t ys;
} window_three_args;

/* Of histogram.inc: the histograms of n + (wide - 1) * step columns; windows have `wide` of them, `step` apart. */
typedef struct {
    const uint8_t *coarse, *fine;
    ptrdiff_t wide, step, rank;
    uint8_t *y;
    ptrdiff_t n;
} window_histogram_args;

/* Of small.inc: `count` rows of results, 1 or SMALL_TOGETHER, or PAIRS_TOGETHER of any size, each `n` numbers, `ys` bytes apart, whose windows see whole rows of the
   image, `rows`.  Numbers of `given` bytes become such of `made` bytes.  Windows have `taps` elements, `before` of them before a
   result, which are `step` numbers apart; `beyond`: for each of the `before` elements before the first one of a row, and for
   those after its last one, the element that it repeats, -1 for `fill`.  `space`: for copies of blocks.

   kind, middle   of windows of three rows: sums of elements and `middle` times that of the middle one, or differences; for rows,
                  and along them
   height, pairs, weights   of windows of any size, of bytes: their rows, half of their elements, rounded up, and for each pair
                  of these two signed bytes, twice
   low            results of four bytes lie in `low` to `low` + 65535 */
enum { SMALL_SUMS, SMALL_SUM_DIFFERENCE, SMALL_DIFFERENCE_SUM, SMALL_CROSS, SMALL_PAIRS };
enum { SMALL_TOGETHER = 8, PAIRS_TOGETHER = 4, SMALL_ROWS = 32 }; /* rows of results, and rows that they see at most; filter/small.py says the same */
typedef struct {
    const void *const *rows;
    ptrdiff_t count, n, given, made, taps, before, step;
    const ptrdiff_t *beyond;
    int32_t fill, kind, middle[2], low;
    ptrdiff_t height, pairs;
    const int32_t *weights;
    void *y;
    ptrdiff_t ys;
    void *space;
} window_small_args;

/* Of truncated.inc: correlations of `rows` of floats, or of the vectors y, see there.  `weights`, of float, and `exact`, of double, with
   `symmetry` as above; `bound`: what sums of both differ by; `shift`: of 32 bits, those that numbers of the result do not have;
   `equal`: for each byte from `least` on, the sum of a window of it, truncated; or NULL. */
typedef struct {
    const void *const *rows;
    const void *weights;
    const double *exact;
    ptrdiff_t taps, step, n;
    int symmetry, shift, is_signed;
    float bound;
    const int32_t *equal;
    int least;
    void *y;
} window_truncated_args;

/* y[c] = the smallest or, if `largest`, the largest of taps[t][c], t < count, c < n. */
typedef struct {
    const void *const *taps;
    ptrdiff_t count;
    int largest;
    void *y;
    ptrdiff_t n;
} window_extreme_args;

/* Of heights.inc: y[c] = after + the largest of heights[t] + taps[t][c], t < count, c < n; `negated`: after - the largest of
   heights[t] - taps[t][c].  Integers of `size` bytes, which wrap around; 0: reals, to which nothing is added.
   The function `height_first` joins with y[c] what a tap of integers of `type`, of 4 bytes at most, is with `height`, less than the
   number of these in magnitude, if that did not wrap around. */
typedef struct {
    const void *const *taps;
    const void *heights;
    ptrdiff_t count;
    int size, negated;
    int64_t after;
    void *y;
    ptrdiff_t n;
} window_height_args;

/* Of bits.inc: words y[c] = whether all bits of taps[t][c], t < count, are set, or if `largest` any; c < n, which whole vectors are.
   Those of taps from `straight` on are shifted: bit i is bit i + shifts[t] of two adjacent words, 0 < shifts[t] < 64.  Where `mask`
   is 0, unless that is NULL, those of `kept`. */
typedef struct {
    const uint64_t *const *taps;
    const ptrdiff_t *shifts;
    ptrdiff_t straight, count;
    int largest;
    const uint64_t *mask, *kept;
    uint64_t *y;
    ptrdiff_t n;
} window_bits_args;

/* Of boxes.inc: windows of `taps` elements, BOX_TAPS at most, joined; sums are divided by their number.  `kind` says of what: reals,
   bytes, or extrema of integers of 16 bits, which are the largest of signed ones whose bits `flipped` are inverted.
   Down: rows y[i], `ys` bytes apart, i < count <= BOX_ROWS, from rows[i] to rows[i + taps - 1], n elements; there are pointers to
   taps + BOX_ROWS - 1 rows.  `next`, `result`: the first of BOX_ROWS rows that are read, and written, later, `pitch` bytes apart, or NULL.
   Along: y[c] from x[c] to x[c + taps - 1], c < n; a vector before and behind x is read, too.
   Three: those of three rows, count + 2, whose elements c to c + 2 are joined along them, or 0 if that is not done, of too few elements or rows.
   Column: one column of those, whose three elements are in columns at[0] to at[2], or -1: x[0]. */
enum { BOX_TAPS = 64, BOX_ROWS = 8 }; /* filter/window.py says the same */
enum { BOX_SUM, BOX_MAX, BOX_MIN, BOX_MAX_BYTES, BOX_MIN_BYTES, BOX_SUM_BYTES, BOX_SHORTS };
typedef struct {
    int kind;
    ptrdiff_t taps;
    const void *const *rows;
    const void *x;
    ptrdiff_t count, n;
    void *y;
    ptrdiff_t ys;
    const void *next, *result;
    ptrdiff_t pitch;
    int flipped;
} window_box_args;

/* The functions of tile.inc, bands.inc, ranks.inc, histogram.inc, small.inc, truncated.inc, extremes.inc, bits.inc, heights.inc and boxes.inc, where they are described. */
typedef struct {
    ptrdiff_t vl;
    void (*tile)(const window_tile_args *a);
    void (*sum)(const void *const *taps, const void *weights, ptrdiff_t count, void *y, ptrdiff_t n);
    void (*down)(const window_band_args *a);
    void (*vectors)(const window_along_args *a);
    void (*row)(const window_along_args *a);
    void (*three)(const window_three_args *a);
    void (*leave)(const void *x, ptrdiff_t n, int root, ptrdiff_t count, void *y, ptrdiff_t ys);
    void (*root)(void *y, ptrdiff_t n);
    void (*rank)(const window_rank_args *a);
    void (*rank_bytes)(const window_rank_args *a);
    int (*median)(const window_median_args *a);
    int (*median_bytes)(const window_median_args *a);
    void (*count)(uint8_t *coarse, uint8_t *fine, const uint8_t *added, const uint8_t *removed, ptrdiff_t n);
    void (*histogram)(const window_histogram_args *a);
    void (*small)(const window_small_args *a);
    void (*truncated_down)(const window_truncated_args *a);
    void (*truncated_along)(const window_truncated_args *a);
    void (*truncated_enter)(int type, const void *x, ptrdiff_t n, void *y);
    void (*truncated_leave)(const void *x, ptrdiff_t n, ptrdiff_t count, void *y, ptrdiff_t ys, ptrdiff_t size);
    void (*extreme)(const window_extreme_args *a);
    void (*extreme_bytes)(const window_extreme_args *a);
    void (*height)(const window_height_args *a);
    void (*height_first)(int type, const void *x, int64_t height, int largest, void *y, ptrdiff_t n);
    void (*bits)(const window_bits_args *a);
    void (*pack)(const uint8_t *x, ptrdiff_t n, uint64_t fill, uint64_t *y);
    void (*unpack)(const uint64_t *x, ptrdiff_t n, uint8_t *y);
    void (*box_down)(const window_box_args *a);
    void (*box_along)(const window_box_args *a);
    int (*box_three)(const window_box_args *a);
    void (*box_column)(const window_box_args *a, const ptrdiff_t *at);
} fc_windows;
