from fastconv.backends.cython.filter._stages import Staged
from fastconv.backends.cython.filter.stages import JoinStage

class Window(Staged):
    def __init__(
        self, table: int, size: int, join: int, types: tuple[int, ...], sizes: tuple[int, int, int], cval: float,
        stages: list[JoinStage],
    ) -> None: ...  # fmt: skip
