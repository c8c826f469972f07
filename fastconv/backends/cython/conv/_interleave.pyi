from collections.abc import Sequence

import numpy as np

from fastconv.backends.cython.runtime._prepared import Prepared

class Interleave(Prepared):
    def __init__(self, table: int, counts: tuple[int, int, int], channels_last: bool, items: int) -> None: ...
    def scratch_bytes(self) -> int: ...
    def join(self, parts: Sequence[np.ndarray], out: np.ndarray) -> None: ...
