import numpy as np

from fastconv.backends.cython._prepared import Prepared

class Activation(Prepared):
    def __init__(self, table: int, size: int, block: int, f: int, first: float, second: float) -> None: ...

def relu_backward(
    table: int, dy: np.ndarray, x: np.ndarray, dx: np.ndarray, block: int, lo: int, hi: int, threads: int
) -> None: ...
