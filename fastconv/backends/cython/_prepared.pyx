# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What compiled kernels share: independent items of work, weights bound to sizes, threads and scratch.

A `Prepared` knows the sizes and tables of one problem and how to do one item; it is made once and does not change.
`bind` adds weights, which is cheap, so that a call may do it every time.  Arrays come as canonical views of any strides
that the kernel allows, or, to `Bound.plain`, as whatever lies in memory without gaps.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
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

    def share(self, Py_ssize_t scratch_bytes, int threads, tuple parts, tuple x, tuple y):
        """How runs go about their items.

        `scratch_bytes`: for each thread; `parts`: slices of the items between which signals are seen; `x`, `y`: elements
        of an array without gaps, and its canonical strides.
        """
        cdef int axis
        self.scratch, self.parts = (scratch_bytes + LINE - 1) // LINE * LINE, parts
        self.threads = max(1, min(threads, self.items))
        self.x_bytes, self.y_bytes = x[0] * self.t.itemsize, y[0] * self.t.itemsize
        for axis in range(5):
            self.whole_x.stride[axis] = x[axis + 1] if axis + 1 < len(x) else 0
            self.whole_y.stride[axis] = y[axis + 1] if axis + 1 < len(y) else 0

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        pass

    def bind(self, weights=None, bias=None, plain=None):
        """A run with these weights; `plain` are those that `weights` were made of, where the kernel wants them too."""
        cdef Bound run = Bound.__new__(Bound)
        run.prepared = self
        run.keep = (weights, bias, plain)
        memset(&run.arrays, 0, sizeof(Arrays))
        run.arrays.weights, run.arrays.bias, run.arrays.plain = address(weights), address(bias), address(plain)
        return run


cdef char *whole(object array, int flags, Py_ssize_t nbytes, Py_ssize_t itemsize) except? NULL:
    """Address of `nbytes` without gaps; NULL if the array is something else."""
    cdef Py_buffer buf
    cdef char *data
    try:
        PyObject_GetBuffer(array, &buf, flags)
    except (ValueError, BufferError):
        return NULL
    data = <char *>buf.buf if buf.len == nbytes and <uintptr_t>buf.buf % itemsize == 0 else NULL
    PyBuffer_Release(&buf)
    return data


cdef class Bound:
    """``run(x, out)``: re-entrant."""

    cdef Prepared prepared
    cdef object keep
    cdef Arrays arrays

    def __call__(self, x, out, index=None):
        cdef Arrays a = self.arrays
        a.x, a.y = view(x), view(out)
        if index is not None:
            a.index = view(index)
        self.go(&a)

    def plain(self, x, out):
        """Run if neither array has gaps, whatever its shape; else do nothing and return False.

        The caller knows that x has the dtype of the problem, and out that of the result, and that they do not overlap.
        """
        cdef Arrays a = self.arrays
        cdef Prepared p = self.prepared
        a.x, a.y = p.whole_x, p.whole_y
        a.x.data = whole(x, PyBUF_SIMPLE, p.x_bytes, p.t.itemsize)
        a.y.data = whole(out, PyBUF_WRITABLE, p.y_bytes, p.t.itemsize)
        if a.x.data == NULL or a.y.data == NULL:
            return False
        self.go(&a)
        return True

    cdef int go(self, const Arrays *arrays) except -1:
        cdef Prepared p = self.prepared
        cdef char small[STACK_BYTES + LINE]
        cdef char *scratch
        cdef Py_ssize_t i, lo, hi, step = p.scratch
        cdef int threads = p.threads
        if threads > 1:
            threads = openmp_threads(threads)
        if threads == 1 and step <= STACK_BYTES and len(p.parts) == 1:
            scratch = <char *>((<uintptr_t>small + LINE - 1) // LINE * LINE)
            with nogil:
                for i in range(p.items):
                    p.item(i, arrays, scratch)
            return 0
        with borrow(step * threads) as space:
            scratch = address(space)
            for lo, hi in p.parts:
                PyErr_CheckSignals()
                if threads == 1:
                    with nogil:
                        for i in range(lo, hi):
                            p.item(i, arrays, scratch)
                else:
                    for i in prange(lo, hi, nogil=True, num_threads=threads, schedule="dynamic"):
                        p.item(i, arrays, scratch + threadid() * step)
        return 0
