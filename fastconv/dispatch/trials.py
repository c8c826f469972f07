"""Times of kernels from outside that state no cost: each is measured once, where a problem is first met.

The kernel that would run without them is measured on the same arrays, so that both times can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from statistics import median
from time import perf_counter

import numpy as np

BUDGET = 0.02  # seconds for each kernel
FEWEST, MOST = 3, 100  # runs of each kernel
LARGEST = 1 << 28  # bytes of an input: larger ones are not made for a measurement


def sample(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray | None:
    """An input of small numbers, whose sums fit every dtype; None if it would be too large."""
    if prod(shape) * dtype.itemsize > LARGEST:
        return None
    return np.resize(np.array([1, 0, 2, 1, 3]), shape).astype(dtype)


def medians(calls: Sequence[Callable[[], object]]) -> list[float]:
    """Median seconds of each call.  They take turns, so that a change of the processor's clock affects all of them."""
    times: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()  # the first run may compile
    end = perf_counter() + BUDGET * len(calls)
    while len(times[0]) < FEWEST or (len(times[0]) < MOST and perf_counter() < end):
        for call, taken in zip(calls, times, strict=True):
            begin = perf_counter()
            call()
            taken.append(perf_counter() - begin)
    return [median(taken) for taken in times]
