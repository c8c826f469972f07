from typing import Any

import numpy as np

from fastconv.core.kernel import Run

class Prepared:
    @property
    def items(self) -> int: ...
    def share(self, scratch_bytes: int, threads: int, parts: tuple[tuple[int, int], ...]) -> None: ...
    def bind(self, weights: np.ndarray, bias: Any = None, plain: Any = None) -> Run: ...
