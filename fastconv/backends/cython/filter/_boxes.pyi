from fastconv.backends.cython.filter._stages import Staged
from fastconv.backends.cython.filter.stages import JoinStage

class Boxes(Staged):
    def __init__(
        self, table: str, types: int, size: int, kind: tuple[int, int], numbers: tuple[int, int],
        sizes: tuple[int, int, int], direct: tuple[bool, bool], fill: bytes, stages: list[JoinStage],
    ) -> None: ...  # fmt: skip
