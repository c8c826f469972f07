"""How a loop is compiled: for one signature, without the GIL, kept on disk between processes.

Numba tells closures on disk apart by the integers that they close over, and does not see edits to
other files.  So each loop closes over integers only, among them `VERSION`, a checksum of this backend's sources.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import types

_HERE = Path(__file__).parent
VERSION = zlib.crc32(b"".join(f.read_bytes() for f in sorted([*_HERE.glob("*.py"), _HERE.parent / "tile.py"])))

INT, REAL = types.intp, types.float64


def loop(*args: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Compile for arguments of these types."""

    def compile_now(function: Callable[..., None]) -> Callable[..., None]:
        signature = types.void(*args)
        try:
            return numba.njit(signature, nogil=True, cache=True)(function)
        except RuntimeError as e:
            if "cannot cache" not in str(e):
                raise
            return numba.njit(signature, nogil=True)(function)  # no writable place to keep it

    return compile_now
