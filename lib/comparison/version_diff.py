"""What differs between two states of an experiment, in plain sentences.

Labels are matched by name (``lib.core.labelled_intervals.label_key``); of the rest, a prompt was renamed where the
phrasings are the same, or where it stands in the same place of as many prompts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lib.comparison.prompt_diff import paired_texts, settings_changes
from lib.core.formatting import plural
from lib.core.intervals import match_labels
from lib.core.labelled_intervals import TrueSegment
from lib.prompts.model import Prompt, PromptSet, Smoothing

SETTINGS = {
    "template": ("template", ""),
    "score": ("score", ""),
    "decision": ("decision", ""),
    "threshold": ("threshold", ""),
    "smoothing": ("smoothing", ""),
    "hysteresis": ("hysteresis", ""),
    "min_duration_s": ("minimum duration", " s"),
    "bridge_s": ("gaps to merge", " s"),
    "logit_scale": ("logit scale", ""),
    "stop_at_cuts": ("stopping at cuts", ""),
}
"""Of each setting, its word and its unit."""


@dataclass(frozen=True)
class State:
    """What makes an analysis and its numbers."""

    prompt_set: PromptSet | None = None
    """None: no usable prompt."""
    engine: str = ""
    """In words, as are sampling and video."""
    sampling: str = ""
    video: str = ""
    truth: tuple[TrueSegment, ...] = ()


NOTHING_DIFFERS = "Nothing differs."


def differences(before: State, after: State) -> tuple[str, ...]:
    """Return a sentence without a full stop for each thing that differs; none where nothing does."""
    return tuple(_differences(before, after))


def _differences(before: State, after: State) -> Iterator[str]:
    a, b = before.prompt_set, after.prompt_set
    yield from _prompts(a.prompts if a else (), b.prompts if b else ())
    if a is not None and b is not None:
        if a.name != b.name:
            yield f"Name of the prompt set: “{a.name}” → “{b.name}”"
        for change in settings_changes(a, b):
            word, unit = SETTINGS[change.name]
            yield _arrow(word[0].upper() + word[1:], change.a, change.b, unit)
    for name in ("engine", "sampling", "video"):
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            yield f"{name.capitalize()}: {one or 'none'} → {other or 'none'}"
    yield from _truth(before.truth, after.truth)


def _prompts(a: Sequence[Prompt], b: Sequence[Prompt]) -> Iterator[str]:
    before, after = ({prompt.label: prompt for prompt in prompts} for prompts in (a, b))
    partner = match_labels(tuple(before), tuple(after))
    renamed = _renamed(a, b, {*partner}, {*partner.values()})
    for label, prompt in before.items():
        other = after.get(partner.get(label) or renamed.get(label) or "")
        if other is None:
            yield f"“{label}” removed"
            continue
        if label in renamed:
            yield f"“{label}” renamed to “{other.label}”"
        elif label != other.label:
            yield f"“{label}” is spelled “{other.label}”"
        yield from _fields(prompt, other)
    taken = {*partner.values(), *renamed.values()}
    yield from (_added(prompt) for label, prompt in after.items() if label not in taken)
    if [partner[label] for label in before if label in partner] != [x for x in after if x in partner.values()]:
        yield "The order of the prompts"


def _renamed(a: Sequence[Prompt], b: Sequence[Prompt], in_both: set[str], in_both_too: set[str]) -> dict[str, str]:
    """Return the old label of each renamed prompt -> its new one."""
    gone = [(place, prompt) for place, prompt in enumerate(a) if prompt.label not in in_both]
    new = [(place, prompt) for place, prompt in enumerate(b) if prompt.label not in in_both_too]
    renamed: dict[str, str] = {}
    for by_place in (False, True):
        for place, prompt in gone:
            for other_place, other in new:
                if prompt.label in renamed or other.label in renamed.values():
                    continue
                same_place = len(a) == len(b) and place == other_place
                if same_place if by_place else prompt.texts == other.texts:
                    renamed[prompt.label] = other.label
    return renamed


def _added(prompt: Prompt) -> str:
    says = "" if prompt.texts == (prompt.label,) else f" ({_quoted(prompt.texts)})"
    return f"“{prompt.label}” added{says}"


def _fields(a: Prompt, b: Prompt) -> Iterator[str]:
    """Yield what differs in a prompt, under its new label."""
    parts = [*_texts(a, b)]
    if a.threshold != b.threshold:
        one, other = ("none of its own" if t is None else f"{t:g}" for t in (a.threshold, b.threshold))
        parts.append(f"threshold {one} → {other}")
    if a.role != b.role:
        parts.append(f"role {a.role} → {b.role}")
    if a.enabled != b.enabled:
        parts.append("switched on" if b.enabled else "switched off")
    parts += _pictures(a.pictures, b.pictures)
    if a.learned != b.learned:
        learned = [one for one in b.learned if one not in a.learned]
        parts.append(", ".join(one.source for one in learned) or "what it had learned removed")
    if a.colour != b.colour:
        parts.append(f"colour {a.colour or 'by its place'} → {b.colour or 'by its place'}")
    if parts:
        yield f"“{b.label}”: {'; '.join(parts)}"


def _texts(a: Prompt, b: Prompt) -> Iterator[str]:
    for change in paired_texts(a.texts, b.texts):
        if change.a is None:
            yield f"phrasing “{change.b}” added"
        elif change.b is None:
            yield f"phrasing “{change.a}” removed"
        elif change.a != change.b:
            yield f"phrasing “{change.a}” → “{change.b}”"


def _pictures(a: Sequence[str], b: Sequence[str]) -> Iterator[str]:
    for count, word in ((len({*b} - {*a}), "added"), (len({*a} - {*b}), "removed")):
        if count:
            yield f"{plural(count, 'picture')} {word}"


def _truth(a: Sequence[TrueSegment], b: Sequence[TrueSegment]) -> Iterator[str]:
    parts = [
        f"{plural(count, 'segment')} {word}"
        for count, word in ((len({*b} - {*a}), "added"), (len({*a} - {*b}), "removed"))
        if count
    ]
    if parts:
        yield f"Ground truth: {', '.join(parts)}"


def _quoted(texts: Sequence[str]) -> str:
    return ", ".join(f"“{text}”" for text in texts)


def _arrow(what: str, a: Any, b: Any, unit: str) -> str:
    return f"{what}: {_value(a, unit)} → {_value(b, unit)}"


def _value(value: Any, unit: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return Smoothing(**value).in_words
    return f"{value:g}{unit}" if isinstance(value, float) else str(value).replace("_", " ")
