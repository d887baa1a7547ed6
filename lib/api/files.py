"""Prompt sets, from files, texts or plain lists; files that are written; and warnings."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from lib.api.arguments import checked
from lib.core.errors import InputError
from lib.core.validation import written
from lib.infra.files import expanded, write_atomically
from lib.prompts.model import START_SETTINGS, Prompt, PromptSet, Settings
from lib.prompts.parsing import parse_prompt_set
from lib.services import input_files

parse_prompts = checked(parse_prompt_set)


class PromptreelWarning(UserWarning):
    """Something worth knowing that stops nothing, in one sentence."""


def warn(sentences: Iterable[str]) -> None:
    """Warn of each, as of the line that called the checked function that calls this."""
    for sentence in sentences:
        warnings.warn(sentence, PromptreelWarning, stacklevel=4)


def file_path(path: str | Path) -> Path:
    """Return a path with a leading ``~`` replaced.

    Raises:
        InputError: it is none.
    """
    if not isinstance(path, str | Path) or path == "" or "\0" in str(path):
        raise InputError(f"{written(str(path))} is no path of a file; give a text or a pathlib.Path.")
    return expanded(path)


def write(path: str | Path | None, name: str, data: bytes) -> Path:
    """Write a file whole or not at all: at ``path``, in the folder ``path``, or in this one; return where it is.

    Raises:
        InputError: it can't be written there.
    """
    place = Path(name) if path is None else file_path(path)
    try:
        if place.is_dir():
            place /= name
        write_atomically(place, data)
    except OSError as error:
        raise InputError(f"{place} can't be written ({error.strerror}); choose another place.") from error
    return place


@checked
def prompt_set(
    prompts: Sequence[str | Prompt],
    *,
    name: str = "prompts",
    template: str = "{}",
    settings: Settings = START_SETTINGS,
) -> PromptSet:
    """Return a prompt set of labels and prompts, 1 to 200.

    Args:
        prompts: a text is a prompt with that label, in these very words.
        name: for people.
        template: put around every phrasing, such as ``a photo of a {}``.
        settings: by default relative scores with a threshold of 1.25, and the best label of each sample.

    Raises:
        PromptSetError: a label is doubled or empty, or the template has no ``{}``.
    """
    made = tuple(Prompt(one) if isinstance(one, str) else one for one in prompts)
    return PromptSet(name, made, template, settings)


@checked
def read_prompts(path: str | Path) -> PromptSet:
    """Return the prompt set in a file: YAML, JSON, one prompt per line, or columns.

    Raises:
        PromptSetError, SettingsError: the file can't be read, or says something that makes no sense; with its line.
    """
    return input_files.read_prompt_set(file_path(path))
