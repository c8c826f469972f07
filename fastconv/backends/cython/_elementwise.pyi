import numpy as np

from fastconv.backends.cython._prepared import Prepared

class Activation(Prepared):
    def __init__(self, table: int, size: int, block: int, f: int, first: float, second: float) -> None: ...

class Gated(Prepared):
    def __init__(self, table: int, rows: int, length: int, block: int, backward: bool) -> None: ...

def backward(
    table: int,
    f: int,
    first: float,
    second: float,
    dy: np.ndarray,
    x: np.ndarray,
    dx: np.ndarray,
    block: int,
    lo: int,
    hi: int,
    threads: int,
) -> None: ...
