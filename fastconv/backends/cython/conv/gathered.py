"""Convolutions whose windows have gaps or do not overlap, on a copy of what they read.

With a stride of 3 along three axes, a 1x1x1 convolution reads one element of 27.  Most kernels read rows as they lie,
with what lies between; a copy of the elements that are read is a smaller image, of stride 1, on which every kernel is
as fast as it can be.  Axes along which no windows overlap are copied so: the copy has one channel for each of their
taps.  If these are all axes, the convolution is a 1x1 one, a product of matrices, with the weights as they are.

Copies stay in the caches: of a few images at a time, or of a part of one, some outputs along its outermost axis.  It is
no kernel of its own: a kernel does its problems in this way where that takes less time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from fastconv.backends.common.cuts import buffer_volume
from fastconv.backends.common.trimmed import STATED
from fastconv.backends.cython.runtime import native
from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Kernel, Specialised
from fastconv.core.numbers import LINE, even_part, span, whole_lines
from fastconv.core.problems.base import source_of
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.scratch import borrow
from fastconv.machines import block_bytes, host_table, l3_bytes

REVISION = 1  # raised when gathering becomes faster; added to that of the kernel
ROW = "cython.conv.gathered"
PART = f"{ROW}/part"  # what is copied at a time
MOST_BYTES = 4 << 20  # of the copy of an image that is not divided
SHORT = 64  # columns of the copies: a table of places is faster than one row after the other
SPLIT = 4  # columns from one window to the next, at most, where rows are split by vectors; the same in _gathered.pyx
SHARED_BYTES = 128 << 10  # less does not justify waking a thread


@dataclass(frozen=True, slots=True)
class Copied:
    """What is copied of the images of a problem.

    Attributes
    ----------
    problem : ConvProblem
        The convolution of what is copied at a time.
    reads : ConvProblem
        Of the images to copy: taps, strides and outputs of the copied axes; one tap for each element of the others.
    copied : tuple of 3 bool
        Which axes are.
    axis : int
        The outermost one.
    starts : tuple of int
        First output along it of each part of an image.
    far : bool
        Whether images come from memory, so that they are prefetched.
    """

    problem: ConvProblem
    reads: ConvProblem
    copied: tuple[bool, bool, bool]
    axis: int
    starts: tuple[int, ...]
    far: bool

    @classmethod
    @keep_few()
    def of(cls, p: ConvProblem) -> Copied | None:
        """None where windows overlap along all axes with strides, or copies would be large."""
        if p.not_forward or p.depth == 0 or not p.pixels or p.stride == (1, 1, 1):
            return None
        apart = [s > (k - 1) * d for k, s, d in zip(p.kernel, p.stride, p.dilation, strict=True)]
        if p.layout == "NHWC":
            d, h, w = (k == 1 and s > 1 for k, s in zip(p.kernel, p.stride, strict=True))
        else:
            d, h, w = (ok and (s > 1 or all(apart)) for ok, s in zip(apart, p.stride, strict=True))
        copied = (d, h, w)
        if not any(copied):
            return None

        def along(of_copied: Sequence[Any], of_others: Sequence[Any]) -> Any:
            return tuple(new if c else old for c, new, old in zip(copied, of_copied, of_others, strict=True))

        ones, none = (1, 1, 1), ((0, 0),) * 3
        axis = next((a for a in range(3) if p.output[a] > 1), 2)
        taps, extents = prod(along(p.kernel, ones)), list(along(p.output, p.input))
        size, part = p.ic * taps * prod(extents) * p.acc.itemsize, block_bytes(PART)
        images, steps = p.n, p.output[axis]
        if size > part and copied[axis]:
            images, steps = min(p.n, 1), even_part(steps, max(1, part * steps // size))
            extents[axis] = steps
        elif p.n * size > part:
            images = next((m for m in range(min(part // size, p.n), 1, -1) if p.n % m == 0), min(p.n, 1))
        if size // p.output[axis] * steps > MOST_BYTES:
            return None
        last = p.output[axis] - steps
        starts = tuple(min(at, last) for at in range(0, p.output[axis], steps))
        od, oh, ow = (steps if a == axis else o for a, o in enumerate(p.output))
        short = replace(
            p, n=images, ic=p.ic * taps, input=tuple(extents), kernel=along(ones, p.kernel),
            stride=along(ones, p.stride), dilation=along(ones, p.dilation), pads=along(none, p.pads),
            output=(od, oh, ow),
        )  # fmt: skip
        reads = replace(
            p, n=images, kernel=along(p.kernel, ones), stride=along(p.stride, ones), dilation=along(p.dilation, ones),
            pads=along(p.pads, none), output=short.input,
        )  # fmt: skip
        return cls(short, reads, copied, axis, starts, p.bytes > l3_bytes() / 2)

    @property
    def bytes(self) -> int:
        """Of the copies."""
        return prod(self.problem.x_shape) * self.problem.acc.itemsize

    @property
    def reordered(self) -> bool:
        """Whether weights are, because taps of some axes only become channels."""
        return self.reads.taps > 1 and self.problem.taps > 1

    def weights(self, w: np.ndarray) -> np.ndarray:
        """Of the convolution of the copies."""
        axes = sorted(range(3), key=lambda a: not self.copied[a])
        return np.ascontiguousarray(w.transpose(0, 1, *(2 + a for a in axes))).reshape(self.problem.w_shape)

    def part(self, start: int) -> ConvProblem:
        """`reads` of the part that begins at this output."""
        r, a = self.reads, self.axis
        if not self.copied[a]:
            return r
        lo = r.pads[a][0] - start * r.stride[a]
        hi = span(r.output[a], r.stride[a], r.kernel[a], r.dilation[a]) - r.input[a] - lo
        return replace(r, pads=(*r.pads[:a], (lo, hi), *r.pads[a + 1 :]))

    @property
    def listed(self) -> bool:
        """Whether elements are found by `places`."""
        return self.reads.layout == "NCHW" and self.reads.output[2] <= SHORT

    def places(self, start: int) -> np.ndarray:
        """Where the elements of one channel of a part are in its volume, by taps and outputs."""
        r = self.part(start)
        axes = zip(r.input, r.kernel, r.stride, r.dilation, [lo for lo, _ in r.pads], r.output, strict=True)
        planes, rows, cols = (
            source_of(np.arange(k)[:, None] * d + np.arange(o) * s - lo, e, r.mode) for e, k, s, d, lo, o in axes
        )
        planes, rows, cols = planes[:, None, None, :, None, None], rows[:, None, None, :, None], cols[:, None, None, :]
        inside = (planes >= 0) & (rows >= 0) & (cols >= 0)
        at = (planes * r.input[1] + rows) * r.input[2] + cols
        return np.where(inside, at, np.iinfo(np.int64).min).astype(np.int64).ravel()

    def work(self, isa: str) -> Features:
        """What copying one part does."""
        r, size = self.reads, self.reads.acc.itemsize
        (d, h, w), (kd, kh, kw) = r.output, r.kernel
        rows, row = r.n * d * kd * h * kh, r.input[2] * size
        if r.layout == "NHWC":
            lines = rows * min(row * r.ic, w * max(LINE, r.ic * size))
            counts: dict[str, float] = {"row": rows, "run": rows * w}
        else:
            rows *= r.ic
            lines = rows * min(row, w * kw * LINE)
            counts = {"row": rows, "run": rows * kw}
            if r.stride[2] > SPLIT:
                counts["picked"] = rows * w * kw
            elif r.stride[2] > 1:
                whole = kw == r.stride[2] and r.dilation[2] == 1
                counts |= {"element": rows * w * r.stride[2], "split": 0 if whole else rows}
            if self.listed:
                counts = {"place": rows * w * kw}
        return Features({"call": 1, **counts, "bytes" if self.far else "bytes_cached": lines}).of(f"{ROW}@{isa}")


class Copies:
    """A run, part by part; with `plain` where there is one only."""

    __slots__ = ("_copied", "_gathers", "_multiply", "_room", "_shape", "_whole")

    def __init__(self, copied: Copied, gathers: Sequence[Any], multiply: Any, room: int, whole: bool) -> None:
        p = copied.problem
        self._shape = p.n, p.ic, p.input, p.layout, p.dtype
        self._copied, self._gathers, self._multiply, self._room = copied, gathers, multiply, room
        self._whole = whole and hasattr(multiply, "plain")

    def __call__(self, x: np.ndarray, out: np.ndarray) -> None:
        copied, p = self._copied, self._copied.problem
        before = (slice(None),) * (1 + copied.axis)
        with borrow(self._room) as scratch:
            images = buffer_volume(scratch, *self._shape)
            for n in range(0, x.shape[0], max(p.n, 1)):
                some, results = x[n : n + p.n], out[n : n + p.n]
                for start, gather in zip(copied.starts, self._gathers, strict=True):
                    gather(some, images)
                    self._multiply(images, results[:, *before, start : start + p.output[copied.axis]])

    def plain(self, x: np.ndarray, out: np.ndarray) -> bool:
        if not self._whole:
            return False
        with borrow(self._room) as scratch:
            images = scratch[: self._copied.bytes]
            return self._gathers[0].plain(x, images) and self._multiply.plain(images, out)


class Copying:
    """Runs with weights that each call packs; ``plain(x, out, weights, bias)`` as that of `native.Binding`."""

    __slots__ = ("_copied", "_gathers", "_product", "_product_plain", "_room", "_whole", "plain")

    def __init__(self, copied: Copied, gathers: Sequence[Any], product: Bind, room: int, whole: bool) -> None:
        self._copied, self._gathers, self._product, self._room, self._whole = copied, gathers, product, room, whole
        self._product_plain: Any = getattr(product, "plain", None)
        self.plain = None if not whole or copied.reordered or self._product_plain is None else self._run

    def __call__(self, constants: tuple[Any, ...]) -> Copies:
        weights, *rest = constants
        multiply = self._product((self._copied.weights(weights), *rest))
        return Copies(self._copied, self._gathers, multiply, self._room, self._whole)

    def _run(self, x: np.ndarray, out: np.ndarray, weights: np.ndarray, bias: np.ndarray | None = None) -> bool:
        with borrow(self._room) as scratch:
            images = scratch[: self._copied.bytes]
            done: bool = self._gathers[0].plain(x, images) and self._product_plain(images, out, weights, bias)
        return done


class Gathered(Specialised[ConvProblem]):
    """A kernel that copies what windows with gaps read, where that saves time."""

    def __init__(self, inner: Kernel[ConvProblem]) -> None:
        self.inner = inner
        for name in STATED:
            setattr(self, name, getattr(inner, name))
        self.revision += REVISION

    @property
    def order(self) -> str:
        return self.inner.order

    @keep_few()
    def _copied(self, p: ConvProblem) -> Copied | None:
        """What is copied; None where the kernel reads the images itself.

        Decided for one image and packed weights: sums, and so their bits, depend on neither.
        """
        copied = Copied.of(p)
        if copied is None or self.inner.reject(copied.problem):
            return None
        if self.inner.reject(p):
            return copied
        one = replace(p, n=1, packed=True)
        short = Copied.of(one)
        assert short is not None  # as of more images
        if self.inner.reject(short.problem):
            return None
        table = host_table()
        return copied if table.seconds(self._work(one, short)) < table.seconds(self.inner.work(one)) else None

    def _work(self, p: ConvProblem, copied: Copied) -> Features:
        """What is done for all parts of all images; weights are packed once."""
        once, times = copied.work(self.isa), p.n // max(copied.problem.n, 1) * len(copied.starts)
        first = once + self.inner.work(copied.problem)
        if times < 2:
            return first
        return first + (once + self.inner.work(replace(copied.problem, packed=True))) * (times - 1)

    def _of(self, p: ConvProblem) -> ConvProblem:
        """The problem that the kernel does."""
        copied = self._copied(p)
        return p if copied is None else copied.problem

    def reject(self, problem: ConvProblem) -> str | None:
        reason = self.inner.reject(problem)
        return None if reason is None or self._copied(problem) is not None else reason

    def features(self, problem: ConvProblem) -> Features:
        copied = self._copied(problem)
        return self.inner.features(problem) if copied is None else self._work(problem, copied)

    def workspace(self, problem: ConvProblem) -> int:
        return self.total_workspace(problem, 1)

    def total_workspace(self, problem: ConvProblem, threads: int) -> int:
        copied = self._copied(problem)
        if copied is None:
            return self.inner.total_workspace(problem, threads)
        return self._room(copied) + self.inner.total_workspace(copied.problem, threads)

    @staticmethod
    def _room(copied: Copied) -> int:
        """Bytes of the copies; kernels load whole vectors past the last pixel."""
        return whole_lines(copied.bytes) + native.SLACK * copied.problem.acc.itemsize

    def error(self, problem: ConvProblem) -> float:
        return self.inner.error(self._of(problem))

    def bound(self, problem: ConvProblem) -> float:
        return self.inner.bound(self._of(problem))

    def reach(self, problem: ConvProblem) -> tuple[int, int, int]:
        reach = zip(self.inner.reach(self._of(problem)), problem.kernel, problem.stride, strict=True)
        d, h, w = (r * s if k == 1 else r for r, k, s in reach)  # elements of the copies are a stride apart
        return d, h, w

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        copied = self._copied(problem)
        if copied is None:
            return self.inner.specialise(problem, threads)
        whole = copied.problem.n == problem.n and len(copied.starts) == 1
        product = self.inner.specialise(copied.problem, threads)
        gathers = [self._gather(copied, start, threads) for start in copied.starts]
        return Copying(copied, gathers, product, self._room(copied), whole)

    def _gather(self, copied: Copied, start: int, threads: int) -> Any:
        _gathered = native.compiled("conv._gathered")
        r, p = copied.part(start), copied.problem
        outside, places = np.full(r.ic, r.fill, r.acc), copied.places(start) if copied.listed else None
        table, axes = native.table(self.isa, r.acc), native.padded_axes(r, r.mode)
        prepared = _gathered.Gather(table, r, axes, outside, places, copied.far)
        workers = threads if copied.bytes > SHARED_BYTES else 1
        x, y = native.contiguous(r.n, r.ic, r.input, r.layout), native.contiguous(p.n, p.ic, p.input, p.layout)
        native.schedule(prepared, 0, workers, host_table().seconds(copied.work(self.isa)), x, y)
        return prepared.bind()


def or_gathered(kernels: Sequence[Kernel[ConvProblem]]) -> tuple[Kernel[ConvProblem], ...]:
    """These kernels, each of which copies what windows with gaps read where that saves time."""
    return tuple(map(Gathered, kernels))
