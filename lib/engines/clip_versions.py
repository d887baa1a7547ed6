"""The nine CLIP versions an inference server offers, with what is known of them without asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lib.core.errors import UnknownModelError


@dataclass(frozen=True)
class ModelVersion:
    """One CLIP version, as published with the CLIP weights (Radford et al. 2021)."""

    name: str
    """The server's ``clip_version_id``."""
    dim: int
    """Length of its vectors."""
    input_size: int
    """Side in pixels of the square it sees."""

    @property
    def title(self) -> str:
        """The paper's spelling: ``ViT-B/16``, ``ViT-L/14@336px``."""
        kind, _, rest = self.name.partition("-")
        if kind != "ViT":
            return self.name
        size, patch, *tail = rest.split("-")
        return f"ViT-{size}/{patch}" + (f"@{tail[0]}" if tail else "")


DEFAULT_VERSION = "ViT-B-16"

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


def find_version(name: str) -> ModelVersion:
    """Return the version called ``name``; the paper's spelling (``ViT-L/14@336px``) and any case are fine.

    Raises:
        UnknownModelError: there is no such version.
    """
    wanted = name.strip().replace("/", "-").replace("@", "-").lower()
    for version in MODEL_VERSIONS.values():
        if version.name.lower() == wanted:
            return version
    raise UnknownModelError(f"{name!r} is no CLIP version; choose one of {', '.join(MODEL_VERSIONS)}.")
