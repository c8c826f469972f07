from typing import Any

import numpy as np

from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.backends.cython.runtime.native import Axes
from fastconv.core.problems.conv import ConvProblem

class Winograd(Prepared):
    def __init__(self, table: int, p: ConvProblem, scheme: Any, tables: Axes) -> None: ...
    def direct_tiles(self, x: np.ndarray) -> tuple[int, int]: ...

class WeightTransform(Prepared):
    def __init__(self, table: int, p: ConvProblem, scheme: Any, together: int) -> None: ...
