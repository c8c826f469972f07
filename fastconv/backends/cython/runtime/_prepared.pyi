from typing import Any

import numpy as np

from fastconv.backends.cython.runtime.native import Contiguous

class Bound:
    def __call__(self, x: np.ndarray, out: np.ndarray, third: np.ndarray | None = None) -> None: ...
    def plain(self, x: np.ndarray, out: np.ndarray) -> bool: ...
    def plain_both(self, x: np.ndarray, outs: tuple[np.ndarray, np.ndarray]) -> bool: ...

class Prepared:
    @property
    def items(self) -> int: ...
    @property
    def closing(self) -> int: ...
    def schedule(
        self,
        scratch_bytes: int,
        threads: int,
        parts: tuple[tuple[int, int], ...],
        x: Contiguous,
        y: Contiguous,
        z: Contiguous,
        shared_bytes: int,
    ) -> None: ...
    def expect(self, weights: int, biases: int, packed: int, panels: tuple[int, int, int, bool] | tuple[()]) -> None: ...
    def plain(
        self, x: np.ndarray, out: np.ndarray, weights: np.ndarray, bias: np.ndarray | None = None, pack: Any = None
    ) -> bool: ...
    def multiply(
        self, x: np.ndarray, out: np.ndarray, b: np.ndarray, c: np.ndarray | None = None, bias: np.ndarray | None = None
    ) -> bool: ...
    def bind(self, weights: Any = None, bias: Any = None, plain: Any = None, more: Any = None) -> Bound: ...
