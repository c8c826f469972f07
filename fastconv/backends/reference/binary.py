"""Binary erosion and dilation by their definition: one result at a time."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np

from fastconv.backends.reference.base import Reference
from fastconv.core.kernel import Run
from fastconv.core.problems.binary import BinaryProblem


class ReferenceBinary(Reference):
    """As bools."""

    def error(self, problem: BinaryProblem) -> float:
        return 0.0

    def prepare(self, problem: BinaryProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        offsets = (p.window.offsets() - np.array(p.window.before, np.intp)).tolist()
        join, border = all if p.join == "min" else any, bool(p.window.cval)
        mask = constants[0].reshape(p.shape) if p.masked else np.ones(p.shape, bool)

        def once(x: np.ndarray) -> np.ndarray:
            made = x.copy()
            for at in np.ndindex(p.shape):
                places = [tuple(i + o for i, o in zip(at, offset, strict=True)) for offset in offsets]
                inside = [all(0 <= i < n for i, n in zip(place, p.shape, strict=True)) for place in places]
                if mask[at]:
                    made[at] = join(bool(x[q]) if there else border for q, there in zip(places, inside, strict=True))
            return made

        def run(x: np.ndarray, out: np.ndarray) -> None:
            made = x.reshape(p.shape).view(np.uint8) != 0
            for i in count(1):
                before, made = made, once(made)
                if i == p.iterations or (p.iterations == 0 and np.array_equal(before, made)):
                    break
            out[...] = made.ravel()

        return run
