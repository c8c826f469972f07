"""How a loop is compiled: for one signature, without the GIL, cached on disk between processes.

Numba distinguishes cached closures by the integers that they close over, and does not notice edits of
other files.  So each loop closes over integers only, among them `VERSION`, a checksum of this backend's sources.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic as numba_intrinsic

intrinsic: Any = numba_intrinsic

_HERE = Path(__file__).parent
VERSION = zlib.crc32(b"".join(f.read_bytes() for f in sorted([*_HERE.glob("*.py"), _HERE.parent / "tile.py"])))

INT, REAL = types.intp, types.float64


def _compile(make: Callable[[bool], Any]) -> Any:
    try:
        return make(True)
    except RuntimeError as e:
        if "cannot cache" not in str(e):
            raise
        return make(False)  # no writable folder for the cache


def loop(*args: Any) -> Callable[[Callable[..., None]], Any]:
    """Compile for arguments of these types, to be called from Python."""
    return lambda function: _compile(lambda keep: numba.njit(types.void(*args), nogil=True, cache=keep)(function))


def callback(*args: Any) -> Callable[[Callable[..., None]], Any]:
    """Compile for arguments of these types, to be called by `call_at` with the result's ``address``."""
    return lambda function: _compile(lambda keep: numba.cfunc(types.void(*args), cache=keep)(function))


@intrinsic
def call_at(typing_context, address, args):
    """Call the `callback` at `address` with a tuple of arguments."""

    def generate(context, builder, sig, values):
        given = [
            context.cast(builder, v, t, REAL if isinstance(t, types.Float) else INT)
            for v, t in zip(cgutils.unpack_tuple(builder, values[1]), args, strict=True)
        ]
        function_type = ir.FunctionType(ir.VoidType(), [v.type for v in given])
        builder.call(builder.inttoptr(values[0], function_type.as_pointer()), given)
        return context.get_dummy_value()

    return types.void(types.intp, args), generate
