from fastconv.backends.cython.runtime._prepared import Prepared

class Activation(Prepared):
    def __init__(
        self, table: int, size: int, block: int, f: int, first: float, second: float, backward: bool
    ) -> None: ...

class Gated(Prepared):
    def __init__(self, table: int, rows: int, length: int, block: int, backward: bool) -> None: ...
