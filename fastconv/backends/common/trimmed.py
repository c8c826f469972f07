"""Taps that read nothing but padding are left out: of a 7x7 kernel, padded by 3, a map of one row needs one row.

Along an axis, a tap is of use if it reads an element of the input for some output.  All between the first and the last
of these are kept; a convolution by them alone, with less padding, has the same results: zeros times a finite weight are
zero.  Where a weight that would be left out is infinite or NaN, the whole kernel is used, because its products with
padding are NaN.

Where kernels are large and maps small, outputs near the ends use few taps and those in between others.  Then the
outermost axis is divided, and each part is a convolution by the taps that its outputs use, if that takes less time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf, prod
from typing import Any

import numpy as np

from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Kernel, Run, Specialised
from fastconv.core.numbers import ceil_div, span
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import host_table

LEAST_FLOPS = 4e5  # of an image, that are saved: looking at weights, and copying some of them, takes a few microseconds
MOST_PARTS = 6
ROW = "trimmed"  # its counts: parts beyond the first, weights of a channel that are copied, and weights in all
PART_FLOPS = 1e6  # that parts must save
STATED = ("op", "backend", "algorithm", "relative", "isa", "row", "exact", "activations", "flushes", "note", "revision")


def useful_taps(extent: int, kernel: int, stride: int, dilation: int, lo: int, outputs: int) -> slice:
    """The taps along an axis that read an element of the input for some output."""
    start = np.arange(kernel, dtype=np.int64) * dilation - lo
    first = np.maximum(ceil_div(-start, stride), 0)  # the first output for which a tap is not before the input
    taps = np.flatnonzero((first < outputs) & (first * stride + start < extent))
    return slice(int(taps[0]), int(taps[-1]) + 1) if taps.size else slice(0, 0)


@dataclass(frozen=True, slots=True)
class OutputPart:
    """Adjacent outputs along the outermost axis that has several, and the convolution of the taps that they use.

    Of one image: those of several images do not follow each other.
    """

    problem: ConvProblem
    taps: tuple[slice, ...]
    axis: int
    first: int

    @classmethod
    def of(cls, p: ConvProblem, axis: int, first: int, end: int) -> OutputPart | None:
        """None where no tap reads an element."""
        lo, extent, step = p.pads[axis][0] - first * p.stride[axis], p.input[axis], p.stride[axis]
        hi = span(end - first, step, p.kernel[axis], p.dilation[axis]) - extent - lo
        d, h, w = (end - first if a == axis else o for a, o in enumerate(p.output))
        pads = (*p.pads[:axis], (lo, hi), *p.pads[axis + 1 :])
        some = replace(p, n=min(p.n, 1), output=(d, h, w), pads=pads)
        taps = useful(some)
        return None if any(t.start == t.stop for t in taps) else cls(with_taps(some, taps), taps, axis, first)

    @property
    def where(self) -> tuple[slice, ...]:
        """Its outputs."""
        return (*(slice(None),) * (2 + self.axis), slice(self.first, self.first + self.problem.output[self.axis]))


def apart(p: ConvProblem, parts: Sequence[OutputPart]) -> Features:
    """What is done beside the convolutions of parts."""
    counts = {"part": p.n * (len(parts) - 1)}
    if not p.packed:
        counts["run"] = len(parts) * p.oc * p.icg
        counts["weight"] = (p.taps + sum(part.problem.taps for part in parts)) * p.oc * p.icg
    return Features(counts).of(ROW)


def useful(p: ConvProblem) -> tuple[slice, ...]:
    """The useful taps along each axis."""
    axes = zip(p.input, p.kernel, p.stride, p.dilation, [lo for lo, _ in p.pads], p.output, strict=True)
    return tuple(useful_taps(*axis) for axis in axes)


def with_taps(p: ConvProblem, taps: tuple[slice, ...]) -> ConvProblem:
    """The convolution by some adjacent taps along each axis."""
    d, h, w = (t.stop - t.start for t in taps)
    pads = tuple(
        (lo - t.start * step, hi - (k - t.stop) * step)
        for (lo, hi), t, k, step in zip(p.pads, taps, p.kernel, p.dilation, strict=True)
    )
    return replace(p, kernel=(d, h, w), pads=pads)


def pads_nothing(p: ConvProblem) -> bool:
    """Whether all taps are of use, or products with padding are not zero."""
    return bool(p.not_forward) or not p.pads_with_zeros or not p.pixels or all(max(pad) <= 0 for pad in p.pads)


@keep_few()
def trimmed(p: ConvProblem) -> tuple[ConvProblem, tuple[slice, ...]]:
    """The problem without taps that read nothing, and the taps that it has; `p` itself where that saves little."""
    whole = tuple(map(slice, p.kernel))
    if pads_nothing(p):
        return p, whole
    taps = useful(p)
    kept = prod(t.stop - t.start for t in taps)
    if kept == 0 or (p.taps - kept) / p.taps * p.flops < LEAST_FLOPS * max(p.n, 1):
        return p, whole
    return with_taps(p, taps), taps


@keep_few()
def divisions(p: ConvProblem) -> tuple[tuple[OutputPart, ...], ...]:
    """Ways to divide the outputs: at all places where the useful taps change, or apart from those that use the most."""
    axis = next((a for a in range(3) if p.output[a] > 1), 2)
    if pads_nothing(p) or max(p.pads[axis]) <= 0:
        return ()
    along = p.input[axis], p.kernel[axis], p.stride[axis], p.dilation[axis], p.pads[axis][0], p.output[axis]
    at, taps = _runs(*along)
    kept, every = int(np.dot(np.diff(at), taps)), useful_taps(*along)
    if (1 - kept / max(p.output[axis] * (every.stop - every.start), 1)) * p.flops < PART_FLOPS * max(p.n, 1):
        return ()
    full = np.flatnonzero(taps == taps.max())
    ways = at, _distinct(at[[0, full[0], full[-1] + 1, -1]])
    found = (
        tuple(OutputPart.of(p, axis, *of) for of in pairwise(map(int, places)))
        for places in ways if 2 < len(places) <= MOST_PARTS + 1
    )  # fmt: skip
    return tuple(parts for parts in found if None not in parts)  # type: ignore[misc]


def _distinct(numbers: np.ndarray) -> np.ndarray:
    """In ascending order.  `numpy.unique` imports a module in its first call, which an ending interpreter cannot."""
    rising = np.sort(numbers)
    return rising[np.concatenate([[True], rising[1:] != rising[:-1]])[: rising.size]]


def _runs(
    extent: int, kernel: int, stride: int, dilation: int, lo: int, outputs: int
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Where runs of outputs that use the same taps begin, and the end of the last one; and how many taps each run uses.

    Taps are left at the beginning where an output has moved on by a dilation, and so they are at the end.
    """
    tap = np.arange(kernel + 1, dtype=np.int64) * dilation
    places = np.concatenate([ceil_div(lo - tap, stride), ceil_div(extent + lo - tap, stride), [0]])
    at = _distinct(places[(places >= 0) & (places < outputs)])
    start = at * stride - lo
    first, end = np.maximum(ceil_div(-start, dilation), 0), np.minimum(ceil_div(extent - start, dilation), kernel)
    used = np.maximum(end - first, 0)
    same = (used[1:] == used[:-1]) & ((first[1:] == first[:-1]) | (used[1:] == 0))
    begins = np.concatenate([[True], ~same])
    return np.append(at[begins], outputs), used[begins]


class Trimmed(Specialised[ConvProblem]):
    """A kernel that does forward convolutions without taps that read nothing."""

    def __init__(self, inner: Kernel[ConvProblem]) -> None:
        self.inner = inner
        for name in STATED:
            setattr(self, name, getattr(inner, name))

    @property
    def order(self) -> str:
        return self.inner.order

    @keep_few()
    def _parts(self, p: ConvProblem) -> tuple[OutputPart, ...]:
        """Parts whose convolutions take less time than the whole, or none.

        Decided for one image and weights that are packed in a call: sums, and so their bits, depend on neither.
        """
        one, table = replace(p, n=min(p.n, 1), packed=False), host_table()
        seconds = [self.inner.cost(trimmed(one)[0], table)]
        for parts in divisions(one):
            problems = [part.problem for part in parts]
            able = not any(map(self.inner.reject, problems))
            each = [self.inner.cost(q, table) for q in problems] if able else [inf]
            seconds.append(sum(each) + table.seconds(apart(one, parts)))
        best = seconds.index(min(seconds))
        return divisions(p)[best - 1] if best else ()

    def _problems(self, p: ConvProblem) -> list[ConvProblem]:
        """What the kernel computes: the whole, or its parts for one image."""
        return [part.problem for part in self._parts(p)] or [trimmed(p)[0]]

    def reject(self, problem: ConvProblem) -> str | None:
        return self.inner.reject(problem) or self.inner.reject(trimmed(problem)[0])

    def features(self, problem: ConvProblem) -> Features:
        first, *others = map(self.inner.features, self._problems(problem))
        return sum(others, first) * problem.n + apart(problem, self._parts(problem)) if others else first

    def workspace(self, problem: ConvProblem) -> int:
        return max(self.inner.workspace(problem), *map(self.inner.workspace, self._problems(problem)))

    def error(self, problem: ConvProblem) -> float:
        return max(map(self.inner.error, self._problems(problem)))

    def bound(self, problem: ConvProblem) -> float:
        return max(map(self.inner.bound, self._problems(problem)))

    def reach(self, problem: ConvProblem) -> tuple[int, int, int]:
        d, h, w = map(max, zip(*map(self.inner.reach, self._problems(problem)), strict=True))
        return d, h, w

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        parts = self._parts(problem)
        if parts:
            return self._divided(problem, parts, threads)
        fewer, taps = trimmed(problem)
        if fewer.kernel == problem.kernel:  # equal, but perhaps another object
            return self.inner.specialise(problem, threads)
        some = self.inner.specialise(fewer, threads)
        where = (slice(None), slice(None), *taps)

        def bind(constants: tuple[Any, ...]) -> Run:
            weights, *rest = constants
            if not _finite_outside(weights, where):
                return self.inner.specialise(problem, threads)(constants)
            return some((np.ascontiguousarray(weights[where]), *rest))

        return bind

    def _divided(self, problem: ConvProblem, parts: Sequence[OutputPart], threads: int) -> Bind:
        binds = [self.inner.specialise(part.problem, threads) for part in parts]

        def bind(constants: tuple[Any, ...]) -> Run:
            weights, *rest = constants
            if not np.isfinite(weights).all():
                return self.inner.specialise(problem, threads)(constants)
            chosen = (np.ascontiguousarray(weights[:, :, *part.taps]) for part in parts)
            runs = [some((w, *rest)) for some, w in zip(binds, chosen, strict=True)]

            def run(x: np.ndarray, out: np.ndarray) -> None:
                for n in range(x.shape[0]):
                    for part, of_part in zip(parts, runs, strict=True):
                        of_part(x[n : n + 1], out[n : n + 1][part.where])

            return run

        return bind


@np.errstate(all="ignore")
def _finite_outside(weights: np.ndarray, where: tuple[slice, ...]) -> bool:
    """Whether all weights but those at `where` are finite."""
    if np.isfinite(weights.sum()):
        return True
    others = weights.copy()
    others[where] = 0
    return bool(np.isfinite(others).all())


def trim(kernels: Sequence[Kernel[ConvProblem]]) -> tuple[Kernel[ConvProblem], ...]:
    """These kernels, each without taps that read nothing."""
    return tuple(map(Trimmed, kernels))
