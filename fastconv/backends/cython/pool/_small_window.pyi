from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.pool import AxisCounts, PoolProblem

class SmallWindow(Prepared):
    def __init__(
        self,
        table: int,
        p: PoolProblem,
        kernel: tuple[int, ...],
        lo: tuple[int, ...],
        op: int,
        divisors: tuple[AxisCounts, AxisCounts, AxisCounts] | None,
        scale: float,
        look: bool,
        rows: int,
        width: int,
        ahead: int = 0,
        halvings: int | None = None,
    ) -> None: ...
