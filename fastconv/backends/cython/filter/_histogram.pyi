from fastconv.backends.cython.filter._walk import Walked

class Histogram(Walked):
    def __init__(self, fill: int, rank: int) -> None: ...
