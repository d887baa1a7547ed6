"""How times, sizes, counts and shares are written for people, and text for Markdown."""

from __future__ import annotations

import re
import unicodedata

_NAME_BYTES = 200
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_DEVICE = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9\u00b9\u00b2\u00b3])(\.|$)", re.IGNORECASE)
JOINER = "\u2060"
"""Put into what Markdown would make a link of; it is not seen, and copied along with a text."""
_SIGN = r"(?<![^\s\ufeff])(?:<->|->|<-|--|[<>~]=)(?![^\s\ufeff])"
"""What is drawn as an arrow, a dash or a relation between blanks."""
_SOUGHT = re.compile(rf":(?=[^\s\d]|\d+[a-z]|100:|1234:)|www(?=\.)|@|{_SIGN}", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""What turns the direction of all that follows, beyond the end of a name."""
_THIS_MACHINE = re.compile(r"https?://(localhost|127(\.\d{1,3}){3})(:\d{1,5})?(?![\w.:@])")
_MARKUP = re.compile(
    rf"[\\`*\[\]<>~$|&{{}}\n]|(?<!\w)_|_(?!\w)|^\s*([#>+-]|\d+[.)])|{_SOUGHT.pattern}|{_TURNS.pattern}", re.IGNORECASE
)


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


def format_rough_duration(seconds: float) -> str:
    """Return a length of time that is reckoned: ``15 s``, ``2 min``, ``1 h 02 min``."""
    if round(seconds) < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def ago(seconds: float) -> str:
    """Return ``3 hours ago`` or ``just now``."""
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        count = int(seconds // size)
        if count:
            return f"{plural(count, unit)} ago"
    return "just now"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 video``, ``2,000 videos``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def percent(share: float) -> str:
    """Return a share in whole percent: ``43 %``; ``under 1 %`` and ``over 99 %`` where 0 and 100 would be wrong."""
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 <= share < 1 - 1e-9:
        return "over 99 %"
    return f"{share * 100:.0f} %"


def format_bytes(size: int) -> str:
    """Return a size as people write it: ``1.5 GB`` (powers of 1000)."""
    if size < 1000:
        return f"{size} B"
    value, units = size / 1000, ["kB", "MB", "GB", "TB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.0f} {units[0]}" if value >= 99.95 else f"{value:.1f} {units[0]}"


def megabytes_done(done: int, total: int | None, *, decimals: int = 0) -> str:
    """Return bytes done of all: ``25 of 600 MB``, ``25 MB`` without a total."""
    of = f" of {total / 1e6:,.{decimals}f}" if total else ""
    return f"{done / 1e6:,.{decimals}f}{of} MB"


def shortened(text: str, max_length: int) -> str:
    """Return ``text`` as one line of at most ``max_length`` characters, ``…`` at the end where some are cut off."""
    line = " ".join(text.split())
    return line if len(line) <= max_length else line[: max_length - 1] + "…"


def file_name(stem: str, ending: str = "") -> str:
    """Return a name for a file: letters with their marks, digits, dots, hyphens, all else ``_``; at most 200 bytes.

    File systems take 255 in UTF-8, of which some are for what is added while the file is written. The ending stays
    whole. No name is hidden, taken for an option, or a device of Windows.
    """
    composed = unicodedata.normalize("NFC", stem)
    kept = "".join(c if c in "_.-" or c.isalnum() or unicodedata.category(c) in ("Mn", "Mc") else " " for c in composed)
    name = re.sub(r"^([.-]|$)", r"_\1", re.sub(" +", "_", kept))
    if _DEVICE.match(name + ending):
        name = f"_{name}"
    return cut_to_bytes(name, _NAME_BYTES - len(ending.encode())) + ending


def cut_to_bytes(text: str, max_bytes: int) -> str:
    """Return as many of the first characters of ``text`` as fit into ``max_bytes`` bytes of UTF-8."""
    return text.encode("utf-8", "replace")[:max_bytes].decode("utf-8", "ignore")


def encodable(text: str) -> str:
    """Return ``text`` with U+FFFD for what UTF-8 can't encode, as in a file name of other bytes."""
    return _SURROGATE.sub("\ufffd", text)


def escape_markdown(text: str) -> str:
    """Return ``text`` such that Streamlit's Markdown draws it as it is: a name, a label, a title.

    Links, emoji, icons and arrows are found in the text after backslashes are gone, so what begins or makes them
    (``http://``, ``www.``, ``@``, ``:name``, ``->``) is parted by an invisible word joiner. Characters that turn the
    direction of what follows are left out: they would turn the rest of the sentence.
    """
    line = " ".join(_TURNS.sub("", text).split())
    parted = _SOUGHT.sub(lambda found: found[0] + JOINER, line)
    return re.sub(r"([\\`*_{}\[\]<>()#+\-.!|~$:&])", r"\\\1", parted)


def as_text(text: str) -> str:
    """Return what ``escape_markdown`` does, or ``text`` itself where it has no markup, as most names and errors.

    A server's address on this machine is no markup.
    """
    text = encodable(text)
    return escape_markdown(text) if _MARKUP.search(_THIS_MACHINE.sub("", text)) else text
