from typing import Any

import numpy as np

from fastconv.core.problems.conv import ConvProblem

class Rows:
    def __init__(
        self,
        table: int,
        p: ConvProblem,
        tables: tuple[np.ndarray, np.ndarray, np.ndarray, int, int],
        taps: np.ndarray,
        weights: np.ndarray,
        bias: np.ndarray | None,
        blocks: Any,
    ) -> None: ...
    @property
    def items(self) -> int: ...
    def run(
        self, x: np.ndarray, y: np.ndarray, scratch: np.ndarray, scratch_bytes: int, lo: int, hi: int, threads: int
    ) -> None: ...

class Pixels:
    def __init__(
        self,
        table: int,
        p: ConvProblem,
        tables: tuple[np.ndarray, np.ndarray, np.ndarray, int, int],
        outside: np.ndarray,
        weights: np.ndarray,
        bias: np.ndarray | None,
        block: int,
    ) -> None: ...
    @property
    def items(self) -> int: ...
    def run(
        self, x: np.ndarray, y: np.ndarray, scratch: np.ndarray, scratch_bytes: int, lo: int, hi: int, threads: int
    ) -> None: ...
