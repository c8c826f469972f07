# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Winograd convolution: transformed tiles times transformed weights on the register tile.

One item of work is some rows of tiles of one group of one image, in one plane or, for whole planes, in several whose depth
taps read the same transformed planes; a dilated axis has as many lattices of tiles as its dilation.  Blocks of VL channels
are copied to a band, [row][column][lane], and transformed along both axes into `v`, [point][phases][block][plane][tile][lane].
Then, for each block of NR output channels, every point is a product of matrices on the register tile, into `s`,
[point][tile][NR], and the output transform writes rows of pixels to `pixels`, which are stored as by all kernels.

With a stride s, an axis has s phases: the taps k with the same k % s are a filter of their own on every s-th column.
Phases share their interpolation points, all but infinity, so their products are summed in the same planes.

Where tiles do not divide an axis, the last one has fewer outputs, and needs only some of the points: products of such
tiles at the other points are skipped.  Tiles are in the order (whole rows, whole columns), (whole rows, last columns),
(last row, whole columns), (last row, last columns), so that those of a point are one or two runs.

The transforms mix the pixels of a tile, so rounding errors of one that is infinite, NaN or far larger than the others would
affect the others.  Sums of squares find such tiles (_outliers.pxd), and their pixels are computed directly, as sums of
products.  So is everything where the weights have no transform, because they are not finite, or too small or large for it.
"""

from libc.stdint cimport int64_t
from libc.string cimport memchr, memcpy, memset

from fastconv.backends.cython.conv._outliers cimport Values, least_squares, count_value, most_squares, stands_out
from fastconv.backends.cython.runtime._padded cimport Padded, copy_lanes, copy_row, padded, row_of
from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport (
    View, address, fc_epilogue, fc_source, fc_table, placed)

ctypedef fused real:
    float
    double

cdef enum:
    MOST_POINTS = 11

cdef struct Edge:
    # Tiles of fewer outputs at the end of an axis; none if that is 0.
    Py_ssize_t outputs, points
    const Py_ssize_t *at  # which of the axis's points they use
    const char *coef_in
    const char *coef_out

cdef struct Axis:
    # One axis of the image.  An axis without taps has one point and tiles of one output.
    Py_ssize_t m, points, taps, stride, dilation, phases
    const char *coef_in
    const char *coef_out
    Edge edge
    bint at_edge[MOST_POINTS]  # by point, whether the last tiles use it

cdef struct Tiles:
    # Tiles of an item in one plane: whole rows and columns of them, those at the edges (a row, or none), and all of them.
    Py_ssize_t rows, cols, edge_row, edge_cols, count

cdef struct Item:
    # Rows of tiles of one lattice, `count` from `first` on, and which part of the blocks of output channels.
    Py_ssize_t lattice, first, count, part, parts

cdef struct Items:
    # As in winograd.py.
    Py_ssize_t lattice, lattices, first, rows, stretches, parts

cdef struct Chunk:
    # A part of the depth: `blocks` of `lanes` channels in v, read by depth tap `tap`, and their rows in the weights.
    Py_ssize_t point, block, tap, blocks, lanes, row

cdef struct Planes:
    # Output planes of an item, and the input planes that are transformed for them.
    Py_ssize_t first, count, entered

cdef struct Scratch:
    # Of one thread; see the scheme's lengths.
    char *band
    char *half
    char *v
    char *s
    char *out_half
    char *pixels
    char *squares
    char *columns
    char *weights
    char *patch
    char *sums
    char *direct  # [plane][row of tiles][tile]: whether it is computed directly
    bint transformed, some_direct  # whether any tile is not, and whether any is


cdef class Winograd(Prepared):
    """One prepared convolution; immutable after construction, so runs may overlap."""

    cdef Axis h, w
    cdef Py_ssize_t n, groups, icg, ocg, kd, sd, dd, od, oh, ow
    cdef Py_ssize_t kbs, blocks, depth_rows, tile_cols, edge_cols, row_items, plane_items, together, nchunks
    cdef Py_ssize_t kinds  # of items
    cdef Py_ssize_t win, y_row, parts, direct_channels, direct_most, direct_row
    cdef Py_ssize_t lengths[11]
    cdef const Py_ssize_t *direct_taps
    cdef Py_ssize_t high0, high1  # rows of the band that are not padding
    cdef bint mirrored  # padding repeats pixels
    cdef double values, row_values, unlike  # numbers of a tile, of a row; with an outlier, one part * unlike > the others
    cdef Padded image
    cdef Items alike[4]
    cdef const Chunk *chunks
    cdef bint relu

    def __init__(self, size_t table, p, scheme, tables):
        self.t = <const fc_table *>table
        self.keep = (scheme, tables)
        self.n, self.groups, self.icg, self.ocg = p.n, p.groups, p.icg, p.ocg
        self.kd, self.sd, self.dd = p.kernel[0], p.stride[0], p.dilation[0]
        self.od, self.oh, self.ow = p.output
        self.h = axis(scheme.h, scheme.h_edge)
        self.w = axis(scheme.w, scheme.w_edge)
        self.kbs = (self.ocg + self.t.nr - 1) // self.t.nr
        self.blocks = (self.icg + self.t.vl - 1) // self.t.vl
        self.together = scheme.together
        self.plane_items = (self.od + self.together - 1) // self.together
        self.tile_cols, self.win, self.depth_rows = scheme.tile_cols, scheme.win, scheme.depth_rows
        self.edge_cols = sum([ends_early(&self.w, self.ow, i) * count for i, count in scheme.w.alike(self.ow)])
        self.row_items = 0
        for some in scheme.items:
            self.alike[self.kinds] = Items(some.lattice, some.lattices, some.first, some.rows, some.stretches, some.parts)
            self.kinds, self.row_items = self.kinds + 1, self.row_items + some.number
        self.chunks, self.nchunks = <const Chunk *>address(scheme.chunks), scheme.chunks.shape[0]
        self.lengths = scheme.lengths[:11]
        self.y_row, self.parts = scheme.y_row, 1 + (scheme.w.points == 1)
        self.direct_channels, self.direct_most, self.direct_row = scheme.direct_channels, scheme.direct_tiles, scheme.direct_row
        self.direct_taps = <const Py_ssize_t *>address(scheme.direct_taps)
        self.values = self.icg * span(&self.h) * span(&self.w)
        self.row_values = self.icg * span(&self.h) * self.win
        self.mirrored, self.high0, self.high1 = p.mode != "zeros", p.pads[1][0], p.pads[1][0] + p.input[1]
        self.unlike = (self.values - 1) / 65536 * 1.125  # rounding included
        self.image = padded(tables, p.fill)
        self.relu = p.activation == "relu"
        self.items = self.n * self.groups * self.plane_items * self.row_items

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef Scratch to = self.split(scratch)
        cdef Planes planes
        cdef Tiles tiles
        cdef Item its = self.item_of(i, &planes, &tiles)
        cdef const Item *it = &its
        cdef Py_ssize_t g = i // self.row_items // self.plane_items % self.groups
        cdef Py_ssize_t n = i // self.row_items // self.plane_items // self.groups, kb, j
        cdef Py_ssize_t tried = planes.entered * tiles.count
        if arrays.weights != NULL:
            self.enter(&arrays.x, n, g, &planes, it, &tiles, &to)
        else:
            memset(to.direct, 1, tried)
        to.transformed, to.some_direct = memchr(to.direct, 0, tried) != NULL, memchr(to.direct, 1, tried) != NULL
        for kb in range(self.kbs * it.part // it.parts, self.kbs * (it.part + 1) // it.parts):
            if to.transformed:
                self.multiply(arrays.weights, g, kb, &planes, &tiles, to.v, to.s)
            for j in range(planes.count):
                self.leave(arrays, n, g, kb, &planes, j, it, &tiles, &to)

    cdef Item item_of(self, Py_ssize_t i, Planes *planes, Tiles *tiles) noexcept nogil:
        """Rows, planes and tiles of one item of work."""
        cdef const Items *some = self.alike
        cdef Py_ssize_t at = i % self.row_items
        cdef Item it
        while at >= some.lattices * some.stretches * some.parts:
            at -= some.lattices * some.stretches * some.parts
            some += 1
        it.part, it.parts, it.count = at % some.parts, some.parts, some.rows
        at = at // some.parts
        it.lattice = some.lattice + at // some.stretches
        it.first = some.first + at % some.stretches * some.rows
        planes.first = i // self.row_items % self.plane_items * self.together
        planes.count = min(self.together, self.od - planes.first)
        planes.entered = planes.count + (self.kd - 1) * self.tap_step()
        tiles.edge_row = ends_early(&self.h, self.oh, it.lattice) and (it.first + it.count) * self.h.m > lattice_outputs(
            &self.h, self.oh, it.lattice)
        tiles.rows, tiles.cols, tiles.edge_cols = it.count - tiles.edge_row, self.tile_cols - self.edge_cols, self.edge_cols
        tiles.count = it.count * self.tile_cols
        return it

    cdef Scratch split(self, char *scratch) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize
        cdef Scratch to
        to.transformed = to.some_direct = False
        to.band = scratch
        to.half = to.band + self.lengths[0] * size
        to.v = to.half + self.lengths[1] * size
        to.s = to.v + self.lengths[2] * size
        to.out_half = to.s + self.lengths[3] * size
        to.pixels = to.out_half + self.lengths[4] * size
        to.squares = to.pixels + self.lengths[5] * size
        to.columns = to.squares + self.lengths[6] * size
        to.weights = to.columns + self.lengths[7] * size
        to.patch = to.weights + self.lengths[8] * size
        to.sums = to.patch + self.lengths[9] * size
        to.direct = to.sums + self.lengths[10] * size
        return to

    cdef Py_ssize_t tap_step(self) noexcept nogil:
        """Distance of depth taps, in transformed planes: a single output plane needs none between them."""
        return self.dd if self.together > 1 else 1

    cdef void enter(
        self, const View *x, Py_ssize_t n, Py_ssize_t g, const Planes *planes, const Item *it, const Tiles *tiles,
        const Scratch *to) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, vl = self.t.vl, band_row = self.win * vl, b, j, i, r, f, row
        cdef Py_ssize_t rin = (it.count * self.h.m - 1) * self.h.stride + self.h.taps
        cdef Py_ssize_t block = planes.entered * tiles.count * vl
        cdef Py_ssize_t point = self.slots() * block
        cdef int64_t plane
        cdef const char *channel
        cdef char *rows
        cdef char *squares
        for b in range(self.blocks):
            for j in range(planes.entered):
                plane = self.plane_of(planes, j)
                channel = x.data + (n * x.stride[0] + (g * self.icg + b * vl) * x.stride[1]) * size
                for i in range(rin):
                    row = it.lattice + (it.first * self.h.m * self.h.stride + i) * self.h.dilation
                    copy_lanes(
                        self.t, &self.image, to.band + i * band_row * size, row_of(&self.image, x, channel, plane, row, size),
                        x, min(vl, self.icg - b * vl), self.win)
                for r in range(it.count):
                    rows = to.band + r * self.h.m * self.h.stride * band_row * size
                    squares = to.squares + (j * it.count + r) * self.parts * band_row * size
                    if not self.counted(tiles, r):
                        self.add_squares(rows, squares, b == 0)
                    for f in range(self.h.phases):
                        self.enter_row(
                            rows + f * band_row * size, f, tiles, r, squares, b + f == 0, to.half,
                            to.v + ((f * self.w.phases * self.blocks + b) * block + j * tiles.count * vl) * size,
                            self.blocks * block, point)
        for j in range(planes.entered):
            for r in range(it.count):
                if size == 4:
                    self.judge_row[float](x, n, g, planes, j, it, tiles, r, to)
                else:
                    self.judge_row[double](x, n, g, planes, j, it, tiles, r, to)

    cdef int64_t plane_of(self, const Planes *planes, Py_ssize_t j) noexcept nogil:
        """The input plane that is transformed as the j-th of an item."""
        return fc_source(&self.image.planes, planes.first * self.sd + j * (self.dd // self.tap_step()))

    cdef bint counted(self, const Tiles *tiles, Py_ssize_t r) noexcept nogil:
        """Whether the squares of a row of tiles are summed where it is transformed, as those of most are."""
        return self.h.points > 1 and self.w.points > 1 and r < tiles.rows

    cdef void add_squares(self, const char *rows, char *squares, bint fresh) noexcept nogil:
        """By columns, those of a row of tiles; where columns are tiles of their own, in two parts."""
        cdef Py_ssize_t size = self.t.itemsize, band_row = self.win * self.t.vl, high = span(&self.h), part, first, end
        for part in range(self.parts):
            first, end = high * part // self.parts, high * (part + 1) // self.parts
            self.t.wino_squares(
                squares + part * band_row * size, rows + first * band_row * size, band_row, end - first, self.win, fresh)

    cdef void judge_row(
        self, const View *x, Py_ssize_t n, Py_ssize_t g, const Planes *planes, Py_ssize_t j, const Item *it,
        const Tiles *tiles, Py_ssize_t r, const Scratch *to, real unused=0) noexcept nogil:
        # Which tiles of a row, in one plane, are computed directly.
        cdef Py_ssize_t size = self.t.itemsize, lattice, tile, at, count = self.parts * self.win
        cdef const real *columns = <const real *>to.columns
        cdef const char *v
        cdef char *direct = to.direct + (j * it.count + r) * self.tile_cols
        cdef Py_ssize_t row0 = it.lattice + (it.first + r) * self.h.m * self.h.stride * self.h.dilation, col0
        self.t.lane_sums(to.squares + (j * it.count + r) * count * self.t.vl * size, count, to.columns)
        for lattice in range(self.w.dilation):
            for tile in range(lattice_tiles(&self.w, self.ow, lattice)):
                col0 = lattice + tile * self.w.m * self.w.stride * self.w.dilation
                direct[0] = not self.even(columns + col0, self.repeated(row0, col0)) and self.uneven(
                    x, n, g, self.plane_of(planes, j), row0, col0, columns + col0, planes, j, tiles, r, lattice, tile, to.v)
                direct += 1

    cdef bint repeated(self, Py_ssize_t row0, Py_ssize_t col0) noexcept nogil:
        """Whether a tile may contain a pixel more than once, because it reads padding that repeats some."""
        return self.mirrored and (
            row0 < self.high0 or row0 + (span(&self.h) - 1) * self.h.dilation >= self.high1
            or col0 < self.image.run0 or col0 + (span(&self.w) - 1) * self.w.dilation >= self.image.run1)

    cdef bint even(self, const real *columns, bint repeated) noexcept nogil:
        # Whether a tile is an ordinary one, by the squares of its columns; most are.
        cdef Py_ssize_t i, part
        cdef real total = 0, most = 0, least, value
        least = columns[0]
        for part in range(self.parts):
            for i in range(span(&self.w)):
                value = columns[part * self.win + i * self.w.dilation]
                total += value
                most = max(most, value)
                least = min(least, value)
        if not (total >= <real>least_squares(sizeof(real)) and total <= <real>most_squares(sizeof(real))):
            return False
        if repeated:  # several columns may contain the outlier, though never all
            return self.parts == 1 and most * self.unlike <= least
        return most * self.unlike <= total - most

    cdef bint uneven(
        self, const View *x, Py_ssize_t n, Py_ssize_t g, int64_t plane, Py_ssize_t row0, Py_ssize_t col0,
        const real *columns, const Planes *planes, Py_ssize_t j, const Tiles *tiles, Py_ssize_t r, Py_ssize_t lattice,
        Py_ssize_t tile, const char *v) noexcept nogil:
        # The exact test: whether the tile must be computed directly.
        cdef Py_ssize_t i, part, at, c, a, b
        cdef double most = 0, others = 0, total = 0, row = 0
        cdef Values values
        for part in range(self.parts):
            for i in range(span(&self.w)):
                at = part * self.win + i * self.w.dilation
                total += columns[at]
                if columns[at] > most:
                    others += most
                    most = columns[at]
                else:
                    others += columns[at]
        if not total <= most_squares(sizeof(real)):
            return True
        if total < least_squares(sizeof(real)):
            return total > 0 or not self.silent(v, planes, j, tiles, r, lattice, tile)
        for i in range(self.parts * self.win):
            row += columns[i - col0]
        if not self.repeated(row0, col0):
            if not stands_out(most, others, self.values - 1):
                return False
            if others == 0 and not stands_out(most, row - most, self.row_values - 1):
                return False
        cdef int64_t in_row, col
        cdef const real *data = <const real *>x.data
        cdef real value
        values.largest, values.others, values.count = 0, 0, 0
        for c in range(self.icg):
            for a in range(span(&self.h)):
                in_row = fc_source(&self.image.rows, row0 + a * self.h.dilation)
                for b in range(span(&self.w)):
                    col = fc_source(&self.image.cols, col0 + b * self.w.dilation)
                    value = <real>self.image.fill
                    if plane >= 0 and in_row >= 0 and col >= 0:
                        value = data[
                            n * x.stride[0] + (g * self.icg + c) * x.stride[1] + plane * x.stride[2]
                            + in_row * x.stride[3] + col * x.stride[4]]
                    count_value(&values, value)
        if values.others > 0:
            return stands_out(values.largest, values.others, self.values - values.count)
        # Among zeros any number is large, as around a pixel of a sparse map: the other tiles of its row count, too.
        return values.count < self.values and stands_out(
            values.largest, row - values.largest * values.count, self.row_values - values.count)

    cdef bint silent(
        self, const char *v, const Planes *planes, Py_ssize_t j, const Tiles *tiles, Py_ssize_t r, Py_ssize_t lattice,
        Py_ssize_t tile) noexcept nogil:
        """Whether a tile is all zero, not only so small that its squares are: the outer points read all of its pixels."""
        cdef Py_ssize_t size = self.t.itemsize, vl = self.t.vl, block = planes.entered * tiles.count * vl, b, fh, fw, p, q, at
        cdef bint last = r == tiles.rows, early = False
        at = whole_slot(tiles, r) + tile
        cdef Py_ssize_t before = edge_slot(tiles, r), other
        for other in range(lattice):
            at += lattice_tiles(&self.w, self.ow, other) - ends_early(&self.w, self.ow, other)
            before += ends_early(&self.w, self.ow, other)
        if ends_early(&self.w, self.ow, lattice) and tile == lattice_tiles(&self.w, self.ow, lattice) - 1:
            at, early = before, True
        for fh in range(self.h.phases):
            for fw in range(self.w.phases):
                for p in range(2):
                    for q in range(2):
                        for b in range(self.blocks):
                            if self.t.largest(v + (
                                (((outer_point(&self.h, fh, last, p) * self.w.points + outer_point(&self.w, fw, early, q))
                                  * self.slots() + (fh * self.w.phases + fw) * self.blocks + b)) * block
                                + (j * tiles.count + at) * vl) * size, vl) != 0:
                                return False
        return True

    cdef Py_ssize_t slots(self) noexcept nogil:
        return self.h.phases * self.w.phases * self.blocks

    cdef void enter_row(
        self, const char *band, Py_ssize_t fh, const Tiles *tiles, Py_ssize_t r, char *squares, bint fresh, char *half,
        char *v, Py_ssize_t phase, Py_ssize_t point) noexcept nogil:
        # Row r of the tiles of one block of channels, phase fh of the rows; of most, their squares, too.
        cdef Py_ssize_t size = self.t.itemsize, vl = self.t.vl, band_row = self.win * vl, p, fw, lattice, cols, at, at_edge, tap
        cdef Py_ssize_t whole = whole_slot(tiles, r), edge = edge_slot(tiles, r), used = phase_points(&self.h, fh)
        cdef bint last = r == tiles.rows, early
        cdef const char *src = band
        cdef const char *x
        cdef char *y
        if self.h.points > 1:
            if self.w.points == 1:  # columns are tiles
                enter_axis(
                    self.t, &self.h, last, fh, band, self.h.stride * band_row, vl, self.ow, v + whole * vl * size,
                    self.w.points * point, vl)
                return
            if self.counted(tiles, r):
                self.t.wino_count[self.h.points][used == self.h.points](
                    self.h.coef_in, band, self.h.stride * band_row, vl, self.win, half, band_row, vl, squares, fresh)
            else:
                enter_axis(self.t, &self.h, last, fh, band, self.h.stride * band_row, vl, self.win, half, band_row, vl)
            src = half
        tap = self.w.stride * self.w.dilation * vl
        for p in range(used):
            if last and not self.h.at_edge[p]:
                continue
            for fw in range(self.w.phases):
                at, at_edge = whole, edge
                for lattice in range(self.w.dilation):
                    early = ends_early(&self.w, self.ow, lattice)
                    cols = lattice_tiles(&self.w, self.ow, lattice) - early
                    x = src + (p * band_row + (lattice + fw) * vl) * size
                    y = v + (p * self.w.points * point + fw * phase) * size
                    enter_axis(self.t, &self.w, False, fw, x, tap, self.w.m * tap, cols, y + at * vl * size, point, vl)
                    at += cols
                    if early:
                        x = x + cols * self.w.m * tap * size
                        enter_axis(self.t, &self.w, True, fw, x, tap, 0, 1, y + at_edge * vl * size, point, vl)
                        at_edge += 1

    cdef void multiply(
        self, const char *weights, Py_ssize_t g, Py_ssize_t kb, const Planes *planes, const Tiles *tiles, const char *v,
        char *s) noexcept nogil:
        # Adjacent planes are more tiles of one product.
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, vl = self.t.vl, whole = tiles.rows * self.tile_cols
        cdef Py_ssize_t block = planes.entered * tiles.count * vl, every = planes.count * tiles.count
        cdef Py_ssize_t i, until, before = -1
        cdef bint fresh, down, across, wide = self.ocg - kb * nr > vl
        cdef const char *a
        cdef const Chunk *c
        weights += (g * self.kbs + kb) * self.depth_rows * nr * size
        for i in range(self.nchunks):
            c = self.chunks + i
            a = v + ((c.point * self.slots() + c.block) * block + c.tap * self.tap_step() * tiles.count * vl) * size
            fresh, before = c.point != before, c.point
            down, across = self.h.at_edge[c.point // self.w.points], self.w.at_edge[c.point % self.w.points]
            until = every
            if not across:
                until = tiles.rows * tiles.cols
                if down and tiles.edge_row:
                    self.run(c, fresh, whole, whole + tiles.cols, every, a, block, weights, wide, s)
            elif not down:
                until = whole
            self.run(c, fresh, 0, until, every, a, block, weights, wide, s)

    cdef void run(
        self, const Chunk *c, bint fresh, Py_ssize_t q, Py_ssize_t end, Py_ssize_t point, const char *a, Py_ssize_t block,
        const char *weights, bint wide, char *s) noexcept nogil:
        # Tiles q to end of one point, in near-equal parts of at most MR; `point`: from point to point of s.
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, first = q, count = end - q
        cdef Py_ssize_t pieces = (count + self.t.mr - 1) // self.t.mr, piece, q_next
        for piece in range(pieces):
            q_next = first + count * (piece + 1) // pieces
            self.t.lane_tile[q_next - q][wide](
                c.blocks, c.lanes, a + q * self.t.vl * size, block, weights + c.row * nr * size, weights, 0, fresh,
                s + (c.point * point + q) * nr * size)
            q = q_next

    cdef void leave(
        self, const Arrays *arrays, Py_ssize_t n, Py_ssize_t g, Py_ssize_t kb, const Planes *planes, Py_ssize_t j,
        const Item *it, const Tiles *tiles, const Scratch *to) noexcept nogil:
        # The j-th output plane.
        cdef const View *y = &arrays.y
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, od = planes.first + j
        cdef Py_ssize_t k = g * self.ocg + kb * nr, channels = min(nr, self.ocg - kb * nr), r, i, row
        cdef fc_epilogue e
        e.alpha, e.beta, e.c, e.row_bias, e.relu = 1.0, 0.0, NULL, NULL, self.relu
        e.col_bias = NULL if arrays.bias == NULL else arrays.bias + k * size
        for r in range(it.count):
            if to.transformed:
                self.leave_row(
                    to.s + j * tiles.count * nr * size, tiles, r, planes.count * tiles.count * nr,
                    (channels + self.t.vl - 1) // self.t.vl, to.out_half, to.pixels)
            if to.some_direct:
                self.leave_direct(arrays, n, g, kb, od, j, it, r, to)
            for i in range(self.h.m):
                row = it.lattice + ((it.first + r) * self.h.m + i) * self.h.dilation
                if row >= self.oh:
                    break
                self.t.store(
                    to.pixels + i * self.y_row * size, self.ow, channels,
                    y.data + (n * y.stride[0] + k * y.stride[1] + od * y.stride[2] + row * y.stride[3]) * size,
                    y.stride[4], y.stride[1], &e)

    cdef bint is_direct(self, const Scratch *to, Py_ssize_t j, const Item *it, Py_ssize_t r, Py_ssize_t at) noexcept nogil:
        """Whether a tile of the j-th output plane is computed directly: it is if one of the planes that it reads needs it."""
        cdef Py_ssize_t tap
        for tap in range(self.kd):
            if to.direct[((j + tap * self.tap_step()) * it.count + r) * self.tile_cols + at]:
                return True
        return False

    cdef void leave_direct(
        self, const Arrays *arrays, Py_ssize_t n, Py_ssize_t g, Py_ssize_t kb, Py_ssize_t od, Py_ssize_t j, const Item *it,
        Py_ssize_t r, const Scratch *to) noexcept nogil:
        # The tiles of a row that are computed directly replace the transforms' results: some channels of all at a time.
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, taps = self.h.taps * self.w.taps, depth = self.icg * self.kd
        cdef Py_ssize_t any_tile = 0, at, c0 = 0, count, lattice, tile, end, tiles
        cdef const char *weights = arrays.plain + (g * self.ocg + kb * nr) * depth * taps * size
        while any_tile < self.tile_cols and not self.is_direct(to, j, it, r, any_tile):
            any_tile += 1
        if any_tile == self.tile_cols:
            return
        while c0 < depth:
            count = min(self.direct_channels, depth - c0)
            self.t.pack_b(
                to.weights, weights + c0 * taps * size, depth * taps, 1, min(nr, self.ocg - kb * nr), count * taps)
            at = 0
            for lattice in range(self.w.dilation):
                tiles, tile = lattice_tiles(&self.w, self.ow, lattice), 0
                while tile < tiles:
                    end = tile
                    while end < min(tiles, tile + self.direct_most) and self.is_direct(to, j, it, r, at + end):
                        end += 1
                    if end > tile:
                        if size == 4:
                            self.compute_directly[float](&arrays.x, n, g, od, it, r, lattice, tile, end - tile, c0, count, to)
                        else:
                            self.compute_directly[double](&arrays.x, n, g, od, it, r, lattice, tile, end - tile, c0, count, to)
                    tile = max(end, tile + 1)
                at += tiles
            c0 += count

    cdef void compute_directly(
        self, const View *x, Py_ssize_t n, Py_ssize_t g, Py_ssize_t od, const Item *it, Py_ssize_t r, Py_ssize_t lattice,
        Py_ssize_t tile, Py_ssize_t tiles, Py_ssize_t c0, Py_ssize_t count, const Scratch *to, real unused=0) noexcept nogil:
        # Channels c0 to c0 + count of some adjacent tiles, added to their pixels.
        cdef Py_ssize_t nr = self.t.nr, high = span(&self.h), outputs = tiles * self.w.m, c, a, i, q, q_next, piece
        cdef Py_ssize_t pieces = (outputs + self.t.mr - 1) // self.t.mr, plane_len = high * self.direct_row
        cdef Py_ssize_t row0 = it.lattice + (it.first + r) * self.h.m * self.h.stride * self.h.dilation
        cdef Py_ssize_t col0 = lattice + tile * self.w.m * self.w.stride * self.w.dilation
        cdef Py_ssize_t out0 = lattice + tile * self.w.m * self.w.dilation
        cdef int64_t plane, row
        cdef const char *channel
        cdef const char *src
        cdef real *sums = <real *>to.sums
        cdef real *pixels
        for c in range(count):
            plane = fc_source(&self.image.planes, od * self.sd + (c0 + c) % self.kd * self.dd)
            channel = x.data + (
                n * x.stride[0] + (g * self.icg + (c0 + c) // self.kd) * x.stride[1] + plane * x.stride[2]) * sizeof(real)
            for a in range(high):
                row = fc_source(&self.image.rows, row0 + a * self.h.dilation)
                src = NULL
                if plane >= 0 and row >= 0:
                    src = channel + row * x.stride[3] * sizeof(real)
                self.gather_row(
                    <real *>to.patch + c * plane_len + a * self.direct_row, <const real *>src, x.stride[4], col0,
                    (outputs - 1) * self.w.stride + self.w.taps)
        for i in range(self.h.m):
            pixels = <real *>to.pixels + i * self.y_row
            if c0 > 0:
                for q in range(outputs):
                    memcpy(sums + q * nr, pixels + (out0 + q * self.w.dilation) * nr, nr * sizeof(real))
            q = 0
            for piece in range(pieces):  # near-equal parts of at most MR pixels
                q_next = outputs * (piece + 1) // pieces
                self.t.tile[q_next - q][1](
                    count, self.h.taps * self.w.taps, self.direct_taps,
                    <real *>to.patch + i * self.h.stride * self.direct_row + q, plane_len, to.weights, nr, to.weights, 0, c0 == 0,
                    sums + q * nr)
                q = q_next
            for q in range(outputs):
                memcpy(pixels + (out0 + q * self.w.dilation) * nr, sums + q * nr, nr * sizeof(real))

    cdef void gather_row(
        self, real *to, const real *src, Py_ssize_t step, Py_ssize_t col0, Py_ssize_t count) noexcept nogil:
        # `count` positions of a lattice from col0 on.
        cdef Py_ssize_t b
        cdef int64_t col
        if self.w.dilation == 1:
            copy_row(
                self.t, &self.image, <char *>to, self.w.stride, self.direct_row // self.w.stride, <const char *>src, step, col0,
                count)
            return
        for b in range(count):
            col = fc_source(&self.image.cols, col0 + b * self.w.dilation)
            to[b] = src[col * step] if src != NULL and col >= 0 else <real>self.image.fill

    cdef void leave_row(
        self, const char *s, const Tiles *tiles, Py_ssize_t r, Py_ssize_t plane, int vectors, char *half,
        char *pixels) noexcept nogil:
        # Row r of the tiles: s in planes, [row point][column point], of which some vectors are transformed.
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, lattice, tile, cols, wp = self.w.points, q
        cdef Py_ssize_t at = whole_slot(tiles, r), at_edge = edge_slot(tiles, r), step = self.w.dilation * nr
        cdef Py_ssize_t rows = self.h.edge.outputs if r == tiles.rows else self.h.m
        cdef bint last = r == tiles.rows, early
        cdef const char *x
        cdef char *y
        for lattice in range(self.w.dilation):
            early = ends_early(&self.w, self.ow, lattice)
            cols = lattice_tiles(&self.w, self.ow, lattice) - early
            y = pixels + lattice * nr * size
            if self.h.points == 1:
                leave_axis(self.t, &self.w, False, s + at * nr * size, plane, nr, cols, y, step, self.w.m * step, vectors)
            elif wp == 1:
                leave_axis(self.t, &self.h, last, s + at * nr * size, plane, nr, cols, y, self.y_row, nr, vectors)
            else:
                for tile in range(cols):
                    x = s + (at + tile) * nr * size
                    leave_axis(self.t, &self.h, last, x, wp * plane, plane, wp, half, wp * nr, nr, vectors)
                    leave_axis(
                        self.t, &self.w, False, half, nr, wp * nr, rows, y + tile * self.w.m * step * size, step, self.y_row,
                        vectors)
            at += cols
            if early:
                x = s + at_edge * nr * size
                y = y + cols * self.w.m * step * size
                if self.h.points == 1:
                    leave_axis(self.t, &self.w, True, x, plane, 0, 1, y, step, 0, vectors)
                else:
                    for q in range(wp):
                        if self.w.at_edge[q]:
                            leave_axis(
                                self.t, &self.h, last, x + q * plane * size, wp * plane, 0, 1, half + q * nr * size, wp * nr, 0,
                                vectors)
                    leave_axis(self.t, &self.w, True, half, nr, wp * nr, rows, y, step, self.y_row, vectors)
                at_edge += 1

    def direct_tiles(self, x):
        """(tiles of x that are computed directly, all tiles): for tests and figures, not fast."""
        cdef View v = placed(x, &self.x)
        cdef bytearray space = bytearray(self.scratch)
        cdef char *scratch = space
        cdef Scratch to = self.split(scratch)
        cdef Py_ssize_t i, at, found = 0, every = 0
        cdef Item it
        cdef Planes planes
        cdef Tiles tiles
        for i in range(self.items):
            it = self.item_of(i, &planes, &tiles)
            if it.part > 0:
                continue
            self.enter(&v, i // self.row_items // self.plane_items // self.groups, i // self.row_items // self.plane_items % self.groups,
                       &planes, &it, &tiles, &to)
            every += planes.entered * tiles.count
            for at in range(planes.entered * tiles.count):
                found += to.direct[at]
        return found, every


cdef Axis axis(scheme, edge) except *:
    cdef Axis a
    cdef Py_ssize_t p
    a.m, a.points, a.taps, a.stride, a.dilation = scheme.m, scheme.points, scheme.taps, scheme.stride, scheme.dilation
    a.phases = scheme.stride
    a.coef_in, a.coef_out = address(scheme.coef_in), address(scheme.coef_out)
    a.edge.outputs, a.edge.points, a.edge.at, a.edge.coef_in, a.edge.coef_out = 0, 0, NULL, NULL, NULL
    for p in range(MOST_POINTS):
        a.at_edge[p] = edge is None
    if edge is not None:
        a.edge.outputs, a.edge.points = edge.outputs, edge.points
        a.edge.at = <const Py_ssize_t *>address(edge.at)
        a.edge.coef_in, a.edge.coef_out = address(edge.coef_in), address(edge.coef_out)
        for p in range(a.edge.points):
            a.at_edge[a.edge.at[p]] = True
    return a


cdef inline Py_ssize_t phase_points(const Axis *a, Py_ssize_t phase) noexcept nogil:
    # Phases with a tap fewer than the first do not use infinity.
    return a.points - (phase > 0 and (a.taps - 1) % a.stride < phase)


cdef inline Py_ssize_t outer_point(const Axis *a, Py_ssize_t phase, bint edge, Py_ssize_t which) noexcept nogil:
    # The first or the last point that a phase of a tile uses.
    if which == 0:
        return 0
    if phase_points(a, phase) == a.points:
        return a.points - 1
    return a.edge.at[a.edge.points - 2] if edge else a.points - 2


cdef inline Py_ssize_t span(const Axis *a) noexcept nogil:
    # Positions of a lattice that one tile reads.
    return (a.m - 1) * a.stride + a.taps


cdef inline Py_ssize_t lattice_outputs(const Axis *a, Py_ssize_t outputs, Py_ssize_t lattice) noexcept nogil:
    return (outputs - lattice + a.dilation - 1) // a.dilation


cdef inline Py_ssize_t lattice_tiles(const Axis *a, Py_ssize_t outputs, Py_ssize_t lattice) noexcept nogil:
    return (lattice_outputs(a, outputs, lattice) + a.m - 1) // a.m


cdef inline bint ends_early(const Axis *a, Py_ssize_t outputs, Py_ssize_t lattice) noexcept nogil:
    # Whether the last tile of a lattice has fewer outputs, and tiles for that.
    return a.edge.outputs > 0 and lattice_outputs(a, outputs, lattice) % a.m != 0


cdef inline Py_ssize_t whole_slot(const Tiles *t, Py_ssize_t r) noexcept nogil:
    # First of the whole tiles of row r, among all tiles.
    return r * t.cols if r < t.rows else t.rows * (t.cols + t.edge_cols)


cdef inline Py_ssize_t edge_slot(const Tiles *t, Py_ssize_t r) noexcept nogil:
    # First of the tiles of its last columns.
    return t.rows * t.cols + r * t.edge_cols if r < t.rows else t.rows * (t.cols + t.edge_cols) + t.cols


cdef void enter_axis(
    const fc_table *t, const Axis *a, bint edge, Py_ssize_t phase, const char *x, Py_ssize_t tap, Py_ssize_t item,
    Py_ssize_t count, char *y, Py_ssize_t point, Py_ssize_t y_item) noexcept nogil:
    # The input transform of whole tiles, or of those at the edge, whose points are stored where whole tiles have them.
    cdef Py_ssize_t xat[MOST_POINTS]
    cdef Py_ssize_t yat[MOST_POINTS]
    cdef Py_ssize_t used = phase_points(a, phase), p
    if not edge:
        t.wino_input[a.points][used == a.points](a.coef_in, x, tap, item, count, y, point, y_item)
        return
    used = a.edge.points - (a.points - used)
    for p in range(used):
        xat[p], yat[p] = p * tap, a.edge.at[p] * point
    t.wino_dense(a.edge.coef_in, a.edge.points, used, used, 1, x, xat, item, count, y, yat, y_item)


cdef void leave_axis(
    const fc_table *t, const Axis *a, bint edge, const char *s, Py_ssize_t tap, Py_ssize_t item, Py_ssize_t count, char *y,
    Py_ssize_t point, Py_ssize_t y_item, int vectors) noexcept nogil:
    # The output transform of whole tiles, or of those at the edge.
    cdef Py_ssize_t xat[MOST_POINTS]
    cdef Py_ssize_t yat[MOST_POINTS]
    cdef Py_ssize_t p
    if not edge:
        t.wino_output[a.points][a.m](a.coef_out, s, tap, item, count, y, point, y_item, vectors)
        return
    for p in range(a.edge.points):
        xat[p] = a.edge.at[p] * tap
    for p in range(a.edge.outputs):
        yat[p] = p * point
    t.wino_dense(
        a.edge.coef_out, a.edge.points, a.edge.outputs, a.edge.points, vectors, s, xat, item, count, y, yat, y_item)


cdef struct Weights:
    Py_ssize_t icg, ocg, kd, kh, kw, depth, together, kbs, rows, sh, sw, ph, pw
    const char *gh  # per phase, (points, taps of the first phase)
    const char *gw
    const Py_ssize_t *at  # per pair of phases and point: its first element in a block of weights


cdef class WeightTransform(Prepared):
    """From x, weights (oc, icg, kd, kh, kw), to y, (groups, blocks of NR, rows of all chunks, NR); an item is a block."""

    cdef Weights a

    def __init__(self, size_t table, p, scheme, Py_ssize_t together):
        """`together`: channels at a time."""
        cdef Weights *a = &self.a
        self.t, self.keep, self.uniform = <const fc_table *>table, scheme, True
        a.icg, a.ocg, a.kd, a.kh, a.kw = p.icg, p.ocg, p.kernel[0], p.kernel[1], p.kernel[2]
        a.depth, a.together = a.icg * a.kd, together
        a.kbs, a.rows = (a.ocg + self.t.nr - 1) // self.t.nr, scheme.depth_rows
        a.sh, a.sw, a.ph, a.pw = scheme.h.stride, scheme.w.stride, scheme.h.points, scheme.w.points
        a.gh, a.gw = address(scheme.h.weights), address(scheme.w.weights)
        a.at = <const Py_ssize_t *>address(scheme.starts)
        self.items = p.groups * a.kbs

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        weights_block(self.t, &self.a, i, arrays.x.data, arrays.y.data, scratch)


cdef void weights_block(
    const fc_table *t, const Weights *a, Py_ssize_t item, const char *w, char *packed, char *lanes) noexcept nogil:
    # One block of NR output channels of one group.
    cdef Py_ssize_t size = t.itemsize, nr = t.nr, taps = a.kh * a.kw, g = item // a.kbs, kb = item % a.kbs
    cdef Py_ssize_t block, c0, c, fh, fw, j, p, q, at, count, rh, rw, used_h, used_w
    cdef Py_ssize_t most_h = (a.kh + a.sh - 1) // a.sh, most_w = (a.kw + a.sw - 1) // a.sw
    cdef char *half = lanes + (a.together * taps + t.vl) * nr * size
    cdef char *rows = half + a.ph * most_w * nr * size
    cdef const char *x
    w += (g * a.ocg + kb * nr) * a.depth * taps * size
    packed += item * a.rows * nr * size
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
                # Planes are so far apart that alternate writes would evict each other's lines from the cache.
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
