"""Extrema of footprints by their definition: one result at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.reference.base import Reference
from fastconv.backends.reference.separable import stored
from fastconv.core.kernel import Run
from fastconv.core.problems.filter import numeric
from fastconv.core.problems.footprint import FootprintProblem
from fastconv.core.problems.separable import beyond


class ReferenceFootprint(Reference):
    """Elements as float64."""

    def prepare(self, problem: FootprintProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        offsets = np.stack(np.unravel_index(p.chosen, p.window), axis=1) - np.array(p.before)
        heights = p.signed(constants[0]) if p.heights else np.zeros(len(p.chosen))
        dtype = numeric(p.dtype)

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            given, made = x.reshape(p.shape), np.empty(p.shape, p.out)
            fill = stored(p.cval, dtype)
            for at in np.ndindex(p.shape):
                elements = []
                for i, (offset, height) in enumerate(zip(offsets, heights, strict=True)):
                    each = zip(at, offset, p.shape, strict=True)
                    places = [int(beyond(np.array(i + o), n, p.mode)) for i, o, n in each]
                    value = np.asarray(fill if min(places) < 0 else given[tuple(places)]).astype(dtype)
                    if i:
                        elements.append(float((value + np.array([stored(height, dtype)], dtype))[0]))
                    else:
                        elements.append(float(value) + height)
                made[at] = stored(float(np.min(elements) if p.join == "min" else np.max(elements)), p.out)
            out[...] = made.ravel()

        return run
