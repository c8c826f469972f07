import numpy as np

def run(
    table: int, x: np.ndarray, y: np.ndarray, elements: int, width: int, lo: int, hi: int, threads: int
) -> None: ...
