from typing import Any

import numpy as np

from fastconv.backends.cython.native import Axes
from fastconv.backends.cython.native import Contiguous
from fastconv.core.problems.conv import ConvProblem

class Weight:
    def __init__(
        self,
        table: int,
        p: ConvProblem,
        images: tuple[Contiguous, Contiguous],
        tables: Axes,
        plan: Any,
    ) -> None: ...
    @property
    def items(self) -> int: ...
    def run(
        self,
        x: np.ndarray,
        y: np.ndarray,
        partial: np.ndarray,
        scratch: np.ndarray,
        scratch_bytes: int,
        lo: int,
        hi: int,
        threads: int,
    ) -> None: ...
    def finish(self, partial: np.ndarray, out: np.ndarray, threads: int) -> None: ...
