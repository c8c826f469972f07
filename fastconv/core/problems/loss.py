"""Cross-entropy and negative log-likelihood: scores (n, c, inner) against class indices or class probabilities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import prod
from typing import Literal, TypeAlias, get_args

import numpy as np

from fastconv.core.caches import keep_few
from fastconv.core.errors import DTypeError, ShapeError, not_among
from fastconv.core.problems.base import NOMINAL_ROWS, Problem, check_dtype, description
from fastconv.typing import Reduction

LossDirection: TypeAlias = Literal["forward", "backward", "target"]
REDUCTIONS: tuple[str, ...] = get_args(Reduction)


@description
class LossProblem(Problem):
    """One loss over a batch.

    Canonical arrays: x (n, c, inner); target (n, inner) of class indices, or (n, c, inner) of probabilities;
    weight (c,) or None; the result (n, inner), or (1,) if reduced.

    Attributes
    ----------
    n, c, inner : int
    logits : bool
        Whether x contains scores, of which log-softmax is computed; otherwise log-probabilities.
    probabilities : bool
        Whether the target contains probabilities.
    weighted : bool
    ignore_index : int
    reduction : str
        ``none``, ``mean`` or ``sum``.
    smoothing : float
    dtype : numpy.dtype
    direction : str
        ``forward``; ``backward`` and ``target`` compute the gradients of x and of a target of probabilities: a run
        receives the gradient of the result, and its constants are x, target and weight.
    """

    n: int
    c: int
    inner: int
    logits: bool
    probabilities: bool
    weighted: bool
    ignore_index: int
    reduction: Reduction
    smoothing: float
    dtype: np.dtype
    direction: LossDirection = "forward"

    @property
    def op(self) -> str:
        return "loss" if self.direction == "forward" else "loss_backward"

    @property
    def flops(self) -> float:
        return 12.0 * self.n * self.c * self.inner

    @property
    def bytes(self) -> float:
        return float(self.n * self.inner * (self.c * (1 + self.probabilities) + 2) * self.dtype.itemsize)

    @property
    def canonical(self) -> tuple[int, int, int]:
        """Of x."""
        return self.n, self.c, self.inner

    @property
    def loss_shape(self) -> tuple[int, ...]:
        """Of the loss itself."""
        return (self.n, self.inner) if self.reduction == "none" else (1,)

    def any_rows(self) -> LossProblem:
        return replace(self, n=NOMINAL_ROWS)

    @property
    def results(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        return ((self.loss_shape if self.direction == "forward" else self.canonical, self.dtype),)


@keep_few()
def loss_problem(
    logits: bool,
    x: tuple[tuple[int, ...], np.dtype],
    target: tuple[tuple[int, ...], np.dtype],
    weight: tuple[tuple[int, ...], np.dtype] | None,
    ignore_index: int,
    reduction: Reduction,
    smoothing: float,
) -> tuple[LossProblem, tuple[int, ...]]:
    """Check the arguments of cross_entropy or nll_loss, given as (shape, dtype).

    Returns
    -------
    problem : LossProblem
    shape : tuple of int
        The result's shape.
    """
    (xshape, xdtype), (tshape, tdtype) = x, target
    if reduction not in REDUCTIONS:
        raise ValueError(not_among("reduction", reduction, REDUCTIONS))
    if not 0.0 <= smoothing <= 1.0:
        raise ValueError(f"label_smoothing must be between 0 and 1, got {smoothing}")
    check_dtype(xdtype, "input", "f")
    if not xshape:
        raise ShapeError("input must have shape (C,), (N, C) or (N, C, d1, ...), got a scalar")
    batched = len(xshape) > 1
    n, c, *rest = xshape if batched else (1, *xshape)
    inner = tuple(rest)
    batch = (n, *inner) if batched else ()
    probabilities = logits and tshape == xshape and tdtype.kind not in "iu"
    if probabilities:
        check_dtype(tdtype, "target", "f")
    else:
        if logits and tshape == xshape and tshape != batch:
            raise DTypeError(
                f"target has dtype {tdtype} and the shape of input, which is that of class probabilities: "
                f"pass target.astype(np.{xdtype}), or class indices of shape {batch}"
            )
        if tshape != batch:
            also = f", or {xshape} for class probabilities" if logits else ""
            raise ShapeError(f"target has shape {tshape}; for an input of {xshape} it must be {batch}{also}")
        if tdtype.kind not in "iu":
            raise DTypeError(f"target has dtype {tdtype}; class indices are integers")
    if weight is not None:
        check_dtype(weight[1], "weight", "f")
        if weight[0] != (c,):
            raise ShapeError(f"weight has shape {weight[0]}; it must be ({c},), one value per class")
    problem = LossProblem(
        n=n, c=c, inner=prod(inner), logits=logits, probabilities=probabilities, weighted=weight is not None,
        ignore_index=ignore_index, reduction=reduction, smoothing=smoothing if c else 0.0, dtype=xdtype,
    )  # fmt: skip
    return problem, batch if reduction == "none" else ()


Losses = tuple[tuple[slice, slice], np.ndarray, float]
"""Some samples: where they are, their losses, and the sum of the weights that a mean divides by."""


def write_losses(p: LossProblem, blocks: Iterable[Losses], out: np.ndarray) -> None:
    """The losses of all samples, or their sum or mean, which is rounded once."""
    total = weights = 0.0
    for at, losses, counted in blocks:
        if p.reduction == "none":
            out[at] = losses
        else:
            total += float(losses.sum(dtype=np.float64))
            weights += counted
    if p.reduction != "none":
        out[...] = np.float64(total) / np.float64(weights) if p.reduction == "mean" else total


def check_target(target: np.ndarray, classes: int, ignore_index: int) -> None:
    """IndexError for a class index, of 64 bits, outside [0, classes) that is not the ignored one."""
    if not target.size or target.view(np.uint64).max() < classes:  # as unsigned, negative indices are large
        return
    bad = (target < 0) | (target >= classes)
    bad &= target != ignore_index
    if bad.any():
        value = target[bad].flat[0]
        raise IndexError(f"target holds {value}; class indices are 0 to {classes - 1}, or ignore_index {ignore_index}")
