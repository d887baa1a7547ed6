"""Picture examples: kept by hash, embedded once per engine, and said where they are missing."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib.core.errors import InputError
from lib.prompts.model import Prompt, PromptSet, picture_key
from lib.services.picture_examples import add, add_frame, missing_pictures, picture_file, picture_vectors
from lib.store.store import Store
from tests.helpers.toy_engine import ToyEngine
from tests.helpers.videos import BLUE, RED, make_video, scenes


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


def encoded(colour: tuple[int, int, int], kind: str, size: tuple[int, int] = (64, 48)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return file.getvalue()


def test_a_small_jpeg_is_kept_byte_by_byte_so_that_its_hash_is_the_same_everywhere(store: Store) -> None:
    data = encoded(RED, "JPEG")
    sha256 = add(store, data, "red.jpg")

    assert sha256 == hashlib.sha256(data).hexdigest()
    assert picture_file(store, sha256).read_bytes() == data
    assert add(store, data, "again.jpg") == sha256


@pytest.mark.parametrize(("kind", "size"), [("PNG", (64, 48)), ("JPEG", (3000, 2400))])
def test_others_are_made_small_jpegs(store: Store, kind: str, size: tuple[int, int]) -> None:
    path = picture_file(store, add(store, encoded(RED, kind, size), "red"))
    with Image.open(path) as image:
        assert image.format == "JPEG"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem


def test_a_jpeg_that_is_turned_grey_or_large_or_a_part_of_one_is_made_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned, grey, red = io.BytesIO(), io.BytesIO(), encoded(RED, "JPEG")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 48), RED).save(turned, "JPEG", exif=exif)
    Image.new("L", (64, 48), 90).save(grey, "JPEG")
    made = [add(store, turned.getvalue(), "turned"), add(store, grey.getvalue(), "grey")]
    made.append(add(store, red, "part", (0.0, 0.0, 0.5, 1.0)))
    monkeypatch.setattr("lib.services.picture_examples._KEPT_BYTES", len(red) - 1)
    made.append(add(store, red, "large"))

    facts = []
    for sha256 in made:
        with Image.open(picture_file(store, sha256)) as image:
            facts.append((image.mode, image.size))
    assert facts == [("RGB", (48, 64)), ("RGB", (64, 48)), ("RGB", (32, 48)), ("RGB", (64, 48))]
    assert hashlib.sha256(red).hexdigest() not in made


def test_a_part_and_a_frame_are_examples_too(store: Store, tmp_path: Path) -> None:
    halves = np.zeros((64, 64, 3), np.uint8)
    halves[:, :32], halves[:, 32:] = RED, BLUE
    file = io.BytesIO()
    Image.fromarray(halves).save(file, "PNG")
    part = add(store, file.getvalue(), "halves.png", (0.5, 0.0, 1.0, 1.0))
    video = store.add_file(make_video(tmp_path / "v.mp4", colours=scenes((RED, 10), (BLUE, 10)), rate=10))
    frame = add_frame(store, video, 1.5)

    for sha256 in (part, frame):
        with Image.open(picture_file(store, sha256)) as image:
            colour = np.asarray(image).reshape(-1, 3).mean(axis=0)
        assert colour[2] > 150 > 60 > colour[0]


def test_what_is_no_picture_is_refused_in_a_sentence(store: Store) -> None:
    with pytest.raises(InputError, match="not a readable picture"):
        add(store, b"text", "a.jpg")
    with pytest.raises(InputError, match="only 4 × 4 pixels"):
        add(store, encoded(RED, "PNG", (4, 4)), "a.png")


def test_each_is_embedded_once_per_engine_and_is_no_text(store: Store) -> None:
    engine = ToyEngine()
    one, two = (add(store, encoded(colour, "JPEG"), "a.jpg") for colour in (RED, BLUE))
    first = picture_vectors(store, engine, [one])
    assert engine.pictures == 1
    both = picture_vectors(Store(store.home), engine, [one, two])

    assert list(both) == [picture_key(one), picture_key(two)]
    assert np.array_equal(first[picture_key(one)], both[picture_key(one)])
    assert not np.array_equal(both[picture_key(one)], both[picture_key(two)])
    assert engine.pictures == 2
    assert store.some_text_vectors(engine.id, 10) == {}
    picture_file(store, one).unlink()  # its vector is still known
    assert picture_key(one) in picture_vectors(store, engine, [one])


def test_a_missing_or_exchanged_picture_is_named_by_its_hash(store: Store) -> None:
    engine = ToyEngine()
    gone = "ef" * 32
    here = add(store, encoded(RED, "JPEG"), "a.jpg")
    changed = add(store, encoded(BLUE, "JPEG"), "b.jpg")
    picture_file(store, changed).write_bytes(encoded(RED, "JPEG"))
    chosen = PromptSet("t", (Prompt("crane", pictures=(here, gone)), Prompt("ship", pictures=(gone, changed))))
    vectors = picture_vectors(store, engine, chosen.pictures)
    off = Prompt("off", enabled=False, pictures=(gone,))

    assert missing_pictures(PromptSet("t", (Prompt("a"), off)), vectors) == []
    assert list(vectors) == [picture_key(here)]
    assert missing_pictures(chosen, vectors) == [
        "The picture efefefefefef… is not on this machine, so “crane” goes without; copy the file into its folder "
        "“pictures”, or add it again.",
        f"The pictures efefefefefef…, {changed[:12]}… are not on this machine, so “ship” goes without; copy the file "
        "into its folder “pictures”, or add it again.",
    ]
