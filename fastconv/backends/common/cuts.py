"""How the result of a transposed convolution is divided into blocks, so that scratch does not grow with the image.

A block is a number of steps of every phase along each axis; a step is one output of each phase.  All blocks have one
size, and the last one along an axis begins earlier, so one forward problem serves all of them and its weights are
packed once.  A block reads a window of the input.  A window that extends beyond the input is copied, with zeros
around it.

Small images are not divided, and several of them are processed at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from fastconv.core.numbers import ceil_div, even_part
from fastconv.core.problems.conv import ConvProblem
from fastconv.typing import Layout

PARTS_BYTES = 1 << 20  # of the results of phases before they are interleaved
WHOLE_BYTES = 4 << 20  # of the largest image that is not divided
WINDOW_BYTES = 4 << 20  # of the input window of a block
# Fewest steps along each axis: kernels fill their tiles with the first, and can do with the last.
LEAST = ((1, 8, 64), (1, 1, 16))

Triple = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Cut:
    """Blocks of one problem: `images` at a time, `steps` of `total` steps along each axis."""

    images: int
    total: Triple
    steps: Triple

    @property
    def axes(self) -> tuple[bool, bool, bool]:
        """The axes that are divided."""
        if self.steps == self.total:
            return False, False, False
        d, h, w = (s < t for s, t in zip(self.steps, self.total, strict=True))
        return d, h, w

    @property
    def blocks(self) -> int:
        """How many blocks one image has."""
        if self.steps == self.total:
            return 1
        return prod(ceil_div(t, s) if s else 1 for t, s in zip(self.total, self.steps, strict=True))

    def starts(self) -> Iterator[tuple[Triple, Triple]]:
        """First step of each block, and its first step that no earlier block contains."""
        if self.steps == self.total:
            if all(self.total):
                yield (0, 0, 0), (0, 0, 0)
            return
        axes = [
            [(min(at, t - s), at) for at in range(0, t, s)] if s else []
            for t, s in zip(self.total, self.steps, strict=True)
        ]
        for d, h, w in product(*axes):
            yield (d[0], h[0], w[0]), (d[1], h[1], w[1])

    def result(self, p: ConvProblem) -> Triple:
        """Outputs of one block along each axis."""
        d, h, w = (
            s * n if cut else o for s, n, o, cut in zip(p.stride, self.steps, p.output, self.axes, strict=True)
        )
        return d, h, w

    @classmethod
    def of(cls, p: ConvProblem, always: bool = False) -> Cut:
        """The division of a problem; with stride 1 there is none, as the only phase is the result, unless `always`."""
        d, h, w = (ceil_div(o, s) for o, s in zip(p.output, p.stride, strict=True))
        total = (d, h, w)
        if p.stride == (1, 1, 1) and not always:
            return cls(p.n, total, total)
        size = image_bytes(p)
        if size <= WHOLE_BYTES:
            most = PARTS_BYTES // max(1, size)
            return cls(next((m for m in range(min(most, p.n), 1, -1) if p.n % m == 0), 1), total, total)
        for least in LEAST:
            steps = total
            for axis in range(3):
                floor = min(least[axis], total[axis])
                while steps[axis] > floor and not _fits(p, steps):
                    half = max(floor, ceil_div(steps[axis], 2))
                    steps = (*steps[:axis], half, *steps[axis + 1 :])  # type: ignore[assignment]
            if _fits(p, steps):
                break
        d, h, w = (even_part(t, s) for t, s in zip(total, steps, strict=True))
        return cls(1, total, (d, h, w))


def _fits(p: ConvProblem, steps: Triple) -> bool:
    parts = p.oc * prod(min(s * n, o) for s, n, o in zip(p.stride, steps, p.output, strict=True)) * p.out.itemsize
    return parts <= PARTS_BYTES and window_bytes(p, steps) <= WINDOW_BYTES


def window_extents(p: ConvProblem, steps: Triple) -> Triple:
    """Largest number of inputs along each axis that the phases of a block read."""
    halos = (ceil_div((k - 1) * d, s) + 1 for k, d, s in zip(p.kernel, p.dilation, p.stride, strict=True))
    d, h, w = (n + halo for n, halo in zip(steps, halos, strict=True))
    return d, h, w


def window_bytes(p: ConvProblem, steps: Triple) -> int:
    """Most bytes of one copied window of a block."""
    d, h, w = (
        min(e, i) if n == t else e
        for e, i, n, t in zip(window_extents(p, steps), p.input, steps, _total(p), strict=True)
    )
    return p.ic * d * h * w * p.dtype.itemsize


def _total(p: ConvProblem) -> Triple:
    d, h, w = (ceil_div(o, s) for o, s in zip(p.output, p.stride, strict=True))
    return d, h, w


def image_bytes(p: ConvProblem) -> int:
    """Bytes of the result of one image."""
    return p.oc * p.pixels * p.out.itemsize


def buffer_volume(
    buffer: np.ndarray, n: int, c: int, spatial: tuple[int, ...], layout: Layout, dtype: np.dtype
) -> np.ndarray:
    """(n, c, *spatial) at the start of a buffer of bytes, in the order of memory of a layout."""
    flat = buffer[: n * c * prod(spatial) * dtype.itemsize].view(dtype)
    return flat.reshape(n, *spatial, c).transpose(0, 4, 1, 2, 3) if layout == "NHWC" else flat.reshape(n, c, *spatial)


def cut_window(x: np.ndarray, starts: Triple, extents: Triple, layout: Layout, buffer: np.ndarray) -> np.ndarray:
    """The part of `x` from `starts` on, zero outside of it: a view if kernels accept that, else a copy in `buffer`."""
    limits = x.shape[2:]
    inside = all(s >= 0 and s + e <= limit for s, e, limit in zip(starts, extents, limits, strict=True))
    if inside:
        view = x[:, :, *(slice(s, s + e) for s, e in zip(starts, extents, strict=True))]
        if lies_whole(view, layout):
            return view
    copied = buffer_volume(buffer, x.shape[0], x.shape[1], extents, layout, x.dtype)
    if inside:
        copied[...] = view
        return copied
    copied[...] = 0
    first = [min(max(s, 0), limit) for s, limit in zip(starts, limits, strict=True)]
    last = [max(min(s + e, limit), f) for s, e, limit, f in zip(starts, extents, limits, first, strict=True)]
    to = (slice(f - s, t - s) for f, t, s in zip(first, last, starts, strict=True))
    copied[:, :, *to] = x[:, :, *map(slice, first, last)]
    return copied


def lies_whole(view: np.ndarray, layout: Layout) -> bool:
    """Whether one image's volumes are contiguous, as the contract of `core.kernel` requires."""
    step = view.itemsize
    axes = (1, 4, 3, 2) if layout == "NHWC" else (4, 3, 2)
    for axis in axes:
        if view.shape[axis] > 1 and view.strides[axis] != step:
            return False
        step *= view.shape[axis]
    return True
