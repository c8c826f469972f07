import numpy as np

from fastconv.backends.cython.runtime._prepared import Bound, Prepared
from fastconv.core.problems.adaptive import AdaptivePoolProblem
from fastconv.core.problems.pool import AxisCounts, PoolProblem

class Scatter(Prepared):
    def __init__(self, table: int, p: PoolProblem | AdaptivePoolProblem, width: int) -> None: ...
    def operands(self, indices: np.ndarray) -> Bound: ...

class Average(Prepared):
    def __init__(
        self,
        table: int,
        p: PoolProblem,
        kernel: tuple[int, ...],
        before: tuple[int, ...],
        counts: tuple[AxisCounts, ...],
        width: int,
        block: int,
    ) -> None: ...

class Adaptive(Prepared):
    def __init__(self, table: int, p: AdaptivePoolProblem, width: int) -> None: ...
