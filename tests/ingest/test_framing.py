"""What of a frame the model sees: part of the key where it isn't the model's own, and of the vectors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lib.core.sampling import FRAMINGS, Framing, Sampling
from lib.engines.embedded import EmbeddedEngine
from lib.engines.engine import PREPROCESSING, Engine
from lib.engines.hosted import HostedEngine
from lib.engines.image_payload import framed
from lib.engines.server import ServerEngine
from lib.ingest.ingest import embedding_key, ingest
from lib.store.embeddings import EmbeddingKey
from lib.store.store import Store
from lib.store.videos import Video
from tests.helpers.fake_server import FakeServer
from tests.helpers.fixtures import Run
from tests.helpers.tiny_models import write_open
from tests.helpers.toy_engine import ToyEngine
from tests.helpers.videos import make_video

RED, BLUE = (255, 0, 0), (0, 0, 255)
EVERY = Sampling.every(1)


def red_between_blue(height: int = 180, width: int = 320) -> NDArray[np.uint8]:
    """Return a picture whose centre square is red, and blue beside it."""
    image = np.full((height, width, 3), RED, np.uint8)
    beside = (width - height) // 2
    image[:, :beside] = image[:, width - beside :] = BLUE
    return image


@pytest.fixture
def film_file(tmp_path: Path) -> Path:
    return make_video(tmp_path / "film.mp4", images=[red_between_blue()] * 3, size=(320, 180))


@pytest.fixture
def film(store: Store, film_file: Path) -> Video:
    return store.add_file(film_file)


def rows(store: Store, film: Video, engine: Engine, framing: Framing | None) -> NDArray[np.float32]:
    info = ingest(store, film, engine, EVERY.framed(framing))
    return store.load(info.key).vectors


def test_keys_of_before_stay_and_the_models_own_framing_is_no_part_of_them(store: Store, film: Video) -> None:
    engine = ToyEngine()
    plain = EmbeddingKey(film.sha256, engine.id, "stride-1", PREPROCESSING)

    assert embedding_key(film, engine, EVERY) == plain
    assert embedding_key(film, engine, EVERY.framed("centre")) == plain
    assert embedding_key(film, engine, EVERY.framed("whole")).sampling_key == "stride-1-whole"
    engine.framing = "whole"
    assert embedding_key(film, engine, EVERY) == embedding_key(film, engine, EVERY.framed("whole")) == plain
    assert embedding_key(film, engine, EVERY.framed("centre")).sampling_key == "stride-1-centre"


def test_imported_vectors_know_no_framing(film: Video) -> None:
    hosted = HostedEngine("ViT-B-16", ServerEngine("http://127.0.0.1:9"))

    assert embedding_key(film, hosted, EVERY.framed("whole")) == embedding_key(film, hosted, EVERY)


@pytest.mark.parametrize("framing", [None, *FRAMINGS])
def test_frames_reach_the_engine_framed(store: Store, film: Video, framing: Framing | None) -> None:
    engine = ToyEngine()
    seen: list[NDArray[np.uint8]] = []
    embed = engine.embed_images
    engine.embed_images = lambda images: (seen.extend(images), embed(images))[1]  # type: ignore[method-assign]

    info = ingest(store, film, engine, EVERY.framed(framing))

    assert {image.shape for image in seen} == {(32, 32, 3) if framing == "whole" else (32, 57, 3)}
    assert info.samples == 3
    thumbnails = store.thumbnails(info.key, [0])
    assert thumbnails  # of the whole frame, whatever the model sees


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_embedded_models_see_what_is_chosen(store: Store, film: Video, tmp_path: Path, kind: str) -> None:
    engine = EmbeddedEngine(f"folder:{write_open(tmp_path / kind, kind=kind)}")
    red = engine.embed_texts(["red"])[0]

    own, centre, whole = (rows(store, film, engine, framing) @ red for framing in (None, "centre", "whole"))

    assert centre.min() > 0.99 > 0.95 > whole.max()
    np.testing.assert_allclose(own, centre if kind == "clip" else whole, atol=1e-6)
    assert len(store.embeddings()) == 2


@pytest.mark.parametrize("version", ["ViT-B-16", "PE-Core-B16-224"])
def test_servers_are_sent_what_is_chosen(store: Store, film: Video, server: FakeServer, version: str) -> None:
    engine = ServerEngine(server.url, model_version=version)
    left = {}
    for framing in FRAMINGS:
        rows(store, film, engine, framing)
        left[framing] = server.images[-1][:, :20].mean(axis=(0, 1))
        assert server.images[-1].shape == (224, 224, 3)

    np.testing.assert_allclose(left["centre"], RED, atol=12)
    np.testing.assert_allclose(left["whole"], BLUE, atol=12)


def test_a_stopped_run_goes_on_with_the_same_framing(store: Store, film: Video) -> None:
    whole = ToyEngine()
    expected = rows(store, film, whole, "whole")
    store.delete_embedding(embedding_key(film, whole, EVERY.framed("whole")))
    with pytest.raises(Exception, match="The toy broke"):
        rows(store, film, ToyEngine(batch_size=1, fail_after=1), "whole")

    np.testing.assert_allclose(rows(store, film, ToyEngine(), "whole"), expected, atol=1e-3)


@pytest.mark.parametrize("size", [(90, 160), (160, 90), (64, 64), (10, 200)])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_what_is_framed_is_a_square(size: tuple[int, int], framing: Framing) -> None:
    image = red_between_blue(*size) if size[1] >= size[0] else np.full((*size, 3), RED, np.uint8)
    square = framed(image, framing, 64)

    assert square.shape[0] == square.shape[1]
    is_red = np.abs(square[:, 3:-3] - np.array(RED)).max() < 20  # the crop's edge is a blend
    assert is_red == (framing == "centre" or size[1] <= size[0])


def test_the_command_line_frames(home: Path, film_file: Path, run: Run) -> None:
    sampled = []
    for framing in ([], ["--framing", "centre"], ["--framing", "whole"]):
        status, out, _ = run("embed", film_file, "--stride", 1, "--json", *framing)
        assert status == 0
        sampled.append(json.loads(out)[0]["sampling"])

    assert sampled == [{"stride": 1}, {"stride": 1}, {"stride": 1, "framing": "whole"}]
    assert len(Store(home).embeddings()) == 2
    assert "stride 1 framing whole" in run("embed", film_file, "--stride", 1, "--framing", "whole")[1]
    status, _, err = run("embed", film_file, "--framing", "left")
    assert status == 2
    assert "invalid choice: 'left'" in err[-1]
    status, _, err = run("embed", film_file, "--hosted", "--fps", 3, "--framing", "whole")
    assert status == 2
    assert "the hosted service frames by itself" in err[-1]
