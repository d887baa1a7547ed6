"""Everything that outlives a rerun: one store, one job manager, loaded models and vectors, computed analyses.

This is the only place with Streamlit's cache decorators. Arrays are handed over with a leading underscore (not hashed:
Streamlit samples large arrays when hashing, and would take two different ones for the same) beside a key of plain text
that names their content. Cached objects are shared by all sessions, so arrays are read-only.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from lib.analysis.analysis import Analysis, analyse, prompt_cosines
from lib.analysis.reference import Reference, reference_of, reference_vectors
from lib.analysis.scoring import vector_change
from lib.comparison.comparison import Comparison, compare
from lib.comparison.matrix import measure
from lib.core.errors import EngineError, EngineUnavailableError, PromptTooLongError, StoreDamagedError, StoreError
from lib.core.labelled_intervals import TrueSegment
from lib.core.samples import Samples
from lib.engines.embedded import EmbeddedEngine
from lib.engines.engine import Engine
from lib.engines.model_layout import is_model_spec
from lib.engines.registry import is_embedded, make_engine, may_have_environments_key
from lib.evaluation import verdict as evaluation_verdict
from lib.evaluation.bimodality import ThresholdSplit, suggest_without_truth
from lib.evaluation.bootstrap import Difference, f1_differences, overall_difference
from lib.evaluation.evaluation import Evaluation, evaluate
from lib.evaluation.overall import overall
from lib.evaluation.threshold_fit import ThresholdFit, suggest_with_truth
from lib.evaluation.verdict import Verdict
from lib.infra.address import origin_of
from lib.prompts.model import Prompt, PromptSet, picture_key
from lib.prompts.reference_phrases import PHRASES
from lib.remote.storage import Remote
from lib.services.embedding import EmbeddingQueue
from lib.services.fitting import longest_fit
from lib.services.ground_truth import VideoTruth, video_truth
from lib.services.jobs import JobManager
from lib.services.picture_examples import missing_pictures, picture_vectors
from lib.services.row_hints import Refusal
from lib.services.server_identity import identified
from lib.services.shared_archive import SharedArchive
from lib.store.embeddings import EmbeddingInfo, EmbeddingKey
from lib.store.home import default_home
from lib.store.store import Store, embed_texts_cached
from lib.store.videos import Video
from lib.ui.session.folders import check_model_folder
from lib.ui.session.server_keys import standing_key

Vectors = dict[str, NDArray[np.float32]]
_QUEUES: list[EmbeddingQueue] = []
_MOST_REMEMBERED = 2_000
"""Texts that were too long."""


@st.cache_resource(show_spinner=False)
def _store(folder: str) -> Store:
    return Store(Path(folder))


def store() -> Store:
    """Return the store, opened once for all sessions."""
    return _store(str(default_home()))


@st.cache_resource(show_spinner=False)
def jobs() -> JobManager:
    """Return the process's job manager; its jobs outlive sessions."""
    # A busy Python thread would starve the server's own; switching more often keeps clicks quick during a job.
    sys.setswitchinterval(0.0005)
    return JobManager()


def embedding_queue() -> EmbeddingQueue:
    """Return the queue of embeddings, opened once for all sessions; it is not woken."""
    return _embedding_queue(str(default_home()))


@st.cache_resource(show_spinner=False)
def _embedding_queue(folder: str) -> EmbeddingQueue:
    queue = EmbeddingQueue(_store(folder), jobs(), _engine_without_a_tab)
    _QUEUES.append(queue)
    return queue


def close_queues() -> None:
    """Put down what is being embedded, before the process ends."""
    while _QUEUES:
        _QUEUES.pop().close()
    _embedding_queue.clear()


def _engine_without_a_tab(spec: str, model_version: str) -> Engine:
    """Return an engine with the key that needs no tab: the environment's, where it may go.

    Raises:
        EngineUnavailableError: an embedded model is not on this machine.
        InputError: there is no such engine, or it is a folder that nothing may be opened from.
    """
    if is_embedded(spec):
        if is_model_spec(spec):
            check_model_folder(spec)
        engine = embedded_engine(spec)
        if not engine.installed:
            raise EngineUnavailableError(
                f"{engine.name} is not on this machine; choose it in the sidebar and press “Download the model”."
            )
        return engine
    key = standing_key() if may_have_environments_key(origin_of(spec)) else None
    return identified(make_engine(spec, model_version=model_version, api_key=key), store().home, store)


@st.cache_resource(show_spinner=False)
def shared_archive(url: str) -> SharedArchive:
    """Return the archive at an address, its list kept for all sessions.

    Raises:
        InputError: it is no address.
    """
    return SharedArchive(url)


@st.cache_resource(show_spinner=False)
def remote(url: str) -> Remote:
    """Return the place at an address, its connections kept for all sessions; raises as ``shared_archive``."""
    return Remote(url)


@st.cache_resource(max_entries=8, show_spinner=False)
def embedded_engine(model: str) -> EmbeddedEngine:
    """Return an embedded engine, its weights loaded once for all sessions.

    Raises:
        InputError: ``model`` names none.
    """
    return EmbeddedEngine(model, cache_dir=store().paths.models)


def samples(info: EmbeddingInfo) -> Samples:
    """Return the stored samples; read again only when there are more."""
    return _samples(info.version, info.key)


@st.cache_resource(max_entries=6, show_spinner=False)
def _samples(name: str, _key: EmbeddingKey) -> Samples:
    loaded = store().load(_key)
    for array in (loaded.frames, loaded.times_s, loaded.vectors):
        array.flags.writeable = False
    return loaded


def truth(video: Video) -> tuple[TrueSegment, ...]:
    """Return the ground truth of the video: what was saved, else its annotation file; read again when it changes.

    Nothing where it is damaged: ``truth_problem`` and ``annotation_problems`` say so.
    """
    return _video_truth(video).segments


def annotation_problems(video: Video) -> tuple[str, ...]:
    """Return a sentence for each thing in the annotation file that could not be used; none where it doesn't count."""
    return _video_truth(video).problems


def truth_problem(video: Video) -> str:
    """Return the sentence about saved ground truth that can't be read; empty where all is well."""
    try:
        store().saved_truth(video.sha256)
    except StoreError as error:
        return str(error)
    return ""


def _video_truth(video: Video) -> VideoTruth:
    version = store().truth_version(video)
    with suppress(StoreDamagedError):
        return _truth(f"{video.sha256}|{version}", video) if version else VideoTruth()
    return VideoTruth()


@st.cache_resource(max_entries=64, show_spinner=False)
def _truth(name: str, _video: Video) -> VideoTruth:
    return video_truth(store(), _video)


def text_vectors(engine: Engine, texts: tuple[str, ...]) -> tuple[Vectors, list[str]]:
    """Return the vectors of ``texts`` that could be computed, and one sentence for each text or cause that failed.

    Only texts never seen with this engine reach it, and one bad text costs none of the others.
    """
    known = {text: too_long()[engine.id, text] for text in texts if (engine.id, text) in too_long()}
    texts = tuple(text for text in texts if text not in known)
    problems: list[str] = []
    try:
        vectors = embed_texts_cached(store(), engine, texts)
    except EngineError as error:
        vectors, problems = _one_by_one(engine, texts, error)
    return vectors, [*dict.fromkeys((*known.values(), *problems))]


@st.cache_resource(show_spinner=False)
def too_long() -> dict[tuple[str, str], str]:
    """Return what engines said of texts that are too long for them, by engine id and text; the newest ones."""
    return {}


@st.cache_resource(show_spinner=False)
def _refusals() -> dict[tuple[str, str], dict[str, Refusal]]:
    return {}


def refusals(engine: Engine, template: str) -> Mapping[str, Refusal]:
    """Return the phrasings that are known to be too long for the engine inside the template."""
    return _refusals().get((engine.id, template), {})


def learn_refusals(engine: Engine, prompt_set: PromptSet) -> bool:
    """Ask the engine how much of each phrasing that is too long would fit; return whether any is new."""
    known = _refusals().setdefault((engine.id, prompt_set.template), {})
    found = False
    for text in {text for prompt in prompt_set.enabled for text in prompt.texts} - known.keys():
        sentence = too_long().get((engine.id, prompt_set.template.replace("{}", text)))
        if sentence is not None:
            fits = 0
            with suppress(EngineError):
                fits = longest_fit(engine, prompt_set.template, text)
            known[text] = Refusal(sentence, fits)
            found = True
    return found


def _remember(engine: Engine, text: str, error: EngineError) -> None:
    if isinstance(error, PromptTooLongError):
        if len(too_long()) >= _MOST_REMEMBERED:
            too_long().clear()
            _refusals().clear()
        too_long()[engine.id, text] = str(error)


def with_picture_vectors(
    engine: Engine, prompt_sets: Sequence[PromptSet], vectors: Vectors
) -> tuple[Vectors, list[str]]:
    """Return ``vectors`` with those of the prompts' pictures, and a sentence for each prompt that lacks some.

    Where there are pictures, those of the reference phrases come too, as far as they are embedded.
    """
    pictures = tuple(dict.fromkeys(sha256 for prompt_set in prompt_sets for sha256 in prompt_set.pictures))
    if not pictures:
        return vectors, []
    problems: dict[str, None] = {}
    found: Vectors = {}
    try:
        found = picture_vectors(store(), engine, pictures)
        problems = {problem: None for one in prompt_sets for problem in missing_pictures(one, found)}
    except EngineError as error:
        problems[str(error)] = None
    return vectors | store().text_vectors(engine.id, PHRASES) | found, list(problems)


def _one_by_one(engine: Engine, texts: tuple[str, ...], first: EngineError) -> tuple[Vectors, list[str]]:
    vectors: Vectors = dict(store().text_vectors(engine.id, texts))
    problems: dict[str, None] = {}
    for text in texts:
        if text in vectors:
            continue
        if len(texts) > 1 and first.concerns_one_text:
            try:
                vectors |= embed_texts_cached(store(), engine, (text,))
                continue
            except EngineError as error:
                _remember(engine, text, error)
                problems[str(error)] = None
        else:
            _remember(engine, text, first)
            problems[str(first)] = None
    return vectors, list(problems)


def analysis(
    info: EmbeddingInfo,
    prompt_set: PromptSet,
    vectors: Mapping[str, NDArray[np.float32]],
    reference: Reference | None = None,
) -> Analysis:
    """Return the analysis of stored samples; scores against the prompts are computed once per wording.

    ``reference`` is what ``reference`` gives for these samples; relative scores need it.
    """
    name = info.version
    loaded = samples(info)
    engine_id = info.key.engine_id
    wording = _digest([_said(prompt_set, prompt, engine_id, vectors) for prompt in prompt_set.enabled])
    cosine = _numbers(f"{name}|{wording}", lambda: prompt_cosines(loaded, prompt_set, vectors, engine_id))
    change = frame_change(info)
    return _analysis(
        f"{name}|{wording}|{_digest(prompt_set.to_dict())}",
        lambda: analyse(loaded, prompt_set, vectors, cosine=cosine, change=change, reference=reference),
    )


def _said(
    prompt_set: PromptSet, prompt: Prompt, engine_id: str, vectors: Mapping[str, NDArray[np.float32]]
) -> list[str]:
    """Return all that the vector of ``prompt`` depends on."""
    learned = prompt_set.learned_of(prompt, engine_id)
    pictures = [sha256 for sha256 in prompt.pictures if picture_key(sha256) in vectors]
    return [prompt.label, *prompt_set.phrases(prompt), "", *pictures, "", learned.vector if learned else ""]


def frame_change(info: EmbeddingInfo) -> NDArray[np.float64]:
    """Return ``lib.analysis.scoring.vector_change`` of the stored samples, ``(n,)``."""
    return _numbers(f"{info.version}|change", lambda: vector_change(samples(info).vectors))


def comparison(info_a: EmbeddingInfo, a: Analysis, info_b: EmbeddingInfo, b: Analysis) -> Comparison:
    """Return the comparison of two analyses of one video."""
    return _comparison("||".join([_of(info_a, a), _of(info_b, b)]), a, b)


@st.cache_resource(max_entries=8, show_spinner=False)
def _comparison(name: str, _a: Analysis, _b: Analysis) -> Comparison:
    return compare(_a, _b)


def reference(info: EmbeddingInfo, engine: Engine) -> Reference | None:
    """Return what the reference phrases reach on stored samples; None while some of them are not embedded.

    Raises:
        BadReplyError: the vectors of samples and phrases don't fit each other.
    """
    vectors = store().text_vectors(engine.id, PHRASES)
    return _reference(info.version, info, vectors) if len(vectors) == len(PHRASES) else None


@st.cache_resource(max_entries=16, show_spinner=False)
def _reference(name: str, _info: EmbeddingInfo, _vectors: Vectors) -> Reference:
    return reference_of(samples(_info), reference_vectors(_vectors))


def threshold_fit(
    info: EmbeddingInfo, analysis: Analysis, video: Video, label: str, *, sweep: bool
) -> ThresholdFit | None:
    """Return the threshold of ``label`` with the best F1; None where the ground truth does not contain it."""
    true = truth(video)
    name = f"{_of(info, analysis)}|{_truth_digest(true)}|{sweep}|{label}"
    return _threshold_fit(name, analysis, true, label, sweep) if true else None


@st.cache_resource(max_entries=32, show_spinner=False)
def _threshold_fit(
    name: str, _result: Analysis, _true: tuple[TrueSegment, ...], _label: str, _sweep: bool
) -> ThresholdFit | None:
    return suggest_with_truth(_result, _true, _label, sweep=_sweep)


def threshold_split(info: EmbeddingInfo, analysis: Analysis, label: str) -> ThresholdSplit:
    """Return where the scores of ``label`` fall into two groups, if they do."""
    return _threshold_split(f"{_of(info, analysis)}|{label}", analysis.scores[:, analysis.column(label)])


@st.cache_resource(max_entries=32, show_spinner=False)
def _threshold_split(name: str, _scores: NDArray[np.float64]) -> ThresholdSplit:
    return suggest_without_truth(_scores)


def evaluation(info: EmbeddingInfo, analysis: Analysis, video: Video) -> Evaluation | None:
    """Return an analysis against the ground truth of its video; None without ground truth."""
    true = truth(video)
    return _evaluation(f"{_of(info, analysis)}|{_truth_digest(true)}", analysis, true) if true else None


@st.cache_resource(max_entries=16, show_spinner=False)
def _evaluation(name: str, _result: Analysis, _true: tuple[TrueSegment, ...]) -> Evaluation:
    return evaluate(_result, _true)


def _truth_digest(true: tuple[TrueSegment, ...]) -> str:
    return _digest([[segment.label, segment.start_s, segment.end_s] for segment in true])


def f1_difference(
    info_a: EmbeddingInfo, a: Analysis, info_b: EmbeddingInfo, b: Analysis, video: Video
) -> dict[str, Difference]:
    """Return the difference in F1 of each label, with its interval; empty without ground truth."""
    against_a, against_b = evaluation(info_a, a, video), evaluation(info_b, b, video)
    if against_a is None or against_b is None:
        return {}
    name = "||".join([_of(info_a, a), _of(info_b, b), _truth_digest(truth(video))])
    return _difference(name, against_a, against_b)


@st.cache_resource(max_entries=16, show_spinner=False)
def _difference(name: str, _a: Evaluation, _b: Evaluation) -> dict[str, Difference]:
    return f1_differences(_a, _b, seed=0)


def verdict(info_a: EmbeddingInfo, a: Analysis, info_b: EmbeddingInfo, b: Analysis, video: Video) -> Verdict | None:
    """Return which side is better by the ground truth of the video; None where that has nothing of it."""
    against_a, against_b = evaluation(info_a, a, video), evaluation(info_b, b, video)
    if against_a is None or against_b is None:
        return None
    return _verdict("||".join([_of(info_a, a), _of(info_b, b), _truth_digest(truth(video))]), against_a, against_b)


@st.cache_resource(max_entries=16, show_spinner=False)
def _verdict(name: str, _a: Evaluation, _b: Evaluation) -> Verdict | None:
    return evaluation_verdict.verdict(_a, _b, overall_difference(_a, _b, seed=0))


def _of(info: EmbeddingInfo, analysis: Analysis) -> str:
    return f"{info.version}|{_digest(analysis.prompt_set.to_dict())}"


@st.cache_resource(max_entries=32, show_spinner=False)
def _numbers(name: str, _compute: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
    array = _compute()
    array.flags.writeable = False
    return array


@st.cache_resource(max_entries=16, show_spinner=False)
def _analysis(name: str, _compute: Callable[[], Analysis]) -> Analysis:
    return _compute()


def label_metrics(
    info: EmbeddingInfo,
    prompt_set: PromptSet,
    vectors: Mapping[str, NDArray[np.float32]],
    truth: tuple[TrueSegment, ...],
    reference: Reference | None = None,
) -> tuple[dict[str, Any], ...]:
    """Return every metric of every label, as ``lib.comparison.matrix.measure`` does, computed once.

    Only these few numbers are kept, so that many prompt sets by many videos fit; names and colours don't matter.
    """
    content = [
        prompt_set.settings.to_dict(),
        [
            [prompt.role, prompt.threshold, *_said(prompt_set, prompt, info.key.engine_id, vectors)]
            for prompt in prompt_set.enabled
        ],
        [[segment.label, segment.start_s, segment.end_s] for segment in truth],
    ]

    def compute() -> tuple[dict[str, Any], ...]:
        loaded = samples(info)
        result = analyse(
            loaded,
            prompt_set,
            vectors,
            engine_id=info.key.engine_id,
            change=frame_change(info),
            reference=reference,
        )
        if not truth:
            return measure(result, {})
        evaluated = evaluate(result, truth)
        f1 = {label: of_label.f1 for label, of_label in evaluated.by_label.items()}
        return measure(result, f1, overall(evaluated).to_dict())

    return _label_metrics(f"{info.version}|{_digest(content)}", compute)


def stored_macro_f1(info: EmbeddingInfo, prompt_set: PromptSet, video: Video) -> float | None:
    """Return the overall score of a prompt set against a video's ground truth; None where not all of it is stored."""
    engine_id, texts = info.key.engine_id, prompt_set.texts_to_embed
    vectors = store().text_vectors(engine_id, texts)
    if prompt_set.pictures:
        pictures = store().picture_vectors(engine_id, prompt_set.pictures)
        vectors = {**vectors, **{picture_key(sha256): vector for sha256, vector in pictures.items()}}
    wanted = {*texts, *map(picture_key, prompt_set.pictures)}
    if wanted - vectors.keys():
        return None
    phrases = {phrase: vectors[phrase] for phrase in PHRASES} if prompt_set.settings.score == "relative" else {}
    metrics = label_metrics(
        info, prompt_set, vectors, truth(video), _reference(info.version, info, phrases) if phrases else None
    )
    value = float(metrics[0]["macro_f1"]) if metrics else math.nan
    return None if math.isnan(value) else value


@st.cache_resource(max_entries=4096, show_spinner=False)
def _label_metrics(name: str, _compute: Callable[[], tuple[dict[str, Any], ...]]) -> tuple[dict[str, Any], ...]:
    return _compute()


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
