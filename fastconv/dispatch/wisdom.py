"""Measured times that replace predicted ones: of this process, and of the file that `fastconv tune` writes.

`fastconv.compare(..., record=True)` and `fastconv tune` call `record`; `choose` calls `known`.  Kernels from outside
that state no cost are measured where a problem is first met, and `Recipe.bind` calls `keep`.
A measurement is valid for one kernel revision, one problem and one processor.  Batch and number of threads are left out
on purpose: the choice, and with it the bits of a result, must not depend on them.  Products of matrices keep times for
each number of rows, and these decide only among kernels of one `Kernel.order`.

The file is readable JSON, at ``FASTCONV_WISDOM`` or in the user's cache folder; if that variable is empty
there is none.  It is read when the first choice is made.  A file that cannot be read, whatever the cause, is reported
by one warning and ignored; a file of another processor is ignored, and `fastconv info` says so.  Writers lock the
file and keep what others wrote.
"""

from __future__ import annotations

import json
import os
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

from fastconv.core import cpu
from fastconv.core.files import cache_file, read_regular, replace_text
from fastconv.core.kernel import Kernel
from fastconv.core.problems.base import Problem
from fastconv.dispatch.registry import ORACLE

CAPACITY = 4096  # problems
MAX_BYTES = 256 << 20  # of a file: a hundred times what CAPACITY problems take
LONGEST = 1e6  # seconds
FORMAT = 1

_Times = dict[str, tuple[int, float]]  # kernel name -> revision, seconds
_times: OrderedDict[str, _Times] = OrderedDict()
_lock = Lock()
_loaded = False
_reported: set[str] = set()
_state = "not read yet"


def key(problem: Problem) -> str:
    """The key of a problem's times: its text, for one image."""
    return repr(problem.one_image())


def record(kernel: Kernel[Any], problem: Problem, seconds: float) -> None:
    """Keep a measured median time; that of the oracle is never used."""
    if kernel.backend == ORACLE:
        return
    _load_once()
    one = problem.one_image()
    images = 1 if one is problem else problem.n  # type: ignore[attr-defined]
    _put(repr(one), {kernel.name: (kernel.revision, seconds / images)})


def keep(seconds: dict[Kernel[Any], float], problem: Problem) -> None:
    """`record`, and write these times to the file, if there is one: what is measured once lasts longer than a process.

    If it cannot be written, other processes measure again.
    """
    for kernel, time in seconds.items():
        record(kernel, problem, time)
    with suppress(OSError):
        if (file := path()) is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            with _turn(file):
                there = _readable(file)
                there[key(problem)] = there.get(key(problem), {}) | known(problem)
                _write(file, there)


def known(problem: Problem) -> _Times:
    """Revision and seconds per image of every kernel that was measured on `problem`."""
    _load_once()
    return _times.get(key(problem), {}) if _times else {}


def measured(kernel: Kernel[Any], problem: Problem) -> float | None:
    """Seconds per image measured for this revision of the kernel, or None."""
    revision, seconds = known(problem).get(kernel.name, (None, None))
    return seconds if revision == kernel.revision else None


def clear() -> None:
    """Drop every measurement of this process; the file stays as it is, and is not read again."""
    with _lock:
        _times.clear()


def path() -> Path | None:
    """The wisdom file, which need not exist; None if ``FASTCONV_WISDOM`` is empty.

    Raises
    ------
    OSError
        If it would be in the home folder of a user who has none.
    """
    return cache_file("wisdom.json", "FASTCONV_WISDOM")


def state() -> str:
    """The state of the file, in words."""
    _load_once()
    return _state


def load(file: Path) -> int:
    """Read a wisdom file and add its times; returns the number of problems.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is not a wisdom file, or was made on another processor.
    """
    found = _read(file)
    for problem, times in found.items():
        if times:
            _put(problem, times)
    alone = sum(not times for times in found.values())
    if alone:
        _report(f"ignored {alone} entries of {file}: they time the oracle alone, which is never chosen")
    return len(found) - alone


def _read(file: Path) -> dict[str, _Times]:
    try:
        content = json.loads(read_regular(file, MAX_BYTES))
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']!r:.40}, not {FORMAT}")
        made_on = str(content["cpu"])
        found = {problem: _checked(times) for problem, times in content["times"].items()}
    except (KeyError, TypeError, AttributeError, RecursionError, json.JSONDecodeError, UnicodeDecodeError) as e:
        raise ValueError(f"no file of wisdom: {type(e).__name__}: {e}") from None
    if made_on != cpu.description():
        raise OtherProcessorError(f"made on another processor, {made_on}")
    return found


def _readable(file: Path) -> dict[str, _Times]:
    """The times in a file; none if it cannot be read, or is of another processor: then it is replaced."""
    if not file.exists():
        return {}
    with suppress(OSError, ValueError):
        return {problem: times for problem, times in _read(file).items() if times}
    return {}


def _checked(times: dict[str, Any]) -> _Times:
    """The times of one problem, without the oracle's."""
    kept = {}
    for name, (revision, seconds) in times.items():
        if type(revision) is not int or type(seconds) not in (int, float) or not 0 < seconds < LONGEST:
            raise ValueError(f"revision {revision!r:.40} and time {seconds!r:.40} of {name:.80}: no int and no seconds")
        if not name.startswith(f"{ORACLE}."):
            kept[name] = (revision, float(seconds))
    return kept


class OtherProcessorError(ValueError):
    """A wisdom file of another processor."""


def save(file: Path) -> int:
    """Write all known times to a file, atomically; returns the number of problems.

    Times of other problems and kernels in the file are kept, if it was readable and of this processor.  Processes that
    write at the same time wait for each other.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with _turn(file):
        mine = {problem: dict(times) for problem, times in _times.items()}
        for times_of in (_readable(file), mine):
            for problem, times in times_of.items():
                _put(problem, times)
        _write(file, _times)
    return len(_times)


@contextmanager
def _turn(file: Path) -> Iterator[None]:
    """Lock the file among all processes; does nothing where the system has no such locks."""
    if fcntl is None:
        yield
        return
    folder = os.open(file.parent, os.O_RDONLY)  # the file itself is replaced, and a separate lock file would remain
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _write(file: Path, times: Mapping[str, _Times]) -> None:
    latest = dict(sorted(list(times.items())[-CAPACITY:]))
    content = {"format": FORMAT, "cpu": cpu.description(), "times": latest}
    replace_text(file, json.dumps(content, indent=1) + "\n")


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
    file: Path | None = None
    try:
        file = path()
        if file is None:
            _state = "none: FASTCONV_WISDOM is empty"
        else:
            _state = f"{load(file)} problems from {file}"
    except FileNotFoundError:
        _state = f"none: there is no {file}; `fastconv tune` writes it"
    except OtherProcessorError as e:
        _state = f"ignored {file}: {e}"
    except (OSError, ValueError, MemoryError) as e:
        _state = f"ignored {file}: {e}" if file is not None else f"none: {e}"
        _report(_state if file is not None else f"ignored measured times: {e}")


def _report(text: str) -> None:
    """Warn once in a process."""
    if text not in _reported:
        _reported.add(text)
        warnings.warn(f"fastconv {text:.400}", RuntimeWarning, stacklevel=2)
