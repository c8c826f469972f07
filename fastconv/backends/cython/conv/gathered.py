"""Convolutions whose windows have gaps or do not overlap, on a copy of what they read.

With a stride of 3 along three axes, a 1x1x1 convolution reads one element of 27.  Most kernels read rows as they lie,
with what lies between; a copy of the elements that are read is a smaller image, of stride 1, on which every kernel is
as fast as it can be.  If no windows overlap, the copy has one channel for each tap of a channel, and the convolution is
a 1x1 one, a product of matrices, with the weights as they are.  Otherwise axes with a single tap are copied so, and the
others as they lie.

It is no kernel of its own: a kernel does its problems in this way where that takes less time.
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
from fastconv.core.numbers import LINE, whole_lines
from fastconv.core.problems.base import source_of
from fastconv.core.problems.conv import ConvProblem
from fastconv.core.scratch import borrow
from fastconv.machines import block_bytes, host_table

REVISION = 1  # raised when gathering becomes faster; added to that of the kernel
ROW = "cython.conv.gathered"
IMAGES = f"{ROW}/images"  # that are gathered at a time: they stay in the L2 cache
MOST_BYTES = 4 << 20  # of the copy of one image, or of all where no more than that
SHORT = 64  # columns of the copies: a table of places is faster than one row after the other
SHARED_BYTES = 128 << 10  # less does not justify waking a thread


@dataclass(frozen=True, slots=True)
class Copied:
    """What is copied of the images of a problem.

    Attributes
    ----------
    problem : ConvProblem
        The convolution of the copies, of as many images as are copied at a time.
    reads : ConvProblem
        Of the images to copy: taps, strides and outputs of the copied axes; one tap for each element of the others.
    """

    problem: ConvProblem
    reads: ConvProblem

    @classmethod
    @keep_few()
    def of(cls, p: ConvProblem) -> Copied | None:
        """None where windows overlap along all axes with strides, or copies would be large."""
        axes = range(3)
        if p.not_forward or p.depth == 0 or not p.pixels or p.stride == (1, 1, 1):
            return None
        apart = [s > (k - 1) * d for k, s, d in zip(p.kernel, p.stride, p.dilation, strict=True)]
        folded = all(apart) and p.layout == "NCHW"
        copied = [folded or (p.kernel[a] == 1 and p.stride[a] > 1) for a in axes]
        if not any(copied):
            return None

        def along(of_copied: Sequence[Any], of_others: Sequence[Any]) -> Any:
            return tuple(of_copied[a] if copied[a] else of_others[a] for a in axes)

        ones, none = (1, 1, 1), ((0, 0),) * 3
        short = replace(
            p, ic=p.ic * (p.taps if folded else 1), input=along(p.output, p.input), kernel=along(ones, p.kernel),
            stride=along(ones, p.stride), dilation=along(ones, p.dilation), pads=along(none, p.pads),
        )  # fmt: skip
        size = short.ic * prod(short.input) * p.acc.itemsize
        if size > MOST_BYTES:
            return None
        images = p.n
        if p.n * size > MOST_BYTES:
            most = max(1, block_bytes(IMAGES) // size)
            images = next(m for m in range(min(most, p.n), 0, -1) if p.n % m == 0)
        reads = replace(
            p, n=images, kernel=along(p.kernel, ones), stride=along(p.stride, ones), dilation=along(p.dilation, ones),
            pads=along(p.pads, none), output=short.input,
        )  # fmt: skip
        return cls(replace(short, n=images), reads)

    @property
    def bytes(self) -> int:
        """Of the copies."""
        return prod(self.problem.x_shape) * self.problem.acc.itemsize

    @property
    def listed(self) -> bool:
        """Whether elements are found by `places`."""
        return self.reads.layout == "NCHW" and self.reads.output[2] <= SHORT

    def places(self) -> np.ndarray:
        """Where the elements of the copies of one channel are in its volume, by taps and outputs."""
        r = self.reads
        axes = zip(r.input, r.kernel, r.stride, r.dilation, [lo for lo, _ in r.pads], r.output, strict=True)
        planes, rows, cols = (
            source_of(np.arange(k)[:, None] * d + np.arange(o) * s - lo, e, r.mode) for e, k, s, d, lo, o in axes
        )
        planes, rows, cols = planes[:, None, None, :, None, None], rows[:, None, None, :, None], cols[:, None, None, :]
        inside = (planes >= 0) & (rows >= 0) & (cols >= 0)
        at = (planes * r.input[1] + rows) * r.input[2] + cols
        return np.where(inside, at, np.iinfo(np.int64).min).astype(np.int64).ravel()

    def work(self, isa: str) -> Features:
        """What copying once does."""
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
            if r.stride[2] > 1:
                counts["element"] = rows * w * kw
            if self.listed:
                counts = {"place": rows * w * kw}
        whole = r.n * r.ic * prod(r.input) * size
        return Features({"call": 1, **counts, **native.traffic(whole, lines)}).of(f"{ROW}@{isa}")


class Copies:
    """A run: some images are copied at a time; with `plain` where that is all of them."""

    __slots__ = ("_bytes", "_gather", "_multiply", "_room", "_shape", "_whole")

    def __init__(self, copied: Copied, gather: Any, multiply: Any, room: int, whole: bool) -> None:
        p = copied.problem
        self._shape = p.n, p.ic, p.input, p.layout, p.dtype
        self._bytes, self._room = copied.bytes, room
        self._gather, self._multiply, self._whole = gather, multiply, whole and hasattr(multiply, "plain")

    def __call__(self, x: np.ndarray, out: np.ndarray) -> None:
        count = self._shape[0]
        with borrow(self._room) as scratch:
            images = buffer_volume(scratch, *self._shape)
            for n in range(0, x.shape[0], count):
                self._gather(x[n : n + count], images)
                self._multiply(images, out[n : n + count])

    def plain(self, x: np.ndarray, out: np.ndarray) -> bool:
        if not self._whole:
            return False
        with borrow(self._room) as scratch:
            images = scratch[: self._bytes]
            return self._gather.plain(x, images) and self._multiply.plain(images, out)


class Copying:
    """Runs with weights that each call packs; ``plain(x, out, weights, bias)`` as that of `native.Binding`."""

    __slots__ = ("_copied", "_gather", "_product", "_product_plain", "_room", "_whole", "plain")

    def __init__(self, copied: Copied, gather: Any, product: Bind, room: int, whole: bool) -> None:
        self._copied, self._gather, self._product, self._room, self._whole = copied, gather, product, room, whole
        self._product_plain: Any = getattr(product, "plain", None)
        self.plain = self._run if whole and self._product_plain is not None else None

    def __call__(self, constants: tuple[Any, ...]) -> Copies:
        weights, *rest = constants
        multiply = self._product((weights.reshape(self._copied.problem.w_shape), *rest))
        return Copies(self._copied, self._gather, multiply, self._room, self._whole)

    def _run(self, x: np.ndarray, out: np.ndarray, weights: np.ndarray, bias: np.ndarray | None = None) -> bool:
        with borrow(self._room) as scratch:
            images = scratch[: self._copied.bytes]
            done: bool = self._gather.plain(x, images) and self._product_plain(images, out, weights, bias)
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
        table, gathered = host_table(), short.work(self.isa) + self.inner.work(short.problem)
        return copied if table.seconds(gathered) < table.seconds(self.inner.work(one)) else None

    def _of(self, p: ConvProblem) -> ConvProblem:
        """The problem that the kernel does."""
        copied = self._copied(p)
        return p if copied is None else copied.problem

    def reject(self, problem: ConvProblem) -> str | None:
        reason = self.inner.reject(problem)
        return None if reason is None or self._copied(problem) is not None else reason

    def features(self, problem: ConvProblem) -> Features:
        copied = self._copied(problem)
        if copied is None:
            return self.inner.features(problem)
        short = copied.problem
        once = copied.work(self.isa) + self.inner.work(short)
        times = problem.n // max(short.n, 1)
        if times < 2:
            return once
        return once + (copied.work(self.isa) + self.inner.work(replace(short, packed=True))) * (times - 1)

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
        whole = copied.problem.n == problem.n
        product = self.inner.specialise(copied.problem, threads)
        return Copying(copied, self._gather(copied, threads), product, self._room(copied), whole)

    def _gather(self, copied: Copied, threads: int) -> Any:
        _gathered = native.compiled("conv._gathered")
        r, p = copied.reads, copied.problem
        outside = np.full(r.ic, r.fill, r.acc)
        places = copied.places() if copied.listed else None
        prepared = _gathered.Gather(native.table(self.isa, r.acc), r, native.padded_axes(r, r.mode), outside, places)
        workers = threads if copied.bytes > SHARED_BYTES else 1
        x, y = native.contiguous(r.n, r.ic, r.input, r.layout), native.contiguous(p.n, p.ic, p.input, p.layout)
        native.schedule(prepared, 0, workers, host_table().seconds(copied.work(self.isa)), x, y)
        return prepared.bind()


def gather(kernels: Sequence[Kernel[ConvProblem]]) -> tuple[Kernel[ConvProblem], ...]:
    """These kernels, each of which copies what windows with gaps read where that saves time."""
    return tuple(map(Gathered, kernels))
