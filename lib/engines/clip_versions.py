"""The models an inference server offers, nine CLIP versions and Perception Encoder, known without asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lib.core.errors import UnknownModelError
from lib.core.sampling import Framing


@dataclass(frozen=True)
class ModelFamily:
    """What the models of one family have in common on a server."""

    title: str
    key: str
    """First part of the server's routes and model ids."""
    version_field: str
    """Field of a request that names the version."""
    framing: Framing
    """What of a frame the server's preprocessing keeps."""
    cuts_texts: bool
    """Whether the server cuts off what is beyond the context without a word, rather than refusing it."""


CLIP = ModelFamily("CLIP", "clip", "clip_version_id", "centre", cuts_texts=False)
PERCEPTION_ENCODER = ModelFamily(
    "Perception Encoder", "perception_encoder", "perception_encoder_version_id", "whole", cuts_texts=True
)


@dataclass(frozen=True)
class ModelVersion:
    """One version, as published with the weights of CLIP (Radford et al. 2021) or PE (Bolya et al. 2025)."""

    name: str
    """What the server calls it."""
    dim: int
    """Length of its vectors."""
    input_size: int
    """Side in pixels of the square it sees."""
    context: int = 77
    """Tokens of a text that it reads."""
    family: ModelFamily = CLIP

    @property
    def title(self) -> str:
        """The paper's spelling: ``ViT-B/16``, ``ViT-L/14@336px``."""
        kind, _, rest = self.name.partition("-")
        if kind != "ViT":
            return self.name
        size, patch, *tail = rest.split("-")
        return f"ViT-{size}/{patch}" + (f"@{tail[0]}" if tail else "")


DEFAULT_VERSION = "ViT-B-16"
DEFAULT_PERCEPTION_ENCODER = "PE-Core-L14-336"

MODEL_VERSIONS: Mapping[str, ModelVersion] = MappingProxyType(
    {
        version.name: version
        for version in (
            ModelVersion("ViT-B-16", 512, 224),
            ModelVersion("ViT-B-32", 512, 224),
            ModelVersion("ViT-L-14", 768, 224),
            ModelVersion("ViT-L-14-336px", 768, 336),
            ModelVersion("RN50", 1024, 224),
            ModelVersion("RN101", 512, 224),
            ModelVersion("RN50x4", 640, 288),
            ModelVersion("RN50x16", 768, 384),
            ModelVersion("RN50x64", 1024, 448),
        )
    }
)

"""The CLIP versions."""

SERVER_MODELS: Mapping[str, ModelVersion] = MappingProxyType(
    {
        **MODEL_VERSIONS,
        **{
            version.name: version
            for version in (
                ModelVersion(DEFAULT_PERCEPTION_ENCODER, 1024, 336, 32, PERCEPTION_ENCODER),
                ModelVersion("PE-Core-B16-224", 1024, 224, 32, PERCEPTION_ENCODER),
                ModelVersion("PE-Core-G14-448", 1280, 448, 72, PERCEPTION_ENCODER),
            )
        },
    }
)
"""All that a server offers."""


def find_server_model(name: str) -> ModelVersion:
    """Return what a server offers as ``name``; ``perception_encoder`` alone is its default version.

    Raises:
        UnknownModelError: there is no such model.
    """
    wanted = _plain(name)
    if wanted == PERCEPTION_ENCODER.key:
        wanted = DEFAULT_PERCEPTION_ENCODER.lower()
    for version in SERVER_MODELS.values():
        if version.name.lower() == wanted:
            return version
    raise UnknownModelError(f"{name!r} is no model of an inference server; choose one of {', '.join(SERVER_MODELS)}.")


def find_version(name: str) -> ModelVersion:
    """Return the version called ``name``; the paper's spelling (``ViT-L/14@336px``) and any case are fine.

    Raises:
        UnknownModelError: there is no such version.
    """
    wanted = _plain(name)
    for version in MODEL_VERSIONS.values():
        if version.name.lower() == wanted:
            return version
    raise UnknownModelError(f"{name!r} is no CLIP version; choose one of {', '.join(MODEL_VERSIONS)}.")


def _plain(name: str) -> str:
    return name.strip().replace("/", "-").replace("@", "-").lower()
