import numpy as np

from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.conv import ConvProblem

class Images(Prepared):
    def __init__(
        self,
        table: int,
        p: ConvProblem,
        at: np.ndarray,
        parts: np.ndarray,
        bias_first: bool,
        far: bool,
    ) -> None: ...
