import numpy as np

from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.backends.cython.pool.powers import PowerBlocks
from fastconv.core.problems.pool import AxisCounts, PoolProblem

class PowerPool(Prepared):
    def __init__(
        self,
        table: int,
        wide: int,
        p: PoolProblem,
        blocks: PowerBlocks,
        taps: np.ndarray,
        counts: tuple[AxisCounts, AxisCounts, AxisCounts],
    ) -> None: ...
