"""Ground truth that was edited or imported: one small JSON file per video, written atomically.

A file is ``{"format": 1, "segments": [{"label", "start_s", "end_s"}, …]}``. Where there is no
such file, what lies beside the video (``lib.store.sidecar``) is its ground truth until the first edit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from lib.core.labelled_intervals import TrueSegment
from lib.infra.files import write_atomically
from lib.store.home import StoreFolder, mapped_errors
from lib.store.sidecar import read_sidecar, sidecar_path

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
        """Return what was saved; None where nothing was, or nothing that this version reads."""
        try:
            data = json.loads(self.path(sha256).read_text(encoding="utf-8"))
            if data["format"] != FORMAT:
                return None
            return tuple(
                TrueSegment(str(entry["label"]), float(entry["start_s"]), float(entry["end_s"]))
                for entry in data["segments"]
            )
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def get(self, sha256: str, video: Path) -> Truth:
        """Return the saved ground truth, else what lies beside the file ``video``."""
        saved = self.saved(sha256)
        return read_sidecar(video) if saved is None else saved

    def version(self, sha256: str, video: Path) -> str:
        """Return a text that changes when what ``get`` returns may have changed."""
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

    def change(self, sha256: str, video: Path, change: Callable[[Truth], Sequence[TrueSegment]]) -> Truth:
        """See ``Store.change_truth``."""
        with self._folder.writing():
            self.save(sha256, change(self.get(sha256, video)))
            return self.get(sha256, video)

    def forget(self, sha256: str) -> int:
        """Delete what was saved and return the bytes freed; 0 when nothing was."""
        with self._folder.writing():
            return self._folder.remove(self.path(sha256))
