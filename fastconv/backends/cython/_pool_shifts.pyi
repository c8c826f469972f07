import numpy as np

from fastconv.backends.cython._prepared import Prepared
from fastconv.core.problems.pool import PoolProblem

class Pool(Prepared):
    def __init__(
        self,
        table: int,
        p: PoolProblem,
        kernel: tuple[int, ...],
        lo: tuple[int, ...],
        op: int,
        divisors: tuple[np.ndarray, np.ndarray, np.ndarray] | None,
        scale: float,
        look: bool,
        rows: int,
        width: int,
    ) -> None: ...
