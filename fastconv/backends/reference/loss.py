"""Softmax and losses by their definitions, one sample at a time in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.reference.base import Reference, exact_dtype
from fastconv.core.kernel import Run
from fastconv.core.problems.loss import LossProblem
from fastconv.core.problems.softmax import SoftmaxProblem


def _log_softmax(z: np.ndarray) -> np.ndarray:
    if not z.size:
        return z
    z = z - z.real.max()  # the size of an exponential is that of its real part
    return z - np.log(np.exp(z).sum())


class ReferenceSoftmax(Reference):
    """One vector at a time."""

    def prepare(self, problem: SoftmaxProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem

        def run(x: np.ndarray, out: np.ndarray) -> None:
            with np.errstate(all="ignore"):
                for i in range(p.outer):
                    for j in range(p.inner):
                        z = x[i, :, j].astype(exact_dtype(p.dtype))
                        logs = _log_softmax(-z if p.kind == "softmin" else z)
                        out[i, :, j] = logs if p.kind == "log_softmax" else np.exp(logs)

        return run


class ReferenceLoss(Reference):
    """One sample at a time."""

    def prepare(self, problem: LossProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        target, weight = constants
        scale = np.ones(p.c) if weight is None else weight.astype(np.float64)

        def run(x: np.ndarray, out: np.ndarray) -> None:
            losses = np.zeros((p.n, p.inner))
            divisor = 0.0
            with np.errstate(all="ignore"):
                for i in range(p.n):
                    for j in range(p.inner):
                        z = x[i, :, j].astype(np.float64)
                        logs = _log_softmax(z) if p.logits else z
                        if p.probabilities:
                            wanted, counted = target[i, :, j].astype(np.float64), 1.0
                        elif target[i, j] == p.ignore_index:
                            continue
                        else:
                            wanted = np.zeros(p.c)
                            wanted[target[i, j]] = 1
                            counted = scale[target[i, j]]
                        wanted = wanted * (1 - p.smoothing) + (p.smoothing / p.c if p.smoothing else 0)
                        terms = logs * wanted * scale
                        if not p.probabilities:
                            terms = np.where(wanted == 0, 0, terms)  # -inf counts only where its probability is not 0
                        losses[i, j] = -terms.sum()
                        divisor += counted
                if p.reduction == "none":
                    out[...] = losses
                else:
                    out[...] = losses.sum() / np.float64(divisor) if p.reduction == "mean" else losses.sum()

        return run
