import numpy as np

from fastconv.backends.cython.runtime.native import Axes
from fastconv.backends.cython.conv.winograd1d import RowBlocks, RowScheme
from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.conv import ConvProblem

class Winograd1d(Prepared):
    def __init__(
        self,
        table: int,
        p: ConvProblem,
        tables: Axes,
        scheme: RowScheme,
        blocks: RowBlocks,
        inputs: tuple[np.ndarray, ...],
        taps: tuple[np.ndarray, int],
    ) -> None: ...
    def transform(self, transforms: np.ndarray, plain: np.ndarray, weights: np.ndarray) -> None: ...
    def direct_tiles(self, x: np.ndarray) -> tuple[int, int]: ...
