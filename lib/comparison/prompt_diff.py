"""Differences in the wording and the settings of two prompt sets."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields
from typing import Any, Literal

from lib.core.intervals import match_labels
from lib.prompts.model import Prompt, PromptSet, Settings

Status = Literal["same", "changed", "added", "removed"]
_Kind = Literal["same", "added", "removed"]


@dataclass(frozen=True)
class Words:
    """A run of words of a phrasing."""

    kind: _Kind
    """``removed``: in A only; ``added``: in B only."""
    text: str


@dataclass(frozen=True)
class TextChange:
    """A phrasing (template applied) of A and the one that replaces it in B; one of them may be missing."""

    a: str | None
    b: str | None

    @property
    def status(self) -> Status:
        """``added``: in B only; ``removed``: in A only."""
        return _status(self.a, self.b, same=self.a == self.b)

    @property
    def words(self) -> tuple[Words, ...]:
        """The phrasing as runs of words that are the same, removed and added, in reading order."""
        return word_diff(self.a or "", self.b or "")


@dataclass(frozen=True)
class FieldChange:
    """A field that differs: its name, and its values as plain types (None: not set)."""

    name: str
    a: Any
    b: Any


@dataclass(frozen=True)
class WordingChange:
    """One label of two prompt sets."""

    label: str
    """As A spells it, or B where A lacks it."""
    a: Prompt | None
    b: Prompt | None
    texts: tuple[TextChange, ...]
    """Phrasings with the template applied: equal ones are paired, the rest in order."""
    fields: tuple[FieldChange, ...]
    """Of ``label`` (its case), ``role``, ``threshold`` (the one that counts), ``enabled``; empty without a partner."""

    @property
    def status(self) -> Status:
        """``added``: in B only; ``removed``: in A only; ``changed``: a phrasing or a field differs."""
        same = not self.fields and all(text.status == "same" for text in self.texts)
        return _status(self.a, self.b, same=same)


def wording_changes(a: PromptSet, b: PromptSet) -> tuple[WordingChange, ...]:
    """Return every label of both sets, matched by name: in A's order, then those that only B has.

    Disabled prompts take part too. ``settings_changes`` has what concerns all labels; a changed template counts here
    too, as it is applied to the phrasings.
    """
    ours = {prompt.label: prompt for prompt in a.prompts}
    theirs = {prompt.label: prompt for prompt in b.prompts}
    partner = match_labels(tuple(ours), tuple(theirs))
    changes = []
    for label, prompt in ours.items():
        other = theirs.get(partner[label]) if label in partner else None
        changes.append(_change(label, (a, prompt), None if other is None else (b, other)))
    taken = set(partner.values())
    changes += [_change(label, None, (b, prompt)) for label, prompt in theirs.items() if label not in taken]
    return tuple(changes)


def settings_changes(a: PromptSet, b: PromptSet) -> tuple[FieldChange, ...]:
    """Return what differs for all labels: ``template`` and the fields of ``Settings``, in that order."""
    pairs = [("template", a.template, b.template)]
    before, after = a.settings.to_dict(), b.settings.to_dict()
    pairs += [(entry.name, before[entry.name], after[entry.name]) for entry in fields(Settings)]
    return tuple(FieldChange(*pair) for pair in pairs if pair[1] != pair[2])


def word_diff(a: str, b: str) -> tuple[Words, ...]:
    """Return runs of words that are the same, removed and added (Ratcliff and Obershelp, as in ``difflib``)."""
    before, after = a.split(), b.split()
    runs: list[Words] = []
    for kind, first, stop, first_b, stop_b in difflib.SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if kind == "equal":
            runs.append(Words("same", " ".join(before[first:stop])))
            continue
        if stop > first:
            runs.append(Words("removed", " ".join(before[first:stop])))
        if stop_b > first_b:
            runs.append(Words("added", " ".join(after[first_b:stop_b])))
    return tuple(runs)


def _status(a: object, b: object, *, same: bool) -> Status:
    if a is None:
        return "added"
    if b is None:
        return "removed"
    return "same" if same else "changed"


def _change(label: str, a: tuple[PromptSet, Prompt] | None, b: tuple[PromptSet, Prompt] | None) -> WordingChange:
    before = a[0].phrases(a[1]) if a else ()
    after = b[0].phrases(b[1]) if b else ()
    differ: list[FieldChange] = []
    if a and b:
        pairs = (
            ("label", a[1].label, b[1].label),
            ("role", a[1].role, b[1].role),
            ("threshold", a[0].threshold_of(a[1]), b[0].threshold_of(b[1])),
            ("enabled", a[1].enabled, b[1].enabled),
        )
        differ = [FieldChange(*pair) for pair in pairs if pair[1] != pair[2]]
    return WordingChange(label, a[1] if a else None, b[1] if b else None, paired_texts(before, after), tuple(differ))


def paired_texts(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[TextChange, ...]:
    """Return phrasings before and after: equal ones are paired, the rest in order."""
    new = [text for text in after if text not in before]
    pairs: list[TextChange] = []
    for text in before:
        if text in after:
            pairs.append(TextChange(text, text))
        else:
            pairs.append(TextChange(text, new.pop(0) if new else None))
    return (*pairs, *(TextChange(None, text) for text in new))
