"""Files that people name: prompt sets, ground truth and other texts, read within bounds; errors name them."""

from __future__ import annotations

from pathlib import Path

from lib.core.errors import InputError, PromptSetError, SettingsError
from lib.core.formatting import encodable
from lib.ground_truth.parsing import ParsedTruth, parse_truth
from lib.prompts.model import PromptSet
from lib.prompts.parsing import parse_prompt_set
from lib.store.videos import Video

_MAX_BYTES = 20_000_000


def read_bytes(path: Path, what: str, kind: type[InputError], *, most: int = _MAX_BYTES) -> bytes:
    """Return what is in a file; raise ``kind``, with ``what`` as the file's name for people, if it can't be read."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise kind(f"The {what} {path} can't be read ({error.strerror}); check its path.") from error
    if len(data) > most:
        raise kind(f"The {what} {path} is longer than {most:,} bytes; check that it is the right file.")
    return data


def read_text(path: Path, what: str, kind: type[InputError]) -> str:
    """Return the text in a file; raises as ``read_bytes``."""
    try:
        return read_bytes(path, what, kind).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise kind(f"The {what} {path} is no UTF-8 text; save it as UTF-8.") from error


def read_prompt_set(path: Path) -> PromptSet:
    """Return the prompt set in a file; one without a name gets the file's."""
    text, name = read_text(path, "prompt set", PromptSetError), encodable(path.name)
    try:
        return parse_prompt_set(text, name=name.split(".")[0] or name)
    except (PromptSetError, SettingsError) as error:
        raise type(error)(f"{name}: {error}") from error


def read_truth(path: Path, video: Video, end_s: float) -> ParsedTruth:
    """Return what a file says of a video that ends at ``end_s`` seconds.

    Raises:
        InputError: the file can't be read, or nothing in it.
    """
    data = read_bytes(path, "ground truth", InputError)
    return parse_truth(data, name=path.name, end_s=end_s, rate=video.rate, video=video.name)
