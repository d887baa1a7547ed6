"""Pictures from outside that aren't made of bytes from 0 to 255."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from lib.core.errors import InputError
from lib.media.still_picture import cropped, read_picture, small_jpeg

RAMP = np.linspace(0.0, 1.0, 20 * 12).reshape(20, 12)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("PNG", np.round(RAMP * 65_535).astype(np.uint16)),
        ("TIFF", np.round(RAMP * 65_535).astype(np.uint16)),
        ("TIFF", np.round(RAMP * 65_535).astype(np.int32)),
        ("TIFF", np.round(RAMP * 255).astype(np.int32)),
        ("TIFF", RAMP.astype(np.float32)),
        ("TIFF", (RAMP * 255).astype(np.float32)),
    ],
)
def test_pictures_of_16_bits_and_floats_keep_their_tones(kind, values):
    file = io.BytesIO()
    Image.fromarray(values).save(file, kind)
    image = read_picture(file.getvalue(), "ramp")

    assert image.mode == "RGB"
    np.testing.assert_allclose(np.asarray(image)[:, :, 0], RAMP * 255, atol=1.01)


def test_a_dark_picture_of_16_bits_stays_dark():
    file = io.BytesIO()
    Image.fromarray(np.full((20, 12), 200, np.uint16)).save(file, "PNG")
    assert np.asarray(read_picture(file.getvalue(), "dark")).max() == 0


def test_black_and_broken_floats_are_no_error():
    values = np.zeros((20, 12), np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    file = io.BytesIO()
    Image.fromarray(values).save(file, "TIFF")
    assert read_picture(file.getvalue(), "floats").size == (12, 20)


def png(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def test_sizes_have_bounds(monkeypatch):
    assert read_picture(png(Image.new("RGB", (8, 9))), "small").size == (8, 9)
    with pytest.raises(InputError, match="“small” is only 7 × 9 pixels"):
        read_picture(png(Image.new("RGB", (7, 9))), "small")
    with pytest.raises(InputError, match="“wide” has 10000 × 8001 pixels"):
        read_picture(png(Image.new("1", (10_000, 8_001))), "wide")
    with pytest.raises(InputError, match="“wide” has more pixels than can be used"):
        read_picture(png(Image.new("1", (10_000, 9_000))), "wide")
    monkeypatch.setattr("lib.media.still_picture.MAX_MEGABYTES", 0)
    with pytest.raises(InputError, match="“large” is larger than 0 MB"):
        read_picture(png(Image.new("RGB", (8, 9))), "large")


def test_what_is_transparent_becomes_white():
    assert np.asarray(read_picture(png(Image.new("RGBA", (9, 9), (200, 0, 0, 0))), "clear")).min() == 255


def test_pictures_are_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read_picture(png(Image.new("RGB", (20, 10)), exif=exif), "turned").size == (10, 20)


def test_parts_are_whole_pixels_and_at_least_a_few():
    image = Image.new("RGB", (101, 50))
    assert cropped(image, None) is image
    assert cropped(image, (0.0, 0.0, 0.5, 0.41)).size == (50, 20)
    assert cropped(image, (0.256, 0.5, 0.759, 1.0)).size == (77 - 25, 25)
    corner = cropped(Image.new("L", (101, 50), 255), (0.999, 0.999, 1.0, 1.0))
    assert (corner.size, np.asarray(corner).min()) == ((8, 8), 255)


def test_the_short_side_of_a_jpeg_is_bounded():
    sizes = [(3000, 1500), (1024, 4000), (20, 10)]
    small = [Image.open(io.BytesIO(small_jpeg(Image.new("RGB", size)))).size for size in sizes]
    assert small == [(2048, 1024), (1024, 4000), (20, 10)]
