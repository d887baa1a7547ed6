"""What was found: a line about it, the moments, and what people do with them."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lib.core.errors import PromptreelError
from lib.core.formatting import plural
from lib.prompts.model import MAX_PROMPTS
from lib.search.query import parse_query
from lib.services.experiments import PromptRow
from lib.services.search import Moment, SearchResult
from lib.ui.background import embedding, playable_copies
from lib.ui.components.moment_cards import Clip, Hit, MomentAction, hits
from lib.ui.components.prompt_editor import MAX_LABEL
from lib.ui.panels.video import thumbnails_url
from lib.ui.search import state
from lib.ui.search.scope import SearchScope
from lib.ui.search.state import Like, Picture
from lib.ui.server import routes
from lib.ui.session import cache
from lib.ui.session import state as experiment

_KEPT = 200


def line(result: SearchResult) -> None:
    """Say how much was found in how much, how long it took and whether every sample was compared."""
    videos = len({moment.sha256 for moment in result.moments})
    what = f"**{plural(len(result.moments), 'moment')}** in {plural(videos, 'video')}, best first"
    how = "every one compared" if result.exact else "by index, which may miss a moment"
    st.markdown(what if result.moments else "**Nothing found**")
    st.caption(
        f"{result.samples:,} samples of {plural(result.videos, 'video')}, {how}, {_took(result.took_s)}"
    )


def choose_view() -> str:
    """Draw the choice between cards and timelines, and return it."""
    view = st.segmented_control(
        "Show as",
        state.VIEWS,
        default=state.current().view,
        required=True,
        label_visibility="collapsed",
        **state.option("view"),
    )
    return str(view)


def show(place: SearchScope, result: SearchResult, view: str) -> None:
    """Draw the moments."""
    here = state.begin()
    # Those shown before stay known for a while: a click on one may be on its way.
    kept = dict(list(here.moments.items())[-_KEPT:])
    here.moments = kept | {_id(moment): moment for moment in result.moments}
    found = [_hit(place, moment) for moment in result.moments]
    scores = [moment.score for moment in result.moments]
    threshold = here.search.thresholds.get(here.search.scale(place.engine.id))
    lowest = min(scores, default=0.0) if threshold is None else threshold
    deed = hits(
        found,
        _clips(place, result),
        key="search_hits",
        label="Moments found",
        layout="cards" if view == state.VIEWS[0] else "strips",
        scale=(lowest, max(scores, default=1.0)),
        unpromptable=_unpromptable(here.search),
        empty=_empty(here.search, threshold),
        on_deed=_heard,
    )
    if deed is not None and here.numbers.get("deed") != deed.n and deed.id in here.moments:
        _heard(deed)
        st.rerun()


def _hit(place: SearchScope, moment: Moment) -> Hit:
    info, picture = place.infos.get(moment.embedding_id), state.current().picture
    return Hit(
        id=_id(moment),
        video=moment.sha256,
        url=f"{thumbnails_url(info)}/{moment.best_frame}" if info else "",
        start_s=moment.start_s,
        end_s=moment.end_s,
        best_s=moment.best_s,
        score=moment.score,
        folded=moment.folded,
        own=picture is not None
        and picture.time_s is not None
        and picture.content == moment.sha256
        and moment.start_s <= picture.time_s < moment.end_s,
    )


def _id(moment: Moment) -> str:
    return f"{moment.embedding_id}.{moment.best_frame}"


def _clips(place: SearchScope, result: SearchResult) -> dict[str, Clip]:
    names = {moment.sha256: moment.video for moment in result.moments}
    return {sha256: _clip(place, sha256, name) for sha256, name in names.items()}


def _clip(place: SearchScope, sha256: str, name: str) -> Clip:
    video = place.videos.get(sha256)
    if video is None:
        return Clip(name, 0.0, None, problem="The video isn’t in the library any more; search again.")
    lengths = [info.duration_s for info in place.infos.values() if info.key.sha256 == sha256]
    length = max([video.duration_s or 0.0, *lengths])
    if sha256 in state.begin().copies:
        made = playable_copies.playable(video)
        return Clip(name, length, made.src, made.problem)
    store = cache.store()
    try:
        path = store.file_path(sha256)
        copy = store.proxy_path(sha256)
        refused = sha256 in st.session_state.get("refused", ())
        if video.browser_playable and not refused:
            return Clip(name, length, routes.url_for_video(path))
        return Clip(name, length, routes.url_for_video(copy) if copy.exists() else None)
    except PromptreelError as error:
        return Clip(name, length, None, problem=str(error))


def _unpromptable(search: state.Search) -> str:
    if search.like is not None or not parse_query(search.asked).texts:
        return "A prompt needs words; type some into the box"
    return ""


def _empty(search: state.Search, threshold: float | None) -> str:
    if threshold is not None and search.drop_lone:
        return "Nothing but lone hits reaches the threshold; lower it, or keep lone hits (Options)."
    if threshold is not None:
        return "No sample reaches the threshold; lower it, or press Automatic."
    if search.drop_lone:
        return "Nothing but lone hits; keep those (Options), or search for something else."
    return "Nothing found; search for something else."


# --- deeds ---------------------------------------------------------------------------------------------------------


@experiment.callback
def _heard(deed: MomentAction) -> None:
    here = state.begin()
    moment = here.moments.get(deed.id)
    if moment is None or not here.newly_heard("deed", deed.n):
        return
    if deed.kind == "like":
        like = Like(moment.embedding_id, moment.sha256, moment.best_frame, moment.best_s, moment.video)
        state.ask(text="", like=like)
    elif deed.kind == "crop":
        state.ask(text="", picture=Picture(moment.video, moment.sha256, moment.best_s))
    elif deed.kind == "copy":
        here.copies.add(moment.sha256)
    else:
        here.pending = deed  # needs a run: to go to another page, or to have a copy made


def do_pending(place: SearchScope) -> None:
    """Do what was asked for with a moment; this may lead to another page."""
    here = state.begin()
    deed, here.pending = here.pending, None
    moment = here.moments.get(deed.id) if deed else None
    if deed is None or moment is None or moment.sha256 not in place.videos:
        return
    video = place.videos[moment.sha256]
    if deed.kind == "refused":
        here.copies.add(video.sha256)
        playable_copies.want_copy(video)
        return
    if deed.kind == "prompt":
        problem = add_prompts(here.search.asked)
        if problem:
            st.error(problem, icon=":material/error:")
            return
    experiment.session().open_video(video.sha256)
    experiment.session().seek(moment.best_s if deed.kind == "explore" else moment.start_s)
    embedding.open_in_explore(video, place.infos.get(moment.embedding_id))


def add_prompts(text: str) -> str | None:
    """Add the words of a query to the prompt table, those to avoid as background; return what kept it from that."""
    query = parse_query(text)
    with experiment.session().lock:
        rows = list(experiment.current().rows)
        while rows and rows[-1] == PromptRow():
            rows.pop()
        for role, words in (("target", query.texts), ("background", query.avoid)):
            for label in words:
                label = label[:MAX_LABEL]
                known = next((place for place, row in enumerate(rows) if row.label.strip() == label), None)
                if known is None:
                    rows.append(PromptRow(label=label, role=role))
                elif not rows[known].enabled:
                    rows[known] = replace(rows[known], enabled=True)
        if len(rows) > MAX_PROMPTS:
            return f"The prompt table holds {MAX_PROMPTS} rows; remove one in Explore first."
        experiment.session().change(rows=tuple(rows))
    return None


def _took(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
