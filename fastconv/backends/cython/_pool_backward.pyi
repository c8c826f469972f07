import numpy as np

def run(
    dy: np.ndarray, index: np.ndarray, out: np.ndarray, width: int, lo: int, hi: int, threads: int
) -> None: ...
