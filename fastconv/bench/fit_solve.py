"""The rates that choose best: what `fastconv tune --fit` makes of measured times.

A table is there to choose, so the rates minimise what its choices lose.  The loss of a choice jumps where two
predictions cross, and has no gradient.  In its place stands a mean over all kernels, weighted by how close their
predictions are to the shortest, as a softmax of log(time) gives it; it becomes the choice itself as the softmax becomes
sharper.  Two small terms hold what choices do not decide: predicted times stay close to measured ones, and rates to
those that were known.  Rates are positive, and within a factor of `FARTHEST` of those that were known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastconv.core.costs import Counts, Features, Table

if TYPE_CHECKING:
    from scipy.sparse import csr_array

SHARPNESS = (0.3, 0.1, 0.05)  # of the softmax, one minimum after the other: the difference of log(time) that counts
CLOSE_TIMES = 0.1  # weight of the squared logarithm of predicted over measured time
CLOSE_RATES = 0.05  # and of fitted over known rate
FARTHEST = 5.0
TINY = 1e-13  # seconds: in place of a rate of 0, so that it can grow
STEPS = 150


class Sample(NamedTuple):
    """One kernel on one problem."""

    case: int
    kernel: str
    features: Features
    seconds: float


def solve(samples: Sequence[Sample], known: Table) -> Table:
    """The table whose choices among the kernels of each case lose least.

    Parameters
    ----------
    samples : sequence of Sample
    known : Table
        What is known of such a machine.
    """
    from scipy.optimize import minimize

    names = sorted({name for s in samples for part in _parts(s.features) for name in part})
    start = np.array([max(known.rate(name), TINY) for name in names])
    predict = _Prediction(samples, names)
    times, case = np.array([s.seconds for s in samples]), np.unique([s.case for s in samples], return_inverse=True)[1]
    best = np.full(case.max() + 1, np.inf)
    np.minimum.at(best, case, times)
    lost = np.log(times / best[case])
    near = np.exp(-2 * lost)  # kernels that are slow anyway need no exact prediction

    def objective(sharpness: float) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
        def loss(moved: np.ndarray) -> tuple[float, np.ndarray]:
            seconds, gradient = predict(start * np.exp(moved))
            weight = _softmax(-np.log(seconds) / sharpness, case)
            mean = np.bincount(case, weight * lost)
            error = np.log(seconds / times)
            slope = -weight * (lost - mean[case]) / sharpness + 2 * CLOSE_TIMES * near * error
            value = mean.sum() + CLOSE_TIMES * (near * error**2).sum() + CLOSE_RATES * (moved**2).sum()
            return value, gradient(slope / seconds) + 2 * CLOSE_RATES * moved

        return loss

    moved = np.zeros(len(names))
    bounds = [(-np.log(FARTHEST), np.log(FARTHEST))] * len(names)
    for sharpness in SHARPNESS:
        found = minimize(objective(sharpness), moved, jac=True, method="L-BFGS-B", bounds=bounds,
                         options={"maxiter": STEPS})  # fmt: skip
        moved = found.x
    return known.with_rates(_packed_is_cheaper(dict(zip(names, (start * np.exp(moved)).tolist(), strict=True))))


def _packed_is_cheaper(rates: dict[str, float]) -> dict[str, float]:
    """The same, but nothing takes longer where it was packed beforehand, as few samples may have it."""
    for name in rates:
        plain = name.removesuffix("_packed")
        if plain in rates:
            rates[plain] = max(rates[plain], rates[name])
    return rates


def _parts(features: Features) -> list[Counts]:
    return [features.counts, *(part for parts in features.overlaps for part in parts)]


def _softmax(x: np.ndarray, case: np.ndarray) -> np.ndarray:
    """Of the samples of each case."""
    most = np.full(case.max() + 1, -np.inf)
    np.maximum.at(most, case, x)
    e = np.exp(x - most[case])
    return e / np.bincount(case, e)[case]


class _Prediction:
    """Predicted seconds of all samples, and how they change with the logarithms of the rates."""

    def __init__(self, samples: Sequence[Sample], names: Sequence[str]) -> None:
        at = {name: i for i, name in enumerate(names)}

        def matrix(part: Callable[[Features], Counts]) -> csr_array:
            from scipy.sparse import csr_array

            entries = [(i, at[n], count) for i, s in enumerate(samples) for n, count in part(s.features).items()]
            rows, columns, counts = zip(*entries, strict=True) if entries else ((), (), ())
            return csr_array((counts, (rows, columns)), shape=(len(samples), len(names)))

        def overlapping(j: int, k: int) -> Callable[[Features], Counts]:
            return lambda f: f.overlaps[j][k] if j < len(f.overlaps) and k < len(f.overlaps[j]) else {}

        overlaps = [s.features.overlaps for s in samples]
        most = max(map(len, overlaps), default=0)
        widths = [max(len(parts[j]) for parts in overlaps if j < len(parts)) for j in range(most)]
        self.alone = matrix(lambda f: f.counts)
        self.overlaps = [[matrix(overlapping(j, k)) for k in range(width)] for j, width in enumerate(widths)]

    def __call__(self, rates: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], Any]]:
        seconds = self.alone @ rates
        longest = []
        for parts in self.overlaps:  # of which only the longest takes time
            each = np.stack([part @ rates for part in parts])
            longest.append(each.argmax(0))
            seconds = seconds + each.max(0)

        def gradient(slope: np.ndarray) -> np.ndarray:
            total = self.alone.T @ slope
            for parts, chosen in zip(self.overlaps, longest, strict=True):
                for k, part in enumerate(parts):
                    total = total + part.T @ (slope * (chosen == k))
            return total * rates

        return np.maximum(seconds, TINY), gradient
