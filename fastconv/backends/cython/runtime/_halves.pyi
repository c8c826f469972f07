from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

def convert(table: int, y: Array, x: Array, bfloat: bool, wide: bool) -> None: ...
