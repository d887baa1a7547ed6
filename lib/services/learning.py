"""What prompts learn from the ground truth of stored videos; the fits are in ``lib.evaluation``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lib.analysis.analysis import Analysis, analyse
from lib.analysis.pictures import prompt_rows
from lib.core.labelled_intervals import TrueSegment
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.evaluation.learning import Learning, Marked, learn
from lib.evaluation.temperature import TemperatureFit, fit_temperature
from lib.ingest.ingest import embedding_key
from lib.prompts.model import PromptSet
from lib.services.picture_examples import vectors_of
from lib.store.store import Store
from lib.store.videos import Video


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a prompt set could learn from videos, and the prompt set with what is better."""

    learning: Learning
    temperature: TemperatureFit | None
    """None where the score isn't ``probability``, or nothing counts for it."""
    prompt_set: PromptSet
    """With learned vectors, and the logit scale, where they are better."""


def learn_from(
    store: Store,
    engine: Engine,
    sampling: Sampling,
    prompt_set: PromptSet,
    videos: Sequence[tuple[Video, tuple[TrueSegment, ...]]],
    labels: Iterable[str] | None = None,
) -> Lesson:
    """Return what ``prompt_set`` learns from videos that are embedded with ``engine`` and ``sampling``.

    Args:
        store: with the videos.
        engine: whose vectors are learned.
        sampling: of the videos.
        prompt_set: what it has learned with ``engine`` before is learned anew.
        videos: one or more, each with its ground truth.
        labels: of enabled prompts; None: all that the truth names.

    Raises:
        NotStoredError: a video is not embedded with this engine and sampling.
        EngineError: a text can't be embedded.
        PromptSetError, SettingsError: the prompt set can't be scored.
        KeyError: no enabled prompt has one of ``labels``.
    """
    chosen = None if labels is None else list(labels)
    words = prompt_set.without_learned(engine.id, chosen)
    vectors = vectors_of(store, engine, words)
    marked = []
    for video, truth in videos:
        samples = store.load(embedding_key(video, engine, sampling))
        marked.append(Marked(analyse(samples, words, vectors, engine_id=engine.id), truth))
    learning = learn(marked, prompt_rows(words, vectors, engine.id), chosen)
    result = learning.apply(prompt_set, engine.id)
    if prompt_set.settings.score != "probability":
        return Lesson(learning, None, result)
    taught: list[tuple[Analysis, tuple[TrueSegment, ...]]] = [
        (analyse(one.analysis.samples, result, vectors, engine_id=engine.id), one.truth) for one in marked
    ]
    temperature = fit_temperature(taught)
    if temperature is not None and temperature.better:
        result = replace(result, settings=replace(result.settings, logit_scale=temperature.scale))
    return Lesson(learning, temperature, result)
