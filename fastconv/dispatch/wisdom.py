"""Measured times that replace predicted ones: of this process, and of the file that `fastconv tune` writes.

`record` is called by `fastconv.compare(..., record=True)` and by `fastconv tune`; `choose` asks `known`.
Measurements count for one kernel revision, one problem and one processor.  Batch and number of threads are left out on
purpose: the choice, and with it the bits of a result, must not depend on them.  Products of matrices keep times for
each number of rows, and these choose only among kernels of one `Kernel.order`.

The file is JSON that people can read, at ``FASTCONV_WISDOM`` or in the user's cache folder; if that variable is empty
there is none.  It is read when the first choice is made.  One that cannot be read is reported by a warning and ignored;
one of another processor is ignored, and `fastconv info` says so.
"""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from fastconv.core import machine
from fastconv.core.kernel import Kernel
from fastconv.core.problems.base import Problem

CAPACITY = 4096  # problems
FORMAT = 1

_Times = dict[str, tuple[int, float]]  # kernel name -> revision, seconds
_times: OrderedDict[str, _Times] = OrderedDict()
_lock = Lock()
_loaded = False
_state = "not read yet"


def key(problem: Problem) -> str:
    """What the times of a problem are kept under: its text, for one image."""
    return repr(problem.one_image())


def record(kernel: Kernel[Any], problem: Problem, seconds: float) -> None:
    """Remember a measured median time."""
    _load_once()
    one = problem.one_image()
    images = 1 if one is problem else problem.n  # type: ignore[attr-defined]
    _put(repr(one), {kernel.name: (kernel.revision, seconds / images)})


def known(problem: Problem) -> _Times:
    """Revision and seconds per image of every kernel that was measured on `problem`."""
    _load_once()
    return _times.get(key(problem), {}) if _times else {}


def measured(kernel: Kernel[Any], problem: Problem) -> float | None:
    """Seconds per image measured for this revision of the kernel, or None."""
    revision, seconds = known(problem).get(kernel.name, (None, None))
    return seconds if revision == kernel.revision else None


def clear() -> None:
    """Forget every measurement of this process; the file stays as it is, and is not read again."""
    with _lock:
        _times.clear()


def path() -> Path | None:
    """The file of wisdom, which need not exist; None if there shall be none."""
    given = os.environ.get("FASTCONV_WISDOM")
    if given is not None:
        return Path(given).expanduser() if given.strip() else None
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "fastconv" / "wisdom.json"


def state() -> str:
    """What became of the file, in words."""
    _load_once()
    return _state


def load(file: Path) -> int:
    """Add what a file of wisdom holds; the number of problems.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is no such file, or was made on another processor.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']!r}, not {FORMAT}")
        cpu = str(content["cpu"])
        found = {
            str(problem): {str(name): (int(revision), float(seconds)) for name, (revision, seconds) in times.items()}
            for problem, times in content["times"].items()
        }
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError, UnicodeDecodeError) as e:
        raise ValueError(f"no file of wisdom: {type(e).__name__}: {e}") from None
    if cpu != machine.cpu_identity():
        raise OtherProcessorError(f"made on another processor, {cpu}")
    for problem, times in found.items():
        _put(problem, times)
    return len(found)


class OtherProcessorError(ValueError):
    """A file of wisdom that says nothing about this computer."""


def save(file: Path) -> int:
    """Write everything known to a file, in one step; the number of problems.

    What the file held of other problems and kernels stays, if it was readable and of this processor.
    """
    mine = {problem: dict(times) for problem, times in _times.items()}
    if file.exists():
        with suppress(OSError, ValueError):  # then it is replaced
            load(file)
        for problem, times in mine.items():
            _put(problem, times)
    text = json.dumps(
        {"format": FORMAT, "cpu": machine.cpu_identity(), "times": {p: _times[p] for p in sorted(_times)}}, indent=1
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.name, suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as f:
            f.write(text + "\n")
        os.replace(temporary, file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return len(_times)


def _put(problem: str, times: _Times) -> None:
    with _lock:
        _times.setdefault(problem, {}).update(times)
        _times.move_to_end(problem)
        while len(_times) > CAPACITY:
            _times.popitem(last=False)


def _load_once() -> None:
    global _loaded, _state
    if _loaded:
        return
    _loaded = True
    file = path()
    if file is None:
        _state = "none: FASTCONV_WISDOM is empty"
        return
    if not file.exists():
        _state = f"none: there is no {file}; `fastconv tune` writes it"
        return
    try:
        _state = f"{load(file)} problems from {file}"
    except OtherProcessorError as e:
        _state = f"ignored {file}: {e}"
    except (OSError, ValueError) as e:
        _state = f"ignored {file}: {e}"
        warnings.warn(f"fastconv {_state}", RuntimeWarning, stacklevel=2)
