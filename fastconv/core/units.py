"""Times and sizes as people read them: a fitting unit, three or four digits."""

from __future__ import annotations


def time_text(seconds: float | None) -> str:
    """Seconds, milliseconds or microseconds; "-" for None and NaN."""
    if seconds is None or seconds != seconds:
        return "-"
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= scale:
            return f"{seconds / scale:.2f} {unit}"
    return f"{seconds * 1e6:.1f} us"


def bytes_text(count: float | None) -> str:
    """Bytes, KiB, MiB or GiB; "-" for None."""
    if count is None:
        return "-"
    for unit, scale in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count:.0f} B"
