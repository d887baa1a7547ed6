"""Where embedded models are found: folders, caches, and a stand-in hub they are downloaded from."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lib.core.errors import EngineUnavailableError
from lib.engines import embedded_models
from lib.engines.checks import Preparation
from lib.engines.embedded import EmbeddedEngine
from tests.helpers.fake_hub import FakeHub
from tests.helpers.videos import plain_picture

CLIP_VISION, CLIP_TEXT = "Qdrant/clip-ViT-B-32-vision", "Qdrant/clip-ViT-B-32-text"
SIGLIP = "onnx-community/siglip2-base-patch16-224-ONNX"


def never(*_: object) -> Path:
    raise AssertionError("nothing should be downloaded")


def at_hub(hub: FakeHub) -> Callable[..., Path]:
    return functools.partial(embedded_models.download, endpoint=hub.url)


class TestPlaces:
    def test_folder_of_the_environment(
        self, clip_folder: Path, siglip_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shutil.copytree(clip_folder, tmp_path / "models" / "clip")
        shutil.copytree(siglip_folder, tmp_path / "models" / "siglip")
        monkeypatch.setenv("PROMPTREEL_MODELS", str(tmp_path / "models"))

        for model in ("clip", "siglip"):
            engine = EmbeddedEngine(model, download=never)
            assert engine.installed
            assert engine.embed_texts(["red"]).shape == (1, engine.dim)

    @pytest.mark.parametrize(
        ("model", "framing"), [("demo", "centre"), ("tinyclip", "centre"), ("clip", "centre"), ("siglip", "whole")]
    )
    def test_what_a_known_model_sees_needs_no_file(self, tmp_path: Path, model: str, framing: str) -> None:
        engine = EmbeddedEngine(model, folder=tmp_path, download=never)

        assert (engine.framing, engine.input_size) == (framing, 224)

    @pytest.mark.parametrize("name", ["config.json", "special_tokens_map.json", "model.onnx_data"])
    def test_every_file_that_may_change_vectors_is_in_the_id(self, copied: Path, name: str) -> None:
        (copied / "textual" / name).write_bytes(b"{}")
        before = EmbeddedEngine("clip", folder=copied).id
        (copied / "textual" / name).write_bytes(b"{} ")

        assert EmbeddedEngine("clip", folder=copied).id != before

    def test_bundled_folder(self, clip_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(embedded_models, "BUNDLED", clip_folder)
        engine = EmbeddedEngine(download=never)

        assert engine.id.startswith("demo:")
        assert engine.name == "Demo model (built in)"
        assert engine.embed_images([plain_picture()]).shape == (1, 512)

    def test_bundled_folder_that_is_not_whole(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(embedded_models, "BUNDLED", tmp_path)

        message = "Demo model is not whole: .*visual should hold model.onnx, preprocessor_config.json; reinstall"
        with pytest.raises(EngineUnavailableError, match=message):
            EmbeddedEngine().embed_texts(["red"])

    def test_given_folder_is_the_only_one(self, tmp_path: Path) -> None:
        engine = EmbeddedEngine("siglip", folder=tmp_path, download=never)

        assert not engine.installed
        message = f"{tmp_path} should hold onnx/vision_model.onnx, .*; copy the files of {SIGLIP} there"
        with pytest.raises(EngineUnavailableError, match=message):
            engine.prepare()

    def test_hub_with_progress_then_its_cache(self, clip_folder: Path, tmp_path: Path) -> None:
        reported: list[Preparation] = []
        cache = tmp_path / "cache"
        with FakeHub({CLIP_VISION: clip_folder / "visual", CLIP_TEXT: clip_folder / "textual"}) as hub:
            engine = EmbeddedEngine("clip", cache_dir=cache, on_progress=reported.append, download=at_hub(hub))
            assert not engine.installed
            assert not hub.sent
            vectors = engine.embed_texts(["red"])
        again = EmbeddedEngine("clip", cache_dir=cache, download=never)

        assert {"model.onnx", "tokenizer.json", "preprocessor_config.json"} <= set(hub.sent)
        assert again.installed
        np.testing.assert_array_equal(again.embed_texts(["red"]), vectors)
        assert again.id == EmbeddedEngine("clip", folder=clip_folder).id
        for part in ("pictures", "texts"):
            steps = [p for p in reported if p.message == f"Downloading CLIP ViT-B/32, the part for {part}."]
            done = [p.done_bytes for p in steps]
            assert done == sorted(done)
            assert done[-1] == steps[-1].total_bytes > 1000

    def test_hub_with_progress_reported_to_whoever_prepares(self, siglip_folder: Path, tmp_path: Path) -> None:
        reported: list[Preparation] = []
        with FakeHub({SIGLIP: siglip_folder}) as hub:
            engine = EmbeddedEngine("siglip", cache_dir=tmp_path, download=at_hub(hub), on_progress=never)
            engine.prepare(reported.append)

        assert reported[-1].done_bytes == reported[-1].total_bytes

    def test_hub_for_siglip_fetches_one_repository_into_one_folder(self, siglip_folder: Path, tmp_path: Path) -> None:
        with FakeHub({SIGLIP: siglip_folder}) as hub:
            engine = EmbeddedEngine("siglip", cache_dir=tmp_path, download=at_hub(hub))
            found = engine.prepare()

        assert found.visual == found.textual
        assert len(hub.sent) == len(set(hub.sent))
        assert engine.embed_images([plain_picture()]).shape == (1, 768)

    def test_hub_that_has_half_of_it(self, clip_folder: Path, copied: Path, tmp_path: Path) -> None:
        (copied / "textual" / "tokenizer.json").unlink()
        with FakeHub({CLIP_VISION: clip_folder / "visual", CLIP_TEXT: copied / "textual"}) as hub:
            engine = EmbeddedEngine("clip", cache_dir=tmp_path, download=at_hub(hub))
            with pytest.raises(EngineUnavailableError, match=r"could not be downloaded \(FileNotFoundError\)"):
                engine.prepare()
        assert not engine.installed

    def test_nowhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PROMPTREEL_MODELS", str(tmp_path / "models"))
        with FakeHub({}) as gone:
            pass
        engine = EmbeddedEngine("clip", cache_dir=tmp_path / "cache", download=at_hub(gone))

        with pytest.raises(EngineUnavailableError) as caught:
            engine.embed_texts(["red"])
        message = str(caught.value)
        assert message.startswith(
            f"CLIP ViT-B/32 is not on this machine (looked in {tmp_path}/models/clip/visual, "
            f"the cache {tmp_path}/cache, the model hub's cache {tmp_path}/hub-cache) "
            "and could not be downloaded ("
        )
        assert message.endswith(
            "Where the model hub can be reached it downloads itself (0.6 GB); else copy the files of "
            f"{CLIP_VISION} to clip/visual and the files of {CLIP_TEXT} to clip/textual "
            "in a folder of your choice and set PROMPTREEL_MODELS to it."
        )

    def test_repository_that_is_gone(self, tmp_path: Path) -> None:
        with FakeHub({}) as hub:
            engine = EmbeddedEngine("siglip", cache_dir=tmp_path, download=at_hub(hub))
            with pytest.raises(
                EngineUnavailableError, match=rf"\(RepositoryNotFoundError\).*the files of {SIGLIP} to siglip in a"
            ):
                engine.prepare()
