from fastconv.backends.cython.filter._walk import Walked

class Correlation(Walked):
    def __init__(self, dtype: int, out: int, cval: float, sums_pitch: int) -> None: ...
