"""Interleave the results of phases to images, on several threads: an `Interleaver` for `common.phases`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fastconv.backends.common.cuts import image_bytes
from fastconv.backends.common.phases import ByPhases, Join, phase_counts
from fastconv.backends.cython.runtime import native
from fastconv.core.costs import Counts, Features
from fastconv.core.problems.conv import ConvProblem
from fastconv.machines import host_table

SHARED_BYTES = 128 << 10  # less does not justify waking a thread


@dataclass(frozen=True, slots=True)
class Interleave:
    """For floats of the widths that this backend supports."""

    isa: str

    def features(self, p: ConvProblem) -> Counts:
        # Phases are read from the L2 or L3 cache, and results are written to memory.
        return {"bytes": p.n * image_bytes(p)}

    def prepare(self, p: ConvProblem, images: int, threads: int) -> Join:
        _interleave = native.compiled("conv._interleave")
        last = p.layout == "NHWC"
        items = images * p.output[0] * (p.output[1] if last else p.oc)
        counted = Features(self.features(replace(p, n=images))).of(f"{ByPhases.row}@{self.isa}")
        seconds = host_table().seconds(counted)
        workers = threads if images * image_bytes(p) > SHARED_BYTES else 1
        prepared = _interleave.Interleave(native.table(self.isa, p.out), phase_counts(p), last, items)
        native.schedule(prepared, prepared.scratch_bytes(), workers, seconds)
        return prepared.join
