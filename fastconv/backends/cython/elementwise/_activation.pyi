from fastconv.backends.cython.runtime._prepared import Prepared

class Activation(Prepared):
    def __init__(
        self, table: int, size: int, block: int, f: int, first: float, second: float, backward: bool
    ) -> None: ...

class Sloped(Prepared):
    def __init__(self, table: int, size: int, block: int, channels: int, inner: int) -> None: ...

class Limited(Prepared):
    def __init__(
        self, table: int, size: int, block: int, kind: int, itemsize: int, low: int, high: int
    ) -> None: ...

class Gated(Prepared):
    def __init__(self, table: int, rows: int, length: int, block: int, backward: bool) -> None: ...
