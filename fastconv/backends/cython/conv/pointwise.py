"""1x1 convolution with pixels in lanes: the kernel objects and their block sizes.

Register tile: MR output channels x 2 vectors of pixels; the image is read in place.
"""

from __future__ import annotations

import math

import numpy as np

from fastconv.backends.cython.conv import images
from fastconv.backends.cython.runtime import native
from fastconv.backends.cython.runtime.dtypes import DType
from fastconv.core import machine
from fastconv.core.costs import Counts, Features
from fastconv.core.kernel import Bind, Specialised, summation_error
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import block_bytes, traffic

# Of all channels of a block: they stay in the L2 cache for every output channel.
PIXELS = "cython.conv.pointwise/pixels"
L1_BYTES, LINE, SETS, WAYS = 32 << 10, 64, 64, 8


class Pointwise(Specialised[ConvProblem]):
    """1x1, stride 1, no padding, NCHW."""

    backend = "cython"
    algorithm = "pointwise"
    row = "cython.conv.pointwise"
    activations = frozenset({"relu"})
    types: DType | None = None  # of its table, where elements are not those of sums

    def __init__(self, isa: str) -> None:
        self.isa = isa

    def reject(self, problem: ConvProblem) -> str | None:
        p = problem
        if p.not_pointwise:
            return p.not_pointwise
        if p.layout != "NCHW":
            return "layout NHWC: pixels must be contiguous"
        return native.reject_common(self.isa, p.dtype)

    def features(self, problem: ConvProblem) -> Features:
        p, size = problem, problem.acc.itemsize
        mr, _ = native.tile(self.isa, size)
        lanes = native.used_lanes(self.isa, size, p.pixels)
        tiles = ceil_div(max(p.ocg, 1), mr)
        used = p.pixels / lanes * min(1.0, p.ocg / tiles / (6 if self.isa == "avx512" else 4))
        multiply = "multiply" if self._stays(p) else "multiply_streamed"
        alone = Features({
            "call": 1,
            multiply: p.flops * size / 4 / max(used, 1e-3),
            **self._tiles(p),
            **traffic(p.bytes),
            **native.packing(p),
        })
        return images.better(p, self.isa, alone.of(self.rates)) if self.types is None else alone

    def _tiles(self, p: ConvProblem) -> Counts:
        """Counts of register tiles, or of what images narrower than one need: copies of pixels, and of results."""
        mr, nr = native.tile(self.isa, p.acc.itemsize)
        groups = p.n * p.groups
        if p.pixels < nr:
            return {"narrow": groups, "narrow_channel": groups * p.icg, "narrow_row": groups * p.ocg}
        return {"tile": groups * ceil_div(p.ocg, mr) * ceil_div(p.pixels, nr)}

    def _stays(self, p: ConvProblem) -> bool:
        """Whether everything that a tile reads fits the L1 cache, where channels may map to few sets."""
        size = p.acc.itemsize
        mr, nr = native.tile(self.isa, size)
        lines = max(1, p.pixels * size // LINE)  # from one channel to the next
        room = SETS // math.gcd(lines, SETS) * WAYS * LINE
        return p.icg * (mr + nr) * size <= L1_BYTES and p.icg * nr * size <= room

    def _block(self, p: ConvProblem, threads: int) -> int:
        size = p.acc.itemsize
        nr = native.tile(self.isa, size)[1]
        panels = ceil_div(max(p.pixels, 1), nr)
        fit = max(1, block_bytes(PIXELS) // (max(p.icg, 1) * nr * size))
        if threads > 1:
            fit = min(fit, max(1, panels * p.n * p.groups // (4 * threads)))
        return min(fit, panels) * nr

    def _scratch(self, p: ConvProblem) -> int:
        mr, nr = native.tile(self.isa, p.acc.itemsize)
        return (mr * nr + p.icg * nr) * p.acc.itemsize

    def workspace(self, problem: ConvProblem) -> int:
        return images.lanes_bytes(problem, self.isa) if self._side_by_side(problem) else self._scratch(problem)

    def _side_by_side(self, p: ConvProblem) -> bool:
        return self.types is None and images.faster(p, self.isa, native.seconds(self, p))

    def error(self, problem: ConvProblem) -> float:
        return summation_error(float(np.finfo(problem.acc).eps), problem.depth)

    def specialise(self, problem: ConvProblem, threads: int) -> Bind:
        _pointwise = native.compiled("conv._pointwise")
        p = problem
        threads = threads if p.flops > native.FLOPS_PER_THREAD else 1
        if self._side_by_side(p):
            return images.specialise(p, self.isa, threads, [0, p.icg])
        table = native.table(self.isa, self.types or p.acc)
        prepared = _pointwise.Pointwise(table, p, self._block(p, threads))
        pack = native.Packer(self.isa, p, lanes=False)
        return native.binder(p, prepared, self._scratch(p), threads, native.seconds(self, p), pack)


KERNELS = tuple(Pointwise(isa) for isa in machine.ISAS)
