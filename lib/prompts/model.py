"""Prompts, prompt sets and settings: frozen and validated.

Conventions: thresholds are in the unit of the score they are compared with; durations are seconds; windows
are samples. Labels and phrasings are one line: runs of white space become one blank when a prompt is made.

References:
    Averaging the vectors of several phrasings: the notebook *Prompt Engineering for ImageNet* of openai/CLIP.
    Logit scale: Radford et al., *Learning Transferable Visual Models From Natural Language Supervision*,
    2021, section 2.5: learned, and clipped so that logits are never scaled by more than 100; others differ.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

import yaml

from lib.core.errors import PromptSetError, SettingsError
from lib.core.labelled_intervals import label_key
from lib.core.validation import first_doubled, number, one_line, one_of, written
from lib.prompts.learned import Learned, words_digest
from lib.prompts.reference_phrases import PHRASES
from lib.prompts.slots import MAX_SLOT

Role = Literal["target", "restricted", "background"]
ROLES: tuple[Role, ...] = get_args(Role)
Score = Literal["relative", "cosine", "probability", "margin"]
Decision = Literal["best", "threshold", "best_threshold"]
SmoothingKind = Literal["none", "moving_average", "median", "gaussian", "exponential", "viterbi"]

COLOUR_NAMES = ("blue", "orange", "green", "pink", "amber", "grey", "light blue")
"""Names of the palette's colours, in order: a colour chosen by name follows the theme."""
THRESHOLD_RANGES: Mapping[Score, tuple[float, float]] = {
    "relative": (-20.0, 20.0),
    "cosine": (-1.0, 1.0),
    "probability": (0.0, 1.0),
    "margin": (-2.0, 2.0),
}
"""Lowest and highest threshold of each score. Relative scores have no bounds; real ones are -4 to 8."""
START_THRESHOLDS: Mapping[Score, float] = {"relative": 1.25, "cosine": 0.2, "probability": 0.5, "margin": 0.0}
"""The threshold of a score that is chosen for the first time."""
WIDEST_THRESHOLDS = THRESHOLD_RANGES["relative"]
"""Lowest and highest threshold that any score can have."""
MAX_PROMPTS = 200
MAX_PHRASINGS = 100
"""Phrasings of a prompt; the longest list of templates in use has 80."""
MAX_PICTURES = 20
"""Picture examples of a prompt."""
MAX_LEARNED = 8
"""Learned vectors of a prompt, one per engine."""
MAX_TOTAL = 150_000
"""Characters of all labels and phrasings of a prompt set together."""
MAX_LEARNED_TOTAL = 1_200_000
"""Characters of all learned vectors of a prompt set together: 200 of 2,048 numbers, and more."""
MAX_WINDOW = 1001
MAX_SECONDS = 86_400.0
LOGIT_SCALES = (1.0, 200.0)

_HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def _set(instance: object, **values: object) -> None:
    for name, value in values.items():  # the way a frozen dataclass normalises its own fields
        object.__setattr__(instance, name, value)


@dataclass(frozen=True)
class Prompt:
    """What to look for, in words.

    Raises:
        PromptSetError: a field is outside its range.
    """

    label: str
    """Name of what is looked for; unique in its set, 1 to 500 characters."""
    texts: tuple[str, ...] = ()
    """Phrasings, without the template: 1 to 100 different ones; none given means the label."""
    role: Role = "target"
    """``background`` prompts stand for everything else: they compete, and margins are taken over them. ``restricted``
    ones are targets that nothing should show: an archive flags the videos that they are in."""
    threshold: float | None = None
    """Own threshold in the unit of the score; None: the settings' one."""
    enabled: bool = True
    """Whether the prompt takes part; a disabled one stays in the list and has no effect."""
    colour: str | None = None
    """``#rrggbb``, or one of ``COLOUR_NAMES``; None: that of its slot."""
    pictures: tuple[str, ...] = ()
    """Picture examples ("looks like this") by the SHA-256 of their files, 0 to 20 different ones."""
    learned: tuple[Learned, ...] = ()
    """Vectors learned from ground truth, one per engine at most; each takes the place of the words' vector."""
    slot: int | None = None
    """Place in the palette of its colour, 0 to 9999; None: its place in the set (``lib.prompts.slots``)."""

    def __post_init__(self) -> None:
        label = one_line(self.label, "A label", PromptSetError)
        who = f"The prompt {reprlib.repr(label)}"
        texts: object = self.texts
        if isinstance(texts, str):
            texts = (texts,)
        if not isinstance(texts, Iterable) or isinstance(texts, Mapping):
            raise PromptSetError(f"{who} has phrasings that are no list of texts; write texts: [first, second].")
        phrasings = tuple(one_line(text, f"A phrasing of {reprlib.repr(label)}", PromptSetError) for text in texts)
        if len(phrasings) > MAX_PHRASINGS:
            raise PromptSetError(
                f"{who} has {len(phrasings)} phrasings, and {MAX_PHRASINGS} are possible; leave some out."
            )
        doubled = first_doubled(phrasings)
        if doubled is not None:
            raise PromptSetError(f"{who} has the phrasing {reprlib.repr(doubled)} twice; remove one of them.")
        one_of(self.role, ROLES, f"{who} has the role", PromptSetError)
        if not isinstance(self.enabled, bool):
            raise PromptSetError(f"{who} has enabled {written(self.enabled)}; write true or false.")
        _set(self, label=label, texts=phrasings or (label,))
        if self.threshold is not None:
            # Which values make sense depends on the score; PromptSet knows it.
            low, high = WIDEST_THRESHOLDS
            _set(self, threshold=number(self.threshold, f"{who} has the threshold", low, high, PromptSetError))
        if self.colour is not None and self.colour not in COLOUR_NAMES:
            if not isinstance(self.colour, str) or not _HEX_COLOUR.fullmatch(self.colour):
                raise PromptSetError(
                    f"{who} has the colour {written(self.colour)}; write one such as #0072b2, "
                    f"or one of {', '.join(COLOUR_NAMES)}."
                )
            _set(self, colour=self.colour.lower())
        _set(self, pictures=_pictures(self.pictures, who), learned=_learned(self.learned, who))
        _set(self, slot=_slot(self.slot, who))

    def to_dict(self) -> dict[str, Any]:
        """Return plain types; what comes after the role only where it differs from the default."""
        data: dict[str, Any] = {"label": self.label, "texts": list(self.texts), "role": self.role}
        if self.threshold is not None:
            data["threshold"] = self.threshold
        if not self.enabled:
            data["enabled"] = False
        if self.colour is not None:
            data["colour"] = self.colour
        if self.pictures:
            data["pictures"] = list(self.pictures)
        if self.learned:
            data["learned"] = [learned.to_dict() for learned in self.learned]
        if self.slot is not None:
            data["slot"] = self.slot
        return data


@dataclass(frozen=True)
class Smoothing:
    """A centred filter over each prompt's scores (``lib.analysis.scoring.smooth`` has the formulas), or ``viterbi``.

    ``viterbi`` leaves scores as they are and decides for the most likely sequence of labels, given that each lasts
    ``stay_s`` on average (``lib.analysis.viterbi``).

    Raises:
        SettingsError: a field is outside its range.
    """

    kind: SmoothingKind = "none"
    window: int = 5
    """Samples, 1 (changes nothing) to 1001. An even one has one more sample before its centre than after."""
    stay_s: float = 5.0
    """How long a label lasts on average, 0 (changes nothing) to 86400 s; ``viterbi`` alone uses it, and no window."""

    def __post_init__(self) -> None:
        one_of(self.kind, get_args(SmoothingKind), "The smoothing kind is", SettingsError)
        window = number(self.window, "The smoothing window is", 1, MAX_WINDOW, SettingsError)
        if window != int(window):
            raise SettingsError(f"The smoothing window is {window:g}; write a whole number of samples, such as 5.")
        stay_s = number(self.stay_s, "The expected stay is", 0, MAX_SECONDS, SettingsError)
        _set(self, window=int(window), stay_s=stay_s)

    @property
    def in_words(self) -> str:
        """Kind and what it is set to: ``median over 5 samples``."""
        if self.kind == "none":
            return "none"
        if self.kind == "viterbi":
            return f"Viterbi with an expected stay of {self.stay_s:g} s"
        return f"{self.kind.replace('_', ' ')} over {self.window} samples"

    def to_dict(self) -> dict[str, Any]:
        """Return plain types; ``stay_s`` only where it is used or differs from the default."""
        data: dict[str, Any] = {"kind": self.kind, "window": self.window}
        if self.kind == "viterbi" or self.stay_s != Smoothing.stay_s:
            data["stay_s"] = self.stay_s
        return data


@dataclass(frozen=True)
class Settings:
    """How scores are made and turned into segments.

    Raises:
        SettingsError: a field is outside its range.
    """

    score: Score = "cosine"
    """Of prompt sets made before there was another; ``START_SETTINGS`` are those of new ones."""
    decision: Decision = "best"
    """``best``: one label per sample; ``threshold``: each label by itself; ``best_threshold``: one or none."""
    threshold: float = 0.2
    """For prompts without their own, in the unit of the score; at or above counts. ``best`` uses none."""
    smoothing: Smoothing = field(default_factory=Smoothing)
    hysteresis: float = 0.0
    """Band in the unit of the score, 0 to 2: a label enters at its threshold, leaves below it minus this."""
    min_duration_s: float = 0.0
    """Shorter segments are dropped, after gaps are bridged; 0 to 86400 s."""
    bridge_s: float = 0.0
    """Gaps up to this long inside a label are closed; 0 to 86400 s."""
    logit_scale: float = 100.0
    """Cosines are multiplied by this before the softmax, 1 to 200: for the score ``probability`` and ``viterbi``."""
    stop_at_cuts: bool = False
    """Whether smoothing, hysteresis, bridging and minimum duration begin anew at each cut (``lib.analysis.shots``)."""

    def __post_init__(self) -> None:
        one_of(self.score, get_args(Score), "The score is", SettingsError)
        one_of(self.decision, get_args(Decision), "The decision is", SettingsError)
        if not isinstance(self.smoothing, Smoothing):
            raise SettingsError("The smoothing needs a kind and a window, such as {kind: median, window: 5}.")
        if not isinstance(self.stop_at_cuts, bool):
            raise SettingsError(f"stop_at_cuts is {written(self.stop_at_cuts)}; write true or false.")
        _set(
            self,
            threshold=number(
                self.threshold,
                "The threshold is",
                *THRESHOLD_RANGES[self.score],
                SettingsError,
                unit=self.score,
            ),
            hysteresis=number(self.hysteresis, "The hysteresis is", 0, 2, SettingsError),
            min_duration_s=number(self.min_duration_s, "The minimum duration is", 0, MAX_SECONDS, SettingsError),
            bridge_s=number(self.bridge_s, "The gap to merge is", 0, MAX_SECONDS, SettingsError),
            logit_scale=number(self.logit_scale, "The logit scale is", *LOGIT_SCALES, SettingsError),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain types, every field."""
        data = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        data["smoothing"] = self.smoothing.to_dict()
        return data


START_SETTINGS = Settings(score="relative", threshold=START_THRESHOLDS["relative"])
"""What a new prompt set begins with: the threshold means the same with every engine."""


@dataclass(frozen=True)
class PromptSet:
    """A named list of prompts with a template and settings.

    Raises:
        PromptSetError: a field is outside its range, a label is doubled, or a threshold fits no such score.
    """

    name: str
    prompts: tuple[Prompt, ...]
    """1 to 200; the order is the order of columns, legends and ties (the first wins)."""
    template: str = "{}"
    """Put around every phrasing, which takes the place of ``{}``; for example ``a photo of a {}``."""
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        _set(
            self,
            name=one_line(self.name, "The name of the prompt set", PromptSetError),
            template=one_line(self.template, "The template", PromptSetError),
            prompts=_all_prompts(self.prompts),
        )
        if re.sub(r"[^{}]", "", self.template) != "{}" or "{}" not in self.template:
            raise PromptSetError(
                f"The template {reprlib.repr(self.template)} must hold {{}} exactly once, "
                "where the phrasing goes, and no other braces; write for example a photo of a {}."
            )
        if not 1 <= len(self.prompts) <= MAX_PROMPTS:
            raise PromptSetError(f"A prompt set holds 1 to {MAX_PROMPTS} prompts, not {len(self.prompts)}.")
        places: dict[str, int] = {}
        for index, prompt in enumerate(self.prompts):
            first = places.setdefault(label_key(prompt.label), index)
            if first != index:
                spelled = as_spelled(prompt.label, self.prompts[first].label)
                raise PromptSetError(
                    f"The label {reprlib.repr(prompt.label)} occurs twice{spelled}; give each prompt its own."
                )
        total = sum(len(text) for prompt in self.prompts for text in (prompt.label, *prompt.texts))
        if total > MAX_TOTAL:
            raise PromptSetError(
                f"The prompt set has {total:,} characters in labels and phrasings, "
                f"and {MAX_TOTAL:,} are possible; split it."
            )
        if sum(len(one.vector) for prompt in self.prompts for one in prompt.learned) > MAX_LEARNED_TOTAL:
            raise PromptSetError(
                f"The prompt set has more than {MAX_LEARNED_TOTAL:,} characters in learned vectors; put the words "
                "back of some prompts, or split it."
            )
        for prompt in self.prompts:
            check_threshold(prompt, self.settings.score)

    @property
    def enabled(self) -> tuple[Prompt, ...]:
        """The prompts that take part, in order; only they have columns in scores."""
        return tuple(prompt for prompt in self.prompts if prompt.enabled)

    @property
    def texts(self) -> tuple[str, ...]:
        """All different phrases of the enabled prompts, template applied."""
        return tuple(dict.fromkeys(phrase for prompt in self.enabled for phrase in self.phrases(prompt)))

    @property
    def needs_reference(self) -> bool:
        """Whether the reference phrases are needed: the score is relative to them, or pictures are."""
        return self.settings.score == "relative" or bool(self.pictures)

    @property
    def texts_to_embed(self) -> tuple[str, ...]:
        """``texts``, and the reference phrases where they are needed."""
        return tuple(dict.fromkeys((*self.texts, *PHRASES))) if self.needs_reference else self.texts

    def phrases(self, prompt: Prompt) -> tuple[str, ...]:
        """Return the phrasings of ``prompt`` with the template around each."""
        return tuple(self.template.replace("{}", text) for text in prompt.texts)

    @property
    def pictures(self) -> tuple[str, ...]:
        """SHA-256 of all different picture examples of the enabled prompts."""
        return tuple(dict.fromkeys(sha256 for prompt in self.enabled for sha256 in prompt.pictures))

    def digest_of(self, prompt: Prompt) -> str:
        """Return the ``words_digest`` of what ``prompt`` says now."""
        return words_digest(self.phrases(prompt), prompt.pictures)

    def learned_of(self, prompt: Prompt, engine_id: str) -> Learned | None:
        """Return the learned vector that stands for ``prompt`` with this engine.

        None where there is none, or where the words have changed since it was learned.
        """
        words = self.digest_of(prompt) if prompt.learned else ""
        return next((one for one in prompt.learned if (one.engine, one.words) == (engine_id, words)), None)

    def without_learned(self, engine_id: str, labels: Iterable[str] | None = None) -> PromptSet:
        """Return the prompt set with the words' own vectors for this engine, of ``labels`` only where they are given.

        What was learned with other engines stays.
        """
        keys = None if labels is None else {label_key(label) for label in labels}
        prompts = tuple(
            replace(prompt, learned=tuple(one for one in prompt.learned if one.engine != engine_id))
            if keys is None or label_key(prompt.label) in keys
            else prompt
            for prompt in self.prompts
        )
        return replace(self, prompts=prompts)

    def threshold_of(self, prompt: Prompt) -> float:
        """Return the threshold that decides about ``prompt``: its own, else the settings' one."""
        return self.settings.threshold if prompt.threshold is None else prompt.threshold

    def to_dict(self) -> dict[str, Any]:
        """Return plain types; ``from_dict`` makes the same prompt set of them."""
        return {
            "name": self.name,
            "template": self.template,
            "prompts": [prompt.to_dict() for prompt in self.prompts],
            "settings": self.settings.to_dict(),
        }

    def to_yaml(self) -> str:
        """Return YAML without default texts and roles; ``parse_prompt_set`` reads the same prompt set back."""
        data = self.to_dict()
        for prompt, entry in zip(self.prompts, data["prompts"], strict=True):
            if prompt.texts == (prompt.label,):
                del entry["texts"]
            if prompt.role == "target":
                del entry["role"]
        text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
        return text


def picture_key(sha256: str) -> str:
    """Return the name of a picture among texts that have vectors; no phrase can be called so."""
    return f"\0{sha256}"


def as_spelled(label: str, other: str) -> str:
    """Return how a message on the doubled ``label`` names ``other``, the same label; nothing where it looks so too."""
    return "" if label == other else f", as {reprlib.repr(other)} too (case, blanks and unseen characters don't count)"


def check_threshold(prompt: Prompt, score: Score) -> None:
    """Raise ``PromptSetError`` where the prompt's own threshold lies outside the range of ``score``."""
    if prompt.threshold is not None:
        start = f"The prompt {reprlib.repr(prompt.label)} has the threshold"
        number(prompt.threshold, start, *THRESHOLD_RANGES[score], PromptSetError, unit=score)


def _slot(value: object, who: str) -> int | None:
    """Return a slot as it was given, checked."""
    if value is None:
        return None
    slot = number(value, f"{who} has the slot", 0, MAX_SLOT, PromptSetError)
    if slot != int(slot):
        raise PromptSetError(f"{who} has the slot {slot:g}; write a whole number from 0, or leave it out.")
    return int(slot)


def _all_prompts(prompts: object) -> tuple[Prompt, ...]:
    made = tuple(prompts) if isinstance(prompts, Iterable) else (prompts,)
    for one in made:
        if not isinstance(one, Prompt):
            raise PromptSetError(f"{written(one)} is no prompt; make one with Prompt(label).")
    return made


def _pictures(items: object, who: str) -> tuple[str, ...]:
    """Return picture examples as they were given, checked."""
    if not isinstance(items, list | tuple):
        raise PromptSetError(f"{who} has pictures that are no list; write pictures: [SHA-256 of each].")
    for item in items:
        if not isinstance(item, str) or not _SHA256.fullmatch(item):
            raise PromptSetError(f"{who} has the picture {written(item)}; write the 64 hex digits of its SHA-256.")
    if len(items) > MAX_PICTURES:
        raise PromptSetError(f"{who} has {len(items)} pictures, and {MAX_PICTURES} are possible; leave some out.")
    doubled = first_doubled(items)
    if doubled is not None:
        raise PromptSetError(f"{who} has the picture {doubled[:12]}… twice; remove one of them.")
    return tuple(items)


def _learned(items: object, who: str) -> tuple[Learned, ...]:
    """Return learned vectors as they were given, checked."""
    if not isinstance(items, list | tuple) or not all(isinstance(item, Learned) for item in items):
        raise PromptSetError(f"{who} has learned vectors that are no list of mappings; learn them again.")
    if len(items) > MAX_LEARNED:
        raise PromptSetError(f"{who} has {len(items)} learned vectors, and {MAX_LEARNED} are possible; remove some.")
    doubled = first_doubled(item.engine for item in items)
    if doubled is not None:
        raise PromptSetError(f"{who} has two learned vectors of {reprlib.repr(doubled)}; remove one of them.")
    return tuple(items)
