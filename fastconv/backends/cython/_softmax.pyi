import numpy as np

from fastconv.backends.cython._prepared import Prepared
from fastconv.core.problems.loss import LossProblem
from fastconv.core.problems.softmax import SoftmaxProblem

class Softmax(Prepared):
    def __init__(self, table: int, p: SoftmaxProblem, block: int, items: int, in_scratch: bool) -> None: ...

class Loss:
    def __init__(self, table: int, p: LossProblem, block: int, items: int, in_scratch: bool) -> None: ...
    def picked(
        self, target: np.ndarray, scale: np.ndarray | None, total_weight: float, x: np.ndarray, mean: bool, y: np.ndarray
    ) -> None: ...
    def reduce(self, sums: np.ndarray, mean: bool, y: np.ndarray) -> None: ...
    def run(
        self,
        target: np.ndarray,
        scale: np.ndarray | None,
        total_weight: float,
        x: np.ndarray,
        y: np.ndarray,
        scratch: np.ndarray,
        scratch_bytes: int,
        lo: int,
        hi: int,
        threads: int,
    ) -> None: ...
    def backward(
        self,
        target: np.ndarray,
        scale: np.ndarray | None,
        total_weight: float,
        x: np.ndarray,
        dy: np.ndarray,
        share: float,
        dx: np.ndarray,
        scratch: np.ndarray,
        scratch_step: int,
        lo: int,
        hi: int,
        threads: int,
    ) -> None: ...
