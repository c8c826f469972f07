from typing import Any

import numpy as np

from fastconv.backends.cython.native import Axes
from fastconv.backends.cython._prepared import Prepared
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

class Winograd(Prepared):
    def __init__(
        self,
        table: int,
        p: ConvProblem,
        scheme: Any,
        tables: Axes,
    ) -> None: ...
    def direct_tiles(self, x: np.ndarray) -> tuple[int, int]: ...
