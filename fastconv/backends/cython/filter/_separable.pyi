from fastconv.backends.cython.filter.separable import Stage
from fastconv.backends.cython.runtime._prepared import Prepared

class Separable(Prepared):
    def __init__(
        self, table: int, size: int, dtype: int, out: int, sizes: tuple[int, int], cval: float, stages: list[Stage]
    ) -> None: ...
