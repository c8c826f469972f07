/* Arguments of the depthwise micro-kernels; see depthwise.inc.  Pointers to elements are untyped: one struct serves both dtypes. */
#ifndef FASTCONV_DEPTHWISE_H
#define FASTCONV_DEPTHWISE_H
#include <stddef.h>
#include <stdint.h>

#define DEPTHWISE_NO_ROW PTRDIFF_MIN

/* A block of output rows, all or some of their columns, of the channels of some groups; pixels in lanes. */
typedef struct {
    const void *x;         /* of the first group */
    const ptrdiff_t *rows; /* [planes][nrows]: offset of each padded row that is read, DEPTHWISE_NO_ROW for zeros */
    ptrdiff_t nrows;
    ptrdiff_t planes; /* summed for one output: input channels of a group times the kernel's depth */
    ptrdiff_t kh, kw, sh, dh;
    const ptrdiff_t *cols; /* [kw], ascending: element of a row that each tap reads for output column 0 */
    ptrdiff_t sw;          /* distance of the elements that neighbouring outputs read: 1 or 2 */
    ptrdiff_t iw;          /* elements of a row, with zeros on both sides; 0: rows may be read a tile past the last column */
    const void *w;         /* [groups][channels][planes][kh][kw] */
    const void *bias;      /* [groups][channels], or NULL */
    int relu;
    void *y;
    ptrdiff_t yrow; /* elements between output rows */
    ptrdiff_t oh, ow;
    ptrdiff_t groups, channels;          /* to compute, and output channels of each */
    ptrdiff_t xgroup, ygroup, ychannel; /* elements between them */
    ptrdiff_t xahead, yahead; /* to the block that follows, which tiles prefetch; 0: they prefetch nothing */
} depthwise_rows_args;

#endif
