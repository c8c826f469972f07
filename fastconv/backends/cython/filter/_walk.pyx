# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Filters by windows of any shape: which rows of the image the windows of some results see.

Rows are read from memory as they lie, except near their ends, and where numbers must be converted: there, rows with what
lies beyond their ends are held, as many as the windows of `together` rows of results see.  An item of work is some rows of
results; its columns are strips, one after the other, so that what is held stays in the cache.
"""

from libc.stdint cimport uintptr_t
from libc.string cimport memcpy, memset, strcmp

from fastconv.backends.cython.filter._edges cimport CONSTANT, beyond, copy_element, lined
from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport address, fc_table

cdef extern from "simd/windows/windows.h":
    """
    #define FC_WINDOWS_OF(name) extern const fc_windows fc_##name##_windows;
    FC_WINDOWS
    #undef FC_WINDOWS_OF
    #define FC_WINDOWS_OF(name) {#name, &fc_##name##_windows},
    static const struct {
        const char *name;
        const fc_windows *table;
    } fc_windows_tables[] = {FC_WINDOWS {NULL, NULL}};
    static const fc_windows *fc_find_windows(const char *name)
    {
        int i = 0;
        while (fc_windows_tables[i].name && strcmp(fc_windows_tables[i].name, name)) i++;
        return fc_windows_tables[i].table;
    }
    """
    const fc_windows *fc_find_windows(const char *name)


cdef const fc_windows *named_windows(str table) except NULL:
    """The micro-kernels of that name."""
    cdef const fc_windows *found = fc_find_windows(table.encode())
    if found == NULL:
        raise RuntimeError(f"{table} was not built")
    return found


cdef Axis axis_of(numbers) except *:
    cdef Axis a
    a.extent, a.taps, a.before = numbers
    return a


cdef class Walked(Prepared):
    """One prepared filter."""

    def walk(self, str table, size_t types, lines, walk, Py_ssize_t size, sizes, bint direct, bint stored, int mode, offsets):
        """`table`: name of the micro-kernels, and `types` the address of those that convert; `offsets`: of taps, or None;
        `lines`: `core.problems.neighbors.Lines`; `walk`: see walk.py; `sizes`: bytes of numbers of x and of y."""
        cdef int k
        self.w, self.t = named_windows(table), <const fc_table *>types
        if offsets is not None:
            self.keep, self.taps, self.offsets = offsets, len(offsets), <const Py_ssize_t *>address(offsets)
        self.axes, self.mode = len(lines.extents), mode
        for k in range(self.axes):
            self.leading[k] = axis_of((lines.extents[k], lines.sizes[k], lines.before[k]))
        self.height, self.width, self.inner = axis_of(lines.height), axis_of(lines.width), lines.inner
        self.planes, self.outer = lines.planes, lines.outer
        self.rows, self.together, self.block, self.run, self.step, self.pitch, self.slots, self.vl, self.least, self.edge = walk
        self.size, self.direct, self.stored = size, direct, stored
        self.given, self.made = sizes
        self.row_blocks = (self.height.extent + self.rows - 1) // self.rows
        self.items = self.outer * self.row_blocks if self.width.extent else 0

    def schedule(self, Py_ssize_t scratch_bytes, int threads, tuple parts, x, y, z, Py_ssize_t shared_bytes):
        Prepared.schedule(self, scratch_bytes, threads, parts, x, y, z, shared_bytes)
        cdef Py_ssize_t count = self.outer * self.height.extent * self.width.extent * self.inner
        self.x_bytes, self.y_bytes = count * self.given, count * self.made

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t row = i % self.row_blocks * self.rows, outer = i // self.row_blocks
        cdef Py_ssize_t n = self.width.extent, first = 0, end = 0, at
        if self.run and n > self.block:  # else every strip is held
            first = max(self.width.before, self.edge)
            if self.inner == 1 and self.stored:  # results on whole cache lines
                at = <uintptr_t>(a.y.data + ((outer * self.height.extent + row) * n + first) * self.size) % 64
                first += (64 - at) % 64 // self.size
            end = first + (n - max(self.width.taps - 1 - self.width.before, self.edge) - first) // self.step * self.step
            self.strip(a, outer, row, 0, first, True, scratch)
            at = first
            while at < end:
                self.strip(a, outer, row, at, min(at + self.run, end), False, scratch)
                at += self.run
        while end < n:
            self.strip(a, outer, row, end, min(end + self.block, n), True, scratch)
            end += self.block

    cdef Py_ssize_t plane(self, Py_ssize_t outer, Py_ssize_t plane) noexcept nogil:
        """The index, along all axes before the rows, that an element of the windows of `outer` reads; -1 for the constant."""
        cdef Py_ssize_t found = 0, unit = 1, at
        cdef int k = self.axes - 1
        while k >= 0:
            at = outer % self.leading[k].extent + plane % self.leading[k].taps - self.leading[k].before
            at = beyond(at, self.leading[k].extent, self.mode)
            if at < 0:
                return -1
            found += at * unit
            unit *= self.leading[k].extent
            outer, plane = outer // self.leading[k].extent, plane // self.leading[k].taps
            k -= 1
        return found

    cdef void strip(
        self, const Arrays *a, Py_ssize_t outer, Py_ssize_t row, Py_ssize_t first, Py_ssize_t end, bint held, char *scratch
    ) noexcept nogil:
        """Results first to end of the rows of an item."""
        cdef Py_ssize_t last = min(row + self.rows, self.height.extent), unit = self.inner * self.given
        cdef Py_ssize_t seen = self.height.taps, count, p, v, at, r, entered = 0, need, k
        cdef Py_ssize_t *planes = <Py_ssize_t *>scratch
        cdef const void **rows = <const void **>(scratch + lined(self.planes * sizeof(Py_ssize_t)))
        cdef char *fill = <char *>rows + lined(self.planes * self.slots * sizeof(void *))
        cdef char *ring = fill
        cdef char *rest
        cdef char *slot
        cdef char *y
        cdef const char *x
        if end <= first:
            return
        if self.mode == CONSTANT:
            ring += lined(((max(self.block, self.run) + self.width.taps - 1) * self.inner + self.vl) * self.size)
            self.constant(fill, (end - first + self.width.taps - 1) * self.inner + self.vl)
        rest = ring + self.planes * self.slots * self.pitch
        for p in range(self.planes):
            planes[p] = self.plane(outer, p)
        r = row
        while r < last:
            count = min(last - r, self.together) if last - r >= self.least else 1
            need, k = r - row + seen + count - 1, 0
            for p in range(self.planes):
                for v in range(r - row, need):
                    at = -1 if planes[p] < 0 else beyond(row + v - self.height.before, self.height.extent, self.mode)
                    if at < 0:
                        rows[k] = fill
                    else:
                        x = a.x.data + (planes[p] * self.height.extent + at) * self.width.extent * unit
                        if held:
                            slot = ring + (p * self.slots + v % self.slots) * self.pitch
                            rows[k] = slot
                            if v >= entered:
                                self.enter_strip(x, first, end, slot)
                        else:
                            rows[k] = x + (first - self.width.before) * unit
                    k += 1
            entered = need
            at = (outer * self.height.extent + r) * self.width.extent + first
            y = a.y.data + at * self.inner * self.made
            self.results(rows, r - row, count, last - row, (end - first) * self.inner, y, a, rest)
            r += count

    cdef void enter_strip(self, const char *x, Py_ssize_t first, Py_ssize_t end, char *to) noexcept nogil:
        """What results first to end of a row see of it, and a vector of zeros."""
        cdef Py_ssize_t extent = self.width.extent, start = first - self.width.before
        cdef Py_ssize_t after = start + end - first + self.width.taps - 1, element = self.inner * self.size, i, at
        cdef Py_ssize_t lo = min(max(start, 0), extent), hi = max(min(after, extent), lo)
        self.enter(x + lo * self.inner * self.given, (hi - lo) * self.inner, to + (lo - start) * element)
        i = start
        while i < after:
            if lo <= i < hi:
                i = hi
                continue
            at = beyond(i, extent, self.mode)
            if at < 0:
                self.constant(to + (i - start) * element, self.inner)
            elif lo <= at < hi:
                copy_element(to + (i - start) * element, to + (at - start) * element, element)
            else:
                self.enter(x + at * self.inner * self.given, self.inner, to + (i - start) * element)
            i += 1
        memset(to + (after - start) * element, 0, self.vl * self.size)

    cdef void results(
        self, const void **rows, Py_ssize_t at, Py_ssize_t count, Py_ssize_t all, Py_ssize_t n, char *y, const Arrays *a,
        char *scratch) noexcept nogil:
        """`n` results of `count` rows, which are those from `at` on of the `all` rows of an item; `rows`: of each plane, the
        rows of the image that the windows see, from the first element on that they see."""
        pass

    cdef void point_taps(self, const void **rows, const void **taps) noexcept nogil:
        """Where each tap of a row of results begins."""
        cdef Py_ssize_t t
        for t in range(self.taps):
            taps[t] = <const char *>rows[self.offsets[2 * t]] + self.offsets[2 * t + 1] * self.size

    cdef void enter(self, const char *x, Py_ssize_t n, char *to) noexcept nogil:
        """Numbers of memory as held rows have them."""
        if self.direct:
            memcpy(to, x, n * self.size)
        else:
            self.t.filter_enter(self.dtype, x, n, to)

    cdef void constant(self, char *to, Py_ssize_t n) noexcept nogil:
        pass
