from typing import Any

from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.adaptive import AdaptivePoolProblem
from fastconv.core.problems.pool import PoolProblem

class SeparablePool(Prepared):
    def __init__(
        self, table: int, p: PoolProblem, way: tuple[int, int, float], tables: tuple[Any, ...], blocks: Any
    ) -> None: ...

class AdaptivePool(Prepared):
    def __init__(
        self,
        table: int,
        p: AdaptivePoolProblem,
        op: int,
        finish: int,
        columns: int,
        table_bytes: int,
        blocks: tuple[int, int],
    ) -> None: ...
