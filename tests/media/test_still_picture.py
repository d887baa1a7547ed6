"""Pictures from outside that aren't made of bytes from 0 to 255."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from lib.media.still_picture import read_picture

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
