"""Tells inference servers apart that serve other weights under one model's name, so that no vectors are mixed.

An engine's id names a model's version, and a server may have exchanged its weights. So the first time in a process
that a server is to embed something, it also embeds what is stored under its id already, and the vectors are compared.
Where they differ, the server's vectors get an id of their own from then on, and the first request ends with a sentence
that says so. ``<home>/servers.json`` keeps which server has which weights; it is derived, and found again
when it is lost.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from lib.core.errors import InputError, StoreError, UnknownModelError
from lib.core.sampling import Framing
from lib.engines.hosted import HostedEngine
from lib.engines.server import ServerEngine
from lib.infra.address import normalise_url
from lib.infra.files import write_atomically

if TYPE_CHECKING:
    from lib.engines.engine import Engine
    from lib.store.store import Store

PROBE = "a photo of a street"
PICTURE = "\ue000 the probe's picture"
"""What the probe's picture is called among the text vectors; nobody types such a text."""
SAME = 0.999
"""Least cosine of two vectors by the same weights: other devices and precisions stay above, other weights far below."""
_COMPARED = 3  # texts
_CANDIDATES = 8
_MOST_BYTES = 1 << 20
Kind = Literal["texts", "images"]
_checked: set[tuple[str, str, str, Kind]] = set()  # home, address, id: once a process


def identified(engine: Engine, home: Path, open_store: Callable[[], Store]) -> Engine:
    """Return a server's engine such that it has the id of its weights and compares them first; another one as it is.

    Args:
        engine: any.
        home: the store's folder.
        open_store: gives the store, when it is needed first.
    """
    if isinstance(engine, ServerEngine):
        weights = _known(home).get(_name(engine))
        return IdentifiedEngine(engine, engine.id + (f"+{weights}" if weights else ""), home, open_store)
    if isinstance(engine, HostedEngine) and isinstance(engine.text_engine, ServerEngine):
        engine.text_engine = IdentifiedEngine(engine.text_engine, engine.id, home, open_store, variants=False)
    return engine


def known_weights(home: Path) -> str:
    """Return what changes when a server is found to have other weights."""
    return json.dumps(_known(home), sort_keys=True)


def address_of(home: Path, engine_id: str, address: str) -> str | None:
    """Return where the weights of a server's ``engine_id`` are: ``address`` where it may have them, else a known one.

    None where no server is known to have them.
    """
    base, _, weights = engine_id.partition("+")
    known = _known(home)
    with suppress(InputError):
        if known.get(f"{normalise_url(address)} {base}", "") == weights:
            return address
    have = (name for name, others in known.items() if weights and others == weights)
    return next((name.removesuffix(f" {base}") for name in have if name.endswith(f" {base}")), None)


def weights_of(engine: Engine) -> str | None:
    """Return the name of an engine's weights where they differ from those first seen under its version's name."""
    return engine.id.partition("+")[2] or None if isinstance(engine, IdentifiedEngine) else None


class IdentifiedEngine:
    """An ``Engine``: a server, under the id that its weights have in one store. Safe to use from several threads."""

    embeds_video = True

    def __init__(
        self,
        engine: ServerEngine,
        engine_id: str,
        home: Path,
        open_store: Callable[[], Store],
        *,
        variants: bool = True,
    ) -> None:
        self._engine = engine
        self._id = engine_id
        self._home = home
        self._open_store = open_store
        self._variants = variants
        self._lock = threading.Lock()
        self._problem = ""
        self._lacks_picture = False

    def __repr__(self) -> str:
        return f"IdentifiedEngine({self._engine!r}, {self._id!r})"

    @property
    def id(self) -> str:
        """``clip/ViT-B-16``, or ``clip/ViT-B-16+1a2b3c4d`` where its weights differ from those first seen."""
        return self._id

    @property
    def name(self) -> str:
        """Name for people."""
        weights = self._id.partition("+")[2]
        return self._engine.name.removesuffix(")") + f", weights {weights})" if weights else self._engine.name

    @property
    def spec(self) -> tuple[str, str]:
        """As ``ServerEngine.spec``."""
        return self._engine.spec

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._engine.dim

    @property
    def input_size(self) -> int:
        """Side in pixels of the square the model sees."""
        return self._engine.input_size

    @property
    def framing(self) -> Framing:
        """What of a frame the model sees by itself."""
        return self._engine.framing

    @property
    def batch_size(self) -> int:
        """Pictures per request."""
        return self._engine.batch_size

    @property
    def concurrency(self) -> int:
        """Calls worth having in flight."""
        return self._engine.concurrency

    def unknown_words(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return nothing: CLIP spells any word from parts."""
        return self._engine.unknown_words(texts)

    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return one unit row per picture, ``(n, dim)``.

        Raises:
            UnknownModelError: the server's weights are not those of this id.
            EngineError: as ``ServerEngine.embed_images``.
        """
        self._check("images")
        if not self._lacks_picture or len(images) >= self.batch_size:
            return self._engine.embed_images(images)
        self._lacks_picture = False
        rows = self._engine.embed_images([*images, self._picture()])  # on the way, so that it costs no request
        with suppress(StoreError):
            self._open_store().put_text_vectors(self._id, {PICTURE: rows[-1]})
        return rows[:-1]

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit row per text, ``(n, dim)``; errors as ``embed_images``."""
        self._check("texts")
        return self._engine.embed_texts(texts)

    def limit_requests(self, gate: AbstractContextManager[object]) -> None:
        """Hold ``gate`` for each request; see ``ServerEngine``."""
        self._engine.limit_requests(gate)

    def close(self) -> None:
        """Close the connections."""
        self._engine.close()

    def _check(self, kind: Kind) -> None:
        mark = (str(self._home), self._engine.url, self._id, kind)
        with self._lock:
            if self._problem:
                raise UnknownModelError(self._problem)
            if mark in _checked:
                return
            store = self._open_store()
            if self._likeness(store, self._id, kind) < SAME:
                self._problem = self._other_weights(store, kind)
                raise UnknownModelError(self._problem)
            with suppress(StoreError):
                self._keep_probe(store, kind)
            _checked.add(mark)

    def _likeness(self, store: Store, engine_id: str, kind: Kind) -> float:
        """Return the least cosine between what is stored under an id and what the server gives; 1 without any."""
        texts, picture = {}, {}
        with suppress(StoreError):  # derived: what can't be read can't be compared
            texts = store.text_vectors(engine_id, [PROBE]) or store.some_text_vectors(engine_id, _COMPARED, but=PICTURE)
            picture = store.text_vectors(engine_id, [PICTURE]) if kind == "images" or not texts else {}
        if kind == "texts" and (str(self._home), self._engine.url, engine_id, "images") in _checked:
            picture = {}  # compared, or of this very server
        cosines = [1.0]
        if texts:
            cosines += [
                _cosine(*pair) for pair in zip(self._engine.embed_texts(list(texts)), texts.values(), strict=True)
            ]
        if picture:
            cosines.append(_cosine(self._engine.embed_images([self._picture()])[0], picture[PICTURE]))
        return min(cosines)

    def _keep_probe(self, store: Store, kind: Kind) -> None:
        """See to it that the next process has something to compare with; words are stored by who asks for them."""
        self._lacks_picture = kind == "images" and not store.text_vectors(self._id, [PICTURE])
        embedded = any(info.key.engine_id == self._id and info.samples for info in store.embeddings())
        if kind == "images" and embedded and not store.some_text_vectors(self._id, 1):
            store.put_text_vectors(self._id, {PROBE: self._engine.embed_texts([PROBE])[0]})

    def _picture(self) -> NDArray[np.uint8]:
        side = self._engine.input_size
        ramp = np.linspace(0, 255, side).astype(np.uint8)
        return np.stack(np.broadcast_arrays(ramp[None, :], ramp[:, None], ramp[::-1, None]), axis=2)

    def _other_weights(self, store: Store, kind: Kind) -> str:
        """Find or make the id of weights that are not those of this one, and return the sentence that says so."""
        said = (
            f"The inference server at {self._engine.url} gives other vectors than those stored as {self._id}: "
            "it has other weights under that name"
        )
        if not self._variants:
            return f"{said}; choose the server that embedded the words so far, or one with the same weights."
        base = self._engine.id
        others = {info.key.engine_id for info in store.embeddings() if info.key.engine_id.startswith(f"{base}+")}
        others |= {base, *(f"{base}+{weights}" for weights in _known(self._home).values())}
        same = [
            other
            for other in sorted(others - {self._id})[:_CANDIDATES]
            if store.some_text_vectors(other, 1) and self._likeness(store, other, kind) >= SAME
        ]
        if same:
            engine_id = same[0]
        else:
            vectors = [self._engine.embed_texts([PROBE]), self._engine.embed_images([self._picture()])]
            engine_id = f"{base}+{hashlib.sha256(np.concatenate(vectors).round(2).tobytes()).hexdigest()[:8]}"
            with suppress(StoreError):
                store.put_text_vectors(engine_id, {PROBE: vectors[0][0], PICTURE: vectors[1][0]})
        _remember(self._home, _name(self._engine), engine_id.partition("+")[2])
        return (
            f"{said}. Its vectors are kept apart as {engine_id} from now on, and videos have to be embedded anew with "
            "it: start again for that, or choose the server that they were embedded with."
        )


def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(a @ b) if a.shape == b.shape else 0.0


def _name(engine: ServerEngine) -> str:
    return f"{engine.url} {engine.id}"


def _path(home: Path) -> Path:
    return home / "servers.json"


def _known(home: Path) -> dict[str, str]:
    """Return the names of weights by server and version: of those only that differ from the first ones seen."""
    try:
        with _path(home).open("rb") as file:
            data = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    servers = data.get("servers") if isinstance(data, dict) else None
    return {str(name): str(weights) for name, weights in servers.items()} if isinstance(servers, dict) else {}


def _remember(home: Path, name: str, weights: str) -> None:
    known = {**_known(home), name: weights}
    with suppress(OSError, StoreError):
        write_atomically(
            _path(home), json.dumps({"format": 1, "servers": {key: value for key, value in known.items() if value}})
        )
