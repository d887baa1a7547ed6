"""From a stored video to an analysis, and the analysis as a document.

The command line prints this document, and the dashboard offers it for download.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lib.analysis.analysis import Analysis, analyse
from lib.core.samples import Samples
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.ingest.ingest import embedding_key
from lib.prompts.model import PromptSet
from lib.services.picture_examples import vectors_of
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store
from lib.store.videos import Video


def analyse_stored(store: Store, video: Video, engine: Engine, sampling: Sampling, prompt_set: PromptSet) -> Analysis:
    """Return what ``prompt_set`` finds in an embedded video; only texts new to the store are sent to ``engine``.

    Raises:
        NotStoredError: the video is not embedded with this engine and sampling.
        EngineError: a text can't be embedded.
        PromptSetError, SettingsError: the prompt set can't be scored; see ``lib.analysis.analysis.analyse``.
    """
    samples = store.load(embedding_key(video, engine, sampling))
    return analyse(samples, prompt_set, vectors_of(store, engine, prompt_set), engine_id=engine.id)


def sampling_document(sampling: Sampling) -> dict[str, int | float | str]:
    """Return ``{"stride": 10}`` or ``{"fps": 2.5}``, with the framing where it isn't the model's own."""
    value = sampling.value
    framing = {"framing": sampling.framing} if sampling.framing else {}
    return {sampling.kind: int(value) if value.denominator == 1 else float(value), **framing}


def video_document(video: Video, embedded: EmbeddingInfo | Samples, *, samples: int) -> dict[str, Any]:
    """Return the document's ``video``: its time line goes from ``start_s`` to ``start_s + duration_s``."""
    return {
        "sha256": video.sha256,
        "name": video.name,
        "start_s": embedded.start_s,
        "duration_s": embedded.duration_s,
        "width": video.width,
        "height": video.height,
        "samples": samples,
    }


def damage_document(store: Store, info: EmbeddingInfo) -> dict[str, Any]:
    """Return what is lost of a video: ``damage``, None for a video that was read whole, and ``gaps``, in order."""
    damage = {"after_s": info.damage_after_s, "message": info.damage} if info.damage else None
    return {"damage": damage, "gaps": [asdict(gap) for gap in store.gaps(info.key)]}


def engine_document(engine: Engine) -> dict[str, Any]:
    """Return the document's ``engine``."""
    return {"id": engine.id, "dim": engine.dim}


def report(
    store: Store,
    video: Video,
    info: EmbeddingInfo,
    engine: Engine,
    analysis: Analysis,
    *,
    samples: bool = False,
    shots: bool = False,
) -> dict[str, Any]:
    """Return the analysis as a document of plain types, with all that is needed to reproduce the numbers.

    Keys, in order: ``video``, ``damage``, ``gaps``, ``engine``, ``sampling``, ``prompt_set``, ``settings``,
    ``metrics``, ``segments``, ``effects`` (what smoothing, hysteresis, merging and minimum duration changed) and, where
    asked for, ``shots`` and ``samples``.
    """
    return {
        "video": video_document(video, analysis.samples, samples=len(analysis.samples)),
        **damage_document(store, info),
        "engine": engine_document(engine),
        "sampling": sampling_document(Sampling.from_key(info.key.sampling_key)),
        **analysis.to_dict(samples=samples, shots=shots),
    }
