# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Erosions and dilations of bools whose rows are packed into bits, see simd/windows/bits.inc.

As in _shape.pyx, rows are held together with the extrema of 2, 4, 8, ... adjacent elements, their levels.  Rows are whole; what
lies beyond their ends is bits before and behind them.  Of an item, whose results are some rows, several iterations advance
together: each computes a row as soon as the rows that it sees are there, and these are the only ones that are held.  Only the
first one reads bytes, and only the last one writes them.
"""

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memset

from fastconv.backends.cython.filter._edges cimport lined
from fastconv.backends.cython.filter._walk cimport AXES, Walked, window_bits_args
from fastconv.backends.cython.runtime._prepared cimport Arrays
from fastconv.backends.cython.runtime._simd cimport address


cdef class Bits(Walked):
    """One prepared filter."""

    cdef bint largest, masked
    cdef uint64_t fill  # what lies beyond the ends
    cdef Py_ssize_t stages, levels, center, masks  # iterations; levels of a row; the plane that results are in; rows of the mask that are held
    cdef Py_ssize_t front, words, seen, level  # words: before a row, of it in whole vectors, until behind what windows see, of a level
    cdef Py_ssize_t straight
    cdef bint box  # whether the last level of a row holds windows along it
    cdef const Py_ssize_t *loads  # of each: the row, and words from the start of the first level
    cdef const Py_ssize_t *shifts

    def __init__(self, bint largest, bint masked, bint border, rows, Py_ssize_t center, loads, shifts):
        """`rows`: a `bits.BitRows`; `loads`, `shifts`: of its taps, those first that are not shifted."""
        self.largest, self.masked, self.fill = largest, masked, <uint64_t>0 - border
        self.stages, self.levels, self.masks, self.center = rows.stages, rows.runs.levels, rows.masks, center
        self.front, self.words, self.seen, self.level = rows.front, rows.words, rows.seen, rows.level
        self.keep, self.box = (loads, shifts), rows.box
        self.loads, self.shifts = <const Py_ssize_t *>address(loads), <const Py_ssize_t *>address(shifts)
        self.taps, self.straight = len(shifts), 0
        while self.straight < self.taps and self.shifts[self.straight] == 0:
            self.straight += 1

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t row = i % self.row_blocks * self.rows, outer = i // self.row_blocks, tall = self.height.taps
        cdef Py_ssize_t last = min(row + self.rows, self.height.extent), stages = self.stages
        cdef Py_ssize_t before = self.height.before, after = tall - 1 - before, p, v, j, q, n = self.width.extent * self.inner
        cdef Py_ssize_t *planes = <Py_ssize_t *>scratch
        cdef const uint64_t **taps = <const uint64_t **>(scratch + lined(self.planes * sizeof(Py_ssize_t)))
        cdef const uint64_t **rows = <const uint64_t **>(<char *>taps + lined(self.taps * sizeof(void *)))
        cdef uint64_t *fill = <uint64_t *>(<char *>rows + lined(self.planes * tall * sizeof(void *)))
        cdef uint64_t *ring = fill + self.levels * self.level
        cdef uint64_t *masks = ring + max(self.planes, stages) * tall * self.levels * self.level
        cdef uint64_t *result = masks + self.masks * self.words
        cdef uint64_t *slot
        cdef unsigned char *x = <unsigned char *>a.x.data
        cdef unsigned char *y = <unsigned char *>a.y.data + outer * self.height.extent * n
        cdef const unsigned char *mask = <const unsigned char *>a.weights + outer * self.height.extent * n
        memset(fill, <int>(self.fill & 255), <char *>masks - <char *>fill)
        for p in range(self.planes):
            planes[p] = self.plane(outer, p)
        for v in range(row - stages * before, last + stages * after):
            if 0 <= v < self.height.extent:
                for p in range(self.planes):
                    if planes[p] >= 0:
                        slot = self.held(ring, p, v)
                        self.w.pack(x + (planes[p] * self.height.extent + v) * n, n, self.fill, slot)
                        self.lengthen(slot)
                if self.masked:
                    self.w.pack(mask + v * n, n, 0, masks + v % self.masks * self.words)
            for j in range(1, stages + 1):
                q = v - j * after
                if q < row - (stages - j) * before:
                    break
                if 0 <= q < self.height.extent:
                    slot = result if j == stages else self.held(ring, j, q)
                    self.compute_row(q, j, planes, rows, taps, fill, ring, masks, slot)
                    if j == stages:
                        self.w.unpack(result, n, y + q * n)
                    else:
                        self.lengthen(slot)

    cdef inline uint64_t *held(self, uint64_t *ring, Py_ssize_t which, Py_ssize_t row) noexcept nogil:
        """The elements of a row of a plane of the image, or of a stage."""
        cdef Py_ssize_t tall = self.height.taps
        return ring + (which * tall + (row + (self.stages + 1) * tall) % tall) * self.levels * self.level + self.front

    cdef void lengthen(self, uint64_t *row) noexcept nogil:
        """What lies behind a row, and its further levels."""
        cdef Py_ssize_t n = self.width.extent * self.inner, l, w, start, step = self.inner
        cdef Py_ssize_t shifts[2]
        cdef const uint64_t *halves[2]
        cdef window_bits_args e
        if n % 64:
            row[n // 64] = (row[n // 64] & ((<uint64_t>1 << n % 64) - 1)) | (self.fill << n % 64)
        for w in range((n + 63) // 64, self.words):
            row[w] = self.fill
        e.taps, e.shifts, e.count, e.largest, e.mask, e.kept = halves, shifts, 2, self.largest, NULL, NULL
        e.n, shifts[0] = self.seen, 0
        for l in range(1, self.levels - self.box):
            halves[0] = row + (l - 1) * self.level - self.front
            halves[1] = halves[0] + step // 64
            shifts[1] = step % 64
            e.straight = 1 + (shifts[1] == 0)
            e.y = row + l * self.level - self.front
            self.w.bits(&e)
            step *= 2
        if self.box:
            l = self.levels - 1
            start = -self.width.before * self.inner
            w = start + self.width.taps * self.inner - step
            if start & 63 and not w & 63:  # those first that are not shifted
                start, w = w, start
            halves[0], halves[1] = row + (l - 1) * self.level + (start >> 6), row + (l - 1) * self.level + (w >> 6)
            shifts[0], shifts[1] = start & 63, w & 63
            e.straight = (shifts[0] == 0) + (shifts[1] == 0)
            e.y, e.n = row + l * self.level, self.words
            self.w.bits(&e)

    cdef void compute_row(
        self, Py_ssize_t q, Py_ssize_t stage, const Py_ssize_t *planes, const uint64_t **rows, const uint64_t **taps,
        const uint64_t *fill, uint64_t *ring, const uint64_t *masks, uint64_t *y
    ) noexcept nogil:
        """A row of results of a stage."""
        cdef Py_ssize_t p, t, tall = self.height.taps, up = q - self.height.before
        cdef window_bits_args e
        for p in range(self.planes):
            for t in range(tall):
                if planes[p] < 0 or not 0 <= up + t < self.height.extent:
                    rows[p * tall + t] = fill + self.front
                else:
                    rows[p * tall + t] = self.held(ring, stage - 1 + p, up + t)
        for t in range(self.taps):
            taps[t] = rows[self.loads[2 * t]] + self.loads[2 * t + 1]
        e.taps, e.shifts, e.straight, e.count, e.largest = taps, self.shifts, self.straight, self.taps, self.largest
        e.mask = e.kept = NULL
        if self.masked:
            e.mask, e.kept = masks + q % self.masks * self.words, self.held(ring, stage - 1 + self.center, q)
        e.y, e.n = y, self.words
        self.w.bits(&e)


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
