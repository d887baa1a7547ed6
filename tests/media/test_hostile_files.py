"""Damaged files of every container: a video, or a ``VideoError``; nothing else leaves ``lib.media``."""

from __future__ import annotations

import random
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest

from lib.core.errors import VideoError
from lib.core.sampling import Sampling
from lib.media.containers import has_absurd_index
from lib.media.frames import FrameReader, frame_at, probe
from lib.media.playable_copy import make_playable_copy
from tests.helpers.mutations import VIDEOS, mutated
from tests.helpers.videos import make_video, palette

SEED = 12


@pytest.mark.parametrize("name", VIDEOS)
def test_a_mutated_file_is_a_video_or_a_video_error(name: str, tmp_path: Path) -> None:
    whole = make_video(tmp_path / name, colours=palette(16), gop=6, **VIDEOS[name]).read_bytes()
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
    path = make_video(tmp_path / "f.mp4", colours=palette(24), gop=6, **VIDEOS["fragments.mp4"])
    content = bytearray(path.read_bytes())
    for at in range(content.index(b"moof", content.index(b"moof") + 4) + 4, len(content), 7):
        content[at] ^= 0xFF
    path.write_bytes(content)
    assert probe(path).width == 64
    reader = FrameReader(path, Sampling("stride", Fraction(1)))
    assert len(list(reader)) >= 1
    assert reader.damage is not None


@pytest.mark.parametrize("count", [1_000_000, 200_000_000])
@pytest.mark.parametrize(("name", "kind", "at"), [("fragments.mp4", b"trun", 8), ("a.mp4", b"stsz", 12)])
def test_an_index_of_more_samples_than_the_file_holds_takes_no_memory(
    name: str, kind: bytes, at: int, count: int, tmp_path: Path
) -> None:
    path = make_video(tmp_path / name, colours=palette(24), gop=6, **VIDEOS[name])
    content = bytearray(path.read_bytes())
    place = content.index(kind) - 4 + at + 4
    content[place : place + 4] = count.to_bytes(4, "big")
    path.write_bytes(content)
    assert has_absurd_index(path)
    with pytest.raises(VideoError, match="more samples than the file holds; copy or download it again"):
        probe(path)
