from typing import Any

import numpy as np

from fastconv.backends.cython.runtime._prepared import Bound, Prepared
from fastconv.core.problems.conv import ConvProblem

class TiledConv(Prepared):
    def __init__(self, table: int, tiles: int, p: ConvProblem, blocks: Any, tap_at: np.ndarray) -> None: ...
    def operands(self, weights: np.ndarray, packed: np.ndarray, bias: np.ndarray | None) -> Bound: ...
