"""Tables of samples in object storage: made whole in one step, read in order and in bounded parts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pyarrow as pa

from lib.core.errors import Cancelled, PromptreelError, RemoteDamagedError, RemoteError, RemoteFailedError
from lib.remote.records import LANCE, Content, batch_of
from lib.remote.storage import Remote
from lib.store.embeddings import samples_schema
from lib.store.faults import is_foreign
from lib.store.staging import Batch

if TYPE_CHECKING:
    from lancedb.table import Table

_ROWS = 500
_ROWS_AHEAD = 4000  # Lance reads ahead of what is taken, as far as it may
_MAX_THUMBNAIL = 1 << 20
_THUMBNAIL = 64 << 10  # on average: most of JPEGs of 256 pixels
_SLACK = 16 << 20
_THERE = re.compile("already exists|commit conflict", re.IGNORECASE)  # before it, or made at the same time
_FIRST = 1  # the version that was made whole; whatever may have come later isn't read
AGAIN = "delete its document in done/ there, then publish that embedding again"
_UNIT = 0.02  # how far the length of a vector in float16 may be from 1


def create(remote: Remote, table: str, dim: int, batches: Iterable[Batch]) -> str | None:
    """Make a table of samples and return their hash; None where the storage says that there is one already.

    Whatever stops it, an error of ``batches`` or the end of the process, leaves no table.

    Raises:
        RemoteError: the storage can't be written.
    """
    content, schema = Content(), samples_schema(dim)
    raised: list[BaseException] = []

    def rows() -> Iterator[pa.RecordBatch]:
        try:
            for batch in batches:
                content.add(batch)
                yield batch.columns(schema)
        except (PromptreelError, Cancelled) as error:  # Lance makes a text of it
            raised.append(error)
            raise

    try:
        remote.tables.create_table(table, pa.RecordBatchReader.from_batches(schema, rows()), mode="create")
    except BaseException as error:
        if raised:
            raise raised[0] from None
        if not is_foreign(error):
            raise
        if _THERE.search(str(error)) or exists(remote, table):
            return None
        remote.fail(f"writing {LANCE}/{table}", error)
    return content.hexdigest()


def exists(remote: Remote, table: str) -> bool:
    """Return whether there is a table, or what keeps one from being made; data without a manifest are none."""
    return any(True for _ in remote.files(f"{LANCE}/{table}.lance/_versions/*"))


def read(remote: Remote, table: str, dim: int, samples: int) -> Iterator[Batch]:
    """Yield the samples of a table in order, checked, in batches of a few hundred.

    Args:
        remote: where it is.
        table: its name.
        dim: numbers of a vector.
        samples: how many there have to be.

    Raises:
        RemoteError: it isn't there, isn't what it should be, or can't be read.
    """
    stored = sum(file.size_bytes for file in remote.files(f"{LANCE}/{table}.lance/**"))
    if stored > samples * (2 * dim + 16 + _THUMBNAIL) * 2 + _SLACK:
        raise RemoteError(f"{LANCE}/{table} in {remote} is far larger than {samples:,} samples; it is none of ours.")
    try:
        there = _opened(remote, table, dim, samples)
        last = (-1, -np.inf)
        for start in range(0, samples, _ROWS_AHEAD):
            for rows in there.search().offset(start).limit(_ROWS_AHEAD).to_batches(_ROWS):
                batch = batch_of(rows)
                _check(batch, last, f"{LANCE}/{table} in {remote}")
                last = int(batch.frames[-1]), float(batch.times_s[-1])
                yield batch
    except BaseException as error:
        if not is_foreign(error):
            raise
        _say_why(remote, table, error)


def is_whole(remote: Remote, table: str, dim: int, samples: int) -> bool:
    """Return whether a table is there and can be read to its last sample, as far as that one tells; see ``read``.

    Raises:
        RemoteFailedError: the storage can't be read.
    """
    try:
        there = _opened(remote, table, dim, samples)
        return not samples or len(there.search().offset(samples - 1).limit(1).to_list()) == 1
    except RemoteFailedError:
        raise
    except RemoteError:
        return False
    except BaseException as error:
        if not is_foreign(error):
            raise
        try:
            _say_why(remote, table, error)
        except RemoteDamagedError:
            return False


def _say_why(remote: Remote, table: str, error: BaseException) -> NoReturn:
    """Raise what is wrong where Lance couldn't read: the table, if the storage itself answers."""
    if remote.explains(error) or not remote.check_format(anew=True):
        remote.fail(f"reading {LANCE}/{table}", error)
    raise RemoteDamagedError(f"{LANCE}/{table} in {remote} is damaged or gone; publish that embedding again.") from None


def _opened(remote: Remote, table: str, dim: int, samples: int) -> Table:
    there = remote.tables.open_table(table)
    there.checkout(_FIRST)
    if there.schema != samples_schema(dim) or there.count_rows() != samples:
        raise RemoteDamagedError(f"{LANCE}/{table} in {remote} is not what it should be; publish that embedding again.")
    return there


def _check(batch: Batch, last: tuple[int, float], what: str) -> None:
    """Raise ``RemoteError`` unless samples can be those of a video, behind the ``last`` ones."""
    steps = np.diff(batch.frames, prepend=last[0]), np.diff(batch.times_s, prepend=last[1])
    lengths = np.sqrt(np.einsum("nd,nd->n", batch.vectors, batch.vectors))
    good = (
        all(bool(np.all(step > 0)) for step in steps)
        and bool(np.all(np.isfinite(batch.times_s)))
        and bool(np.all(np.abs(lengths - 1) < _UNIT))
        and all(thumbnail is None or len(thumbnail) <= _MAX_THUMBNAIL for thumbnail in batch.thumbnails)
    )
    if not good:
        raise RemoteDamagedError(f"{what} holds what can't be samples of a video; {AGAIN}.")
