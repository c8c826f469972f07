"""Central differences in float64: the check of a gradient that needs nothing but the forward operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

STEP = 1e-5


def check_gradients(
    forward: Callable[..., Any], gradient: Callable[..., Any], arrays: Sequence[np.ndarray], seed: int = 0,
    rtol: float = 1e-7,
) -> None:  # fmt: skip
    """Compare ``gradient(dy, *arrays)`` with differences of ``forward(*arrays)`` along random directions.

    Parameters
    ----------
    forward, gradient : callable
        The second gives one array, or a tuple with one per array.
    arrays : sequence of ndarray of float64
    rtol : float
        Relative to the size of what is summed up.
    """
    rng = np.random.default_rng(seed)
    y = np.asarray(forward(*arrays))
    dy = rng.normal(size=y.shape)
    results = gradient(dy, *arrays)
    results = results if isinstance(results, tuple) else (results,)
    assert len(results) == len(arrays)
    for i, (array, result) in enumerate(zip(arrays, results, strict=True)):
        assert result.shape == array.shape
        assert result.dtype == array.dtype
        for _ in range(3):
            direction = rng.normal(size=array.shape)
            moved = [np.asarray(forward(*_moved(arrays, i, sign * STEP * direction))) for sign in (1, -1)]
            slope = float(np.sum((moved[0] - moved[1]) * dy)) / (2 * STEP)
            computed = float(np.sum(result * direction))
            scale = float(np.sum(np.abs(result * direction))) + abs(slope) + 1e-9
            assert abs(computed - slope) <= rtol * scale, f"argument {i}: {computed} computed, {slope} by differences"


def _moved(arrays: Sequence[np.ndarray], i: int, by: np.ndarray) -> list[np.ndarray]:
    return [a + by if j == i else a for j, a in enumerate(arrays)]
