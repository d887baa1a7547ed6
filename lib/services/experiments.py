"""What a person works on, as one typed object that outlives reruns, page switches, reloads and restarts.

An experiment is a video, an engine choice, a sampling, prompt rows (also unfinished ones) and settings, with a title
and a note. It is in the session and is written to ``<home>/experiments/<id>.json`` after every change; its id is in the
page's address, so a reload, a second tab or a colleague's link finds it again. API keys are not part of it.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from lib.core.errors import PromptreelError, PromptSetError
from lib.core.labelled_intervals import label_key
from lib.core.sampling import Sampling
from lib.engines.embedded_models import EMBEDDED_MODELS
from lib.engines.hosted import HOSTED
from lib.engines.model_layout import HUB, is_model_spec
from lib.engines.registry import default_engine, is_address
from lib.infra import documents
from lib.prompts.learned import Learned
from lib.prompts.model import (
    MAX_LEARNED,
    MAX_PICTURES,
    MAX_PROMPTS,
    ROLES,
    START_SETTINGS,
    START_THRESHOLDS,
    WIDEST_THRESHOLDS,
    Decision,
    Prompt,
    PromptSet,
    Role,
    Score,
    Settings,
    Smoothing,
    SmoothingKind,
    check_threshold,
)
from lib.prompts.slots import MAX_SLOT, free, resolved, shortest
from lib.services.documents import trash_of
from lib.store.home import StorePaths

FORMAT = 1
MAX_ROWS = 1000
"""Of a prompt table: more than a prompt set can hold, as rows of two tabs may come together."""
MAX_SCALES = 40
"""Scores and engines whose thresholds are kept; the last ones left."""
MAX_SCALE = 300
MAX_TITLE = 200
MAX_NOTE = 20_000
_MOST_PROBLEMS = 10
_LABELS_NAMED = 3
_UNNAMED = ("untitled", "pasted")
"""Names that prompt sets get by themselves, which tell nothing."""
_MOST_KEPT = 20
DEFAULT_SERVER_URL = "http://localhost:9001"
_ID = re.compile(r"[a-z0-9]{6,32}")
OTHER = "other"
"""The engine of an experiment that names its model by a ``ModelSpec``."""
_ENGINES = (*EMBEDDED_MODELS, OTHER, "server", HOSTED)


@dataclass(frozen=True)
class PromptRow:
    """One row of the prompt table, exactly as typed: it may be blank, a duplicate or incomplete."""

    enabled: bool = True
    label: str = ""
    texts: tuple[str, ...] = ()
    role: str = "target"
    threshold: float | None = None
    colour: str | None = None
    kept_thresholds: tuple[tuple[str, float], ...] = ()
    """The row's own threshold in each score and engine that was left, as (``Experiment.scale``, threshold)."""
    pictures: tuple[str, ...] = ()
    """SHA-256 of its picture examples."""
    learned: tuple[Learned, ...] = ()
    """What it has learned from ground truth, by engine."""
    slot: int | None = field(default=None, compare=False)
    """Place in the palette of its colour; None: its place among the rows that aren't blank (``lib.prompts.slots``).
    Rows that differ in it alone are the same."""
    worded_for: str = ""
    """The label that its phrasings were written for, where the row was renamed since."""
    kept: tuple[str, ...] = ()
    """Names of the hints that were answered with "keep it", until the words change."""

    @classmethod
    def of(cls, prompt: Prompt) -> PromptRow:
        """Return the row that shows ``prompt``; phrasings that only repeat the label are left blank."""
        texts = () if prompt.texts == (prompt.label,) else prompt.texts
        return cls(
            prompt.enabled,
            prompt.label,
            texts,
            prompt.role,
            prompt.threshold,
            prompt.colour,
            pictures=prompt.pictures,
            learned=prompt.learned,
            slot=prompt.slot,
        )


def label_of(row: PromptRow) -> str:
    """Return the row's label, else its first phrasing; empty for a blank row."""
    return next((text.strip() for text in (row.label, *row.texts) if text.strip()), "")


def row_slots(rows: Sequence[PromptRow]) -> dict[int, int]:
    """Return the colour slots of the rows that aren't blank, by index."""
    used = [index for index, row in enumerate(rows) if label_of(row)]
    return dict(zip(used, resolved([rows[index].slot for index in used]), strict=True))


def with_row_slots(rows: Sequence[PromptRow], slots: Mapping[int, int | None]) -> tuple[PromptRow, ...]:
    """Return rows with these slots, by index, as short as they can be said; a row without one gets one that is free."""
    used = [index for index, row in enumerate(rows) if label_of(row)]
    taken = {slot for slot in slots.values() if slot is not None}
    chosen: list[int] = []
    for index in used:
        slot = slots.get(index)
        chosen.append(free(taken) if slot is None or slot in chosen else slot)
        taken.add(chosen[-1])
    result = list(rows)
    for index, slot in zip(used, shortest(chosen), strict=True):
        result[index] = replace(result[index], slot=slot)
    return tuple(result)


def spliced(rows: Sequence[PromptRow], at: int, count: int, *new: PromptRow) -> tuple[PromptRow, ...]:
    """Return rows with ``count`` of them from ``at`` on replaced by new ones; the others keep their colours."""
    slots = row_slots(rows)
    shift = len(new) - count
    kept: dict[int, int | None] = {
        i if i < at else i + shift: slot for i, slot in slots.items() if not at <= i < at + count
    }
    if count and new:
        kept[at] = slots.get(at)
    return with_row_slots([*rows[:at], *new, *rows[at + count :]], kept)


def rows_to_prompts(rows: tuple[PromptRow, ...], score: Score | None = None) -> tuple[tuple[Prompt, ...], list[str]]:
    """Return the prompts that ``rows`` define, and a sentence for each row that is left out.

    Args:
        rows: of the prompt table.
        score: if given, a row is left out whose own threshold this score can't have.
    """
    prompts, left_out = _usable(rows, score)
    problems = [f"Row {index + 1} is left out: {why}" for index, why in [*left_out.items()][:_MOST_PROBLEMS]]
    more = len(left_out) - len(problems)
    return prompts, [*problems, f"{more} more rows are left out; they are marked in the table."] if more else problems


def rows_left_out(rows: tuple[PromptRow, ...], score: Score) -> dict[int, str]:
    """Return why rows are left out, by their index."""
    return _usable(rows, score)[1]


def _usable(rows: tuple[PromptRow, ...], score: Score | None) -> tuple[tuple[Prompt, ...], dict[int, str]]:
    prompts: dict[str, Prompt] = {}
    left_out: dict[int, str] = {}
    slots = row_slots(rows)
    for index, row in enumerate(rows):
        label = label_of(row)
        if not label:
            continue
        try:
            if label_key(label) in prompts:
                raise PromptSetError(f"“{label}” is there already; give it a label of its own.")
            if len(prompts) == MAX_PROMPTS:
                raise PromptSetError(f"{MAX_PROMPTS} prompts are possible; remove another one.")
            slot = slots[index] if slots[index] != len(prompts) else None
            prompts[label_key(label)] = _prompt(row, label, score, slot)
        except PromptreelError as error:
            left_out[index] = str(error)
    return tuple(prompts.values()), left_out


def _prompt(row: PromptRow, label: str, score: Score | None, slot: int | None) -> Prompt:
    texts = tuple(text.strip() for text in row.texts if text.strip())
    role: Role = next((role for role in ROLES if role == row.role), "target")
    prompt = Prompt(
        label, texts or (label,), role, row.threshold, row.enabled, row.colour, row.pictures, row.learned, slot
    )
    if score is not None:
        check_threshold(prompt, score)
    return prompt


@dataclass(frozen=True)
class Experiment:
    """See the module's docstring. Frozen: a change makes a new one (``dataclasses.replace``)."""

    id: str
    video: str | None = None
    """SHA-256 of the chosen video."""
    engine: str = "demo"
    """One of ``EMBEDDED_MODELS``, ``other``, ``server``, or ``hosted``: imported vectors, words by the server."""
    server_url: str = DEFAULT_SERVER_URL
    model_version: str = "ViT-B-16"
    model: str = ""
    """What ``other`` is: ``hub:OWNER/NAME`` or ``folder:PATH``; see ``lib.engines.model_layout.ModelSpec``."""
    sampling: str = "stride-10"
    """A ``Sampling.key``."""
    name: str = "untitled"
    """Name of the prompt set."""
    template: str = "{}"
    rows: tuple[PromptRow, ...] = ()
    settings: Settings = START_SETTINGS
    beside: str | None = None
    """Id of the experiment that this one is compared with, which is saved in a file of its own."""
    side: str = "a"
    """``b`` for an experiment that is another one's ``beside``: it is found through that one only."""
    kept_thresholds: tuple[tuple[str, float, float], ...] = ()
    """Of each score and engine that was left, as (``scale``, threshold, hysteresis); the rows keep their own ones."""
    title: str = ""
    """What a person calls the experiment; see ``shown_title``. At most ``MAX_TITLE`` characters."""
    note: str = ""
    """At most ``MAX_NOTE`` characters."""
    starred: bool = False
    created_at: float = 0.0
    """Seconds since 1970; 0 where it isn't known."""
    baseline: str | None = None
    """Id of the version that its metrics are compared with."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the rows that are on, in their order."""
        return tuple(dict.fromkeys(label for row in self.rows if row.enabled and (label := label_of(row))))

    @property
    def untouched(self) -> bool:
        """Whether nobody has put anything of their own into it."""
        return not (self.rows or self.title or self.note or self.starred)

    @property
    def engine_spec(self) -> str:
        """What ``registry.make_engine`` takes: a name or the server's URL."""
        if self.engine == HOSTED:
            return f"{HOSTED}@{self.server_url}"
        return {"server": self.server_url, OTHER: self.model}.get(self.engine, self.engine)

    def with_prompt_set(self, prompt_set: PromptSet) -> Experiment:
        """Return a copy that works on ``prompt_set``."""
        before = {label_key(label_of(row)): (index, row) for index, row in enumerate(self.rows)}
        known = [before.get(label_key(prompt.label), (-1, PromptRow())) for prompt in prompt_set.prompts]
        had = row_slots(self.rows)
        slots = {place: had.get(index, prompt_set.prompts[place].slot) for place, (index, _) in enumerate(known)}
        rows = tuple(
            replace(PromptRow.of(prompt), kept_thresholds=row.kept_thresholds)
            for prompt, (_, row) in zip(prompt_set.prompts, known, strict=True)
        )
        return replace(
            self,
            name=prompt_set.name,
            template=prompt_set.template,
            rows=with_row_slots(rows, slots),
            settings=prompt_set.settings,
        )

    def with_experiment(self, other: Experiment) -> Experiment:
        """Return a copy with prompts, settings, engine and sampling of ``other``; what else it is stays."""
        return replace(other, **{name: getattr(self, name) for name in _ITS_OWN})

    @property
    def scale(self) -> str:
        """What its thresholds belong to: the score and, unless that is relative, the engine's model.

        Thresholds of one mean nothing in another; relative scores mean the same with every engine.
        """
        return self._scale_of(self.settings.score)

    def _scale_of(self, score: Score) -> str:
        if score == "relative":
            return score
        is_clip = self.engine in ("server", HOSTED)
        model = f"clip/{self.model_version}" if is_clip else self.model if self.engine == OTHER else self.engine
        return f"{score}@{model[:MAX_SCALE]}"

    def with_score(self, score: Score) -> Experiment:
        """Return a copy with another score and the thresholds it had when it was left; those of this one are kept."""
        return self if score == self.settings.score else self._rescaled(self, score)

    def with_fields(self, **fields: Any) -> Experiment:
        """Return a copy with other fields; another engine brings its own thresholds, where they don't come along."""
        changed = replace(self, **fields)
        if "settings" in fields or "rows" in fields or changed.scale == self.scale:
            return changed
        return self._rescaled(changed, self.settings.score)

    def _rescaled(self, changed: Experiment, score: Score) -> Experiment:
        """Return ``changed`` with ``score`` and the thresholds kept for it; those of this one are kept."""
        settings, scale = self.settings, changed._scale_of(score)
        left = {kept: (threshold, band) for kept, threshold, band in self.kept_thresholds}
        # Documents of before engines had thresholds of their own kept them by score.
        threshold, band = left.pop(scale, left.pop(score, (START_THRESHOLDS[score], 0.0)))
        left[self.scale] = (settings.threshold, settings.hysteresis)
        return replace(
            changed,
            settings=replace(settings, score=score, threshold=threshold, hysteresis=band),
            rows=tuple(_in_scale(row, self.scale, scale, score) for row in self.rows),
            kept_thresholds=tuple((kept, *both) for kept, both in left.items())[-MAX_SCALES:],
        )

    def prompt_set(self) -> tuple[PromptSet | None, list[str]]:
        """Return the prompt set that rows and settings define (None without a usable row), and problems."""
        prompts, problems = rows_to_prompts(self.rows, self.settings.score)
        if not prompts:
            return None, problems
        try:
            return PromptSet(self.name, prompts, self.template, self.settings), problems
        except PromptreelError as error:
            return None, [*problems, str(error)]

    def to_dict(self) -> dict[str, Any]:
        """Return plain types for JSON."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Experiment:
        """Return the experiment that ``to_dict`` was called on.

        Raises:
            ValueError, TypeError, KeyError, AttributeError, PromptreelError: ``data`` is no experiment.
        """
        data = dict(data)
        if data.pop("format", None) != FORMAT:
            raise ValueError("another format")
        if not _READERS.keys() - data.keys() <= _ADDED_LATER:
            raise ValueError("not whole")
        Sampling.from_key(documents.text(data["sampling"]))
        return cls(**documents.fields(data, _READERS))


def shown_title(experiment: Experiment, video_name: str | None = None) -> str:
    """Return what an experiment is called on screen: its title, else its prompt set's name or its first labels.

    Args:
        experiment: any.
        video_name: if given, follows.
    """
    title = " ".join(experiment.title.split())
    if not title and experiment.name not in _UNNAMED:
        title = " ".join(experiment.name.split())
    if not title:
        labels = experiment.labels
        more = f" +{len(labels) - _LABELS_NAMED}" if len(labels) > _LABELS_NAMED else ""
        title = ", ".join(labels[:_LABELS_NAMED]) + more or "No prompts yet"
    return f"{title} · {video_name}" if video_name else title


def _in_scale(row: PromptRow, left: str, scale: str, score: Score) -> PromptRow:
    kept = dict(row.kept_thresholds)
    threshold = kept.pop(scale, kept.pop(score, None))
    if row.threshold is not None:
        kept[left] = row.threshold
    return replace(row, threshold=threshold, kept_thresholds=tuple(kept.items())[-MAX_SCALES:])


def _read_row(data: dict[str, Any]) -> PromptRow:
    return PromptRow(**documents.fields(data, _ROW_READERS))


def _read_settings(data: dict[str, Any]) -> Settings:
    return Settings(**{**data, "smoothing": Smoothing(**data["smoothing"])})


_read_threshold = documents.within(*WIDEST_THRESHOLDS)


def _read_kept(item: list[Any]) -> tuple[Any, ...]:
    scale, *numbers = item
    documents.one_of(*SCORES)(_read_text(2 * MAX_SCALE)(scale).partition("@")[0])
    return (scale, *map(_read_threshold, numbers))


def _read_kept_by_score(items: object) -> tuple[tuple[str, float, float], ...]:
    kept = [(scale, threshold, band) for scale, threshold, band in map(_read_kept, documents.listed(items))]
    for scale, threshold, band in kept:
        Settings(score=scale.partition("@")[0], threshold=threshold, hysteresis=band)
    return tuple(kept)


def _read_id(value: object) -> str:
    if not _ID.fullmatch(documents.text(value)):
        raise ValueError("no id")
    return str(value)


def _read_text(most: int) -> Callable[[object], str]:
    def read(value: object) -> str:
        if len(documents.text(value)) > most:
            raise ValueError("too long a text")
        return str(value)

    return read


SCORES: tuple[Score, ...] = get_args(Score)
DECISIONS: tuple[Decision, ...] = get_args(Decision)
SMOOTHING_KINDS: tuple[SmoothingKind, ...] = get_args(SmoothingKind)

_ROW_READERS: dict[str, Callable[[Any], Any]] = {
    "enabled": documents.flag,
    "label": documents.text,
    "texts": documents.texts,
    "role": documents.one_of(*ROLES),
    "threshold": documents.optional(_read_threshold),
    "colour": documents.optional(documents.text),
    "kept_thresholds": lambda items: tuple((score, own) for score, own in map(_read_kept, documents.listed(items))),
    "pictures": lambda items: tuple(documents.text(one) for one in documents.listed(items, most=MAX_PICTURES)),
    "learned": lambda items: tuple(Learned(**one) for one in documents.listed(items, most=MAX_LEARNED)),
    "slot": documents.optional(lambda value: int(documents.within(0, MAX_SLOT)(value))),
    "worded_for": documents.text,
    "kept": lambda items: tuple(documents.text(one) for one in documents.listed(items, most=_MOST_KEPT)),
}
_READERS: dict[str, Callable[[Any], Any]] = {
    "id": _read_id,
    "video": documents.optional(documents.text),
    "engine": documents.one_of(*_ENGINES),
    "server_url": documents.text,
    "model_version": documents.text,
    "model": documents.text,
    "sampling": documents.text,
    "name": documents.text,
    "template": documents.text,
    "rows": lambda rows: tuple(_read_row(row) for row in documents.listed(rows, most=MAX_ROWS)),
    "settings": _read_settings,
    "beside": documents.optional(_read_id),
    "side": documents.one_of("a", "b"),
    "kept_thresholds": _read_kept_by_score,
    "title": _read_text(MAX_TITLE),
    "note": _read_text(MAX_NOTE),
    "starred": documents.flag,
    "created_at": documents.within(0.0, 1e11),
    "baseline": documents.optional(_read_id),
}
_ITS_OWN = ("id", "video", "beside", "side", "title", "note", "starred", "created_at", "baseline")
_ADDED_LATER = {"beside", "side", "kept_thresholds", "model", "title", "note", "starred", "created_at", "baseline"}


def engine_fields(engine_id: str) -> dict[str, str]:
    """Return the fields of an experiment that choose the engine with this id."""
    if is_model_spec(engine_id):  # a folder's names no folder: the experiment keeps the one that it has
        return {"engine": OTHER} | ({"model": engine_id.rpartition(":")[0]} if engine_id.startswith(HUB) else {})
    name, _, version = engine_id.partition("+")[0].partition("/")
    if version:
        return {"engine": HOSTED if name == HOSTED else "server", "model_version": version}
    return {"engine": name.partition(":")[0]}


def new_id() -> str:
    """Return a new id that can't be guessed."""
    return secrets.token_hex(6)


def fresh() -> Experiment:
    """Return an empty experiment with the engine that ``PROMPTREEL_ENGINE`` names, else with the demo model."""
    return with_engine(Experiment(new_id(), created_at=time.time()), default_engine())


def with_engine(experiment: Experiment, spec: str, model_version: str | None = None) -> Experiment:
    """Return a copy with the engine that ``registry.make_engine`` makes of ``spec``; as it is where that is none."""
    if spec.lower() in EMBEDDED_MODELS:
        return replace(experiment, engine=spec.lower())
    if is_model_spec(spec):
        return replace(experiment, engine=OTHER, model=spec)
    version = model_version or experiment.model_version
    kind, _, address = spec.partition("@")
    if kind.lower() == HOSTED:
        return replace(experiment, engine=HOSTED, server_url=address or DEFAULT_SERVER_URL, model_version=version)
    if is_address(spec):
        return replace(experiment, engine="server", server_url=spec, model_version=version)
    return experiment


def duplicate(experiment: Experiment) -> Experiment:
    """Return a new experiment that says the same; not starred, and with nothing to compare with."""
    title = f"{experiment.title[: MAX_TITLE - 7]} (copy)" if experiment.title else ""
    return replace(experiment, id=new_id(), title=title, starred=False, created_at=time.time(), beside=None, side="a")


def path_of(home: Path, experiment_id: str) -> Path:
    """Return the file of an experiment."""
    return StorePaths(home).experiments / f"{experiment_id}.json"


def save(home: Path, experiment: Experiment) -> None:
    """Write ``experiment`` whole or not at all.

    Raises:
        OSError, StoreError: it can't be written.
    """
    documents.write_document(path_of(home, experiment.id), experiment.to_dict(), home=home)


def load(home: Path, experiment_id: str) -> Experiment | None:
    """Return the saved experiment, or None when there is none.

    Raises:
        StoreDamagedError: it is there and can't be read, or another version has written it.
        StoreError: its file can't be opened.
    """
    return _read(path_of(home, experiment_id), experiment_id)


def load_deleted(home: Path, experiment_id: str) -> Experiment | None:
    """Return an experiment that is in the trash, or None; raises what ``load`` does."""
    return _read(trash_of(path_of(home, experiment_id)), experiment_id)


def _read(path: Path, experiment_id: str) -> Experiment | None:
    if not _ID.fullmatch(experiment_id):
        return None
    found = documents.read_document(path, Experiment.from_dict)
    return replace(found, id=experiment_id) if found else None  # a copied file still has the first one's
