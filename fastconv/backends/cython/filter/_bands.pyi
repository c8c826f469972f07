from typing import Any

from fastconv.backends.cython.runtime._prepared import Prepared

class Bands(Prepared):
    def __init__(self, table: str, types: int, size: int, cval: float, parts: Any, plan: Any) -> None: ...
