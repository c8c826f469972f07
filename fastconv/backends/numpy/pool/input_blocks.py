"""Blocks of a pooling's input, and the outputs whose windows read them.

Gradients of poolings use these: every element of the input is written once, by the block that contains it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from fastconv.backends.numpy.pool.windows import BLOCK, AnyPool, FixedTaps, Select, each_of, few_listed
from fastconv.core.numbers import ceil_div, rectangles
from fastconv.core.problems.adaptive import AdaptivePoolProblem, axis_windows


class Part(NamedTuple):
    """Some inputs along one axis, the outputs that read any of them, and all inputs that those read.

    `taps` are pairs: these inputs, counted from `read.start`, are read by those outputs, counted from `out.start`.
    No input occurs twice in one of them.
    """

    inp: slice
    out: slice
    read: slice
    taps: tuple[tuple[Select, Select], ...]

    @property
    def same(self) -> bool:
        """Whether every input is read by one output, its own."""
        if len(self.taps) != 1:
            return False
        extent = self.read.stop - self.read.start
        inputs, outputs = self.taps[0]
        if not isinstance(inputs, slice) or not isinstance(outputs, slice):
            return False
        return inputs == slice(0, extent, 1) and outputs == slice(0, self.out.stop - self.out.start) == slice(0, extent)


def fixed_parts(e: int, k: int, s: int, d: int, lo: int, output: int, step: int) -> Iterator[Part]:
    """Parts of `step` inputs of an axis with equal windows."""
    for i0 in range(0, e, step):
        i1 = min(i0 + step, e)
        o0 = max(0, ceil_div(i0 + lo - (k - 1) * d, s))
        o1 = min(output, (i1 - 1 + lo) // s + 1)
        if o0 >= o1:
            yield Part(slice(i0, i1), slice(0, 0), slice(i0, i1), ())
            continue
        first = max(0, o0 * s - lo)
        last = max(first, min(e, (o1 - 1) * s - lo + (k - 1) * d + 1))
        read = slice(min(first, i0), max(last, i1))
        taps = []
        for outputs, inputs in FixedTaps(e, k, s, d, lo, o0, o1):
            assert isinstance(inputs, slice)
            shift = first - read.start
            taps.append((slice(inputs.start + shift, inputs.stop + shift, inputs.step), outputs))
        yield Part(slice(i0, i1), slice(o0, o1), read, tuple(taps))


def adaptive_parts(e: int, output: int, step: int) -> Iterator[Part]:
    """Parts of `step` inputs of an axis whose windows differ; outputs that read none of them are left out."""
    for i0 in range(0, e, step):
        own = slice(i0, min(i0 + step, e))
        size = own.stop - i0
        first, end = axis_windows(output, e, i0, own.stop)  # the windows that each input is in
        o0, o1 = int(first[0]), int(end[-1])
        taps: list[tuple[Select, Select]] = []
        if o1 - o0 == size and (end - first == 1).all():
            taps = [(slice(0, size, 1), slice(0, size))]
        else:
            for t in range(int((end - first).max())):
                served = np.flatnonzero(first + t < end)
                taps.append((served, first[served] + t - o0))
        yield Part(own, slice(o0, o1), own, tuple(taps))


class InputBlocks:
    """How an input is cut into blocks of about `budget` elements, with their surroundings.

    Blocks grow along the axes in the order of memory, innermost first.  Along an axis they are at least as long as a
    window; else most of the work would be done several times.
    """

    def __init__(self, p: AnyPool, budget: int = BLOCK) -> None:
        if isinstance(p, AdaptivePoolProblem):
            spans = [1] * 3
        else:
            spans = [min(e, (k - 1) * d + 1) for e, k, d in zip(p.input, p.kernel, p.dilation, strict=True)]
        self.halo = [span - 1 for span in spans]
        full = (max(p.n, 1), max(p.c, 1), *p.input)
        least = (1, 1, *spans)
        steps = [1] * 5
        for axis in (4, 3, 2, 1, 0) if p.layout == "NCHW" else (1, 4, 3, 2, 0):
            steps[axis] = full[axis]
            while steps[axis] > least[axis] and self._elements(p, steps) > budget:
                steps[axis] = max(least[axis], ceil_div(steps[axis], 2))
        self.p = p
        self.steps = tuple(steps)

    def _elements(self, p: AnyPool, steps: list[int]) -> int:
        d, h, w = (min(e, n + 2 * halo) for e, n, halo in zip(p.input, steps[2:], self.halo, strict=True))
        return steps[0] * steps[1] * d * h * w

    @property
    def elements(self) -> int:
        """Elements of the largest array that a block needs: its inputs and those around them, or its outputs."""
        outputs = self.steps[0] * self.steps[1]
        for step, e, o, halo in zip(self.steps[2:], self.p.input, self.p.output, self.halo, strict=True):
            outputs *= max(min(o, ceil_div((min(e, step + 2 * halo) + 1) * o, e) + 1), min(e, step + 2 * halo))
        return outputs

    @property
    def count(self) -> int:
        """Number of blocks."""
        total = 1
        for extent, step in zip((self.p.n, self.p.c, *self.p.input), self.steps, strict=True):
            total *= ceil_div(extent, step)
        return total

    def parts(self) -> list[Iterable[Part]]:
        """The parts of depth, height and width."""
        p = self.p
        if isinstance(p, AdaptivePoolProblem):
            return [
                few_listed(partial(adaptive_parts, e, o, step), e + 2 * o)
                for e, o, step in zip(p.input, p.output, self.steps[2:], strict=True)
            ]
        los = (lo for lo, _ in p.pads)
        return [
            few_listed(partial(fixed_parts, e, k, s, d, lo, o, step), ceil_div(e, step) * k)
            for e, k, s, d, lo, o, step in zip(
                p.input, p.kernel, p.stride, p.dilation, los, p.output, self.steps[2:], strict=True
            )
        ]

    def walk(self, parts: list[Iterable[Part]]) -> Iterator[tuple[slice, slice, tuple[Part, ...]]]:
        """(images, channels, part per axis) of every block."""
        for images, channels in rectangles(self.p.n, self.p.c, *self.steps[:2]):
            for axes in each_of(parts):
                yield images, channels, axes
