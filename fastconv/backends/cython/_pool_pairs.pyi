import numpy as np

def run(
    table: int, x: np.ndarray, y: np.ndarray, index: np.ndarray, lo: int, hi: int, threads: int
) -> None: ...
