"""Gradients of softmax and of losses on NumPy: the forward pass is computed again, block by block."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.numpy.elementwise.loss import class_weights, labels_of
from fastconv.backends.numpy.elementwise.softmax import block_elements, log_softmax, softmax, vector_blocks
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run
from fastconv.core.problems.loss import LossProblem
from fastconv.core.problems.softmax import SoftmaxProblem


class NumpySoftmaxBackward(Kernel[SoftmaxProblem]):
    """Probabilities again, then the gradient without its part along them."""

    backend = "numpy"
    algorithm = "blocks"
    row = "numpy.softmax_backward"

    def reject(self, problem: SoftmaxProblem) -> str | None:
        return None

    def features(self, problem: SoftmaxProblem) -> Features:
        return Features({"call": 1, "element": problem.outer * problem.length * problem.inner})

    def workspace(self, problem: SoftmaxProblem) -> int:
        p = problem
        return 5 * block_elements(p.outer, p.length, p.inner) * p.dtype.itemsize + (1 << 12)

    def error(self, problem: SoftmaxProblem) -> float:
        return float(np.finfo(problem.dtype).eps) * (8 + problem.length**0.5)

    def prepare(self, problem: SoftmaxProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        (x,) = constants
        sign = p.dtype.type(-1 if p.kind == "softmin" else 1)

        @np.errstate(all="ignore")
        def run(dy: np.ndarray, out: np.ndarray) -> None:
            for i, j in vector_blocks(p.outer, p.length, p.inner):
                g, y = dy[i, :, j] * sign, softmax(x[i, :, j] * sign)
                if p.kind == "log_softmax":
                    out[i, :, j] = g - y * g.sum(1, keepdims=True)
                else:
                    out[i, :, j] = y * (g - (g * y).sum(1, keepdims=True))

        return run


class NumpyLossBackward(Kernel[LossProblem]):
    """Each sample's loss is a sum of log-probabilities with coefficients: these give both gradients."""

    backend = "numpy"
    algorithm = "blocks"
    row = "numpy.loss_backward"

    def reject(self, problem: LossProblem) -> str | None:
        return None

    def features(self, problem: LossProblem) -> Features:
        return Features({"call": 1, "element": problem.n * problem.c * problem.inner})

    def workspace(self, problem: LossProblem) -> int:
        p = problem
        samples = block_elements(p.n, p.c, p.inner) // max(1, p.c)
        return (6 * samples * p.c + 2 * p.c) * p.dtype.itemsize + samples * 48 + (1 << 12)

    def error(self, problem: LossProblem) -> float:
        return float(np.finfo(problem.dtype).eps) * (8 + problem.c**0.5)

    def prepare(self, problem: LossProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        x, target, weight = constants
        scale = class_weights(p, weight, p.dtype)
        share = 1.0 / mean_divisor(p, target, scale) if p.reduction == "mean" else 1.0

        @np.errstate(all="ignore")
        def run(dy: np.ndarray, out: np.ndarray) -> None:
            if not p.c:
                return  # labels have no place
            for i, j in vector_blocks(p.n, p.c, p.inner):
                g = (dy[i, j] if p.reduction == "none" else dy.reshape(1, 1)) * p.dtype.type(share)
                part = x[i, :, j]
                if p.direction == "target":
                    out[i, :, j] = -log_softmax(part) * scale[:, None] * ((1 - p.smoothing) * g[:, None])
                    continue
                kept, wanted = coefficients(p, target[i, :, j] if p.probabilities else target[i, j], scale)
                if p.logits:
                    wanted = wanted - softmax(part) * wanted.sum(1, keepdims=True)
                gradient = -wanted * g[:, None]
                out[i, :, j] = gradient if kept is None else np.where(kept[:, None], gradient, 0)

        return run


def mean_divisor(p: LossProblem, target: np.ndarray, scale: np.ndarray) -> np.float64:
    """The divisor of a mean: the weights of the samples that count, or their number."""
    if p.probabilities:
        return np.float64(p.n * p.inner)
    total = 0.0
    for i, j in vector_blocks(p.n, 1, p.inner):
        part = target[i, j]
        total += float(scale[part[part != p.ignore_index]].sum(dtype=np.float64))
    return np.float64(total if total else np.inf)  # a mean over no samples has gradient 0


def coefficients(p: LossProblem, target: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """(samples that count, if not all do; what minus each log-probability is multiplied by in a sample's loss)."""
    spread = p.smoothing / p.c if p.smoothing else 0.0
    if p.probabilities:
        return None, (target.astype(p.dtype, copy=False) * (1 - p.smoothing) + p.dtype.type(spread)) * scale[:, None]
    kept, label = labels_of(p, target)
    wanted = np.full((target.shape[0], p.c, target.shape[1]), spread, p.dtype)
    np.put_along_axis(wanted, label[:, None], p.dtype.type(1 - p.smoothing + spread), 1)
    return kept, wanted * scale[:, None]


SOFTMAX = (NumpySoftmaxBackward(),)
LOSS = (NumpyLossBackward(),)
