"""Where the files of a model are: bundled, in a folder, in a cache of the model hub, or at the hub itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from lib.core.errors import EngineUnavailableError, InputError, StoreError
from lib.engines import embedded_models
from lib.engines.checks import Preparation
from lib.engines.embedded_models import MODELS_VARIABLE, EmbeddedModel, Listing, Tower
from lib.engines.model_layout import FOLDER, MOST_GRAPH_BYTES, ModelFiles, ModelSpec, choose_files, files_in
from lib.infra.files import expanded, write_atomically

Download = Callable[[Tower, Path | None, Callable[[int, int | None], None]], Path]
ListFiles = Callable[[str, str | None], Listing]
Report = Callable[[Preparation], None]
_PINS = "pins.json"
_MOST_PINS_BYTES = 1 << 20
_BATCH_SIZE = 8


@dataclass(frozen=True)
class Installed:
    """A model on this machine."""

    model: EmbeddedModel
    visual: Path
    textual: Path
    """Folders of its towers."""


class Source(Protocol):
    """Where one model is."""

    @property
    def title(self) -> str:
        """The model's name for people."""

    def find(self) -> Installed | None:
        """Return the model where it is on this machine, whole; asks no network."""

    def fetch(self, report: Report | None) -> Installed:
        """Return the model, downloaded if need be.

        Raises:
            EngineUnavailableError: it is not there, can't be downloaded, or is of another kind.
        """


class NamedSource:
    """One of ``EMBEDDED_MODELS``, or a model of the hub whose files are known."""

    def __init__(self, model: EmbeddedModel, folder: Path | None, cache_dir: Path | None, download: Download) -> None:
        self._model = model
        self._folder = folder
        self._cache_dir = cache_dir
        self._download = download
        self.title = model.title

    def find(self) -> Installed | None:
        """See ``Source``."""
        visual, textual = (self._find(tower) for tower in (self._model.visual, self._model.textual))
        return Installed(self._model, visual, textual) if visual and textual else None

    def fetch(self, report: Report | None) -> Installed:
        """See ``Source``."""
        towers = (self._model.visual, self._model.textual)
        visual, textual = (self._find(tower) or self._fetch(tower, report) for tower in towers)
        return Installed(self._model, visual, textual)

    def _find(self, tower: Tower) -> Path | None:
        """Return the folder of ``tower`` on this machine, None where no place has all its files."""
        for folder in self._folders(tower):
            if tower.is_in(folder):
                return folder
        if self._folder is None and tower.repo:
            for cache_dir in dict.fromkeys((self._cache_dir, None)):
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

    def _fetch(self, tower: Tower, on_progress: Report | None) -> Path:
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
            return self._download(tower, self._cache_dir, report)
        except Exception as error:  # the hub's client has no common base: HTTP, files, caches, its own transport
            raise self._not_here(tower, error) from error

    def _not_here(self, tower: Tower, error: Exception) -> EngineUnavailableError:
        model = self._model
        searched = [str(folder) for folder in self._folders(tower)]
        searched += [f"the cache {self._cache_dir}"] if self._cache_dir else []
        searched.append(f"the model hub's cache {embedded_models.hub_cache()}")
        towers = (model.visual, model.textual)
        layout = {tower.repo: f"{model.key}/{tower.folder}".rstrip("/") for tower in towers}
        copies = " and ".join(f"the files of {repo} to {place}" for repo, place in layout.items())
        return EngineUnavailableError(
            f"{model.title} is not on this machine (looked in {', '.join(searched)}) and could not be "
            f"downloaded ({type(error).__name__}). Where the model hub can be reached it downloads itself "
            f"({model.size}); else copy {copies} in a folder of your choice and set {MODELS_VARIABLE} to it."
        )


class FolderSource:
    """A model in a folder that was named; nothing is downloaded."""

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self._folder = expanded(spec.place)
        self.title = spec.title

    def find(self) -> Installed | None:
        """See ``Source``."""
        with suppress(EngineUnavailableError):
            return self.fetch(None)
        return None

    def fetch(self, report: Report | None) -> Installed:
        """See ``Source``."""
        names = files_in(self._folder)
        if not names:
            raise EngineUnavailableError(
                f"There is no model in {self._folder}: it is no folder with files; check the path."
            )
        model = _open_model(FOLDER.rstrip(":"), self._spec, choose_files(names, self._spec))
        return Installed(model, self._folder, self._folder)


class HubSource:
    """Any model of the hub in the layout of ``model_layout``.

    What a name without a commit or precision stood for when it was first downloaded is kept in ``pins.json`` beside the
    downloads, so that it goes on to stand for the same files.
    """

    def __init__(self, spec: ModelSpec, cache_dir: Path | None, download: Download, list_files: ListFiles) -> None:
        self._spec = spec
        self._cache_dir = cache_dir
        self._download = download
        self._list_files = list_files
        self.title = spec.title

    def find(self) -> Installed | None:
        """See ``Source``."""
        pinned = self._pins().get(str(self._spec))
        with suppress(InputError, EngineUnavailableError):
            spec = ModelSpec.parse(pinned) if pinned else self._spec
            for cache_dir in dict.fromkeys((self._cache_dir, None)):
                if found := self._find_in(cache_dir, spec):
                    return found
        return None

    def fetch(self, report: Report | None) -> Installed:
        """See ``Source``."""
        if found := self.find():
            return found
        try:
            listing = self._list_files(self._spec.place, self._spec.revision)
        except Exception as error:  # the hub's client has no common base
            raise self._not_here(error) from error
        files = choose_files(listing.sizes.keys(), self._spec)
        size = sum(listing.sizes[name] for name in {files.vision, files.text, *files.beside_vision, *files.beside_text})
        if size > MOST_GRAPH_BYTES:
            raise EngineUnavailableError(
                f"{self.title} has {size / 1e9:.0f} GB, more than can be loaded; choose a smaller model or precision."
            )
        pinned = replace(self._spec, revision=listing.commit, precision=files.precision)
        source = NamedSource(self._model(pinned, files), None, self._cache_dir, self._download)
        try:
            installed = source.fetch(report)
        except EngineUnavailableError as error:
            raise self._not_here(error.__cause__ or error) from error
        self._pin(pinned)
        return installed

    def _find_in(self, cache_dir: Path | None, spec: ModelSpec) -> Installed | None:
        from huggingface_hub import try_to_load_from_cache

        anchor = try_to_load_from_cache(spec.place, "tokenizer.json", cache_dir=cache_dir, revision=spec.revision)
        if not isinstance(anchor, str):
            return None
        folder = Path(anchor).parent
        # Without a pin nobody knows which precisions the hub has; what may be there by chance is not the first of them.
        files = choose_files(files_in(folder), replace(spec, precision=spec.precision or "fp32"))
        pinned = replace(spec, revision=folder.name, precision=files.precision)
        return Installed(self._model(pinned, files), folder, folder)

    def _model(self, pinned: ModelSpec, files: ModelFiles) -> EmbeddedModel:
        return replace(_open_model(str(pinned), pinned, files, pinned.place, pinned.revision), title=self.title)

    def _pins(self) -> dict[str, str]:
        if self._cache_dir is None:
            return {}
        try:
            with (self._cache_dir / _PINS).open("rb") as file:
                pins = json.loads(file.read(_MOST_PINS_BYTES))
        except (OSError, ValueError, RecursionError):
            return {}
        return {str(name): str(pin) for name, pin in pins.items()} if isinstance(pins, dict) else {}

    def _pin(self, pinned: ModelSpec) -> None:
        if self._cache_dir is not None:
            pins = {**self._pins(), str(self._spec): str(pinned)}
            with suppress(OSError, StoreError):  # asked again the next time
                write_atomically(self._cache_dir / _PINS, json.dumps(pins, indent=1, sort_keys=True))

    def _not_here(self, error: BaseException) -> EngineUnavailableError:
        return EngineUnavailableError(
            f"{self._spec.place} is not on this machine and could not be downloaded ({type(error).__name__}); check "
            "its name and revision and that the model hub can be reached, or download its files elsewhere and write "
            f"{FOLDER}PATH."
        )


def _open_model(
    key: str, spec: ModelSpec, files: ModelFiles, repo: str = "", revision: str | None = None
) -> EmbeddedModel:
    visual = Tower(repo, "", files.vision, files.beside_vision, revision)
    textual = Tower(repo, "", files.text, files.beside_text, revision)
    return EmbeddedModel(key, spec.title, None, None, _BATCH_SIZE, "", visual, textual, framing=None, pooled=None)
