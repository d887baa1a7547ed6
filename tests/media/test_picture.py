"""Colours, orientation, pixel aspect and size of pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from lib.media.frames import probe
from lib.media.picture import _QUALITY, BT709, FrameConverter
from tests.helpers.frames import LOSSY, assert_colours, read_frames
from tests.helpers.videos import BLUE, GREEN, RED, WHITE, make_video, quadrants


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
    frames, _ = read_frames(path)
    assert_colours(frames, colours)


@pytest.mark.parametrize(("size", "matrix"), [((64, 48), "bt601"), ((96, 720), "bt709")])
def test_untagged_colours_are_guessed_by_the_number_of_lines(
    size: tuple[int, int], matrix: str, tmp_path: Path
) -> None:
    colours = [RED, GREEN, BLUE]
    path = make_video(tmp_path / "a.mp4", colours=colours, size=size, matrix=matrix, tag_colours=False)
    assert_colours(read_frames(path)[0], colours)


@pytest.mark.parametrize("hflip", [False, True], ids=["", "mirrored"])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_pictures_are_turned_as_the_display_matrix_says(rotation: int, hflip: bool, tmp_path: Path) -> None:
    stored = quadrants((64, 48))
    path = make_video(tmp_path / "a.mp4", images=[stored] * 3, rotation=rotation, hflip=hflip)
    displayed = np.rot90(stored, rotation // 90)
    displayed = displayed[:, ::-1] if hflip else displayed
    frames, _ = read_frames(path)
    assert frames[0].image.shape == displayed.shape
    assert frames[0].image.flags.c_contiguous
    for y, x in ((0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)):
        at = int(y * displayed.shape[0]), int(x * displayed.shape[1])
        assert np.abs(frames[0].image[at].astype(int) - displayed[at]).max() <= LOSSY
    info = probe(path)
    assert (info.width, info.height) == (displayed.shape[1], displayed.shape[0])
    if not hflip:
        assert info.rotation == rotation


@pytest.mark.parametrize(
    ("size", "sar", "displayed"),
    [
        ((64, 48), Fraction(4, 3), (85, 48)),
        ((64, 48), Fraction(3, 4), (64, 64)),
        ((63, 47), None, (63, 47)),
        ((33, 17), Fraction(2), (66, 17)),
        ((64, 48), Fraction(1, 1000), (64, 48)),
    ],
)
def test_pixel_aspect_and_odd_sizes_give_the_displayed_size(
    size: tuple[int, int], sar: Fraction | None, displayed: tuple[int, int], tmp_path: Path
) -> None:
    codec = "libx264" if size == (64, 48) else "mpeg4"  # H.264 in 4:2:0 can't have odd sides
    path = make_video(tmp_path / "a.mp4", images=[quadrants(size)] * 2, size=size, sar=sar, codec=codec)
    info = probe(path)
    assert (info.width, info.height) == displayed
    image = read_frames(path)[0][0].image
    assert image.shape == (displayed[1], displayed[0], 3)
    assert np.abs(image[displayed[1] // 8, displayed[0] // 8].astype(int) - RED).max() <= LOSSY
    assert np.abs(image[-displayed[1] // 8, -displayed[0] // 8].astype(int) - WHITE).max() <= LOSSY


def test_pixel_aspect_rotation_and_size_together(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mov", images=[quadrants((64, 48))] * 2, sar=Fraction(4, 3), rotation=270)
    info = probe(path)
    assert (info.width, info.height) == (48, 85)
    assert read_frames(path)[0][0].image.shape == (85, 48, 3)
    assert read_frames(path, short_side=96)[0][0].image.shape == (170, 96, 3)


@pytest.mark.parametrize("short_side", [1, 24, 47, 48, 100, 224])
def test_the_short_side_is_what_was_asked_for_up_and_down(short_side: int, tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", images=[quadrants((64, 48))] * 2)
    image = read_frames(path, short_side=short_side)[0][0].image
    assert image.shape == (short_side, round(64 * short_side / 48), 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    if short_side >= 24:
        assert np.abs(image[short_side // 8, short_side // 8].astype(int) - RED).max() <= LOSSY


def test_scaling_down_averages_instead_of_picking_pixels(tmp_path: Path) -> None:
    fine = np.zeros((240, 320, 3), np.uint8)
    fine[:, ::2] = 255  # stripes one pixel wide: grey from afar, black or white when pixels are picked
    path = make_video(tmp_path / "a.mp4", images=[fine] * 2, size=(320, 240))
    image = read_frames(path, short_side=24)[0][0].image
    assert np.abs(image.astype(int) - 128).max() <= 16


@pytest.mark.parametrize("size", [(64, 48), (37, 29), (150, 101)])
@pytest.mark.parametrize(
    "pixel_format",
    ["yuv420p", "yuvj420p", "yuv422p", "yuv444p10le", "yuv420p10le", "p010le", "nv12", "gray", "yuva420p", "uyvy422"],
)
def test_the_quick_way_to_rgb_gives_the_very_same_pixels(pixel_format: str, size: tuple[int, int]) -> None:
    frame = av.VideoFrame(127, 99, pixel_format)
    frame.colorspace = BT709
    rng = np.random.default_rng(7)
    for plane in frame.planes:
        noise = rng.integers(0, 256, plane.buffer_size, dtype=np.uint8)
        if pixel_format.endswith("10le") and pixel_format != "p010le":
            noise[1::2] &= 3
        plane.update(noise.tobytes())
    plain = VideoReformatter().reformat(
        frame, *size, "rgb24", src_colorspace=BT709, interpolation=_QUALITY, threads=1
    )  # fmt: skip
    np.testing.assert_array_equal(FrameConverter(None, lambda _: size).rgb(frame), plain.to_ndarray())
