"""Grouped convolution with few channels per group: the tiles of `depthwise`, which also sum over a group's channels.

Lanes are pixels, or with channels last the output channels of several groups, so a group of four channels fills a
vector as well as one of forty.  It also serves single groups of few input channels.
"""

from __future__ import annotations

from fastconv.backends.cython.conv import depthwise, lanes_last
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.problems.conv import ConvProblem

MOST_CHANNELS = 16  # of a group: with more, other kernels fill their lanes, too


class Grouped(depthwise.Depthwise):
    """Two to `MOST_CHANNELS` input channels per group."""

    algorithm = "grouped"
    row = "cython.conv.grouped"
    revision = 4

    def reject(self, problem: ConvProblem) -> str | None:
        if problem.not_forward:
            return problem.not_forward
        if (reason := native.reject_common(self.isa, problem.dtype)) is not None:
            return reason
        if not 2 <= problem.icg <= MOST_CHANNELS:
            return f"{problem.icg} input channels per group: 2 to {MOST_CHANNELS} only"
        if problem.layout == "NHWC" and lanes_last.too_far(problem, native.lanes(self.isa, problem.dtype.itemsize)):
            return "channels last, and far more input than output channels per group"
        return None


KERNELS = tuple(Grouped(isa) for isa in machine.ISAS)
