import numpy as np

from fastconv.backends.cython.runtime._prepared import Bound, Prepared
from fastconv.core.problems.gemm import GemmProblem

class PackedGemm(Prepared):
    def __init__(
        self,
        table: int,
        p: GemmProblem,
        kc: int,
        nc: int,
        strips: int,
        strips_per_item: int,
        panels_per_item: int,
        streams: bool,
        whole: bool,
        packs_a: bool,
    ) -> None: ...
    def operands(
        self,
        b: np.ndarray,
        c: np.ndarray | None,
        bias: np.ndarray | None,
        packed: np.ndarray | None = None,
        panels: Panels | None = None,
    ) -> Bound: ...
    def scratch_bytes(self) -> tuple[int, int]: ...

class Panels(Prepared):
    def __init__(self, gemm: PackedGemm) -> None: ...
