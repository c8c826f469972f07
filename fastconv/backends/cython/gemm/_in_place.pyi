import numpy as np

from fastconv.backends.cython.runtime._prepared import Bound, Prepared
from fastconv.core.problems.gemm import GemmProblem

class InPlace(Prepared):
    def __init__(
        self, table: int, p: GemmProblem, kc: int, rows: int, cols: int, block: int, swapped: bool
    ) -> None: ...
    def operands(self, b: np.ndarray, c: np.ndarray | None, bias: np.ndarray | None) -> Bound: ...
