import numpy as np

from fastconv.core.problems.loss import LossProblem

def softmax(
    table: int,
    log: bool,
    negative: bool,
    x: np.ndarray,
    dy: np.ndarray | None,
    y: np.ndarray,
    block: int,
    scratch: np.ndarray,
    scratch_step: int,
    lo: int,
    hi: int,
    threads: int,
) -> None: ...

class Loss:
    def __init__(
        self, table: int, p: LossProblem, target: np.ndarray, scale: np.ndarray, total_weight: float, block: int
    ) -> None: ...
    def forward(
        self,
        x: np.ndarray,
        each: np.ndarray | None,
        sums: np.ndarray,
        scratch: np.ndarray,
        scratch_step: int,
        lo: int,
        hi: int,
        threads: int,
    ) -> None: ...
    def backward(
        self,
        x: np.ndarray,
        dy: np.ndarray,
        share: float,
        dx: np.ndarray,
        scratch: np.ndarray,
        scratch_step: int,
        lo: int,
        hi: int,
        threads: int,
    ) -> None: ...
