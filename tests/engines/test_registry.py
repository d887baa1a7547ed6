"""Making engines from a few words."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.core.errors import InputError, UnknownModelError
from lib.engines.clip_versions import MODEL_VERSIONS
from lib.engines.embedded import EmbeddedEngine
from lib.engines.registry import api_key_from_environment, default_engine, make_engine
from lib.engines.server import ServerEngine

# Dimension and input of the published CLIP weights.
FACTS = {
    "RN50": (1024, 224),
    "RN101": (512, 224),
    "RN50x4": (640, 288),
    "RN50x16": (768, 384),
    "RN50x64": (1024, 448),
    "ViT-B-32": (512, 224),
    "ViT-B-16": (512, 224),
    "ViT-L-14": (768, 224),
    "ViT-L-14-336px": (768, 336),
}


def test_the_nine_versions_are_known_with_their_facts() -> None:
    assert {name: (v.dim, v.input_size) for name, v in MODEL_VERSIONS.items()} == FACTS
    assert all(name == version.name for name, version in MODEL_VERSIONS.items())


@pytest.mark.parametrize(
    ("name", "title"), [("ViT-B-16", "ViT-B/16"), ("ViT-L-14-336px", "ViT-L/14@336px"), ("RN50x4", "RN50x4")]
)
def test_versions_have_the_papers_titles(name: str, title: str) -> None:
    assert MODEL_VERSIONS[name].title == title


@pytest.mark.parametrize("spec", ["demo", "tinyclip", "clip", "siglip", " Demo "])
def test_a_word_makes_an_embedded_engine(spec: str) -> None:
    engine = make_engine(spec)

    assert isinstance(engine, EmbeddedEngine)
    assert repr(engine) == f"EmbeddedEngine({spec.strip().lower()!r})"


def test_models_are_downloaded_into_the_given_folder(tmp_path: Path) -> None:
    engine = make_engine("clip", models=tmp_path)

    assert isinstance(engine, EmbeddedEngine)
    assert engine.cache_dir == tmp_path


def test_an_address_makes_a_server_engine() -> None:
    engine = make_engine("https://gpu.example:8443/", model_version="ViT-L-14-336px", api_key="k")

    assert isinstance(engine, ServerEngine)
    assert engine.url == "https://gpu.example:8443"
    assert (engine.id, engine.dim, engine.input_size) == ("clip/ViT-L-14-336px", 768, 336)


@pytest.mark.parametrize("spec", ["", "dalle", "clip2"])
def test_another_word_is_refused(spec: str) -> None:
    with pytest.raises(
        InputError,
        match=r"is no engine; write demo, clip, siglip, tinyclip, hub:OWNER/NAME, folder:PATH, or .*localhost:9001",
    ):
        make_engine(spec)


def test_an_address_without_scheme_is_refused_with_the_right_one() -> None:
    with pytest.raises(InputError, match="write for example http://gpu-box:9001"):
        make_engine("gpu-box:9001")


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(UnknownModelError, match="'ViT-H-14' is no model of an inference server; choose one of"):
        make_engine("http://localhost:9001", model_version="ViT-H-14")


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert api_key_from_environment() is None
    monkeypatch.setenv("ROBOFLOW_API_KEY", "  ")
    assert api_key_from_environment() is None
    monkeypatch.setenv("ROBOFLOW_API_KEY", " abc ")
    assert api_key_from_environment() == "abc"


def test_the_engine_comes_from_the_environment_else_it_is_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_engine() == "demo"
    monkeypatch.setenv("PROMPTREEL_ENGINE", "http://localhost:9001")
    assert default_engine() == "http://localhost:9001"
