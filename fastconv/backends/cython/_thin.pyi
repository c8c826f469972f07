import numpy as np

from fastconv.core.problems.gemm import GemmProblem

SCRATCH_ROW: int

class Thin:
    items: int
    def __init__(
        self,
        table: int,
        p: GemmProblem,
        b: np.ndarray,
        c: np.ndarray | None,
        bias: np.ndarray | None,
        packed: np.ndarray | None,
        swapped: bool,
        panels_per_item: int,
    ) -> None: ...
    def run(
        self, a: np.ndarray, y: np.ndarray, scratch: np.ndarray, scratch_bytes: int, lo: int, hi: int, threads: int
    ) -> None: ...
