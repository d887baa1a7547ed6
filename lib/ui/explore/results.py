"""The results of the analysis: answers in words, tables and frames."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from lib.analysis.analysis import Analysis
from lib.analysis.reference import Reference
from lib.core.formatting import as_text, format_duration, format_time
from lib.store.embeddings import EmbeddingInfo
from lib.ui.components.gallery import GalleryItem, gallery
from lib.ui.panels import html_tables, missing_video, segment_table
from lib.ui.panels.segment_table import score, seconds
from lib.ui.panels.video import thumbnails_url
from lib.ui.session import cache, state, theme

_FRAMES_SHOWN = 12
_VIEWS = ("Segments", "Shots", "Frames", "Thresholds", "Ground truth", "Evaluation", "Export")


def _list(lines: Sequence[str]) -> str:
    return f'<ul style="list-style:none;padding:0;margin:0;line-height:1.9">{"".join(lines)}</ul>'


def show_next(view: str) -> None:
    """Have ``view`` chosen when the choice is drawn next."""
    st.session_state["explore_view_kept"] = view


def choose_view() -> str:
    """Draw the choice of the view under the timeline, and return it."""
    key = "explore_view"
    if key not in st.session_state:
        st.session_state[key] = st.session_state.get("explore_view_kept", _VIEWS[0])
    view = st.segmented_control("Show", _VIEWS, required=True, label_visibility="collapsed", key=key)
    st.session_state["explore_view_kept"] = view  # the widget's own value is dropped on a page switch
    return str(view)


def metrics(analysis: Analysis, reference: Reference | None = None) -> None:
    """Draw the metrics table, with each prompt's highest cosine compared with those of the reference phrases."""
    found, absent, rest = analysis.answer_groups()
    frame = analysis.metrics_frame().iloc[[*sorted(found), *absent, *rest]]
    is_rest = frame["role"] == "background"
    frame["label"] = frame["label"].where(~is_rest, "rest: " + frame["label"])
    frame["present"] = frame["present"].astype(object).where(~is_rest, None)  # it is no finding
    frame["share"] *= 100
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_config={
            "label": st.column_config.TextColumn("Label", pinned=True),
            "role": None,  # in the prompt table; without it all other columns fit at 1440 pixels
            "present": st.column_config.CheckboxColumn("Present"),
            "first_seen_s": seconds("First seen (s)"),
            "last_seen_s": seconds("Last seen (s)"),
            "duration_s": seconds("Duration (s)"),
            "share": st.column_config.ProgressColumn("Share", format="%.1f %%", min_value=0, max_value=100),
            "segments": st.column_config.NumberColumn("Segments"),
            "longest_s": seconds("Longest (s)"),
            "mean_score": score("Mean score"),
            "peak_score": score("Peak score"),
            "peak_s": seconds("Peak at (s)"),
            "peak_cosine": None,  # said below, with what it means
        },
        alt="Metrics by label",
    )
    if reference is not None and len(analysis.samples):
        _beside_reference(analysis, reference)


def _beside_reference(analysis: Analysis, reference: Reference) -> None:
    st.markdown(
        "**Is that a high score?** The highest cosine, compared with unrelated phrases on this video",
        help=f"{len(reference.peaks)} everyday phrases that have nothing to do with it, such as “a wooden chair”, "
        "scored on this video with this engine. Before smoothing.",
    )
    colours = theme.colours(analysis.prompt_set.prompts)
    lines = []
    peaks = analysis.cosine.max(axis=0).tolist()
    found, absent, rest = analysis.answer_groups()
    for column in (*found, *absent, *rest):
        label, start = analysis.labels[column], "rest: " if column in rest else ""
        place = html.escape(f"cosine {reference.place(peaks[column])}")
        lines.append(
            f"<li>{html_tables.dot(colours[label])} {start}<strong>{html.escape(label)}</strong>: {place}</li>"
        )
    st.html(_list(lines))


def segments(analysis: Analysis) -> None:
    """Draw the segments table; selecting a row moves the player to its start."""
    frame = analysis.segments_frame()
    if frame.empty:
        st.info("No segments: nothing reaches its threshold. Lower it, or choose the decision “Best label”.")
        return
    segment_table.draw(
        frame,
        {
            "label": st.column_config.TextColumn("Label", pinned=True),
            "mean_score": score("Mean score"),
            "peak_score": score("Peak score"),
            "peak_s": seconds("Peak at (s)"),
        },
        key="segments_table",
        alt="Segments; select one to see it in the player",
    )


def shots(analysis: Analysis) -> None:
    """Draw the table of shots with their best labels; selecting a row moves the player to its start."""
    frame = analysis.shots_frame()
    if frame.empty:
        st.info("No shots: this video has no samples yet.")
        return
    median_s = float((frame["end_s"] - frame["start_s"]).median())
    count = "1 shot" if len(frame) == 1 else f"{len(frame):,} shots"
    st.caption(
        f"{count}, half of them of {format_duration(median_s)} or more. A cut is a sample that differs from the one "
        "before by far more than is usual in this video. The label is the best by the mean score before smoothing."
    )
    segment_table.draw(
        frame,
        {"label": st.column_config.TextColumn("Best label"), "mean_score": score("Mean score")},
        key="shots_table",
        alt="Shots; select one to see it in the player",
    )


def frames(analysis: Analysis, info: EmbeddingInfo) -> None:
    """Draw best, borderline and most changed frames; a click moves the player there.

    Of results without pictures, times and scores are drawn.
    """
    labels = list(analysis.labels)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Frames",
            ["best", "borderline", "changed"],
            default="best",
            required=True,
            format_func={"best": "Best", "borderline": "Borderline", "changed": "Most changed"}.__getitem__,
            help="Best: highest scores, of frames with the label. Borderline: within a quarter of a standard deviation "
            "of where the decision flips. Most changed: cuts and sudden events.",
            key="frames_kind",
        )
        label: str | None = None
        if kind != "changed":
            label = st.selectbox("Label", labels, key="frames_label", width=260)
    if label is None:
        chosen = analysis.most_changed_samples(_FRAMES_SHOWN)
    elif kind == "best":
        chosen = analysis.best_samples(label, _FRAMES_SHOWN)
    else:
        chosen = analysis.borderline_samples(label, _FRAMES_SHOWN)
    empty = _no_frames(analysis, str(kind), label)
    frames_of = [int(analysis.samples.frames[index]) for index in chosen[:1]]
    if not cache.store().video(info.key.sha256).has_file and not cache.store().thumbnails(info.key, frames_of):
        if chosen:
            missing_video.samples_table(analysis, chosen)
        else:
            st.caption(as_text(empty))
        return
    clicked = gallery(_items(analysis, info, chosen, label), key="frames", label=f"{kind} frames", empty=empty)
    if clicked is not None and clicked.time_s is not None:
        state.session().seek(clicked.time_s)
        st.rerun()


def _no_frames(analysis: Analysis, kind: str, label: str | None) -> str:
    """Return why there is no such frame."""
    if label is None:
        return "No frame differs from the one before by far more than usual."
    if kind == "borderline":
        return f"No frame is near to changing its decision on {label}."
    peak = analysis.metrics[analysis.column(label)].peak_score
    return (
        f"No frame has the label {label}." if peak is None else f"{label} is not found; its best score is {peak:.3f}."
    )


def _items(analysis: Analysis, info: EmbeddingInfo, chosen: Sequence[int], label: str | None) -> list[GalleryItem]:
    base = thumbnails_url(info)
    colours = theme.colours(analysis.prompt_set.prompts)
    items = []
    for index in chosen:
        frame = int(analysis.samples.frames[index])
        time_s = float(analysis.samples.times_s[index])
        frame_label = label or analysis.sample_labels[index]
        score = f" {analysis.scores[index, analysis.column(frame_label)]:.3f}" if frame_label else ""
        items.append(
            GalleryItem(
                id=str(frame),
                url=f"{base}/{frame}",
                title=format_time(time_s),
                subtitle=f"{frame_label or 'no label'}{score}",
                time_s=time_s,
                colour=colours[frame_label] if frame_label else None,
                alt=f"Frame at {format_time(time_s)}",
            )
        )
    return items
