"""Files in the user's cache folder: where they are, and how they are read and replaced."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path


def cache_file(name: str, variable: str) -> Path | None:
    """The file that the environment `variable` names, or `name` in the user's cache folder; it need not exist.

    None if the variable is empty.

    Raises
    ------
    OSError
        If it would be in the home folder of a user who has none.
    """
    given = os.environ.get(variable)
    cache = os.environ.get("XDG_CACHE_HOME")
    try:
        if given is not None:
            return Path(given).expanduser() if given.strip() else None
        return (Path(cache) if cache else Path.home() / ".cache") / "fastconv" / name
    except RuntimeError as e:
        raise OSError(f"the place of {name}: {e} Set {variable} to a file, or to nothing") from None


def read_regular(file: Path, most: int) -> str:
    """The text of a regular file of at most `most` bytes: a pipe could wait for ever, a device might not end."""
    status = file.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("not a regular file")
    if status.st_size > most:
        raise ValueError(f"{status.st_size} bytes long, more than fastconv ever writes")
    return file.read_text(encoding="utf-8")


def replace_text(file: Path, text: str) -> None:
    """Write a file in one step: who reads it sees the old text or the new one."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.name, suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as f:
            f.write(text)
        os.replace(temporary, file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
