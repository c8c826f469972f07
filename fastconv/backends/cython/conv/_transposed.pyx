# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What transposed convolutions by `col2im` and `row_sums` share: sizes, weights by blocks of output channels, packed by each item
or once by a plan."""

from libc.math cimport isfinite

from fastconv.backends.cython.runtime._prepared cimport Prepared
from fastconv.backends.cython.runtime._simd cimport address, elements, fc_table, whole


cdef class BlocksOfChannels(Prepared):
    """One prepared transposed convolution, padded with zeros; a subclass packs a block."""

    def __init__(self, size_t table, p, blocks, bint outside):
        """`outside`: whether weights that are not finite are multiplied by zeros beside the input."""
        self.t = <const fc_table *>table
        self.n, self.groups, self.icg, self.ocg = p.n, p.groups, p.icg, p.ocg
        self.xd, self.xh, self.xw = p.input
        self.kd, self.kh, self.kw = p.kernel
        self.sd, self.sh, self.sw = p.stride
        self.dd, self.dh, self.dw = p.dilation
        self.pd, self.ph, self.pw = (lo for lo, _ in p.pads)
        self.od, self.oh, self.ow = p.output
        self.outside, self.channels_last = outside, p.layout == "NHWC"
        self.taps, self.pixels = p.taps, self.xd * self.xh * self.xw
        self.images, self.block = blocks.images, blocks.channels
        self.blocks = (self.ocg + self.block - 1) // self.block

    cdef Py_ssize_t block_bytes(self) noexcept nogil:
        """Of the packed weights of a block of channels."""
        return 0

    cdef void pack_block(self, const char *w, Py_ssize_t g, Py_ssize_t b, char *to) noexcept nogil:
        """A block of output channels of a group."""

    def finite(self, weights):
        """Whether sums are those of the definition, because all weights are finite or nothing beside the input is read."""
        return not self.outside or isfinite(self.t.largest(address(weights), elements(weights)))

    def plain(self, x, out, weights, bias=None):
        """See `Prepared.plain`."""
        if whole(weights, False, self.weight_bytes) == NULL or not self.finite(weights):
            return False
        return Prepared.plain(self, x, out, weights, bias)

    def all_packed_bytes(self):
        """Of all packed weights."""
        return self.groups * self.blocks * self.block_bytes()

    def pack(self, w, packed):
        """All weights."""
        cdef const char *source = address(w)
        cdef char *to = address(packed)
        cdef Py_ssize_t i
        with nogil:
            for i in range(self.groups * self.blocks):
                self.pack_block(source, i // self.blocks, i % self.blocks, to + i * self.block_bytes())
