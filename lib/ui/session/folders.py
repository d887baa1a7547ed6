"""Folders of the computer that runs Promptreel from which a page may open files that somebody types the path of."""

from __future__ import annotations

import os
from pathlib import Path

from lib.core.errors import InputError
from lib.engines.embedded_models import models_folder
from lib.engines.model_layout import FOLDER, ModelSpec
from lib.engines.registry import default_engine
from lib.infra.files import expanded, is_text, resolved

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


def check_model_folder(spec: str) -> None:
    """Raise ``InputError`` where ``spec`` is no ``ModelSpec``, or a model in a folder that nothing may be opened from.

    Models may be opened from ``PROMPTREEL_MODELS`` and ``PROMPTREEL_FOLDERS``: an experiment or the queue names the
    folder, and somebody else may have written it.
    """
    parsed = ModelSpec.parse(spec)
    models = models_folder()
    allowed = (*video_folders(), *([resolved(models)] if models else []))
    if parsed.kind != FOLDER or spec == default_engine():
        return
    if not any(resolved(parsed.place).is_relative_to(one) for one in allowed):
        raise InputError(
            f"{parsed.place} is outside the folders that models may be opened from; add it to PROMPTREEL_MODELS or "
            "PROMPTREEL_FOLDERS and start again."
        )


def confined(text: str, folders: tuple[Path, ...], *, folder_too: bool = False) -> Path:
    """Return the file that ``text`` names, if it lies inside one of ``folders`` (after links are followed).

    With ``folder_too``, it may be a folder as well.

    Raises:
        InputError: it does not, or there is no such file.
    """
    names = ", ".join(str(folder) for folder in folders) or "none yet"
    typed = expanded(text.strip().strip("'\""))
    candidates = [typed] if typed.is_absolute() else [folder / typed for folder in folders]
    for candidate in candidates:
        path = resolved(candidate)
        if any(path.is_relative_to(folder) for folder in folders):
            if os.path.isfile(path) or (folder_too and os.path.isdir(path)):  # Path's raise for names that are too long
                return path
            if os.path.exists(path):
                raise InputError(f"{path} is a folder; name a video file in it.")
            if len(candidates) == 1:
                raise InputError(f"There is no file {path}; check the spelling.")
    if typed.is_absolute():
        raise InputError(
            f"{typed} is outside the folders that videos may be opened from ({names}); "
            "add its folder to PROMPTREEL_FOLDERS and start again, or upload the file."
        )
    raise InputError(f"There is no file {typed} in the allowed folders ({names}); check the spelling.")
