import numpy as np

from fastconv.backends.cython.filter.walk import Walk
from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.neighbors import Lines

class Walked(Prepared):
    def walk(
        self, table: str, types: int, lines: Lines, walk: Walk, size: int, sizes: tuple[int, int], direct: bool,
        stored: bool, mode: int, offsets: np.ndarray | None,
    ) -> None: ...
