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
        divisors: tuple[np.ndarray, np.ndarray, np.ndarray] | None,
        scale: float,
        look: bool,
        rows: int,
        width: int,
    ) -> None: ...
    @property
    def items(self) -> int: ...
    def run(self, x: np.ndarray, y: np.ndarray, index: np.ndarray | None, lo: int, hi: int, threads: int) -> None: ...
