"""The numbers of an experiment, as they are on this machine now, without drawing anything but waiting."""

from __future__ import annotations

from dataclasses import dataclass

from lib.analysis.analysis import Analysis
from lib.core.errors import NotStoredError, PromptreelError
from lib.evaluation.numbers import Numbers, numbers_of
from lib.ingest.ingest import embedding_key
from lib.prompts.reference_phrases import PHRASES
from lib.services.experiments import Experiment
from lib.services.ground_truth import Truth
from lib.store.embeddings import EmbeddingInfo
from lib.store.videos import Video
from lib.ui.background import embedding, reference_phrases
from lib.ui.panels.engine import current_engine, current_sampling
from lib.ui.panels.video import VideoSelection
from lib.ui.session import cache
from lib.ui.session.session import Measured, Session


@dataclass(frozen=True)
class Computed:
    """Numbers, or why there are none."""

    engine_id: str | None
    """None where the engine can't be made here."""
    numbers: Numbers | None
    truth: Truth
    problem: str = ""
    """A sentence; empty where there are numbers."""


def compute(session: Session, experiment: Experiment, *, otherwise: Truth = (), numbers: bool = True) -> Computed:
    """Return the numbers of ``experiment`` with the engine and the ground truth as they are here.

    Args:
        session: the tab's, which has the keys of servers.
        experiment: any; its video need not be here.
        otherwise: the ground truth to use where the video has none here.
        numbers: whether to compute them, and not only to see with what.
    """
    engine_id, truth = None, otherwise
    try:
        video = cache.store().video(experiment.video or "")
        truth = cache.truth(video) or otherwise
        probe = Session(experiment, server_keys=session.server_keys)
        engine_id = current_engine(probe).id
        return Computed(engine_id, _numbers(probe, video, truth) if numbers else None, truth)
    except NotStoredError:
        return Computed(engine_id, None, truth, "Its video is not on this machine; add it in the Library.")
    except PromptreelError as error:
        return Computed(engine_id, None, truth, str(error))


def _numbers(probe: Session, video: Video, truth: Truth) -> Numbers:
    return numbers_of(analysed(probe, video)[1], truth)


def analysed(probe: Session, video: Video) -> tuple[EmbeddingInfo, Analysis]:
    """Return the analysis of an experiment that is not on the page, and what it is of.

    Raises:
        PromptreelError: why there is none, and what to do.
    """
    engine = current_engine(probe)
    info = cache.store().find_embedding(embedding_key(video, engine, current_sampling(probe)))
    if info is None or not info.samples:
        raise PromptreelError(
            "The video is not embedded with this engine and sampling; embed it in Explore or Compare."
        )
    prompt_set, problems = probe.experiment.prompt_set()
    if prompt_set is None or not prompt_set.enabled:
        raise PromptreelError(problems[0] if problems else "It has no prompt that is on.")
    vectors, problems = cache.text_vectors(engine, prompt_set.texts)
    vectors, _ = cache.with_picture_vectors(engine, [prompt_set], vectors)
    prompt_set = embedding.with_vectors(prompt_set, vectors)
    if prompt_set is None:
        raise PromptreelError(problems[0])
    reference = None
    if prompt_set.needs_reference:
        if not reference_phrases.are_ready(engine):
            raise PromptreelError("The reference phrases are not embedded yet; open it in Explore first.")
        reference = cache.reference(info, engine)
        vectors = vectors | cache.store().text_vectors(engine.id, PHRASES)
    return info, cache.analysis(info, prompt_set, vectors, reference)


def remember(selection: VideoSelection, analysis: Analysis) -> Measured | None:
    """Keep the numbers that the page shows in its session, and return them; None where they are not of all prompts."""
    session, info = selection.session, selection.info
    with session.lock:
        experiment = session.experiment
    if selection.chosen is not None or info is None or analysis.prompt_set != experiment.prompt_set()[0]:
        return None
    session.measured = Measured(experiment, selection.engine.id, cache.truth(selection.video), analysis)
    return session.measured
