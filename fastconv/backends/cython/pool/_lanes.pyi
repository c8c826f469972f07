from typing import Any

import numpy as np

from fastconv.backends.cython.pool.lanes import LaneAxis, LanesBlocks
from fastconv.backends.cython.runtime._prepared import Prepared

class LanesPool(Prepared):
    def __init__(
        self,
        table: int,
        op: int,
        n: int,
        c: int,
        axes: list[LaneAxis],
        factors: tuple[np.ndarray | None, ...],
        blocks: LanesBlocks,
    ) -> None: ...
