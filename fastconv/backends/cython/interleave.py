"""Interleave the results of phases to images, on several threads: an `Interleaver` for `fastconv.backends.phases`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fastconv.backends.cuts import image_bytes
from fastconv.backends.cython import native
from fastconv.backends.phases import Join, phase_counts
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
        _interleave = native.compiled("_interleave")
        counts = phase_counts(p)
        last = p.layout == "NHWC"
        items = images * p.output[0] * (p.output[1] if last else p.oc)
        seconds = self.seconds(replace(p, n=images), native.machine.host())
        workers = threads if images * image_bytes(p) > SHARED_BYTES else 1
        each = native.in_slices(items, _interleave.scratch_bytes(counts), workers, seconds)
        table = native.table(self.isa, p.out.itemsize)

        def join(parts: Sequence[np.ndarray], out: np.ndarray) -> None:
            n, c, d, h, _ = out.shape
            there = n * d * (h if last else c)  # the last block of an image may be smaller
            each(
                lambda buf, step, lo, hi, workers: _interleave.interleave(
                    table, parts, counts, out, last, buf, step, min(lo, there), min(hi, there), workers
                )
            )

        return join
