"""Models that run in this process through fastembed (ONNX Runtime): the bundled demo model, CLIP and SigLIP.

All three are loaded alike, from a folder (layout: ``embedded_models``): the one that is given, else the one under
``PROMPTREEL_MODELS``, else the model hub's cache, else what is downloaded into it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib.core.errors import BadReplyError, EngineUnavailableError, PromptTooLongError
from lib.core.formatting import shortened
from lib.engines import embedded_models
from lib.engines.checks import Preparation, check_images, check_texts, unit_rows
from lib.engines.embedded_models import MODELS_VARIABLE, TOKENIZER, Tower

if TYPE_CHECKING:
    from fastembed import ImageEmbedding, TextEmbedding


Download = Callable[[Tower, Path | None, Callable[[int, int | None], None]], Path]
_CUDA = "CUDAExecutionProvider"
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
    ) -> None:
        """Make an engine; nothing is read or downloaded yet.

        Args:
            model: ``demo``, ``clip`` or ``siglip``.
            folder: the model's own folder; no other place is looked at then.
            cache_dir: a cache in the hub's layout, looked at before the hub's own and downloaded into.
            on_progress: called with the progress of a download, from any thread.
            download: downloads a missing tower, for tests.

        Raises:
            UnknownModelError: there is no such model.
        """
        self._model = embedded_models.find_model(model)
        self.model, self.name = self._model.key, self._model.name
        self.dim, self.input_size = self._model.dim, self._model.input_size
        self._folder = folder
        self.cache_dir = cache_dir
        """Where models are downloaded to; None for the hub's own cache."""
        self._on_progress = on_progress
        self._download = download
        self._lock = threading.RLock()
        self._closed = False
        self._id = ""
        self._tower_folders: tuple[Path, Path] | None = None
        self._images: ImageEmbedding | None = None
        self._texts: TextEmbedding | None = None

    def __repr__(self) -> str:
        return f"EmbeddedEngine({self._model.key!r})"

    @property
    def id(self) -> str:
        """Model and weights, ``demo:0123456789ab``. Reads the files; downloads them where they are missing.

        Raises:
            EngineUnavailableError: the model is not on this machine and can't be downloaded.
        """
        with self._lock:
            if not self._id:  # once, so that it stays that of the model that is loaded
                self._id = f"{self._model.key}:{embedded_models.fingerprint(self._model, *self.prepare())}"
            return self._id

    @property
    def batch_size(self) -> int:
        """Pictures a call works best with."""
        return _CUDA_BATCH_SIZE if _has_cuda() else self._model.batch_size

    def unknown_words(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return the words that the demo model has never seen, each once and as written; loads its tokenizer only.

        Raises:
            EngineUnavailableError: the demo model is not whole.
        """
        if not self._model.knows_whole_words_only:
            return ()
        from lib.engines.vocabulary import unknown_words

        return unknown_words(texts, self.prepare()[1] / TOKENIZER)

    @property
    def installed(self) -> bool:
        """Whether the model is on this machine, so that nothing needs a download. Asks no network."""
        return all(self._find(tower) for tower in (self._model.visual, self._model.textual))

    def prepare(self, on_progress: Callable[[Preparation], None] | None = None) -> tuple[Path, Path]:
        """Find the model, or download it; return the folders of its visual and textual towers.

        Args:
            on_progress: called with the progress of a download in place of the engine's own.

        Raises:
            EngineUnavailableError: it is not on this machine and can't be downloaded.
        """
        with self._lock:
            if self._tower_folders is None:
                towers = (self._model.visual, self._model.textual)
                report = on_progress or self._on_progress
                visual, textual = (self._find(tower) or self._fetch(tower, report) for tower in towers)
                self._tower_folders = visual, textual
            return self._tower_folders

    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return one unit row per picture (uint8 RGB, of any size), ``(n, dim)``.

        Raises:
            EngineUnavailableError: the model is not there or can't be loaded.
            BadReplyError: it fails on these pictures, or its vectors are of no use.
            ValueError: a picture is not uint8 RGB.
        """
        check_images(images)
        model = self._load_images()
        pictures = [Image.fromarray(image) for image in images]
        return self._run(lambda: model.embed(pictures, batch_size=self.batch_size), len(pictures))

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit row per text, ``(n, dim)``.

        Raises:
            PromptTooLongError: a text has more tokens than the model reads; nothing is cut off silently.
            InputError: a text is empty.
            EngineError: as ``embed_images``.
        """
        check_texts(texts)
        model = self._load_texts()
        self._check_length(model, texts)
        return self._run(lambda: model.embed(list(texts), batch_size=_TEXT_BATCH_SIZE), len(texts))

    def close(self) -> None:
        """Free the model."""
        with self._lock:
            self._closed = True
            self._images = self._texts = None

    def _find(self, tower: Tower) -> Path | None:
        """Return the folder of ``tower`` on this machine, None where no place has all its files."""
        for folder in self._folders(tower):
            if tower.is_in(folder):
                return folder
        if self._folder is None and tower.repo:
            for cache_dir in dict.fromkeys((self.cache_dir, None)):
                if hub_folder := embedded_models.hub_folder(tower, cache_dir):
                    return hub_folder
        return None

    def _folders(self, tower: Tower) -> list[Path]:
        if self._folder is not None:
            return [self._folder / tower.folder]
        if not tower.repo:
            return [embedded_models.BUNDLED / tower.folder]
        models = embedded_models.models_folder()
        return [models / self._model.key / tower.folder] if models else []

    def _fetch(self, tower: Tower, on_progress: Callable[[Preparation], None] | None) -> Path:
        model = self._model
        if self._folder is not None or not tower.repo:
            (folder,) = self._folders(tower)
            what = "reinstall Promptreel" if not tower.repo else f"copy the files of {tower.repo} there"
            raise EngineUnavailableError(
                f"{model.title} is not whole: {folder} should hold {', '.join(tower.needed)}; {what}."
            )
        part = "pictures" if tower is model.visual else "texts"

        def report(done: int, total: int | None) -> None:
            if on_progress:
                on_progress(Preparation(f"Downloading {model.title}, the part for {part}.", done, total))

        try:
            return self._download(tower, self.cache_dir, report)
        except Exception as error:  # the hub's client has no common base: HTTP, files, caches, its own transport
            raise self._not_here(tower, error) from error

    def _not_here(self, tower: Tower, error: Exception) -> EngineUnavailableError:
        model = self._model
        searched = [str(folder) for folder in self._folders(tower)]
        searched += [f"the cache {self.cache_dir}"] if self.cache_dir else []
        searched.append(f"the model hub's cache {embedded_models.hub_cache()}")
        towers = (model.visual, model.textual)
        layout = {tower.repo: f"{model.key}/{tower.folder}".rstrip("/") for tower in towers}
        copies = " and ".join(f"the files of {repo} to {place}" for repo, place in layout.items())
        return EngineUnavailableError(
            f"{model.title} is not on this machine (looked in {', '.join(searched)}) and could not be "
            f"downloaded ({type(error).__name__}). Where the model hub can be reached it downloads itself "
            f"({model.size}); else copy {copies} in a folder of your choice and set {MODELS_VARIABLE} to it."
        )

    def _load_images(self) -> ImageEmbedding:
        with self._lock:
            self._check_open()
            if self._images is None:
                from fastembed import ImageEmbedding

                folder, _ = self.prepare()
                self._images = self._load(ImageEmbedding, self._model.visual, folder)
            return self._images

    def _load_texts(self) -> TextEmbedding:
        with self._lock:
            self._check_open()
            if self._texts is None:
                from fastembed import TextEmbedding

                _, folder = self.prepare()
                self._texts = self._load(TextEmbedding, self._model.textual, folder)
            return self._texts

    def _load(self, kind: Callable[..., Any], tower: Tower, folder: Path) -> Any:
        try:
            # Without a cache_dir it makes a folder in /tmp, which may be full, and is then not loaded.
            return kind(tower.loader, specific_model_path=str(folder), cache_dir=str(folder))
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            raise EngineUnavailableError(
                f"{self._model.title} in {folder} can't be loaded ({_first_line(error)}); "
                "its files are damaged or of another kind; download them again."
            ) from error

    def _run(self, embed: Callable[[], Any], count: int) -> NDArray[np.float32]:
        try:
            rows = list(embed())
        except Exception as error:  # as above
            if isinstance(error, MemoryError) or "alloc" in str(error).lower():  # as ONNX Runtime says it
                raise EngineUnavailableError(
                    f"{self._model.title} runs out of memory; close other programs, or choose a smaller model."
                ) from error
            raise BadReplyError(
                f"{self._model.title} fails ({_first_line(error)}); its files may be damaged; download them again."
            ) from error
        return unit_rows(
            rows,
            count=count,
            dim=self.dim,
            who=self._model.title,
            advice="Its files are damaged or of another model; download them again.",
        )

    def _check_length(self, model: TextEmbedding, texts: Sequence[str]) -> None:
        """Refuse what the tokenizer would cut off: a part that overflows has tokens of its own."""
        tokenizer: Any = getattr(model.model, "tokenizer")  # noqa: B009 - its base class doesn't declare it
        limit = tokenizer.truncation["max_length"]
        for text, encoding in zip(texts, tokenizer.encode_batch(list(texts)), strict=True):
            if not encoding.overflowing:
                continue
            parts = [encoding, *encoding.overflowing]
            special = sum(encoding.special_tokens_mask)
            tokens = special + sum(len(part.ids) - sum(part.special_tokens_mask) for part in parts)
            excerpt = shortened(text, 60)
            raise PromptTooLongError(
                f"The prompt “{excerpt}” has {tokens} tokens, more than the {limit} that {self._model.title} "
                "can read; shorten it."
            )

    def _check_open(self) -> None:
        if self._closed:
            raise EngineUnavailableError("The engine was closed; choose it again to go on.")


def _has_cuda() -> bool:
    import onnxruntime

    return _CUDA in onnxruntime.get_available_providers()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0][:160] if lines else "") or type(error).__name__
