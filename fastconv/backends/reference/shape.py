"""Padding and windows by their definitions: one element, or one tap of one window, at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.reference.base import Reference, exact_dtype
from fastconv.core.kernel import Run
from fastconv.core.problems.shape import FoldProblem, PadProblem, pad_source


class ReferencePad(Reference):
    """Every output reads its source."""

    def error(self, problem: PadProblem) -> float:
        return 0.0

    def prepare(self, problem: PadProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        tables = [pad_source(e, lo, hi, p.mode) for e, (lo, hi) in zip(p.input, p.pads, strict=True)]

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            for at in np.ndindex(p.output):
                source: Any = (slice(None), *(int(table[i]) for i, table in zip(at, tables, strict=True)))
                out[:, *at] = np.asarray(p.value).astype(p.dtype) if -1 in source[1:] else x[source]

        return run


class ReferenceFold(Reference):
    """A loop over windows and taps."""

    def error(self, problem: FoldProblem) -> float:
        return 0.0 if problem.kind == "unfold" else float(np.finfo(np.float32).eps)

    def prepare(self, problem: FoldProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            wide = exact_dtype(p.dtype) if p.dtype.kind != "b" else p.dtype
            result = np.zeros(p.y_shape, wide)
            for tap in np.ndindex(p.kernel):
                for window in np.ndindex(p.windows):
                    pixel = [
                        o * s + t * d - pad
                        for o, s, t, d, pad in zip(window, p.stride, tap, p.dilation, p.padding, strict=True)
                    ]
                    if not all(0 <= i < e for i, e in zip(pixel, p.image, strict=True)):
                        continue
                    if p.kind == "unfold":
                        result[:, :, *tap, *window] = x[:, :, *pixel]
                    else:
                        result[:, :, *pixel] += x[:, :, *tap, *window].astype(wide)
            out[...] = result.astype(p.dtype)

        return run
