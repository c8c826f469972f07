from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.loss import LossProblem
from fastconv.core.problems.softmax import SoftmaxProblem

class Softmax(Prepared):
    def __init__(self, table: int, p: SoftmaxProblem, block: int, items: int, in_scratch: bool) -> None: ...

class Loss(Prepared):
    def __init__(self, table: int, p: LossProblem, block: int, items: int, in_scratch: bool) -> None: ...
