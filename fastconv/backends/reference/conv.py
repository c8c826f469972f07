"""Convolution by its definition: one loop over kernel taps, one gather per tap."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np

from fastconv.backends.reference.base import Reference, store, summing_dtype
from fastconv.core.kernel import Run
from fastconv.core.problems.base import source_of
from fastconv.core.problems.conv import ConvProblem, weight_operands


def gather(x: np.ndarray, index: tuple[np.ndarray, ...], fill: float) -> np.ndarray:
    """x[..., index_d, index_h, index_w] as an outer product of indices, `fill` where one is -1."""
    out = x[:, :, index[0]][:, :, :, index[1]][:, :, :, :, index[2]].copy()
    for axis, i in enumerate(index, start=2):
        outside = [slice(None)] * 5
        outside[axis] = np.flatnonzero(i < 0)  # type: ignore[call-overload]
        out[tuple(outside)] = fill
    return out


class ReferenceConv(Reference):
    """Convolution, transposed convolution and weight gradients by their definitions, one tap at a time."""

    def prepare(self, problem: ConvProblem, constants: tuple[Any, ...], threads: int) -> Run:
        if problem.weights_wanted:
            return self._prepare_weight(problem, constants[0])
        p, (w, bias) = problem, constants
        wide = summing_dtype(p.acc)
        if wide.kind == "O":
            p = replace(p, fill=int(p.fill))
        w = w.astype(wide)
        add_tap = _reversed_tap if p.direction == "transposed" else _gather_tap

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            y = np.zeros(p.y_shape, wide)
            xw = x.astype(wide)
            for tap in itertools.product(*map(range, p.kernel)):
                add_tap(p, y, xw, w, tap)
            if bias is not None:
                y += bias.astype(wide)[:, None, None, None]
            store(y, out)

        return run

    @staticmethod
    def _prepare_weight(p: ConvProblem, fixed: np.ndarray) -> Run:
        @np.errstate(all="ignore")
        def run(changing: np.ndarray, out: np.ndarray) -> None:
            x, y = (a.astype(np.float64) for a in weight_operands(p, changing, fixed))
            taps: Any = itertools.product(*map(range, p.kernel))
            for tap in taps:
                for g in range(p.groups):
                    xs = gather(x[:, g * p.icg : (g + 1) * p.icg], _sources(p, tap, p.input, p.output), p.fill)
                    ys = y[:, g * p.ocg : (g + 1) * p.ocg]
                    out[g * p.ocg : (g + 1) * p.ocg, :, *tap] = np.einsum("ncdhw,nkdhw->kc", xs, ys)

        return run


def _sources(
    p: ConvProblem, tap: Any, inside: tuple[int, ...], count: tuple[int, ...]
) -> tuple[np.ndarray, ...]:
    """Per axis, which of `inside` positions `tap` reads for each of `count` windows; -1 for the fill value."""
    return tuple(
        source_of(t * d - lo + s * np.arange(o), e, p.mode)
        for e, (lo, _), t, d, s, o in zip(inside, p.pads, tap, p.dilation, p.stride, count, strict=True)
    )


def _gather_tap(p: ConvProblem, y: np.ndarray, x: np.ndarray, w: np.ndarray, tap: Any) -> None:
    """Forward: every output reads its input."""
    for g in range(p.groups):
        xs = gather(x[:, g * p.icg : (g + 1) * p.icg], _sources(p, tap, p.input, p.output), p.fill)
        ws = w[g * p.ocg : (g + 1) * p.ocg, :, *tap]
        y[:, g * p.ocg : (g + 1) * p.ocg] += np.einsum("nc...,kc->nk...", xs, ws)


def _reversed_tap(p: ConvProblem, y: np.ndarray, x: np.ndarray, w: np.ndarray, tap: Any) -> None:
    """Transposed: every output on which `tap` lands reads the input position that it belongs to, zeros outside."""
    targets, sources = [], []
    for e, inside, (lo, hi), t, d, s in zip(p.output, p.input, p.pads, tap, p.dilation, p.stride, strict=True):
        at = np.arange(e) if p.mode == "zeros" else np.arange(-lo, e + hi)
        at = at[(at + lo - t * d) % s == 0]
        targets.append(source_of(at, e, p.mode))
        sources.append(source_of((at + lo - t * d) // s, inside, "zeros"))
    every: Any = slice(None)
    for g in range(p.groups):
        xs = gather(x[:, g * p.icg : (g + 1) * p.icg], tuple(sources), 0.0)
        landed = np.einsum("nc...,ck->nk...", xs, w[g * p.icg : (g + 1) * p.icg, :, *tap])
        np.add.at(y[:, g * p.ocg : (g + 1) * p.ocg], (every, every, *np.ix_(*targets)), landed)
