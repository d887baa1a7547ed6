"""Learning prompts from ground truth, and how reliable probabilities are, in the view Evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from lib.analysis.analysis import Analysis
from lib.charts import evaluation as charts
from lib.core.errors import PromptreelError
from lib.core.formatting import as_text
from lib.core.labelled_intervals import TrueSegment, label_key
from lib.evaluation.temperature import reliability
from lib.ingest.ingest import embedding_key
from lib.prompts.model import PromptSet
from lib.services.experiments import PromptRow, label_of
from lib.services.learning import Lesson, learn_from
from lib.store.videos import Video
from lib.ui.panels.video import VideoSelection
from lib.ui.session import cache, state
from lib.ui.session.guard import told
from lib.ui.session.session import Session

_LESSON = "lesson"


@dataclass(frozen=True)
class _Given:
    """What a lesson was learned from; another one is out of date."""

    prompt_set: PromptSet
    engine_id: str
    sampling: str
    truths: tuple[tuple[str, tuple[TrueSegment, ...]], ...]


def draw(selection: VideoSelection, analysis: Analysis) -> None:
    """Draw the choice of videos, the button, what was learned, and the way back."""
    st.markdown("**Learn from the ground truth**")
    st.caption(
        "Each label may move its words’ vector towards what is marked. Before and after are compared on segments that "
        "were left out, and nothing changes unless it is better there."
    )
    videos = _marked_videos(selection)
    others = {video.sha256: video for video in videos if video.sha256 != selection.video.sha256}
    chosen = (
        st.multiselect(
            "Other videos to learn from too",
            list(others),
            default=list(others),
            format_func=lambda sha256: others[sha256].name if sha256 in others else "?",
            key=f"learn_videos.{selection.video.sha256}",
            help="Those with ground truth that are embedded with the same engine and sampling.",
        )
        if others
        else []
    )
    used = [selection.video, *(others[sha256] for sha256 in chosen if sha256 in others)]
    given = _Given(
        analysis.prompt_set,
        selection.engine.id,
        selection.sampling.key,
        tuple((video.sha256, cache.truth(video)) for video in used),
    )
    with st.container(horizontal=True):
        if st.button("Learn", key="learn", type="primary", icon=":material/school:"):
            _learn(selection, given, used)
        _back(selection, analysis.prompt_set)
    _result(selection, given)


def _marked_videos(selection: VideoSelection) -> list[Video]:
    """Return the videos with ground truth that are embedded with the same engine and sampling."""
    found = []
    for video in cache.store().videos()[::-1]:
        info = cache.store().find_embedding(embedding_key(video, selection.engine, selection.sampling))
        if info is not None and info.samples and cache.truth(video):
            found.append(video)
    return found


def _learn(selection: VideoSelection, given: _Given, used: Sequence[Video]) -> None:
    videos = list(zip(used, (truth for _, truth in given.truths), strict=True))
    try:
        with st.spinner("Learning, and trying it on left-out segments"):
            lesson = learn_from(cache.store(), selection.engine, selection.sampling, given.prompt_set, videos)
    except PromptreelError as error:
        st.error(as_text(str(error)), icon=":material/error:")
        return
    st.session_state[_LESSON] = (given, lesson)


def _result(selection: VideoSelection, given: _Given) -> None:
    kept: tuple[_Given, Lesson] | None = st.session_state.get(_LESSON)
    if kept is None or kept[0] != given:
        return
    lesson = kept[1]
    st.markdown(as_text(lesson.learning.sentence))
    sentences = [label.sentence for label in lesson.learning.labels]
    if lesson.temperature is not None:
        sentences.append(lesson.temperature.sentence)
    if sentences:
        st.markdown("\n".join(f"- {as_text(sentence)}" for sentence in sentences))
    if lesson.prompt_set != given.prompt_set:
        st.button(
            "Use what is better",
            key="learn_use",
            icon=":material/check:",
            on_click=told(_use),
            args=(selection.session, lesson.prompt_set),
        )


def _use(session: Session, taught: PromptSet) -> None:
    learned = {label_key(prompt.label): prompt.learned for prompt in taught.prompts}

    def with_learned(row: PromptRow) -> PromptRow:
        return replace(row, learned=learned.get(label_key(label_of(row)), row.learned))

    scale = taught.settings.logit_scale
    session.keep("replacement")
    session.change_prompts(with_learned, settings=replace(session.experiment.settings, logit_scale=scale))


def _back(selection: VideoSelection, prompt_set: PromptSet) -> None:
    """Draw the button that takes back what was learned with this engine, and undo and redo."""
    engine_id, session = selection.engine.id, selection.session
    if prompt_set.without_learned(engine_id) != prompt_set:

        def without(row: PromptRow) -> PromptRow:
            return replace(row, learned=tuple(one for one in row.learned if one.engine != engine_id))

        st.button(
            "Put the words back",
            key="learn_forget",
            icon=":material/settings_backup_restore:",
            on_click=told(session.change_prompts),
            args=(without,),
            help="Removes what all prompts have learned with this engine.",
        )


def draw_reliability(selection: VideoSelection, analysis: Analysis) -> None:
    """Draw how often the best label is right by its probability; nothing where the truth has no moment for it."""
    reliable = reliability(analysis, cache.truth(selection.video))
    if reliable is None:
        return
    st.markdown("**Reliability of probabilities**")
    st.altair_chart(
        charts.reliability_chart(reliable),
        key="chart_reliability",
        alt="Share of the time that the best label is right, by its probability; the dashed diagonal is calibrated",
    )
    scale = state.current().settings.logit_scale
    st.caption(
        f"Expected calibration error {reliable.ece:.2f} with a logit scale of {scale:g}, in bins of equal time. "
        "On the diagonal a probability means what it says; “Learn” fits the scale where the score is Probability."
    )
