"""Videos whose files stay in object storage: played from there, or copied into the store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lib.core.errors import NotStoredError, RemoteError, StoreError
from lib.core.formatting import megabytes_done
from lib.infra.documents import fields, flag, read_document, text, whole_within, write_document
from lib.infra.files import temporary_file
from lib.ingest.progress import Progress
from lib.remote.records import MAX_PIXELS, MAX_SIZE, Published, video_path
from lib.remote.storage import Remote, RemoteFile
from lib.store.store import Store
from lib.store.videos import Video, clean_suffix

OnProgress = Callable[[Progress], None] | None


@dataclass(frozen=True)
class RemoteVideo:
    """Where the file of a video of the store is, and what a player has to know of it."""

    url: str
    """Address of the archive; without keys, as every one."""
    path: str
    size_bytes: int
    etag: str
    width: int
    """Displayed width in pixels; 0 where unknown."""
    height: int
    """Displayed height in pixels; 0 where unknown."""
    browser_playable: bool

    @property
    def file(self) -> RemoteFile:
        """The file, as reading it takes it."""
        return RemoteFile(Remote(self.url).uri(self.path), self.path, self.size_bytes, self.etag)


def find_file(one: Published, remote: Remote) -> RemoteFile | None:
    """Return the published file of a video; None where it isn't published, or is another one.

    Raises:
        RemoteError: the storage can't be read.
    """
    path = video_path(one.key.sha256)
    there = remote.find(path)
    is_it = there is not None and there.size_bytes == one.size_bytes and not remote.leads_outside(path)
    return there if is_it else None


def note(store: Store, one: Published, remote: Remote, there: RemoteFile) -> None:
    """Remember where the published file of a video is.

    Raises:
        StoreError: it can't be written.
    """
    noted = RemoteVideo(
        remote.url, there.path, there.size_bytes, there.etag, one.width, one.height, one.browser_playable
    )
    try:
        write_document(store.paths.remote_video(one.key.sha256), asdict(noted), home=store.home)
    except OSError as error:
        raise StoreError(f"{one.name} can't be stored ({error.strerror}); free some space, then try again.") from error


def noted(store: Store, sha256: str) -> RemoteVideo | None:
    """Return where the file of a video is, if it is known to be published; None where what was noted is damaged."""
    try:
        return read_document(store.paths.remote_video(sha256), _from_document)
    except StoreError:
        return None  # derived: pulled once more, it is noted again


def copy_into_store(
    store: Store,
    video: Video,
    there: RemoteVideo,
    *,
    on_progress: OnProgress = None,
    cancel: threading.Event | None = None,
) -> Video:
    """Copy the file of a video into the store, and return the video.

    Raises:
        RemoteError: the file isn't what was published, or the storage can't be read.
        StoreError: the disk is full or the store can't be used.
        VideoError: the file is no video.
        Cancelled: ``cancel`` was set; nothing of it is kept.
    """
    return fetch(store, video.sha256, video.name, Remote(there.url), there.file, on_progress=on_progress, cancel=cancel)


def fetch(
    store: Store,
    sha256: str,
    name: str,
    remote: Remote,
    file: RemoteFile,
    *,
    on_progress: OnProgress = None,
    cancel: threading.Event | None = None,
) -> Video:
    """Copy a video's file into the store and return the video; raises as ``copy_into_store``."""
    suffix = clean_suffix(name)
    try:
        with temporary_file(store.paths.incoming / f"{sha256}{suffix}", suffix=f".tmp{suffix}") as temporary:
            digest = remote.download(file, temporary, on_progress=copying(on_progress), cancel=cancel)
            if digest != sha256:
                raise RemoteError(
                    f"The file of {name} in {remote} is not the one that was published; it is damaged: delete "
                    f"{file.path} there, then publish the video again."
                )
            return store.add_file(temporary, name=name, sha256=digest, move=True)
    except OSError as error:
        raise StoreError(f"{name} can't be stored ({error.strerror}); free some space, then try again.") from error


def put(
    store: Store, video: Video, remote: Remote, *, on_progress: OnProgress = None, cancel: threading.Event | None = None
) -> None:
    """Copy a video's file to where its hash says, unless it is there.

    Raises:
        NotStoredError: the file is gone.
        RemoteError: the storage can't be written.
        Cancelled: ``cancel`` was set.
    """
    path, source = video_path(video.sha256), store.file_path(video.sha256)
    there = remote.find(path)
    if there is not None and there.size_bytes == video.size_bytes:
        return
    try:
        remote.upload(path, source, on_progress=copying(on_progress), cancel=cancel)
    except OSError as error:
        raise NotStoredError(f"{video.name} can't be read ({error.strerror}); check its file.") from error


def copying(on_progress: OnProgress) -> Callable[[int, int], None]:
    """Return a callback in bytes that reports ``Progress`` in words."""

    def tell(done: int, total: int) -> None:
        if on_progress is not None:
            on_progress(Progress(done, total, 0.0, None, f"copying {megabytes_done(done, total)}"))

    return tell


def _from_document(data: Mapping[str, Any]) -> RemoteVideo:
    there = RemoteVideo(**fields(dict(data), _READERS))
    Remote(there.url)  # an address that can be used
    return there


_READERS: dict[str, Callable[[Any], Any]] = {
    "url": text,
    "path": text,
    "size_bytes": whole_within(0, MAX_SIZE),
    "etag": text,
    "width": whole_within(0, MAX_PIXELS),
    "height": whole_within(0, MAX_PIXELS),
    "browser_playable": flag,
}
