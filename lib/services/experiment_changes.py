"""What a person did, from the states before and after it: as a sentence, as a step to undo and redo, and taken back.

A step takes back its own change only. What other tabs have written since stays (``lib.services.experiment_merge``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, fields, replace

from lib.core.formatting import format_time, plural
from lib.core.history import History
from lib.core.labelled_intervals import TrueSegment, label_key
from lib.core.sampling import Sampling
from lib.engines.embedded_models import EMBEDDED_MODELS
from lib.engines.hosted import HOSTED
from lib.services.experiment_merge import merge, paired
from lib.services.experiments import OTHER, Experiment, PromptRow, label_of
from lib.store.videos import Video

COALESCED_S = 5.0
"""Edits of one field are one step while no pause between them is longer than this."""
MAX_STEPS = 200
_NAMED = 3
_SHOWN = 40
_APART = {"id", "video", "beside", "side", "created_at", "starred", "baseline"}
"""Fields that say which experiment it is, and what it lies beside: no step changes them back."""

Truth = tuple[TrueSegment, ...]


@dataclass(frozen=True)
class ExperimentChange:
    """One change of one experiment."""

    before: Experiment
    after: Experiment

    @property
    def nbytes(self) -> int:
        """About how many bytes only this change keeps in memory."""
        shared = set(map(id, self.before.rows))
        return 4000 + sum(_size(row) for row in self.after.rows if id(row) not in shared)


@dataclass(frozen=True)
class TruthChange:
    """One change of the stored ground truth of a video; None where nothing was stored."""

    video: Video
    before: Truth | None
    after: Truth | None

    @property
    def nbytes(self) -> int:
        """About how many bytes it keeps in memory."""
        return 100 * (len(self.before or ()) + len(self.after or ()))


@dataclass(frozen=True)
class Step:
    """What can be undone and redone as one."""

    text: str
    """What was done, such as ``Row 'shipyard' removed``."""
    changes: tuple[ExperimentChange | TruthChange, ...]
    place: Hashable = None
    """The one field that was edited; None where it was more, or no field."""
    at_s: float = 0.0
    """When, in seconds of any clock that only goes forward."""

    @property
    def nbytes(self) -> int:
        """About how many bytes it keeps in memory."""
        return sum(change.nbytes for change in self.changes)


Steps = History[Step]


def no_steps() -> Steps:
    """Return the history of a tab that has done nothing yet."""
    return History(limit=MAX_STEPS, nbytes=lambda step: step.nbytes)


def with_step(history: Steps, before: Experiment, after: Experiment, *, at_s: float, text: str | None = None) -> Steps:
    """Return the history with one change of an experiment.

    What goes on in the same field within ``COALESCED_S`` joins the step before. Where it leaves nothing changed, as
    when the browser has undone some typing, the step before vanishes.

    Args:
        history: before the change.
        before: the experiment before it.
        after: the experiment after it; where nothing has changed that can be undone, the history is the same.
        at_s: when it was made, in seconds.
        text: what was done; None has it said by the difference. Only that can join the step before.
    """
    if not _differ(before, after):
        return history
    said = changes_in_words(before, after)
    place = said[0].place if text is None and len(said) == 1 else None
    last = history.past[-1] if history.past else None
    earlier = _begun(last, before, place) if last is not None else None
    if last is not None and earlier is not None:
        nothing = not _differ(earlier, after)
        if nothing or at_s - last.at_s <= COALESCED_S:
            history = replace(history, past=history.past[:-1], future=())
            before, said = earlier, changes_in_words(earlier, after)
        if nothing:
            return history
    return history.push(Step(text or sentence(said, side=after.side), (ExperimentChange(before, after),), place, at_s))


def _begun(last: Step, before: Experiment, place: Hashable) -> Experiment | None:
    """Return the experiment before ``last`` where it was an edit of the same field, and nothing has happened since."""
    change = last.changes[-1]
    if place is None or place != last.place or not isinstance(change, ExperimentChange):
        return None
    return None if _differ(change.after, before) else change.before


def _differ(one: Experiment, other: Experiment) -> bool:
    return one.id != other.id or one != like(one, other)


def like(identity: Experiment, content: Experiment) -> Experiment:
    """Return ``content`` with the id, video and other things of ``identity`` that no step changes."""
    return replace(
        content, **{one.name: getattr(identity, one.name) for one in fields(Experiment) if one.name in _APART}
    )


def taken_back(change: ExperimentChange, present: Experiment) -> tuple[Experiment, tuple[str, ...]]:
    """Return ``present`` without ``change``, and what of it stays since another tab has changed it again, in words."""
    before, after = like(present, change.before), like(present, change.after)
    if after == present:
        return before, ()
    merged = merge(after, before, present)
    if merged.conflicts:
        merged = replace(merge(after, present, before), conflicts=merged.conflicts)
    return like(present, merged.value), merged.conflicts


# --- in words


@dataclass(frozen=True)
class Said:
    """One difference of two states of an experiment."""

    text: str
    place: Hashable = None
    """The field, where it is one that edits go on in."""


def sentence(said: Sequence[Said], *, side: str = "a") -> str:
    """Return differences as one text, such as ``Threshold of 'wall' 1.25 → 1.4``."""
    texts = [one.text for one in said] or ["Settings changed"]
    more = f"; and {plural(len(texts) - _NAMED, 'more change')}" if len(texts) > _NAMED else ""
    return ("B: " if side == "b" else "") + "; ".join(texts[:_NAMED]) + more


def changes_in_words(before: Experiment, after: Experiment) -> list[Said]:
    """Return what differs between two states of an experiment, most telling first."""
    said: list[Said] = []
    if before.settings.score != after.settings.score:
        said.append(Said(f"Score {before.settings.score} → {after.settings.score}"))
        before = before.with_score(after.settings.score)  # its thresholds are not changed, but those of another score
    said = [*_rows_in_words(before.rows, after.rows), *said]
    said += _settings_in_words(before, after)
    if _engine(before) != _engine(after):
        said.insert(0, Said(f"Engine {_engine(before)} → {_engine(after)}"))  # thresholds may follow from it
    if before.sampling != after.sampling:
        samplings = [Sampling.from_key(one.sampling).description for one in (before, after)]
        said.append(Said(f"Sampling {' → '.join(samplings)}"))
    done = {*_APART, "rows", "settings", "sampling", "kept_thresholds", *_ENGINE}
    for one in fields(Experiment):
        was, now = getattr(before, one.name), getattr(after, one.name)
        if one.name not in done and was != now:
            place = one.name if one.name in _TYPED else None
            said.append(Said(_changed(one.name.replace("_", " ").capitalize(), was, now), place))
    return said


_ENGINE = ("engine", "server_url", "model_version", "model")
_TYPED = {"title", "note", "name", "label", "texts", "threshold"}
"""Fields in which edits go on; a switch or a choice is done at once."""
_SECONDS = {"min_duration_s": "Minimum duration", "bridge_s": "Gaps to merge"}


def _engine(one: Experiment) -> str:
    if one.engine in EMBEDDED_MODELS:
        return EMBEDDED_MODELS[one.engine].title
    if one.engine == OTHER:
        return one.model or "another model"
    return f"{one.model_version} at {one.server_url}" + (" (imported vectors)" if one.engine == HOSTED else "")


def _settings_in_words(before: Experiment, after: Experiment) -> list[Said]:
    said = []
    for one in fields(after.settings):
        was, now = getattr(before.settings, one.name), getattr(after.settings, one.name)
        if was == now or one.name == "score":
            continue
        place = ("settings", one.name) if isinstance(now, float) else None
        if one.name in _SECONDS:
            text = f"{_SECONDS[one.name]} {was:g} s → {now:g} s"
        elif one.name == "smoothing":
            text = f"Smoothing {was.in_words} → {now.in_words}"
            place = ("settings", one.name) if was.kind == now.kind else None
        elif isinstance(now, bool):
            text = f"{one.name.replace('_', ' ').capitalize()} {'on' if now else 'off'}"
        elif one.name == "decision":
            text = f"Decision {was.replace('_', ' above ')} → {now.replace('_', ' above ')}"
        else:
            text = f"{one.name.replace('_', ' ').capitalize()} {_number(was)} → {_number(now)}"
        said.append(Said(text, place))
    return said


def _rows_in_words(before: tuple[PromptRow, ...], after: tuple[PromptRow, ...]) -> list[Said]:
    if before == after:
        return []
    same = len(before) == len(after) and sum(one != other for one, other in zip(before, after, strict=True)) <= 1
    pairs = dict(enumerate(range(len(after)))) if same else paired(before, after)
    removed = [i for i in range(len(before)) if i not in pairs]
    added = [k for k in range(len(after)) if k not in set(pairs.values())]
    said = _rows_changed([(k, before[i], after[k]) for i, k in pairs.items() if before[i] != after[k]])
    said += _rows_named("removed", [before[i] for i in removed])
    place = ("rows", added[0], "label") if len(added) == 1 else None  # its label goes on being typed
    said += [replace(one, place=place) for one in _rows_named("added", [after[k] for k in added])]
    return said + _rows_moved(after, [pairs[i] for i in sorted(pairs)])


def _rows_moved(after: Sequence[PromptRow], order: list[int]) -> list[Said]:
    """Return what was moved; ``order`` has the indices ``after`` in the order of before."""
    if order == sorted(order):
        return []
    for k in order:
        rest = [other for other in order if other != k]
        if rest == sorted(rest):
            return _rows_named("moved", [after[k]])
    return [Said("Rows moved")]


def _rows_named(verb: str, rows: Sequence[PromptRow]) -> list[Said]:
    labels = [label_of(row) for row in rows if label_of(row)]
    if not labels:
        return [Said(f"Blank row {verb}")] if rows else []
    if len(labels) == 1:
        return [Said(f"Row {quoted(labels[0])} {verb}")]
    more = f" and {len(labels) - _NAMED} more" if len(labels) > _NAMED else ""
    return [Said(f"{len(labels)} rows {verb}: {', '.join(map(quoted, labels[:_NAMED]))}{more}")]


def _rows_changed(changed: Sequence[tuple[int, PromptRow, PromptRow]]) -> list[Said]:
    said = []
    for one in fields(PromptRow):
        name = one.name
        differing = [(k, was, now) for k, was, now in changed if getattr(was, name) != getattr(now, name)]
        if not differing or name not in _ROW_WORDS:
            continue
        if len(differing) == 1:
            place, was, now = differing[0]
            said.append(Said(_ROW_WORDS[name](was, now), ("rows", place, name) if name in _TYPED else None))
        else:
            said.append(Said(f"{_ROW_FIELDS[name]} of {len(differing)} rows changed"))
    return said


_ROW_FIELDS = {
    "enabled": "On or off",
    "label": "Labels",
    "texts": "Phrasings",
    "role": "Roles",
    "threshold": "Thresholds",
    "colour": "Colours",
    "pictures": "Picture examples",
    "learned": "Learned vectors",
}
_ROW_WORDS: dict[str, Callable[[PromptRow, PromptRow], str]] = {
    "enabled": lambda _, now: f"Row {quoted(label_of(now))} switched {'on' if now.enabled else 'off'}",
    "label": lambda was, now: f"Label {quoted(label_of(was))} → {quoted(label_of(now))}",
    "texts": lambda was, now: _items("phrasing", was.texts, now.texts, label_of(now), quoted),
    "role": lambda was, now: f"Role of {quoted(label_of(now))} {was.role} → {now.role}",
    "threshold": lambda was, now: f"Threshold of {quoted(label_of(now))} {_own(was.threshold)} → {_own(now.threshold)}",
    "colour": lambda was, now: (
        f"Colour of {quoted(label_of(now))} {was.colour or 'automatic'} → {now.colour or 'automatic'}"
    ),
    "pictures": lambda was, now: _items("picture example", was.pictures, now.pictures, label_of(now)),
    "learned": lambda was, now: _items("learned vector", was.learned, now.learned, label_of(now)),
}


def _items(
    noun: str,
    before: Sequence[Hashable],
    after: Sequence[Hashable],
    label: str,
    name: Callable[[str], str] | None = None,
) -> str:
    removed, added = [one for one in before if one not in after], [one for one in after if one not in before]
    if bool(removed) == bool(added):
        return f"{noun.capitalize()}s of {quoted(label)} changed"
    items, verb = (removed, "removed") if removed else (added, "added")
    if len(items) > 1:
        return f"{plural(len(items), noun)} of {quoted(label)} {verb}"
    which = f" {name(str(items[0]))}" if name else ""
    return f"{noun.capitalize()}{which} of {quoted(label)} {verb}"


def _own(threshold: float | None) -> str:
    return "shared" if threshold is None else _number(threshold)


def _number(value: object) -> str:
    return f"{value:.4g}".replace("-", "−") if isinstance(value, float | int) else str(value)


def _changed(name: str, was: object, now: object) -> str:
    if all(isinstance(one, str) and len(one) <= _SHOWN for one in (was, now)):
        return f"{name} {quoted(str(was))} → {quoted(str(now))}"
    return f"{name} changed"


def quoted(text: str) -> str:
    """Return a label or name in quotation marks, cut where it is long."""
    one_line = " ".join(text.split())
    return f"'{one_line if len(one_line) <= _SHOWN else one_line[: _SHOWN - 1] + '…'}'"


def truth_in_words(before: Iterable[TrueSegment], after: Iterable[TrueSegment]) -> str:
    """Return what has changed in ground truth, such as ``3 segments of ground truth removed``."""
    was, now = Counter(before), Counter(after)
    removed, added = [*(was - now).elements()], [*(now - was).elements()]
    if removed and added:
        if len(removed) == len(added) == 1:
            return _segment_changed(removed[0], added[0])
        return f"Ground truth: {plural(len(removed), 'segment')} removed, {len(added)} added"
    verb, changed = ("added", added) if added else ("removed", removed)
    if len(changed) == 1:
        return f"{_segment(changed[0])} of ground truth {verb}"
    return f"{plural(len(changed), 'segment')} of ground truth {verb}"


def _segment(one: TrueSegment) -> str:
    return f"Segment {quoted(one.label)} {_range(one)}"


def _range(one: TrueSegment) -> str:
    return f"{format_time(one.start_s, decimals=2)} – {format_time(one.end_s, decimals=2)}"


def _segment_changed(was: TrueSegment, now: TrueSegment) -> str:
    if label_key(was.label) != label_key(now.label):
        return f"{_segment(was)} of ground truth is now {quoted(now.label)}"
    return f"{_segment(was)} of ground truth is now {_range(now)}"


def _size(row: PromptRow) -> int:
    return 200 + len(row.label) + sum(map(len, row.texts)) + sum(len(one.vector) for one in row.learned)
