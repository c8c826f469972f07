from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.pool import PoolProblem

class Pairs(Prepared):
    def __init__(self, table: int, p: PoolProblem) -> None: ...
