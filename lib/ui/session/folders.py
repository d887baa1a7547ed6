"""Folders of the computer that runs Promptreel from which a page may open files that somebody types the path of."""

from __future__ import annotations

import os
from pathlib import Path

from lib.engines.embedded_models import models_folder
from lib.infra.files import expanded, resolved
from lib.media.limits import is_text

SAMPLES = Path(__file__).resolve().parents[3] / "sample_videos"


def video_folders() -> tuple[Path, ...]:
    """Return the folders that videos may be opened from: ``PROMPTREEL_FOLDERS``, else usual places."""
    text = os.environ.get("PROMPTREEL_FOLDERS")
    folders = (
        [Path(part) for part in text.split(os.pathsep) if part.strip()]
        if text is not None
        else [Path.home() / "Videos", Path.home() / "Movies", SAMPLES]
    )
    found = (resolved(folder) for folder in folders if expanded(folder).is_dir())
    return tuple(folder for folder in found if is_text(folder))  # a page can't show or be told of others


def may_hold_models(folder: Path) -> bool:
    """Return whether models may be opened from ``folder``: inside ``PROMPTREEL_MODELS`` or ``PROMPTREEL_FOLDERS``.

    An experiment names the folder, and somebody else may have written it.
    """
    models = models_folder()
    allowed = (*video_folders(), *([resolved(models)] if models else []))
    return any(resolved(folder).is_relative_to(one) for one in allowed)
