"""Taps that read nothing but padding are left out: of a 7x7 kernel, padded by 3, a map of one row needs one row.

Along an axis, a tap is of use if it reads an element of the input for some output.  All between the first and the last
of these are kept; a convolution by them alone, with less padding, has the same results: zeros times a finite weight are
zero.  Where a weight that would be left out is infinite or NaN, the whole kernel is used, because its products with
padding are NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastconv.core.caches import keep_few
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Kernel, Run, Specialised
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.conv import ConvProblem

LEAST_FLOPS = 4e5  # of an image, that are saved: looking at weights, and copying some of them, takes a few microseconds
STATED = ("op", "backend", "algorithm", "relative", "isa", "row", "exact", "activations", "flushes", "note", "revision")


def useful_taps(extent: int, kernel: int, stride: int, dilation: int, lo: int, outputs: int) -> slice:
    """The taps along an axis that read an element of the input for some output."""
    start = np.arange(kernel, dtype=np.int64) * dilation - lo
    first = np.maximum(ceil_div(-start, stride), 0)  # the first output for which a tap is not before the input
    taps = np.flatnonzero((first < outputs) & (first * stride + start < extent))
    return slice(int(taps[0]), int(taps[-1]) + 1) if taps.size else slice(0, 0)


@keep_few()
def trimmed(p: ConvProblem) -> tuple[ConvProblem, tuple[slice, ...]]:
    """The problem without taps that read nothing, and the taps that it has; `p` itself where that saves little."""
    whole = tuple(map(slice, p.kernel))
    if p.not_forward or not p.pads_with_zeros or not p.pixels or all(max(pad) <= 0 for pad in p.pads):
        return p, whole
    axes = zip(p.input, p.kernel, p.stride, p.dilation, [lo for lo, _ in p.pads], p.output, strict=True)
    taps = tuple(useful_taps(*axis) for axis in axes)
    d, h, w = (t.stop - t.start for t in taps)
    if 0 in (d, h, w) or (p.taps - d * h * w) / p.taps * p.flops < LEAST_FLOPS * max(p.n, 1):
        return p, whole
    pads = tuple(
        (lo - t.start * step, hi - (k - t.stop) * step)
        for (lo, hi), t, k, step in zip(p.pads, taps, p.kernel, p.dilation, strict=True)
    )
    return replace(p, kernel=(d, h, w), pads=pads), taps


class Trimmed(Specialised[ConvProblem]):
    """A kernel that does forward convolutions without taps that read nothing."""

    def __init__(self, inner: Kernel[ConvProblem]) -> None:
        self.inner = inner
        for name in STATED:
            setattr(self, name, getattr(inner, name))

    @property
    def order(self) -> str:
        return self.inner.order

    def reject(self, problem: ConvProblem) -> str | None:
        return self.inner.reject(problem) or self.inner.reject(trimmed(problem)[0])

    def features(self, problem: ConvProblem) -> Features:
        return self.inner.features(trimmed(problem)[0])

    def workspace(self, problem: ConvProblem) -> int:
        return max(self.inner.workspace(problem), self.inner.workspace(trimmed(problem)[0]))

    def error(self, problem: ConvProblem) -> float:
        return self.inner.error(trimmed(problem)[0])

    def bound(self, problem: ConvProblem) -> float:
        return self.inner.bound(trimmed(problem)[0])

    def reach(self, problem: ConvProblem) -> tuple[int, int, int]:
        return self.inner.reach(trimmed(problem)[0])

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
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
