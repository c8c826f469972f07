"""Grouped convolution with few channels per group: the tiles of `depthwise`, which also sum over a group's channels.

Lanes are pixels, so a group of four channels fills a vector as well as one of forty.  It also serves single groups of
few input channels.
"""

from __future__ import annotations

from fastconv.backends.cython.conv import depthwise
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.problems.conv import ConvProblem

MOST_CHANNELS = 16  # of a group: with more, other kernels fill their lanes, too


class Grouped(depthwise.Depthwise):
    """Two to `MOST_CHANNELS` input channels per group, NCHW."""

    algorithm = "grouped"
    row = "cython.conv.grouped"
    revision = 1

    def reject(self, problem: ConvProblem) -> str | None:
        if problem.not_forward:
            return problem.not_forward
        if (reason := native.reject_common(self.isa, problem.dtype)) is not None:
            return reason
        if not 2 <= problem.icg <= MOST_CHANNELS:
            return f"{problem.icg} input channels per group: 2 to {MOST_CHANNELS} only"
        return None if problem.layout == "NCHW" else f"layout {problem.layout}: NCHW only"


KERNELS = tuple(Grouped(isa) for isa in machine.ISAS)
