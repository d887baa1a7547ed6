"""What goes wrong on disk, as sentences: what failed, and what to do about it."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator

import pyarrow as pa

from lib.core.errors import StoreDamagedError, StoreError

_FOREIGN = (OSError, RuntimeError, ValueError, ArithmeticError, LookupError, pa.ArrowException)
_PANICS = ("RustPanic", "PanicException")  # pyo3's; the second is no Exception, and neither can be imported
_FULL = (errno.ENOSPC, errno.EDQUOT)
_LOCKED = (errno.EACCES, errno.EPERM, errno.EROFS)
_PATH = re.compile(r",?\s{0,4}[\w.:-]{0,99}/\S*")  # a place in a library's source, or in the store
_TABLES = {
    "videos": "the list of videos",
    "embeddings": "the list of embeddings",
    "gaps": "the list of gaps",
    "hashes": "the list of known files",
    "samples": "the samples of an embedding",
    "arriving": "an embedding on its way in",
    "texts": "the text vectors",
    "search": "the search index",
}
_ANEW = "Restore the store's folder from a backup, or set PROMPTREEL_HOME to a new one and embed the videos there."
_EMBED_AGAIN = "Delete this embedding, then embed the video again."


def is_foreign(error: BaseException) -> bool:
    """Return whether an error is one that Lance, Arrow or the file system raise."""
    return isinstance(error, _FOREIGN) or type(error).__name__ in _PANICS


@contextlib.contextmanager
def mapped_errors(doing: str) -> Iterator[None]:
    """Turn what Lance, Arrow and the file system raise while ``doing`` something into ``StoreError``."""
    try:
        yield
    except BaseException as error:
        if not is_foreign(error):
            raise
        raise store_error(doing, error) from error


def store_error(doing: str, error: BaseException) -> StoreError:
    """Return the sentence for what went wrong while ``doing`` something."""
    known = _known(doing, error)
    if known is not None:
        return known
    reason = getattr(error, "strerror", None) or _PATH.sub("", " ".join(str(error)[:2000].split()))[:200]
    return StoreError(
        f"The store on disk has a problem: {doing} failed ({reason or type(error).__name__}). "
        "Check its disk, or set PROMPTREEL_HOME to another folder."
    )


def table_error(table: str, error: BaseException) -> StoreError:
    """Return the sentence for a table that can't be read."""
    what = table_words(table)
    known = _known(f"reading {what}", error)
    if known is not None or (isinstance(error, OSError) and error.errno is not None):
        return known or store_error(f"reading {what}", error)
    advice = _EMBED_AGAIN if table.startswith(("samples-", "arriving-")) else _ANEW
    return StoreDamagedError(f"The store is damaged: {what} can't be read. {advice}")


def table_words(table: str) -> str:
    """Return what a table holds, for people."""
    return _TABLES.get(table.partition("-")[0], "a table")


def _known(doing: str, error: BaseException) -> StoreError | None:
    number, text = getattr(error, "errno", None), str(error)  # Lance wraps the system's words in its own error
    if number in _FULL or "No space left" in text or "quota exceeded" in text:
        return StoreError(f"The disk is full: {doing} failed. Free some space, then try again.")
    if number in _LOCKED or any(words in text for words in ("Permission denied", "Read-only file system")):
        return StoreError(
            f"No permission: {doing} failed. Make the folder writable, or set PROMPTREEL_HOME to another one."
        )
    return None
