from typing import Any

from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.pool import PoolProblem

class Pool(Prepared):
    def __init__(
        self, table: int, p: PoolProblem, way: tuple[int, int, float], tables: tuple[Any, ...], blocks: Any
    ) -> None: ...
