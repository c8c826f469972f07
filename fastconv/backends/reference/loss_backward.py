"""Gradients of softmax and losses by their definitions, one sample at a time in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.reference.base import Reference
from fastconv.core.kernel import Run
from fastconv.core.problems.loss import LossProblem
from fastconv.core.problems.softmax import SoftmaxProblem


def _softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max())
    return e / e.sum()


class ReferenceSoftmaxBackward(Reference):
    """The Jacobian of each vector, times the gradient."""

    def prepare(self, problem: SoftmaxProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        (x,) = constants

        @np.errstate(all="ignore")
        def run(dy: np.ndarray, out: np.ndarray) -> None:
            if not p.length:
                return
            for i in range(p.outer):
                for j in range(p.inner):
                    z, g = x[i, :, j].astype(np.float64), dy[i, :, j].astype(np.float64)
                    y = _softmax(-z if p.kind == "softmin" else z)
                    jacobian = np.diag(y) - np.outer(y, y)
                    if p.kind == "log_softmax":
                        jacobian = np.eye(p.length) - y
                    dx = (-jacobian if p.kind == "softmin" else jacobian).T @ g
                    dx[~np.isfinite(g)] = np.nan  # an infinity minus a part of itself
                    out[i, :, j] = dx

        return run


class ReferenceLossBackward(Reference):
    """One sample at a time."""

    def prepare(self, problem: LossProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        x, target, weight = constants
        scale = np.ones(p.c) if weight is None else weight.astype(np.float64)

        def sample(i: int, j: int) -> tuple[np.ndarray, np.ndarray, float]:
            """(gradient of x, gradient of the target, share in a mean's divisor)"""
            z = x[i, :, j].astype(np.float64)
            if p.probabilities:
                wanted, counted = target[i, :, j].astype(np.float64), 1.0
            elif target[i, j] == p.ignore_index:
                return np.zeros(p.c), np.zeros(p.c), 0.0
            else:
                wanted, counted = np.eye(p.c)[target[i, j]], float(scale[target[i, j]])
            share = (wanted * (1 - p.smoothing) + p.smoothing / p.c) * scale
            if not p.logits:
                return -share, np.zeros(p.c), counted
            logs = z - z.max() - np.log(np.exp(z - z.max()).sum())
            return _softmax(z) * share.sum() - share, -logs * scale * (1 - p.smoothing), counted

        @np.errstate(all="ignore")
        def run(dy: np.ndarray, out: np.ndarray) -> None:
            if not p.c:
                return
            total = 0.0
            for i in range(p.n):
                for j in range(p.inner):
                    dx, dtarget, counted = sample(i, j)
                    g = float(dy[i, j] if p.reduction == "none" else dy[0])
                    out[i, :, j] = (dtarget if p.direction == "target" else dx) * g
                    total += counted
            if p.reduction == "mean" and total:
                out /= total

        return run
