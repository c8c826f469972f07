from fastconv.backends.cython.filter._walk import Walked

class Rank(Walked):
    def __init__(
        self, dtype: int, out: int, cval: float, rank: int, of_bytes: bool, square: int, pitches: tuple[int, int],
        part: int, apart: int,
    ) -> None: ...
