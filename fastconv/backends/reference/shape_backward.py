"""The gradient of padding by its definition: the gradient of every element is added at its source."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.reference.base import Reference
from fastconv.core.kernel import Run
from fastconv.core.problems.shape import PadProblem, pad_source


class ReferencePadBackward(Reference):
    """A loop over the positions of the result."""

    def prepare(self, problem: PadProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        tables = [pad_source(e, lo, hi, p.mode) for e, (lo, hi) in zip(p.input, p.pads, strict=True)]

        @np.errstate(all="ignore")
        def run(dy: np.ndarray, out: np.ndarray) -> None:
            dx = np.zeros(p.x_shape)
            for at in np.ndindex(p.output):
                source: Any = tuple(int(table[i]) for i, table in zip(at, tables, strict=True))
                if -1 not in source:
                    dx[:, *source] += dy[:, *at]
            out[...] = dx.astype(p.dtype)

        return run
