import numpy as np

from fastconv.core.problems.gemm import GemmProblem

class Gemm:
    items: int
    scratch_bytes: int
    shared_bytes: int
    def __init__(
        self,
        table: int,
        p: GemmProblem,
        b: np.ndarray,
        c: np.ndarray | None,
        bias: np.ndarray | None,
        kc: int,
        nc: int,
        strips_per_item: int,
        panels_per_item: int,
        in_place: bool,
        whole: bool,
    ) -> None: ...
    def pack(self, packed: np.ndarray, threads: int) -> None: ...
    def run(
        self, a: np.ndarray, y: np.ndarray, space: np.ndarray, scratch_bytes: int, lo: int, hi: int, threads: int
    ) -> None: ...
