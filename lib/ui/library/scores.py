"""The overall scores of listed experiments, from what is stored alone: no engine is loaded or asked."""

from __future__ import annotations

from contextlib import suppress

from lib.core.errors import PromptreelError
from lib.engines.embedded_models import EMBEDDED_MODELS
from lib.services.catalogue import Choice
from lib.services.experiments import Experiment, engine_fields
from lib.services.server_identity import address_of
from lib.store.embeddings import EmbeddingInfo
from lib.ui.session import cache


def macro_f1(choice: Choice) -> float | None:
    """Return the overall score of an experiment now; None without ground truth, or where something isn't stored."""
    with suppress(PromptreelError):
        experiment = choice.get()
        return _macro_f1(experiment) if experiment is not None else None
    return None


def _macro_f1(experiment: Experiment) -> float | None:
    prompt_set, _ = experiment.prompt_set()
    if prompt_set is None or not prompt_set.enabled or experiment.video is None:
        return None
    video = cache.store().video(experiment.video)
    infos = [info for info in cache.store().embeddings(video.sha256) if _is_of(info, experiment)]
    if len(infos) != 1 or not cache.truth(video):
        return None
    return cache.stored_macro_f1(infos[0], prompt_set, video)


def _is_of(info: EmbeddingInfo, experiment: Experiment) -> bool:
    """Return whether an embedding is surely the one that the experiment shows."""
    engine_id, home = info.key.engine_id, cache.store().home
    if not info.complete or info.key.sampling_key != experiment.sampling:
        return False
    fields = engine_fields(engine_id)
    if any(getattr(experiment, name) != value for name, value in fields.items()):
        return False
    if experiment.engine in EMBEDDED_MODELS:
        engine = cache.embedded_engine(experiment.engine)
        return engine.installed and engine.id == engine_id
    if "model_version" in fields:
        return address_of(home, engine_id, experiment.server_url) == experiment.server_url
    return fields.get("model") == experiment.model
