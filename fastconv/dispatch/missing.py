"""A warning, once, where native kernels are missing: other backends compute the same and take several times as long."""

from __future__ import annotations

from collections.abc import Iterable

from fastconv.core.errors import warn

NOT_COMPILED = "not compiled"  # how the reasons of kernels begin whose backend is missing
_warned = False


def warn_of_missing(refused: Iterable[str]) -> None:
    """Warn if a kernel refused a problem because the build left it out, on a machine that could run it; once."""
    global _warned
    if _warned:
        return
    reason = next((why for why in refused if why.startswith(NOT_COMPILED)), None)
    if reason is not None:
        _warned = True  # first: the warning may be an error
        warn(
            f"fastconv runs without its fastest native kernels, which are several times faster: {reason}. "
            "`fastconv info` shows what works here"
        )
