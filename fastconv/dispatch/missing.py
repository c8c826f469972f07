"""A warning, once, where native kernels are missing: other backends compute the same and take several times as long."""

from __future__ import annotations

from collections.abc import Iterable

from fastconv.core.errors import warn
from fastconv.dispatch.survey import Candidate

NOT_COMPILED = "not compiled"  # how the reasons of kernels begin whose backend is missing
_warned = False


def warn_of_missing(candidates: Iterable[Candidate]) -> None:
    """Warn if a candidate is a native kernel that this machine could run and that the build left out; once."""
    global _warned
    if _warned:
        return
    reason = next((c.reason for c in candidates if c.reason is not None and c.reason.startswith(NOT_COMPILED)), None)
    if reason is not None:
        _warned = True  # first: the warning may be an error
        warn(
            f"fastconv runs without its fastest native kernels, which are several times faster: {reason}. "
            "`fastconv info` shows what works here"
        )
