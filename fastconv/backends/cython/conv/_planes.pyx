# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Convolution with few channels per group of narrow NCHW images: groups in lanes, see planes.py.

One item of work is a block of output rows of some planes of NR groups.  The planes that it reads are transposed, element by
element, to vectors that have a lane for each group; those that the next plane of outputs reads as well are kept.  Tiles of
simd/conv/last.inc compute results, which are transposed back.  They skip padding of zeros; with other padding, or where weights are infinite or NaN, whose products with zeros are
NaN, vectors are copied to a band.
"""

from libc.stdint cimport int64_t
from libc.string cimport memcpy

from fastconv.backends.cython.runtime._nonfinite cimport any_nonfinite
from fastconv.backends.cython.runtime._padded cimport Padded, padded, row_of
from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport (
    DEPTHWISE_NO_ROW, View, fc_epilogue, fc_source, fc_table, last_lanes_args)


cdef class Planes(Prepared):
    """One prepared convolution; immutable after construction, so runs may overlap."""

    cdef Py_ssize_t groups, icg, ocg, kd, kh, kw, sd, sh, sw, dd, dh, dw, od, oh, ow, ih, iw
    cdef Py_ssize_t rb, zb, held, rin, win, panels, row_blocks, plane_blocks, lines, depth
    cdef bint padded, zeros, all_rows, kept, relu
    cdef Padded image

    def __init__(self, size_t table, p, tables, blocks):
        self.t = <const fc_table *>table
        self.groups, self.icg, self.ocg = p.groups, p.icg, p.ocg
        self.kd, self.kh, self.kw = p.kernel
        self.sd, self.sh, self.sw = p.stride
        self.dd, self.dh, self.dw = p.dilation
        self.od, self.oh, self.ow = p.output
        self.ih, self.iw = p.input[1], p.input[2]
        self.rb, self.held, self.rin, self.win = blocks.rows, blocks.held, blocks.rin, blocks.win
        self.zb, self.kept = blocks.planes, blocks.kept
        self.padded, self.zeros, self.all_rows, self.relu = blocks.padded, p.pads_with_zeros, blocks.all_rows, p.activation == "relu"
        self.image = padded(tables, p.fill)
        self.panels = (self.groups + self.t.nr - 1) // self.t.nr
        self.row_blocks = (self.oh + self.rb - 1) // self.rb
        self.lines, self.depth = self.icg * self.kd * self.kh, self.icg * self.kd * self.kh * self.kw
        self.plane_blocks = (self.od + self.zb - 1) // self.zb
        self.items = p.n * self.panels * self.plane_blocks * self.row_blocks

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef Py_ssize_t ri, zi, panel, n, od, z
        cdef int64_t *planes = <int64_t *>scratch
        ri = i % self.row_blocks
        i = i // self.row_blocks
        zi = i % self.plane_blocks
        i = i // self.plane_blocks
        panel = i % self.panels
        n = i // self.panels
        for z in range(self.kd):
            planes[z] = -1
        for od in range(zi * self.zb, min(self.od, (zi + 1) * self.zb)):
            self.outputs(arrays, n, panel, od, ri * self.rb, planes, scratch + (self.kd * sizeof(int64_t) + 63) // 64 * 64)

    cdef Py_ssize_t slot(self, Py_ssize_t z, int64_t plane) noexcept nogil:
        """Where the transposed plane is that tap z reads: planes that are kept are neighbours, no two in one place."""
        return plane % self.kd if self.kept and plane >= 0 else z

    cdef void outputs(
        self, const Arrays *arrays, Py_ssize_t n, Py_ssize_t panel, Py_ssize_t od, Py_ssize_t r0, int64_t *planes,
        char *scratch) noexcept nogil:
        """A block of rows of one plane; `planes`: those that are transposed already."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, vector = nr * size, c, z, slot, first, count
        cdef Py_ssize_t rows = min(self.rb, self.oh - r0), g = panel * nr
        cdef Py_ssize_t top = r0 * self.sh - self.image.rows.lo  # the first row read, of the input
        cdef Py_ssize_t reads = (rows - 1) * self.sh + (self.kh - 1) * self.dh + 1
        cdef const char *source = arrays.x.data + (n * arrays.x.stride[0] + g * self.icg * arrays.x.stride[1]) * size
        cdef char *bias = scratch
        cdef char *outside = bias + vector
        cdef char *results = outside + vector
        cdef char *image = results + self.rb * self.ow * vector
        cdef char *band = image + self.icg * self.kd * self.held * self.iw * vector
        cdef int64_t plane
        cdef last_lanes_args a
        cdef bint copied = self.padded and not (self.zeros and self.all_finite(arrays, panel))
        first, count = 0, self.ih
        if not self.all_rows:
            first = max(top, <Py_ssize_t>0)
            count = max(min(self.ih, top + reads) - first, <Py_ssize_t>0)
        for z in range(self.kd):
            plane = fc_source(&self.image.planes, od * self.sd + z * self.dd)
            slot = self.slot(z, plane)
            if plane < 0 or count == 0 or (self.kept and planes[slot] == plane):
                continue
            planes[slot] = plane
            for c in range(self.icg):
                self.t.pack_b(
                    image + (c * self.kd + slot) * self.held * self.iw * vector,
                    source + (c * arrays.x.stride[1] + plane * arrays.x.stride[2] + first * arrays.x.stride[3]) * size,
                    self.icg * arrays.x.stride[1], 1, min(nr, self.groups - g), count * self.iw)
        a.x, a.rows, a.lines, a.sources, a.channels = image, rows, self.lines, NULL, 1
        a.step, a.kw, a.sw, a.dw, a.relu = nr, self.kw, self.sw, self.dw, self.relu
        a.vectors, a.lanes = 1 if self.groups - g <= self.t.vl else 2, self.t.vl
        a.y, a.ow, a.yrow, a.ys = results, self.ow, self.ow * nr, nr
        a.at = <const Py_ssize_t *>(band + (self.icg * self.kd * self.rin * self.win * vector if copied else 0))
        if copied:
            self.fill(outside, image, od, r0, reads, first, band)
            a.x, a.pad, a.iw = band, 0, self.win
            self.place(rows, <Py_ssize_t *>a.at)
        else:
            a.pad, a.iw = self.image.cols.lo, self.iw
            self.find(od, r0, rows, first, <Py_ssize_t *>a.at)
        self.compute_all(&a, arrays, panel, n, od, r0, bias)

    cdef void compute_all(
        self, last_lanes_args *a, const Arrays *arrays, Py_ssize_t panel, Py_ssize_t n, Py_ssize_t od, Py_ssize_t r0,
        char *bias) noexcept nogil:
        """All outputs of each group, one after the other."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, g = panel * nr, groups = min(nr, self.groups - g), j, k, lane
        cdef const View *y = &arrays.y
        cdef fc_epilogue e
        e.alpha, e.beta, e.c, e.row_bias, e.col_bias, e.relu = 1.0, 0.0, NULL, NULL, NULL, 0
        a.bias = NULL if arrays.bias == NULL else bias
        for j in range(self.ocg):
            k = g * self.ocg + j
            a.w = arrays.weights + (j * self.panels + panel) * self.depth * nr * size
            if arrays.bias != NULL:
                for lane in range(nr):
                    memcpy(bias + lane * size, arrays.bias + (k + min(lane, groups - 1) * self.ocg) * size, size)
            self.t.last_lanes(a)
            self.t.store(
                a.y, a.rows * self.ow, groups,
                y.data + (n * y.stride[0] + k * y.stride[1] + od * y.stride[2] + r0 * y.stride[3]) * size, 1,
                self.ocg * y.stride[1], &e)

    cdef bint all_finite(self, const Arrays *arrays, Py_ssize_t panel) noexcept nogil:
        """Whether all weights of NR groups are."""
        cdef Py_ssize_t j, elements = self.depth * self.t.nr
        for j in range(self.ocg):
            if any_nonfinite(arrays.weights + (j * self.panels + panel) * elements * self.t.itemsize, elements, self.t.itemsize):
                return False
        return True

    cdef void find(self, Py_ssize_t od, Py_ssize_t r0, Py_ssize_t rows, Py_ssize_t first, Py_ssize_t *at) noexcept nogil:
        """Where planes, which begin at row `first`, have the lines of each row of outputs."""
        cdef Py_ssize_t r, c, z, kr, line = self.iw * self.t.nr, top, offset
        cdef int64_t plane, row
        for r in range(r0, r0 + rows):
            top = r * self.sh - self.image.rows.lo
            for c in range(self.icg):
                for z in range(self.kd):
                    plane = fc_source(&self.image.planes, od * self.sd + z * self.dd)
                    offset = (c * self.kd + self.slot(z, plane)) * self.held - first
                    for kr in range(self.kh):
                        row = top + kr * self.dh
                        if not 0 <= row < self.ih:  # inside, sources are the positions themselves
                            row = fc_source(&self.image.rows, r * self.sh + kr * self.dh)
                        at[0] = DEPTHWISE_NO_ROW if plane < 0 or row < 0 else (offset + row) * line
                        at += 1

    cdef void place(self, Py_ssize_t rows, Py_ssize_t *at) noexcept nogil:
        """Where the band has them."""
        cdef Py_ssize_t r, plane, kr
        for r in range(rows):
            for plane in range(self.icg * self.kd):
                for kr in range(self.kh):
                    at[0] = (plane * self.rin + r * self.sh + kr * self.dh) * self.win * self.t.nr
                    at += 1

    cdef void fill(
        self, char *outside, const char *image, Py_ssize_t od, Py_ssize_t r0, Py_ssize_t reads, Py_ssize_t first,
        char *band) noexcept nogil:
        """Copy the rows that a block reads, with their padding; the image begins at row `first`."""
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, vector = nr * size, c, z, i, j, area = self.held * self.iw * nr
        cdef Py_ssize_t begin = min(self.image.run0, self.win), end = max(min(self.image.run1, self.win), begin)
        cdef int64_t plane, col
        cdef const char *row
        cdef char *to
        cdef View held
        held.stride[2], held.stride[3] = 0, self.iw * nr
        for j in range(nr):
            if size == 4:
                (<float *>outside)[j] = <float>self.image.fill
            else:
                (<double *>outside)[j] = self.image.fill
        for c in range(self.icg):
            for z in range(self.kd):
                plane = fc_source(&self.image.planes, od * self.sd + z * self.dd)
                for i in range(reads):
                    row = row_of(
                        &self.image, &held, image + ((c * self.kd + self.slot(z, plane)) * area - first * self.iw * nr) * size, plane,
                        r0 * self.sh + i, size)
                    to = band + ((c * self.kd + z) * self.rin + i) * self.win * vector
                    j = 0
                    while j < self.win:
                        if row == NULL:
                            self.t.copy_pixels(to, self.t.vl, outside, 0, 2 * self.win, self.t.vl)
                            break
                        col = fc_source(&self.image.cols, j)
                        if j == begin and end > begin:
                            memcpy(to + j * vector, row + col * vector, (end - begin) * vector)
                            j = end
                            continue
                        memcpy(to + j * vector, outside if col < 0 else row + col * vector, vector)
                        j = j + 1
