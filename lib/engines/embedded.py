"""Models that run in this process (ONNX Runtime): the bundled demo model, TinyCLIP, CLIP, SigLIP, and any other.

All are loaded alike, from a folder (layout: ``embedded_models``, ``model_layout``): the one that is given, else the one
under ``PROMPTREEL_MODELS``, else the model hub's cache, else what is downloaded into it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import BadReplyError, EngineError, EngineUnavailableError
from lib.core.sampling import Framing
from lib.engines import embedded_models
from lib.engines.checks import Preparation, check_images, check_texts, unit_rows
from lib.engines.model_layout import HUB, PREPROCESSOR, TOKENIZER, ModelSpec, is_model_spec, read_json
from lib.engines.model_sources import Download, FolderSource, HubSource, Installed, ListFiles, NamedSource, Source
from lib.engines.onnx_model import OnnxModel, Tower, first_line, has_cuda

if TYPE_CHECKING:
    from lib.engines.picture_input import PictureInput
    from lib.engines.text_input import TextInput

_CUDA_BATCH_SIZE = 32
_TEXT_BATCH_SIZE = 32


class EmbeddedEngine:
    """A model in this process. Safe to use from several threads; making one loads nothing."""

    concurrency = 2  # the next pictures are prepared while ONNX Runtime is busy with the last ones
    embeds_video = True

    def __init__(
        self,
        model: str = "demo",
        *,
        folder: Path | None = None,
        cache_dir: Path | None = None,
        on_progress: Callable[[Preparation], None] | None = None,
        download: Download = embedded_models.download,
        list_files: ListFiles = embedded_models.list_files,
    ) -> None:
        """Make an engine; nothing is read or downloaded yet.

        Args:
            model: one of ``EMBEDDED_MODELS``, or what ``ModelSpec`` reads: ``hub:OWNER/NAME``, ``folder:PATH``.
            folder: the own folder of one of ``EMBEDDED_MODELS``; no other place is looked at then.
            cache_dir: a cache in the hub's layout, looked at before the hub's own and downloaded into.
            on_progress: called with the progress of a download, from any thread.
            download: downloads a missing tower, for tests.
            list_files: lists a repository of the hub, for tests.

        Raises:
            UnknownModelError: there is no such model.
            InputError: ``model`` begins with ``hub:`` or ``folder:`` and names none.
        """
        self.cache_dir = cache_dir
        """Where models are downloaded to; None for the hub's own cache."""
        self.model = model
        """What it was made from."""
        self._source: Source
        self._known = None if is_model_spec(model) else embedded_models.find_model(model)
        if self._known is not None:
            self._source = NamedSource(self._known, folder, cache_dir, download)
        else:
            spec = ModelSpec.parse(model)
            self.model = str(spec)
            hub = spec.kind == HUB
            self._source = HubSource(spec, cache_dir, download, list_files) if hub else FolderSource(spec)
        self.name = self._known.name if self._known else f"{self._source.title} (embedded)"
        self._on_progress = on_progress
        self._lock = threading.RLock()
        self._closed = False
        self._id = ""
        self._installed: Installed | None = None
        self._graphs: dict[Path, OnnxModel] = {}
        self._picture_input: PictureInput | None = None
        self._text_input: TextInput | None = None
        self._dim: int | None = None

    def __repr__(self) -> str:
        return f"EmbeddedEngine({self.model!r})"

    @property
    def spec(self) -> tuple[str, str]:
        """What ``registry.make_engine`` makes it of: its name, and no model version."""
        return self.model, ""

    @property
    def id(self) -> str:
        """Model and weights, ``demo:0123456789ab``. Reads the files; downloads them where they are missing.

        Of a model of the hub it names the commit and precision, ``hub:OWNER/NAME@COMMIT:q8:0123456789ab``; of a folder
        only the files, ``folder:0123456789ab``.

        Raises:
            EngineUnavailableError: the model is not on this machine and can't be downloaded.
        """
        with self._lock:
            if not self._id:  # once, so that it stays that of the model that is loaded
                installed = self.prepare()
                digits = embedded_models.fingerprint(installed.model, installed.visual, installed.textual)
                self._id = f"{installed.model.key}:{digits}"
            return self._id

    @property
    def dim(self) -> int:
        """Length of a vector; asks a model that isn't known by name with an empty picture.

        Raises:
            EngineError: as ``embed_images``.
        """
        if self._known is not None and self._known.dim is not None:
            return self._known.dim
        with self._lock:
            if self._dim is None:
                blank = np.zeros((*self._pictures().shape, 3), np.uint8)
                self._dim = self._rows("image", lambda: self._embed_pictures([blank])).shape[1]
            return self._dim

    @property
    def input_size(self) -> int:
        """Pixels that the short side of a frame should have.

        Raises:
            EngineUnavailableError: the model is not there or can't be read.
        """
        return (self._known and self._known.input_size) or self._pictures().short_side

    @property
    def framing(self) -> Framing:
        """What of a frame the model sees by itself; errors as ``input_size``."""
        return (self._known and self._known.framing) or self._pictures().framing

    @property
    def batch_size(self) -> int:
        """Pictures a call works best with."""
        return _CUDA_BATCH_SIZE if has_cuda() else self._known.batch_size if self._known else 8

    def unknown_words(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return the words that the demo model has never seen, each once and as written; loads its tokenizer only.

        Raises:
            EngineUnavailableError: the demo model is not whole.
        """
        if self._known is None or not self._known.knows_whole_words_only:
            return ()
        from lib.engines.vocabulary import unknown_words

        return unknown_words(texts, self.prepare().textual / TOKENIZER)

    @property
    def installed(self) -> bool:
        """Whether the model is on this machine, so that nothing needs a download. Asks no network."""
        return self._installed is not None or self._source.find() is not None

    def prepare(self, on_progress: Callable[[Preparation], None] | None = None) -> Installed:
        """Find the model, or download it; return where it is.

        Args:
            on_progress: called with the progress of a download in place of the engine's own.

        Raises:
            EngineUnavailableError: it is not on this machine and can't be downloaded.
        """
        with self._lock:
            if self._installed is None:
                self._installed = self._source.fetch(on_progress or self._on_progress)
            return self._installed

    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return one unit row per picture (uint8 RGB, of any size), ``(n, dim)``.

        Raises:
            EngineUnavailableError: the model is not there or can't be loaded.
            BadReplyError: it fails on these pictures, or its vectors are of no use.
            ValueError: a picture is not uint8 RGB.
        """
        check_images(images)
        self._graph("image"), self._pictures()  # what can't be loaded says so by itself
        return self._unit(self._rows("image", lambda: self._embed_pictures(images)), len(images))

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit row per text, ``(n, dim)``.

        Raises:
            PromptTooLongError: a text has more tokens than the model reads; nothing is cut off silently.
            InputError: a text is empty.
            EngineError: as ``embed_images``.
        """
        check_texts(texts)
        graph, words = self._graph("text"), self._words()
        context = min(words.context, graph.tokens or words.context)
        encoded = words.encode(texts, context, self._source.title)
        fill = graph.tokens or (context if words.whole_context or not graph.is_masked else None)
        return self._unit(self._rows("text", lambda: self._embed_tokens(encoded, fill)), len(texts))

    def close(self) -> None:
        """Free the model."""
        with self._lock:
            self._closed = True
            self._graphs.clear()
            self._text_input = None

    def _embed_pictures(self, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.floating[Any]]]:
        graph, pictures = self._graph("image"), self._pictures()
        size = 1 if graph.one_at_a_time else self.batch_size
        parts = (images[begin : begin + size] for begin in range(0, len(images), size))
        return [graph.embed_pictures(pictures.prepare(part)) for part in parts]

    def _embed_tokens(self, encoded: list[list[int]], fill: int | None) -> list[NDArray[np.floating[Any]]]:
        """Return the vectors of tokens, padded to ``fill``, else to the longest of a batch."""
        graph, words = self._graph("text"), self._words()
        size = 1 if graph.one_at_a_time else _TEXT_BATCH_SIZE
        shape = self._pictures().shape if graph.has("image") else (0, 0)
        parts = (encoded[begin : begin + size] for begin in range(0, len(encoded), size))
        return [graph.embed_tokens(*words.padded(part, fill or max(map(len, part))), shape) for part in parts]

    def _graph(self, tower: Tower) -> OnnxModel:
        with self._lock:
            self._check_open()
            installed = self.prepare()
            model = installed.model
            folder, graph = (
                (installed.visual, model.visual.graph) if tower == "image" else (installed.textual, model.textual.graph)
            )
            path = folder / graph
            if path not in self._graphs:
                self._graphs[path] = OnnxModel(
                    path,
                    title=self._source.title,
                    advice="its files are damaged or of another kind; download them again.",
                    pooled=self._is_siglip(folder) if model.pooled is None else model.pooled,
                )
            if not self._graphs[path].has(tower):
                raise EngineUnavailableError(
                    f"{self._source.title} has no input for {'pictures' if tower == 'image' else 'texts'} in {graph}; "
                    "choose an export with both."
                )
            return self._graphs[path]

    def _is_siglip(self, folder: Path) -> bool:
        from lib.engines.text_input import kind_of

        return "siglip" in kind_of(read_json(folder / "config.json", self._source.title))

    def _pictures(self) -> PictureInput:
        from lib.engines.picture_input import PictureInput

        with self._lock:
            self._check_open()
            if self._picture_input is None:
                config = read_json(self.prepare().visual / PREPROCESSOR, self._source.title)
                self._picture_input = PictureInput.from_config(config, self._source.title)
            return self._picture_input

    def _words(self) -> TextInput:
        from lib.engines.text_input import TextInput

        with self._lock:
            self._check_open()
            if self._text_input is None:
                self._text_input = TextInput.from_folder(self.prepare().textual, self._source.title)
            return self._text_input

    def _rows(self, tower: Tower, embed: Callable[[], list[NDArray[np.floating[Any]]]]) -> NDArray[np.floating[Any]]:
        title = self._source.title
        try:
            parts = embed()
            rows = np.concatenate(parts) if parts else np.empty((0, self.dim))
        except EngineError:
            raise
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            if isinstance(error, MemoryError) or "alloc" in str(error).lower():  # as ONNX Runtime says it
                raise EngineUnavailableError(
                    f"{title} runs out of memory; close other programs, or choose a smaller model."
                ) from error
            raise BadReplyError(
                f"{title} fails ({first_line(error)}); its files may be damaged; download them again."
            ) from error
        if rows.ndim != 2:
            raise BadReplyError(
                f"{title} gave no vector for each {tower}; it is of another kind: choose another model."
            )
        return rows

    def _unit(self, rows: NDArray[np.floating[Any]], count: int) -> NDArray[np.float32]:
        return unit_rows(
            rows,
            count=count,
            dim=self.dim,
            who=self._source.title,
            advice="Its files are damaged or of another model; download them again.",
        )

    def _check_open(self) -> None:
        if self._closed:
            raise EngineUnavailableError("The engine was closed; choose it again to go on.")
