from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.neighbors import Lines

class Small(Prepared):
    def __init__(
        self, table: str, types: int, lines: Lines, rows: int, sizes: tuple[int, int], mode: int, fill: int,
        beyond: np.ndarray,
    ) -> None: ...
