# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Winograd convolution: transformed tiles times transformed weights on the register tile.

One item of work is some rows of tiles of one group of one image, in one plane or, of whole planes, in several whose depth
taps read the same transformed planes; a dilated axis has as many lattices of tiles as its dilation.  Blocks of VL channels are laid into a band, [row][column][lane], and transformed along both
axes into `v`, [point][phases][block][plane][tile][lane].  Then, for each block of NR output channels, every point is a product
of matrices on the register tile, into `s`, [point][tile][NR], and the output transform leaves rows of pixels in
`pixels`, which are stored as everywhere else.

With a stride s, an axis has s phases: the taps k with the same k % s are a filter of their own on every s-th column.
Phases share their interpolation points, all but infinity, so their products add up in the same planes.

The transforms mix the pixels of a tile, so one infinity or NaN would spoil all of them: results that are not finite are
worked out again from the definition.
"""

from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from fastconv.backends.cython._prepared cimport Arrays, Prepared
from fastconv.backends.cython._simd cimport View, address, fc_epilogue, fc_table

ctypedef fused real:
    float
    double

cdef struct Axis:
    # One axis of the image.  An axis without taps has one point and tiles of one output.
    Py_ssize_t m, points, taps, stride, dilation, phases
    const char *coef_in
    const char *coef_out

cdef struct Item:
    # Rows of tiles of one lattice: `count` from `first` on.
    Py_ssize_t lattice, first, count

cdef struct Chunk:
    # A stretch of depth: `blocks` of `lanes` channels in v, read by depth tap `tap`, and their rows in the weights.
    Py_ssize_t point, block, tap, blocks, lanes, row

cdef struct Planes:
    # Output planes of an item, and the input planes that are transformed for them.
    Py_ssize_t first, count, entered


cdef class Winograd(Prepared):
    """One prepared convolution; immutable after construction, so runs may overlap."""

    cdef Axis h, w
    cdef Py_ssize_t n, groups, icg, ocg, kd, sd, dd, od, oh, ow
    cdef Py_ssize_t kbs, parts, blocks, depth_rows, tile_cols, row_items, plane_items, together, nchunks
    cdef Py_ssize_t run0, run1, win, band_len, t_len, v_len, s_len, half_len, y_row
    cdef const int64_t *planes
    cdef const int64_t *rows
    cdef const int64_t *cols
    cdef const Item *list_of_items
    cdef const Chunk *chunks
    cdef double fill
    cdef bint relu

    def __init__(self, size_t table, p, scheme, tables):
        self.t = <const fc_table *>table
        self.keep = (scheme, tables)
        self.n, self.groups, self.icg, self.ocg = p.n, p.groups, p.icg, p.ocg
        self.kd, self.sd, self.dd = p.kernel[0], p.stride[0], p.dilation[0]
        self.od, self.oh, self.ow = p.output
        self.h = axis(scheme.h)
        self.w = axis(scheme.w)
        self.kbs = (self.ocg + self.t.nr - 1) // self.t.nr
        self.blocks = (self.icg + self.t.vl - 1) // self.t.vl
        self.together = scheme.together
        self.plane_items = (self.od + self.together - 1) // self.together
        self.tile_cols, self.win, self.depth_rows = scheme.tile_cols, scheme.win, scheme.depth_rows
        self.list_of_items, self.row_items = <const Item *>address(scheme.items), scheme.items.shape[0]
        self.chunks, self.nchunks = <const Chunk *>address(scheme.chunks), scheme.chunks.shape[0]
        self.band_len, self.t_len, self.v_len, self.s_len, self.half_len = scheme.lengths[:5]
        self.y_row = scheme.y_row
        planes, rows, cols, self.run0, self.run1 = tables
        self.planes = <const int64_t *>address(planes)
        self.rows = <const int64_t *>address(rows)
        self.cols = <const int64_t *>address(cols)
        self.fill, self.relu = p.fill, p.activation == "relu"
        self.parts = scheme.parts
        self.items = self.n * self.groups * self.plane_items * self.row_items * self.parts

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, part = i % self.parts
        i = i // self.parts
        cdef const Item *it = self.list_of_items + i % self.row_items
        i = i // self.row_items
        cdef Planes planes
        planes.first = i % self.plane_items * self.together
        planes.count = min(self.together, self.od - planes.first)
        planes.entered = planes.count + (self.kd - 1) * self.tap_step()
        cdef Py_ssize_t g = i // self.plane_items % self.groups, n = i // self.plane_items // self.groups
        cdef char *half = scratch + self.band_len * size
        cdef char *v = half + self.t_len * size
        cdef char *s = v + self.v_len * size
        cdef char *out_half = s + self.s_len * size
        cdef char *pixels = out_half + self.half_len * size
        cdef Py_ssize_t kb, j, tiles = it.count * self.tile_cols
        self.enter(&arrays.x, n, g, &planes, it, scratch, half, v)
        for kb in range(self.kbs * part // self.parts, self.kbs * (part + 1) // self.parts):
            self.multiply(arrays.weights, g, kb, &planes, tiles, v, s)
            for j in range(planes.count):
                self.leave(
                    arrays, n, g, kb, planes.first + j, it, s + j * tiles * self.t.nr * size, planes.count * tiles, out_half,
                    pixels)

    cdef Py_ssize_t tap_step(self) noexcept nogil:
        """From depth tap to depth tap, in planes that are transformed: alone, an output plane needs none between them."""
        return self.dd if self.together > 1 else 1

    cdef void enter(
        self, const View *x, Py_ssize_t n, Py_ssize_t g, const Planes *planes, const Item *it, char *band, char *half,
        char *v) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, vl = self.t.vl, band_row = self.win * vl, b, j, i, r, f
        cdef Py_ssize_t rin = (it.count * self.h.m - 1) * self.h.stride + self.h.taps
        cdef Py_ssize_t row_of_tiles = self.tile_cols * vl, block = planes.entered * it.count * row_of_tiles
        cdef Py_ssize_t point = self.slots() * block, step = self.dd // self.tap_step()
        cdef int64_t plane, row
        cdef const char *channel
        cdef const char *src
        for b in range(self.blocks):
            for j in range(planes.entered):
                plane = self.planes[planes.first * self.sd + j * step]
                channel = x.data + (n * x.stride[0] + (g * self.icg + b * vl) * x.stride[1] + plane * x.stride[2]) * size
                for i in range(rin):
                    row = self.rows[it.lattice + (it.first * self.h.m * self.h.stride + i) * self.h.dilation]
                    src = NULL
                    if plane >= 0 and row >= 0:
                        src = channel + row * x.stride[3] * size
                    self.t.lane_row(
                        band + i * band_row * size, src, x.stride[1], x.stride[4], min(vl, self.icg - b * vl), self.cols,
                        self.win, self.run0, self.run1, self.fill)
                for r in range(it.count):
                    for f in range(self.h.phases):
                        self.enter_row(
                            band + (r * self.h.m * self.h.stride + f) * band_row * size, f, half,
                            v + ((f * self.w.phases * self.blocks + b) * block + (j * it.count + r) * row_of_tiles) * size,
                            self.blocks * block, point)

    cdef Py_ssize_t slots(self) noexcept nogil:
        return self.h.phases * self.w.phases * self.blocks

    cdef void enter_row(
        self, const char *band, Py_ssize_t fh, char *half, char *v, Py_ssize_t phase, Py_ssize_t point) noexcept nogil:
        # One row of tiles of one block of channels, phase fh of the rows.
        cdef Py_ssize_t size = self.t.itemsize, vl = self.t.vl, band_row = self.win * vl, p, fw, lattice, cols, at
        cdef Py_ssize_t used = phase_points(&self.h, fh)
        cdef const char *src = band
        if self.h.points > 1:
            if self.w.points == 1:  # columns are tiles
                transform(self.t, &self.h, fh, band, self.h.stride * band_row, vl, self.ow, v, self.w.points * point, vl)
                return
            transform(self.t, &self.h, fh, band, self.h.stride * band_row, vl, self.win, half, band_row, vl)
            src = half
        for p in range(used):
            for fw in range(self.w.phases):
                at = 0
                for lattice in range(self.w.dilation):
                    cols = lattice_tiles(&self.w, self.ow, lattice)
                    transform(
                        self.t, &self.w, fw, src + (p * band_row + (lattice + fw) * vl) * size,
                        self.w.stride * self.w.dilation * vl, self.w.m * self.w.stride * self.w.dilation * vl, cols,
                        v + (p * self.w.points * point + fw * phase + at * vl) * size, point, vl)
                    at += cols

    cdef void multiply(
        self, const char *weights, Py_ssize_t g, Py_ssize_t kb, const Planes *planes, Py_ssize_t tiles, const char *v,
        char *s) noexcept nogil:
        # Planes that lie side by side are more tiles of one product.
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, vl = self.t.vl, plane = tiles * vl, block = planes.entered * plane
        cdef Py_ssize_t count = planes.count * tiles, pieces = (count + self.t.mr - 1) // self.t.mr
        cdef Py_ssize_t piece, q, q_next, i, before = -1
        cdef const char *a
        cdef const Chunk *c
        weights += (g * self.kbs + kb) * self.depth_rows * nr * size
        for i in range(self.nchunks):
            c = self.chunks + i
            a = v + ((c.point * self.slots() + c.block) * block + c.tap * self.tap_step() * plane) * size
            q = 0
            for piece in range(pieces):  # near-equal parts of at most MR tiles
                q_next = count * (piece + 1) // pieces
                self.t.lane_tile[q_next - q](
                    c.blocks, c.lanes, a + q * vl * size, block, weights + c.row * nr * size, c.point != before,
                    s + (c.point * count + q) * nr * size)
                q = q_next
            before = c.point

    cdef void leave(
        self, const Arrays *arrays, Py_ssize_t n, Py_ssize_t g, Py_ssize_t kb, Py_ssize_t od, const Item *it, const char *s,
        Py_ssize_t tiles, char *half, char *pixels) noexcept nogil:
        # One output plane; `tiles` in a point of s.
        cdef const View *y = &arrays.y
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr
        cdef Py_ssize_t k = g * self.ocg + kb * nr, channels = min(nr, self.ocg - kb * nr), r, i, row
        cdef char *line
        cdef fc_epilogue e
        e.alpha, e.beta, e.c, e.row_bias, e.relu = 1.0, 0.0, NULL, NULL, self.relu
        e.col_bias = NULL if arrays.bias == NULL else arrays.bias + k * size
        for r in range(it.count):
            self.leave_row(s + r * self.tile_cols * nr * size, tiles * nr, half, pixels)
            for i in range(self.h.m):
                row = it.lattice + ((it.first + r) * self.h.m + i) * self.h.dilation
                if row >= self.oh:
                    break
                line = pixels + i * self.y_row * size
                if not self.t.all_finite(line, self.ow * nr):
                    if size == 4:
                        self.mend[float](arrays, n, g, kb, od, row, channels, line)
                    else:
                        self.mend[double](arrays, n, g, kb, od, row, channels, line)
                self.t.store(
                    line, self.ow, channels,
                    y.data + (n * y.stride[0] + k * y.stride[1] + od * y.stride[2] + row * y.stride[3]) * size,
                    y.stride[4], y.stride[1], &e)

    cdef void leave_row(self, const char *s, Py_ssize_t plane, char *half, char *pixels) noexcept nogil:
        # One row of tiles: s in planes, [row point][column point].
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, lattice, tile, cols, at = 0
        cdef Py_ssize_t wp = self.w.points
        cdef char *y
        for lattice in range(self.w.dilation):
            cols = lattice_tiles(&self.w, self.ow, lattice)
            y = pixels + lattice * nr * size
            if self.h.points == 1:
                self.t.wino_out[wp][self.w.m](
                    self.w.coef_out, s + at * nr * size, plane, nr, cols, y, self.w.dilation * nr,
                    self.w.m * self.w.dilation * nr)
            elif wp == 1:
                self.t.wino_out[self.h.points][self.h.m](
                    self.h.coef_out, s + at * nr * size, plane, nr, cols, y, self.y_row, nr)
            else:
                for tile in range(cols):
                    self.t.wino_out[self.h.points][self.h.m](
                        self.h.coef_out, s + (at + tile) * nr * size, wp * plane, plane, wp, half, wp * nr, nr)
                    self.t.wino_out[wp][self.w.m](
                        self.w.coef_out, half, nr, wp * nr, self.h.m, y + tile * self.w.m * self.w.dilation * nr * size,
                        self.w.dilation * nr, self.y_row)
            at += cols

    cdef void mend(
        self, const Arrays *arrays, Py_ssize_t n, Py_ssize_t g, Py_ssize_t kb, Py_ssize_t od, Py_ssize_t oh,
        Py_ssize_t channels, char *line, real unused=0) noexcept nogil:
        # From the definition: the pixels of a row that are not finite.
        cdef const View *x = &arrays.x
        cdef Py_ssize_t nr = self.t.nr, depth = self.icg * self.kd, taps = self.h.taps * self.w.taps, ow, c, i, j, lane
        cdef int64_t plane, row, col
        cdef real value
        cdef const real *data = <const real *>x.data
        cdef const real *weights = <const real *>arrays.plain + (g * self.ocg + kb * nr) * depth * taps
        cdef real *out
        for ow in range(self.ow):
            out = <real *>line + ow * nr
            if self.t.all_finite(out, nr):
                continue
            memset(out, 0, nr * sizeof(real))
            for c in range(depth):
                plane = self.planes[od * self.sd + c % self.kd * self.dd]
                for i in range(self.h.taps):
                    row = self.rows[oh * self.h.stride + i * self.h.dilation]
                    for j in range(self.w.taps):
                        col = self.cols[ow * self.w.stride + j * self.w.dilation]
                        value = self.fill
                        if plane >= 0 and row >= 0 and col >= 0:
                            value = data[
                                n * x.stride[0] + (g * self.icg + c // self.kd) * x.stride[1] + plane * x.stride[2]
                                + row * x.stride[3] + col * x.stride[4]]
                        for lane in range(channels):
                            out[lane] = out[lane] + value * weights[(lane * depth + c) * taps + i * self.w.taps + j]


cdef Axis axis(scheme) except *:
    cdef Axis a
    a.m, a.points, a.taps, a.stride, a.dilation = scheme.m, scheme.points, scheme.taps, scheme.stride, scheme.dilation
    a.phases = scheme.stride
    a.coef_in, a.coef_out = address(scheme.coef_in), address(scheme.coef_out)
    return a


cdef inline Py_ssize_t phase_points(const Axis *a, Py_ssize_t phase) noexcept nogil:
    # Phases with a tap less than the first do without infinity.
    return a.points - (phase > 0 and (a.taps - 1) % a.stride < phase)


cdef inline Py_ssize_t lattice_tiles(const Axis *a, Py_ssize_t outputs, Py_ssize_t lattice) noexcept nogil:
    return ((outputs - lattice + a.dilation - 1) // a.dilation + a.m - 1) // a.m


cdef inline void transform(
    const fc_table *t, const Axis *a, Py_ssize_t phase, const char *x, Py_ssize_t tap, Py_ssize_t item, Py_ssize_t count,
    char *y, Py_ssize_t point, Py_ssize_t y_item) noexcept nogil:
    t.wino_in[a.points][phase_points(a, phase) == a.points](a.coef_in, x, tap, item, count, y, point, y_item)


def transform_weights(
        size_t table, w, p, scheme, packed, Py_ssize_t together, scratch, Py_ssize_t scratch_elements,
        int threads):
    """Fill `packed`, (groups, blocks of NR, rows of all chunks, NR), from w, (oc, icg, kd, kh, kw); `together` channels at a time."""
    cdef const fc_table *t = <const fc_table *>table
    cdef Weights a
    cdef Py_ssize_t i, size = t.itemsize
    a.icg, a.ocg, a.kd, a.kh, a.kw = p.icg, p.ocg, p.kernel[0], p.kernel[1], p.kernel[2]
    a.depth, a.together = a.icg * a.kd, together
    a.kbs, a.rows = packed.shape[1], packed.shape[2]
    a.sh, a.sw, a.ph, a.pw = scheme.h.stride, scheme.w.stride, scheme.h.points, scheme.w.points
    a.gh, a.gw = address(scheme.h.weights), address(scheme.w.weights)
    a.at = <const Py_ssize_t *>address(scheme.starts)
    a.w, a.packed = address(w), address(packed)
    cdef char *buf = address(scratch)
    cdef Py_ssize_t items = packed.shape[0] * a.kbs
    for i in prange(items, nogil=True, num_threads=threads, schedule="static"):
        weights_block(t, &a, i, buf + threadid() * scratch_elements * size)


cdef struct Weights:
    Py_ssize_t icg, ocg, kd, kh, kw, depth, together, kbs, rows, sh, sw, ph, pw
    const char *gh  # per phase, (points, taps of the first phase)
    const char *gw
    const Py_ssize_t *at  # per pair of phases and point: its first element in a block of weights
    const char *w
    char *packed


cdef void weights_block(const fc_table *t, const Weights *a, Py_ssize_t item, char *lanes) noexcept nogil:
    # One block of NR output channels of one group.
    cdef Py_ssize_t size = t.itemsize, nr = t.nr, taps = a.kh * a.kw, g = item // a.kbs, kb = item % a.kbs
    cdef Py_ssize_t block, c0, c, fh, fw, j, p, q, at, count, rh, rw, used_h, used_w
    cdef Py_ssize_t most_h = (a.kh + a.sh - 1) // a.sh, most_w = (a.kw + a.sw - 1) // a.sw
    cdef const char *w = a.w + (g * a.ocg + kb * nr) * a.depth * taps * size
    cdef char *packed = a.packed + item * a.rows * nr * size
    cdef char *half = lanes + (a.together * taps + t.vl) * nr * size
    cdef char *rows = half + a.ph * most_w * nr * size
    cdef const char *x
    for block in range((a.depth + a.together - 1) // a.together):
        c0 = block * a.together
        count = min(a.together, a.depth - c0)
        t.pack_b(lanes, w + c0 * taps * size, a.depth * taps, 1, min(nr, a.ocg - kb * nr), count * taps)
        for fh in range(a.sh):
            rh = (a.kh - fh + a.sh - 1) // a.sh
            used_h = a.ph - (rh < most_h)
            for fw in range(a.sw):
                rw = (a.kw - fw + a.sw - 1) // a.sw
                used_w = a.pw - (rw < most_w)
                for c in range(count):
                    x = lanes + (c * taps + fh * a.kw + fw) * nr * size
                    for j in range(rw):
                        t.wino_weights(
                            a.gh + fh * a.ph * most_h * size, used_h, rh, x + j * a.sw * nr * size, a.sh * a.kw * nr,
                            half + j * nr * size, most_w * nr)
                    for p in range(used_h):
                        t.wino_weights(
                            a.gw + fw * a.pw * most_w * size, used_w, rw, half + p * most_w * nr * size, nr,
                            rows + (p * a.pw * a.together + c) * nr * size, a.together * nr)
                # Planes lie so far apart that written by turns they would push each other out of the cache.
                for p in range(used_h):
                    for q in range(used_w):
                        at = a.at[((fh * a.sw + fw) * a.ph + p) * a.pw + q]
                        if a.kd == 1:
                            memcpy(
                                packed + (at + c0 * nr) * size, rows + (p * a.pw + q) * a.together * nr * size,
                                count * nr * size)
                            continue
                        for c in range(count):  # depth taps are outermost there
                            memcpy(
                                packed + (at + ((c0 + c) % a.kd * a.icg + (c0 + c) // a.kd) * nr) * size,
                                rows + ((p * a.pw + q) * a.together + c) * nr * size, nr * size)
