# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What compiled convolutions share: independent items of work, weights bound to sizes, threads and scratch.

A `Prepared` knows the sizes and tables of one problem and how to do one item; it is made once and does not change.
`bind` adds weights, which is cheap, so that a call may do it every time.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport prange, threadid
from libc.stdint cimport uintptr_t
from libc.string cimport memset

from fastconv.backends.cython._simd cimport address, view

from fastconv.core.scratch import borrow
from fastconv.core.threads import openmp_threads

cdef enum:
    LINE = 64
    STACK_BYTES = 32 << 10  # scratch of one thread that is not worth borrowing


cdef class Prepared:
    """One problem; a subclass sets `t`, `keep` and `items`, and says what an item is."""

    def share(self, Py_ssize_t scratch_bytes, int threads, tuple parts):
        """How runs go about their items: scratch for each thread, threads, and the slices between which signals are seen."""
        self.scratch, self.parts = (scratch_bytes + LINE - 1) // LINE * LINE, parts
        self.threads = max(1, min(threads, self.items))

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        pass

    def bind(self, weights, bias=None, plain=None):
        """A run with these weights; `plain` are those that `weights` were made of, where the kernel wants them too."""
        cdef Bound run = Bound.__new__(Bound)
        run.prepared = self
        run.keep = (weights, bias, plain)
        memset(&run.arrays, 0, sizeof(Arrays))
        run.arrays.weights, run.arrays.bias, run.arrays.plain = address(weights), address(bias), address(plain)
        return run


cdef class Bound:
    """``run(x, out)``: re-entrant."""

    cdef Prepared prepared
    cdef object keep
    cdef Arrays arrays

    def __call__(self, x, out):
        cdef Arrays a = self.arrays
        cdef Prepared p = self.prepared
        cdef char small[STACK_BYTES + LINE]
        cdef char *scratch
        cdef Py_ssize_t i, lo, hi, step = p.scratch
        cdef int threads = p.threads
        a.x, a.y = view(x), view(out)
        if threads > 1:
            threads = openmp_threads(threads)
        if threads == 1 and step <= STACK_BYTES and len(p.parts) == 1:
            scratch = <char *>((<uintptr_t>small + LINE - 1) // LINE * LINE)
            with nogil:
                for i in range(p.items):
                    p.item(i, &a, scratch)
            return
        with borrow(step * threads) as space:
            scratch = address(space)
            for lo, hi in p.parts:
                PyErr_CheckSignals()
                if threads == 1:
                    with nogil:
                        for i in range(lo, hi):
                            p.item(i, &a, scratch)
                else:
                    for i in prange(lo, hi, nogil=True, num_threads=threads, schedule="dynamic"):
                        p.item(i, &a, scratch + threadid() * step)
