import numpy as np

from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.backends.cython.runtime.native import Axes
from fastconv.core.problems.conv import ConvProblem

class Gather(Prepared):
    def __init__(
        self, table: int, p: ConvProblem, tables: Axes, outside: np.ndarray, places: np.ndarray | None, far: bool
    ) -> None: ...
