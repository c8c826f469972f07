from typing import Any

from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.backends.cython.runtime.native import Axes
from fastconv.core.problems.conv import ConvProblem

class WinogradWeight(Prepared):
    def __init__(self, table: int, p: ConvProblem, scheme: Any, tables: Axes, rounds: int) -> None: ...
    @property
    def summands(self) -> int: ...
