"""The sound of copies and clips: in step with their pictures."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from lib.media.annotated_clip import annotated_clip
from lib.media.frames import probe
from lib.media.playable_copy import make_playable_copy
from tests.helpers.frames import read_frames
from tests.helpers.videos import make_video, palette


def decoded_sound(path: Path) -> tuple[np.ndarray, float]:
    """Mono samples and the time of the first one."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    start = float(frames[0].pts * frames[0].time_base)
    return np.concatenate([frame.to_ndarray().mean(0) for frame in frames]), start


@pytest.mark.parametrize(
    ("suffix", "audio", "rate"),
    [("avi", "pcm_s16le", 48000), ("mkv", "libopus", 48000), ("mov", "aac", 44100)],
)
def test_sound_stays_in_step(suffix: str, audio: str, rate: int, tmp_path: Path) -> None:
    source = make_video(tmp_path / f"a.{suffix}", colours=palette(72), codec="mpeg4", audio=audio, audio_rate=rate)
    make_playable_copy(source, tmp_path / "copy.mp4")
    samples, start = decoded_sound(tmp_path / "copy.mp4")
    assert start == pytest.approx(0, abs=0.03)
    assert len(samples) / 48000 == pytest.approx(3, abs=0.06)
    loud = samples[4800:-4800]
    spectrum = np.abs(np.fft.rfft(loud))
    assert np.fft.rfftfreq(len(loud), 1 / 48000)[spectrum.argmax()] == pytest.approx(440, abs=2)


def test_sound_that_starts_later_does_so_in_the_copy(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mkv", colours=palette(72), codec="mpeg4", audio="libopus", audio_start=1.5)
    make_playable_copy(source, tmp_path / "copy.mp4")
    samples, start = decoded_sound(tmp_path / "copy.mp4")
    loud = np.abs(samples) > 0.02
    assert start + loud.argmax() / 48000 == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize("start", [0.4, 3.0, 7200.0])
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts"])
def test_picture_and_sound_of_a_late_video_keep_step_in_its_copy(suffix: str, start: float, tmp_path: Path) -> None:
    """The second picture and a tone begin 0.5 s after the first."""
    source, times = tmp_path / f"late.{suffix}", [0, 0.5, 1]
    make_video(source, colours=palette(3), times=times, start=start, rate=2, audio="aac", audio_start=start + 0.5)
    info, (original, _) = probe(source), read_frames(source)
    make_playable_copy(source, tmp_path / "copy.mp4", offset_s=info.copy_offset_s)
    frames, reader = read_frames(tmp_path / "copy.mp4")
    assert [frame.time_s + info.copy_offset_s for frame in frames] == [frame.time_s for frame in original]
    assert reader.end_s - frames[0].time_s == pytest.approx(1.5, abs=0.01)
    samples, sound_start = decoded_sound(tmp_path / "copy.mp4")
    loud = sound_start + (np.abs(samples) > 0.02).argmax() / 48000
    assert loud == pytest.approx(frames[1].time_s, abs=0.05)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("start_s", [0.0, 1.0, 2.5])
def test_an_annotated_clip_has_the_sound_of_its_part(suffix: str, start_s: float, tmp_path: Path) -> None:
    """A tone from 2 s on, in 5 s."""
    source = make_video(tmp_path / f"a.{suffix}", colours=palette(50), rate=10, audio="aac", audio_start=2.0)
    annotated_clip(source, tmp_path / "clip.mp4", lambda _: [], start_s=start_s, end_s=4)
    samples, start = decoded_sound(tmp_path / "clip.mp4")
    loud = start + np.flatnonzero(np.abs(samples) > 0.02) / 48000
    assert loud[0] == pytest.approx(max(0, 2 - start_s), abs=0.05)
    assert start + len(samples) / 48000 == pytest.approx(4 - start_s, abs=0.1)


def test_a_clip_of_a_video_without_sound_has_none(tmp_path: Path) -> None:
    annotated_clip(make_video(tmp_path / "a.mp4", colours=palette(5)), tmp_path / "clip.mp4", lambda _: [])
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert not container.streams.audio


def test_sound_that_cant_be_decoded_leaves_the_pictures(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mov", colours=palette(48), codec="mpeg4", audio="aac")
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        for packet in container.demux(container.streams.audio[0]):
            if packet.size and packet.pos is not None and packet.pts > 24000:
                data[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    source.write_bytes(data)
    make_playable_copy(source, tmp_path / "copy.mp4")
    assert len(read_frames(tmp_path / "copy.mp4")[0]) == 48


def loud_stretches(path: Path) -> list[float]:
    """Times in seconds at which a copy's sound begins and ends, in turn."""
    samples, start = decoded_sound(path)
    loud = np.convolve(np.abs(samples), np.ones(480) / 480, "same") > 0.02
    return [float(at) / 48000 + start for at in np.flatnonzero(np.diff(loud.astype(int)))]


@pytest.mark.parametrize("starts", [(50, 3), (3, 500), (3, 4.2)])
def test_behind_a_join_the_sound_is_where_its_picture_is(starts: tuple[float, float], tmp_path: Path) -> None:
    """The first recording has sound from 0.5 to 2.5 s, the second, whose picture begins at 2 s, from 3 s on."""
    parts = [
        make_video(tmp_path / f"{n}.ts", colours=palette(48), start=start, audio="mp2", audio_start=start + (0.5, 1)[n])
        for n, start in enumerate(starts)
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    make_playable_copy(joined, tmp_path / "copy.mp4")
    assert loud_stretches(tmp_path / "copy.mp4") == pytest.approx([0.5, 2.5, 3.0], abs=0.04)


def test_sound_behind_a_gap_and_behind_its_own_damage_keeps_its_place(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mkv", colours=palette(96), codec="mpeg4", audio="libopus", audio_start=3, rate=24)
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        broken = [p for p in container.demux() if p.size and (p.stream.type, int(p.dts or 0) // 1000) == ("video", 1)]
    for packet in broken:
        at = data.index(bytes(packet))
        data[at : at + packet.size] = b"\xff" * packet.size
    source.write_bytes(data)
    make_playable_copy(source, tmp_path / "copy.mp4")
    assert loud_stretches(tmp_path / "copy.mp4")[0] == pytest.approx(3, abs=0.04)
    assert read_frames(tmp_path / "copy.mp4")[1].end_s == pytest.approx(4, abs=0.01)
