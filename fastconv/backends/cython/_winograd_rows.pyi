import numpy as np

from fastconv.backends.cython.winograd_rows import Blocks, Scheme
from fastconv.core.problems.conv import ConvProblem

class Rows:
    def __init__(
        self,
        table: int,
        p: ConvProblem,
        tables: tuple[np.ndarray, np.ndarray, np.ndarray, int, int],
        scheme: Scheme,
        blocks: Blocks,
        inputs: tuple[np.ndarray, ...],
        taps: tuple[np.ndarray, int],
        transforms: np.ndarray,
        weights: np.ndarray,
        plain: np.ndarray,
        bias: np.ndarray | None,
    ) -> None: ...
    @property
    def items(self) -> int: ...
    def run(
        self, x: np.ndarray, y: np.ndarray, scratch: np.ndarray, scratch_bytes: int, lo: int, hi: int, threads: int
    ) -> None: ...
