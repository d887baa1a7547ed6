"""The results of a search: a summary, the moments, and the actions on them."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import streamlit as st

from lib.core.errors import InputError, PromptreelError
from lib.core.formatting import as_text, format_time, plural
from lib.core.labelled_intervals import label_key
from lib.prompts.model import START_SETTINGS, Prompt, PromptSet
from lib.search.distribution import SCORE_DIGITS
from lib.search.query import parse_query
from lib.search.relative import SearchScore
from lib.services.search import Moment, SearchResult
from lib.ui.background import embedding, playable_copies
from lib.ui.components.moment_cards import Clip, MomentAction, MomentCard, moment_cards
from lib.ui.components.prompt_editor import MAX_LABEL
from lib.ui.panels.video import thumbnails_url
from lib.ui.search import state
from lib.ui.search.scope import SearchScope
from lib.ui.search.state import Picture, SimilarTo
from lib.ui.server import routes
from lib.ui.session import cache, opening
from lib.ui.session import state as experiment

_REMEMBERED = 200  # moments
_REST = "something else"


def summary(result: SearchResult) -> SearchResult:
    """Draw how many moments there are, of how many samples, how they were compared and ranked, and the time taken.

    Moments below the automatic cut are counted and listed on demand; returned is the result with those to list.
    """
    listed = replace(result, moments=result.reaching)
    below = len(result.moments) - len(listed.moments)
    videos = len({moment.sha256 for moment in listed.moments})
    what = f"**{plural(len(listed.moments), 'moment')}** in {plural(videos, 'video')}, best first"
    by = "relative score" if result.score_kind == "relative" else "cosine"
    how = "all compared" if result.exact else "by index, which may miss a moment"
    st.markdown(what if listed.moments else "**Nothing found**")
    st.caption(
        f"{result.samples:,} samples of {plural(result.videos, 'video')}, {how}, by {by}, {_took(result.took_s)}"
    )
    if result.cut is None or not below:
        return result
    search = state.current()
    query = f"{search.asked}|{search.like}|{search.picture}|{result.score_kind}"  # another query begins without them
    cut = _shown(result.cut, result.score_kind)
    wants_all = st.toggle(
        f"Show {below:,} more below {cut}",
        key=f"search_below.{hashlib.sha256(query.encode()).hexdigest()[:12]}",
        help=f"Automatic cuts halfway between the median and the best score, here at {cut}. Drag the threshold to "
        "cut elsewhere.",
    )
    return result if wants_all else listed


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


def show(scope: SearchScope, result: SearchResult, view: str) -> None:
    """Draw the moments."""
    tab = state.session()
    # Earlier moments are remembered for a while, as a click on one may still arrive.
    earlier = dict(list(tab.moments.items())[-_REMEMBERED:])
    tab.moments = earlier | {_id(moment): moment for moment in result.moments}
    cards = [_card(scope, moment) for moment in result.moments]
    scores = [moment.score for moment in result.moments]
    threshold = tab.search.thresholds.get(tab.search.scale(scope.engine.id))
    lowest = min(scores, default=0.0) if threshold is None else threshold
    action = moment_cards(
        cards,
        _clips(scope, result),
        key="search_moments",
        label="Moments found",
        layout="cards" if view == state.VIEWS[0] else "strips",
        scale=(lowest, max(scores, default=1.0)),
        unpromptable=_unpromptable(tab.search),
        empty=_empty(tab.search, threshold),
        on_action=_act,
    )
    if action is not None and tab.acks.get("action") != action.n and action.id in tab.moments:
        _act(action)
        st.rerun()


def _card(scope: SearchScope, moment: Moment) -> MomentCard:
    info, picture = scope.infos.get(moment.embedding_id), state.current().picture
    return MomentCard(
        id=_id(moment),
        video=moment.sha256,
        url=f"{thumbnails_url(info)}/{moment.best_frame}" if info else "",
        start_s=moment.start_s,
        end_s=moment.end_s,
        best_s=moment.best_s,
        score=_shown(moment.score, "cosine" if moment.cosine is None else "relative"),
        value=moment.score,
        about=_about(moment),
        folded=moment.folded,
        own=picture is not None
        and picture.time_s is not None
        and picture.content == moment.sha256
        and moment.start_s <= picture.time_s < moment.end_s,
    )


def _shown(score: float, kind: SearchScore) -> str:
    return f"{score:.{SCORE_DIGITS[kind]}f}".replace("-", "−")


def _about(moment: Moment) -> str:
    """Return what a moment's score is."""
    at = format_time(moment.best_s)
    if moment.cosine is None:
        return f"Cosine with the query, at {at}"
    return f"Relative score at {at}; 0 is an ordinary phrase, 1 a high one. Cosine {_shown(moment.cosine, 'cosine')}"


def _id(moment: Moment) -> str:
    return f"{moment.embedding_id}.{moment.best_frame}"


def _clips(scope: SearchScope, result: SearchResult) -> dict[str, Clip]:
    names = {moment.sha256: moment.video for moment in result.moments}
    return {sha256: _clip(scope, sha256, name) for sha256, name in names.items()}


def _clip(scope: SearchScope, sha256: str, name: str) -> Clip:
    video = scope.videos.get(sha256)
    if video is None:
        return Clip(name, (0.0, 0.0), None, problem="The video isn’t in the library any more; search again.")
    ends = [info.end_s for info in scope.infos.values() if info.key.sha256 == sha256]
    span_s = video.start_s, max([video.end_s or 0.0, *ends])
    if sha256 in state.session().copies:
        playable = playable_copies.playable(video)
        return Clip(name, span_s, playable.src, playable.problem, playable.offset_s)
    store = cache.store()
    try:
        path = store.file_path(sha256)
        copy = store.proxy_path(sha256)
        refused = sha256 in st.session_state.get("refused", ())
        if video.browser_playable and not refused:
            return Clip(name, span_s, routes.url_for_video(path))
        src = routes.url_for_video(copy) if copy.exists() else None
        return Clip(name, span_s, src, offset_s=video.copy_offset_s)
    except PromptreelError as error:
        return Clip(name, span_s, None, problem=str(error))


def _unpromptable(search: state.Search) -> str:
    if search.like is not None or not parse_query(search.asked).texts:
        return "A prompt needs words; type some into the box"
    return ""


def _empty(search: state.Search, threshold: float | None) -> str:
    if threshold is not None and search.drop_lone:
        return "Only single-frame hits reach the threshold; lower it, or show single-frame hits (Options)."
    if threshold is not None:
        return "No sample reaches the threshold; lower it, or press Automatic."
    if search.drop_lone:
        return "Only single-frame hits; show those (Options), or search for something else."
    return "Nothing found; search for something else."


# --- actions ---------------------------------------------------------------------------------------------------------


@experiment.callback
def _act(action: MomentAction) -> None:
    tab = state.session()
    moment = tab.moments.get(action.id)
    if moment is None or not tab.acknowledge("action", action.n):
        return
    if action.kind == "like":
        sample = SimilarTo(moment.embedding_id, moment.sha256, moment.best_frame, moment.best_s, moment.video)
        state.search_for(text="", like=sample)
    elif action.kind == "crop":
        state.search_for(text="", picture=Picture(moment.video, moment.sha256, moment.best_s))
    elif action.kind == "copy":
        tab.copies.add(moment.sha256)
    else:
        tab.pending = action  # needs a run, to open another page or to make a copy


def do_pending(scope: SearchScope) -> None:
    """Run the action that was asked for on a moment; it may open another page."""
    tab = state.session()
    action, tab.pending = tab.pending, None
    moment = tab.moments.get(action.id) if action else None
    if action is None or moment is None or moment.sha256 not in scope.videos:
        return
    video = scope.videos[moment.sha256]
    if action.kind == "refused":
        tab.copies.add(video.sha256)
        playable_copies.want_copy(video)
        return
    info = scope.infos.get(moment.embedding_id)
    if action.kind == "explore":
        embedding.open_in_explore(video, info, seek_s=moment.best_s)
        return
    try:
        opening.begin_with(prompts_of(tab.search.asked), video.sha256)
    except PromptreelError as error:
        st.error(as_text(str(error)), icon=":material/error:")
        return
    embedding.go_to_explore(info, seek_s=moment.start_s)


def prompts_of(text: str) -> PromptSet:
    """Return a prompt set of the words of a query; excluded ones and the rest of a video are background.

    A label has to win against the background and to reach the threshold: alone, words would claim whatever is nearest.

    Raises:
        InputError: they are too long for a label.
        PromptSetError: they make no prompt set.
    """
    query = parse_query(text)
    for label in (*query.texts, *query.avoid):
        if len(label) > MAX_LABEL:
            raise InputError(
                f"A label has at most {MAX_LABEL} characters, and these words have {len(label)}; shorten them."
            )
    prompts = {label_key(label): Prompt(label) for label in query.texts}
    for label in (*query.avoid, _REST):
        prompts.setdefault(label_key(label), Prompt(label, role="background"))
    settings = replace(START_SETTINGS, decision="best_threshold")
    return PromptSet(text.strip()[:MAX_LABEL], tuple(prompts.values()), settings=settings)


def _took(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
