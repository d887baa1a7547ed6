"""Panels of the Archive page: what of it is shown, as cards or as a table, and the video that is chosen in it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from lib.comparison.archive_view import ORDERS, ArchiveView, VideoFacts, is_wrong, looked_at, shown
from lib.comparison.categories import BY, By, VideoCategories, counts, labels_table, videos_table
from lib.core.errors import InputError, PromptreelError
from lib.core.formatting import as_text, format_duration, format_time, percent, plural
from lib.core.spreadsheet import spreadsheet_csv
from lib.ground_truth.categories import parse_categories
from lib.services import categories
from lib.ui.archive.classification import Archive
from lib.ui.background import embedding
from lib.ui.components.gallery import GalleryItem, gallery
from lib.ui.panels.video import thumbnails_url
from lib.ui.session import cache, opening, state, theme
from lib.ui.session.peek import peek_state

_PAGE = 24
"""Cards at a time."""
_NONE = "no category"
_BY_NAMES: Mapping[By, str] = {"share": "Largest share", "mean": "Highest mean score"}
_ORDER_NAMES = {
    "category": "Category",
    "name": "Name",
    "length": "Length",
    "share": "Share",
    "duration": "Duration",
    "first_seen": "First seen",
    "peak": "Peak score",
}
_OF_LABEL = {
    "share": ("share", "percent"),
    "duration_s": ("duration (s)", "%.1f"),
    "first_seen_s": ("first seen (s)", "%.1f"),
    "peak_score": ("peak score", "%.3f"),
}
"""Numbers of the label looked at: heading and format of their columns."""
_TRUE = "archive_true"
_CHOSEN = "archive_chosen"


def facts_of(archive: Archive) -> tuple[dict[str, VideoFacts], str]:
    """Return what is known of each classified video beside its categories, and why true categories can't be read."""
    problem = ""
    try:
        true = categories.true_categories(cache.store().home)
    except PromptreelError as error:
        true, problem = {}, str(error)
    names = {sha256: video.name for sha256, video in archive.videos.items()}
    return {
        sha256: VideoFacts(names.get(sha256, sha256[:12]), archive.infos[sha256].duration_s, true.get(sha256))
        for sha256 in archive.found.videos
    }, problem


def choose_view(videos: Mapping[str, VideoCategories], facts: Mapping[str, VideoFacts]) -> ArchiveView:
    """Draw counts and filters; return what is to be shown."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        by = st.segmented_control(
            "Category by",
            BY,
            format_func=_BY_NAMES.__getitem__,
            default="share",
            required=True,
            key="archive_by",
            persist_state="session",
        )
        text = st.text_input("Name", key="archive_text", placeholder="Filter", persist_state="session", width=150)
        labels = [one.label for one in next(iter(videos.values())).labels] if videos else []
        label = st.selectbox(
            "Label",
            labels,
            index=None,
            key="archive_label",
            placeholder="Any",
            persist_state="session",
            width=170,
            help="Only videos that have it; share, duration, first seen and peak are then this label’s.",
        )
        share = st.number_input("Share from (%)", 0, 100, 0, 5, key="archive_share", persist_state="session", width=130)
        order = st.selectbox(
            "Order",
            ORDERS,
            format_func=_ORDER_NAMES.__getitem__,
            key="archive_order",
            persist_state="session",
            width=140,
        )
        with st.popover("More filters", icon=":material/filter_list:"):
            restricted = st.toggle("Holds what is restricted", key="archive_restricted", persist_state="session")
            disagree = st.toggle("Share and mean score disagree", key="archive_disagree", persist_state="session")
            wrong = st.toggle(
                "Not the true category",
                key="archive_wrong",
                persist_state="session",
                disabled=not any(one.true_category for one in facts.values()),
            )
            length_s = _lengths(facts)
    view = ArchiveView(
        by=by,
        text=text or "",
        label=label,
        min_share=float(share or 0) / 100,
        restricted=restricted,
        disagree=disagree,
        wrong=wrong,
        length_s=length_s,
        order=order,
    )
    return replace(view, categories=_choose_categories(videos, view.by))


def _lengths(facts: Mapping[str, VideoFacts]) -> tuple[float, float] | None:
    longest = max((one.duration_s for one in facts.values()), default=0.0)
    if longest <= 0:
        return None
    with st.container(horizontal=True):
        low = st.number_input("Longer than (s)", 0.0, 1e6, 0.0, key="archive_longer", persist_state="session")
        high = st.number_input(
            "Shorter than (s)", 0.0, 1e6, None, key="archive_shorter", placeholder="Any", persist_state="session"
        )
    return None if not low and high is None else (float(low or 0), float("inf") if high is None else float(high))


def _choose_categories(videos: Mapping[str, VideoCategories], by: By) -> tuple[str, ...]:
    found = counts(videos, by)
    options = [name or "" for name in found]
    number = {name or "": count for name, count in found.items()}
    chosen = st.pills(
        "Categories",
        options,
        format_func=lambda name: f"{as_text(name) if name else _NONE} · {number[name]:,}",
        selection_mode="multi",
        key=f"archive_categories_{by}",
        persist_state="session",
        label_visibility="collapsed",
    )
    return tuple(chosen or ())


def show(archive: Archive, facts: Mapping[str, VideoFacts], view: ArchiveView) -> str | None:
    """Draw the videos that ``view`` shows; return the SHA-256 of the one that is chosen."""
    videos = archive.found.categories
    keys = shown(videos, facts, view)
    flagged = sum(bool(videos[key].flagged) for key in keys)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{plural(len(keys), 'video')}**"
            + (f" of {len(videos):,}" if len(keys) < len(videos) else "")
            + (f", {flagged:,} with something restricted" if flagged else "")
        )
        st.space("stretch")
        as_table = (
            st.segmented_control(
                "Shown as",
                ["Cards", "Table"],
                default="Cards",
                required=True,
                key="archive_form",
                persist_state="session",
                label_visibility="collapsed",
            )
            == "Table"
        )
    if not keys:
        st.info("No video meets all of these conditions; take some away.")
        return None
    if as_table:
        return _table(archive, facts, view, keys)
    return _cards(archive, facts, view, keys)


def _cards(archive: Archive, facts: Mapping[str, VideoFacts], view: ArchiveView, keys: Sequence[str]) -> str | None:
    pages = -(-len(keys) // _PAGE)
    page = 1
    if pages > 1:
        page = int(st.number_input(f"Page, of {pages:,}", 1, pages, 1, key=f"archive_page_{pages}", width=140))
    colours = theme.colours(archive.prompt_set.enabled)
    items = []
    for key in keys[(page - 1) * _PAGE : page * _PAGE]:
        found = archive.found.videos[key]
        best = found.categories.category(view.by)
        title = f"{best.label} {percent(best.share)}" if best else _NONE
        frame = found.poster_frame
        items.append(
            GalleryItem(
                key,
                f"{thumbnails_url(archive.infos[key])}/{frame}",
                title,
                "\n".join(_lines(found.categories, facts[key], view)),
                colour=colours.get(best.label) if best else None,
                alt=f"{facts[key].name}: {title}",
            )
        )
    if picked := gallery(items, key="archive_cards", label="Videos of the archive"):
        st.session_state[_CHOSEN] = picked.id
    chosen: str | None = st.session_state.get(_CHOSEN)
    return chosen if chosen in keys else None


def _lines(video: VideoCategories, facts: VideoFacts, view: ArchiveView) -> list[str]:
    """Return what a card says below its category."""
    lines = [facts.name, format_duration(facts.duration_s)]
    other = video.category("mean" if view.by == "share" else "share")
    if not video.agree:
        lines.append(f"by {'mean score' if view.by == 'share' else 'share'}: {other.label if other else _NONE}")
    if view.label is not None and (found := looked_at(video, view)) is not None:
        lines.append(f"{found.label}: {format_duration(found.duration_s)}, {percent(found.share)}")
    lines += [f"⚠ {one.label} {format_duration(one.duration_s)}" for one in video.flagged]
    if is_wrong(video.category(view.by), facts):
        lines.append(f"≠ true: {facts.true_category}")
    return lines


def _table(archive: Archive, facts: Mapping[str, VideoFacts], view: ArchiveView, keys: Sequence[str]) -> str | None:
    videos = {key: archive.found.categories[key] for key in keys}
    names = {key: facts[key].name for key in keys}
    true = {key: one.true_category for key in keys if (one := facts[key]).true_category is not None}
    frame = videos_table(videos, names, true).drop(columns="video")
    frame.insert(1, "length_s", [facts[key].duration_s for key in keys])
    number, words = st.column_config.NumberColumn, st.column_config.TextColumn
    of_label = {}
    if view.label is not None:
        found = [video.of(view.label) for video in videos.values()]
        for name, (title, form) in _OF_LABEL.items():
            frame[f"label_{name}"] = [None if one is None else getattr(one, name) for one in found]
            of_label[f"label_{name}"] = number(f"{view.label}: {title}", format=form)
    event = st.dataframe(
        frame,
        key="archive_table|" + str(hash(tuple(keys))),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="–",
        column_config={
            "name": words("Video", pinned=True, width=200),
            "length_s": number("Length (s)", format="%.1f"),
            "category": words("Largest share"),
            "share": number("Share", format="percent"),
            "category_by_mean": words("Highest mean score"),
            "mean_score": number("Mean score", format="%.3f"),
            "agree": st.column_config.CheckboxColumn("Agree"),
            "restricted": words("Restricted"),
            "true_category": words("True category"),
            **of_label,
        },
        alt="Category of each video; select a row to look into it",
    )
    rows = event["selection"]["rows"]
    return keys[rows[0]] if rows and rows[0] < len(keys) else None


def detail(archive: Archive, key: str, facts: VideoFacts) -> None:
    """Draw the chosen video: its labels, and buttons that open their moments in Explore."""
    found = archive.found.videos[key].categories
    with st.container(border=True):
        st.markdown(f"**{as_text(facts.name)}** · {format_duration(facts.duration_s)}")
        with st.container(horizontal=True, gap="small"):
            if st.button("Open in Explore", icon=":material/timeline:", key="archive_open", type="primary"):
                _open(archive, key, None)
            for one in sorted((one for one in found.labels if one.present), key=lambda one: -one.share):
                words = f"{as_text(one.label)} {percent(one.share)}, first {format_time(one.first_seen_s or 0.0)}"
                if st.button(words, key=f"archive_at_{one.label}", help="Open its best moment"):
                    _open(archive, key, one.peak_s)
        for one in found.flagged:
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                st.markdown(f":orange[⚠] {as_text(one.label)}, {format_duration(one.duration_s)}:", width="content")
                for start_s, end_s in one.times_s[:12]:
                    span = f"{format_time(start_s)} – {format_time(end_s)}"
                    if st.button(span, key=f"archive_flag_{one.label}_{start_s}", type="tertiary"):
                        _open(archive, key, start_s)
        _true_category(archive, key, facts)


def _open(archive: Archive, key: str, seek_s: float | None) -> None:
    info = archive.infos[key]
    opening.open_with(archive.prompt_set, key)
    embedding.choose_engine_of(state.session(), info)
    embedding.go_to_explore(info, seek_s=seek_s)


def _true_category(archive: Archive, key: str, facts: VideoFacts) -> None:
    labels = [prompt.label for prompt in archive.prompt_set.enabled if prompt.role != "background"]
    options = list(dict.fromkeys([*labels, *([facts.true_category] if facts.true_category else [])]))
    widget = f"{_TRUE}|{key}"
    st.session_state[widget] = facts.true_category  # an edit is stored before the page runs
    st.selectbox(
        "True category",
        options,
        index=options.index(facts.true_category) if facts.true_category else None,
        placeholder="Unknown",
        accept_new_options=True,
        key=widget,
        on_change=_keep_true,
        args=(key, widget),
        width=260,
        help="What the video really is; the accuracy below counts it.",
    )


@state.callback
def _keep_true(key: str, widget: str) -> None:
    categories.change_true_categories(cache.store().home, {key: peek_state().get(widget)})


def leave(archive: Archive, facts: Mapping[str, VideoFacts]) -> None:
    """Draw downloads of all categories, and the import of true ones."""
    videos = archive.found.categories
    names = {key: one.name for key, one in facts.items()}
    with st.container(horizontal=True, gap="small"):
        for ending, mime, make in (
            ("csv", "text/csv", spreadsheet_csv),
            ("json", "application/json", lambda table: table.to_json(orient="records").encode()),
            ("parquet", "application/vnd.apache.parquet", _parquet),
        ):
            st.download_button(
                ending.upper() if ending != "parquet" else "Parquet",
                lambda make=make: make(labels_table(videos, names)),  # type: ignore[misc]
                f"categories.{ending}",
                mime,
                key=f"archive_{ending}",
                icon=":material/download:",
                on_click="ignore",
                help="One row per video and label",
            )
        with st.popover("Import true categories", icon=":material/upload_file:"):
            file = st.file_uploader(
                "A table of names and categories",
                type=["csv", "tsv", "txt"],
                key="archive_truth_file",
                max_upload_size=20,
            )
            st.caption("A row a video, such as clip.mp4,football; column names are optional.")
            st.button(
                "Import", key="archive_truth_import", on_click=_import_truth, args=(names,), disabled=file is None
            )


def _parquet(table: pd.DataFrame) -> bytes:
    content = io.BytesIO()
    table.to_parquet(content, index=False)
    return content.getvalue()


@state.callback
def _import_truth(names: Mapping[str, str]) -> None:
    file = peek_state().get("archive_truth_file")
    if file is None:
        return
    try:
        text = file.getvalue().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("This is no UTF-8 text; save the table as CSV in UTF-8.") from error
    parsed = parse_categories(text, names)
    categories.change_true_categories(cache.store().home, parsed.categories)
    session = state.session()
    session.say(f"The true category of {plural(len(parsed.categories), 'video')} is imported")
    session.told.extend(parsed.problems[:5])
