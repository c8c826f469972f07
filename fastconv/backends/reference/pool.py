"""Pooling, adaptive pooling and unpooling by their definitions: one loop over the elements of a window.

Every window is described by a table of positions per axis, one row per output, -1 where a tap
reads padding or nothing.  So one code serves fixed and adaptive windows.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from fastconv.backends.reference.base import Reference, exact_dtype
from fastconv.core.arrays import store_integers
from fastconv.core.kernel import Run
from fastconv.core.problems.adaptive import AdaptivePoolProblem, axis_windows
from fastconv.core.problems.pool import PoolProblem, axis_counts
from fastconv.core.problems.unpool import UnpoolProblem


def positions(p: PoolProblem | AdaptivePoolProblem) -> list[np.ndarray]:
    """For depth, height, width: int64 (outputs, taps), the input position that each tap reads, or -1."""
    tables = []
    if isinstance(p, AdaptivePoolProblem):
        for e, o in zip(p.input, p.output, strict=True):
            start, end = axis_windows(e, o)
            at = start[:, None] + np.arange((end - start).max(initial=0))
            tables.append(np.where(at < end[:, None], at, -1))
        return tables
    for e, k, s, d, (lo, _), o in zip(p.input, p.kernel, p.stride, p.dilation, p.pads, p.output, strict=True):
        # Taps that no window can place inside the input are left out: a kernel may be much larger than it.
        first = max(0, (lo - (o - 1) * s) // d)
        last = min(k, (e - 1 + lo) // d + 1)
        at = np.arange(o)[:, None] * s - lo + np.arange(first, last) * d
        tables.append(np.where((at >= 0) & (at < e), at, -1))
    return tables


def window_divisor(p: PoolProblem | AdaptivePoolProblem) -> np.ndarray:
    """The divisor of each window's sum, for averages, as (d, h, w) or one value."""
    if isinstance(p, AdaptivePoolProblem):
        counts = [(t >= 0).sum(1) for t in positions(p)]
    elif p.kind == "avg" and p.divisor is not None:
        return np.array(p.divisor)
    else:
        include = p.include_pad or p.kind == "lp"
        counts = [
            axis_counts(e, k, s, d, lo, hi, o, include).of(slice(0, o))
            for e, k, s, d, (lo, hi), o in zip(p.input, p.kernel, p.stride, p.dilation, p.pads, p.output, strict=True)
        ]
    product = counts[0][:, None, None] * counts[1][:, None] * counts[2]
    return np.maximum(product, 1)  # a window without elements has sum 0


class ReferencePool(Reference):
    """Fixed and adaptive windows."""

    def error(self, problem: Any) -> float:
        return 0.0 if problem.kind == "max" else super().error(problem)

    def prepare(self, problem: PoolProblem | AdaptivePoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        tables = positions(p)
        kinds = {"max": maximum, "avg": average, "lp": norm}

        def run(x: np.ndarray, out: np.ndarray, *index: np.ndarray) -> None:
            xw = x.astype(exact_dtype(p.dtype))
            with np.errstate(all="ignore"):
                kinds[p.kind](p, tables, xw, out, *index)

        return run


def each_tap(x: np.ndarray, tables: list[np.ndarray]) -> Any:
    """For each tap: (values, whether the tap is inside, flat positions), over all outputs; x is read once per tap."""
    h, w = x.shape[3:]
    for tap in itertools.product(*(range(t.shape[1]) for t in tables)):
        d, r, c = (t[:, i] for t, i in zip(tables, tap, strict=True))
        inside = (d >= 0)[:, None, None] & (r >= 0)[:, None] & (c >= 0)
        flat = (d[:, None, None] * h + r[:, None]) * w + c
        yield x[:, :, np.maximum(d, 0)][:, :, :, np.maximum(r, 0)][:, :, :, :, np.maximum(c, 0)], inside, flat


def maximum(p: Any, tables: list[np.ndarray], x: np.ndarray, out: np.ndarray, *index: np.ndarray) -> None:
    lowest = np.iinfo(p.dtype).min if p.dtype.kind in "iu" else -np.inf
    best = np.full(p.y_shape, lowest, x.dtype)
    where = np.full(p.y_shape, -1, np.int64)
    for value, inside, flat in each_tap(x, tables):
        first_nan = np.isnan(value) & ~np.isnan(best)
        better = inside & ((where < 0) | (value > best) | first_nan)
        best = np.where(better, value, best)
        where = np.where(better, flat, where)
    out[...] = best.astype(p.out)
    if index:
        index[0][...] = where


def average(p: Any, tables: list[np.ndarray], x: np.ndarray, out: np.ndarray) -> None:
    if p.dtype.kind == "i":
        x = x.astype(object)
    total = np.zeros(p.y_shape, x.dtype)
    for value, inside, _ in each_tap(x, tables):
        total += np.where(inside, value, 0)
    if p.dtype.kind == "i":
        store_integers(truncated_division(total, window_divisor(p)), out)
    else:
        out[...] = (total / window_divisor(p)).astype(p.out)


def norm(p: PoolProblem, tables: list[np.ndarray], x: np.ndarray, out: np.ndarray) -> None:
    magnitudes = np.isinf(p.norm)
    total = np.full(p.y_shape, np.inf if p.norm == -np.inf else 0.0)
    for value, inside, _ in each_tap(np.abs(x) if magnitudes else x**p.norm, tables):
        if magnitudes:
            pick = np.maximum if p.norm > 0 else np.minimum
            total = np.where(inside, pick(total, value), total)
        else:
            total += np.where(inside, value, 0)
    out[...] = (total if magnitudes else (total / window_divisor(p) * p.taps) ** (1 / p.norm)).astype(p.out)


def truncated_division(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b rounded towards zero, as C divides integers."""
    q = np.abs(a) // np.abs(b)
    return np.where((a < 0) != (b < 0), -q, q)


class ReferenceUnpool(Reference):
    """Store values at the positions that they came from."""

    row = "reference.unpool"

    def error(self, problem: UnpoolProblem) -> float:
        return 0.0

    def prepare(self, problem: UnpoolProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p = problem
        (indices,) = constants

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            out[...] = np.zeros((), p.dtype)
            for n, c in np.ndindex(p.n, p.c):
                for at, value in zip(indices[n, c].flat, x[n, c].flat, strict=True):
                    out[n, c][np.unravel_index(at, p.output)] = value

        return run
