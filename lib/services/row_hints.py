"""Hints in the prompt table: what in a row doesn't do what it seems to, and how one press mends it.

``hints`` makes sentences and names of mends; ``mended`` carries one out, and changes nothing where it no longer fits.
A name may have arguments after colons: the phrasing's index, then how many characters of it stay.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from lib.core.labelled_intervals import label_key
from lib.prompts.model import THRESHOLD_RANGES, Score
from lib.services.experiments import Experiment, PromptRow, label_of, rows_left_out, spliced

_SENTENCE_END = re.compile(r"(?<=[.!?])\s|(?<=[。！？])|;")
_COMMA = re.compile(r"[,，、،]")
_MOST_WORDS = 5
"""Words of each part of a phrasing with commas that looks like a list."""


@dataclass(frozen=True)
class Mend:
    """What a press does."""

    name: str
    words: str


_ONCE = Mend("same_once", "Keep each phrasing once")


@dataclass(frozen=True)
class Hint:
    """A sentence on a row, and what could be done about it."""

    sentence: str
    mends: tuple[Mend, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """Why an engine doesn't take a phrasing, and how many characters of it would fit (0: unknown)."""

    sentence: str
    fits: int = 0


def hints(experiment: Experiment, refused: Mapping[str, Refusal] | None = None) -> dict[int, tuple[Hint, ...]]:
    """Return the hints of each row that has some, by index.

    Args:
        experiment: rows and settings.
        refused: phrasings, without the template, that the engine doesn't take.
    """
    rows, score = experiment.rows, experiment.settings.score
    left_out = rows_left_out(rows, score)
    labels_of: dict[str, list[str]] = {}  # by phrasing, the rows before that have it
    found: dict[int, tuple[Hint, ...]] = {}
    for index, row in enumerate(rows):
        made = [_left_out(rows, index, score, left_out[index])] if index in left_out else []
        if row.enabled and label_of(row):
            made += _of_words(row, refused or {}, labels_of)
            made += _of_threshold(row, experiment) if index not in left_out else []
        if made:
            found[index] = tuple(made)
    return found


def _left_out(rows: Sequence[PromptRow], index: int, score: Score, why: str) -> Hint:
    row, mends = rows[index], [Mend("remove", "Remove the row")]
    low, high = THRESHOLD_RANGES[score]
    keys = [label_key(text) for text in row.texts]
    if label_key(label_of(row)) in {label_key(label_of(other)) for other in rows[:index]}:
        mends.insert(0, Mend("rename", f"Rename it “{_free_label(rows, label_of(row))}”"))
    elif row.threshold is not None and not low <= row.threshold <= high:
        mends = [Mend("clear_threshold", "Clear the threshold")]
    elif len(set(keys)) < len(keys):
        mends = [_ONCE]
    return Hint(f"Left out: {why}", tuple(mends))


def _of_words(row: PromptRow, refused: Mapping[str, Refusal], labels_of: dict[str, list[str]]) -> list[Hint]:
    label, made = label_of(row), []
    if row.worded_for and row.texts:
        sentence = f"Its phrasings are still those of “{row.worded_for}”; the label itself isn’t compared with frames."
        made.append(Hint(sentence, (Mend("follow", f"Use “{label}” instead"), Mend("keep", "Keep them"))))
    keys = [label_key(text) for text in row.texts]
    twice = [text for place, text in enumerate(row.texts) if keys[place] in keys[:place]]
    if twice:
        made.append(Hint(f"“{_short(twice[0])}” is there twice, and counts twice.", (_ONCE,)))
    for place, text in enumerate(map(_one_line, row.texts or (label,))):
        if text in refused:
            made.append(_too_long(row, place, text, refused[text]))
        elif row.texts and len(listed(text)) > 1 and "commas" not in row.kept:
            sentence = f"“{_short(text)}” is one phrasing, compared as a whole."
            mends = Mend(f"split:{place}", f"Make {len(listed(text))} phrasings of it"), Mend("commas", "Keep it whole")
            made.append(Hint(sentence, mends))
        others = labels_of.setdefault(label_key(text), [])
        if others and others[0] != label and "shared" not in row.kept and row.texts:
            sentence = f"“{_short(text)}” is a phrasing of “{others[0]}” too, so both score alike by it."
            made.append(Hint(sentence, (Mend(f"drop:{place}", "Remove it here"), Mend("shared", "Keep it"))))
        others.append(label)
    return made


def _too_long(row: PromptRow, place: int, text: str, refusal: Refusal) -> Hint:
    mends = []
    if 0 < refusal.fits < len(text):
        words, all_words = len(text[: refusal.fits].split()), len(text.split())
        mends.append(Mend(f"shorten:{place}:{refusal.fits}", f"Shorten it to {words} of {all_words} words"))
    parts = sentences(text)
    if len(parts) > 1:
        mends.append(Mend(f"sentences:{place}", f"Split it into {len(parts)} sentences"))
    if len(row.texts) > 1:
        mends.append(Mend(f"drop:{place}", "Remove the phrasing"))
    left = "The other phrasings count" if len(row.texts) > 1 else "The row isn’t scored"
    return Hint(f"{refusal.sentence} {left} meanwhile.", tuple(mends))


def _of_threshold(row: PromptRow, experiment: Experiment) -> list[Hint]:
    if row.threshold is None or experiment.settings.decision != "best":
        return []
    sentence = f"Its threshold {row.threshold:g} isn’t used: “Best label” decides without thresholds."
    mends = Mend("decide", "Decide by threshold"), Mend("clear_threshold", "Clear the threshold")
    return [Hint(sentence, mends)]


def listed(text: str) -> list[str]:
    """Return the parts of a phrasing that looks like a list: separated by commas, each of a few words; else itself."""
    parts = [part.strip() for part in _COMMA.split(text) if part.strip()]
    return parts if all(len(part.split()) <= _MOST_WORDS for part in parts) else [text]


def sentences(text: str) -> list[str]:
    """Return the sentences of a text."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part.strip()]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def _free_label(rows: Sequence[PromptRow], label: str) -> str:
    taken = {label_key(label_of(row)) for row in rows}
    return next(name for name in (f"{label} {n}" for n in range(2, len(rows) + 3)) if label_key(name) not in taken)


def mended(experiment: Experiment, index: int, name: str) -> Experiment:
    """Return the experiment after the mend ``name`` of the row ``index``; the same where it doesn't fit any more."""
    rows = experiment.rows
    kind, *arguments = name.split(":")
    fits = all(argument.isdecimal() for argument in arguments) and len(arguments) == _ARGUMENTS.get(kind, 0)
    if not 0 <= index < len(rows) or not fits:
        return experiment
    if kind == "decide":
        return replace(experiment, settings=replace(experiment.settings, decision="threshold"))
    if kind == "remove":
        return replace(experiment, rows=spliced(rows, index, 1))
    row = rows[index]
    if kind == "rename":
        return _with_row(experiment, index, replace(row, label=_free_label(rows, label_of(row))))
    if kind in _OF_ROWS:
        return _with_row(experiment, index, _OF_ROWS[kind](row))
    texts = list(row.texts or (label_of(row),))
    place, *length = [int(argument[:9]) for argument in arguments] or [len(texts)]
    if kind not in _OF_PHRASINGS or place >= len(texts):
        return experiment
    texts[place : place + 1] = _OF_PHRASINGS[kind](_one_line(texts[place]), *length)
    return _with_row(experiment, index, replace(row, texts=tuple(dict.fromkeys(texts))))


def _with_row(experiment: Experiment, index: int, row: PromptRow) -> Experiment:
    rows = experiment.rows
    return replace(experiment, rows=(*rows[:index], row, *rows[index + 1 :]))


def _once(row: PromptRow) -> PromptRow:
    seen = Counter[str]()
    texts = []
    for text in row.texts:
        seen[label_key(text)] += 1
        if seen[label_key(text)] == 1:
            texts.append(text)
    return replace(row, texts=tuple(texts))


_OF_ROWS: dict[str, Callable[[PromptRow], PromptRow]] = {
    "follow": lambda row: replace(row, texts=(), worded_for=""),
    "keep": lambda row: replace(row, worded_for=""),
    "commas": lambda row: replace(row, kept=(*row.kept, "commas")),
    "shared": lambda row: replace(row, kept=(*row.kept, "shared")),
    "clear_threshold": lambda row: replace(row, threshold=None),
    "same_once": _once,
}
_OF_PHRASINGS: dict[str, Callable[..., list[str]]] = {
    "split": listed,
    "sentences": sentences,
    "drop": lambda _: [],
    "shorten": lambda text, length: [text[:length].strip() or text],
}
_ARGUMENTS = {"split": 1, "sentences": 1, "drop": 1, "shorten": 2}
