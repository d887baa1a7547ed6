"""Prompt sets, from files, texts or plain lists; and warnings."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from lib.infra.files import expanded
from lib.prompts.model import START_SETTINGS, Prompt, PromptSet, Settings
from lib.prompts.parsing import parse_prompt_set
from lib.services import input_files

parse_prompts = parse_prompt_set


class PromptreelWarning(UserWarning):
    """Something worth knowing that stops nothing, in one sentence."""


def warn(sentences: Iterable[str]) -> None:
    """Warn of each, as of the line that called what calls this."""
    for sentence in sentences:
        warnings.warn(sentence, PromptreelWarning, stacklevel=3)


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


def read_prompts(path: str | Path) -> PromptSet:
    """Return the prompt set in a file: YAML, JSON, one prompt per line, or columns.

    Raises:
        PromptSetError, SettingsError: the file can't be read, or says something that makes no sense; with its line.
    """
    return input_files.read_prompt_set(expanded(path))
