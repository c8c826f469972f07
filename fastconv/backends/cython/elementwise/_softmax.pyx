# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Softmax and losses over vectors (count, length, inner); an item of work is a block of vectors, see simd/elementwise/softmax.inc."""

from libc.math cimport INFINITY, NAN
from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from fastconv.backends.cython.runtime._prepared cimport Arrays, Prepared
from fastconv.backends.cython.runtime._simd cimport address, fc_table, likely_args, log_sums_args, meet, softmax_args, whole


cdef double TWO_112 = 2.0 ** 112


cdef enum:
    SAMPLES = 32  # that are summed one after the other


cdef struct Part:
    # Adjacent vectors: the first one, as a sample and as an element, and their number.
    Py_ssize_t sample, element, count


cdef inline Part part_of(Py_ssize_t i, Py_ssize_t block, Py_ssize_t count, Py_ssize_t length, Py_ssize_t inner) noexcept nogil:
    cdef Part p
    cdef Py_ssize_t parts, n, at
    if inner == 1:
        p.sample = i * block
        p.element = p.sample * length
        p.count = min(block, count - p.sample)
        return p
    parts = (inner + block - 1) // block
    n = i // parts
    at = i % parts * block
    p.sample = n * inner + at
    p.element = n * length * inner + at
    p.count = min(block, inner - at)
    return p


cdef class Softmax(Prepared):
    """A softmax, or its gradient: then x is the gradient of the result, and the softmax's x is bound as weights."""

    cdef Py_ssize_t count, block
    cdef bint in_scratch, planes
    cdef softmax_args a

    def __init__(self, size_t table, p, Py_ssize_t block, Py_ssize_t items, bint in_scratch, bint planes):
        """`block`: vectors, or `planes`, in one item of work; `in_scratch`: whether exponentials are kept there, not in the result."""
        self.t = <const fc_table *>table
        self.count, self.block, self.items, self.in_scratch, self.planes = p.outer, block, items, in_scratch, planes
        memset(&self.a, 0, sizeof(self.a))
        self.a.log, self.a.negative = p.kind == "log_softmax", p.kind == "softmin"
        self.a.length, self.a.step = p.length, p.inner

    cdef void item(self, Py_ssize_t i, const Arrays *arrays, char *scratch) noexcept nogil:
        cdef softmax_args a = self.a
        cdef Part p
        cdef Py_ssize_t at
        if self.planes:  # as rows of all elements of a plane
            p = part_of(i, self.block, self.count, a.length * a.step, 1)
            a.planes = p.count
        else:
            p = part_of(i, self.block, self.count, a.length, a.step)
            a.count = p.count
        at, a.scratch = p.element * self.t.itemsize, scratch if self.in_scratch else NULL
        a.y = arrays.y.data + at
        if arrays.weights == NULL:
            a.x = arrays.x.data + at
        else:
            a.x, a.dy = arrays.weights + at, arrays.x.data + at
        self.t.softmax(&a)


cdef inline double get(const void *p, Py_ssize_t i, bint wide) noexcept nogil:
    return (<const double *>p)[i] if wide else (<const float *>p)[i]


cdef inline double half(const void *p, Py_ssize_t i, bint brain) noexcept nogil:
    """Element i of 16-bit floats; the bits of a float16, moved to where float32 has them, are 2^112 too small."""
    cdef uint32_t bits = (<const uint16_t *>p)[i], magnitude = bits & 0x7fff
    cdef float value
    bits = bits << 16 if brain else magnitude << 13
    memcpy(&value, &bits, sizeof(value))
    if brain:
        return value
    if magnitude >= 0x7c00:
        return NAN if magnitude > 0x7c00 else -INFINITY if (<const uint16_t *>p)[i] >> 15 else INFINITY
    return value * (-TWO_112 if (<const uint16_t *>p)[i] >> 15 else TWO_112)


cdef inline void put(void *p, Py_ssize_t i, bint wide, double value) noexcept nogil:
    if wide:
        (<double *>p)[i] = value
    else:
        (<float *>p)[i] = <float>value


cdef struct Wanted:
    # The class of each sample; the weight of each class, NULL where all are 1, and their sum; each sample's factor in a mean.
    const int64_t *target
    const char *scale
    double total_weight, share


cdef inline double weight_of(const Wanted *wanted, int64_t label, bint wide) noexcept nogil:
    return 1 if wanted.scale == NULL else get(wanted.scale, label, wide)


cdef class Loss(Prepared):
    """A loss of class indices or probabilities, or its gradient: then x is the gradient of the loss.

    Bound are the weight of each class as `bias`, or None, the target as `plain`, and for a gradient the scores as `weights`.
    Where losses are summed, each item writes its sums of losses and of weights to shared scratch, and a last item adds them.
    """

    cdef bint logits, likely, of_target, wide, single, mean, backward, in_scratch, halves, brain
    cdef Py_ssize_t n, c, inner, block, real  # bytes of a number in registers
    cdef int64_t ignored
    cdef double smoothing
    cdef object even

    def __init__(self, size_t table, p, Py_ssize_t block, Py_ssize_t items, bint in_scratch, even):
        """`in_scratch`: as for `Softmax`; `even`: None, or the weights of all classes where none are given but needed."""
        self.t = <const fc_table *>table
        self.uniform, self.items = True, items
        self.logits, self.wide, self.backward = p.logits, self.t.itemsize == 8, p.direction != "forward"
        self.likely, self.of_target = p.probabilities, p.direction == "target"
        self.real = 8 if self.wide else 4
        self.single, self.mean = p.reduction == "none", p.reduction == "mean"
        self.closing = not self.single and not self.backward
        self.n, self.c, self.inner, self.block = p.n, p.c, p.inner, block
        self.ignored, self.smoothing = p.ignore_index, p.smoothing
        self.in_scratch, self.halves, self.brain = in_scratch, p.dtype.itemsize == 2, p.dtype.kind != "f"
        self.even = even

    def loss(self, x, out, target, weight):
        """Run on arrays as the user gave them, if they are contiguous, `out` overlaps none, weights have the dtype of sums and
        classes exist; else do nothing and return False."""
        return self.run(x, out, None, target, weight)

    def gradient(self, dy, out, x, target, weight):
        """The same for the gradient of the scores x."""
        return self.run(dy, out, x, target, weight)

    cdef bint run(self, x, out, scores, target, weight) except -1:
        cdef Arrays a
        cdef Py_ssize_t samples = self.n * self.inner, k, nbytes = samples * self.c * self.t.itemsize
        cdef Py_ssize_t target_bytes = nbytes if self.likely else samples * sizeof(int64_t)
        cdef const int64_t *labels
        memset(&a, 0, sizeof(Arrays))
        a.x.stride, a.y.stride = self.x.stride, self.y.stride
        a.x.data, a.y.data = whole(x, False, self.x_bytes), whole(out, True, self.y_bytes)
        a.plain = whole(target, False, target_bytes)
        if a.x.data == NULL or a.y.data == NULL or a.plain == NULL:
            return False
        if meet(a.y.data, self.y_bytes, a.x.data, self.x_bytes) or meet(a.y.data, self.y_bytes, a.plain, target_bytes):
            return False
        if self.likely and target.dtype != x.dtype:
            return False
        if scores is not None:
            a.weights = whole(scores, False, nbytes)
            if a.weights == NULL or meet(a.y.data, self.y_bytes, a.weights, nbytes):
                return False
        if weight is None:
            a.bias = address(self.even)
        else:
            a.bias = whole(weight, False, self.c * self.real)
            if a.bias == NULL or meet(a.y.data, self.y_bytes, a.bias, self.c * self.real):
                return False
        labels = <const int64_t *>a.plain
        for k in range(0 if self.likely else samples):
            if <uint64_t>labels[k] >= <uint64_t>self.c and labels[k] != self.ignored:
                return False
        self.execute(&a)
        return True

    cdef int execute(self, Arrays *arrays) except -1:
        cdef const int64_t *target = <const int64_t *>arrays.plain
        cdef Wanted wanted
        cdef double divisor = 0
        cdef Py_ssize_t k
        wanted.target, wanted.scale = target, arrays.bias
        wanted.total_weight, wanted.share = self.c, 1
        if wanted.scale != NULL:
            wanted.total_weight = 0
            for k in range(self.c):
                wanted.total_weight += get(wanted.scale, k, self.wide)
        if self.likely:
            wanted.share = 1.0 / (self.n * self.inner) if self.mean and self.n * self.inner else 1
        elif self.backward and self.mean:
            for k in range(self.n * self.inner):
                if target[k] != self.ignored:
                    divisor += weight_of(&wanted, target[k], self.wide)
            wanted.share = 1 / divisor if divisor else 0  # a mean over no samples has gradient 0
        arrays.more = &wanted
        return Prepared.execute(self, arrays)

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef const Wanted *wanted = <const Wanted *>a.more
        cdef Part p
        if i == self.items:
            self.reduce(<const double *>a.shared, a.y.data)
            return
        p = part_of(i, self.block, self.n, self.c, self.inner)
        if self.likely and self.backward:
            self.give_likely(wanted, p, a.weights, a.x.data, a.plain, a.y.data, scratch)
        elif self.likely:
            self.add_likely(wanted, p, a.x.data, a.plain, i, a.y.data if self.single else a.shared, scratch)
        elif self.backward:
            self.give(wanted, p, a.weights, a.x.data, a.y.data, scratch)
        else:
            self.add(wanted, p, a.x.data, i, a.y.data if self.single else a.shared, scratch)

    cdef void reduce(self, const double *sums, char *y) noexcept nogil:
        """Add the sums in order; a mean over no samples is NaN, or infinite with the loss."""
        cdef double total = 0, weights = 0, value
        cdef Py_ssize_t i
        for i in range(self.items):
            total, weights = total + sums[2 * i], weights + sums[2 * i + 1]
        if self.mean:
            total = total / weights if weights else total * INFINITY
        put(&value, 0, self.wide, total)
        self.t.store_reals(y, &value, 1)

    cdef void add(self, const Wanted *wanted, Part p, const char *x, Py_ssize_t i, char *out, char *scratch) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, k, at, apart = self.c if self.inner == 1 else 1
        cdef log_sums_args a
        cdef int64_t label
        cdef double loss, weight, logs = 0, total = 0, weights = 0, some = 0, some_weights = 0
        x += p.element * size
        a.top, a.logs, a.spread = scratch, scratch + self.block * self.real, scratch + 2 * self.block * self.real
        if self.logits:
            a.x, a.weight, a.count = x, wanted.scale if self.smoothing else NULL, p.count
            a.length, a.step = self.c, self.inner
            self.t.log_sums(&a)
        for k in range(p.count):
            label = wanted.target[p.sample + k]
            loss = 0
            if label != self.ignored:
                weight = weight_of(wanted, label, self.wide)
                at = k * apart + label * self.inner
                loss = half(x, at, self.brain) if self.halves else get(x, at, self.wide)
                if self.logits:
                    logs = get(a.logs, k, self.wide)
                    loss = loss - get(a.top, k, self.wide) - logs
                loss = -weight * loss
                if self.smoothing:
                    loss = (1 - self.smoothing) * loss
                    loss -= self.smoothing / self.c * (get(a.spread, k, self.wide) - wanted.total_weight * logs)
                some_weights += weight
            if self.single:
                put(a.top, k, self.wide, loss)  # in place of what this sample needs no longer
            some += loss
            if k % SAMPLES == SAMPLES - 1:
                total, weights, some, some_weights = total + some, weights + some_weights, 0, 0
        if self.single:
            self.t.store_reals(out + p.sample * size, a.top, p.count)
        else:
            put(out, 2 * i, True, total + some)
            put(out, 2 * i + 1, True, weights + some_weights)

    cdef void give(
        self, const Wanted *wanted, Part p, const char *x, const char *dy, char *dx, char *scratch) noexcept nogil:
        """Of a sample's loss, minus the coefficients of its log-probabilities, and their sum times the probabilities."""
        cdef Py_ssize_t size = self.t.itemsize, k, c, at, apart = self.c if self.inner == 1 else 1
        cdef softmax_args a
        cdef int64_t label
        cdef double g, spread = self.smoothing / self.c
        dx += p.element * size
        memset(&a, 0, sizeof(a))
        if self.logits:
            a.x, a.y, a.factor = x + p.element * size, dx, scratch
            a.scratch = scratch + 3 * self.block * size if self.in_scratch else NULL
            a.count, a.length, a.step = p.count, self.c, self.inner
            for k in range(p.count):
                label = wanted.target[p.sample + k]
                g = 0
                if label != self.ignored:
                    g = get(dy, (p.sample + k) * self.single, self.wide) * wanted.share
                    g *= (1 - self.smoothing) * weight_of(wanted, label, self.wide) + spread * wanted.total_weight
                put(scratch, k, self.wide, g)
            self.t.softmax(&a)
        for k in range(p.count):
            label = wanted.target[p.sample + k]
            g = get(dy, (p.sample + k) * self.single, self.wide) * wanted.share
            at = k * apart
            if label == self.ignored or not self.logits:
                for c in range(self.c):
                    put(dx, at + c * self.inner, self.wide, 0)
            if label == self.ignored:
                continue
            if self.smoothing:
                for c in range(self.c):
                    put(dx, at + c * self.inner, self.wide,
                        get(dx, at + c * self.inner, self.wide) - g * spread * weight_of(wanted, c, self.wide))
            at += label * self.inner
            put(dx, at, self.wide, get(dx, at, self.wide) - g * (1 - self.smoothing) * weight_of(wanted, label, self.wide))

    cdef likely_args likely_of(self, const Wanted *wanted, Part p, const char *target) noexcept nogil:
        """Arguments for a target of probabilities; smoothing moves a part of them to all classes."""
        cdef likely_args a
        memset(&a, 0, sizeof(a))
        a.target, a.weight = target + p.element * self.t.itemsize, wanted.scale
        a.count, a.length, a.step = p.count, self.c, self.inner
        a.share, a.spread = 1 - self.smoothing, self.smoothing / self.c
        return a

    cdef void add_likely(
        self, const Wanted *wanted, Part p, const char *x, const char *target, Py_ssize_t i, char *out,
        char *scratch) noexcept nogil:
        cdef Py_ssize_t size = self.t.itemsize, k, step = self.block * self.real
        cdef log_sums_args a
        cdef likely_args b = self.likely_of(wanted, p, target)
        cdef double loss, total = 0, some = 0
        a.top, a.logs, a.spread = scratch, scratch + step, NULL
        a.x, a.weight, a.count = x + p.element * size, NULL, p.count
        a.length, a.step = self.c, self.inner
        self.t.log_sums(&a)
        b.x, b.top, b.along, b.sum = a.x, a.top, scratch + 2 * step, scratch + 3 * step
        self.t.likelihoods(&b)
        for k in range(p.count):
            loss = get(a.logs, k, self.wide) * get(b.sum, k, self.wide) - get(b.along, k, self.wide)
            if self.single:
                put(a.top, k, self.wide, loss)
            some += loss
            if k % SAMPLES == SAMPLES - 1:
                total, some = total + some, 0
        if self.single:
            self.t.store_reals(out + p.sample * size, a.top, p.count)
        else:
            put(out, 2 * i, True, total + some)
            put(out, 2 * i + 1, True, p.count)

    cdef void give_likely(
        self, const Wanted *wanted, Part p, const char *x, const char *dy, const char *target, char *dx,
        char *scratch) noexcept nogil:
        """As `give`; or the gradient of the target, minus its log-probabilities."""
        cdef Py_ssize_t size = self.t.itemsize, k, step = self.block * size
        cdef softmax_args a
        cdef likely_args b = self.likely_of(wanted, p, target)
        cdef double g
        b.factor, b.sum = scratch, scratch + step
        b.y = dx + p.element * size
        memset(&a, 0, sizeof(a))
        a.x, a.y, a.log = x + p.element * size, b.y, self.of_target
        a.scratch = scratch + 3 * step if self.in_scratch else NULL
        a.count, a.length, a.step = p.count, self.c, self.inner
        if not self.of_target:
            self.t.likelihoods(&b)
            a.factor = b.sum
        for k in range(p.count):
            g = get(dy, (p.sample + k) * self.single, self.wide) * wanted.share
            if self.of_target:
                put(scratch, k, self.wide, -g * (1 - self.smoothing))
            else:
                put(scratch, k, self.wide, -g)
                put(b.sum, k, self.wide, g * get(b.sum, k, self.wide))
        self.t.softmax(&a)
        if self.of_target:
            b.target = NULL
        self.t.likely_gradient(&b)
