"""Depthwise 1x1 convolution: each plane is multiplied by one weight.  The kernel of CONTRIBUTING's recipe.

Numeric policy: one rounding of the product and one of the sum with the bias.
"""

from __future__ import annotations

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.core.costs import Features
from fastconv.core.kernel import Bind, Specialised
from fastconv.core.problems.conv import ConvProblem


class Scale(Specialised[ConvProblem]):
    """1x1, one input and one output channel per group, NCHW."""

    backend = "cython"
    algorithm = "scale"
    row = "cython.conv.pointwise"  # its rates for a call and for bytes serve until there are some of its own

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.not_forward:
            return p.not_forward
        if p.taps != 1 or p.stride != (1, 1, 1) or any(pad != (0, 0) for pad in p.pads):
            return "not 1x1 with stride 1 and no padding"
        if p.groups != p.ic or p.groups != p.oc:
            return "not depthwise"
        if p.layout != "NCHW":
            return "layout NHWC: pixels must be contiguous"
        return native.reject_common(self.isa, p.dtype)

    def features(self, problem: ConvProblem) -> Features:
        return Features({"call": 1, "bytes": problem.bytes})

    def workspace(self, problem: ConvProblem) -> int:
        return 0

    def error(self, problem: ConvProblem) -> float:
        return float(np.finfo(problem.acc).eps)

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        p = problem
        prepared = native.compiled("conv._scale").Scale(native.table(self.isa, p.acc), p)
        threads = threads if p.flops > native.FLOPS_PER_THREAD else 1
        return native.binder(p, prepared, 0, threads, native.seconds(self, p), lambda weights: weights)


KERNELS = tuple(Scale(isa) for isa in machine.ISAS)
