"""Files damaged by chance: the same for the same random numbers."""

from __future__ import annotations

import random
import re
from typing import Any

VIDEOS: dict[str, dict[str, Any]] = {
    "a.mp4": {"audio": "aac"},
    "fragments.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "a.mkv": {},
    "a.webm": {"codec": "libvpx"},
    "a.avi": {"codec": "mpeg4"},
    "a.ts": {},
    "a.flv": {"codec": "flv"},
}
"""Names of videos of each container, and what ``make_video`` makes them with."""
_LENGTHS = (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0")
_NUMBERS = (
    "9" * 5000,
    "1e99999999",
    "-1e999999999",
    "1e-320",
    "1/99999999999999",
    "0xfff" + "f" * 5000,
    "NaN",
    "1:" * 99,
)
_NUMBER = re.compile(r"\d+(\.\d+)?")
_FLOODS = ("<", "[", '{"a":', "(", "9", "- ", "&a ", "*", "\\", '"', ",", "\t", "\n", " ", "é", "1:", "!!")


def mutated(whole: bytes, rng: random.Random) -> bytes:
    """Return a file with bytes changed, cut off, cut out, or a length near its start that lies."""
    content = bytearray(whole)
    match rng.randrange(4):
        case 0:
            for _ in range(rng.choice((1, 8, 64))):
                content[rng.randrange(len(content))] = rng.randrange(256)
        case 1:
            del content[rng.randrange(1, len(content)) :]
        case 2:
            start = rng.randrange(len(content))
            del content[start : start + rng.randrange(1, 200)]
        case _:
            start = rng.randrange(min(2000, len(content)))
            content[start : start + 4] = rng.choice(_LENGTHS)
    return bytes(content)


def mutated_text(whole: str, rng: random.Random) -> bytes:
    """Return a text with bytes changed or cut, a number out of all bounds, or a flood of one thing in it."""
    match rng.randrange(4):
        case 0:
            return mutated(whole.encode(), rng)
        case 1:
            numbers = list(_NUMBER.finditer(whole))
            for number in sorted(rng.sample(numbers, min(len(numbers), rng.randint(1, 3))), key=lambda m: -m.start()):
                whole = whole[: number.start()] + rng.choice(_NUMBERS) + whole[number.end() :]
        case 2:
            at = rng.randrange(len(whole) + 1)
            whole = whole[:at] + rng.choice(_FLOODS) * rng.choice((40, 3000, 200_000)) + whole[at:]
        case _:
            lines = whole.splitlines(keepends=True)
            at = rng.randrange(len(lines))
            lines[at : at + 1] = rng.choice(([], [lines[at]] * 2000, [lines[at], rng.choice(lines)]))
            whole = "".join(lines)
    return whole.encode()
