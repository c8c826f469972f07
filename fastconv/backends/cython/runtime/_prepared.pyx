# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The runner of compiled kernels: it splits their items of work among threads, lends scratch and handles signals.

A `Prepared` has the sizes and tables of one problem and computes one item; it is made once and does not change.
Items are independent, except across barriers: those after a barrier wait for all before it.
`bind` adds weights, which is cheap, so that every call may do it.  Arrays are canonical views of any strides that the
kernel allows, or, for `Bound.plain`, any contiguous arrays.  What is neither read, written nor bound in this way, a
kernel passes to its items as `Arrays.more`.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t, uintptr_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from fastconv.backends.cython.runtime._simd cimport FC_LINE, address, contiguous, meet, pack_panels, placed, whole
from fastconv.backends.cython.runtime._team cimport team

from fastconv.core import scratch as lender

cdef bint DEBUG = lender.DEBUG

cdef enum:
    STACK_BYTES = 32 << 10  # scratch of one thread that is on the stack instead of borrowed


cdef class Prepared:
    """One problem; a subclass sets `t`, `keep`, `items`, and `closing` and `uniform` if it needs them, and computes an item."""

    def schedule(self, Py_ssize_t scratch_bytes, int threads, tuple parts, x, y, z, Py_ssize_t shared_bytes):
        """Set how runs process their items.

        `scratch_bytes`: for each thread; `shared_bytes`: after those, for all of them; `parts`: slices of the items between
        which signals are handled; `x`, `y`, `z`: contiguous arrays, as `native.Contiguous`.
        """
        self.own, self.scratch, self.shared = scratch_bytes, lender.step_of(scratch_bytes), shared_bytes
        self.parts = parts
        self.threads = max(1, min(threads, self.items))
        self.x_bytes, self.y_bytes = x[0] * self.t.itemsize, y[0] * self.t.itemsize
        self.x, self.y, self.z = contiguous(x), contiguous(y), contiguous(z)

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        pass

    cdef Py_ssize_t barrier(self, Py_ssize_t i, const Arrays *arrays) noexcept nogil:
        """The first item after `i` that waits for all items before it."""
        return self.items if i < self.items else self.items + self.closing

    def bind(self, weights=None, bias=None, plain=None, more=None):
        """A run with these weights; `plain` are the unpacked weights, if the kernel needs them, too."""
        cdef Bound run = bound(self, (weights, bias, plain, more))
        run.arrays.weights, run.arrays.bias, run.arrays.plain = address(weights), address(bias), address(plain)
        run.arrays.more = address(more)
        return run

    def expect(self, Py_ssize_t weights, Py_ssize_t biases, Py_ssize_t packed, tuple panels):
        """Set what `plain` takes: elements of weights and bias, and of weights in `panels`, a `native.Panels`, or ()."""
        cdef Py_ssize_t size = self.t.itemsize
        self.weight_bytes, self.bias_bytes, self.packed_bytes = weights * size, biases * size, packed * size
        if panels:
            self.panels.groups, self.panels.rows, self.panels.depth, self.panels.lanes = panels

    def plain(self, x, out, weights, bias=None, pack=None):
        """Pack weights and run, if all arrays are contiguous, whatever their shapes, and `out` overlaps none; else return
        False.

        The caller has checked their dtypes, and whether there is a bias.  `pack`: from weights to packed ones, where these
        are no panels.
        """
        cdef Arrays a
        cdef char *packed = NULL
        memset(&a, 0, sizeof(Arrays))
        a.x.stride, a.y.stride = self.x.stride, self.y.stride
        a.x.data, a.y.data = whole(x, False, self.x_bytes), whole(out, True, self.y_bytes)
        a.weights = a.plain = whole(weights, False, self.weight_bytes)
        if a.x.data == NULL or a.y.data == NULL or a.plain == NULL:
            return False
        if bias is not None:
            a.bias = whole(bias, False, self.bias_bytes)
            if a.bias == NULL or meet(a.bias, self.bias_bytes, a.y.data, self.y_bytes):
                return False
        if meet(a.x.data, self.x_bytes, a.y.data, self.y_bytes) or meet(a.plain, self.weight_bytes, a.y.data, self.y_bytes):
            return False
        if pack is not None:
            kept = pack(weights)
            a.weights = address(kept)
        if self.packed_bytes:
            packed = <char *>malloc(self.packed_bytes + FC_LINE)
            if packed == NULL:
                return False
            a.weights = <char *>((<uintptr_t>packed + FC_LINE - 1) // FC_LINE * FC_LINE)
            with nogil:
                pack_panels(self.t, &self.panels, a.plain, <char *>a.weights)
        try:
            self.execute(&a)
        finally:
            free(packed)
        return True

    def multiply(self, x, out, b, c=None, bias=None):
        """`plain` for a product with a matrix b, which has the layout of the third array; an addend c has that of the result."""
        cdef Arrays a
        memset(&a, 0, sizeof(Arrays))
        a.x.stride, a.y.stride, a.b.stride = self.x.stride, self.y.stride, self.z.stride
        a.x.data, a.y.data = whole(x, False, self.x_bytes), whole(out, True, self.y_bytes)
        a.b.data = whole(b, False, self.weight_bytes)
        if a.x.data == NULL or a.y.data == NULL or a.b.data == NULL:
            return False
        if c is not None:
            a.c.stride, a.c.data = self.y.stride, whole(c, False, self.y_bytes)
            if a.c.data == NULL or meet(a.c.data, self.y_bytes, a.y.data, self.y_bytes):
                return False
        if bias is not None:
            a.bias = whole(bias, False, self.bias_bytes)
            if a.bias == NULL or meet(a.bias, self.bias_bytes, a.y.data, self.y_bytes):
                return False
        if meet(a.x.data, self.x_bytes, a.y.data, self.y_bytes) or meet(a.b.data, self.weight_bytes, a.y.data, self.y_bytes):
            return False
        self.execute(&a)
        return True

    cdef int execute(self, Arrays *arrays) except -1:
        """All items."""
        cdef char small[STACK_BYTES + FC_LINE]
        cdef char *scratch
        cdef Py_ssize_t lo, hi, nbytes
        cdef int threads = team(self.threads)
        nbytes = self.scratch * threads + self.shared
        if threads == 1 and nbytes <= STACK_BYTES and len(self.parts) == 1 and not DEBUG:
            scratch = <char *>((<uintptr_t>small + FC_LINE - 1) // FC_LINE * FC_LINE)
            arrays.shared = scratch + self.scratch
            with nogil:
                self.compute(0, self.items + self.closing, arrays, scratch, 1)
            return 0
        with lender.borrow_each(self.own, threads, self.shared) as space:
            scratch = address(space)
            arrays.shared = scratch + threads * self.scratch
            for lo, hi in self.parts:
                PyErr_CheckSignals()
                with nogil:
                    self.compute(lo, hi, arrays, scratch, threads)
        return 0

    cdef void compute(
        self, Py_ssize_t lo, Py_ssize_t hi, const Arrays *arrays, char *scratch, int threads) noexcept nogil:
        """Items lo to hi."""
        cdef Py_ssize_t i, end
        if threads == 1:
            for i in range(lo, hi):
                self.item(i, arrays, scratch)
            return
        while lo < hi:
            end = min(hi, self.barrier(lo, arrays))
            if self.uniform:
                for i in prange(lo, end, num_threads=threads, schedule="static"):
                    self.item(i, arrays, scratch + threadid() * self.scratch)
            else:
                for i in prange(lo, end, num_threads=threads, schedule="dynamic"):
                    self.item(i, arrays, scratch + threadid() * self.scratch)
            lo = end


cdef Bound bound(Prepared prepared, object keep):
    """A run without operands; `keep` must live as long as it does."""
    cdef Bound run = Bound.__new__(Bound)
    run.prepared, run.keep = prepared, keep
    memset(&run.arrays, 0, sizeof(Arrays))
    return run


cdef class Bound:
    """``run(x, out)``, or with a third array: re-entrant."""

    def __call__(self, x, out, third=None):
        cdef Arrays a = self.arrays
        cdef Prepared p = self.prepared
        a.x, a.y = placed(x, &p.x), placed(out, &p.y)
        if third is not None:
            a.z = placed(third, &p.z)
        p.execute(&a)

    def plain(self, x, out):
        """Run if both arrays are contiguous, whatever their shapes, and do not overlap; else do nothing and return False.

        The caller has checked that x has the dtype of the problem, and out that of the result.
        """
        cdef Arrays a = self.arrays
        cdef Prepared p = self.prepared
        a.x.stride, a.y.stride = p.x.stride, p.y.stride
        a.x.data, a.y.data = whole(x, False, p.x_bytes), whole(out, True, p.y_bytes)
        if a.x.data == NULL or a.y.data == NULL:
            return False
        if meet(a.x.data, p.x_bytes, a.y.data, p.y_bytes):
            return False
        p.execute(&a)
        return True

    def plain_both(self, x, outs):
        """`plain` for two results, the second of which are positions (int64)."""
        cdef Arrays a = self.arrays
        cdef Prepared p = self.prepared
        cdef Py_ssize_t positions = p.y_bytes // p.t.itemsize * sizeof(int64_t)
        out, third = outs
        a.x.stride, a.y.stride, a.z.stride = p.x.stride, p.y.stride, p.z.stride
        a.x.data, a.y.data, a.z.data = whole(x, False, p.x_bytes), whole(out, True, p.y_bytes), whole(third, True, positions)
        if a.x.data == NULL or a.y.data == NULL or a.z.data == NULL:
            return False
        if meet(a.x.data, p.x_bytes, a.y.data, p.y_bytes) or meet(a.x.data, p.x_bytes, a.z.data, positions):
            return False
        if meet(a.y.data, p.y_bytes, a.z.data, positions):
            return False
        p.execute(&a)
        return True
