from typing import Any

import numpy as np

from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.conv import ConvProblem

class RowSums(Prepared):
    def __init__(
        self,
        table: int,
        p: ConvProblem,
        blocks: Any,
        axes: Any,
        outside: bool,
    ) -> None: ...
    def finite(self, weights: np.ndarray) -> bool: ...
    def pack(self, w: np.ndarray, packed: np.ndarray) -> None: ...
    def all_packed_bytes(self) -> int: ...
