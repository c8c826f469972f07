import numpy as np

from fastconv.backends.cython.filter._walk import Walked

class Shape(Walked):
    def __init__(
        self, types: tuple[int, int, int], kind: int, largest: bool, fill: np.ndarray, levels: tuple[int, int, int],
        runs: np.ndarray, doubles: str | None = None,
    ) -> None: ...
