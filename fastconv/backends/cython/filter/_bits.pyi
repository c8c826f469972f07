import numpy as np

from fastconv.backends.cython.filter._walk import Walked
from fastconv.backends.cython.filter.bits import BitRows

class Bits(Walked):
    def __init__(
        self, largest: bool, masked: bool, border: bool, rows: BitRows, center: int, loads: np.ndarray, shifts: np.ndarray
    ) -> None: ...

def spread(
    before: np.ndarray, after: np.ndarray, mask: np.ndarray | None, extents: np.ndarray, offsets: np.ndarray, largest: bool,
    stack: np.ndarray,
) -> bool: ...
