from typing import Any

import numpy as np

from fastconv.backends.cython.runtime.native import Axes
from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.conv import ConvProblem

class Lanes(Prepared):
    def __init__(
        self,
        table: int,
        p: ConvProblem,
        tables: Axes,
        blocks: Any,
        firsts: np.ndarray,
        sources: np.ndarray,
        outside: np.ndarray,
    ) -> None: ...

def pack(
    table: int, w: np.ndarray, packed: np.ndarray, channels: int, depth: int, overlapping: bool
) -> None: ...
