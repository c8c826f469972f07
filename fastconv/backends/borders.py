"""Gradients through padding that takes its values from the input: reflect, replicate, circular, symmetric.

The gradient of the padded volume is made first, by the kernel that serves padding with zeros; then each slab of
the border is added to the slab that it was copied from, one axis after the other, so that edges and corners
find their way too.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastconv.core.problems.base import source_index
from fastconv.core.problems.conv import ConvProblem


def padded_problem(p: ConvProblem) -> ConvProblem:
    """For one image of a ``transposed`` problem: the one whose result is the gradient of the padded volume."""
    d, h, w = (lo + e + hi for e, (lo, hi) in zip(p.output, p.pads, strict=True))
    return replace(p, n=min(p.n, 1), mode="zeros", pads=((0, 0),) * 3, output=(d, h, w))


def fold_border(volume: np.ndarray, p: ConvProblem) -> np.ndarray:
    """The middle of `volume`, (1, c, d, h, w) with padding, after its border is added to it; works in place."""
    for axis, (extent, (lo, hi)) in enumerate(zip(p.output, p.pads, strict=True), start=2):
        slabs = np.moveaxis(volume, axis, 0)
        source = source_index(extent, lo, hi, p.mode)
        for j in (*range(lo), *range(lo + extent, lo + extent + hi)):
            slabs[lo + source[j]] += slabs[j]
    d, h, w = (slice(lo, lo + e) for e, (lo, _) in zip(p.output, p.pads, strict=True))
    return volume[:, :, d, h, w]
