import numpy as np

from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.pool import PoolProblem

class FlatPool(Prepared):
    def __init__(
        self,
        table: int,
        p: PoolProblem,
        kernel: tuple[int, ...],
        lo: tuple[int, ...],
        op: int,
        shares: tuple[np.ndarray, np.ndarray] | None,
        width: int,
    ) -> None: ...
