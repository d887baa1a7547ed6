"""The shared archive in the background: its list is read, embeddings and files of videos are pulled."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lib.ingest.progress import Progress
from lib.remote import videos
from lib.remote.publishing import Publication, publish
from lib.remote.pulling import Pulled, pull
from lib.remote.records import Published, find
from lib.remote.storage import Remote
from lib.remote.videos import RemoteVideo
from lib.services.jobs import Job
from lib.services.shared_archive import SharedArchive
from lib.store.embeddings import EmbeddingInfo
from lib.store.videos import Video
from lib.ui.background.playable_copies import Playable
from lib.ui.server import routes
from lib.ui.session import cache

_QUEUE = "shared archive"


def read(archive: SharedArchive, *, once: bool = False) -> Job:
    """Have the list read; ``once``: unless that failed before."""
    url = archive.remote.url
    return cache.jobs().submit(
        f"List of {url}", ("shared archive", url), archive.read, queue=f"{_QUEUE}, list", unit="embeddings", once=once
    )


def start_pull(one: Published, remote: Remote, *, with_video: bool = False) -> Job:
    """Have a published embedding pulled, and its video's file where that is wished."""
    store = cache.store()

    def work(*, on_progress: Callable[[Progress], None], cancel: threading.Event) -> Pulled:
        fresh = find(remote, one.id) or one  # it may have been published anew
        return pull(store, fresh, remote, with_video=with_video, on_progress=on_progress, cancel=cancel)

    key = ("pull", one.id, with_video)
    return cache.jobs().submit(one.name, key, work, queue=_QUEUE, sha256=one.key.sha256, unit="samples")


def start_publish(info: EmbeddingInfo, name: str, archive: SharedArchive, *, with_video: bool) -> Job:
    """Have an embedding published, and its video's file where that is wished; ``name`` is the video's."""
    store = cache.store()

    def work(*, on_progress: Callable[[Progress], None], cancel: threading.Event) -> Publication:
        remote = archive.remote
        publication = publish(store, info.key, remote, with_video=with_video, on_progress=on_progress, cancel=cancel)
        archive.read(on_progress=on_progress, cancel=cancel)  # so that the list has it
        return publication

    key = ("publish", info.key.id, with_video)
    return cache.jobs().submit(f"Publish {name}", key, work, queue=_QUEUE, sha256=info.key.sha256, unit="samples")


def start_copy(video: Video, there: RemoteVideo) -> Job:
    """Have the file of a video copied into the store."""
    store = cache.store()

    def work(*, on_progress: Callable[[Progress], None], cancel: threading.Event) -> Video:
        return videos.copy_into_store(store, video, there, on_progress=on_progress, cancel=cancel)

    return cache.jobs().submit(
        f"File of {video.name}", ("fetch", video.sha256), work, queue=_QUEUE, sha256=video.sha256
    )


def copying(video: Video) -> Job | None:
    """Return the job that copies the file of a video, if there is one."""
    return cache.jobs().find(("fetch", video.sha256))


def playable(video: Video, there: RemoteVideo) -> Playable:
    """Return a source that plays a video from where its file is."""
    return Playable(routes.url_for_remote(cache.remote(there.url), there.file, video.name), offset_s=0.0)
