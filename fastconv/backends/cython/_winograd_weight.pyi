from typing import Any

import numpy as np

from fastconv.core.problems.conv import ConvProblem

class WinogradWeight:
    chunks: int
    def __init__(
        self, table: int, p: ConvProblem, scheme: Any, tables: tuple[np.ndarray, np.ndarray, np.ndarray, int, int]
    ) -> None: ...
    def run(
        self,
        x: np.ndarray,
        y: np.ndarray,
        vx: np.ndarray,
        vy: np.ndarray,
        sums: np.ndarray,
        scratch: np.ndarray,
        lo: int,
        hi: int,
        threads: int,
    ) -> None: ...
    def finish(self, sums: np.ndarray, out: np.ndarray, scratch: np.ndarray, threads: int) -> None: ...
