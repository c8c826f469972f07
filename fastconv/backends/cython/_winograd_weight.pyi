from typing import Any

import numpy as np

from fastconv.backends.cython.native import Axes
from fastconv.backends.cython.native import Contiguous
from fastconv.core.problems.conv import ConvProblem

class WinogradWeight:
    def __init__(
        self,
        table: int,
        p: ConvProblem,
        images: tuple[Contiguous, Contiguous],
        scheme: Any,
        tables: Axes,
    ) -> None: ...
    def run(
        self,
        x: np.ndarray,
        y: np.ndarray,
        sums: np.ndarray,
        scratch: np.ndarray,
        squares: np.ndarray,
        scratch_bytes: int,
        lo: int,
        hi: int,
        threads: int,
    ) -> None: ...
    def finish(self, sums: np.ndarray, out: np.ndarray, scratch: np.ndarray, scratch_bytes: int, threads: int) -> None: ...
