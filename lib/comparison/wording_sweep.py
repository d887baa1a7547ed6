"""The prompt sets of a wording sweep: one label with other phrasings, everything else unchanged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lib.core.errors import PromptSetError
from lib.core.labelled_intervals import label_key
from lib.core.validation import MAX_LENGTH
from lib.prompts.model import Prompt, PromptSet

_SEPARATOR = re.compile(r"(?<!\\);")
MAX_SETS = 200
"""Prompt sets of one sweep."""
TEMPLATES = (
    "{}",
    "a photo of a {}",
    "a photo of the {}",
    "a close-up photo of a {}",
    "a photo of a {} in the distance",
    "a blurry photo of a {}",
    "a dark photo of a {}",
    "a video frame of a {}",
)
"""Templates that are worth a try on video: of several distances and qualities, as the notebook *Prompt Engineering for
ImageNet* of openai/CLIP has them for photographs."""
_AROUND = ("{}", "{} seen from nearby", "{} seen from far away", "{} in the background")
_ARTICLES = re.compile(r"(an?|the|some)\s+(?=\S)", re.IGNORECASE)


def paraphrases(text: str) -> tuple[str, ...]:
    """Return wordings of one phrasing for a sweep, one per line of it; the last one averages all.

    Longer ones than a phrasing may be are left out.
    """
    noun = _ARTICLES.sub("", " ".join(text.split()), count=1) if _ARTICLES.match(text.strip()) else text.strip()
    around = [form.replace("{}", noun) for form in _AROUND]
    around = [form for form in around if len(form) <= MAX_LENGTH]
    escaped = [form.replace(";", r"\;") for form in around]
    return (*escaped, "; ".join(escaped)) if len(escaped) > 1 else tuple(escaped)


def labels_of(prompt_sets: Sequence[PromptSet]) -> list[str]:
    """Return the labels of all enabled prompts but backgrounds, each once, in order."""
    labels: dict[str, str] = {}
    for prompt in (prompt for prompt_set in prompt_sets for prompt in prompt_set.enabled):
        if prompt.role != "background":
            labels.setdefault(label_key(prompt.label), prompt.label)
    return list(labels.values())


@dataclass(frozen=True)
class Wording:
    """One variant of a sweep: the prompt set with other phrasings for one label."""

    prompt_set: PromptSet
    texts: tuple[str, ...]
    """The phrasings of the swept label."""
    template: str
    current: bool = False
    """Whether these are the prompt set's own phrasings."""


def sweep(
    prompt_set: PromptSet, label: str, wordings: Sequence[str], templates: Sequence[str] = ()
) -> tuple[tuple[Wording, ...], list[str]]:
    """Return the prompt set once for each wording and template, its own wording first, and problems.

    All other prompts stay as they are and compete. A template applies to every phrasing of the prompt set. Duplicates
    are left out.

    Args:
        prompt_set: what is varied.
        label: of the prompt whose phrasings vary; it is enabled in every variant.
        wordings: each a phrasing, or several separated by semicolons (their vectors are averaged); a backslash before a
            semicolon makes it part of the phrasing. Blank ones are ignored.
        templates: such as ``a photo of a {}``; none: the prompt set's own.

    Returns:
        The variants, and one sentence for each wording or template that can't be used.

    Raises:
        PromptSetError: there is no such label, or more than ``MAX_SETS`` sets would come of it.
    """
    swept = next((prompt for prompt in prompt_set.prompts if label_key(prompt.label) == label_key(label)), None)
    if swept is None:
        raise PromptSetError(f"The prompt set has no label “{label}”; choose one of its labels.")
    lines = list(dict.fromkeys(" ".join(line.split()) for line in wordings if line.strip()))
    around = list(dict.fromkeys(" ".join(text.split()) for text in templates if text.strip()))
    around = around or [prompt_set.template]
    if len(lines) * len(around) > MAX_SETS:
        raise PromptSetError(
            f"{len(lines)} wordings with {len(around)} templates are {len(lines) * len(around)} prompt sets, and "
            f"{MAX_SETS} are possible; leave some out."
        )
    present = replace(swept, enabled=True)
    variants = {
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
        texts = tuple(text.replace(r"\;", ";").strip() for text in _SEPARATOR.split(line) if text.strip())
        try:
            changed = replace(present, texts=texts or (line,))
            sets = [_with_prompt(base, changed) for base in usable]
        except PromptSetError as error:
            problems.append(f"“{line}” is left out: {error}")
            continue
        for variant in sets:
            wording = Wording(variant, changed.texts, variant.template)
            variants.setdefault((changed.texts, variant.template), wording)
    return tuple(variants.values()), problems


def _with_prompt(prompt_set: PromptSet, prompt: Prompt) -> PromptSet:
    prompts = tuple(prompt if other.label == prompt.label else other for other in prompt_set.prompts)
    return replace(prompt_set, prompts=prompts)
