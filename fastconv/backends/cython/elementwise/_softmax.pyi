import numpy as np

from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.loss import LossProblem
from fastconv.core.problems.softmax import SoftmaxProblem

class Softmax(Prepared):
    def __init__(self, table: int, p: SoftmaxProblem, block: int, items: int, in_scratch: bool, planes: bool) -> None: ...

class Loss(Prepared):
    def __init__(
        self, table: int, p: LossProblem, block: int, items: int, in_scratch: bool, even: np.ndarray | None
    ) -> None: ...
    def loss(self, x: np.ndarray, out: np.ndarray, target: np.ndarray, weight: np.ndarray | None) -> bool: ...
    def gradient(
        self, dy: np.ndarray, out: np.ndarray, x: np.ndarray, target: np.ndarray, weight: np.ndarray | None
    ) -> bool: ...
