from typing import Any

from fastconv.core.kernel import Run

class Prepared:
    @property
    def items(self) -> int: ...
    def share(
        self,
        scratch_bytes: int,
        threads: int,
        parts: tuple[tuple[int, int], ...],
        x: tuple[int, ...],
        y: tuple[int, ...],
    ) -> None: ...
    def bind(self, weights: Any = None, bias: Any = None, plain: Any = None) -> Run: ...
