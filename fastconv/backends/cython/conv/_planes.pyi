from typing import Any

from fastconv.backends.cython.runtime.native import Axes
from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.conv import ConvProblem

class Planes(Prepared):
    def __init__(self, table: int, p: ConvProblem, tables: Axes, blocks: Any) -> None: ...
