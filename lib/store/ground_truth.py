"""Ground truth that was edited or imported: one small JSON file per video, written atomically.

A file is ``{"format": 1, "segments": [{"label", "start_s", "end_s"}, …]}``. Where there is no such file, what lies
beside the video (``lib.store.sidecar``) is its ground truth until the first edit; ``lib.services.ground_truth`` reads
it.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lib.core.errors import StoreDamagedError
from lib.core.labelled_intervals import TrueSegment
from lib.infra.files import write_atomically
from lib.store.faults import mapped_errors, store_error
from lib.store.home import StoreFolder
from lib.store.sidecar import sidecar_path

FORMAT = 1

Truth = tuple[TrueSegment, ...]


class GroundTruthFiles:
    """The folder of saved ground truth."""

    def __init__(self, folder: StoreFolder) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Return where the saved ground truth of a video belongs; it need not be there."""
        return self._folder.paths.ground_truth / f"{sha256}.json"

    def saved(self, sha256: str) -> Truth | None:
        """Return what was saved; None where nothing was.

        Raises:
            StoreDamagedError: there is a file, but not one that this version reads.
        """
        path = self.path(sha256)
        try:
            return _parse(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise store_error("reading the ground truth", error) from error
        except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
            raise StoreDamagedError(
                "The saved ground truth of this video is damaged, so none counts; "
                f"repair truth/{path.name} in the store's folder, or go on: the next change keeps it there, renamed."
            ) from error

    def version(self, sha256: str, video: Path) -> str:
        """Return a text that changes when what was saved or what lies beside ``video`` may have changed."""
        try:
            # Its content: files that replace each other quickly may share number, time and size.
            return hashlib.sha256(self.path(sha256).read_bytes()).hexdigest()
        except OSError:
            pass
        path = sidecar_path(video)
        if path is None:
            return ""
        try:
            stat = path.stat()
        except OSError:
            return ""
        return f"{path}|{stat.st_mtime_ns}|{stat.st_size}"

    def save(self, sha256: str, segments: Sequence[TrueSegment]) -> None:
        """Save ``segments`` in order of time. Call it under ``writing()``."""
        listed = [
            {"label": segment.label, "start_s": segment.start_s, "end_s": segment.end_s}
            for segment in sorted(segments, key=lambda segment: (segment.start_s, segment.end_s, segment.label))
        ]
        text = json.dumps({"format": FORMAT, "segments": listed}, ensure_ascii=False, indent=1)
        with mapped_errors("saving the ground truth"):
            write_atomically(self.path(sha256), text)

    def change(
        self, sha256: str, change: Callable[[Truth], Sequence[TrueSegment]], beside: Callable[[], Truth]
    ) -> Truth:
        """See ``Store.change_truth``."""
        with self._folder.writing():
            self._keep_damaged_aside(sha256)
            saved = self.saved(sha256)
            self.save(sha256, change(beside() if saved is None else saved))
            return self.saved(sha256) or ()

    def forget(self, sha256: str, *, only: Truth | None = None) -> int:
        """Delete what was saved and return the bytes freed, 0 when nothing was; a damaged file is kept aside.

        With ``only``, it is deleted only while it is still that.
        """
        with self._folder.writing():
            self._keep_damaged_aside(sha256)
            if only is not None and self.saved(sha256) != only:
                return 0
            return self._folder.remove(self.path(sha256))

    def forget_all(self, sha256: str) -> int:
        """Delete all of a video, what was kept aside too; return the bytes freed."""
        with self._folder.writing():
            return sum(self._folder.remove(path) for path in self._folder.paths.ground_truth.glob(f"{sha256}.json*"))

    def _keep_damaged_aside(self, sha256: str) -> None:
        """Rename a saved file that can't be read, so that nothing is written over it."""
        try:
            self.saved(sha256)
        except StoreDamagedError:
            path = self.path(sha256)
            with mapped_errors("keeping the damaged ground truth"):
                path.rename(path.with_name(f"{path.name}.damaged-{time.time_ns()}"))


def _parse(content: bytes) -> Truth:
    """Return the segments of a saved file.

    Raises:
        ValueError, TypeError, LookupError, ArithmeticError, RecursionError: it holds something else.
    """
    data = json.loads(content)
    if data["format"] != FORMAT or not isinstance(data["segments"], list):
        raise ValueError("another format")
    return tuple(_segment(entry) for entry in data["segments"])


def _segment(entry: dict[str, Any]) -> TrueSegment:
    label, start_s, end_s = entry["label"], float(entry["start_s"]), float(entry["end_s"])
    if not isinstance(label, str) or not label or not -math.inf < start_s < end_s < math.inf:
        raise ValueError("not a segment")
    return TrueSegment(label, start_s, end_s)
