"""The engine in this process: tiny models in the real loader."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from lib.core.errors import BadReplyError, EngineUnavailableError, InputError, PromptTooLongError, UnknownModelError
from lib.engines.embedded import EmbeddedEngine
from lib.engines.engine import Engine
from tests.helpers.tiny_models import write_clip
from tests.helpers.videos import plain_picture

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


@pytest.fixture
def engine(clip_folder: Path) -> EmbeddedEngine:
    return EmbeddedEngine("clip", folder=clip_folder)


def never(*_: object) -> None:
    raise AssertionError("nothing should be loaded")


class TestVectors:
    def test_follow_the_engine_protocol(self, engine: EmbeddedEngine) -> None:
        assert isinstance(engine, Engine)
        assert (engine.dim, engine.input_size, engine.concurrency) == (512, 224, 2)
        assert engine.name == "CLIP ViT-B/32 (embedded)"
        assert repr(engine) == "EmbeddedEngine('clip')"

    def test_of_pictures_match_their_colours_words(self, engine: EmbeddedEngine) -> None:
        vectors = engine.embed_images([plain_picture(RED), plain_picture(GREEN), plain_picture(BLUE)])
        texts = engine.embed_texts(["red", "green", "blue"])

        assert vectors.dtype == texts.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
        np.testing.assert_allclose(np.diag(vectors @ texts.T), 1, atol=1e-4)
        assert (vectors @ texts.T)[~np.eye(3, dtype=bool)].max() < 0.5

    def test_of_siglip_take_the_pooled_output(self, siglip_folder: Path) -> None:
        engine = EmbeddedEngine("siglip", folder=siglip_folder)

        vectors = engine.embed_images([plain_picture(RED), plain_picture(BLUE)])
        texts = engine.embed_texts(["red", "blue"])

        assert vectors.shape == texts.shape == (2, 768)
        assert np.diag(vectors @ texts.T).min() > 0.99

    @pytest.mark.parametrize("model", ["clip", "siglip"])
    def test_of_a_text_do_not_depend_on_its_company(self, clip_folder: Path, siglip_folder: Path, model: str) -> None:
        engine = EmbeddedEngine(model, folder={"clip": clip_folder, "siglip": siglip_folder}[model])

        alone = engine.embed_texts(["red"])
        beside = engine.embed_texts(["a photo of a red construction site", "red"])

        np.testing.assert_allclose(beside[1:], alone, atol=1e-6)

    def test_of_the_centre_square_alone(self, engine: EmbeddedEngine) -> None:
        """CLIP's preprocessing crops: what lies left and right of the square has no say."""
        image = plain_picture(RED)
        image[:, :80] = image[:, -80:] = BLUE

        np.testing.assert_allclose(engine.embed_images([image]), engine.embed_images([plain_picture(RED)]), atol=1e-6)

    @pytest.mark.parametrize("size", [(720, 1280), (100, 60), (224, 224), (225, 224)])
    def test_of_pictures_of_any_size(self, engine: EmbeddedEngine, size: tuple[int, int]) -> None:
        vectors = engine.embed_images([plain_picture(GREEN, height=size[0], width=size[1])])

        assert (vectors @ engine.embed_texts(["green"]).T).item() > 0.999

    def test_of_nothing_are_none(self, engine: EmbeddedEngine) -> None:
        assert engine.embed_images([]).shape == (0, 512)
        assert engine.embed_texts([]).shape == (0, 512)

    def test_are_those_of_a_single_thread_when_many_ask_at_once(
        self, engine: EmbeddedEngine, rng: np.random.Generator
    ) -> None:
        frames = [rng.integers(0, 256, (224, 398, 3), dtype=np.uint8) for _ in range(8)]
        with ThreadPoolExecutor(4) as pool:  # the first call of each loads, at the same time
            together = list(pool.map(lambda frame: engine.embed_images([frame]), frames))

        np.testing.assert_allclose(np.concatenate(together), engine.embed_images(frames), atol=1e-6)

    def test_are_given_no_more_after_closing(self, engine: EmbeddedEngine) -> None:
        engine.embed_texts(["red"])
        engine.close()
        engine.close()

        with pytest.raises(EngineUnavailableError, match="The engine was closed; choose it again"):
            engine.embed_texts(["red"])
        with pytest.raises(EngineUnavailableError, match="The engine was closed; choose it again"):
            engine.embed_images([plain_picture(RED)])


class TestTexts:
    @pytest.mark.parametrize("text", ["", " \t"])
    def test_that_are_empty_are_refused(self, engine: EmbeddedEngine, text: str) -> None:
        with pytest.raises(InputError, match="A prompt is empty"):
            engine.embed_texts(["red", text])

    def test_fill_the_context_to_the_last_token(self, engine: EmbeddedEngine) -> None:
        assert engine.embed_texts(["red " * 75]).shape == (1, 512)  # 75, start and end: 77

    @pytest.mark.parametrize("words", [76, 200])
    def test_beyond_the_context_are_refused_by_name_and_count(self, engine: EmbeddedEngine, words: int) -> None:
        message = (
            rf"The prompt “red red .*…” has {words + 2} tokens, more than the 77 that CLIP ViT-B/32 "
            "can read; shorten it"
        )
        with pytest.raises(PromptTooLongError, match=message):
            engine.embed_texts(["blue", "red " * words])

    def test_of_siglip_end_at_64_tokens(self, siglip_folder: Path) -> None:
        engine = EmbeddedEngine("siglip", folder=siglip_folder)

        assert engine.embed_texts(["red " * 62]).shape == (1, 768)
        with pytest.raises(PromptTooLongError, match="has 65 tokens, more than the 64 that SigLIP 2 base can read"):
            engine.embed_texts(["red " * 63])


class TestIdentity:
    def test_is_model_and_weights(self, engine: EmbeddedEngine, clip_folder: Path) -> None:
        kind, _, digits = engine.id.partition(":")

        assert kind == "clip"
        assert len(digits) == 12
        assert set(digits) <= set("0123456789abcdef")
        assert EmbeddedEngine("clip", folder=clip_folder).id == engine.id

    def test_is_known_without_loading(self, engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("onnxruntime.InferenceSession", never)

        assert engine.id

    @pytest.mark.parametrize(
        "name", ["visual/model.onnx", "textual/model.onnx", "textual/tokenizer.json", "visual/preprocessor_config.json"]
    )
    def test_changes_with_every_file_that_has_a_say(self, copied: Path, name: str) -> None:
        before = EmbeddedEngine("clip", folder=copied).id
        path = copied / name
        path.write_bytes(path.read_bytes() + b" ")

        assert EmbeddedEngine("clip", folder=copied).id != before

    def test_notices_new_weights_of_the_same_size(self, copied: Path) -> None:
        before = EmbeddedEngine("clip", folder=copied).id
        path = copied / "visual" / "model.onnx"
        data = bytearray(path.read_bytes())
        data[-200] ^= 1
        path.write_bytes(data)
        os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1))

        assert EmbeddedEngine("clip", folder=copied).id != before

    def test_does_not_change_with_other_files(self, copied: Path) -> None:
        before = EmbeddedEngine("clip", folder=copied).id
        (copied / "visual" / "README.md").write_text("A model.")

        assert EmbeddedEngine("clip", folder=copied).id == before

    def test_stays_that_of_the_model_that_is_loaded(self, copied: Path) -> None:
        engine = EmbeddedEngine("clip", folder=copied)
        before = engine.id
        (copied / "visual" / "model.onnx").write_bytes(b"other weights")

        assert engine.id == before

    def test_reads_the_weights_only_once(self, copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        first = EmbeddedEngine("clip", folder=copied).id
        monkeypatch.setattr("hashlib.file_digest", never)

        assert EmbeddedEngine("clip", folder=copied).id == first

    def test_of_an_unknown_model_is_refused(self) -> None:
        with pytest.raises(
            UnknownModelError, match="'resnet' is no embedded model; choose one of demo, clip, siglip, tinyclip"
        ):
            EmbeddedEngine("resnet")


class TestDamage:
    def test_of_a_graph(self, copied: Path) -> None:
        (copied / "visual" / "model.onnx").write_bytes(b"no graph at all")
        engine = EmbeddedEngine("clip", folder=copied)

        with pytest.raises(
            EngineUnavailableError, match=r"CLIP ViT-B/32 in .*visual can't be loaded .* download them again"
        ):
            engine.embed_images([plain_picture(RED)])
        assert engine.embed_texts(["red"]).shape == (1, 512)  # the other half still works

    def test_of_a_tokenizer(self, copied: Path) -> None:
        (copied / "textual" / "tokenizer.json").write_text("{}")

        with pytest.raises(EngineUnavailableError, match=r"CLIP ViT-B/32 in .*textual can't be loaded"):
            EmbeddedEngine("clip", folder=copied).embed_texts(["red"])

    def test_of_a_configuration(self, copied: Path) -> None:
        path = copied / "visual" / "preprocessor_config.json"
        config = json.loads(path.read_text())
        path.write_text(json.dumps(config | {"crop_size": {"height": 64, "width": 64}}))

        with pytest.raises(
            BadReplyError, match=r"CLIP ViT-B/32 fails .*; its files may be damaged; download them again"
        ):
            EmbeddedEngine("clip", folder=copied).embed_images([plain_picture(RED)])

    def test_of_length(self, tmp_path: Path) -> None:
        engine = EmbeddedEngine("clip", folder=write_clip(tmp_path, dim=256))

        with pytest.raises(BadReplyError, match="CLIP ViT-B/32 gave vectors of length 256 where 512 was expected"):
            engine.embed_images([plain_picture(RED)])

    @pytest.mark.parametrize(
        ("factor", "message"), [(0.0, "a vector that is zero everywhere"), (np.nan, "a value that is NaN or infinite")]
    )
    def test_of_values(self, copied: Path, factor: float, message: str) -> None:
        path = copied / "visual" / "model.onnx"
        model = onnx.load(path)
        output = model.graph.output[0].name
        last = model.graph.node[-1]
        last.output[0] = "before"
        model.graph.initializer.append(helper.make_tensor("factor", TensorProto.FLOAT, [1], [factor]))
        model.graph.node.append(helper.make_node("Mul", ["before", "factor"], [output]))
        onnx.save(model, path)

        with pytest.raises(BadReplyError, match=f"CLIP ViT-B/32 gave.*{message}.*Its files are damaged"):
            EmbeddedEngine("clip", folder=copied).embed_images([plain_picture(RED)])


class TestHardware:
    def test_of_a_cpu_takes_the_models_batch(self, engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])

        assert engine.batch_size == 8

    def test_of_a_gpu_takes_a_larger_batch(self, engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]
        monkeypatch.setattr("onnxruntime.get_available_providers", lambda: providers)

        assert engine.batch_size == 32


@pytest.mark.parametrize("raised", [MemoryError(), RuntimeError("Failed to allocate memory for requested buffer")])
def test_a_lack_of_memory_is_not_called_damage(raised: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = EmbeddedEngine("clip")

    def embed() -> list:
        raise raised

    with pytest.raises(EngineUnavailableError, match=r"runs out of memory; close other programs"):
        engine._rows("text", embed)
