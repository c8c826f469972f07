"""A machine that looks for the next bug: draws calls of every kind, tries every kernel, shrinks what fails.

``python -m tests.fuzz --minutes 30``; see `tests/fuzz/__main__.py`.
"""

from .arrays import Array, array
from .cases import Case

__all__ = ["Array", "Case", "array"]
