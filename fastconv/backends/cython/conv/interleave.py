"""Interleave the results of phases to images, on several threads: an `Interleaver` for `common.phases`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fastconv.backends.common.cuts import image_bytes
from fastconv.backends.common.phases import Join, phase_counts
from fastconv.backends.cython.runtime import native
from fastconv.core.machine import Machine
from fastconv.core.problems.conv import ConvProblem

SHARED_BYTES = 128 << 10  # less does not justify waking a thread


@dataclass(frozen=True, slots=True)
class Interleave:
    """For floats of the widths that this backend supports."""

    isa: str

    def seconds(self, p: ConvProblem, machine: Machine) -> float:
        # Phases are read from the L2 or L3 cache, and results are written to memory.
        return p.n * image_bytes(p) / machine.bandwidth

    def prepare(self, p: ConvProblem, images: int, threads: int) -> Join:
        _interleave = native.compiled("conv._interleave")
        last = p.layout == "NHWC"
        items = images * p.output[0] * (p.output[1] if last else p.oc)
        seconds = self.seconds(replace(p, n=images), native.machine.host())
        workers = threads if images * image_bytes(p) > SHARED_BYTES else 1
        prepared = _interleave.Interleave(native.table(self.isa, p.out.itemsize), phase_counts(p), last, items)
        native.schedule(prepared, prepared.scratch_bytes(), workers, seconds)
        return prepared.join
