import numpy as np

from fastconv.core.problems.gemm import GemmProblem

class Gemm:
    def __init__(self, table: int, p: GemmProblem, panels_per_item: int) -> None: ...
    def items(self, cols: int) -> int: ...
    def pack_b(
        self, b: np.ndarray, packed: np.ndarray, j0: int, cols: int, p0: int, depth: int, threads: int
    ) -> None: ...
    def multiply(
        self,
        a: np.ndarray,
        b: np.ndarray,
        in_place: bool,
        c: np.ndarray | None,
        bias: np.ndarray | None,
        y: np.ndarray,
        scratch: np.ndarray,
        scratch_bytes: int,
        j0: int,
        cols: int,
        p0: int,
        depth: int,
        lo: int,
        hi: int,
        threads: int,
    ) -> None: ...
    def multiply_batch(
        self,
        a: np.ndarray,
        b: np.ndarray,
        in_place: bool,
        c: np.ndarray | None,
        bias: np.ndarray | None,
        y: np.ndarray,
        scratch: np.ndarray,
        scratch_bytes: int,
        panels_at: int,
        lo: int,
        hi: int,
        threads: int,
    ) -> None: ...
