import numpy as np

from fastconv.core.problems.conv import ConvProblem

class Pointwise:
    def __init__(
        self, table: int, p: ConvProblem, weights: np.ndarray, bias: np.ndarray | None, block: int
    ) -> None: ...
    @property
    def items(self) -> int: ...
    def run(
        self, x: np.ndarray, y: np.ndarray, scratch: np.ndarray, scratch_bytes: int, lo: int, hi: int, threads: int
    ) -> None: ...
