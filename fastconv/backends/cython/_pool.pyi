from typing import Any

import numpy as np

from fastconv.core.problems.pool import PoolProblem

class Pool:
    def __init__(
        self, table: int, p: PoolProblem, way: tuple[int, int, float], tables: tuple[Any, ...], blocks: Any
    ) -> None: ...
    @property
    def items(self) -> int: ...
    def run(
        self,
        x: np.ndarray,
        y: np.ndarray,
        index: np.ndarray | None,
        scratch: np.ndarray,
        scratch_bytes: int,
        lo: int,
        hi: int,
        threads: int,
    ) -> None: ...
