# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Convolution of many small images, side by side in lanes.

One item of work is NR images.  They are transposed to `pixels`, [element][image], where a tile is one output pixel of up to MR
channels; the results, [element][image] too, are transposed back.  Both are done once for all of these images, as is everything
that depends on positions.  Elements keep their order in memory, so that layouts differ in tables only.
"""

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport View, address, fc_epilogue, fc_prefetch, fc_table, image_tile_args


cdef class Images(Prepared):
    """One prepared convolution.

    `at`, (output pixels, taps): the input position of each tap, negative where there is none; `parts`: first channels of the
    parts of a sum, and the number of channels; `bias_first`: whether a sum, of one part, starts at the bias; `far`: whether images
    come from memory.
    """

    cdef Py_ssize_t n, groups, icg, ocg, positions, pixels, taps, k_tiles
    cdef const Py_ssize_t *at
    cdef const Py_ssize_t *parts
    cdef Py_ssize_t parts_of_sum
    cdef double fill
    cdef bint channels_last, relu, bias_first, far

    def __init__(self, size_t table, p, at, parts, bint bias_first, bint far):
        self.t = <const fc_table *>table
        self.channels_last = p.layout == "NHWC"
        at = at * (self.t.nr * (p.ic if self.channels_last else 1))
        self.keep = at, parts
        self.n, self.groups, self.icg, self.ocg = p.n, p.groups, p.ic // p.groups, p.oc // p.groups
        d, h, w = p.input
        self.positions, self.pixels, self.taps = d * h * w, p.pixels, p.taps
        self.k_tiles = (self.ocg + self.t.mr - 1) // self.t.mr
        self.at, self.parts, self.parts_of_sum = <const Py_ssize_t *>address(at), <const Py_ssize_t *>address(parts), parts.size - 1
        self.fill, self.relu, self.bias_first, self.far = p.fill, p.activation == "relu", bias_first, far
        self.items = (self.n + self.t.nr - 1) // self.t.nr

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef Py_ssize_t nr = self.t.nr, size = self.t.itemsize, first = i * nr, images = min(nr, self.n - first), j
        cdef char *padding = scratch
        cdef char *pixels = padding + nr * size
        cdef char *results = pixels + self.groups * self.icg * self.positions * nr * size
        for j in range(nr):
            if size == 4:
                (<float *>padding)[j] = <float>self.fill
            else:
                (<double *>padding)[j] = self.fill
        self.enter(&arrays.x, first, images, pixels)
        if self.far:
            self.prefetch(arrays, first, images)
        self.compute_all(arrays, padding, pixels, results)
        self.leave(&arrays.y, first, images, results)

    cdef void prefetch(self, const Arrays *arrays, Py_ssize_t first, Py_ssize_t images) noexcept nogil:
        """Where results go, and the next images: a transpose reads and writes many rows at once, parts of lines each."""
        cdef Py_ssize_t size = self.t.itemsize, j, next = first + images
        fc_prefetch(arrays.y.data + first * arrays.y.stride[0] * size, images * arrays.y.stride[0] * size)
        for j in range(next, min(next + images, self.n)):
            fc_prefetch(arrays.x.data + j * arrays.x.stride[0] * size, self.groups * self.icg * self.positions * size)

    cdef void enter(self, const View *x, Py_ssize_t first, Py_ssize_t images, char *pixels) noexcept nogil:
        """Transpose images to pixels."""
        cdef Py_ssize_t size = self.t.itemsize, channels = self.groups * self.icg, run = self.positions, runs = channels, i
        cdef const char *source = x.data + first * x.stride[0] * size
        if self.channels_last or x.stride[1] == run or channels == 1:
            run, runs = run * channels, 1
        for i in range(runs):
            self.t.pack_b(
                pixels + i * run * self.t.nr * size, source + i * x.stride[1] * size, x.stride[0], 1, images, run)

    cdef void leave(self, const View *y, Py_ssize_t first, Py_ssize_t images, const char *results) noexcept nogil:
        """Transpose results to images."""
        cdef Py_ssize_t size = self.t.itemsize, channels = self.groups * self.ocg, run = self.pixels, runs = channels, i
        cdef char *to = y.data + first * y.stride[0] * size
        cdef fc_epilogue e
        e.alpha, e.beta, e.c, e.row_bias, e.col_bias, e.relu = 1.0, 0.0, NULL, NULL, NULL, 0
        if self.channels_last or y.stride[1] == run or channels == 1:
            run, runs = run * channels, 1
        for i in range(runs):
            self.t.store(results + i * run * self.t.nr * size, run, images, to + i * y.stride[1] * size, 1, y.stride[0], &e)

    cdef void compute_all(self, const Arrays *arrays, const char *padding, const char *pixels, char *results) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, nr = self.t.nr, mr = self.t.mr, g, tile, k, rows, q, part, c
        # From one channel, and from one pixel, to the next.
        cdef Py_ssize_t across = nr if self.channels_last else self.pixels * nr
        cdef Py_ssize_t along = self.groups * self.ocg * nr if self.channels_last else nr
        cdef Py_ssize_t channel = nr if self.channels_last else self.positions * nr
        cdef image_tile_args a
        cdef const char *weights
        cdef char *to
        a.taps, a.xc, a.padding, a.ys, a.relu = self.taps, channel, padding, across, self.relu
        for g in range(self.groups):
            for tile in range(self.k_tiles):
                k = g * self.ocg + self.ocg * tile // self.k_tiles
                rows = g * self.ocg + self.ocg * (tile + 1) // self.k_tiles - k
                weights = arrays.weights + (g * self.k_tiles + tile) * self.icg * self.taps * mr * size
                a.start, a.bias = NULL, NULL
                if arrays.bias != NULL and self.bias_first:
                    a.start = arrays.bias + k * size
                elif arrays.bias != NULL:
                    a.bias = arrays.bias + k * size
                to = results + k * across * size
                for part in range(self.parts_of_sum):
                    c = self.parts[part]
                    a.channels, a.first, a.last = self.parts[part + 1] - c, part == 0, part + 1 == self.parts_of_sum
                    a.w, a.x = weights + c * self.taps * mr * size, pixels + (g * self.icg + c) * channel * size
                    for q in range(self.pixels):
                        a.at, a.y = self.at + q * self.taps, to + q * along * size
                        self.t.image_tile[rows](&a)
