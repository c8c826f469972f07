"""Which backends are usable here, and why the others are not."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastconv.backends.cython.runtime import native
from fastconv.bench.table import align
from fastconv.core import machine
from fastconv.dispatch.extensions import BACKENDS, all_backends, extensions


@dataclass(frozen=True, slots=True)
class Backend:
    """One backend.

    Attributes
    ----------
    name : str
    usable : bool
    why : str or None
        Why it is not usable, with the command that helps, or which instruction sets it lacks.
    version : str or None
        Of the library that it runs on, or of the package that brought it.
    isas : tuple of str
        Instruction sets that it can use here, widest first; empty where NumPy chooses.
    """

    name: str
    usable: bool
    why: str | None = None
    version: str | None = None
    isas: tuple[str, ...] = ()


class Backends(Mapping[str, Backend]):
    """The backends by name; prints as a table.

    Examples
    --------
    >>> import fastconv
    >>> fastconv.backends()["numpy"].usable
    True
    """

    def __init__(self, items: tuple[Backend, ...]) -> None:
        self._items = {b.name: b for b in items}

    @classmethod
    def from_dict(cls, data: Mapping[str, Mapping[str, Any]]) -> Backends:
        """From what ``dataclasses.asdict`` makes of each."""
        return cls(tuple(Backend(**{**b, "isas": tuple(b["isas"])}) for b in data.values()))

    def __getitem__(self, name: str) -> Backend:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def usable(self) -> tuple[str, ...]:
        """Names of those that work here."""
        return tuple(b.name for b in self.values() if b.usable)

    def __str__(self) -> str:
        rows = [("backend", "usable", "version", "instruction sets / why not")]
        for b in self.values():
            words = ", ".join(b.isas) if b.usable else ""
            words = "; ".join(filter(None, (words, b.why))) or "-"
            rows.append((b.name, "yes" if b.usable else "no", b.version or "-", words))
        return "\n".join(align(rows, left=(0, 1, 2)))

    __repr__ = __str__


def _numba() -> Backend:
    if importlib.util.find_spec("numba") is None:
        return Backend("numba", False, "numba is not installed: pip install 'fastconv[numba]'")
    return Backend("numba", True, version=importlib.metadata.version("numba"), isas=machine.host_isas())


def _cython() -> Backend:
    reason = native.build_problem()
    if reason is not None:
        return Backend("cython", False, reason)
    lost = [reason for i in machine.host_isas() if (reason := native.unavailable(i)) is not None]
    isas = tuple(i for i in machine.host_isas() if native.unavailable(i) is None)
    return Backend("cython", True, "; ".join(lost) or None, isas=isas)


def _outside() -> Iterator[Backend]:
    """Backends of kernels from outside."""
    for name in all_backends()[len(BACKENDS) :]:
        theirs = [e for e in extensions() if e.kernel.backend == name]
        isas = {e.kernel.isa for e in theirs}
        yield Backend(name, True, version=theirs[0].version, isas=tuple(i for i in machine.host_isas() if i in isas))


def found() -> Backends:
    """What `fastconv.backends` returns."""
    return Backends(
        (
            _cython(),
            _numba(),
            Backend("numpy", True, version=np.__version__),
            Backend("reference", True, version=np.__version__),
            *_outside(),
        )
    )
