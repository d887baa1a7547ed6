"""The models that run in this process: their files, the cache they are looked for in, and their download.

A model has two towers, each a folder: an ONNX graph with ``preprocessor_config.json`` (pictures) or with the
tokenizer's files (texts). Layout of a folder of models, ``PROMPTREEL_MODELS``::

    tinyclip/        the files of onnx-community/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M-ONNX
    clip/visual/     the files of Qdrant/clip-ViT-B-32-vision
    clip/textual/    the files of Qdrant/clip-ViT-B-32-text
    siglip/          the files of onnx-community/siglip2-base-patch16-224-ONNX
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lib.core.errors import EngineUnavailableError, UnknownModelError
from lib.core.sampling import Framing
from lib.engines.model_layout import MOST_GRAPH_BYTES, PREPROCESSOR, TOKENIZER, TOKENIZER_CONFIG, is_commit
from lib.infra.files import expanded, sha256_of

MODELS_VARIABLE = "PROMPTREEL_MODELS"
"""Environment variable that names a folder of models, for machines that reach no model hub."""
_CONFIG = ("config.json", "special_tokens_map.json")
_ID_DIGITS = 12
_LISTING_S = 20.0
_MOST_FILES = 10_000


@dataclass(frozen=True)
class Tower:
    """One of the two networks of a model: for pictures (visual) or for texts (textual)."""

    repo: str
    """Repository on the model hub; empty for a model that is not downloaded."""
    folder: str
    """Folder inside the model's own folder."""
    graph: str
    """The ONNX file inside that folder."""
    companions: tuple[str, ...]
    """Other files without which it can't be loaded."""
    revision: str | None = None
    """Commit on the model hub; None for the main branch."""

    @property
    def needed(self) -> tuple[str, ...]:
        """Files without which it can't be loaded."""
        return (self.graph, *self.companions)

    def is_in(self, folder: Path) -> bool:
        """Return whether ``folder`` holds all that is needed."""
        return all((folder / name).is_file() for name in self.needed)

    def files(self, folder: Path) -> Iterator[tuple[str, Path]]:
        """Yield name and path of every file in ``folder`` that influences the vectors, in a fixed order."""
        for name in sorted({*self.needed, *_CONFIG, f"{self.graph}_data"}):
            if (folder / name).is_file():
                yield name, folder / name


@dataclass(frozen=True)
class EmbeddedModel:
    """A model that runs in this process."""

    key: str
    title: str
    dim: int | None
    """Length of its vectors; None where its graph has to be asked."""
    input_size: int | None
    """Side in pixels of the square it sees; None where its files have to be asked."""
    batch_size: int
    """Pictures a call, on a CPU."""
    size: str
    """How much is downloaded, in words; empty where that is not known or nothing is."""
    visual: Tower
    textual: Tower
    framing: Framing | None = "centre"
    """What of a frame it sees; None where its files have to be asked."""
    pooled: bool | None = False
    """Whether ``pooler_output`` holds its vectors; None where ``config.json`` has to be asked."""
    knows_whole_words_only: bool = False
    """Whether words outside its vocabulary mean nothing to it, rather than being spelt from parts."""

    @property
    def name(self) -> str:
        """What it is called on screen."""
        return f"{self.title} ({'built in' if self.key == 'demo' else 'embedded'})"


_PICTURES = (PREPROCESSOR,)
_TOKENIZER = (TOKENIZER, TOKENIZER_CONFIG)
_CLIP_VISION, _CLIP_TEXT = "Qdrant/clip-ViT-B-32-vision", "Qdrant/clip-ViT-B-32-text"
_SIGLIP = "onnx-community/siglip2-base-patch16-224-ONNX"
_TINYCLIP = "onnx-community/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M-ONNX"
_TINYCLIP_COMMIT = "9463a9c508a344c837ffefe9d724f3827bf2dc79"
_TINYCLIP_GRAPH = "onnx/model_quantized.onnx"  # both towers

EMBEDDED_MODELS: Mapping[str, EmbeddedModel] = MappingProxyType(
    {
        model.key: model
        for model in (
            EmbeddedModel(
                "demo",
                "Demo model",
                512,
                224,
                16,
                "",
                Tower("", "visual", "model.onnx", _PICTURES),
                Tower("", "textual", "model.onnx", _TOKENIZER),
                knows_whole_words_only=True,
            ),
            EmbeddedModel(
                "clip",
                "CLIP ViT-B/32",
                512,
                224,
                8,
                "0.6 GB",
                Tower(_CLIP_VISION, "visual", "model.onnx", _PICTURES),
                Tower(_CLIP_TEXT, "textual", "model.onnx", _TOKENIZER),
            ),
            EmbeddedModel(
                "siglip",
                "SigLIP 2 base",
                768,
                224,
                8,
                "1.5 GB",
                Tower(_SIGLIP, "", "onnx/vision_model.onnx", _PICTURES),
                Tower(_SIGLIP, "", "onnx/text_model.onnx", _TOKENIZER),
                framing="whole",
                pooled=True,
            ),
            EmbeddedModel(
                "tinyclip",
                "TinyCLIP ViT-8M/16",
                512,
                224,
                8,
                "24 MB",
                Tower(_TINYCLIP, "", _TINYCLIP_GRAPH, _PICTURES, _TINYCLIP_COMMIT),
                Tower(_TINYCLIP, "", _TINYCLIP_GRAPH, _TOKENIZER, _TINYCLIP_COMMIT),
            ),
        )
    }
)
SMALLEST = "tinyclip"
"""The smallest model that knows real footage."""
BUNDLED = Path(__file__).parent / "demo_model"
"""Folder of the demo model."""


def find_model(key: str) -> EmbeddedModel:
    """Return the model called ``key``.

    Raises:
        UnknownModelError: there is none.
    """
    try:
        return EMBEDDED_MODELS[key]
    except KeyError:
        names = ", ".join(EMBEDDED_MODELS)
        raise UnknownModelError(f"{key!r} is no embedded model; choose one of {names}.") from None


def hub_cache() -> str:
    """Return where the model hub's client keeps its own cache."""
    from huggingface_hub import constants

    return str(constants.HF_HUB_CACHE)


def hub_folder(tower: Tower, cache_dir: Path | None) -> Path | None:
    """Return the folder of ``tower`` in a cache of the model hub, None unless it holds all files; asks no network."""
    from huggingface_hub import try_to_load_from_cache

    graph = try_to_load_from_cache(tower.repo, tower.graph, cache_dir=cache_dir, revision=tower.revision)
    if not isinstance(graph, str):
        return None
    folder = Path(graph).parents[len(Path(tower.graph).parts) - 1]
    return folder if tower.is_in(folder) else None


def download(
    tower: Tower,
    cache_dir: Path | None,
    on_bytes: Callable[[int, int | None], None],
    *,
    endpoint: str | None = None,
) -> Path:
    """Download ``tower`` from the model hub into ``cache_dir`` (None: the hub's own) and return its folder.

    ``on_bytes`` is called with bytes done and their total (None until known), from any thread.

    Raises:
        Exception: whatever the hub's client raises, or the files are larger than any that can be loaded.
    """
    from huggingface_hub import snapshot_download
    from tqdm import tqdm

    _without_telemetry()
    reported: list[tuple[int, int | None]] = []
    is_over = threading.Event()

    class Bar(tqdm):  # type: ignore[misc]
        """Reports bytes in place of drawing."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "file": io.StringIO(), "disable": False, "mininterval": 0.2})

        def refresh(self, *args: Any, **options: Any) -> None:
            state = (int(self.n), int(self.total) if self.total else None)
            if self.unit == "B" and max(self.n, self.total or 0) > MOST_GRAPH_BYTES:
                raise ValueError(f"more than {MOST_GRAPH_BYTES >> 30} GB")
            if self.unit == "B" and state != (0, None) and state not in reported and not is_over.is_set():
                reported[:] = [state]  # bars of another unit count files; the client repeats itself
                on_bytes(*state)

        def display(self, *args: Any, **options: Any) -> None:
            self.refresh()

        def close(self) -> None:
            self.refresh()
            super().close()

        def __del__(self) -> None:
            """Leave out tqdm's ``close``: nothing was drawn, and nobody would catch what it raises."""

    patterns = [*tower.needed, *_CONFIG, f"{tower.graph}_data"]
    folder = Path(
        snapshot_download(
            tower.repo,
            revision=tower.revision,
            cache_dir=cache_dir,
            allow_patterns=patterns,
            tqdm_class=Bar,
            endpoint=endpoint,
        )
    )
    is_over.set()
    missing = [name for name in tower.needed if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(f"{tower.repo} has no {', '.join(missing)}")
    return folder


def _without_telemetry() -> None:
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True  # else it also asks the hub what kind of program this may be


@dataclass(frozen=True)
class Listing:
    """What a repository on the model hub holds."""

    commit: str
    sizes: Mapping[str, int]
    """Bytes of each file by its name; 0 where the hub doesn't say."""


def list_files(repo: str, revision: str | None, *, endpoint: str | None = None) -> Listing:
    """Return the commit that ``revision`` of ``repo`` is at, and its files.

    Raises:
        Exception: whatever the hub's client raises.
    """
    from huggingface_hub import HfApi

    _without_telemetry()
    about = HfApi(endpoint=endpoint).model_info(repo, revision=revision, timeout=_LISTING_S, files_metadata=True)
    if not is_commit(about.sha):
        raise ValueError("the hub names no commit")
    return Listing(
        str(about.sha), {file.rfilename: int(file.size or 0) for file in (about.siblings or [])[:_MOST_FILES]}
    )


def fingerprint(model: EmbeddedModel, visual: Path, textual: Path) -> str:
    """Return 12 hex digits of SHA-256 over names and bytes of all files that influence the vectors.

    Raises:
        EngineUnavailableError: a file can't be read.
    """
    total = hashlib.sha256()
    for side, tower, folder in (("visual", model.visual, visual), ("textual", model.textual, textual)):
        for name, path in tower.files(folder):
            try:
                status = path.stat()
                digest = _file_digest(str(path), status.st_size, status.st_mtime_ns)
            except OSError as error:
                raise EngineUnavailableError(
                    f"The model file {path} can't be read ({error.strerror}); check its permissions."
                ) from error
            total.update(f"{side}/{name}:{digest}\n".encode())
    return total.hexdigest()[:_ID_DIGITS]


@lru_cache(maxsize=256)
def _file_digest(path: str, size: int, modified_ns: int) -> str:
    """Return the SHA-256 of a file; ``size`` and ``modified_ns`` are there to notice a change."""
    return sha256_of(Path(path))


def models_folder() -> Path | None:
    """Return the folder that ``PROMPTREEL_MODELS`` names, None when it is not set."""
    value = os.environ.get(MODELS_VARIABLE, "").strip()
    return expanded(value) if value else None
