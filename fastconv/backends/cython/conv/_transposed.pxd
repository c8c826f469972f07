"""Base of transposed convolutions that sum products: see _transposed.pyx."""

from fastconv.backends.cython.runtime._prepared cimport Prepared


cdef class BlocksOfChannels(Prepared):
    cdef Py_ssize_t n, groups, icg, ocg, xd, xh, xw, kd, kh, kw, sd, sh, sw, dd, dh, dw, pd, ph, pw, od, oh, ow
    cdef Py_ssize_t taps, pixels, images, block, blocks
    cdef bint outside, channels_last
    cdef Py_ssize_t block_bytes(self) noexcept nogil
    cdef void pack_block(self, const char *w, Py_ssize_t g, Py_ssize_t b, char *to) noexcept nogil
