"""Pictures to search for: what is taken, what is refused with a sentence, and which part of one counts."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from lib.core.errors import InputError
from lib.media import still_picture
from lib.store.store import Store
from lib.ui.search import query_image
from lib.ui.search.state import Picture, picture_path

EXPERIMENT = "abc123def456"


@pytest.fixture
def store(tmp_path, monkeypatch):
    opened = Store(tmp_path / "home")
    monkeypatch.setattr(query_image.cache, "store", lambda: opened)
    here = type("Here", (), {"id": EXPERIMENT})()
    monkeypatch.setattr(query_image.state, "current", lambda: here)
    return opened


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def halves(width=400, height=200) -> Image.Image:
    image = Image.new("RGB", (width, height), (200, 20, 20))
    image.paste((20, 20, 200), (width // 2, 0, width, height))
    return image


def test_an_upload_is_kept_beside_the_search_and_read_again(store):
    picture = query_image.take(encoded(halves()), "two halves.png")

    assert picture.name == "two halves.png"
    assert picture_path(store.home, EXPERIMENT, picture.content).exists()
    shown = query_image.pixels(picture)
    assert (shown.shape, shown.dtype) == ((200, 400, 3), np.uint8)
    assert np.abs(shown[100, 100].astype(int) - (200, 20, 20)).max() < 12
    assert np.abs(shown[100, 300].astype(int) - (20, 20, 200)).max() < 12


def test_only_the_chosen_part_counts(store):
    picture = query_image.take(encoded(halves()), "two.png")
    right = Picture(picture.name, picture.content, None, (0.55, 0.1, 0.95, 0.9))

    part = query_image.pixels(right)
    assert part.shape == (160, 160, 3)
    assert np.abs(part.reshape(-1, 3).astype(int) - (20, 20, 200)).max() < 16


@pytest.mark.parametrize("region", [(0, 0, 0.001, 0.001), (0.999, 0.999, 1, 1), (0.5, 0.2, 0.501, 0.9)])
def test_a_part_is_never_empty(store, region):
    picture = query_image.take(encoded(halves()), "two.png")
    part = query_image.pixels(Picture(picture.name, picture.content, None, region))
    assert min(part.shape[:2]) >= 8


def test_a_large_picture_is_made_small_and_a_turned_one_upright(store):
    turned = Image.new("RGB", (3000, 2000), (10, 120, 10))
    exif = turned.getexif()
    exif[274] = 6  # shown turned by a quarter
    picture = query_image.take(encoded(turned, "JPEG", exif=exif), "photo.jpg")
    assert query_image.pixels(picture).shape == (1536, 1024, 3)


def test_what_is_transparent_is_white(store):
    clear = Image.new("RGBA", (64, 64), (200, 0, 0, 0))
    shown = query_image.pixels(query_image.take(encoded(clear), "clear.png"))
    assert shown.min() > 250


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a readable picture"),
        (b"GIF89a", "not a readable picture"),
        (encoded(halves())[:200], "not a readable picture"),
        (encoded(halves(), "JPEG")[:-300], "not a readable picture"),
        (encoded(Image.new("RGB", (200, 3))), "200 × 3 pixels"),
        (b"\xff" * ((still_picture.MAX_MEGABYTES << 20) + 1), "larger than"),
    ],
)
def test_what_is_no_picture_is_refused_with_one_sentence(store, data, words):
    with pytest.raises(InputError, match=words) as caught:
        query_image.take(data, "../holiday.png")
    assert "“holiday.png”" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list((store.home / "searches").glob("*"))


def test_a_bomb_of_pixels_is_refused_before_it_is_unpacked(store):
    bomb = encoded(Image.new("1", (30_000, 30_000)))
    assert len(bomb) < 1_000_000
    with pytest.raises(InputError, match="pixels"):
        query_image.take(bomb, "bomb.png")


def test_a_picture_that_is_gone_says_so(store):
    from lib.core.errors import NotStoredError

    with pytest.raises(NotStoredError, match="choose it again"):
        query_image.pixels(Picture("x.png", "0" * 64))
