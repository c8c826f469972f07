from typing import Any

import numpy as np

from fastconv.backends.cython.runtime.native import Axes
from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.conv import ConvProblem

class DirectLast(Prepared):
    def __init__(
        self,
        table: int,
        p: ConvProblem,
        tables: Axes,
        blocks: Any,
        runs: np.ndarray,
        outside: np.ndarray,
    ) -> None: ...

def pack(
    table: int, w: np.ndarray, packed: np.ndarray, aside: np.ndarray, rows: int, channels: int, taps: int, groups: int
) -> None: ...
