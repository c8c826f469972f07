import numpy as np

from fastconv.core.problems.adaptive import AdaptivePoolProblem

class Pool:
    def __init__(
        self,
        table: int,
        p: AdaptivePoolProblem,
        op: int,
        finish: int,
        windows: list[tuple[np.ndarray, np.ndarray]],
        table_bytes: int,
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
