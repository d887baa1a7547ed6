"""Damaged files of every container: a video, or a ``VideoError``; nothing else leaves ``lib.media``."""

from __future__ import annotations

import random
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from lib.core.errors import VideoError
from lib.core.sampling import Sampling
from lib.media.frames import FrameReader, frame_at, probe
from lib.media.playable_copy import make_playable_copy
from tests.helpers.videos import make_video, palette

SEED = 12
KINDS: dict[str, dict[str, Any]] = {
    "a.mp4": {"audio": "aac"},
    "fragments.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "a.mkv": {},
    "a.webm": {"codec": "libvpx"},
    "a.avi": {"codec": "mpeg4"},
    "a.ts": {},
    "a.flv": {"codec": "flv"},
}
LENGTHS = (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0")


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
            content[start : start + 4] = rng.choice(LENGTHS)
    return bytes(content)


@pytest.mark.parametrize("name", KINDS)
def test_a_mutated_file_is_a_video_or_a_video_error(name: str, tmp_path: Path) -> None:
    whole = make_video(tmp_path / name, colours=palette(16), gop=6, **KINDS[name]).read_bytes()
    rng = random.Random(f"{SEED} {name}")
    path = tmp_path / f"mutated {name}"
    every_frame = Sampling("stride", Fraction(1))
    for number in range(22):
        path.write_bytes(mutated(whole, rng))
        with suppress(VideoError):
            probe(path)
        with suppress(VideoError):
            list(FrameReader(path, every_frame, short_side=32))
        with suppress(VideoError):
            frame_at(path, 0.5)
        if number % 4 == 0:
            with suppress(VideoError):
                make_playable_copy(path, tmp_path / "copy.mp4")
    assert not list(tmp_path.glob("*.tmp"))


def test_a_fragmented_file_that_breaks_after_its_first_fragment_keeps_that(tmp_path: Path) -> None:
    path = make_video(tmp_path / "f.mp4", colours=palette(24), gop=6, **KINDS["fragments.mp4"])
    content = bytearray(path.read_bytes())
    for at in range(content.index(b"moof", content.index(b"moof") + 4) + 4, len(content), 7):
        content[at] ^= 0xFF
    path.write_bytes(content)
    assert probe(path).width == 64
    reader = FrameReader(path, Sampling("stride", Fraction(1)))
    assert len(list(reader)) >= 1
    assert reader.damage is not None
