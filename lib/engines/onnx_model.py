"""One ONNX graph of a CLIP-like model in ONNX Runtime: what it takes, and which of its outputs are the vectors."""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import EngineUnavailableError
from lib.core.formatting import shortened
from lib.engines.model_layout import MOST_GRAPH_BYTES

Tower = Literal["image", "text"]
MOST_RUN_S = 600.0
"""A run of a graph is ended after that many seconds: a graph may hold a loop without an end."""
_CUDA, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
_TYPES: Mapping[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}
_FATAL = 4  # what ONNX Runtime is to write to stderr by itself: errors are told by who asked
_BATCH_SCALED = b"DynamicQuantizeLinear"
_TOKEN_INPUTS = ("input_ids", "attention_mask", "token_type_ids", "position_ids")


class OnnxModel:
    """A graph with one tower or both. Safe to use from several threads."""

    def __init__(self, path: Path, *, title: str, advice: str, pooled: bool) -> None:
        """Load ``path``.

        Args:
            path: the graph's file.
            title: the model's name, for messages.
            advice: what to do where the file is damaged, a sentence's end.
            pooled: whether ``pooler_output`` is in the space that pictures and texts share, as it is in SigLIP.

        Raises:
            EngineUnavailableError: it is damaged, too large, or wants what can't be given to it.
        """
        import onnxruntime

        self.title = title
        self._pooled = pooled
        try:
            if path.stat().st_size > MOST_GRAPH_BYTES:
                raise ValueError(f"it is larger than {MOST_GRAPH_BYTES >> 30} GB")
            self.one_at_a_time = _scales_by_batch(path)
            options = onnxruntime.SessionOptions()
            options.log_severity_level = _FATAL
            providers = [_CUDA] if has_cuda() else [_CPU]
            self._session = onnxruntime.InferenceSession(
                str(_beside_its_data(path)), options, providers=providers, enable_fallback=_CUDA in providers
            )
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            raise EngineUnavailableError(
                f"{title} in {path.parent} can't be loaded ({first_line(error)}); {advice}"
            ) from error
        self._inputs = {node.name: node for node in self._session.get_inputs()}
        self._outputs = {node.name: node for node in self._session.get_outputs()}
        pictures = [name for name, node in self._inputs.items() if len(node.shape) == 4]
        self._picture_input = pictures[0] if pictures else ""
        self._text_inputs = [name for name in self._inputs if name in _TOKEN_INPUTS]
        self._check_inputs()

    def has(self, tower: Tower) -> bool:
        """Return whether the graph takes what this tower needs."""
        return bool(self._picture_input) if tower == "image" else "input_ids" in self._inputs

    @property
    def is_masked(self) -> bool:
        """Whether it is told which tokens are padding."""
        return "attention_mask" in self._inputs

    @property
    def tokens(self) -> int | None:
        """How many tokens a text must have, None where any number will do."""
        return _fixed(self._inputs["input_ids"].shape[1]) if self.has("text") else None

    def embed_pictures(self, pixels: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        """Return the vectors of prepared pictures ``(n, 3, height, width)``, as they come, ``(n, d)``."""
        feeds: dict[str, NDArray[Any]] = {self._picture_input: pixels}
        if self._text_inputs:  # both towers in one graph, which runs whole
            feeds |= self._token_feeds(np.zeros((1, self.tokens or 1), np.int64), None)
        return self._run(feeds, "image")

    def embed_tokens(
        self, tokens: NDArray[np.int64], mask: NDArray[np.int64], picture: tuple[int, int]
    ) -> NDArray[np.floating[Any]]:
        """Return the vectors of texts ``(n, length)``, as they come, ``(n, d)``.

        ``picture`` is the height and width of the empty picture that a graph with both towers is given.
        """
        feeds = self._token_feeds(tokens, mask)
        if self._picture_input:
            feeds[self._picture_input] = np.zeros((1, 3, *picture), np.float32)
        return self._run(feeds, "text")

    def _token_feeds(self, tokens: NDArray[np.int64], mask: NDArray[np.int64] | None) -> dict[str, NDArray[Any]]:
        values = {
            "input_ids": tokens,
            "attention_mask": np.ones_like(tokens) if mask is None else mask,
            "token_type_ids": np.zeros_like(tokens),
            "position_ids": np.broadcast_to(np.arange(tokens.shape[1]), tokens.shape),
        }
        return {name: values[name] for name in self._text_inputs}

    def _run(self, feeds: Mapping[str, NDArray[Any]], tower: Tower) -> NDArray[np.floating[Any]]:
        import onnxruntime

        typed = {name: np.ascontiguousarray(rows, _TYPES[self._inputs[name].type]) for name, rows in feeds.items()}
        options = onnxruntime.RunOptions()
        options.log_severity_level = _FATAL
        limit = threading.Timer(MOST_RUN_S, setattr, (options, "terminate", True))
        limit.daemon = True
        limit.start()
        try:
            rows: NDArray[np.floating[Any]] = self._session.run([self._output(tower)], typed, options)[0]
        finally:
            limit.cancel()
        return rows

    def _output(self, tower: Tower) -> str:
        """Return the output that holds the vectors of ``tower``.

        Raises:
            EngineUnavailableError: none of them is in the space that pictures and texts share.
        """
        names = [f"{tower}_embeds", f"{tower}_embeddings", *(["pooler_output"] if self._pooled else [])]
        for name in names:
            if name in self._outputs:
                return name
        if list(self._outputs) not in (["pooler_output"], ["last_hidden_state"]) and len(self._outputs) == 1:
            return str(next(iter(self._outputs)))
        raise EngineUnavailableError(
            f"{self.title} gives no {tower}_embeds but only {shortened(', '.join(self._outputs), 80)}: it was exported "
            "without its projection, so its pictures and texts can't be compared; choose an export with both."
        )

    def _check_inputs(self) -> None:
        towers = [name for name in self._inputs if name != self._picture_input and name not in _TOKEN_INPUTS]
        kinds = [node.type for node in self._inputs.values() if node.type not in _TYPES]
        if towers or kinds or not (self._picture_input or self._text_inputs):
            raise EngineUnavailableError(
                f"{self.title} wants inputs that no CLIP-like model has "
                f"({shortened(', '.join(towers or kinds or self._inputs), 80)}); choose an export for transformers.js."
            )
        if self._picture_input and _fixed(self._inputs[self._picture_input].shape[0]) == 1:
            self.one_at_a_time = True
        if (
            self._text_inputs
            and _fixed(self._inputs["input_ids" if self.has("text") else self._text_inputs[0]].shape[0]) == 1
        ):
            self.one_at_a_time = True


def has_cuda() -> bool:
    """Return whether graphs run on a GPU."""
    import onnxruntime

    return _CUDA in onnxruntime.get_available_providers()


def first_line(error: Exception) -> str:
    """Return what an exception says, as one line for a message."""
    return shortened((str(error).strip().splitlines() or [""])[0], 160) or type(error).__name__


def _fixed(size: object) -> int | None:
    return size if isinstance(size, int) and size > 0 else None


def _scales_by_batch(path: Path) -> bool:
    """Return whether the graph scales its numbers by the largest of a batch: a vector would depend on its company."""
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return data.find(_BATCH_SCALED) >= 0


def _beside_its_data(path: Path) -> Path:
    """Return ``path``, or a hard link to it in a folder with its weights where these are links elsewhere.

    ONNX Runtime 1.24 and later read no weights that lie outside of the graph's folder, and the hub's cache has links to
    another one.
    """
    data = path.with_name(f"{path.name}_data")
    if not (path.is_symlink() and data.is_symlink()):
        return path
    folder = path.resolve().parent / f"promptreel-{path.resolve().name[:16]}"
    folder.mkdir(exist_ok=True)
    for link in (path, data):
        place = folder / link.name
        if not place.exists() or not place.samefile(link):
            place.unlink(missing_ok=True)
            os.link(link.resolve(), place)
    return folder / path.name
