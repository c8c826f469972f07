from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.pool import PoolProblem

class GlobalPool(Prepared):
    def __init__(
        self, table: int, p: PoolProblem, op: int, runs: int, elements: int, width: int, counted: float
    ) -> None: ...
