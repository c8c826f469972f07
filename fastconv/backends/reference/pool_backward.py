"""Gradients of poolings by their definitions: one loop over the elements of a window, or over all indices."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.backends.reference.base import Reference
from fastconv.backends.reference.pool import each_tap, positions, window_divisor
from fastconv.core.kernel import Run
from fastconv.core.problems.adaptive import AdaptivePoolProblem
from fastconv.core.problems.pool import PoolProblem
from fastconv.core.problems.unpool import UnpoolProblem


class ReferencePoolBackward(Reference):
    """Fixed and adaptive windows."""

    row = "reference.pool_backward"

    def prepare(self, problem: PoolProblem | AdaptivePoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        tables = positions(p)
        ways = {"max": shared_maximum, "avg": average_backward, "lp": norm_backward}
        way: Any = by_indices if p.indices else ways[p.kind]

        def run(dy: np.ndarray, out: np.ndarray) -> None:
            with np.errstate(all="ignore"):
                out[...] = way(p, tables, dy.astype(np.float64), *constants).astype(p.dtype)

        return run


def by_indices(p: Any, tables: Any, dy: np.ndarray, indices: np.ndarray, signs: np.ndarray | None = None) -> np.ndarray:
    dx = np.zeros(p.x_shape)
    for at in np.ndindex(p.y_shape):
        index = int(indices[at])
        if index >= 0:
            dx[at[:2]][np.unravel_index(index, p.input)] += dy[at] * (1 if signs is None else signs[at])
    return dx


def spread_over_windows(p: Any, tables: list[np.ndarray], given: Any) -> np.ndarray:
    """The sum, for each element of x, of ``given(value)`` over the windows and taps that read it as `value`."""
    dx = np.zeros((p.n, p.c, int(np.prod(p.input))))
    positions_of = np.broadcast_to(np.arange(dx.shape[-1]).reshape(p.input), p.x_shape)
    for value, inside, flat in each_tap(positions_of, tables):
        part = np.where(inside, given(value), 0.0)
        to: Any = (slice(None), slice(None), np.where(inside, flat, 0))
        np.add.at(dx, to, part)
    return dx.reshape(p.x_shape)


def average_backward(p: Any, tables: list[np.ndarray], dy: np.ndarray) -> np.ndarray:
    return spread_over_windows(p, tables, lambda _: dy / window_divisor(p))


def norm_backward(p: PoolProblem, tables: list[np.ndarray], dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    x = x.astype(np.float64)
    total = np.zeros(p.y_shape)
    for value, inside, _ in each_tap(x**p.norm, tables):
        total += np.where(inside, value, 0)
    scale = p.taps / window_divisor(p)
    total *= scale
    slope = np.where(total == 0, 0.0, dy / p.norm * total ** (1 / p.norm - 1) * scale)
    slope = np.where(np.isnan(total), slope * 0, slope)  # torch's sign of NaN is 0
    return spread_over_windows(p, tables, lambda _: slope) * (p.norm * x ** (p.norm - 1))


def shared_maximum(p: Any, tables: list[np.ndarray], dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    top = np.full(p.y_shape, -np.inf)
    for value, inside, _ in each_tap(x.astype(np.float64), tables):
        top = np.where(inside, np.maximum(top, value), top)
    count = np.zeros(p.y_shape)
    for value, inside, _ in each_tap(x, tables):
        count += inside & (value == top)
    flat = x.reshape(p.n, p.c, int(np.prod(p.input)))

    def share(at: np.ndarray) -> np.ndarray:
        value = np.take_along_axis(flat, at.reshape(p.n, p.c, p.pixels), 2).reshape(at.shape)
        return (value == top) * dy / count

    return spread_over_windows(p, tables, share)


class ReferenceUnpoolBackward(Reference):
    """Every value reads the gradient at its index; a value that was overwritten gets the same gradient, as in torch."""

    row = "reference.unpool_backward"

    def error(self, problem: UnpoolProblem) -> float:
        return 0.0

    def prepare(self, problem: UnpoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        (indices,) = constants

        @np.errstate(all="ignore")
        def run(dy: np.ndarray, out: np.ndarray) -> None:
            for at in np.ndindex(p.x_shape):
                out[at] = dy[at[:2]][np.unravel_index(indices[at], p.output)]

        return run
