# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Extrema of windows of any shape, and erosions and dilations of bools, see simd/windows/extremes.inc.

A row of a window is some runs of taps.  Rows of the image are held together with the extrema of 2, 4, 8, ... adjacent
elements, their levels, so that a run is two loads, whatever its length.  Of an item, whose results are some rows, several
iterations advance together: each computes a row as soon as the rows that it sees are there, and these are the only ones
that are held.

Taps that have heights, simd/windows/heights.inc, are loaded one by one.  As in SciPy, their sums are of the elements' type and
wrap around, but that of the first tap is a double, with which all others are compared.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy, memset

from fastconv.backends.cython.filter._edges cimport CONSTANT, beyond, lined
from fastconv.backends.cython.filter._walk cimport AXES, Walked, fc_windows, named_windows, window_extreme_args, window_height_args
from fastconv.backends.cython.runtime._prepared cimport Arrays
from fastconv.backends.cython.runtime._simd cimport WINDOW_MAX, WINDOW_MIN, address

cdef enum:
    BYTES, REALS, OTHERS  # whose extrema are found by `extreme_bytes`, `extreme`, `window_join`
    DOUBLES = 1024  # that are compared at a time


cdef struct Known:
    int64_t exact  # whether the sum of the first tap can be found in the type, too
    int64_t after  # see `window_height_args`
    int64_t first  # its height, if that is an integer
    double height  # the same; of minima with the other sign


cdef class Shape(Walked):
    """One prepared filter."""

    cdef int out, acc, kind
    cdef bint largest, truth, masked
    cdef uint64_t fill  # the constant, as held rows have it
    cdef Py_ssize_t stages, levels, level, center  # iterations; levels of a row, bytes of one; the plane that results are in
    cdef Py_ssize_t front  # bytes before a held row, so that results begin on a cache line
    cdef const Py_ssize_t *runs  # of each load: the row, and bytes from the start of the first level
    cdef object kept_runs
    cdef const fc_windows *doubles  # of taps that have heights

    def __init__(
        self, types, int kind, bint largest, bint truth, bint masked, fill, Py_ssize_t stages, levels, Py_ssize_t center, runs,
        str doubles=None
    ):
        """`types`: of the input, the result and what is compared; `fill`: the constant as an array of one of these; `levels`:
        how many, bytes of one, and before the first; `runs`: of each load the row, and bytes from its start; `doubles`: if
        taps have heights, the name of the micro-kernels that compare doubles."""
        self.dtype, self.out, self.acc = types
        self.kind, self.largest, self.truth, self.masked = kind, largest, truth, masked
        self.fill = 0
        memcpy(&self.fill, address(fill), fill.itemsize)
        self.stages, self.center = stages, center
        self.levels, self.level, self.front = levels
        self.kept_runs, self.runs, self.taps = runs, <const Py_ssize_t *>address(runs), len(runs)
        self.doubles = NULL if doubles is None else named_windows(doubles)

    cdef void strip(
        self, const Arrays *a, Py_ssize_t outer, Py_ssize_t row, Py_ssize_t first, Py_ssize_t end, bint held, char *scratch
    ) noexcept nogil:
        """Results first to end of the rows of an item."""
        cdef Py_ssize_t last = min(row + self.rows, self.height.extent), tall = self.height.taps, stages = self.stages
        cdef Py_ssize_t before = self.height.before, after = tall - 1 - before, wide = self.width.taps - 1, p, v, at, j, q
        cdef Py_ssize_t left = stages * self.width.before, right = stages * (wide - self.width.before)
        cdef Py_ssize_t columns = end - first + stages * wide, unit = self.width.extent * self.inner * self.given
        cdef Py_ssize_t *planes = <Py_ssize_t *>scratch
        cdef const void **taps = <const void **>(scratch + lined(self.planes * sizeof(Py_ssize_t)))
        cdef const char **rows = <const char **>(<char *>taps + lined(self.taps * sizeof(void *)))
        cdef char *fill = <char *>rows + lined(self.planes * tall * sizeof(void *)) + self.front
        cdef char *ring = fill + (self.pitch if self.mode == CONSTANT else 0)
        cdef char *rest = ring - self.front + max(self.planes, stages) * tall * self.pitch
        cdef char *slot
        for p in range(self.planes):
            planes[p] = self.plane(outer, p)
        if self.mode == CONSTANT:
            self.constant(fill - self.front, self.pitch // self.size)
            if stages > 1:  # what lies beyond the ends of rows that are computed
                self.constant(ring - self.front + tall * self.pitch, (stages - 1) * tall * self.pitch // self.size)
        for v in range(row - stages * before, last + stages * after):
            at = beyond(v, self.height.extent, self.mode)
            for p in range(self.planes):
                if at >= 0 and planes[p] >= 0:
                    slot = self.held(ring, p, v)
                    self.enter_strip(
                        a.x.data + (planes[p] * self.height.extent + at) * unit,
                        first - left + self.width.before, end + right - wide + self.width.before, slot)
                    self.lengthen(slot, columns)
            for j in range(1, stages + 1):
                q = v - j * after
                if q < row - (stages - j) * before:
                    break
                if 0 <= q < self.height.extent:
                    self.compute_row(a, outer, q, j, first, end, planes, rows, taps, fill, ring, rest)

    cdef inline char *held(self, char *ring, Py_ssize_t which, Py_ssize_t row) noexcept nogil:
        """A row of a plane of the image, or of a stage."""
        cdef Py_ssize_t tall = self.height.taps
        return ring + (which * tall + (row + (self.stages + 1) * tall) % tall) * self.pitch

    cdef void lengthen(self, char *row, Py_ssize_t columns) noexcept nogil:
        """The further levels of a row."""
        cdef Py_ssize_t l, n = columns * self.inner, step = self.inner
        cdef const void *halves[2]
        for l in range(1, self.levels):
            halves[0] = row + (l - 1) * self.level
            halves[1] = <const char *>halves[0] + step * self.size
            n -= step
            if n <= 0:
                return
            self.join(halves, 2, row + l * self.level, n)
            step *= 2

    cdef void join(self, const void **rows, Py_ssize_t count, void *y, Py_ssize_t n) noexcept nogil:
        """Extrema of rows."""
        cdef window_extreme_args e
        cdef const void *some[4]
        cdef int op = WINDOW_MAX if self.largest else WINDOW_MIN, k, many
        cdef Py_ssize_t t
        if self.kind != OTHERS:
            e.taps, e.count, e.largest, e.truth, e.mask, e.y, e.n = <const void *const *>rows, count, self.largest, 0, NULL, y, n
            if self.kind == BYTES:
                self.w.extreme_bytes(&e)
            else:
                self.w.extreme(&e)
            return
        some[0], t = rows[0], 1
        if count == 1:
            memcpy(y, rows[0], n * self.size)
        while t < count:
            many = <int>min(count - t, 3)
            for k in range(many):
                some[k + 1] = rows[t + k]
            self.t.window_join(self.acc, op, some, many + 1, y, n)
            some[0] = y
            t += many

    cdef void compute_row(
        self, const Arrays *a, Py_ssize_t outer, Py_ssize_t q, Py_ssize_t stage, Py_ssize_t first, Py_ssize_t end,
        const Py_ssize_t *planes, const char **rows, const void **taps, char *fill, char *ring, char *rest
    ) noexcept nogil:
        """A row of results of a stage, and what the next stages see of it."""
        cdef Py_ssize_t after = self.stages - stage, before = self.width.before, wide = self.width.taps - 1
        cdef Py_ssize_t lo = max(first - after * before, 0), hi = min(end + after * (wide - before), self.width.extent)
        cdef Py_ssize_t start = (lo - first + (self.stages - 1) * before) * self.inner, n = (hi - lo) * self.inner  # of windows
        cdef Py_ssize_t t, p, slot, tall = self.height.taps, up = q - self.height.before, at_row
        cdef const char *from_
        cdef char *y
        cdef window_extreme_args e
        at_row = (outer * self.height.extent + q) * self.width.extent
        for p in range(self.planes):
            slot = (up + (self.stages + 1) * tall) % tall
            from_ = ring + (stage - 1 + p) * tall * self.pitch
            for t in range(tall):
                if self.mode == CONSTANT and (planes[p] < 0 or not 0 <= up + t < self.height.extent):
                    rows[p * tall + t] = fill + start * self.size
                else:
                    rows[p * tall + t] = from_ + slot * self.pitch + start * self.size
                slot = slot + 1 if slot + 1 < tall else 0
        for t in range(self.taps):
            taps[t] = rows[self.runs[2 * t]] + self.runs[2 * t + 1]
        if self.doubles != NULL:
            self.raised(a, taps, a.y.data + (at_row + lo) * self.inner * self.made, n, rest)
            return
        if after:
            y = self.held(ring, stage, q) + (start + before * self.inner) * self.size
        elif self.stored:
            y = a.y.data + (at_row + lo) * self.inner * self.made
        else:
            y = rest
        if self.truth:
            e.taps, e.count, e.largest, e.truth, e.y, e.n = <const void *const *>taps, self.taps, self.largest, 1, y, n
            e.mask = e.kept = NULL
            if self.masked:
                e.mask = <const uint8_t *>a.weights + (at_row + lo) * self.inner
                e.kept = <const uint8_t *>self.held(ring, stage - 1 + self.center, q) + start + before * self.inner
            self.w.extreme_bytes(&e)
        else:
            self.join(taps, self.taps, y, n)
        if after:
            self.lengthen(self.held(ring, stage, q), end - first + self.stages * wide)
        elif not self.stored:
            self.t.filter_leave(self.out, y, n, a.y.data + (at_row + lo) * self.inner * self.made)

    cdef void raised(self, const Arrays *a, const void **taps, char *y, Py_ssize_t n, char *scratch) noexcept nogil:
        """Extrema of taps that have heights."""
        cdef const Known *known = <const Known *>a.weights
        cdef window_height_args e
        cdef Py_ssize_t i = 0, some
        cdef double *sums = <double *>scratch
        cdef double *others = sums + DOUBLES
        cdef double *found = others + DOUBLES
        cdef char *rest = <char *>(found + DOUBLES)
        cdef const void *both[2]
        cdef double heights[2]
        e.taps, e.heights, e.count, e.n = <const void *const *>taps, a.bias, self.taps, n
        e.size, e.negated, e.after = 0 if self.kind == REALS else <int>self.size, not self.largest, known.after
        if known.exact and self.kind == REALS:
            e.y = y
            self.w.height(&e)
            return
        e.taps, e.heights, e.count = &taps[1], <const char *>a.bias + self.size, self.taps - 1
        e.y = y if known.exact else rest
        if e.count:
            self.w.height(&e)
        if known.exact:
            self.w.height_first(self.dtype, taps[0], known.first, self.largest, y, n)
            return
        e.size, e.after, e.taps, e.heights = 0, 0, both, heights
        both[0], both[1], heights[0], heights[1] = sums, others, known.height, 0
        e.count, e.y = 2 if e.count else 1, found
        while i < n:
            some = min(DOUBLES, n - i)
            self.t.filter_enter(self.dtype, <const char *>taps[0] + i * self.size, some, sums)
            if e.count > 1:
                self.t.filter_enter(self.dtype, rest + i * self.size, some, others)
            e.n = some
            self.doubles.height(&e)
            self.t.filter_leave(self.out, found, some, y + i * self.made)
            i += some

    cdef void constant(self, char *to, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t i
        if self.size == 1:
            memset(to, <int>(self.fill & 255), n)
            return
        for i in range(n):
            memcpy(to + i * self.size, &self.fill, self.size)


def spread(before_, after_, mask_, extents_, offsets_, bint largest, stack_):
    """Whether some elements of `after`, which is what a dilation, or an erosion, made of `before`, wait for another call.

    Elements of `after` change until nothing does: those that see one that has changed.  `mask`: where they may change, or
    None; `offsets`: of elements that see an element, along each axis; `stack`: elements that have
    changed and were not looked at yet.  If it is full, others have to wait.
    """
    cdef const uint8_t *before = <const uint8_t *>address(before_)
    cdef uint8_t *after = <uint8_t *>address(after_)
    cdef const uint8_t *mask = <const uint8_t *>address(mask_)
    cdef const Py_ssize_t *extents = <const Py_ssize_t *>address(extents_)
    cdef const Py_ssize_t *offsets = <const Py_ssize_t *>address(offsets_)
    cdef Py_ssize_t *stack = <Py_ssize_t *>address(stack_)
    cdef Py_ssize_t n = len(after_), axes = len(extents_), taps = len(offsets_), room = len(stack_)
    cdef Py_ssize_t top = 0, i = 0, p, q, t, k, rest, unit, at, flat, lowest[AXES], highest[AXES], place[AXES], end
    cdef uint8_t value = 1 if largest else 0
    cdef bint waits = False, inside
    with nogil:
        for k in range(axes):
            lowest[k] = highest[k] = 0
            for t in range(taps):
                at = offsets[t * axes + k]
                lowest[k], highest[k] = min(lowest[k], at), max(highest[k], at)
        while i < n or top:
            if not top:
                while i + 8 <= n and (<const uint64_t *>&before[i])[0] == (<const uint64_t *>&after[i])[0]:
                    i += 8
                end = min(i + 8, n)
                while i < end and not top:
                    if before[i] != after[i] and after[i] == value:  # other bytes that are true do not count
                        stack[0], top = i, 1
                    i += 1
                if not top:
                    continue
            top -= 1
            p = rest = stack[top]
            inside = True
            for k in range(axes - 1, -1, -1):
                place[k], rest = rest % extents[k], rest // extents[k]
                inside = inside and place[k] + lowest[k] >= 0 and place[k] + highest[k] < extents[k]
            for t in range(taps):
                flat, unit = 0, 1
                for k in range(axes - 1, -1, -1):
                    at = offsets[t * axes + k]
                    if not inside and not 0 <= place[k] + at < extents[k]:
                        break
                    flat += at * unit
                    unit *= extents[k]
                else:
                    q = p + flat
                    if (after[q] != 0) != value and (mask == NULL or mask[q]):
                        after[q] = value
                        if top < room:
                            stack[top] = q
                            top += 1
                        else:
                            waits = True
    return waits
