"""Vectors of texts, and of picture examples by hash: a small table per engine, so that it is embedded once."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lib.core.errors import StoreDamagedError, StoreError
from lib.store.faults import mapped_errors
from lib.store.home import StoreFolder

_log = logging.getLogger(__name__)
_KEYS_PER_QUERY = 200
_REMEMBERED = 4096  # vectors kept in memory: 8 MB of 512 numbers


def _schema(dim: int) -> pa.Schema:
    return pa.schema([("key", pa.string()), ("text", pa.string()), ("vector", pa.list_(pa.float32(), dim))])


def _table(kind: str, engine_id: str) -> str:
    return f"{kind}-{hashlib.sha256(engine_id.encode()).hexdigest()[:32]}"


def _key(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class _LengthError(StoreError):
    """Vectors that can't be of one engine."""


def _check_length(engine_id: str, dims: set[int]) -> None:
    if len(dims) > 1:
        raise _LengthError(
            f"Text vectors of {engine_id} have {' and '.join(map(str, sorted(dims)))} numbers, but "
            "an engine has one length. Check that its model was not exchanged."
        )


class TextVectors:
    """The tables of text vectors, with the latest ones in memory; ``kind`` is how their names begin."""

    def __init__(self, folder: StoreFolder, kind: str = "texts") -> None:
        self._folder = folder
        self._kind = kind
        self._told = False
        self._mutex = threading.Lock()
        self._remembered: OrderedDict[tuple[str, str], NDArray[np.float32]] = OrderedDict()

    def get(self, engine_id: str, texts: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """See ``Store.text_vectors``."""
        wanted = list(dict.fromkeys(texts))
        vectors: dict[str, NDArray[np.float32]] = {}
        with self._mutex:
            for text in wanted:
                vector = self._remembered.get((engine_id, text))
                if vector is not None:
                    self._remembered.move_to_end((engine_id, text))
                    vectors[text] = vector
        missing = {_key(text): text for text in wanted if text not in vectors}
        with suppress(StoreDamagedError):  # they are computed again, and the table is made anew
            on_disk = {missing[key]: vector for key, vector in self._read(engine_id, list(missing)).items()}
            vectors |= self._remember(engine_id, on_disk)
        return {text: vectors[text] for text in wanted if text in vectors}

    def some(self, engine_id: str, limit: int, *, but: str) -> dict[str, NDArray[np.float32]]:
        """See ``Store.some_text_vectors``."""
        listed = f"key != '{_key(but)}'"
        rows = self._folder.read(
            _table(self._kind, engine_id),
            lambda table: table.search().where(listed).select(["key", "text", "vector"]).limit(limit).to_arrow(),
        )
        found = (
            [] if rows is None else zip(rows["key"].to_pylist(), rows["text"].to_pylist(), rows["vector"], strict=True)
        )
        return {text: vector.values.to_numpy().astype(np.float32) for key, text, vector in found if key == _key(text)}

    def put(self, engine_id: str, vectors: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """See ``Store.put_text_vectors``."""
        if not vectors:
            return {}
        given = {text: np.asarray(vector, np.float32).reshape(-1) for text, vector in vectors.items()}
        _check_length(engine_id, {len(vector) for vector in given.values()})
        stored: dict[str, NDArray[np.float32]] = {}
        try:
            with self._folder.writing():
                stored = self._store(engine_id, given)
        except _LengthError:
            raise
        except StoreError as error:  # they can be computed again, so nothing fails for want of a place for them
            if not self._told:
                self._told = True
                _log.warning("Text vectors are kept in memory only. %s", error)
        return self._remember(engine_id, {text: stored.get(_key(text), vector) for text, vector in given.items()})

    def _store(self, engine_id: str, given: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """Add what is not stored yet; return by key what was. A damaged table is made anew."""
        try:
            stored = self._read(engine_id, [_key(text) for text in given])
            self._add(engine_id, given, stored)
        except StoreDamagedError:
            stored = {}
            self._folder.drop(_table(self._kind, engine_id))
            self._add(engine_id, given, stored)
        return stored

    def _add(
        self,
        engine_id: str,
        given: Mapping[str, NDArray[np.float32]],
        stored: Mapping[str, NDArray[np.float32]],
    ) -> None:
        new = {text: vector for text, vector in given.items() if _key(text) not in stored}
        if not new:
            return
        dim = len(next(iter(new.values())))
        schema = _schema(dim)
        table = self._folder.create(_table(self._kind, engine_id), schema)
        _check_length(engine_id, {dim, table.schema.field("vector").type.list_size})
        columns = [
            pa.array([_key(text) for text in new]),
            pa.array([text.encode("utf-8", "replace").decode() for text in new]),  # for people; the key decides
            pa.FixedSizeListArray.from_arrays(pa.array(np.concatenate(list(new.values()))), dim),
        ]
        with mapped_errors("storing text vectors"):
            table.add(pa.Table.from_arrays(columns, schema=schema))
        self._folder.compact_now_and_then(table)

    def _read(self, engine_id: str, keys: list[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors on disk by key."""
        result: dict[str, NDArray[np.float32]] = {}
        for start in range(0, len(keys), _KEYS_PER_QUERY):
            listed = ", ".join(f"'{key}'" for key in keys[start : start + _KEYS_PER_QUERY])  # hex digits only

            def read(table: Any, where: str = f"key IN ({listed})") -> pa.Table:
                return table.search().where(where).select(["key", "vector"]).to_arrow()

            rows = self._folder.read(_table(self._kind, engine_id), read)
            if rows is None:
                break
            for key, vector in zip(rows["key"].to_pylist(), rows["vector"], strict=True):
                result[key] = vector.values.to_numpy().astype(np.float32)
        return result

    def _remember(self, engine_id: str, vectors: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """Keep vectors in memory; return them read-only, since several callers will get them."""
        copies = {text: vector.copy() for text, vector in vectors.items()}
        for vector in copies.values():
            vector.setflags(write=False)
        with self._mutex:
            self._remembered |= {(engine_id, text): vector for text, vector in copies.items()}
            while len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        return copies
