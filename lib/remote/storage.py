"""Object storage and shared folders as one thing: list, read, download, and write what was not there before.

An address is ``s3://bucket/prefix``, ``gs://bucket/prefix``, ``az://container/prefix`` or ``file:///folder``. Keys,
regions and endpoints come from the environment variables that the storage's own tools read (``AWS_…``, ``GOOGLE_…``,
``AZURE_…``); none of them is ever part of an address or a message, as errors of the libraries are not quoted.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    InvalidPathError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import AzureStore, GCSStore, LocalStore, S3Store

from lib.core.errors import Cancelled, InputError, RemoteError, RemoteFailedError, RemoteMissingError
from lib.core.formatting import shortened
from lib.infra.documents import UNREADABLE, parse_object
from lib.infra.files import is_text, resolved
from lib.store.faults import is_foreign

if TYPE_CHECKING:
    from lancedb.db import DBConnection
    from obstore import GetOptions, ObjectMeta
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

REMOTE_VARIABLE = "PROMPTREEL_REMOTE"
"""Names the address of the archive that is shared."""
SCHEMES = ("s3", "gs", "az", "file")
FORMAT = 1
"""Version of what is published; that of another version is refused."""
MAX_FILES = 1_000_000
"""Most files that are listed."""
PIECE_BYTES = 8 << 20
"""Of a file's bytes that are in memory at once."""

_SILENT = "it gave no answer; check network and address"
_MARKER = "promptreel.json"
_MAX_DOCUMENT = 8 << 20
_MAX_ADDRESS = 1000
_ATTEMPTS = 6
_RETRIES: RetryConfig = {
    "max_retries": 6,
    "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=5), "base": 2},
    "retry_timeout": timedelta(seconds=60),
}
_TIMEOUTS: ClientConfig = {
    "connect_timeout": timedelta(seconds=5),
    "timeout": timedelta(seconds=120),  # of one request, of at most PIECE_BYTES
    "user_agent": "promptreel",
}
_LANCE_OPTIONS = {
    "client_max_retries": "6",
    "client_retry_timeout": "60",
    "connect_timeout": "5s",
    "request_timeout": "120s",
}
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")  # the first that is set counts
_VARIABLES = {"s3": "AWS_", "gs": "GOOGLE_", "az": "AZURE_"}
_NO_KEYS = ("redential", "Missing")  # credentials that aren't found, and parts of them
_ROLES = "169.254.169.254"  # where a cloud's machine asks for credentials
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_STATUS = re.compile(r"status code: (\d{3})\b")
_QUERY = re.compile(r"\?[\w-]+=")  # of a signed address
_UNREACHED = re.compile(r"timed out|timeout|error sending request|connection (refused|reset|closed)", re.IGNORECASE)
_PATH = re.compile(r'[Pp]ath "([^"]{1,2000})"')
_ADDRESS = re.compile(r"(?P<scheme>[a-z0-9]{1,9})://(?P<bucket>[^/]*)/?(?P<prefix>.*)", re.DOTALL)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_HTTP = re.compile(r"https?://[\w.\[\]:-]+(/[\w./~-]*)?", re.ASCII)
_WILD = re.compile(r"[*?]")


@dataclass(frozen=True)
class RemoteFile:
    """One file as a listing has it."""

    uri: str
    """Its whole address, such as ``s3://bucket/videos/a.mp4``."""
    path: str
    """Its address below that of the ``Remote``."""
    size_bytes: int
    etag: str
    """Changes with its content; empty where the storage has none."""


class Remote:
    """A place on object storage, or a folder. Thread-safe; a process that needs one makes its own by ``url``."""

    def __init__(self, url: str) -> None:
        """Open a place; nothing is asked of the network yet.

        Args:
            url: its address; ``*`` and ``?`` in it are taken as they are.

        Raises:
            InputError: it is no address of a place that can be used.
        """
        self.url = _checked(url)
        self._lock = threading.Lock()
        self._may_create = self._format_checked = False
        self._db: DBConnection | None = None

    @cached_property
    def _store(self) -> ObjectStore:
        return _open(self.url)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of this machine."""
        return self.url.startswith("file://")

    def uri(self, path: str) -> str:
        """Return the whole address of what lies at ``path``."""
        return f"{self.url.rstrip('/')}/{path}" if path else self.url

    def _check_file(self, path: str) -> None:
        """Raise ``FileNotFoundError`` for what is no file of a folder, such as a pipe: opening it waits for ever."""
        there = Path(self._folder, path)
        if self.is_folder and there.exists() and not there.is_file():
            raise FileNotFoundError(path)

    def leads_outside(self, path: str) -> bool:
        """Return whether a file of a folder is a link to somewhere else on this machine."""
        return self.is_folder and not resolved(Path(self._folder, path)).is_relative_to(resolved(self._folder))

    # Reading

    def files(self, pattern: str = "**") -> Iterator[RemoteFile]:
        """Yield the files whose paths match ``pattern``, in no order; at most ``MAX_FILES`` are looked at.

        Args:
            pattern: ``*`` and ``?`` stand for characters of one name, ``**`` for folders too.

        Raises:
            RemoteError: there are more, or the storage can't be read.
        """
        wanted = _pattern(pattern)
        folder = _WILD.split(pattern, maxsplit=1)[0].rpartition("/")[0]
        for seen, file in enumerate(self._below(folder)):
            if seen >= MAX_FILES:
                raise RemoteError(f"There are more than {MAX_FILES:,} files in {self}; name a smaller part of it.")
            if wanted.fullmatch(file.path):
                yield (self.find(file.path) or file) if self.is_folder else file

    def _below(self, folder: str) -> Iterator[RemoteFile]:
        """Yield the files below a folder; of this machine's, those that are there and whose names are text."""
        if not self.is_folder:
            with self._as_sentences("listing"):
                for metas in self._store.list(folder or None):
                    yield from map(self._file, metas)
            return
        _open(self.url)  # says so where it isn't there
        if self.leads_outside(folder):
            return
        root = Path(self._folder)  # the library gives up at a name that is no text, and a link that leads nowhere
        for place, _, names in os.walk(root / folder):
            for path in (Path(place, name) for name in names):
                if is_text(path) and not _CONTROLS.search(str(path)) and path.is_file():
                    below = path.relative_to(root).as_posix()
                    yield RemoteFile(self.uri(below), below, 0, "")

    def _file(self, meta: ObjectMeta) -> RemoteFile:
        return RemoteFile(self.uri(meta["path"]), meta["path"], meta["size"], (meta["e_tag"] or "").strip('"'))

    def find(self, path: str) -> RemoteFile | None:
        """Return what is known of one file; None when it is not there.

        Raises:
            RemoteError: the storage can't be read.
        """
        with suppress(RemoteMissingError), self._as_sentences(f"looking at {path}"):
            self._check_file(path)
            return self._file(self._store.head(path))
        return None

    def read(self, path: str, *, most_bytes: int = _MAX_DOCUMENT) -> bytes:
        """Return a file of at most ``most_bytes`` bytes.

        Raises:
            RemoteMissingError: it is not there.
            RemoteError: it is longer, or the storage can't be read.
        """
        with self._as_sentences(f"reading {path}"):
            self._check_file(path)
            answer = self._store.get(path)
            if answer.meta["size"] > most_bytes:
                raise RemoteError(f"{path} in {self} has more than {most_bytes:,} bytes; it is none of Promptreel's.")
            return answer.bytes().to_bytes()

    def read_range(self, path: str, start: int, end: int, *, etag: str = "") -> bytes:
        """Return bytes ``[start, end)`` of a file, at most ``PIECE_BYTES`` of them.

        Args:
            path: the file.
            start: first byte.
            end: the byte after the last one; beyond the file's end is its end.
            etag: refuse a file that is another by now.

        Raises:
            RemoteMissingError: it is not there.
            RemoteError: it changed, or the storage can't be read.
        """
        end = min(end, start + PIECE_BYTES)
        options: GetOptions = {"range": (start, end)}
        if etag:
            options["if_match"] = f'"{etag}"'
        with self._as_sentences(f"reading {path}"):
            self._check_file(path)
            answer = self._store.get(path, options=options)
            return answer.bytes().to_bytes()

    def pieces(
        self, file: RemoteFile, start: int = 0, end: int | None = None, *, most_bytes: int | None = None
    ) -> Iterator[bytes]:
        """Yield bytes ``[start, end)`` of a file in order, at most ``most_bytes`` at once; raises as ``read_range``."""
        end = file.size_bytes if end is None else min(end, file.size_bytes)
        while start < end:
            until = min(end, start + (most_bytes or PIECE_BYTES))
            piece = self.read_range(file.path, start, until, etag=file.etag)
            if not piece:
                raise RemoteError(f"{file.path} in {self} ended too early; try again.")
            yield piece
            start += len(piece)

    def download(
        self,
        file: RemoteFile | str,
        target: Path,
        *,
        on_progress: Callable[[int, int], object] | None = None,
        cancel: threading.Event | None = None,
    ) -> str:
        """Copy a file to ``target`` and return the SHA-256 of its bytes as hex digits.

        Args:
            file: what ``files`` or ``find`` gave (refused when it has changed since), or its path.
            target: written over; what was copied of it stays there after an error.
            on_progress: called with bytes copied and bytes in all.
            cancel: set it to stop.

        Raises:
            RemoteMissingError: it is not there.
            RemoteError: it changed meanwhile, or the storage can't be read.
            Cancelled: ``cancel`` was set.
            OSError: ``target`` can't be written.
        """
        known = self.find(file) if isinstance(file, str) else file
        if known is None:
            raise self._missing(f"reading {file}")
        digest, done = hashlib.sha256(), 0
        with open(target, "wb") as out:
            for piece in self.pieces(known):
                if cancel is not None and cancel.is_set():
                    raise Cancelled("Cancelled.")
                out.write(piece)
                digest.update(piece)
                done += len(piece)
                if on_progress is not None:
                    on_progress(done, known.size_bytes)
        return digest.hexdigest()

    def document(self, path: str) -> dict[str, Any]:
        """Return the JSON object in a file.

        Raises:
            RemoteMissingError: it is not there.
            RemoteError: it is none, or the storage can't be read.
        """
        content = self.read(path)
        try:
            return parse_object(content)
        except UNREADABLE as error:
            raise RemoteError(f"{path} in {self} can't be read; it is damaged, or none of Promptreel's.") from error

    def check_format(self, *, anew: bool = False) -> bool:
        """Return whether Promptreel has published anything here; ``anew``: ask the storage also where it is known.

        Raises:
            RemoteError: by another version of Promptreel, whose format this one doesn't know.
        """
        if self._format_checked and not anew:
            return True
        try:
            version = self.document(_MARKER).get("format")
        except RemoteMissingError:
            return False
        if version != FORMAT:
            raise RemoteError(
                f"{self} was written in another format than the {FORMAT} that this Promptreel knows; "
                "use the Promptreel that wrote it, or another address."
            )
        self._format_checked = True
        return True

    # Writing

    def create(self, path: str, content: bytes) -> bool:
        """Write a file unless there is one, in one step that no other writer can come between.

        Returns:
            True where the file has this content now, False where it was there before with another.

        Raises:
            RemoteError: the storage can't be written, or writes over files that are there although it was asked not to.
        """
        self.check_writes()
        return self._create(path, content)

    def upload(
        self,
        path: str,
        source: Path,
        *,
        on_progress: Callable[[int, int], object] | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        """Copy the file ``source`` to ``path``, over what is there; whatever stops it leaves that as it was.

        Raises:
            RemoteError: the storage can't be written.
            Cancelled: ``cancel`` was set.
            OSError: ``source`` can't be read.
        """
        total = source.stat().st_size

        def pieces() -> Iterator[bytes]:
            done = 0
            with open(source, "rb") as file:
                while piece := file.read(PIECE_BYTES):
                    if cancel is not None and cancel.is_set():
                        raise Cancelled("Cancelled.")
                    yield piece
                    done += len(piece)
                    if on_progress is not None:
                        on_progress(done, total)

        with self._as_sentences(f"writing {path}"):
            self._store.put(path, pieces(), chunk_size=PIECE_BYTES, max_concurrency=2)

    def delete(self, path: str) -> None:
        """Remove a file; one that is not there is none to remove.

        Raises:
            RemoteError: the storage can't be written.
        """
        with suppress(RemoteMissingError), self._as_sentences(f"deleting {path}"):
            self._store.delete(path)

    def delete_folder(self, path: str) -> None:
        """Remove all files below ``path``; raises as ``delete`` does."""
        paths = [file.path for file in self.files(f"{path}/**")]
        if paths:
            with suppress(RemoteMissingError), self._as_sentences(f"deleting {path}"):
                self._store.delete(paths)

    def check_writes(self) -> None:
        """Make sure that files can be created here: by making the marker, which can be made only once.

        Raises:
            RemoteError: the storage can't be written, or ignores ``If-None-Match``.
        """
        with self._lock:
            if self._may_create:
                return
            marker = json.dumps({"format": FORMAT, "what": "Promptreel archive"}).encode()
            if self._put_new(_MARKER, marker) and self._put_new(_MARKER, marker):
                raise RemoteError(
                    f"{self} writes over files although it is asked not to (If-None-Match), so two writers could "
                    "spoil each other's work; use a storage that has conditional writes."
                )
            if not self.check_format():  # refused, though it isn't there
                self._create(_MARKER, marker)
            self._may_create = True

    def _create(self, path: str, content: bytes) -> bool:
        for attempt in range(_ATTEMPTS):
            if self._put_new(path, content):
                return True
            with suppress(RemoteMissingError):  # refused, though it isn't there: a writer that failed, or a conflict
                return self.read(path, most_bytes=max(len(content), _MAX_DOCUMENT)) == content
            time.sleep(0.05 * 2**attempt)
        raise RemoteError(f"{self} keeps refusing to write {path}; try again later.")

    def _put_new(self, path: str, content: bytes) -> bool:
        """Ask for a file to be written if it is not there; return whether the storage says that it was."""
        with self._as_sentences(f"writing {path}"):
            try:
                self._store.put(path, content, mode="create", use_multipart=False)
            except (AlreadyExistsError, PreconditionError):
                return False
            return True

    # Lance

    @property
    def tables(self) -> DBConnection:
        """The Lance tables below ``lance/``; connected on first use.

        Raises:
            RemoteError: the address can't be used.
        """
        with self._lock:
            if self._db is None:
                import lancedb

                if not self.is_folder and any(character in self.url for character in "%#?"):
                    raise InputError(f"An archive can't be at {self}: choose an address without %, # and ?.")

                with self._as_sentences("opening"):
                    address = f"{self._folder}/lance" if self.is_folder else self.uri("lance")
                    self._db = lancedb.connect(address, storage_options=None if self.is_folder else _lance_options())
            return self._db

    @property
    def _folder(self) -> str:
        return self.url.removeprefix("file://")

    def __str__(self) -> str:
        return shortened(self.url, 200)

    def __reduce__(self) -> tuple[type[Remote], tuple[str]]:
        return Remote, (self.url,)

    # Errors

    def _missing(self, doing: str) -> RemoteMissingError:
        return RemoteMissingError(f"{doing[:1].upper()}{doing[1:]} in {self} failed: it is not there (any more).")

    @contextmanager
    def _as_sentences(self, doing: str) -> Iterator[None]:
        """Turn what the library raises while ``doing`` something into one sentence, which quotes none of it."""
        try:
            yield
        except FileNotFoundError as error:
            raise self._missing(doing) from error
        except BaseException as error:
            if not isinstance(error, BaseError) and not is_foreign(error):
                raise
            self.fail(doing, error)

    def fail(self, doing: str, error: BaseException) -> NoReturn:
        """Raise ``RemoteFailedError`` for an error of a library while ``doing`` something; its text isn't repeated."""
        raise RemoteFailedError(f"{doing[:1].upper()}{doing[1:]} in {self} failed: {self._reason(error)}.") from None

    def explains(self, error: BaseException) -> bool:
        """Return whether the storage or the system is behind an error of a library, rather than a file there."""
        reason = self._reason(error)
        return (reason != _SILENT and "answered 404" not in reason) or bool(_UNREACHED.search(str(error)[:20_000]))

    def _reason(self, error: BaseException) -> str:
        text = str(error)[:20_000]
        if isinstance(error, PreconditionError):
            return "it changed meanwhile; try again"
        if isinstance(error, InvalidPathError):
            named = _PATH.search(text)
            which = f": {shortened(named[1], 200)}" if named is not None else ""
            return (
                f"a name there has an empty part, . or .., or a control character; give that file another name{which}"
            )
        code, status = _CODE.search(text), _STATUS.search(text)
        if code is not None and code[1] == "NoSuchBucket":
            return "there is no such bucket; check the address"
        variables = f"{_VARIABLES.get(self.url.partition(':')[0], '')}… variables of the environment"
        if _ROLES in text or (status is None and any(word in text for word in _NO_KEYS)):
            return f"no credentials were found; set the {variables}"
        refused = isinstance(error, UnauthenticatedError | PermissionDeniedError) or (status and status[1] in "401 403")
        if refused and not self.is_folder:
            return f"access was refused; check the {variables}, and what they may do there"
        if "Permission denied" in text or "Read-only file system" in text:
            return "no permission; check the folder's rights"
        if "No space left" in text:
            return "the disk is full; free some space"
        said = " ".join([*([status[1]] if status else []), *([code[1]] if code else [])])
        return f"the storage answered {said}; try again later" if said else _SILENT


def split_pattern(address: str) -> tuple[str, str]:
    """Return the address of a ``Remote``, and a pattern for its ``files``, from one such as ``s3://b/v/*.mp4``.

    Without a wildcard it is the address of a folder: everything below it; or of one file, if its name has an ending.
    """
    address = _checked(address)
    head, _, rest = address.partition("://")
    literal = _WILD.split(rest, maxsplit=1)[0]
    if literal != rest:
        folder = literal.rpartition("/")[0]
    elif "." in rest.rpartition("/")[2] and "/" in rest.strip("/"):
        folder = rest.rpartition("/")[0]
    else:
        return address, "**"
    return f"{head}://{folder}", rest[len(folder) :].lstrip("/")


def is_address(text: str) -> bool:
    """Return whether ``text`` is meant as an address of object storage or of a shared folder, rather than as a path."""
    return text.partition("://")[0].lower() in SCHEMES and "://" in text


def _checked(url: str) -> str:
    found = _ADDRESS.fullmatch(url.strip())
    example = "write for example s3://bucket/archive, gs://…, az://… or file:///folder"
    if found is None or found["scheme"] not in SCHEMES or len(url) > _MAX_ADDRESS or not url.isprintable():
        raise InputError(f"This is no address of a storage; {example}.")
    if "@" in found["bucket"] or ":" in found["bucket"] or _QUERY.search(url):
        raise InputError(f"Keys don't belong into an address; set them in the environment, and {example}.")
    of_folder = found["scheme"] == "file"
    if bool(found["bucket"]) == of_folder or (of_folder and not found["prefix"].strip("/")):
        raise InputError(f"The address needs {'a folder' if of_folder else 'a bucket'}; {example}.")
    if any(part in ("", ".", "..") for part in found["prefix"].strip("/").split("/")) and found["prefix"].strip("/"):
        raise InputError(f"An address can't have an empty part, . or .. in it; {example}.")
    return f"{found['scheme']}://{found['bucket']}/{found['prefix'].strip('/')}".rstrip("/")


def _open(url: str) -> ObjectStore:
    found = _ADDRESS.fullmatch(url)
    assert found is not None, url  # noqa: S101 - _checked made it
    bucket, prefix = found["bucket"], found["prefix"] or None
    if found["scheme"] == "file":
        folder = Path("/", prefix or "")
        if not folder.is_dir():
            raise InputError(f"There is no folder {shortened(str(folder), 200)}; make it first, or mount it.")
        return LocalStore(folder)
    options: dict[str, Any] = {"client_options": dict(_TIMEOUTS), "retry_config": _RETRIES, "prefix": prefix}
    try:
        if found["scheme"] == "gs":
            return GCSStore(bucket, **options)
        if found["scheme"] == "az":
            return AzureStore(bucket, **options)
        endpoint = _endpoint()
        options["client_options"]["allow_http"] = endpoint.startswith("http://")
        return S3Store(bucket, config={"endpoint": endpoint} if endpoint else {}, **options)
    except (BaseError, ValueError) as error:
        Remote(url).fail("opening", error)


def _endpoint() -> str:
    name = next((name for name in _ENDPOINTS if os.environ.get(name)), "")
    endpoint = os.environ.get(name, "")
    if endpoint and not _HTTP.fullmatch(endpoint):
        raise InputError(f"{name} is no address of a server; write one such as https://storage.example.org.")
    return endpoint


def _lance_options() -> dict[str, str]:
    endpoint = _endpoint()
    if not endpoint:
        return dict(_LANCE_OPTIONS)
    return {**_LANCE_OPTIONS, "endpoint": endpoint, "allow_http": str(endpoint.startswith("http://")).lower()}


def _pattern(pattern: str) -> re.Pattern[str]:
    """Return what paths match: ``**`` is any characters, ``*`` and ``?`` none that ends a folder's name."""
    parts = re.split(r"(\*\*/?|\*|\?)", pattern)
    meaning = {"**": ".*", "**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts), re.DOTALL)
