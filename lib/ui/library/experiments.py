"""All experiments as a list that is searched, sorted and opened; the deleted ones below it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.core.formatting import ago, escape_markdown
from lib.services.catalogue import Choice
from lib.services.experiments import MAX_TITLE
from lib.ui.library import scores
from lib.ui.panels import filter_box
from lib.ui.session import opening, state
from lib.ui.session.peek import peek_state

_PER_PAGE = 10
_DAMAGED_NAMED = 5
_DELETED_SHOWN = 50
_LABELS = 5
_WIDTHS = (0.5, 4.0, 2.4, 3.0, 1.5, 2.4, 0.9)
_NO_SCORE = "–"
_SCORE_HELP = (
    "Overall score: macro F1 over all labels of the video’s ground truth, computed now. A dash where there is no "
    "ground truth, or where not all that it needs is stored."
)


@dataclass(frozen=True)
class _Shown:
    choice: Choice
    score: DeltaGenerator


def draw() -> list[_Shown]:
    """Draw the list; return what is shown, for ``fill_scores``."""
    listing = opening.choices()
    found = [one for one in listing.choices if one.kind == "experiment"]
    deleted = opening.deleted()
    if not found and not listing.damaged and not deleted:
        return []
    st.header("Experiments")
    if listing.damaged:
        files = escape_markdown(", ".join(listing.damaged[:_DAMAGED_NAMED]))
        st.caption(f"Damaged or of another version, so left out: {files} in the folder experiments.")
    shown = _list(found) if found else []
    if deleted:
        _draw_deleted(deleted)
    return shown


def fill_scores(shown: Sequence[_Shown]) -> None:
    """Draw the scores of the listed experiments, after the rest of the page as they may take a while."""
    for one in shown:
        value = scores.macro_f1(one.choice)
        one.score.caption(_NO_SCORE if value is None else f"{value:.2f}")


def _list(found: Sequence[Choice]) -> list[_Shown]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = filter_box.draw(
            "experiments_search",
            label="Search experiments",
            placeholder="Search titles, notes, labels, prompt sets and videos",
            width=420,
        )
        order = st.selectbox(
            "Order of experiments",
            list(_ORDERS),
            key="experiments_order",
            label_visibility="collapsed",
            width=220,
            persist_state="session",
        )
        starred = st.toggle("Starred only", key="experiments_starred", persist_state="session")
    chosen = [one for one in found if one.matches(words) and (one.starred or not starred)]
    chosen = _ORDERS[order](chosen)
    pages = -(-len(chosen) // _PER_PAGE)
    if not chosen:
        st.info("No experiment has all of these words; try fewer, or parts of them.", icon=":material/search_off:")
        return []
    with st.container(gap="xxsmall", key="experiments_list"):
        _heading()
        below = st.container()
    with st.container(horizontal=True, vertical_alignment="center"):
        number = st.pagination(pages, key=f"experiments_page_{words}_{starred}_{order}") if pages > 1 else 1
        st.caption(f"{len(chosen)} of {_counted(len(found))}" if len(chosen) < len(found) else _counted(len(found)))
    with below, st.container(gap="xxsmall"):
        return [_row(one) for one in chosen[(number - 1) * _PER_PAGE : number * _PER_PAGE]]


def _counted(count: int) -> str:
    return f"{count} experiment{'s' if count > 1 else ''}"


def _starred_first(key: Callable[[Choice], object], *, reverse: bool = False) -> Callable[[list[Choice]], list[Choice]]:
    def ordered(chosen: list[Choice]) -> list[Choice]:
        by_key = sorted(chosen, key=key, reverse=reverse)  # type: ignore[arg-type]
        return sorted(by_key, key=lambda one: not one.starred)

    return ordered


def _by_score(chosen: list[Choice]) -> list[Choice]:
    with st.spinner(f"Computing the scores of {_counted(len(chosen))}…"):
        values = {one.key: scores.macro_f1(one) for one in chosen}
    return sorted(chosen, key=lambda one: -1.0 if (value := values[one.key]) is None else value, reverse=True)


_ORDERS: dict[str, Callable[[list[Choice]], list[Choice]]] = {
    "Edited last, starred first": _starred_first(lambda one: one.written_at, reverse=True),
    "Title, starred first": _starred_first(lambda one: one.title.casefold()),
    "Video, starred first": _starred_first(lambda one: one.video_name.casefold()),
    "Macro F1, best first": _by_score,
}


def _heading() -> None:
    names = ("", "Title", "Video", "Labels", "F1", "Edited", "")
    for column, name in zip(st.columns(_WIDTHS, gap="small"), names, strict=True):
        if name:
            column.caption(name, help=_SCORE_HELP if name == "F1" else None)


def _row(one: Choice) -> _Shown:
    star, title, video, labels, score, edited, menu = st.columns(_WIDTHS, gap="small", vertical_alignment="center")
    star.button(
        "★" if one.starred else "☆",
        key=f"star_{one.id}",
        type="tertiary",
        help="Unstar" if one.starred else "Star: starred ones come first",
        on_click=_star,
        args=(one.id, not one.starred),
    )
    is_open = " (open)" if one.id == state.current().id else ""
    if title.button(escape_markdown(one.title + is_open), key=f"continue_{one.id}", type="tertiary", help=_note(one)):
        opening.open_saved(one.id)
        st.switch_page("pages/explore.py", query_params=state.address())
    video.caption(escape_markdown(one.video_name))
    more = f", +{len(one.labels) - _LABELS}" if len(one.labels) > _LABELS else ""
    labels.caption(escape_markdown(", ".join(one.labels[:_LABELS]) + more))
    place = score.empty()
    edited.caption(ago(time.time() - one.written_at))
    with menu.popover("More", icon=":material/more_vert:", key=f"more_{one.id}", type="tertiary"):
        _actions(one)
    return _Shown(one, place)


def _note(one: Choice) -> str | None:
    note = one.note.strip()
    return escape_markdown(note[:300] + ("…" if len(note) > 300 else "")) if note else None


def _actions(one: Choice) -> None:
    st.text_input(
        "Title",
        value=one.own_title,
        max_chars=MAX_TITLE,
        placeholder=one.title,
        key=(key := f"title_of_{one.id}_{one.own_title}"),
        on_change=_rename,
        args=(one.id, key),
    )
    if st.button("Duplicate", key=f"duplicate_{one.id}", icon=":material/content_copy:"):
        experiment = one.get()
        if experiment is not None:
            opening.duplicate(experiment)
            st.switch_page("pages/explore.py", query_params=state.address())
    st.button("Delete", key=f"delete_{one.id}", icon=":material/delete:", on_click=_delete, args=(one.id,))


@state.callback
def _star(experiment_id: str, starred: bool) -> None:
    opening.change(experiment_id, starred=starred)


@state.callback
def _delete(experiment_id: str) -> None:
    opening.delete(experiment_id)


@state.callback
def _rename(experiment_id: str, key: str) -> None:
    opening.change(experiment_id, title=str(peek_state()[key]).strip())


def _draw_deleted(deleted: Sequence[Choice]) -> None:
    with st.expander(f"Deleted experiments ({len(deleted)})", icon=":material/delete:"):
        for one in deleted[:_DELETED_SHOWN]:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button("Restore", key=f"restore_{one.id}", on_click=_restore, args=(one.id,))
                st.markdown(escape_markdown(one.name), width="content")
                st.caption(f"deleted {ago(time.time() - one.written_at)}", width="content")
        if len(deleted) > _DELETED_SHOWN:
            st.caption(f"{len(deleted) - _DELETED_SHOWN} older ones are in the folder experiments/trash.")


@state.callback
def _restore(experiment_id: str) -> None:
    opening.restore(experiment_id)
