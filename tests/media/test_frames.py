"""Videos of every kind, made on the fly: their times, colours and geometry, and what ``probe`` says."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lib.core.errors import SettingsError
from lib.core.sampling import Sampling
from lib.media.frames import Frame, FrameReader, frame_at, probe
from tests.helpers.videos import BLUE, GREEN, RED, WHITE, make_video, palette, quadrants, set_edit_list

LOSSY = 6  # how far a colour may be off after lossy coding and 8-bit YUV, of 255

KINDS = [
    ("mp4", "libx264", "yuv420p"),
    ("mov", "libx264", "yuv420p"),
    ("mkv", "libx264", "yuv420p"),
    ("avi", "libx264", "yuv420p"),
    ("ts", "libx264", "yuv420p"),
    ("mp4", "libx264", "yuv420p10le"),
    ("mp4", "libx264", "yuv422p"),
    ("mp4", "libx264", "yuv444p"),
    ("mp4", "libx265", "yuv420p"),
    ("mkv", "libx265", "yuv420p10le"),
    ("webm", "libvpx", "yuv420p"),
    ("webm", "libvpx-vp9", "yuv420p"),
    ("mp4", "libvpx-vp9", "yuv420p"),
    ("mp4", "libsvtav1", "yuv420p"),
    ("webm", "libsvtav1", "yuv420p"),
    ("mkv", "libsvtav1", "yuv420p10le"),
    ("avi", "mpeg4", "yuv420p"),
    ("mp4", "mpeg4", "yuv420p"),
    ("mkv", "mpeg4", "yuv420p"),
    ("mov", "prores_ks", "yuv422p10le"),
]
KIND_IDS = ["-".join(kind) for kind in KINDS]
REORDERED = [
    pytest.param(suffix, codec, id=f"{suffix}-{codec}")
    for suffix in ("mp4", "mkv", "avi", "ts")
    for codec in ("libx264", "mpeg4")
]


def read_all(path: Path, *, short_side: int | None = None) -> tuple[list[Frame], FrameReader]:
    with FrameReader(path, Sampling.every(1), short_side=short_side) as reader:
        return list(reader), reader


def middle(image: NDArray[np.uint8]) -> NDArray[np.int64]:
    height, width = image.shape[:2]
    return image[height // 2, width // 2].astype(int)


def assert_colours(frames: list[Frame], colours: list[tuple[int, int, int]]) -> None:
    seen = np.array([middle(frame.image) for frame in frames])
    assert seen.shape == (len(colours), 3)
    assert np.abs(seen - np.array(colours)).max() <= LOSSY


def rounded_to_ms(suffix: str, times: list[Fraction]) -> list[float]:
    """Times as the container can hold them: Matroska and WebM count milliseconds."""
    if suffix in ("mkv", "webm"):
        times = [Fraction(round(time * 1000), 1000) for time in times]
    return [float(time) for time in times]


@pytest.mark.parametrize(("suffix", "codec", "pixel_format"), KINDS, ids=KIND_IDS)
def test_each_kind_of_video_gives_its_times_and_colours(
    suffix: str, codec: str, pixel_format: str, tmp_path: Path
) -> None:
    path = make_video(
        tmp_path / f"a.{suffix}", colours=palette(12), rate=25, codec=codec, pixel_format=pixel_format,
        gop=1 if codec == "libsvtav1" else 12,  # its predicted frames change flat colours too much to compare
    )  # fmt: skip
    frames, reader = read_all(path)
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == [i / 25 for i in range(12)]
    assert_colours(frames, palette(12))
    assert (reader.frames_decoded, reader.damage) == (12, None)
    assert reader.end_s == pytest.approx(12 / 25, abs=1e-9)


@pytest.mark.parametrize(("suffix", "codec"), REORDERED)
def test_reordered_frames_come_in_the_order_of_display(suffix: str, codec: str, tmp_path: Path) -> None:
    path = make_video(
        tmp_path / f"a.{suffix}", colours=palette(20), rate=24, codec=codec, b_frames=2, gop=9,
        options={"sc_threshold": "1000000000"} if codec == "mpeg4" else {"sc_threshold": "0", "b_adapt": "0"},
    )  # fmt: skip
    frames, _ = read_all(path)
    assert [frame.time_s for frame in frames] == rounded_to_ms(suffix, [Fraction(i, 24) for i in range(20)])
    assert_colours(frames, palette(20))


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_variable_frame_rate_keeps_each_frames_own_time(suffix: str, b_frames: int, tmp_path: Path) -> None:
    times = [Fraction(ms, 1000) for ms in (0, 40, 50, 55, 300, 301, 1000, 2500, 2533, 2567)]
    path = make_video(tmp_path / f"a.{suffix}", colours=palette(10), times=times, rate=30, b_frames=b_frames)
    frames, reader = read_all(path)
    assert [frame.time_s for frame in frames] == [float(time) for time in times]
    assert_colours(frames, palette(10))
    assert probe(path).variable_rate is True
    assert reader.end_s > 2.567


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "ts"])
@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60)])
def test_broadcast_rates_are_exact(suffix: str, rate: Fraction, tmp_path: Path) -> None:
    codec = "libvpx-vp9" if suffix == "webm" else "libx264"
    path = make_video(tmp_path / f"a.{suffix}", colours=palette(30), rate=rate, codec=codec)
    frames, _ = read_all(path)
    tick = {"mp4": 0, "ts": 1 / 90000}.get(suffix, 1 / 1000)
    expected = [float(i / rate) for i in range(30)]
    assert [frame.time_s for frame in frames] == pytest.approx(expected, abs=tick, rel=0)
    info = probe(path)
    assert info.rate == rate
    assert info.variable_rate is False


@pytest.mark.parametrize(
    ("suffix", "codec"), [("mp4", "libx264"), ("mkv", "libx264"), ("webm", "libvpx-vp9")]
)
def test_a_first_frame_after_0_keeps_its_time_as_players_show_it(
    suffix: str, codec: str, tmp_path: Path
) -> None:
    path = make_video(tmp_path / f"a.{suffix}", colours=palette(10), rate=25, start=0.52, codec=codec)
    frames, reader = read_all(path)
    assert [frame.time_s for frame in frames] == pytest.approx([0.52 + i / 25 for i in range(10)], abs=1e-9)
    assert reader.end_s == pytest.approx(0.92)


def test_a_transport_stream_starts_at_0_wherever_its_clock_starts(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.ts", colours=palette(10), rate=25, start=9000)
    frames, _ = read_all(path)
    assert [frame.time_s for frame in frames] == [i / 25 for i in range(10)]


def test_pictures_that_start_after_the_sound_do_so_in_a_transport_stream_too(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.ts", colours=palette(30), rate=25, start=60.52, audio="mp2", audio_start=60
    )
    frames, _ = read_all(path)
    assert frames[0].time_s == pytest.approx(0.52, abs=0.025)  # the encoder's first block of sound is earlier


def test_an_edit_list_that_cuts_the_beginning_starts_the_time_line_there(tmp_path: Path) -> None:
    path = set_edit_list(make_video(tmp_path / "a.mp4", colours=palette(24)), [(0.5, 12288 // 2)])
    frames, reader = read_all(path)
    assert [frame.time_s for frame in frames] == [i / 24 for i in range(12)]
    assert_colours(frames, palette(24)[12:])
    assert reader.end_s == 0.5


def test_an_edit_list_that_cuts_within_a_group_of_pictures_keeps_only_what_is_shown(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.mp4",
        colours=palette(24),
        start=-0.25,
        gop=24,
        b_frames=2,
        options={"sc_threshold": "0"},
    )
    frames, _ = read_all(path)
    assert [frame.time_s for frame in frames] == [i / 24 for i in range(18)]
    assert_colours(frames, palette(24)[6:])


def test_an_empty_edit_delays_the_first_frame(tmp_path: Path) -> None:
    path = set_edit_list(make_video(tmp_path / "a.mov", colours=palette(24)), [(0.25, -1), (1, 0)])
    frames, reader = read_all(path)
    assert [frame.time_s for frame in frames] == [float(Fraction(1, 4) + Fraction(i, 24)) for i in range(24)]
    assert_colours(frames, palette(24))
    assert reader.end_s == 1.25


@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize("full_range", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le", "yuv444p"])
def test_colours_follow_the_tagged_matrix_and_range(
    matrix: str, full_range: bool, pixel_format: str, tmp_path: Path
) -> None:
    colours = [RED, GREEN, BLUE, WHITE, (0, 0, 0), (255, 255, 255), (250, 5, 5), (5, 250, 5), (5, 5, 250)]
    path = make_video(
        tmp_path / "a.mp4", colours=colours, matrix=matrix, full_range=full_range, pixel_format=pixel_format
    )
    frames, _ = read_all(path)
    assert_colours(frames, colours)


@pytest.mark.parametrize(("size", "matrix"), [((64, 48), "bt601"), ((96, 720), "bt709")])
def test_untagged_colours_are_guessed_by_the_number_of_lines(
    size: tuple[int, int], matrix: str, tmp_path: Path
) -> None:
    colours = [RED, GREEN, BLUE]
    path = make_video(tmp_path / "a.mp4", colours=colours, size=size, matrix=matrix, tag_colours=False)
    assert_colours(read_all(path)[0], colours)


@pytest.mark.parametrize("hflip", [False, True], ids=["", "mirrored"])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_pictures_are_turned_as_the_display_matrix_says(rotation: int, hflip: bool, tmp_path: Path) -> None:
    stored = quadrants((64, 48))
    path = make_video(tmp_path / "a.mp4", images=[stored] * 3, rotation=rotation, hflip=hflip)
    shown = np.rot90(stored, rotation // 90)
    shown = shown[:, ::-1] if hflip else shown
    frames, _ = read_all(path)
    assert frames[0].image.shape == shown.shape
    assert frames[0].image.flags.c_contiguous
    for y, x in ((0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)):
        at = int(y * shown.shape[0]), int(x * shown.shape[1])
        assert np.abs(frames[0].image[at].astype(int) - shown[at]).max() <= LOSSY
    info = probe(path)
    assert (info.width, info.height) == (shown.shape[1], shown.shape[0])
    if not hflip:
        assert info.rotation == rotation


def test_a_portrait_phone_video_is_portrait_at_the_engines_size(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mov", images=[quadrants((320, 180))] * 2, size=(320, 180), rotation=270)
    frames, _ = read_all(path, short_side=90)
    assert frames[0].image.shape == (160, 90, 3)


@pytest.mark.parametrize(
    ("size", "sar", "shown"),
    [
        ((64, 48), Fraction(4, 3), (85, 48)),
        ((64, 48), Fraction(3, 4), (64, 64)),
        ((63, 47), None, (63, 47)),
        ((33, 17), Fraction(2), (66, 17)),
        ((64, 48), Fraction(1, 1000), (64, 48)),
    ],
)
def test_pixel_aspect_and_odd_sizes_give_the_displayed_size(
    size: tuple[int, int], sar: Fraction | None, shown: tuple[int, int], tmp_path: Path
) -> None:
    codec = "libx264" if size == (64, 48) else "mpeg4"  # H.264 in 4:2:0 can't have odd sides
    path = make_video(tmp_path / "a.mp4", images=[quadrants(size)] * 2, size=size, sar=sar, codec=codec)
    info = probe(path)
    assert (info.width, info.height) == shown
    image = read_all(path)[0][0].image
    assert image.shape == (shown[1], shown[0], 3)
    assert np.abs(image[shown[1] // 8, shown[0] // 8].astype(int) - RED).max() <= LOSSY
    assert np.abs(image[-shown[1] // 8, -shown[0] // 8].astype(int) - WHITE).max() <= LOSSY


def test_pixel_aspect_and_rotation_together(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", images=[quadrants((64, 48))] * 2, sar=Fraction(4, 3), rotation=90)
    info = probe(path)
    assert (info.width, info.height) == (48, 85)
    assert read_all(path)[0][0].image.shape == (85, 48, 3)


@pytest.mark.parametrize("short_side", [1, 24, 47, 48, 100, 224])
def test_the_short_side_is_what_was_asked_for_up_and_down(short_side: int, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", images=[quadrants((64, 48))] * 2)
    image = read_all(path, short_side=short_side)[0][0].image
    assert image.shape == (short_side, round(64 * short_side / 48), 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    if short_side >= 24:
        assert np.abs(image[short_side // 8, short_side // 8].astype(int) - RED).max() <= LOSSY


def test_scaling_down_averages_instead_of_picking_pixels(tmp_path: Path) -> None:
    fine = np.zeros((240, 320, 3), np.uint8)
    fine[:, ::2] = 255  # stripes one pixel wide: grey from afar, black or white when pixels are picked
    path = make_video(tmp_path / "a.mp4", images=[fine] * 2, size=(320, 240))
    image = read_all(path, short_side=24)[0][0].image
    assert np.abs(image.astype(int) - 128).max() <= 16


@pytest.mark.parametrize("short_side", [0, -1, 5000])
def test_a_short_side_out_of_range_is_refused(short_side: int, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4")
    with pytest.raises(SettingsError, match=f"Pictures can't be {short_side} pixels wide; choose 1 to 4096"):
        FrameReader(path, Sampling.every(1), short_side=short_side)


@pytest.mark.parametrize(
    ("suffix", "codec", "pixel_format", "plays"),
    [
        ("mp4", "libx264", "yuv420p", True),
        ("mov", "libx264", "yuv420p", True),
        ("webm", "libvpx-vp9", "yuv420p", True),
        ("webm", "libsvtav1", "yuv420p", True),
        ("mp4", "libx264", "yuv420p10le", False),
        ("mp4", "libx264", "yuv422p", False),
        ("mp4", "libx264", "yuv444p", False),
        ("mp4", "libx265", "yuv420p", False),
        ("mp4", "mpeg4", "yuv420p", False),
        ("mov", "prores_ks", "yuv422p10le", False),
        ("mkv", "libx264", "yuv420p", False),
        ("avi", "libx264", "yuv420p", False),
        ("ts", "libx264", "yuv420p", False),
    ],
)
def test_probe_says_what_browsers_play(
    suffix: str, codec: str, pixel_format: str, plays: bool, tmp_path: Path
) -> None:
    path = make_video(tmp_path / f"a.{suffix}", colours=palette(6), codec=codec, pixel_format=pixel_format)
    assert probe(path).browser_playable is plays


def test_probe_says_what_the_file_is(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a clip: ä.mp4", colours=palette(48), size=(160, 90), rate=Fraction(30000, 1001)
    )
    info = probe(path)
    assert info.path == path
    assert info.size_bytes == path.stat().st_size
    assert (info.width, info.height, info.rotation) == (160, 90, 0)
    assert (info.codec, info.pixel_format, info.container) == ("h264", "yuv420p", "mp4")
    assert (info.rate, info.variable_rate, info.frame_count) == (Fraction(30000, 1001), False, 48)
    assert info.duration_s == pytest.approx(48 * 1001 / 30000)


@pytest.mark.parametrize(
    ("suffix", "codec", "name"),
    [
        ("mov", "libx264", "mov"),
        ("mkv", "libsvtav1", "mkv"),
        ("webm", "libsvtav1", "webm"),
        ("avi", "mpeg4", "avi"),
    ],
)
def test_probe_names_the_container(suffix: str, codec: str, name: str, tmp_path: Path) -> None:
    assert probe(make_video(tmp_path / f"a.{suffix}", colours=palette(4), codec=codec)).container == name


def test_cover_art_is_not_taken_for_the_video(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", colours=palette(8), audio="aac")
    frames, _ = read_all(path)
    assert len(frames) == 8


def test_frame_at_gives_the_frame_that_is_shown_at_that_time(tmp_path: Path) -> None:
    times = [Fraction(ms, 1000) for ms in (100, 140, 150, 400, 1000, 1040)]
    path = make_video(tmp_path / "a.mp4", colours=palette(6), times=times, gop=3, b_frames=1)
    for at, shown in ((0, 0), (0.1, 0), (0.139, 0), (0.14, 1), (0.16, 2), (0.999, 3), (1.0, 4), (99, 5)):
        frame = frame_at(path, at)
        assert frame.time_s == float(times[shown])
        assert_colours([frame], [palette(6)[shown]])


@pytest.mark.parametrize(
    ("suffix", "codec"), [("mp4", "libx264"), ("mkv", "libx265"), ("webm", "libvpx-vp9"), ("avi", "mpeg4")]
)
def test_frame_at_finds_each_frame_by_its_own_time(suffix: str, codec: str, tmp_path: Path) -> None:
    path = make_video(
        tmp_path / f"a.{suffix}",
        colours=palette(30),
        codec=codec,
        gop=7,
        rate=Fraction(30000, 1001),
        b_frames=2,
    )
    for frame in read_all(path)[0]:
        found = frame_at(path, frame.time_s, short_side=48)
        assert found.time_s == frame.time_s
        np.testing.assert_array_equal(found.image, frame.image)
