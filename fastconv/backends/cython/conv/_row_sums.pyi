from typing import Any

from fastconv.backends.cython.conv._transposed import BlocksOfChannels
from fastconv.core.problems.conv import ConvProblem

class RowSums(BlocksOfChannels):
    def __init__(self, table: int, p: ConvProblem, blocks: Any, axes: Any, outside: bool) -> None: ...
