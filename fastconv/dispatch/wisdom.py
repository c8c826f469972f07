"""Measured times that replace predicted ones: in memory for this process.

`record` is called by `fastconv.compare(..., record=True)`; `choose` asks `measured`.
Measurements count for one kernel revision and one problem.  The number of threads is left out on purpose: the
choice, and with it the bits of a result, must not depend on it.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any

from fastconv.core.kernel import Kernel
from fastconv.core.problems.base import Problem

CAPACITY = 4096

_Key = tuple[str, int, Problem]
_times: OrderedDict[_Key, float] = OrderedDict()
_lock = Lock()


def record(kernel: Kernel[Any], problem: Problem, seconds: float) -> None:
    """Remember a measured median time."""
    with _lock:
        _times[(kernel.name, kernel.revision, problem)] = seconds
        while len(_times) > CAPACITY:
            _times.popitem(last=False)


def measured(kernel: Kernel[Any], problem: Problem) -> float | None:
    """Seconds measured for exactly this, or None."""
    return _times.get((kernel.name, kernel.revision, problem))


def clear() -> None:
    """Forget every measurement."""
    with _lock:
        _times.clear()
