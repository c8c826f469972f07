"""A fuzzer: it draws calls of every kind, tries every kernel, and shrinks the calls that fail.

``python -m tests.fuzz --minutes 30``; see `tests/fuzz/__main__.py`.
"""

from .arrays import Array, array
from .cases import Case

__all__ = ["Array", "Case", "array"]
