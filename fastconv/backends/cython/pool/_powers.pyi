import numpy as np

from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.backends.cython.pool.powers import Blocks
from fastconv.core.problems.pool import AxisCounts, PoolProblem

class Pool(Prepared):
    def __init__(
        self,
        table: int,
        wide: int,
        p: PoolProblem,
        blocks: Blocks,
        taps: np.ndarray,
        counts: tuple[AxisCounts, AxisCounts, AxisCounts],
    ) -> None: ...
