from typing import Any

import numpy as np

from fastconv.core.problems.conv import ConvProblem

def transform_weights(
    table: int,
    w: np.ndarray,
    p: ConvProblem,
    scheme: Any,
    packed: np.ndarray,
    together: int,
    scratch: np.ndarray,
    scratch_elements: int,
    threads: int,
) -> None: ...

class Winograd:
    def __init__(
        self,
        table: int,
        p: ConvProblem,
        scheme: Any,
        tables: tuple[np.ndarray, np.ndarray, np.ndarray, int, int],
        weights: np.ndarray,
        plain: np.ndarray,
        bias: np.ndarray | None,
    ) -> None: ...
    @property
    def items(self) -> int: ...
    def run(
        self, x: np.ndarray, y: np.ndarray, scratch: np.ndarray, scratch_bytes: int, lo: int, hi: int, threads: int
    ) -> None: ...
