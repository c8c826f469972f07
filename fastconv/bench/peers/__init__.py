"""The same work by other libraries, measured in the same run.

Each module has ``contenders(work) -> list of Contender``, which raises `Unsupported` with a reason, and
``limit(threads) -> context manager``, which sets the library's own number of threads.  A module is imported when its
peer is measured, so that a missing library causes a note and no error.
"""

from __future__ import annotations

import importlib
from types import ModuleType

# name -> (packages that it imports, command that installs them)
PEERS: dict[str, tuple[tuple[str, ...], str]] = {
    "numpy": (("numpy",), "pip install fastconv"),
    "scipy": (("scipy",), "pip install 'fastconv[scipy]'"),
    "torch": (("torch",), "pip install 'fastconv[torch]'"),
    "onnxruntime": (("onnxruntime", "onnx"), "pip install 'fastconv[peers]'"),
    "openvino": (("openvino",), "pip install 'fastconv[peers]'"),
    "ncnn": (("ncnn",), "pip install 'fastconv[peers]'"),
    "opencv": (("cv2",), "pip install 'fastconv[peers]'"),
    "ipp": (("fastconv.bench.peers.ipp",), "pip install ipp"),
}


def missing(peer: str) -> str | None:
    """Why a peer cannot be measured, with the command that installs it; None if its packages import."""
    packages, command = PEERS[peer]
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as e:
            if isinstance(e, ModuleNotFoundError) and e.name == package:
                return f"{package.rpartition('.')[2]} is not installed: {command}"
            return f"{package} does not import ({e}): {command}"
    return None


def load(peer: str) -> ModuleType:
    """The module that does the work with `peer`; its packages must be there."""
    return importlib.import_module(f"fastconv.bench.peers.{peer}_peer")


def version(peer: str) -> str:
    """Version of an installed peer."""
    return str(getattr(importlib.import_module(PEERS[peer][0][0]), "__version__", "unknown")).split("-")[0]
