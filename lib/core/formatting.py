"""How times, lengths and counts are written for people."""

from __future__ import annotations


def format_time(seconds: float, *, decimals: int = 1) -> str:
    """Return a point in time as ``m:ss.s`` or ``h:mm:ss.s``: ``7.12 -> '0:07.1'``."""
    unit = 10**decimals
    ticks = round(abs(seconds) * unit)
    whole, fraction = divmod(ticks, unit)
    minutes, secs = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    tail = f"{secs:02d}" + (f".{fraction:0{decimals}d}" if decimals else "")
    sign = "-" if seconds < 0 and ticks else ""
    return f"{sign}{hours}:{minutes:02d}:{tail}" if hours else f"{sign}{minutes}:{tail}"


def format_duration(seconds: float) -> str:
    """Return a length of time for people: ``3.0 s``, ``2 min 05 s``, ``1 h 02 min``."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def ago(seconds: float) -> str:
    """Return ``3 hours ago`` or ``just now``."""
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        count = int(seconds // size)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
