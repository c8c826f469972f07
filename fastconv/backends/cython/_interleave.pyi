from collections.abc import Sequence

import numpy as np

def scratch_bytes(counts: tuple[int, int, int]) -> int: ...
def interleave(
    table: int,
    parts: Sequence[np.ndarray],
    counts: tuple[int, int, int],
    out: np.ndarray,
    channels_last: bool,
    scratch: np.ndarray,
    step: int,
    lo: int,
    hi: int,
    threads: int,
) -> None: ...
