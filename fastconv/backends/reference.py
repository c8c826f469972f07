"""Slow and right: every operation as its definition reads, in float64 or exact integers.

The oracle of the tests, and the last kernel in every registry tuple.  Clear before fast: one
loop over kernel taps, one gather per tap, nothing blocked, nothing packed.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from fastconv.core.kernel import Kernel, Run
from fastconv.core.machine import Machine
from fastconv.core.problems.base import source_of
from fastconv.core.problems.conv import ConvProblem

SECONDS_PER_PRODUCT = 1e-8


def exact_dtype(dtype: np.dtype) -> np.dtype:
    """The widest type of the kind of `dtype`: float64, complex128, int64 or uint64."""
    return np.dtype({"c": np.complex128, "i": np.int64, "u": np.uint64}.get(dtype.kind, np.float64))


class Reference(Kernel[Any]):
    """What the reference kernels share: they take everything and cost a lot."""

    backend = "reference"
    algorithm = "definition"

    def reject(self, problem: Any) -> str | None:
        return None

    def cost(self, problem: Any, machine: Machine) -> float:
        return 1e-3 + problem.flops * SECONDS_PER_PRODUCT

    def workspace(self, problem: Any) -> int:
        return 0

    def error(self, problem: Any) -> float:
        return float(np.finfo(np.float32).eps) if problem.results[0][1].itemsize <= 4 else 1e-15


def gather(x: np.ndarray, index: tuple[np.ndarray, ...], fill: float) -> np.ndarray:
    """x[..., index_d, index_h, index_w] as an outer product of indices, `fill` where one is -1."""
    out = x[:, :, index[0]][:, :, :, index[1]][:, :, :, :, index[2]].copy()
    for axis, i in enumerate(index, start=2):
        outside = [slice(None)] * 5
        outside[axis] = np.flatnonzero(i < 0)  # type: ignore[call-overload]
        out[tuple(outside)] = fill
    return out


class Conv(Reference):
    """Convolution by its definition, one tap at a time."""

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        w, bias = constants
        wide = exact_dtype(p.acc)
        w = w.astype(wide)
        transposed = p.direction == "transposed"

        def run(x: np.ndarray, out: np.ndarray) -> None:
            y = np.zeros(p.y_shape, wide)
            xw = x.astype(wide)
            for tap in itertools.product(*map(range, p.kernel)):
                if transposed:
                    scatter(y, xw, tap)
                else:
                    for g in range(p.groups):
                        xs = gather(xw[:, g * p.icg : (g + 1) * p.icg], taken(tap), p.fill)
                        ws = w[g * p.ocg : (g + 1) * p.ocg, :, *tap]
                        y[:, g * p.ocg : (g + 1) * p.ocg] += np.einsum("nc...,kc->nk...", xs, ws)
            if bias is not None:
                y += bias.astype(wide)[:, None, None, None]
            with np.errstate(over="ignore"):
                out[...] = y.astype(p.out)

        def taken(tap: tuple[int, ...]) -> tuple[np.ndarray, ...]:
            return tuple(
                source_of(t * d - lo + s * np.arange(o), e, p.mode)
                for e, (lo, _), t, d, s, o in zip(p.input, p.pads, tap, p.dilation, p.stride, p.output, strict=True)
            )

        def scatter(y: np.ndarray, xw: np.ndarray, tap: tuple[int, ...]) -> None:
            where, what = [], []
            for e, (lo, _), t, d, s, o in zip(p.input, p.pads, tap, p.dilation, p.stride, p.output, strict=True):
                at = np.arange(e) * s - lo + t * d
                inside = np.flatnonzero((at >= 0) & (at < o))
                where.append(at[inside])
                what.append(inside)
            for g in range(p.groups):
                xs = xw[:, g * p.icg : (g + 1) * p.icg]
                ws = w[g * p.icg : (g + 1) * p.icg, :, *tap]
                every = slice(None)
                source: tuple[Any, ...] = (every, every, *np.ix_(*what))
                target: tuple[Any, ...] = (every, every, *np.ix_(*where))
                y[:, g * p.ocg : (g + 1) * p.ocg][target] += np.einsum("nc...,ck->nk...", xs[source], ws)

        return run
