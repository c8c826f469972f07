# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Gradients of pooling: those of maxima are added at their indices, those of averages to their whole windows.

An item of work is a plane of one channel, or, channels last, some channels of one image: no other item writes there,
and additions are in the order of memory.
"""

from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from fastconv.backends.cython.runtime._prepared cimport Arrays, Bound, Prepared, bound
from fastconv.backends.cython.runtime._simd cimport View, fc_pool_at, fc_pool_counts, fc_table, placed, pool_counts

ctypedef fused real:
    float
    double


cdef void clear(real *out, Py_ssize_t channels, Py_ssize_t elements, Py_ssize_t step) noexcept nogil:
    cdef Py_ssize_t i
    if channels == step:
        memset(out, 0, elements * channels * sizeof(real))
    else:
        for i in range(elements):
            memset(out + i * step, 0, channels * sizeof(real))


cdef void scatter(
    real *out, const real *dy, const int64_t *index, Py_ssize_t channels, Py_ssize_t outputs, Py_ssize_t elements,
    Py_ssize_t step) noexcept nogil:
    # `channels` neighbours at every position, `step` from one position to the next.  Indices outside the plane
    # are skipped: -1 is one, and an array that another thread changes must not cause writes outside.
    cdef Py_ssize_t o, c
    cdef int64_t at
    clear(out, channels, elements, step)
    if channels == 1:
        for o in range(outputs):
            at = index[o * step]
            if 0 <= at < elements:
                out[at * step] += dy[o * step]
    else:
        for o in range(outputs):
            for c in range(channels):
                at = index[o * step + c]
                if 0 <= at < elements:
                    out[at * step + c] += dy[o * step + c]


cdef class Scatter(Prepared):
    """Gradients by indices: x is the gradient of the result, y that of the input."""

    cdef Py_ssize_t channels, width, parts, inputs, outputs

    def __init__(self, size_t table, p, Py_ssize_t width):
        """`width`: channels of an item, 1 unless channels come last."""
        self.t = <const fc_table *>table
        self.channels, self.width, self.uniform = p.c, width, True
        self.parts = (self.channels + width - 1) // width
        self.inputs, self.outputs = p.input[0] * p.input[1] * p.input[2], p.pixels
        self.items = p.n * self.parts

    def operands(self, indices):
        """A run with these indices."""
        cdef Bound run = bound(self, indices)
        run.arrays.z = placed(indices, &self.z)
        return run

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t n = i // self.parts, c = i % self.parts * self.width
        cdef Py_ssize_t channels = min(self.width, self.channels - c), step = 1 if self.width == 1 else self.channels
        cdef Py_ssize_t of = n * a.x.stride[0] + c * a.x.stride[1], to = n * a.y.stride[0] + c * a.y.stride[1]
        cdef const int64_t *index = <const int64_t *>a.z.data + n * a.z.stride[0] + c * a.z.stride[1]
        if self.t.itemsize == 4:
            scatter[float](
                <float *>a.y.data + to, <const float *>a.x.data + of, index, channels, self.outputs, self.inputs, step)
        else:
            scatter[double](
                <double *>a.y.data + to, <const double *>a.x.data + of, index, channels, self.outputs, self.inputs, step)


cdef struct Axis:
    Py_ssize_t inputs, outputs, taps, stride, dilation, before


cdef class Average(Prepared):
    """One prepared gradient of an average over fixed windows; immutable after construction, so runs may overlap."""

    cdef Axis d, h, w
    cdef fc_pool_counts depth, height, along
    cdef Py_ssize_t channels, width, parts, block

    def __init__(self, size_t table, p, kernel, before, counts, Py_ssize_t width, Py_ssize_t block):
        """`kernel` without taps that read only padding, and `before`, the padding before it; factors of counts.

        `block`: columns of the input at a time.
        """
        self.t = <const fc_table *>table
        axes = list(zip(p.input, p.output, kernel, p.stride, p.dilation, before, strict=True))
        self.d.inputs, self.d.outputs, self.d.taps, self.d.stride, self.d.dilation, self.d.before = axes[0]
        self.h.inputs, self.h.outputs, self.h.taps, self.h.stride, self.h.dilation, self.h.before = axes[1]
        self.w.inputs, self.w.outputs, self.w.taps, self.w.stride, self.w.dilation, self.w.before = axes[2]
        self.keep = counts
        self.depth, self.height, self.along = pool_counts(counts[0]), pool_counts(counts[1]), pool_counts(counts[2])
        self.channels, self.width, self.uniform = p.c, width, True
        self.parts, self.block = (self.channels + width - 1) // width, block
        self.items = p.n * self.parts

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t n = i // self.parts, c = i % self.parts * self.width
        cdef Py_ssize_t channels = min(self.width, self.channels - c), step = 1 if self.width == 1 else self.channels
        cdef Py_ssize_t of = n * a.x.stride[0] + c * a.x.stride[1], to = n * a.y.stride[0] + c * a.y.stride[1]
        if self.t.itemsize == 4:
            self.spread[float](<float *>a.y.data + to, <const float *>a.x.data + of, <float *>scratch, channels, step)
        else:
            self.spread[double](<double *>a.y.data + to, <const double *>a.x.data + of, <double *>scratch, channels, step)

    cdef void spread(
        self, real *out, const real *dy, real *row, Py_ssize_t channels, Py_ssize_t step) noexcept nogil:
        cdef Py_ssize_t i, end
        clear(out, channels, self.d.inputs * self.h.inputs * self.w.inputs, step)
        for i in range((self.w.inputs + self.block - 1) // self.block):
            end = min((i + 1) * self.block, self.w.inputs)
            self.spread_columns(out, dy, row, i * self.block, end, channels, step)

    cdef void spread_columns(
        self, real *out, const real *dy, real *row, Py_ssize_t begin, Py_ssize_t end, Py_ssize_t channels,
        Py_ssize_t step) noexcept nogil:
        # Columns begin to end of the input, which outputs from `first` to before `last` read.  One row of those at a
        # time: divided, added along the width into `row`, which is added to each input row.
        cdef Py_ssize_t od, oh, td, th, plane, line, first, last, inputs = end - begin
        cdef real *share = row + inputs * channels
        first = max(begin + self.w.before - (self.w.taps - 1) * self.w.dilation + self.w.stride - 1, 0) // self.w.stride
        last = min((end - 1 + self.w.before) // self.w.stride + 1, self.w.outputs)
        if first >= last:
            return
        for od in range(self.d.outputs):
            for oh in range(self.h.outputs):
                self.divide(share, dy + (od * self.h.outputs + oh) * self.w.outputs * step, first, last,
                            (<const double *>self.depth.values)[fc_pool_at(&self.depth, od)]
                            * (<const double *>self.height.values)[fc_pool_at(&self.height, oh)], channels, step)
                self.widen(row, share, begin, end, first, last, channels)
                for td in range(self.d.taps):
                    plane = od * self.d.stride + td * self.d.dilation - self.d.before
                    if plane < 0 or plane >= self.d.inputs:
                        continue
                    for th in range(self.h.taps):
                        line = oh * self.h.stride + th * self.h.dilation - self.h.before
                        if 0 <= line < self.h.inputs:
                            add(out + ((plane * self.h.inputs + line) * self.w.inputs + begin) * step, row, inputs,
                                channels, step)

    cdef void divide(
        self, real *share, const real *dy, Py_ssize_t first, Py_ssize_t last, double times, Py_ssize_t channels,
        Py_ssize_t step) noexcept nogil:
        cdef const real *count = <const real *>self.along.values
        cdef Py_ssize_t o, c
        cdef real divisor
        for o in range(first, last):
            divisor = <real>(times * count[fc_pool_at(&self.along, o)])
            for c in range(channels):
                share[(o - first) * channels + c] = dy[o * step + c] / divisor

    cdef void widen(
        self, real *row, const real *share, Py_ssize_t begin, Py_ssize_t end, Py_ssize_t first, Py_ssize_t last,
        Py_ssize_t channels) noexcept nogil:
        cdef Py_ssize_t t, o, c, at, low, high, jump = self.w.stride * channels
        cdef real *to
        cdef const real *of
        memset(row, 0, (end - begin) * channels * sizeof(real))
        for t in range(self.w.taps):
            at = t * self.w.dilation - self.w.before
            low = max((max(begin - at, 0) + self.w.stride - 1) // self.w.stride, first)
            if at >= end:
                continue
            high = min(last - 1, (end - 1 - at) // self.w.stride)
            to = row + (low * self.w.stride + at - begin) * channels
            of = share + (low - first) * channels
            if jump == channels:
                for o in range((high + 1 - low) * channels):
                    to[o] += of[o]
            elif channels == 1:
                for o in range(high + 1 - low):
                    to[o * jump] += of[o]
            else:
                for o in range(high + 1 - low):
                    for c in range(channels):
                        to[o * jump + c] += of[o * channels + c]


cdef void add(real *out, const real *row, Py_ssize_t inputs, Py_ssize_t channels, Py_ssize_t step) noexcept nogil:
    cdef Py_ssize_t i, c
    if channels == step:
        for i in range(inputs * channels):
            out[i] += row[i]
    else:
        for i in range(inputs):
            for c in range(channels):
                out[i * step + c] += row[i * channels + c]


cdef class Adaptive(Prepared):
    """One prepared gradient of an average over adaptive windows: window o of O is inputs floor(o I/O) to ceil((o+1) I/O).

    So windows floor(i O/I) to ceil((i+1) O/I) contain input i, and no item adds to what another item writes.
    """

    cdef Py_ssize_t inputs[3]
    cdef Py_ssize_t outputs[3]
    cdef Py_ssize_t channels, width, parts

    def __init__(self, size_t table, p, Py_ssize_t width):
        cdef int axis
        self.t = <const fc_table *>table
        for axis in range(3):
            self.inputs[axis], self.outputs[axis] = p.input[axis], p.output[axis]
        self.channels, self.width, self.uniform = p.c, width, True
        self.parts = (self.channels + width - 1) // width
        self.items = p.n * self.parts

    cdef void item(self, Py_ssize_t i, const Arrays *a, char *scratch) noexcept nogil:
        cdef Py_ssize_t n = i // self.parts, c = i % self.parts * self.width
        cdef Py_ssize_t channels = min(self.width, self.channels - c), step = 1 if self.width == 1 else self.channels
        cdef Py_ssize_t of = n * a.x.stride[0] + c * a.x.stride[1], to = n * a.y.stride[0] + c * a.y.stride[1]
        if self.t.itemsize == 4:
            self.spread[float](<float *>a.y.data + to, <const float *>a.x.data + of, <float *>scratch, channels, step)
        else:
            self.spread[double](<double *>a.y.data + to, <const double *>a.x.data + of, <double *>scratch, channels, step)

    cdef Py_ssize_t length(self, int axis, Py_ssize_t o) noexcept nogil:
        cdef Py_ssize_t i = self.inputs[axis], outputs = self.outputs[axis]
        return ((o + 1) * i + outputs - 1) // outputs - o * i // outputs

    cdef Py_ssize_t first(self, int axis, Py_ssize_t i) noexcept nogil:
        return i * self.outputs[axis] // self.inputs[axis]

    cdef Py_ssize_t last(self, int axis, Py_ssize_t i) noexcept nogil:
        return ((i + 1) * self.outputs[axis] + self.inputs[axis] - 1) // self.inputs[axis]

    cdef void spread(
        self, real *out, const real *dy, real *shares, Py_ssize_t channels, Py_ssize_t step) noexcept nogil:
        # For each row of inputs: the gradients of its windows are summed along depth and height, then along the width.
        # Most rows have the same windows as the row before.
        cdef Py_ssize_t d, h, w, od, oh, o, c, begin, end, width = self.outputs[2]
        cdef Py_ssize_t d0, d1, h0, h1, had_d0 = -1, had_d1 = -1, had_h0 = -1, had_h1 = -1
        cdef real *lengths = shares + width * channels
        cdef real *to = out
        cdef const real *of
        cdef real area
        for o in range(width):
            lengths[o] = self.length(2, o)
        for d in range(self.inputs[0]):
            for h in range(self.inputs[1]):
                d0, d1, h0, h1 = self.first(0, d), self.last(0, d), self.first(1, h), self.last(1, h)
                if d0 != had_d0 or d1 != had_d1 or h0 != had_h0 or h1 != had_h1:
                    had_d0, had_d1, had_h0, had_h1 = d0, d1, h0, h1
                    memset(shares, 0, width * channels * sizeof(real))
                    for od in range(d0, d1):
                        for oh in range(h0, h1):
                            of = dy + (od * self.outputs[1] + oh) * width * step
                            area = <real>(self.length(0, od) * self.length(1, oh))
                            if step == 1:
                                for o in range(width):
                                    shares[o] += of[o] / (area * lengths[o])
                                continue
                            for o in range(width):
                                for c in range(channels):
                                    shares[o * channels + c] += of[o * step + c] / (area * lengths[o])
                elif channels == step:  # the same sums as in the row before
                    memcpy(to, to - self.inputs[2] * step, self.inputs[2] * step * sizeof(real))
                    to += self.inputs[2] * step
                    continue
                begin = end = 0
                for w in range(self.inputs[2]):
                    while (begin + 1) * self.inputs[2] <= w * width:
                        begin += 1
                    while end * self.inputs[2] < (w + 1) * width:
                        end += 1
                    for c in range(channels):
                        to[c] = shares[begin * channels + c]
                    for o in range(begin + 1, end):
                        for c in range(channels):
                            to[c] += shares[o * channels + c]
                    to += step
