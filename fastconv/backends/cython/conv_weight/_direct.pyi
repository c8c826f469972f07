from typing import Any

from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.backends.cython.runtime.native import Axes
from fastconv.core.problems.conv import ConvProblem

class Weight(Prepared):
    def __init__(self, table: int, p: ConvProblem, tables: Axes, plan: Any) -> None: ...
