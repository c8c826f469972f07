from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.conv import ConvProblem

class Pointwise(Prepared):
    def __init__(self, table: int, p: ConvProblem, block: int) -> None: ...
