import numpy as np

from fastconv.backends.cython.filter._walk import Walked

class Shape(Walked):
    def __init__(
        self, types: tuple[int, int, int], kind: int, largest: bool, truth: bool, masked: bool, fill: np.ndarray,
        stages: int, levels: tuple[int, int, int], center: int, runs: np.ndarray,
        doubles: str | None = None,
    ) -> None: ...

def spread(
    before: np.ndarray, after: np.ndarray, mask: np.ndarray | None, extents: np.ndarray, offsets: np.ndarray, largest: bool,
    stack: np.ndarray,
) -> bool: ...
