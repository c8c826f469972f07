import numpy as np

from fastconv.core.problems.pool import PoolProblem

class Pool:
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
    @property
    def items(self) -> int: ...
    def run(
        self,
        x: np.ndarray,
        y: np.ndarray,
        scratch: np.ndarray,
        scratch_bytes: int,
        lo: int,
        hi: int,
        threads: int,
    ) -> None: ...
