from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.adaptive import AdaptivePoolProblem

class Pool(Prepared):
    def __init__(
        self,
        table: int,
        p: AdaptivePoolProblem,
        op: int,
        finish: int,
        columns: int,
        table_bytes: int,
        blocks: tuple[int, int],
    ) -> None: ...
