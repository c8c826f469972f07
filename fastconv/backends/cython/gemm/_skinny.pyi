import numpy as np

from fastconv.backends.cython.runtime._prepared import Bound, Prepared
from fastconv.core.problems.gemm import GemmProblem

class Skinny(Prepared):
    def __init__(self, table: int, p: GemmProblem, swapped: bool, kc: int, panels_per_item: int) -> None: ...
    def operands(
        self, b: np.ndarray, c: np.ndarray | None, bias: np.ndarray | None, packed: np.ndarray | None = None
    ) -> Bound: ...

class Dots(Prepared):
    def __init__(
        self, table: int, p: GemmProblem, rows: int, cols: int, pitch: int, room: int, copies: int
    ) -> None: ...
    def operands(self, b: np.ndarray, c: np.ndarray | None, bias: np.ndarray | None) -> Bound: ...
