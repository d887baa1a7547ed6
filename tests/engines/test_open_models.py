"""Any CLIP-like model in the layout of transformers.js: from a folder, or from a stand-in hub."""

from __future__ import annotations

import functools
import json
import os
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from huggingface_hub import constants, snapshot_download
from PIL import Image
from tokenizers import Tokenizer

from lib.core.errors import BadReplyError, EngineError, EngineUnavailableError, InputError, PromptTooLongError
from lib.engines import embedded_models
from lib.engines.embedded import EmbeddedEngine
from lib.engines.model_layout import ModelSpec, choose_files, read_json
from lib.engines.onnx_model import OnnxModel
from lib.engines.picture_input import PictureInput
from lib.engines.registry import is_address, make_engine
from tests.helpers.fake_hub import COMMIT, FakeHub
from tests.helpers.fixtures import Run
from tests.helpers.tiny_models import write_open
from tests.helpers.videos import make_video, plain_picture, scenes

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
REPO = "someone/tiny-clip"
OTHER_COMMIT = "f" * 40


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_open(tmp_path_factory.mktemp("open") / "plain")


@pytest.fixture
def changed(plain: Path, tmp_path: Path) -> Path:
    """Return a copy that a test may change."""
    return Path(shutil.copytree(plain, tmp_path / "changed"))


def in_folder(folder: Path, precision: str = "") -> EmbeddedEngine:
    return EmbeddedEngine(f"folder:{folder}" + (f":{precision}" if precision else ""))


def at_hub(hub: FakeHub, spec: str, cache_dir: Path | None) -> EmbeddedEngine:
    return EmbeddedEngine(
        spec,
        cache_dir=cache_dir,
        download=functools.partial(embedded_models.download, endpoint=hub.url),
        list_files=functools.partial(embedded_models.list_files, endpoint=hub.url),
    )


def offline(spec: str, cache_dir: Path | None) -> EmbeddedEngine:
    def never(*_: object) -> object:
        raise AssertionError("nothing should be asked")

    return EmbeddedEngine(spec, cache_dir=cache_dir, download=never, list_files=never)


def use_both(engine: EmbeddedEngine) -> None:
    engine.embed_images([plain_picture()])
    engine.embed_texts(["red"])


def set_json(folder: Path, name: str, **fields: object) -> None:
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


class TestSpecs:
    @pytest.mark.parametrize(
        ("text", "spec"),
        [
            ("hub:a/b", ModelSpec("hub:", "a/b")),
            (" HUB:Xenova/clip-vit-base-patch32 ", ModelSpec("hub:", "Xenova/clip-vit-base-patch32")),
            ("hub:a/b@v1.0:q8", ModelSpec("hub:", "a/b", "v1.0", "q8")),
            ("hub:a/b:Q8", ModelSpec("hub:", "a/b", None, "q8")),
            (f"hub:a/b@{COMMIT}", ModelSpec("hub:", "a/b", COMMIT)),
            ("folder:/models/x y", ModelSpec("folder:", "/models/x y")),
            ("hub:\u2060a/b@\u2060v1", ModelSpec("hub:", "a/b", "v1")),  # copied from a message of the page
            ("folder:C:/models:int8", ModelSpec("folder:", "C:/models", None, "int8")),
        ],
    )
    def test_are_read_and_written(self, text: str, spec: ModelSpec) -> None:
        assert ModelSpec.parse(text) == spec
        assert ModelSpec.parse(str(spec)) == spec

    @pytest.mark.parametrize(
        "text",
        ["hub:", "hub:a", "hub:a/b/c", "hub:../b", "hub:a/..", "hub:a/b@", "hub:a/b@../../x", "hub:a/b:q9", "hub:a b/c",
         "hub:a/b@v1@v2", "hub:a/b@v/../x", "hub:a/b@v//x", "hub:á/b", "folder:", "folder:  ", "folder:a\0b",
         "hub:a/b\nc"],
    )  # fmt: skip
    def test_that_name_nothing_are_refused(self, text: str) -> None:
        with pytest.raises(InputError, match=r"names no model; write hub:OWNER/NAME"):
            ModelSpec.parse(text)

    def test_make_engines(self, plain: Path, tmp_path: Path) -> None:
        engine = make_engine(f"folder:{plain}", models=tmp_path)

        assert isinstance(engine, EmbeddedEngine)
        assert engine.name == "plain (embedded)"
        assert repr(make_engine("hub:a/b:q8")) == "EmbeddedEngine('hub:a/b:q8')"
        assert make_engine("hub:a/b:q8").name == "b q8 (embedded)"
        assert not is_address("hub:a/b")


class TestFiles:
    NAMES = ("preprocessor_config.json", "tokenizer.json")

    @pytest.mark.parametrize(
        ("graphs", "precision", "chosen"),
        [
            (["onnx/vision_model.onnx", "onnx/text_model.onnx", "onnx/model.onnx"], None,
             ("onnx/vision_model.onnx", "onnx/text_model.onnx")),
            (["onnx/vision_model_fp16.onnx", "onnx/text_model.onnx", "onnx/text_model_int8.onnx"], None,
             ("onnx/vision_model_fp16.onnx", "onnx/text_model.onnx")),
            (["onnx/vision_model_q4.onnx", "onnx/vision_model_uint8.onnx", "onnx/text_model_uint8.onnx"], None,
             ("onnx/vision_model_uint8.onnx", "onnx/text_model_uint8.onnx")),
            (["onnx/vision_model.onnx", "onnx/model_quantized.onnx"], None, ("onnx/model_quantized.onnx",) * 2),
            (["onnx/model.onnx", "onnx/model_int8.onnx"], "int8", ("onnx/model_int8.onnx",) * 2),
            (["vision_model.onnx", "text_model.onnx"], None, ("vision_model.onnx", "text_model.onnx")),
            (["model.onnx", "onnx/model_fp16.onnx"], None, ("model.onnx",) * 2),
        ],
    )  # fmt: skip
    def test_are_chosen_by_precision(self, graphs: list[str], precision: str | None, chosen: tuple[str, str]) -> None:
        files = choose_files([*self.NAMES, *graphs], ModelSpec("hub:", "a/b", None, precision))

        assert (files.vision, files.text) == chosen

    def test_of_another_precision_are_named(self) -> None:
        names = [*self.NAMES, "onnx/model_fp16.onnx", "onnx/model_quantized.onnx"]
        with pytest.raises(
            EngineUnavailableError, match="b int8 is not there in that precision; choose one of fp16, q8"
        ):
            choose_files(names, ModelSpec("hub:", "a/b", None, "int8"))

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            (["onnx/vision_model.onnx", *NAMES], "b is no CLIP-like model that can be loaded"),
            (["onnx/model.onnx", "tokenizer.json"], "b has no preprocessor_config.json, without which"),
            (["onnx/model.onnx"], "b has no preprocessor_config.json and no tokenizer.json"),
            (["../onnx/model.onnx", "/onnx/model.onnx", *NAMES], "b is no CLIP-like model"),
        ],
    )
    def test_that_are_missing_are_named(self, names: list[str], message: str) -> None:
        with pytest.raises(EngineUnavailableError, match=message):
            choose_files(names, ModelSpec("hub:", "a/b"))

    def test_of_weights_outside_of_the_graph_belong_to_it(self) -> None:
        names = [*self.NAMES, "onnx/model.onnx", "onnx/model.onnx_data"]

        assert "onnx/model.onnx_data" in choose_files(names, ModelSpec("hub:", "a/b")).beside_vision


class TestVectors:
    @pytest.mark.parametrize("together", [False, True])
    @pytest.mark.parametrize("suffix", ["", "_int8", "_quantized"])
    def test_of_pictures_match_their_colours_words(self, tmp_path: Path, together: bool, suffix: str) -> None:
        engine = in_folder(write_open(tmp_path / "m", together=together, suffix=suffix))

        vectors = engine.embed_images([plain_picture(RED), plain_picture(GREEN), plain_picture(BLUE)])
        texts = engine.embed_texts(["red", "green", "blue"])

        assert vectors.shape == texts.shape == (3, 32)
        assert engine.dim == 32
        assert np.diag(vectors @ texts.T).min() > 0.99
        assert (vectors @ texts.T)[~np.eye(3, dtype=bool)].max() < 0.7

    @pytest.mark.parametrize("suffix", ["", "_int8", "_quantized"])
    @pytest.mark.parametrize("masked", [False, True])
    def test_do_not_depend_on_their_company(self, tmp_path: Path, suffix: str, masked: bool) -> None:
        engine = in_folder(write_open(tmp_path / "m", suffix=suffix, masked=masked))
        pictures = [plain_picture(RED), plain_picture((10, 20, 30))]
        texts = ["red", "a photo of a green building"]

        together = engine.embed_images(pictures), engine.embed_texts(texts)
        alone = [np.concatenate([embed([item]) for item in items])
                 for embed, items in ((engine.embed_images, pictures), (engine.embed_texts, texts))]  # fmt: skip

        np.testing.assert_allclose(together[0], alone[0], atol=1e-6)
        np.testing.assert_allclose(together[1], alone[1], atol=1e-6)

    @pytest.mark.parametrize(("kind", "length"), [("clip", 3), ("siglip", 64)])
    def test_of_siglip_are_of_its_whole_context(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, length: int
    ) -> None:
        lengths = []
        embed = OnnxModel.embed_tokens

        def spied(self: OnnxModel, tokens: np.ndarray, mask: np.ndarray, picture: tuple[int, int]) -> np.ndarray:
            lengths.append(tokens.shape[1])
            return embed(self, tokens, mask, picture)

        monkeypatch.setattr(OnnxModel, "embed_tokens", spied)
        in_folder(write_open(tmp_path / "m", kind=kind)).embed_texts(["red"])

        assert lengths == [length]

    def test_of_siglip_are_its_pooled_output(self, tmp_path: Path) -> None:
        engine = in_folder(write_open(tmp_path / "m", kind="siglip", projected=False, masked=False))

        cosines = engine.embed_images([plain_picture(RED)]) @ engine.embed_texts(["red", "blue"]).T

        assert cosines[0, 0] > 0.99 > 0.7 > cosines[0, 1]
        assert engine.framing == "whole"

    def test_without_projection_are_refused(self, tmp_path: Path) -> None:
        engine = in_folder(write_open(tmp_path / "m", projected=False))

        for embed, tower in ((lambda: engine.embed_images([plain_picture()]), "image"),
                             (lambda: engine.embed_texts(["red"]), "text")):  # fmt: skip
            with pytest.raises(
                EngineUnavailableError,
                match=f"m gives no {tower}_embeds but only last_hidden_state, pooler_output: it was exported without",
            ):
                embed()

    def test_of_towers_that_do_not_belong_together_are_refused(
        self, plain: Path, changed: Path, tmp_path: Path
    ) -> None:
        other = write_open(tmp_path / "other", dim=64)
        shutil.copy(other / "onnx" / "text_model.onnx", changed / "onnx" / "text_model.onnx")

        with pytest.raises(BadReplyError, match="changed gave vectors of length 64 where 32 was expected"):
            in_folder(changed).embed_texts(["red"])

    def test_of_another_precision_are_another_models(self, plain: Path, changed: Path) -> None:
        write_open(changed, suffix="_int8")
        default, small = in_folder(changed), in_folder(changed, "int8")

        assert default.id == in_folder(plain).id != small.id
        np.testing.assert_array_equal(default.embed_texts(["red"]), in_folder(plain).embed_texts(["red"]))

    def test_of_graphs_that_take_one_at_a_time_and_a_fixed_length(self, changed: Path) -> None:
        for name, shape in (("vision_model", [1, 3, 224, 224]), ("text_model", [1, 20])):
            path = changed / "onnx" / f"{name}.onnx"
            model = onnx.load(path)
            for node in model.graph.input:
                for dimension, size in zip(node.type.tensor_type.shape.dim, shape, strict=True):
                    dimension.dim_value = size
            onnx.save(model, path)
        engine = in_folder(changed)

        vectors = engine.embed_images([plain_picture(RED), plain_picture(BLUE)])
        assert np.diag(vectors @ engine.embed_texts(["red", "blue"]).T).min() > 0.99
        with pytest.raises(PromptTooLongError, match="more than the 20 that changed can read"):
            engine.embed_texts(["red " * 30])

    def test_of_a_model_with_no_more_than_it_needs(self, changed: Path, plain: Path) -> None:
        for name in ("config.json", "tokenizer_config.json", "special_tokens_map.json"):
            (changed / name).unlink()
        tokenizer = Tokenizer.from_file(str(changed / "tokenizer.json"))
        tokenizer.enable_truncation(12)
        tokenizer.enable_padding(length=12, pad_id=0, pad_token="<pad>")
        tokenizer.save(str(changed / "tokenizer.json"))

        np.testing.assert_allclose(
            in_folder(changed).embed_texts(["red"]), in_folder(plain).embed_texts(["red"]), atol=1e-6
        )
        with pytest.raises(PromptTooLongError, match="has 22 tokens, more than the 12"):
            in_folder(changed).embed_texts(["red " * 20])

    @pytest.mark.parametrize("output", ["last_hidden_state", "pooler_output"])
    def test_of_a_lone_output_without_projection_are_refused(self, changed: Path, output: str) -> None:
        path = changed / "onnx" / "vision_model.onnx"
        model = onnx.load(path)
        model.graph.node[-1].output[0] = model.graph.output[0].name = output
        onnx.save(model, path)

        with pytest.raises(EngineUnavailableError, match=f"gives no image_embeds but only {output}: it was exported"):
            in_folder(changed).embed_images([plain_picture()])

    @pytest.mark.parametrize("node", ["ReduceSum", "Unsqueeze"])
    def test_of_another_shape_are_refused(self, changed: Path, node: str) -> None:
        path = changed / "onnx" / "vision_model.onnx"
        model = onnx.load(path)
        model.graph.node[-1].output[0] = "before"
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1]), "second"))
        flat = {"keepdims": 0} if node == "ReduceSum" else {}
        model.graph.node.append(onnx.helper.make_node(node, ["before", "second"], ["image_embeds"], **flat))
        model.graph.output[0].type.tensor_type.ClearField("shape")
        onnx.save(model, path)

        with pytest.raises(BadReplyError, match="changed gave no vector for each image; it is of another kind"):
            in_folder(changed).embed_images([plain_picture()])

    def test_of_texts_whose_tokens_have_positions(self, changed: Path, plain: Path) -> None:
        """The first token's position is 0: added to the vector, it changes nothing."""
        from onnx import TensorProto, helper, numpy_helper

        path = changed / "onnx" / "text_model.onnx"
        model = onnx.load(path)
        positions = helper.make_tensor_value_info("position_ids", TensorProto.INT64, ["n", "tokens"])
        model.graph.input.append(positions)
        model.graph.initializer.append(numpy_helper.from_array(np.array([0]), "first"))
        model.graph.node[-1].output[0] = "before"
        model.graph.node.extend(
            [helper.make_node("Gather", ["position_ids", "first"], ["place"], axis=1),
             helper.make_node("Cast", ["place"], ["shift"], to=TensorProto.FLOAT),
             helper.make_node("Add", ["before", "shift"], ["text_embeds"])]
        )  # fmt: skip
        onnx.save(model, path)

        texts = ["red", "a red building"]
        np.testing.assert_allclose(
            in_folder(changed).embed_texts(texts), in_folder(plain).embed_texts(texts), atol=1e-6
        )

    def test_of_half_precision(self, changed: Path) -> None:
        """Inputs and outputs of half precision: what is given is cast."""
        from onnx import TensorProto, helper

        for name in ("vision_model", "text_model"):
            path = changed / "onnx" / f"{name}.onnx"
            model = onnx.load(path)
            if name == "vision_model":
                model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16
                model.graph.node.insert(0, helper.make_node("Cast", ["pixel_values"], ["pixels"], to=TensorProto.FLOAT))
                model.graph.node[1].input[0] = "pixels"
            onnx.save(model, path.with_name(f"{name}_fp16.onnx"))
        engine = in_folder(changed, "fp16")

        assert (engine.embed_images([plain_picture(RED)]) @ engine.embed_texts(["red"]).T).item() > 0.99


class TestPreprocessing:
    def test_gives_size_and_framing(self, plain: Path, tmp_path: Path) -> None:
        squashing = write_open(tmp_path / "s", kind="siglip", size=96)

        assert (in_folder(plain).input_size, in_folder(plain).framing) == (224, "centre")
        assert (in_folder(squashing).input_size, in_folder(squashing).framing) == (96, "whole")

    @pytest.mark.parametrize(("kind", "sees"), [("clip", False), ("siglip", True)])
    def test_crops_or_squashes(self, tmp_path: Path, kind: str, sees: bool) -> None:
        engine = in_folder(write_open(tmp_path / "m", kind=kind))
        image = plain_picture(RED)
        image[:, :80] = image[:, -80:] = BLUE

        same = np.allclose(engine.embed_images([image]), engine.embed_images([plain_picture(RED)]), atol=1e-5)
        assert same is not sees

    @pytest.mark.parametrize(
        ("config", "expected"),
        [
            ({"size": 224, "crop_size": 224}, (224, 224)),
            ({"size": {"shortest_edge": 256}}, (256, 224)),
            ({"size": {"height": 224, "width": 224}, "do_center_crop": False}, (224, 224)),
            ({"do_center_crop": False}, (224, 224)),
            ({"resample": 2}, (224, 224)),
        ],
    )
    def test_forms_of_size(self, changed: Path, config: dict[str, object], expected: tuple[int, int]) -> None:
        set_json(changed, "preprocessor_config.json", **config)
        engine = in_folder(changed)

        assert (engine.input_size, *engine._pictures().shape) == (expected[0], expected[1], expected[1])
        assert (engine.embed_images([plain_picture(GREEN)]) @ engine.embed_texts(["green"]).T).item() > 0.99

    @pytest.mark.parametrize(
        ("config", "framing", "mean"),
        [
            ({}, "centre", 0.48145466),
            ({"image_processor_type": "CLIPImageProcessor", "size": 224}, "centre", 0.48145466),
            ({"feature_extractor_type": "CLIPFeatureExtractor", "size": 224, "crop_size": 224}, "centre", 0.48145466),
            ({"image_processor_type": "SiglipImageProcessor", "size": 224}, "whole", 0.5),
            ({"feature_extractor_type": "ViTFeatureExtractor", "size": 224, "crop_size": 96}, "whole", 0.5),
            ({"image_processor_type": "ViTImageProcessor", "size": 224, "image_mean": [0.1, 0.2, 0.3]}, "whole", 0.1),
        ],
    )
    def test_what_is_left_out_is_as_in_its_kind(self, config: dict[str, object], framing: str, mean: float) -> None:
        pictures = PictureInput.from_config(config, "m")

        assert (pictures.framing, pictures.shape, pictures.mean[0]) == (framing, (224, 224), mean)
        assert pictures.prepare([plain_picture()]).shape == (1, 3, 224, 224)

    def test_keeps_the_middle_as_the_image_processors_do(self, rng: np.random.Generator) -> None:
        """Lengths are rounded down; of an odd rest the greater part is cut off behind, and added before."""
        config = {"size": 8, "crop_size": 8, "do_rescale": False, "do_normalize": False}
        image = rng.integers(0, 256, (16, 31, 3), np.uint8)
        small = np.asarray(Image.fromarray(image).resize((15, 8), Image.Resampling.BICUBIC))
        white = np.full((8, 8, 3), 255, np.uint8)

        wide, high = PictureInput.from_config(config, "m").prepare([image, image.transpose(1, 0, 2)])
        (framed,) = PictureInput.from_config(config | {"crop_size": 11}, "m").prepare([white])

        assert np.array_equal(wide.transpose(1, 2, 0), small[:, 3:11])
        assert (
            np.abs(high.transpose(2, 1, 0) - small[:, 3:11]).max() <= 1
        )  # the library resizes one way, then the other
        assert np.array_equal(framed[0], np.pad(white[..., 0], ((2, 1), (2, 1))))

    def test_height_comes_before_width(self) -> None:
        pictures = PictureInput.from_config({"size": {"height": 16, "width": 32}}, "m")

        assert (pictures.shape, pictures.short_side, pictures.framing) == ((16, 32), 32, "whole")
        assert pictures.prepare([plain_picture()]).shape == (1, 3, 16, 32)

    def test_scales_and_normalises_as_told(self, changed: Path) -> None:
        """The same in another form: mean and deviation times 255, without a rescale."""
        config = json.loads((changed / "preprocessor_config.json").read_text())
        picture = plain_picture((200, 90, 30))
        before = in_folder(changed).embed_images([picture])
        more = {name: [255 * value for value in config[name]] for name in ("image_mean", "image_std")}
        set_json(changed, "preprocessor_config.json", do_rescale=False, **more)
        same = in_folder(changed).embed_images([picture])
        set_json(changed, "preprocessor_config.json", do_normalize=False)

        np.testing.assert_allclose(same, before, atol=1e-5)
        assert not np.allclose(in_folder(changed).embed_images([picture]), before, atol=1e-3)

    @pytest.mark.parametrize(
        "config",
        [
            {"size": {"longest_edge": 224}}, {"size": None}, {"size": "224"}, {"size": 10**9}, {"size": -1},
            {"size": 1025}, {"size": {"height": 224, "width": [1]}},
            {"crop_size": {"height": 1e300, "width": 224}}, {"size": True},
            {"image_mean": [1, 2]}, {"image_mean": "red"}, {"image_std": [0, 1, 1]}, {"image_std": [float("nan")] * 3},
            {"rescale_factor": "x"}, {"rescale_factor": float("inf")}, {"rescale_factor": 0}, {"resample": 99},
            {"resample": None}, {"image_mean": [{}, 1, 1]},
        ],
    )  # fmt: skip
    def test_of_wrong_values_is_refused_in_a_sentence(self, changed: Path, config: dict[str, object]) -> None:
        set_json(changed, "preprocessor_config.json", **config)

        with pytest.raises(
            EngineUnavailableError, match=r"preprocessor_config.json of changed can't be used \(.*\); its"
        ):
            in_folder(changed).embed_images([plain_picture()])


class TestTexts:
    def test_end_with_the_context(self, changed: Path) -> None:
        set_json(changed, "tokenizer_config.json", model_max_length=16)
        engine = in_folder(changed)

        assert engine.embed_texts(["red " * 14]).shape == (1, 32)
        with pytest.raises(PromptTooLongError, match="has 17 tokens, more than the 16 that changed can read"):
            engine.embed_texts(["red " * 15])

    @pytest.mark.parametrize(
        ("config", "context"),
        [
            ({"model_type": "clip"}, 77),
            ({"model_type": "siglip"}, 64),
            ({"model_type": "clip", "text_config": {"max_position_embeddings": 40}}, 40),
            ({"model_type": "clip", "text_config": []}, 77),
            ({"text_config": {"max_position_embeddings": 40}, "max_position_embeddings": 30}, 30),
            ({"text_config": {"max_position_embeddings": 30}, "max_position_embeddings": 40}, 30),
        ],
    )
    def test_context_without_one_in_the_tokenizer(self, changed: Path, config: dict[str, object], context: int) -> None:
        (changed / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 10**30, "pad_token": "<pad>"}))
        (changed / "config.json").write_text(json.dumps(config))

        with pytest.raises(PromptTooLongError, match=f"more than the {context} that"):
            in_folder(changed).embed_texts(["red " * 200])

    def test_padding_is_the_models(self, changed: Path) -> None:
        (changed / "tokenizer_config.json").unlink()
        set_json(changed, "config.json", pad_token_id=3)

        assert in_folder(changed)._words().pad_id == 3


class TestDamage:
    def cut(self, path: Path) -> None:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    @pytest.mark.parametrize("name", ["onnx/vision_model.onnx", "onnx/text_model.onnx"])
    def test_of_a_graph(self, changed: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
        self.cut(changed / name)

        with pytest.raises(EngineError, match=r"changed .*(damaged|download)"):
            use_both(in_folder(changed))
        assert capfd.readouterr() == ("", "")  # ONNX Runtime says nothing beside it

    @pytest.mark.parametrize(
        "name", ["preprocessor_config.json", "tokenizer_config.json", "config.json", "tokenizer.json"]
    )
    @pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b"null", b"3"])
    def test_of_json(self, changed: Path, name: str, content: bytes) -> None:
        (changed / name).write_bytes(content)
        engine = in_folder(changed)

        with pytest.raises(EngineUnavailableError, match=r"of changed .*its files are damaged"):
            use_both(engine)

    def test_of_more_json_than_is_read(self, changed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (changed / "config.json").write_bytes(b"{}" + b" " * 98)
        monkeypatch.setattr("lib.engines.model_layout._MOST_JSON_BYTES", 100)
        assert read_json(changed / "config.json", "changed") == {}
        monkeypatch.setattr("lib.engines.model_layout._MOST_JSON_BYTES", 99)
        with pytest.raises(EngineUnavailableError, match=r"config.json of changed can't be read as JSON"):
            read_json(changed / "config.json", "changed")

    @pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
    def test_of_a_pipe_in_place_of_json(self, changed: Path, name: str) -> None:
        (changed / name).unlink(missing_ok=True)
        os.mkfifo(changed / name)

        with pytest.raises(EngineUnavailableError, match=rf"{name} of changed can't be read as JSON"):
            use_both(in_folder(changed))

    def test_of_size(self, changed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("lib.engines.onnx_model.MOST_GRAPH_BYTES", 100)
        with pytest.raises(EngineUnavailableError, match=r"can't be loaded \(it is larger than"):
            in_folder(changed).embed_images([plain_picture()])
        monkeypatch.setattr("lib.engines.text_input.MOST_TOKENIZER_BYTES", 100)
        with pytest.raises(EngineUnavailableError, match=r"can't be loaded \(it is too large\)"):
            in_folder(changed)._words()

    @pytest.mark.parametrize("location", ["../../secret", "/etc/passwd", "missing_data"])
    def test_of_weights_elsewhere(self, changed: Path, location: str) -> None:
        path = changed / "onnx" / "vision_model.onnx"
        model = onnx.load(path)
        constant = next(constant for constant in model.graph.initializer if constant.name == "colours")
        constant.ClearField("raw_data")
        constant.data_location = onnx.TensorProto.EXTERNAL
        constant.external_data.add(key="location", value=location)
        path.write_bytes(model.SerializeToString())
        (changed.parent / "secret").write_bytes(bytes(4 * 3 * 32))

        with pytest.raises(
            EngineUnavailableError, match=r"changed in .* can't be loaded \(.*\); its files are damaged"
        ):
            in_folder(changed).embed_images([plain_picture()])

    def test_of_inputs(self, changed: Path) -> None:
        path = changed / "onnx" / "vision_model.onnx"
        model = onnx.load(path)
        model.graph.input.append(onnx.helper.make_tensor_value_info("secret", onnx.TensorProto.FLOAT, [1]))
        onnx.save(model, path)

        with pytest.raises(
            EngineUnavailableError, match=r"changed wants inputs that no CLIP-like model has \(secret\)"
        ):
            in_folder(changed).embed_images([plain_picture()])

    def test_of_a_loop_without_an_end(
        self, changed: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        from onnx import TensorProto, helper, numpy_helper

        body = helper.make_graph(
            [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Add", ["x", "x"], ["y"])],
            "body",
            [helper.make_tensor_value_info("i", TensorProto.INT64, []),
             helper.make_tensor_value_info("go", TensorProto.BOOL, []),
             helper.make_tensor_value_info("x", TensorProto.FLOAT, None)],
            [helper.make_tensor_value_info("on", TensorProto.BOOL, []),
             helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        )  # fmt: skip
        path = changed / "onnx" / "vision_model.onnx"
        model = onnx.load(path)
        model.graph.initializer.append(numpy_helper.from_array(np.array(2**62), "most"))
        model.graph.initializer.append(numpy_helper.from_array(np.array(True), "true"))
        model.graph.node[-1].output[0] = "before"
        model.graph.node.append(helper.make_node("Loop", ["most", "true", "before"], ["image_embeds"], body=body))
        onnx.save(model, path)
        monkeypatch.setattr("lib.engines.onnx_model.MOST_RUN_S", 0.5)

        with pytest.raises(BadReplyError, match="changed fails"):
            in_folder(changed).embed_images([plain_picture()])
        assert capfd.readouterr() == ("", "")

    def test_of_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        (tmp_path / "file").write_text("x")
        for name in ("nowhere", "empty", "file"):
            engine = in_folder(tmp_path / name)
            assert not engine.installed
            with pytest.raises(EngineUnavailableError, match=f"There is no model in {tmp_path}/{name}"):
                engine.embed_texts(["red"])


class TestHub:
    def test_gives_a_model_that_stays_the_same(self, plain: Path, changed: Path, tmp_path: Path) -> None:
        cache = tmp_path / "cache"
        with FakeHub({REPO: plain}) as hub:
            engine = at_hub(hub, f"hub:{REPO}", cache)
            assert not engine.installed
            assert not hub.sent
            vectors = engine.embed_texts(["red"])
        (changed / "onnx" / "text_model.onnx").write_bytes(b"others")
        with FakeHub({REPO: changed}) as hub:
            hub.commit = OTHER_COMMIT
            again = at_hub(hub, f"hub:{REPO}", cache)

            assert again.installed
            assert again.id == engine.id
            assert not hub.sent
        kind, at_commit, precision, digits = engine.id.split(":")
        assert (kind, at_commit, precision, len(digits)) == ("hub", f"{REPO}@{COMMIT}", "fp32", 12)
        np.testing.assert_array_equal(offline(engine.id.rpartition(":")[0], cache).embed_texts(["red"]), vectors)
        assert offline(engine.id.rpartition(":")[0], cache).id == engine.id

    def test_downloads_only_what_is_needed(self, changed: Path, tmp_path: Path) -> None:
        write_open(changed, suffix="_int8")
        (changed / "README.md").write_text("A model.")
        with FakeHub({REPO: changed}) as hub:
            engine = at_hub(hub, f"hub:{REPO}@v2:int8", tmp_path / "cache")
            engine.embed_images([plain_picture()])

        assert set(hub.sent) == {
            "onnx/vision_model_int8.onnx", "onnx/text_model_int8.onnx", "preprocessor_config.json", "tokenizer.json",
            "tokenizer_config.json", "config.json", "special_tokens_map.json",
        }  # fmt: skip
        assert len(hub.sent) == len(set(hub.sent))
        assert offline(f"hub:{REPO}@v2:int8", tmp_path / "cache").id == engine.id

    def test_cache_with_another_precision_by_chance_is_not_taken_for_the_default(
        self, changed: Path, tmp_path: Path
    ) -> None:
        write_open(changed, suffix="_int8")
        cache = tmp_path / "cache"
        with FakeHub({REPO: changed}) as hub:
            at_hub(hub, f"hub:{REPO}:int8", cache).prepare()
            assert not offline(f"hub:{REPO}", cache).installed
            whole = at_hub(hub, f"hub:{REPO}", cache)
            assert ":fp32:" in whole.id

    def test_cache_of_another_program_will_do(self, plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
        with FakeHub({REPO: plain}) as hub:
            snapshot_download(REPO, endpoint=hub.url, cache_dir=constants.HF_HUB_CACHE)

        assert offline(f"hub:{REPO}", None).id == f"hub:{REPO}@{COMMIT}:fp32:" + in_folder(plain).id.rpartition(":")[2]

    def test_cache_of_another_program_lends_no_other_precision(
        self, changed: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
        write_open(changed, suffix="_int8")
        with FakeHub({REPO: changed}) as hub:
            snapshot_download(
                REPO, endpoint=hub.url, cache_dir=constants.HF_HUB_CACHE, ignore_patterns=["onnx/*_model.onnx"]
            )

        assert offline(f"hub:{REPO}:int8", None).installed
        assert not offline(f"hub:{REPO}", None).installed

    def test_weights_outside_of_the_graph_load_from_the_cache(self, changed: Path, tmp_path: Path) -> None:
        path = changed / "onnx" / "vision_model.onnx"
        model = onnx.load(path)
        onnx.save(model, path, save_as_external_data=True, location="vision_model.onnx_data", size_threshold=100)
        with FakeHub({REPO: changed}) as hub:
            engine = at_hub(hub, f"hub:{REPO}", tmp_path / "cache")
            vectors = engine.embed_images([plain_picture(RED)])

        assert "onnx/vision_model.onnx_data" in hub.sent
        np.testing.assert_allclose(vectors, in_folder(changed).embed_images([plain_picture(RED)]), atol=1e-6)

        data = changed / "onnx" / "vision_model.onnx_data"
        data.write_bytes((-np.fromfile(data, np.float32)).tobytes())  # other weights for the same graph
        with FakeHub({REPO: changed}) as hub:
            hub.commit = OTHER_COMMIT
            other = at_hub(hub, f"hub:{REPO}@v2", tmp_path / "cache").embed_images([plain_picture(RED)])

        np.testing.assert_allclose(other, in_folder(changed).embed_images([plain_picture(RED)]), atol=1e-6)
        assert not np.allclose(other, vectors, atol=0.1)

    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            ("hub:nobody/nothing", r"nobody/nothing is not on this machine and could not be downloaded \(Repository"),
            (f"hub:{REPO}:bnb4", "tiny-clip bnb4 is not there in that precision; choose one of fp32"),
        ],
    )
    def test_that_has_it_not_says_so(self, plain: Path, tmp_path: Path, spec: str, message: str) -> None:
        with FakeHub({REPO: plain}) as hub, pytest.raises(EngineUnavailableError, match=message):
            at_hub(hub, spec, tmp_path).prepare()

    def test_that_lists_what_it_has_not(self, plain: Path, changed: Path, tmp_path: Path) -> None:
        (changed / "tokenizer.json").unlink()
        with FakeHub({REPO: changed}) as hub:
            hub.pretended = {"tokenizer.json": 9, "../../evil": 9, "/etc/passwd": 9}
            engine = at_hub(hub, f"hub:{REPO}", tmp_path / "cache")
            with pytest.raises(EngineUnavailableError, match=r"could not be downloaded \(FileNotFoundError\)"):
                engine.prepare()
        assert not offline(f"hub:{REPO}", tmp_path / "cache").installed

    @pytest.mark.parametrize(
        "about",
        [
            {"sha": None},
            {"sha": "../../x"},
            {"siblings": [3]},
            {"siblings": "abc"},
            {"siblings": None},
            {"siblings": [{}]},
        ],
    )
    def test_that_tells_nonsense_is_one_sentence(self, plain: Path, tmp_path: Path, about: dict[str, object]) -> None:
        with FakeHub({REPO: plain}) as hub:
            hub.about = about
            with pytest.raises(EngineUnavailableError, match=r"could not be downloaded \(|no CLIP-like model"):
                at_hub(hub, f"hub:{REPO}", tmp_path / "cache").prepare()
        assert not hub.sent

    def test_that_has_too_much_is_asked_for_none_of_it(self, plain: Path, tmp_path: Path) -> None:
        with FakeHub({REPO: plain}) as hub:
            hub.pretended = {"onnx/model_q4.onnx": 9 << 30}
            with pytest.raises(
                EngineUnavailableError, match="tiny-clip q4 has 10 GB, more than can be loaded; choose a"
            ):
                at_hub(hub, f"hub:{REPO}:q4", tmp_path / "cache").prepare()
        assert not hub.sent

    def test_that_sends_more_than_can_be_loaded_is_cut_off(
        self, plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("lib.engines.embedded_models.MOST_GRAPH_BYTES", 1000)
        with FakeHub({REPO: plain}) as hub, pytest.raises(EngineUnavailableError, match=r"downloaded \(ValueError\)"):
            at_hub(hub, f"hub:{REPO}", tmp_path / "cache").prepare()

    def test_works_from_the_command_line(
        self, plain: Path, tmp_path: Path, home: Path, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        film = make_video(tmp_path / "film.mp4", colours=scenes((RED, 24), (BLUE, 24)))
        prompts = tmp_path / "prompts.yaml"
        prompts.write_text("prompts: [red, blue]\nsettings: {score: cosine, decision: best}\n")
        with FakeHub({REPO: plain}) as hub:
            monkeypatch.setattr(constants, "ENDPOINT", hub.url)
            monkeypatch.setattr(
                constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
            )
            status, out, err = run("analyze", film, "--prompts", prompts, "--engine", f"hub:{REPO}", "--json")
        assert status == 0, err
        document = json.loads(out)
        assert document["engine"]["id"].startswith(f"hub:{REPO}@{COMMIT}:fp32:")
        assert document["engine"]["dim"] == 32
        assert {label["label"]: round(label["duration_s"]) for label in document["metrics"]} == {"red": 1, "blue": 1}
        assert run("search", "red", "--engine", f"hub:{REPO}")[0] == 0  # pinned: nothing is asked any more
        status, _, err = run("embed", film, "--engine", f"hub:{REPO}", "--model", "ViT-B-16")
        assert (status, "--model chooses among an inference server's models" in err[-1]) == (2, True)

    def test_that_is_away_says_what_to_do(self, tmp_path: Path) -> None:
        with FakeHub({}) as hub:
            pass
        engine = at_hub(hub, f"hub:{REPO}", tmp_path)

        message = rf"{REPO} is not on this machine and could not be downloaded \(.*\); check .* or .* write folder:PATH"
        with pytest.raises(EngineUnavailableError, match=message):
            engine.embed_texts(["red"])

    @pytest.mark.parametrize("content", [b"{", b"[]", b'{"hub:x": 3}', b"[" * 100_000])
    def test_pins_that_are_damaged_are_asked_for_again(self, plain: Path, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "pins.json").write_bytes(content)
        with FakeHub({REPO: plain}) as hub:
            engine = at_hub(hub, f"hub:{REPO}", tmp_path)
            engine.prepare()

        assert json.loads((tmp_path / "pins.json").read_text())[f"hub:{REPO}"] == f"hub:{REPO}@{COMMIT}:fp32"


class TestTinyClip:
    REPO = "onnx-community/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M-ONNX"

    def test_is_one_graph_of_a_pinned_commit(self, tmp_path: Path) -> None:
        folder = write_open(tmp_path / "m", together=True, suffix="_quantized", dim=512)
        commits: list[str | None] = []

        def download(tower: embedded_models.Tower, *arguments: object) -> Path:
            commits.append(tower.revision)
            return embedded_models.download(tower, *arguments, endpoint=hub.url)

        with FakeHub({self.REPO: folder}) as hub:
            engine = EmbeddedEngine("tinyclip", cache_dir=tmp_path / "cache", download=download)
            vectors = engine.embed_images([plain_picture(RED)])

        assert hub.sent.count("onnx/model_quantized.onnx") == 1
        assert set(commits) == {"9463a9c508a344c837ffefe9d724f3827bf2dc79"}
        assert (engine.dim, engine.input_size, engine.framing) == (512, 224, "centre")
        assert engine.name == "TinyCLIP ViT-8M/16 (embedded)"
        assert (vectors @ engine.embed_texts(["red"]).T).item() > 0.99
        assert EmbeddedEngine("tinyclip", cache_dir=tmp_path / "cache", download=download).installed
