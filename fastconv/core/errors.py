"""The exception types of the library, its warning, and helpers for their messages.

Each message names the argument, what it was and what is allowed.  The types derive from the
built-in that NumPy or torch users already catch.  A value that is out of range but is neither
a shape nor a dtype (``stride=0``, an unknown ``padding_mode``) is a plain ``ValueError``.
"""

from __future__ import annotations

import operator
import sys
import warnings
from collections.abc import Iterable
from reprlib import Repr
from typing import Any

LONGEST_INT = 128  # bits of the longest int that is printed in full


class ShapeError(ValueError):
    """A shape, or a combination of shapes, that the operation does not allow."""


class DTypeError(TypeError):
    """A dtype, or a combination of dtypes, that the operation does not allow."""


class UnsupportedError(NotImplementedError):
    """A valid request that no kernel here supports; the message says why, and what would be supported."""


class FastconvWarning(UserWarning):
    """Something works, but not as well as it could, or not as its user may expect; the message says what to do."""


class MissingExtraError(ImportError):
    """An optional dependency is absent; the message says which command installs it."""


def warn(message: str) -> None:
    """A `FastconvWarning` that names the line of the user's code, however deep in this package it is found."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "fastconv":
        level, frame = level + 1, frame.f_back
    warnings.warn(message, FastconvWarning, stacklevel=level)


def missing_extra(package: str, extra: str, purpose: str) -> MissingExtraError:
    """The error for an absent optional dependency."""
    return MissingExtraError(
        f"{purpose} needs {package}, which is not installed: pip install 'fastconv[{extra}]'"
    )


class _Short(Repr):
    """Short representations of values: a user may have passed a whole image, or 10**400."""

    def __init__(self) -> None:
        super().__init__()
        self.maxtuple = self.maxlist = self.maxset = self.maxdict = 8
        self.maxstring = self.maxother = 80

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if x.bit_length() <= LONGEST_INT else f"<an int of {x.bit_length()} bits>"


_short = _Short().repr


def shown(value: Any) -> str:
    """What a user passed, for an error message: one short line."""
    return " ".join(_short(value).split())


def did_you_mean(value: Any, names: Iterable[str]) -> str:
    """The end of an error message: the one of `names` that is probably meant, whatever its case; "" if none is."""
    from difflib import get_close_matches

    if not isinstance(value, str):
        return ""
    plain = {name.casefold(): name for name in names}
    close = get_close_matches(value.casefold(), plain, 1)
    return f"; did you mean {plain[close[0]]!r}?" if close else ""


def not_among(name: str, value: Any, names: Iterable[str], among: str = "one of") -> str:
    """The error message for an argument that must be one of `names`."""
    known = tuple(names)
    return f"{name} must be {among} {', '.join(known)}, got {shown(value)}{did_you_mean(value, known)}"


def whole(value: Any, wanted: str, typed: bool = False) -> int:
    """`value`, an integer of any kind but no bool, as a Python int.

    Raises
    ------
    TypeError
        For anything else.  The message says what is `wanted` and what it was; if `typed`, also of which type.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        kind = f" of type {type(value).__name__}" if typed else ""
        raise TypeError(f"{wanted}, got {shown(value)}{kind}") from None
