from typing import Any

import numpy as np

from fastconv.backends.cython.runtime._prepared import Prepared
from fastconv.core.problems.conv import ConvProblem

class PointwiseBlocked(Prepared):
    def __init__(
        self,
        table: int,
        p: ConvProblem,
        blocks: Any,
    ) -> None: ...
