"""Which experiment a tab works on: begin, duplicate, delete; the one of a video, of a sample, of a prompt set.

Nothing here changes an experiment that has something in it: another one is begun or opened beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lib.core.errors import InputError
from lib.prompts.model import PromptSet
from lib.services import catalogue, documents, experiment_merge, experiments
from lib.services.catalogue import Choice, Listing
from lib.services.experiments import Experiment, shown_title
from lib.store.videos import Video
from lib.ui.session import cache, state
from lib.ui.session.folders import SAMPLES
from lib.ui.session.session import Offer, Session

_KEPT = ("video", "engine", "server_url", "model_version", "model", "sampling")


def choices() -> Listing:
    """Return all that can be chosen to work with; samples come with the engine and sampling of this tab."""
    listing = catalogue.listed(cache.store().home, _video_names(), _sample_files())
    return replace(listing, choices=tuple(_with_engine_here(one) for one in listing.choices))


def _with_engine_here(choice: Choice) -> Choice:
    if choice.kind != "sample":
        return choice

    def get() -> Experiment | None:
        experiment, present = choice.get(), state.current()
        kept = {name: getattr(present, name) for name in _KEPT if name != "video"}
        return None if experiment is None else replace(experiment, **kept)

    return replace(choice, get=get)


def deleted() -> tuple[Choice, ...]:
    """Return the experiments in the trash, deleted last first."""
    return catalogue.deleted(cache.store().home, _video_names())


def _video_names() -> dict[str, str]:
    return {video.sha256: video.name for video in cache.store().videos()}


def named(experiment: Experiment) -> str:
    """Return what an experiment is called, with its video."""
    return shown_title(experiment, _video_names().get(experiment.video or ""))


# --- begin ----------------------------------------------------------------------------------------------------------


def begin_empty() -> None:
    """Begin an experiment without prompts on the same video, with the same engine and sampling."""
    _begin(_empty_like(state.current()))


def begin_with(prompt_set: PromptSet, video: str | None) -> None:
    """Begin an experiment with a prompt set on a video; None: on the same one. Engine and sampling stay."""
    begun = _empty_like(state.current()).with_prompt_set(prompt_set)
    _begin(replace(begun, video=video or begun.video))


def duplicate(experiment: Experiment) -> None:
    """Open a copy of an experiment, and of what it is compared with."""
    copy, home = experiments.duplicate(experiment), cache.store().home
    beside = experiments.load(home, experiment.beside) if experiment.beside else None
    if beside is not None:
        copy = replace(copy, beside=experiments.new_id())
        experiments.save(home, replace(beside, id=str(copy.beside)))
    offer = Offer(f"This is a copy of “{named(experiment)}”.", "Back to the first one", _opener(experiment.id))
    state.open_experiment(copy, new=True, offer=offer)


def _begin(experiment: Experiment) -> None:
    before = state.current()
    offer = Offer(f"This is a new experiment; “{named(before)}” is as it was.", "Back to it", _opener(before.id))
    state.open_experiment(experiment, new=True, offer=None if before.untouched else offer)


def _empty_like(experiment: Experiment) -> Experiment:
    kept = {name: getattr(experiment, name) for name in _KEPT}
    return replace(experiments.fresh(), **kept)


# --- open -----------------------------------------------------------------------------------------------------------


def open_saved(experiment_id: str) -> None:
    """Open a saved experiment; one in the trash is taken from there.

    Raises:
        InputError: it isn't there any more.
        StoreError, OSError: it can't be read.
    """
    home = cache.store().home
    documents.bring_back(experiment_merge.KIND, home, experiment_id)
    experiment = experiments.load(home, experiment_id)
    if experiment is None:
        raise InputError("That experiment isn’t there any more; choose another one.")
    if experiment.id != state.current().id:
        state.open_experiment(experiment)


def open_chosen(experiment: Experiment) -> None:
    """Open what was chosen from ``choices``: an experiment itself, or a new one from anything else."""
    if experiments.path_of(cache.store().home, experiment.id).exists():
        open_saved(experiment.id)
    else:
        _begin(experiment)


def _opener(experiment_id: str) -> Callable[[], None]:
    return lambda: open_saved(experiment_id)


def open_video(video: Video, **wanted: Any) -> None:
    """Open the experiment that was last worked on with a video, or begin one.

    A new one has the prompts of a sample where the video is one that has some, else a copy of those of this tab.

    Args:
        video: any of the store.
        wanted: fields that the experiment is to have, such as the engine; a new one gets them.
    """
    before = state.current()
    if before.video == video.sha256 and _has(before, wanted):
        return
    if (found := _last(video.sha256, wanted)) is not None:
        state.open_experiment(found, offer=_offer_prompts(before, found))
        return
    if before.untouched or before.video is None:
        state.session().open_video(video.sha256)
        return
    other = _last(video.sha256, {})  # with another engine
    file = sample_file(video)
    own = None if file is None else catalogue.sample_prompts(file)
    if other is not None:
        begun, offer = experiments.duplicate(other), None
    elif own is not None:
        begun, offer = replace(_empty_like(before), video=video.sha256).with_prompt_set(own), None
    else:
        begun = _copy(before, video.sha256)
        offer = Offer(
            f"A new experiment, as this video had none, with a copy of the prompts of “{named(before)}”.",
            "Begin without prompts",
            lambda: state.session().replace_experiment(replace(state.current(), rows=(), name="untitled", title="")),
        )
    state.open_experiment(replace(begun, **wanted), new=True, offer=offer if before.rows else None)


def sample_file(video: Video) -> Path | None:
    """Return the bundled sample that a video is, wherever its file lies; None for any other video."""
    return catalogue.sample_of(video, _sample_files())


def _sample_files() -> list[Path]:
    return sorted(SAMPLES.glob("*.mp4"))


def open_sample(video: Video) -> None:
    """Open the experiment with a sample's own prompts that was worked on last, or begin one."""
    file = sample_file(video)
    prompt_set = None if file is None else catalogue.sample_prompts(file)
    if prompt_set is None:
        open_video(video)
        return
    before = state.current()
    found = _last(video.sha256, {"name": prompt_set.name})
    if found is None:
        begin_with(prompt_set, video.sha256)
    elif found.id != before.id:
        state.open_experiment(found)


def open_same(video: Video) -> None:
    """Open an experiment with all that this tab's says, but on another video, or begin one."""
    before = state.current()
    found = (experiment for experiment in _on(video.sha256) if experiment.with_experiment(before) == experiment)
    experiment = next(found, None)
    state.open_experiment(experiment or _copy(before, video.sha256), new=experiment is None)


def open_with(prompt_set: PromptSet, video: str | None) -> None:
    """Open an experiment with this prompt set on a video, or begin one; None as the video is the present one."""
    video, before = video or state.current().video, state.current()
    if before.video == video and before.prompt_set()[0] == prompt_set:
        return
    for experiment in _on(video):
        if experiment.prompt_set()[0] == prompt_set:
            state.open_experiment(experiment)
            return
    begin_with(prompt_set, video)


def _offer_prompts(before: Experiment, found: Experiment) -> Offer | None:
    if not before.rows or before.rows == found.rows:
        return None

    def act() -> None:
        state.open_experiment(_copy(before, found.video), new=True)

    sentence = f"This is “{named(found)}”, the last experiment of this video."
    return Offer(sentence, f"New one with the prompts of “{shown_title(before)}”", act)


def _copy(experiment: Experiment, video: str | None) -> Experiment:
    copy = experiments.duplicate(experiment)
    baseline = copy.baseline if video == copy.video else None
    return replace(copy, video=video, title=experiment.title, note="", baseline=baseline)


def _has(experiment: Experiment, wanted: Mapping[str, str]) -> bool:
    return all(getattr(experiment, name) == value for name, value in wanted.items())


def _last(video: str, wanted: Mapping[str, str]) -> Experiment | None:
    return next((experiment for experiment in _on(video) if _has(experiment, wanted)), None)


def _on(video: str | None) -> Iterator[Experiment]:
    """Return the experiments of a video, the one written last first."""
    chosen = (one.get() for one in choices().choices if one.kind == "experiment" and one.video == video)
    return (experiment for experiment in chosen if experiment is not None)


# --- change, delete --------------------------------------------------------------------------------------------------


def change(experiment_id: str, **fields: Any) -> None:
    """Change fields of any saved experiment: title, note, star.

    Raises:
        InputError, StoreError, OSError: it isn't there any more, or can't be read or written.
    """
    tab = state.session()
    if experiment_id == tab.experiment.id:
        tab.change(**fields)
        return
    home = cache.store().home
    before = experiments.load(home, experiment_id)
    if before is None:
        raise InputError("That experiment isn’t there any more; choose another one.")
    changed = replace(before, **fields)
    documents.synchronise(experiment_merge.KIND, home, experiment_id, base=before, ours=changed)


def delete(experiment_id: str) -> None:
    """Move an experiment to the trash, and offer to undo that; where the tab has it open, it opens another one.

    Raises:
        StoreError, OSError: it can't be moved.
    """
    tab, home = state.session(), cache.store().home
    experiment = tab.experiment if experiment_id == tab.experiment.id else experiments.load(home, experiment_id)
    if experiment is None:
        return
    tab.save()
    holder = tab if experiment_id == tab.experiment.id else Session(experiment, told=tab.told)
    holder.keep("deletion")
    documents.discard(experiment_merge.KIND, home, experiment_id)
    offer = Offer(f"“{named(experiment)}” is deleted.", "Undo", _opener(experiment_id))
    if experiment_id != tab.experiment.id:
        tab.offer = replace(offer, act=lambda: restore(experiment_id))
        return
    other = next(_on(experiment.video), None)
    state.open_experiment(other or _empty_like(experiment), new=other is None, offer=offer)


def restore(experiment_id: str) -> None:
    """Take an experiment from the trash, where it was put by ``delete``."""
    documents.bring_back(experiment_merge.KIND, cache.store().home, experiment_id)
