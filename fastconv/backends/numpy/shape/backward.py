"""The gradient of padding on NumPy: the middle as a copy, each part of the border added at its source."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fastconv.backends.numpy.shape.runs import boxes
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, summation_error
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.shape import PadProblem

BLOCK = 1 << 16  # elements of x
OBJECT_BYTES = 1 << 9  # of the views and slices of one such call


class NumpyPadBackward(Kernel[PadProblem]):
    """Blocks of leading rows; within one, the adjoints of the copies of `runs`."""

    backend = "numpy"
    algorithm = "slices"
    row = "numpy.pad_backward"

    def reject(self, problem: PadProblem) -> str | None:
        return None

    def _rows(self, p: PadProblem) -> int:
        return max(1, min(p.n, BLOCK // max(1, prod(p.input))))

    def features(self, problem: PadProblem) -> Features:
        p = problem
        calls = ceil_div(p.n, self._rows(p)) * (1 if p.mode == "constant" else 3 ** len(p.pads))
        return Features({"call": calls, "bytes": 2 * p.bytes})

    def workspace(self, problem: PadProblem) -> int:
        """A border of equal elements is summed before it is added: to at most one face of the input."""
        p = problem
        face = prod(p.input) // max(1, min(p.input, default=1)) if p.mode == "replicate" else 0
        return self._rows(p) * face * p.dtype.itemsize + OBJECT_BYTES * 3 ** min(len(p.pads), 3) + np.getbufsize() * 16

    def error(self, problem: PadProblem) -> float:
        p = problem
        if p.mode == "constant":
            return 0.0
        return summation_error(float(np.finfo(p.dtype).eps), prod(1 + max(lo, 0) + max(hi, 0) for lo, hi in p.pads))

    def prepare(self, problem: PadProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        steps = []
        for box in boxes(p):
            repeated = tuple(
                axis
                for axis, r in enumerate(box, start=1)
                if r.inp.step is None and r.inp.stop - r.inp.start < r.out.stop - r.out.start
            )
            steps.append((tuple(r.out for r in box), tuple(r.inp for r in box), repeated))
        whole = (slice(None), *(slice(0, e) for e in p.input))
        copied = bool(steps) and (slice(None), *steps[0][1]) == whole
        rows = self._rows(p)

        @np.errstate(all="ignore")
        def run(dy: np.ndarray, out: np.ndarray) -> None:
            for n in range(0, p.n, rows):
                given, target = dy[n : n + rows], out[n : n + rows]
                if not copied:
                    target[...] = np.zeros((), p.dtype)
                for i, (of, to, repeated) in enumerate(steps):
                    part = given[:, *of]
                    if repeated:
                        part = np.add.reduce(part, repeated, keepdims=True)
                    if copied and i == 0:
                        target[:, *to] = part
                    else:
                        target[:, *to] += part

        return run


PADS = (NumpyPadBackward(),)
