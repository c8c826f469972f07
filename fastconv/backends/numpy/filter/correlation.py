"""Correlations on NumPy: blocks of the array, one addition for each weight, in the order of SciPy's sums."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from fastconv.backends.common.integers import as_stored
from fastconv.core.costs import Features
from fastconv.core.kernel import Kernel, Run, epsilon, summation_error
from fastconv.core.numbers import ceil_div
from fastconv.core.problems.neighbors import CorrelationProblem, NeighborsProblem, padded_block

BLOCK = 1 << 15  # elements of a padded block
LEAST = 16  # results along an axis, unless its extent is less


def block_of(p: NeighborsProblem, most: int = BLOCK) -> tuple[int, ...]:
    """Results of one block along each axis: whole axes from the last on, while they fit `most` elements."""
    counts, left = [], most
    for n, size in zip(reversed(p.shape), reversed(p.window.sizes), strict=True):
        count = max(1, min(n, max(LEAST if left > LEAST else 1, left - size + 1)))
        counts.append(count)
        left = max(1, left // (count + size - 1))
    return tuple(reversed(counts))


def padded_size(p: NeighborsProblem, counts: tuple[int, ...]) -> int:
    return prod(n + size - 1 for n, size in zip(counts, p.window.sizes, strict=True))


def index_bytes(p: NeighborsProblem, counts: tuple[int, ...]) -> int:
    """Of the elements that a padded block takes, along each axis."""
    return 40 * sum(n + size - 1 for n, size in zip(counts, p.window.sizes, strict=True))


def blocks(p: NeighborsProblem, counts: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """(first result, results) along each axis."""
    for starts in product(*(range(0, n, count) for n, count in zip(p.shape, counts, strict=True))):
        yield starts, tuple(min(c, n - s) for c, n, s in zip(counts, p.shape, starts, strict=True))


class NumpyCorrelation(Kernel[CorrelationProblem]):
    """Any correlation."""

    backend = "numpy"
    algorithm = "taps"
    row = "numpy.correlation"

    def reject(self, problem: CorrelationProblem) -> str | None:
        return None

    def features(self, problem: CorrelationProblem) -> Features:
        p = problem
        counts = block_of(p)
        many = prod(ceil_div(n, c) for n, c in zip(p.shape, counts, strict=True))
        taps = p.window.total
        return Features(
            {"call": many * (2 * taps + 12), "bytes": p.bytes, "element": p.size * (2 * taps + 6)}
        )  # fmt: skip

    def workspace(self, problem: CorrelationProblem) -> int:
        p = problem
        counts = block_of(p)
        return 2 * padded_size(p, counts) * 8 + prod(counts) * 5 * 8 + index_bytes(p, counts) + (1 << 14)

    def error(self, problem: CorrelationProblem) -> float:
        p = problem
        return 0.0 if p.out.kind != "f" else summation_error(epsilon(p.acc), p.terms) + epsilon(p.out)

    def prepare(self, problem: CorrelationProblem, constants: tuple[Any, ...], threads: int) -> Run:
        p, counts = problem, block_of(problem)
        with np.errstate(all="ignore"):
            weights, offsets = constants[0].astype(p.acc), p.window.offsets()

        @np.errstate(all="ignore")
        def run(x: np.ndarray, out: np.ndarray) -> None:
            x, out = x.reshape(p.shape), out.reshape(p.shape)
            for starts, some in blocks(p, counts):
                padded = padded_block(x, starts, some, p.window, p.acc)
                sums = np.zeros(some, p.acc)
                for offset, weight in zip(offsets, weights, strict=True):
                    sums += padded[tuple(slice(o, o + n) for o, n in zip(offset, some, strict=True))] * weight
                out[tuple(slice(s, s + n) for s, n in zip(starts, some, strict=True))] = as_stored(sums, p.out)

        return run


KERNELS = (NumpyCorrelation(),)
