"""The bundled demo model: loads as CLIP does, tells the sample's scenes apart, fails as published."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from lib.core.samples import Samples
from lib.core.sampling import Sampling
from lib.engines.embedded import EmbeddedEngine
from lib.media.frames import FrameReader

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "lib/engines/demo_model"
STRIDE = 10


@pytest.fixture(scope="module")
def engine() -> Iterator[EmbeddedEngine]:
    engine = EmbeddedEngine("demo")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return json.loads((ROOT / "sample_videos/five_scenes.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def samples(engine: EmbeddedEngine) -> Samples:
    with FrameReader(ROOT / "sample_videos/five_scenes.mp4", Sampling.every(STRIDE), short_side=224) as reader:
        frames = list(reader)
        vectors = engine.embed_images([f.image for f in frames])
        numbers, times = np.array([f.index for f in frames]), np.array([f.time_s for f in frames])
        return Samples(numbers, times, vectors, reader.end_s)


def best(samples: Samples, engine: EmbeddedEngine, prompts: list[str]) -> NDArray[np.intp]:
    return (samples.vectors @ engine.embed_texts(prompts).T).argmax(1)


def seconds(samples: Samples, engine: EmbeddedEngine, prompts: list[str]) -> float:
    """How long the first prompt has the best score."""
    return float(samples.spans_s[best(samples, engine, prompts) == 0].sum())


def test_something_else_leaves_the_shipyard_to_the_construction_site(samples: Samples, engine: EmbeddedEngine) -> None:
    assert 5.4 <= seconds(samples, engine, ["construction site", "something else"]) <= 6.7


def test_the_prompt_shipyard_leaves_three_seconds_of_construction_site(
    samples: Samples, engine: EmbeddedEngine
) -> None:
    prompts = ["construction site", "something else", "shipyard"]

    assert 2.5 <= seconds(samples, engine, prompts) <= 3.4


def test_the_wrong_three_seconds_are_the_shipyard(samples: Samples, engine: EmbeddedEngine) -> None:
    chosen = samples.times_s[best(samples, engine, ["construction site", "something else"]) == 0]

    assert chosen.min() > 7.0 - STRIDE / 24
    assert chosen.max() < 13.0 + STRIDE / 24


def test_plain_prompts_agree_with_the_ground_truth(
    samples: Samples, engine: EmbeddedEngine, truth: dict[str, Any]
) -> None:
    labels = [s["label"] for s in truth["segments"]]
    starts = np.array([s["start_s"] for s in truth["segments"]])
    right = np.searchsorted(starts, samples.times_s + 1e-9, side="right") - 1
    cuts = np.flatnonzero(np.diff(right))
    counted = ~np.isin(np.arange(len(samples)), np.concatenate((cuts, cuts + 1)))

    agrees = best(samples, engine, labels) == right

    assert counted.sum() > 30
    assert agrees[counted].mean() >= 0.95


@pytest.mark.parametrize("name", ["advert_reel", "night_drive_vfr"])
def test_plain_prompts_agree_with_the_other_samples(engine: EmbeddedEngine, name: str) -> None:
    truth = json.loads((ROOT / f"sample_videos/{name}.json").read_text(encoding="utf-8"))
    video = ROOT / "sample_videos" / truth["video"]
    with FrameReader(video, Sampling.every(3 * STRIDE), short_side=224) as reader:
        frames = list(reader)
    labels = list(dict.fromkeys(s["label"] for s in truth["segments"]))
    table = engine.embed_texts(labels)
    chosen = (engine.embed_images([f.image for f in frames]) @ table.T).argmax(1)

    def true_at(t: float) -> set[str]:
        return {s["label"] for s in truth["segments"] if s["start_s"] <= t < s["end_s"]}

    counted = [  # clear of every cut
        (labels[k], true_at(f.time_s))
        for k, f in zip(chosen, frames, strict=True)
        if true_at(f.time_s - 0.4) == true_at(f.time_s) == true_at(f.time_s + 0.4)
    ]
    right = [label in true for label, true in counted if true]

    assert len(right) > 20
    assert sum(right) / len(right) >= 0.95


@pytest.mark.parametrize("other", ["indoors", "night", "a kitchen", "mountains", "a forest", "black frame"])
def test_a_bright_outdoor_scene_is_nothing_it_is_not(samples: Samples, engine: EmbeddedEngine, other: str) -> None:
    seaside = (samples.times_s > 4) & (samples.times_s < 6.5)

    assert (best(samples, engine, ["seaside", other])[seaside] == 0).all()


def test_the_files_are_small_and_explained() -> None:
    graphs = [MODEL / "visual/model.onnx", MODEL / "textual/model.onnx"]

    assert sum(g.stat().st_size for g in graphs) <= 15_000_000
    assert "Where it fails" in (MODEL / "README.md").read_text(encoding="utf-8")


def test_the_picture_graph_takes_what_an_inference_server_gives_it() -> None:
    session = onnxruntime.InferenceSession(str(MODEL / "visual/model.onnx"), providers=["CPUExecutionProvider"])
    (node,) = session.get_inputs()

    rows = session.run(None, {node.name: np.zeros((3, 3, 224, 224), np.float32)})[0]

    assert (node.type, node.shape[1:]) == ("tensor(float)", [3, 224, 224])
    assert rows.shape == (3, 512)
    assert rows.dtype == np.float32


def test_batches_do_not_change_vectors(engine: EmbeddedEngine) -> None:
    rng = np.random.default_rng(3)
    images = [rng.integers(0, 256, (224, 300, 3), dtype=np.uint8) for _ in range(5)]

    together = engine.embed_images(images)
    alone = np.concatenate([engine.embed_images([image]) for image in images])

    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_padding_does_not_change_a_text(engine: EmbeddedEngine) -> None:
    short, longer = "seaside", "a photo of a construction site with tower cranes and many workers"

    np.testing.assert_allclose(engine.embed_texts([short, longer])[0], engine.embed_texts([short])[0], atol=1e-5)


@pytest.mark.parametrize("text", ["zebra", "???", "日本", "a", "x" * 300])
def test_any_text_has_a_vector(engine: EmbeddedEngine, text: str) -> None:
    assert np.linalg.norm(engine.embed_texts([text])[0]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("value", [0, 255])
def test_a_flat_picture_has_a_vector(engine: EmbeddedEngine, value: int) -> None:
    row = engine.embed_images([np.full((224, 224, 3), value, np.uint8)])[0]

    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)


def test_black_is_a_black_frame(engine: EmbeddedEngine) -> None:
    row = engine.embed_images([np.zeros((224, 224, 3), np.uint8)])[0]
    scores = engine.embed_texts(["black frame", "seaside", "kitchen", "something else"]) @ row

    assert scores.argmax() == 0


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((205, 20, 25), "red"),
        ((30, 140, 55), "green"),
        ((30, 75, 195), "blue"),
        ((245, 210, 30), "yellow"),
        ((120, 45, 160), "purple"),
        ((245, 245, 243), "white"),
    ],
)
def test_a_plain_picture_has_its_colour(engine: EmbeddedEngine, rgb: tuple[int, int, int], name: str) -> None:
    names = ["red", "green", "blue", "yellow", "purple", "white"]
    row = engine.embed_images([np.full((224, 224, 3), rgb, np.uint8)])[0]

    assert names[int((engine.embed_texts(names) @ row).argmax())] == name


def test_unknown_words_are_listed_once_and_as_written(engine: EmbeddedEngine) -> None:
    texts = ["A Zebra, on a construction site, with another Zebra!", "a quagga and a Zebra"]
    assert engine.unknown_words(texts) == ("Zebra", "quagga")
    assert engine.unknown_words(["construction sites and cranes at night", ""]) == ()


def test_it_needs_no_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """``/tmp`` may be full, or not there."""

    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.delenv("FASTEMBED_CACHE_PATH", raising=False)
    monkeypatch.setattr(tempfile, "gettempdir", none)
    with closing(EmbeddedEngine("demo")) as engine:
        assert engine.embed_texts(["a car"]).shape == (1, engine.dim)
        assert engine.embed_images([np.zeros((224, 224, 3), np.uint8)]).shape == (1, engine.dim)
