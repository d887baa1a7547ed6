"""The videos of the archive as cards or as a table, and what leaves or comes to it as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from lib.comparison.archive_view import ArchiveView, VideoFacts, is_wrong, looked_at, shown
from lib.comparison.categories import By, VideoCategories, labels_table, videos_table
from lib.core.errors import InputError, PromptreelError
from lib.core.formatting import format_duration, percent, plural
from lib.core.spreadsheet import spreadsheet_csv
from lib.ground_truth.categories import parse_categories
from lib.services import categories
from lib.services.experiments import shown_title
from lib.services.reports import About, report_of_archive
from lib.ui.archive import detail
from lib.ui.archive.classification import Archive
from lib.ui.archive.filters import NONE, kept
from lib.ui.components.gallery import GalleryItem, gallery
from lib.ui.panels import paging, reports
from lib.ui.panels.video import thumbnails_url
from lib.ui.session import cache, state, theme
from lib.ui.session.peek import peek_state

_PAGE = 24
"""Cards at a time."""
_OF_LABEL = {
    "share": ("share", "percent"),
    "duration_s": ("duration (s)", "%.1f"),
    "first_seen_s": ("first seen (s)", "%.1f"),
    "peak_score": ("peak score", "%.3f"),
}
"""Numbers of the label looked at: heading and format of their columns."""


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


def show(archive: Archive, facts: Mapping[str, VideoFacts], view: ArchiveView) -> None:
    """Draw the videos that ``view`` shows, and the one that is chosen."""
    videos = archive.found.categories
    keys = shown(videos, facts, view)
    flagged = sum(bool(videos[key].flagged) for key in keys)
    with st.container(horizontal=True, vertical_alignment="center"):
        form = st.segmented_control(  # on the left, as the table's own tools cover what is above its right end
            "Shown as",
            ["Cards", "Table"],
            default="Cards",
            required=True,
            label_visibility="collapsed",
            **kept("form"),
        )
        st.markdown(
            f"**{plural(len(keys), 'video')}**"
            + (f" of {len(videos):,}" if len(keys) < len(videos) else "")
            + (f", {flagged:,} with something restricted" if flagged else "")
        )
    if not keys:
        st.info("No video meets all of these conditions; take some away.")
    elif form == "Table":
        if (chosen := _table(archive, facts, view, keys)) is not None:
            with st.container(border=True):
                st.markdown(f"**{detail.heading(facts[chosen])}**")
                detail.draw(archive, chosen, facts[chosen])
    else:
        _cards(archive, facts, view, keys)
        if (chosen := detail.chosen()) is not None and chosen in facts:
            detail.dialog(archive, chosen, facts[chosen])


def _cards(archive: Archive, facts: Mapping[str, VideoFacts], view: ArchiveView, keys: Sequence[str]) -> None:
    colours = theme.colours(archive.prompt_set.enabled)
    page = f"archive_page_{-(-len(keys) // _PAGE)}"
    items = []
    for key in (keys[place] for place in paging.places(page, len(keys), _PAGE)):
        found = archive.found.videos[key]
        best = found.categories.category(view.by)
        title = best.label if best else NONE
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
        detail.choose(picked.id)
    paging.numbers(page, len(keys), _PAGE)


def _lines(video: VideoCategories, facts: VideoFacts, view: ArchiveView) -> list[str]:
    """Return what a card says below its category."""
    length = format_duration(facts.duration_s)
    best, other = video.category(view.by), video.category("mean" if view.by == "share" else "share")
    lines = [facts.name, f"{percent(best.share)} of {length}" if best else length]
    if not video.agree:
        lines.append(f"by {'mean score' if view.by == 'share' else 'share'}: {other.label if other else NONE}")
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
    frame["share"] = frame["share"].round(2)  # shown as whole percents
    frame.insert(1, "length_s", [facts[key].duration_s for key in keys])
    number, words = st.column_config.NumberColumn, st.column_config.TextColumn
    of_label = {}
    if view.label is not None:
        found = [video.of(view.label) for video in videos.values()]
        for name, (title, form) in _OF_LABEL.items():
            digits = 2 if name == "share" else 6
            frame[f"label_{name}"] = [None if one is None else round(getattr(one, name), digits) for one in found]
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


def leave(archive: Archive, facts: Mapping[str, VideoFacts], by: By) -> None:
    """Draw downloads of all categories, their report, and the import of true ones."""
    videos = archive.found.categories
    names = {key: one.name for key, one in facts.items()}
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(f"{plural(len(videos), 'video')} and all labels as", width="content")
        for ending, mime, make in (
            ("csv", "text/csv", spreadsheet_csv),
            ("json", "application/json", lambda table: table.to_json(orient="records").encode()),
            ("parquet", "application/vnd.apache.parquet", lambda table: table.to_parquet(index=False)),
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
        name = archive.saved.name if archive.saved else shown_title(state.current())
        about = About(f"{name}: {plural(len(videos), 'video')}")
        store, of = cache.store(), (archive.engine, archive.prompt_set, archive.found, facts)
        reports.button(
            lambda: report_of_archive(store, *of, by=by, about=about), f"archive-{name}", key="archive_report"
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
