/* What the checks of micro-kernels share: memory between unreadable pages, numbers, comparisons.

   Numbers are small and whole, so that products and sums are exact in any order, with and without FMA, and results are compared
   exactly.  Functions that round are compared with libm in a wider type. */
#pragma once
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

#if FC_DOUBLE
typedef double REAL;
typedef long double WIDE;
#define EPS DBL_EPSILON
#define TINY DBL_MIN
#define W(f) f##l
#else
typedef float REAL;
typedef double WIDE;
#define EPS FLT_EPSILON
#define TINY FLT_MIN
#define W(f) f
#endif

/* Elements as memory holds them: REAL, or 16-bit floats, for the functions that tables of these have. */
#define FC_AS_IS 0
#define FC_FLOAT16 1
#define FC_BFLOAT16 2
#if FC_STORED == FC_AS_IS
typedef REAL STORED;
#define STORED_EPS 0
#define STORED_TINY TINY
#else
typedef uint16_t STORED;
#define STORED_EPS (FC_STORED == FC_FLOAT16 ? 0x1p-11 : 0x1p-8) /* of one rounding */
#define STORED_TINY (FC_STORED == FC_FLOAT16 ? 0x1p-24 : TINY)
#endif
REAL real(STORED v);
STORED stored(REAL v); /* a number that is stored without rounding, or the one below it */

/* The table that is checked, and a function of it, which then counts as checked. */
extern const fc_table FC_TABLE;
static const fc_table *const T = &FC_TABLE;
void used(const void *function);
#define USE(function) (used((const void *)(function)), (function))

/* Start a case: memory of the case before is free again. */
void begin(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Memory that ends at an unreadable page, or begins after one: cases are run both ways.  It is full of NaN. */
void *room(size_t bytes);
REAL *nothing(ptrdiff_t n);           /* n elements, NaN */
REAL *numbers(ptrdiff_t n);           /* whole numbers from -3 to 3 */
REAL *copied(const REAL *x, ptrdiff_t n);
void spoil(REAL *x, ptrdiff_t n);     /* make a few of them NaN or infinite */

ptrdiff_t draw(ptrdiff_t low, ptrdiff_t high); /* a number from low to high */

/* Fail the case unless n elements are equal; NaN equals NaN. */
void same(const REAL *got, const REAL *want, ptrdiff_t n);
void same_index(const int64_t *got, const int64_t *want, ptrdiff_t n);
/* Fail the case unless got is within `slack` of want, or both are NaN. */
void close_to(REAL got, WIDE want, WIDE slack);
void near(STORED got, WIDE want, WIDE slack); /* the same of a result before it is rounded to what is stored */
void fail(const char *what);

static inline REAL relu_of(int relu, REAL v) { return relu && v < 0 ? 0 : v; }

void check_tiles(void);
void check_rows(void);
void check_depthwise(void);
void check_last(void);
void check_weight_rows(void);
void check_small_images(void);
void check_pools(void);
void check_winograd(void);
void check_functions(void);
void check_softmax(void);
void check_halves(void);
void check_filter(void);
