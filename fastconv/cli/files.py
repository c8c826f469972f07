"""What commands write: checked before they measure, which takes long."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

PICTURES = (".png", ".svg", ".pdf", ".jpg", ".jpeg", ".webp")


def file_to_write(target: str) -> Path:
    """A file to write; FileNotFoundError if its folder is missing, IsADirectoryError if it is one itself."""
    path = Path(target)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"no such folder: {path.parent}")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, not a file to write")
    return path


def picture_to_write(target: str) -> Path:
    """The same for a picture; ValueError if its name is that of no picture."""
    path = file_to_write(target)
    if path.suffix.lower() not in PICTURES:
        raise ValueError(f"a picture's name must end with {', '.join(PICTURES)}; got {target!r}")
    return path


def check_targets(options: argparse.Namespace) -> None:
    """Refuse what could not be written."""
    if options.json == options.csv == "-":
        raise ValueError("--json - goes without --csv -: there is one stdout")
    for target in (options.json, options.csv, options.html):
        if target not in (None, "-"):
            file_to_write(target)
    if options.plot is not None:
        from fastconv.bench.plot import figure

        picture_to_write(options.plot)
        figure(1, 1)


def wrote(target: str) -> None:
    print(f"wrote {target}", file=sys.stderr)


def write_text(text: str, target: str | None) -> bool:
    """Write to a file, or to stdout for `-`; return whether stdout was used."""
    if target == "-":
        print(text)
        return True
    if target is not None:
        file_to_write(target).write_text(text + "\n", encoding="utf-8")
        wrote(target)
    return False
