from fastconv.backends.cython.filter.window import JoinStage
from fastconv.backends.cython.runtime._prepared import Prepared

class Window(Prepared):
    def __init__(
        self, table: int, size: int, join: int, types: tuple[int, ...], sizes: tuple[int, int, int], cval: float,
        stages: list[JoinStage],
    ) -> None: ...  # fmt: skip
