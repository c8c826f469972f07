"""The few exception types of the library.

Each message names the argument, what it was and what is allowed.  The types derive from the
built-in that NumPy or torch users already catch.  A value that is out of range but is neither
a shape nor a dtype (``stride=0``, an unknown ``padding_mode``) is a plain ``ValueError``.
"""


class ShapeError(ValueError):
    """A shape, or a combination of shapes, that the operation does not allow."""


class DTypeError(TypeError):
    """A dtype, or a combination of dtypes, that the operation does not allow."""


class UnsupportedError(NotImplementedError):
    """A valid request that no kernel here can serve; the text says why, and what would do."""


class MissingExtraError(ImportError):
    """An optional dependency is absent; the text says which command installs it."""


def missing_extra(package: str, extra: str, purpose: str) -> MissingExtraError:
    """The one sentence for an absent optional dependency."""
    return MissingExtraError(
        f"{purpose} needs {package}, which is not installed: pip install 'fastconv[{extra}]'"
    )
