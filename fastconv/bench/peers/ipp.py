"""Intel IPP through ctypes: its libraries, where the package `ipp` has put them.

The libraries for one kind of CPU are loaded themselves: the ones above them, which choose among them, end the process
if they do not find what they look for.  Importing this raises an `ImportError` where there are none.
"""

from __future__ import annotations

import ctypes
import sys
from importlib import metadata
from pathlib import Path

from fastconv.core import machine

KINDS = {"avx512": "k0", "avx2": "l9", "portable": "y8"}  # by the widest instruction set


def _folder() -> Path:
    for place in (Path(sys.prefix, "lib"), *(Path(p, "..", "..", "..") for p in sys.path if p.endswith("-packages"))):
        if Path(place, "libippcore.so.12").is_file():
            return place
    raise ModuleNotFoundError("Intel IPP's libraries are not there", name=__name__)


def _load(folder: Path, name: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(Path(folder, f"lib{name}.so.12")), mode=ctypes.RTLD_GLOBAL)
    except OSError as e:
        raise ImportError(str(e)) from None


def _version() -> str:
    try:
        return metadata.version("ipp")
    except metadata.PackageNotFoundError:
        return "unknown"


_kind = next(kind for isa, kind in KINDS.items() if isa in machine.host_isas())
_where = _folder()
core = _load(_where, "ippcore")
core.ippInit()
images = _load(_where, f"ippi{_kind}")
vision = _load(_where, f"ippcv{_kind}")
__version__ = _version()
