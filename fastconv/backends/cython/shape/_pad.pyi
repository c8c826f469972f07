from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.backends.cython.shape.pad import AxisOfPad

class Padded(Prepared):
    def __init__(
        self, table: int, n: int, axes: list[AxisOfPad], unit: int, pattern: bytes, block: int
    ) -> None: ...
