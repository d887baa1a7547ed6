"""CLIP-like models in the layout of Optimum and transformers.js: which files are the model, and what names one.

::

    onnx/vision_model.onnx, onnx/text_model.onnx   two towers, or onnx/model.onnx with both in one graph; the
                                                   same with ``_fp16``, ``_int8``, … before ``.onnx``
    preprocessor_config.json                       size, crop, mean and deviation of a picture
    tokenizer.json                                 how a text becomes tokens
    tokenizer_config.json, config.json             context length, padding, kind of model; may be missing

The graphs may also lie beside the other files, as Optimum itself writes them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lib.core.errors import EngineUnavailableError, InputError
from lib.core.formatting import JOINER, shortened

HUB, FOLDER = "hub:", "folder:"
PRECISIONS: Mapping[str, str] = MappingProxyType(
    {
        "fp32": "",
        "fp16": "_fp16",
        "q8": "_quantized",
        "uint8": "_uint8",
        "int8": "_int8",
        "q4": "_q4",
        "q4f16": "_q4f16",
        "bnb4": "_bnb4",
    }
)
"""Precisions of a graph as transformers.js calls them, with what its file's name ends in; the first there is taken."""
_MOST_JSON_BYTES = 4 << 20
MOST_TOKENIZER_BYTES = 128 << 20
MOST_GRAPH_BYTES = 8 << 30
PREPROCESSOR, TOKENIZER, TOKENIZER_CONFIG = "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9][\w./-]{0,99}", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_EXAMPLE = "hub:OWNER/NAME, hub:OWNER/NAME@REVISION or folder:PATH, and :q8 behind it for a precision"


@dataclass(frozen=True)
class ModelSpec:
    """What names a CLIP-like model: ``hub:OWNER/NAME``, ``hub:OWNER/NAME@REVISION:q8``, ``folder:PATH``."""

    kind: str
    """``hub:`` or ``folder:``."""
    place: str
    """``OWNER/NAME`` on the model hub, or the folder's path."""
    revision: str | None = None
    """A branch, tag or commit on the hub; None for its main branch as it was when it was first downloaded."""
    precision: str | None = None
    """One of ``PRECISIONS``; None for the first that there is."""

    @classmethod
    def parse(cls, text: str) -> ModelSpec:
        """Return what ``text`` names.

        Raises:
            InputError: it is no such name.
        """
        text = text.replace(JOINER, "").strip()  # copied from a message of the page
        kind = next((kind for kind in (HUB, FOLDER) if text.lower().startswith(kind)), "")
        place, _, last = text[len(kind) :].rpartition(":")
        if last.lower() in PRECISIONS and place:
            precision: str | None = last.lower()
        else:
            place, precision = text[len(kind) :], None
        if kind == FOLDER and place.strip() and place.isprintable():
            return cls(kind, place.strip(), None, precision)
        repo, at, revision = place.partition("@")
        if kind == HUB and _is_name(_REPO, repo) and (not at or _is_name(_REVISION, revision)):
            return cls(kind, repo, revision or None, precision)
        raise InputError(f"“{shortened(text, 60)}” names no model; write {_EXAMPLE} ({', '.join(PRECISIONS)}).")

    def __str__(self) -> str:
        at = f"@{self.revision}" if self.revision else ""
        return f"{self.kind}{self.place}{at}" + (f":{self.precision}" if self.precision else "")

    @property
    def title(self) -> str:
        """What the model is called on screen: its name on the hub or of its folder, with the precision."""
        name = shortened(Path(self.place).name or self.place, 60)
        return f"{name} {self.precision}" if self.precision else name


def is_commit(text: object) -> bool:
    """Return whether ``text`` is the full name of a commit."""
    return isinstance(text, str) and _COMMIT.fullmatch(text) is not None


def is_model_spec(text: str) -> bool:
    """Return whether ``text`` is meant to name a CLIP-like model."""
    return text.replace(JOINER, "").strip().lower().startswith((HUB, FOLDER))


@dataclass(frozen=True)
class ModelFiles:
    """The files of a model, relative to its folder."""

    vision: str
    text: str
    """The same graph as ``vision`` where both towers are in one."""
    precision: str
    """Of the picture's tower, one of ``PRECISIONS``."""
    beside_vision: tuple[str, ...]
    beside_text: tuple[str, ...]
    """What else its towers need: configuration, tokenizer, weights outside of the graph."""


def choose_files(names: Collection[str], spec: ModelSpec) -> ModelFiles:
    """Return which of the files called ``names`` are the model, in the precision asked for or the first there is.

    Raises:
        EngineUnavailableError: they are no model in this layout, or not in this precision.
    """
    precisions = [spec.precision] if spec.precision else list(PRECISIONS)
    vision, text = (_first(names, stem, precisions) for stem in ("vision_model", "text_model"))
    if not (vision and text):
        vision = text = _first(names, "model", precisions)
    if vision is None or text is None:
        raise EngineUnavailableError(_lacks_graphs(names, spec))
    missing = [name for name in (PREPROCESSOR, TOKENIZER) if name not in names]
    if missing:
        raise EngineUnavailableError(
            f"{spec.title} has no {' and no '.join(missing)}, without which nothing can be given to it; "
            "choose a model in the layout of transformers.js."
        )
    data_v, data_t = ((f"{graph}_data",) if f"{graph}_data" in names else () for graph, _ in (vision, text))
    config = (TOKENIZER_CONFIG,) if TOKENIZER_CONFIG in names else ()
    return ModelFiles(vision[0], text[0], vision[1], (PREPROCESSOR, *data_v), (TOKENIZER, *config, *data_t))


def read_json(path: Path, title: str) -> dict[str, Any]:
    """Return the object in a model's configuration file; empty where there is no such file.

    Raises:
        EngineUnavailableError: it can't be read, is too large, or holds no JSON object.
    """
    try:
        if path.exists() and not path.is_file():
            raise OSError("it is no file")  # to open a pipe would be to wait for who writes to it
        with path.open("rb") as file:
            text = file.read(_MOST_JSON_BYTES + 1)
        if len(text) > _MOST_JSON_BYTES:
            raise ValueError("too large")
        data = json.loads(text)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise EngineUnavailableError(
            f"{path.name} of {title} can't be read as JSON; its files are damaged: download them again."
        ) from error
    if not isinstance(data, dict):
        raise EngineUnavailableError(
            f"{path.name} of {title} holds no JSON object; its files are damaged or of another kind of model."
        )
    return data


def files_in(folder: Path) -> set[str]:
    """Return the names of the files in ``folder`` that may belong to a model, relative to it."""
    found = set()
    for part in (folder, folder / "onnx"):
        try:
            found |= {path.relative_to(folder).as_posix() for path in part.iterdir() if path.is_file()}
        except OSError:
            continue
    return found


def _is_name(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.fullmatch(text) is not None and ".." not in text and "//" not in text


def _first(names: Collection[str], stem: str, precisions: Collection[str]) -> tuple[str, str] | None:
    for precision in precisions:
        for folder in ("onnx/", ""):
            name = f"{folder}{stem}{PRECISIONS[precision]}.onnx"
            if name in names:
                return name, precision
    return None


def _lacks_graphs(names: Collection[str], spec: ModelSpec) -> str:
    there = [
        precision
        for precision in PRECISIONS
        if (_first(names, "vision_model", [precision]) and _first(names, "text_model", [precision]))
        or _first(names, "model", [precision])
    ]
    if spec.precision and there:
        return f"{spec.title} is not there in that precision; choose one of {', '.join(there)}."
    return (
        f"{spec.title} is no CLIP-like model that can be loaded: it has neither onnx/vision_model.onnx and "
        "onnx/text_model.onnx nor onnx/model.onnx; choose an export for transformers.js."
    )
