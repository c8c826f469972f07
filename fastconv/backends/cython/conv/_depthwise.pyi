from typing import Any

import numpy as np

from fastconv.backends.cython.runtime.native import Axes
from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.conv import ConvProblem

class Rows(Prepared):
    def __init__(
        self,
        table: int,
        p: ConvProblem,
        tables: Axes,
        taps: np.ndarray,
        blocks: Any,
    ) -> None: ...
