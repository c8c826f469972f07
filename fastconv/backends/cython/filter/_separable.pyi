from fastconv.backends.cython.filter._stages import Staged
from fastconv.backends.cython.filter.separable import Stage

class Separable(Staged):
    def __init__(
        self, table: int, size: int, dtype: int, out: int, sizes: tuple[int, int], cval: float, stages: list[Stage]
    ) -> None: ...
