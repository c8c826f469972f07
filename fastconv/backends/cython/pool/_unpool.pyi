import numpy as np

from fastconv.backends.cython.runtime._prepared import Bound, Prepared
from fastconv.core.problems.unpool import UnpoolProblem

class Unpool(Prepared):
    def __init__(self, table: int, p: UnpoolProblem, width: int) -> None: ...
    def operands(self, indices: np.ndarray) -> Bound: ...
