from fastconv.backends.cython.filter.truncated import TruncatedPlan
from fastconv.backends.cython.runtime._prepared import Prepared

class Truncated(Prepared):
    def __init__(
        self, table: str, types: int, plan: TruncatedPlan, dtype: int, sizes: tuple[int, int], is_signed: bool,
        cval: float,
    ) -> None: ...
