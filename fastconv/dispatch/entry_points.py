"""Kernels of installed packages: what their entry points of the group ``fastconv.kernels`` refer to.

Each refers to a kernel, or to a tuple or list of kernels; its name does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Any, NamedTuple

GROUP = "fastconv.kernels"
FILE = "entry_points.txt"


class Brought(NamedTuple):
    """What one entry point refers to.

    Attributes
    ----------
    package : str
        Name of the package, as far as it is known.
    version : str or None
    where : str
        The entry point, for a warning.
    kernels : tuple
        Not checked.
    error : BaseException or None
        The failure, if the import failed.
    """

    package: str
    version: str | None
    where: str
    kernels: tuple[Any, ...] = ()
    error: BaseException | None = None


def load() -> list[Brought]:
    """Import what the entry points of all installed packages refer to; failures are part of the result."""
    found: dict[tuple[str, str], Brought] = {}
    try:
        packages = list(distributions())
    except Exception as e:  # import hooks of other packages may fail
        return [Brought("all packages", None, "whose list cannot be read", error=e)]
    for distribution in packages:
        if _has_group(distribution):
            for brought in _of(distribution):
                found.setdefault((brought.package, brought.where), brought)  # a package may be found in two folders
    return list(found.values())


def _has_group(distribution: Distribution) -> bool:
    """Whether a package names kernels; the files of most packages need not be parsed, nor be valid."""
    with suppress(OSError, ValueError):
        return GROUP in (distribution.read_text(FILE) or "")
    return False


def _of(distribution: Distribution) -> Iterator[Brought]:
    package, version = _identity(distribution)
    try:
        points = tuple(distribution.entry_points.select(group=GROUP))
    except Exception as e:  # a damaged file may raise anything in the parser
        yield Brought(package, version, FILE, error=e)
        return
    for point in points:
        where = f"entry point {point.name} = {point.value}"
        try:
            yield Brought(package, version, where, _loaded(point))
        except (Exception, SystemExit) as e:  # importing it runs foreign code, which may raise anything
            yield Brought(package, version, where, error=e)


def _loaded(point: EntryPoint) -> tuple[Any, ...]:
    value = point.load()
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _identity(distribution: Distribution) -> tuple[str, str | None]:
    """Name and version; the file that contains them may be missing."""
    with suppress(Exception):
        name, version = distribution.metadata["Name"], distribution.metadata["Version"]
        if name:
            return name, version
    return "a package without metadata", None
