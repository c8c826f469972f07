from fastconv.backends.cython._prepared import Prepared
from fastconv.core.problems.pool import PoolProblem

class Means(Prepared):
    def __init__(self, table: int, p: PoolProblem, width: int) -> None: ...
