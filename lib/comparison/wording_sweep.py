"""The prompt sets of a wording sweep: one label in other words, everything else as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lib.core.errors import PromptSetError
from lib.core.labelled_intervals import label_key
from lib.prompts.model import Prompt, PromptSet

MAX_SETS = 200
"""Prompt sets of one sweep."""


def labels_of(prompt_sets: Sequence[PromptSet]) -> list[str]:
    """Return the labels of all enabled targets, each once, in order."""
    found: dict[str, str] = {}
    for prompt in (prompt for one in prompt_sets for prompt in one.enabled if prompt.role == "target"):
        found.setdefault(label_key(prompt.label), prompt.label)
    return list(found.values())


@dataclass(frozen=True)
class Wording:
    """One try of a sweep: the prompt set with one label in other words."""

    prompt_set: PromptSet
    texts: tuple[str, ...]
    """The phrasings of the swept label."""
    template: str
    current: bool = False
    """Whether these are the words that the prompt set has already."""


def sweep(
    prompt_set: PromptSet, label: str, wordings: Sequence[str], templates: Sequence[str] = ()
) -> tuple[tuple[Wording, ...], list[str]]:
    """Return the prompt set once for each wording and template, its present words first, and problems.

    All other prompts stay as they are and compete. A template goes around every phrasing of the prompt set, as it
    does everywhere. What differs from an earlier one in nothing is left out.

    Args:
        prompt_set: what is varied.
        label: of the prompt that is put in other words; it takes part also where it is switched off.
        wordings: each a phrasing, or several divided by semicolons (their vectors are averaged); blank ones don't
            count.
        templates: such as ``a photo of a {}``; none: the one that the prompt set has.

    Returns:
        The tries, and one sentence for each wording or template that can't be used.

    Raises:
        PromptSetError: there is no such label, or more than ``MAX_SETS`` sets would come of it.
    """
    mine = next((prompt for prompt in prompt_set.prompts if prompt.label == label), None)
    if mine is None:
        raise PromptSetError(f"The prompt set has no label “{label}”; choose one of its labels.")
    lines = list(dict.fromkeys(" ".join(line.split()) for line in wordings if line.strip()))
    around = list(dict.fromkeys(" ".join(text.split()) for text in templates if text.strip()))
    around = around or [prompt_set.template]
    if len(lines) * len(around) > MAX_SETS:
        raise PromptSetError(
            f"{len(lines)} wordings with {len(around)} templates are {len(lines) * len(around)} prompt sets, and "
            f"{MAX_SETS} are possible; leave some out."
        )
    present = replace(mine, enabled=True)
    tries = {
        (present.texts, prompt_set.template): Wording(
            _with_prompt(prompt_set, present), present.texts, prompt_set.template, current=True
        )
    }
    problems: list[str] = []
    usable: list[PromptSet] = []
    for template in around:
        try:
            usable.append(replace(prompt_set, template=template))
        except PromptSetError as error:
            problems.append(str(error))
    for line in lines:
        texts = tuple(text.strip() for text in line.split(";") if text.strip())
        try:
            changed = replace(present, texts=texts or (line,))
            sets = [_with_prompt(one, changed) for one in usable]
        except PromptSetError as error:
            problems.append(f"“{line}” is left out: {error}")
            continue
        for one in sets:
            tries.setdefault((changed.texts, one.template), Wording(one, changed.texts, one.template))
    return tuple(tries.values()), problems


def _with_prompt(prompt_set: PromptSet, prompt: Prompt) -> PromptSet:
    prompts = tuple(prompt if one.label == prompt.label else one for one in prompt_set.prompts)
    return replace(prompt_set, prompts=prompts)
