import numpy as np

from fastconv.core.problems.adaptive import AdaptivePoolProblem
from fastconv.core.problems.pool import AxisCounts, PoolProblem

def run(
    dy: np.ndarray, index: np.ndarray, out: np.ndarray, width: int, lo: int, hi: int, threads: int
) -> None: ...

class Average:
    def __init__(
        self,
        p: PoolProblem,
        kernel: tuple[int, ...],
        before: tuple[int, ...],
        counts: tuple[AxisCounts, ...],
        width: int,
        block: int,
    ) -> None: ...
    def run(
        self, dy: np.ndarray, out: np.ndarray, scratch: np.ndarray, scratch_bytes: int, lo: int, hi: int, threads: int
    ) -> None: ...

class Adaptive:
    def __init__(self, p: AdaptivePoolProblem, width: int) -> None: ...
    def run(
        self, dy: np.ndarray, out: np.ndarray, scratch: np.ndarray, scratch_bytes: int, lo: int, hi: int, threads: int
    ) -> None: ...
