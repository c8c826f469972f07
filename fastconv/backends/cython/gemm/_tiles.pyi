import numpy as np

from fastconv.backends.cython.runtime._prepared import Bound, Prepared
from fastconv.core.problems.gemm import GemmProblem

class TiledGemm(Prepared):
    def __init__(
        self,
        table: int,
        tiles: int,
        p: GemmProblem,
        steps: int,
        pairs: int,
        panels_per_item: int,
        strips_per_item: int,
        swapped: bool,
    ) -> None: ...
    def operands(
        self, b: np.ndarray, c: np.ndarray | None, bias: np.ndarray | None, packed: np.ndarray | None = None
    ) -> Bound: ...
    def scratch_bytes(self) -> int: ...
