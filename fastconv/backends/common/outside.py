"""Zeros beside the input of a transposed convolution, for kernels that add windows of pixels and never read them.

By definition they take part in the sums: zero times an infinite or a NaN weight is NaN.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastconv.core.problems.conv import ConvProblem


def reads_outside(p: ConvProblem) -> bool:
    """Whether some result has taps beside the input."""
    axes = zip(p.input, p.kernel, p.stride, p.dilation, p.pads, p.output, strict=True)
    return not all(
        (k == 1 or (k <= s and d == 1)) and o + lo <= (e - 1) * s + k and lo >= 0 for e, k, s, d, (lo, _), o in axes
    )


def outside_input(p: ConvProblem, weights: np.ndarray) -> Iterator[tuple[Any, ...]]:
    """Indices of output channels and positions that multiply zeros outside the input by infinite or NaN weights."""
    finite = np.isfinite(weights).reshape(p.groups, p.icg, p.ocg, *p.kernel).all(1)
    for tap in np.argwhere(~finite.all((0, 1))).tolist():
        channels = np.flatnonzero(~finite[:, :, *tap])
        whole, sides = [], []
        for e, inside, (lo, _), t, d, s in zip(p.output, p.input, p.pads, tap, p.dilation, p.stride, strict=True):
            first, start = (t * d - lo) % s, t * d - lo  # of the outputs that the tap reaches: of all, of the input's
            whole.append(slice(first, e, s))
            sides.append((slice(first, max(start, 0), s), slice(max(start + inside * s, first), e, s)))
        for axis, ends in enumerate(sides):
            for end in ends:
                yield (slice(None), channels, *(end if i == axis else each for i, each in enumerate(whole)))
