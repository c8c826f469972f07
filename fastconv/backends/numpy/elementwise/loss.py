"""Losses on NumPy: log-softmax, selection, weights, sum, for a block of samples at a time.

Totals are float64, so that a long mean in float32 loses no accuracy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastconv.backends.numpy.elementwise.activation import BLOCK, row_blocks
from fastconv.backends.numpy.elementwise.softmax import (
    LONG,
    block_elements,
    exponential_sum,
    log_softmax,
    vector_blocks,
)
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, rounding
from fastconv.core.numbers import slices
from fastconv.core.problems.base import is_half, work_dtype
from fastconv.core.problems.loss import Losses, LossProblem, write_losses


def loss_error(problem: LossProblem) -> float:
    if is_half(problem.dtype):
        return rounding(problem.dtype)
    return float(np.finfo(problem.dtype).eps) * (4 + problem.c**0.5)


def class_weights(p: LossProblem, weight: np.ndarray | None, dtype: np.dtype) -> np.ndarray:
    """The weight of each class; where all are 1, they take no memory."""
    return np.broadcast_to(np.ones((), dtype), (p.c,)) if weight is None else weight.astype(dtype)


def labels_of(p: LossProblem, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(samples that count, class of each sample): class 0 for those that do not count."""
    kept = target != p.ignore_index
    return kept, np.where(kept, target, 0)


class NumpyLoss(Kernel[LossProblem]):
    """Cross-entropy and negative log-likelihood."""

    backend = "numpy"
    algorithm = "blocks"
    row = "numpy.loss.blocks"

    def reject(self, problem: LossProblem) -> str | None:
        return None

    def features(self, problem: LossProblem) -> Features:
        return Features({"call": 1, "element": problem.n * problem.c * problem.inner})

    def workspace(self, problem: LossProblem) -> int:
        p = problem
        samples = block_elements(p.n, p.c, p.inner) // max(1, p.c)
        elements = 5 * LONG if p.c > LONG else 4 * samples * p.c
        return (elements + p.c * p.weighted) * max(4, p.dtype.itemsize) + samples * 48 + (1 << 12)

    def error(self, problem: LossProblem) -> float:
        return loss_error(problem)

    def prepare(self, problem: LossProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        target, weight = constants
        work = work_dtype(p.dtype)
        scale = class_weights(p, weight, work)
        per_sample = against_probabilities if p.probabilities else against_indices

        def losses(x: np.ndarray) -> Iterator[Losses]:
            for i, j in vector_blocks(p.n, p.c, p.inner):
                wanted = target[i, :, j] if p.probabilities else target[i, j]
                if p.c > LONG:
                    yield (i, j), *long_sample(p, x[i, :, j], wanted, scale, work)
                else:
                    part = x[i, :, j].astype(work, copy=False)
                    yield (i, j), *per_sample(p, log_softmax(part) if p.logits else part, wanted, scale)

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            write_losses(p, losses(x), out)

        return run


def against_indices(
    p: LossProblem, logs: np.ndarray, target: np.ndarray, scale: np.ndarray
) -> tuple[np.ndarray, float]:
    """Loss of each sample, and the sum of weights that a mean divides by."""
    kept, label = labels_of(p, target)
    weight = np.where(kept, scale[label] if p.c else 0, 0)
    picked = np.take_along_axis(logs, label[:, None], 1)[:, 0] if p.c else np.zeros(label.shape, logs.dtype)
    loss = np.where(kept, -weight * picked, 0)
    if p.smoothing:
        spread = np.where(kept, -(logs * scale[:, None]).sum(1), 0)
        loss = (1 - p.smoothing) * loss + p.smoothing / p.c * spread
    return loss, float(weight.sum(dtype=np.float64))


def against_probabilities(
    p: LossProblem, logs: np.ndarray, target: np.ndarray, scale: np.ndarray
) -> tuple[np.ndarray, float]:
    """The same for class probabilities: a mean divides by the number of samples."""
    wanted = target.astype(logs.dtype, copy=False)
    if p.smoothing:
        wanted = wanted * (1 - p.smoothing) + p.smoothing / p.c
    return -(logs * wanted * scale[:, None]).sum(1), float(logs.shape[0] * logs.shape[2])


def long_sample(
    p: LossProblem, x: np.ndarray, target: np.ndarray, scale: np.ndarray, work: np.dtype
) -> tuple[np.ndarray, float]:
    """The same for one sample of many classes, in pieces."""

    def part(piece: slice) -> np.ndarray:
        return x[:, piece].astype(work, copy=False)

    top, total = exponential_sum(part, p.c) if p.logits else (work.type(0), work.type(1))

    def logs(piece: slice) -> np.ndarray:
        return part(piece) - top - np.log(total) if p.logits else part(piece)

    if p.probabilities:
        losses = [against_probabilities(p, logs(at), target[:, at], scale[at])[0] for at in slices(p.c, LONG)]
        return np.sum(losses, 0), 1.0
    label = int(target[0, 0])
    if label == p.ignore_index:
        return np.zeros((1, 1), work), 0.0
    loss = -scale[label] * logs(slice(label, label + 1))[:, 0]
    if p.smoothing:
        spread = -np.sum([(logs(piece) * scale[piece, None]).sum(1) for piece in slices(p.c, LONG)], 0)
        loss = (1 - p.smoothing) * loss + p.smoothing / p.c * spread
    return loss, float(scale[label])


class Picked(Kernel[LossProblem]):
    """Negative log-likelihood of class indices: one number of each sample is read, and no others."""

    backend = "numpy"
    algorithm = "picked"
    row = "numpy.loss.picked"

    def reject(self, problem: LossProblem) -> str | None:
        if problem.logits or problem.smoothing:
            return "every class is read"
        return "no classes" if problem.c == 0 else None

    def features(self, problem: LossProblem) -> Features:
        return Features({"call": 1, "sample": problem.n * problem.inner})

    def workspace(self, problem: LossProblem) -> int:
        return 64 * min(problem.n * problem.inner, BLOCK) + 8 * problem.c + (1 << 12)

    def error(self, problem: LossProblem) -> float:
        return loss_error(problem)

    def prepare(self, problem: LossProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        target, weight = constants
        work = work_dtype(p.dtype)
        scale = None if weight is None else weight.astype(work, copy=False)

        def losses(x: np.ndarray) -> Iterator[Losses]:
            given = x.reshape(-1)
            for i, j in row_blocks(p.n, p.inner):
                label = target[i, j]
                kept = label != p.ignore_index
                every = bool(kept.all())
                label = label if every else np.where(kept, label, 0)
                rows, columns = np.arange(i.start, i.start + len(label)), np.arange(j.start, j.start + label.shape[1])
                places = label if p.inner == 1 else label * p.inner + columns
                loss = -given.take(places + (rows * (p.c * p.inner))[:, None]).astype(work, copy=False)
                counted = None if scale is None else scale[label] if every else np.where(kept, scale[label], 0)
                if counted is not None:
                    loss *= counted
                if not every:
                    loss[~kept] = 0
                yield (i, j), loss, float(kept.sum() if counted is None else counted.sum(dtype=np.float64))

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            write_losses(p, losses(x), out)

        return run


KERNELS = (Picked(), NumpyLoss())
