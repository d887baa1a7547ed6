"""Perception Encoder on a stand-in for the inference server: own routes, squashed frames, texts that are cut off."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lib.core.errors import BadReplyError, EngineUnavailableError, PromptTooLongError, UnknownModelError
from lib.engines.clip_versions import MODEL_VERSIONS, SERVER_MODELS, find_server_model
from lib.engines.image_payload import framed
from lib.engines.registry import make_engine
from lib.engines.server import ServerEngine
from lib.services.experiments import engine_fields
from lib.services.server_identity import identified
from lib.store.store import Store, embed_texts_cached
from tests.helpers.fake_server import Connect, FakeServer, Faults
from tests.helpers.fixtures import Run
from tests.helpers.videos import make_video, plain_picture

# Dimension, input and context as in the server's own configuration of these models.
FACTS = {"PE-Core-B16-224": (1024, 224, 32), "PE-Core-L14-336": (1024, 336, 32), "PE-Core-G14-448": (1280, 448, 72)}


@pytest.fixture
def engine(connect: Connect) -> ServerEngine:
    return connect(model_version="PE-Core-L14-336", sleep=lambda _: None)


def test_the_versions_are_offered_beside_clips() -> None:
    own = {name: (one.dim, one.input_size, one.context) for name, one in SERVER_MODELS.items() if name in FACTS}

    assert own == FACTS
    assert SERVER_MODELS.keys() == MODEL_VERSIONS.keys() | FACTS.keys()
    assert find_server_model("perception_encoder").name == "PE-Core-L14-336"
    assert find_server_model(" pe-core-l14-336 ").name == "PE-Core-L14-336"
    with pytest.raises(UnknownModelError, match="'PE-Core' is no model of an inference server; choose one of ViT-B-16"):
        find_server_model("PE-Core")


@pytest.mark.parametrize("version", FACTS)
def test_vectors_come_by_routes_of_its_own(server: FakeServer, connect: Connect, version: str) -> None:
    engine = connect(model_version=version)
    dim, side, _ = FACTS[version]

    assert engine.embed_texts(["a dog"]).shape == (1, dim)
    assert engine.embed_images([plain_picture(height=500, width=900)]).shape == (1, dim)
    assert engine.id == f"perception_encoder/{version}"
    assert engine.name == f"Perception Encoder {version} (inference server)"
    assert {seen.path for seen in server.seen} == {"/perception_encoder/embed_text", "/perception_encoder/embed_image"}
    assert {seen.body["perception_encoder_version_id"] for seen in server.seen} == {version}
    assert server.images[-1].shape == (side, side, 3)


def test_the_whole_frame_is_sent_squashed(server: FakeServer, engine: ServerEngine, connect: Connect) -> None:
    image = plain_picture((255, 0, 0), height=360, width=640)
    image[:, :80] = image[:, -80:] = (0, 0, 255)
    engine.embed_images([image])
    whole = server.images[-1]
    connect(model_version="ViT-B-16").embed_images([image])
    centre = server.images[-1]

    assert (engine.framing, connect(model_version="ViT-B-16").framing) == ("whole", "centre")
    np.testing.assert_allclose(whole[:, :30].mean(axis=(0, 1)), (0, 0, 254), atol=3)
    np.testing.assert_allclose(centre.mean(axis=(0, 1)), (254, 0, 0), atol=3)
    assert framed(image, "whole", 336).shape == framed(image[:, :100], "whole", 336).shape == (336, 336, 3)


def test_it_takes_eight_pictures_a_request(server: FakeServer, engine: ServerEngine) -> None:
    assert engine.embed_images([plain_picture()] * 20).shape == (20, 1024)
    assert [seen.items for seen in server.seen] == [8, 8, 4]


@pytest.mark.parametrize(("version", "context"), [("PE-Core-L14-336", 32), ("PE-Core-G14-448", 72)])
def test_texts_that_the_server_cuts_off_are_refused(connect: Connect, version: str, context: int) -> None:
    engine = connect(model_version=version)

    assert engine.embed_texts(["red " * (context - 3), "a dog"]).shape[0] == 2
    message = (
        f"The prompt “red red .*…” fills or exceeds the {context} tokens that Perception Encoder {version} can read"
    )
    for words in (context - 2, context - 1, 200):
        with pytest.raises(PromptTooLongError, match=message):
            engine.embed_texts(["a dog", "red " * words])


def test_texts_that_fit_for_sure_cost_no_second_request(server: FakeServer, engine: ServerEngine) -> None:
    engine.embed_texts(["a dog", "x" * 30])
    assert len(server.seen) == 1
    engine.embed_texts(["x" * 31])  # with start and end 33 tokens at most
    assert len(server.seen) == 3


def test_a_server_without_it_says_so(server: FakeServer, engine: ServerEngine) -> None:
    server.faults.no_pe = True

    message = (
        "is no inference server with Perception Encoder at /perception_encoder/embed_text; check the address and port "
        r"\(usually 9001\), and that Perception Encoder is switched on there"
    )
    with pytest.raises(BadReplyError, match=message):
        engine.embed_texts(["a dog"])


def test_faults_are_told_as_clips(server: FakeServer, engine: ServerEngine) -> None:
    server.faults.versions = ("PE-Core-B16-224",)
    with pytest.raises(UnknownModelError, match="has no usable perception_encoder/PE-Core-L14-336"):
        engine.embed_texts(["a dog"])
    server.faults = Faults(resolved="perception_encoder/PE-Core-B16-224")
    with pytest.raises(UnknownModelError, match="answered with perception_encoder/PE-Core-B16-224 where"):
        engine.embed_texts(["a dog"])
    server.faults = Faults(old=True, first=2)
    assert engine.embed_texts(["a dog"]).shape == (1, 1024)
    server.faults = Faults(first=100)
    with pytest.raises(EngineUnavailableError):
        engine.embed_images([plain_picture()])


def test_other_weights_are_told_apart(tmp_path: Path, server: FakeServer) -> None:
    store = Store(tmp_path)
    with FakeServer(Faults(weights=7)) as other:
        for at, first in ((server, True), (other, False)):
            raw = make_engine(at.url, model_version="PE-Core-B16-224")
            engine = identified(raw, store.home, lambda: store)
            assert engine.framing == "whole"
            if first:
                embed_texts_cached(store, engine, ["a photo of a red construction site at night"])
            else:
                with pytest.raises(UnknownModelError, match=r"kept apart as perception_encoder/PE-Core-B16-224\+"):
                    engine.embed_texts(["a cat"])


def test_its_id_chooses_it_again() -> None:
    assert engine_fields("perception_encoder/PE-Core-L14-336") == {
        "engine": "server", "model_version": "PE-Core-L14-336",
    }  # fmt: skip


def test_imported_vectors_are_never_its() -> None:
    with pytest.raises(UnknownModelError, match="'PE-Core-L14-336' is no CLIP version"):
        make_engine("hosted", model_version="PE-Core-L14-336")


def test_the_command_line_takes_it(server: FakeServer, home: Path, run: Run, tmp_path: Path) -> None:
    film = make_video(tmp_path / "film.mp4")
    status, out, _ = run("embed", film, "--engine", server.url, "--model", "PE-Core-B16-224", "--json")

    assert status == 0
    assert json.loads(out)[0]["engine"] == {"id": "perception_encoder/PE-Core-B16-224", "dim": 1024}
    assert {seen.path for seen in server.seen} >= {"/perception_encoder/embed_image"}
