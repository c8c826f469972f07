"""Many small images side by side in lanes: what kernels of convolution do with a batch of them.

An image of a few pixels fills no tile, and everything that is done once for an image takes longer than its products.
Of NR images at a time, each is a lane: a tile has the same pixel of all of them, whatever the shape of the image, and
positions are looked up once.  Only transposing the images, and their results, is done for each.

It is no kernel of its own.  Sums have the order, and the parts, of the kernel that uses it, so that the bits of an
image do not depend on the batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.base import source_of
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes, host_table, l3_bytes, traffic

ROW = "cython.conv.images"
ARRAYS = f"{ROW}/arrays"  # of the images of an item and their results: they stay in the L2 cache
TABLE_ENTRIES = 1 << 16


def lanes_bytes(p: ConvProblem, isa: str) -> int:
    size = p.acc.itemsize
    d, h, w = p.input
    return (p.ic * d * h * w + p.oc * p.pixels + 1) * native.tile(isa, size)[1] * size


def suited(p: ConvProblem, isa: str) -> bool:
    """Whether there are several images, small enough."""
    small = p.pixels * p.taps <= TABLE_ENTRIES and 0 not in (p.icg, p.ocg)
    return p.n > 1 and small and lanes_bytes(p, isa) <= block_bytes(ARRAYS)


def counts(p: ConvProblem, isa: str) -> Features:
    """What is done for the whole batch."""
    size = p.acc.itemsize
    mr, nr = native.tile(isa, size)
    blocks, tiles = ceil_div(p.n, nr), p.groups * ceil_div(p.ocg, mr)
    rows = max(p.oc, 4 * tiles)  # fewer sums wait for each other
    d, h, w = p.input
    return Features({
        "call": 1,
        "tile": blocks * tiles * p.pixels,
        "multiply": blocks * p.pixels * p.depth * rows * 2 * nr * size / 4,
        "move": blocks * nr * (p.ic * d * h * w + p.oc * p.pixels) * size / 4,
        **traffic(p.bytes),
        **native.packing(p),
    }).of(f"{ROW}@{isa}")


def lanes_seconds(p: ConvProblem, isa: str) -> float:
    """Predicted time of the whole batch on one thread."""
    return host_table().seconds(counts(p, isa))


def better(p: ConvProblem, isa: str, alone: Features) -> Features:
    """What a kernel does: `alone`, image by image, or all side by side, if that takes less time."""
    if not suited(p, isa) or host_table().seconds(alone) < lanes_seconds(p, isa):
        return alone
    return counts(p, isa)


def faster(p: ConvProblem, isa: str, chosen: float) -> bool:
    """Whether images are processed side by side by a kernel that takes `chosen` seconds, the less of both."""
    return suited(p, isa) and lanes_seconds(p, isa) <= chosen


def positions_read(p: ConvProblem) -> np.ndarray:
    """(output pixels, taps): the input position of every tap of every output, -1 in the padding."""
    axes = []
    for e, k, s, d, (lo, _), o in zip(p.input, p.kernel, p.stride, p.dilation, p.pads, p.output, strict=True):
        axes.append(source_of(np.arange(o)[:, None] * s + np.arange(k) * d - lo, e, p.mode))
    (_, height, width), (planes, rows, cols) = p.input, axes
    planes, rows, cols = planes[:, None, None, :, None, None], rows[:, None, None, :, None], cols[:, None, None, :]
    inside = (planes >= 0) & (rows >= 0) & (cols >= 0)
    at = np.where(inside, (planes * height + rows) * width + cols, -1)
    return np.ascontiguousarray(at.reshape(p.pixels, p.taps), np.intp)


def specialise(p: ConvProblem, isa: str, threads: int, parts: Sequence[int], bias_first: bool = False) -> Bind:
    """Runs of `p` on images side by side.

    `parts`: first channels of the parts of a sum, and the number of channels; `bias_first`: whether a sum, of one part,
    starts at the bias.
    """
    _images = native.compiled("conv._images")
    table = native.table(isa, p.acc)
    far = p.bytes > l3_bytes() / 8  # others use that cache, too
    prepared = _images.Images(table, p, positions_read(p), np.array(parts, np.intp), bias_first, far)
    threads = threads if p.flops > native.FLOPS_PER_THREAD else 1
    pack = native.Packer(isa, p, lanes=False)
    return native.binder(p, prepared, lanes_bytes(p, isa), threads, lanes_seconds(p, isa), pack)
