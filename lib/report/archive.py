"""What is in the report of an archive: the category of each video, what is flagged, and how right that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lib.charts.categories import counts_chart
from lib.comparison.archive_view import VideoFacts
from lib.comparison.categories import By, LabelInVideo, VideoCategories, category_accuracy, counts
from lib.core.formatting import format_duration, format_time, percent, plural
from lib.prompts.model import PromptSet
from lib.report.blocks import (
    Block,
    Cell,
    Chart,
    Colours,
    Frame,
    Frames,
    Origin,
    Pictures,
    Report,
    Section,
    Table,
    Text,
    colours_of,
)
from lib.report.video import NOTHING, number

MOST_VIDEOS = 2_000
"""Videos that are listed."""
_FRAMES = 6  # of each category
_TIMES = 5  # of a restricted label
_NONE = "no category"
_MEANS = {"share": "the label seen for the largest share", "mean": "the label with the highest mean score"}


def archive_report(
    videos: Mapping[str, VideoCategories],
    facts: Mapping[str, VideoFacts],
    prompt_set: PromptSet,
    origin: Origin,
    pictures: Pictures,
    *,
    by: By = "share",
) -> Report:
    """Return the report of an archive.

    Args:
        videos: what is found in each, by key.
        facts: names, lengths in seconds and true categories, by the same keys.
        prompt_set: whose labels the categories are.
        origin: what it is of.
        pictures: the picture of each video that shows its category best, by key.
        by: how a video's category is chosen.
    """
    colours = colours_of(prompt_set.prompts)
    sections = [Section("Categories", _categories(videos, colours, by))]
    if flagged := _flagged(videos, facts, colours):
        sections.append(Section("Restricted", [flagged]))
    true = {key: one.true_category for key, one in facts.items() if one.true_category is not None}
    if accuracy := _accuracy(videos, true, by):
        sections.append(Section("Against the true categories", accuracy))
    sections.append(Section("Examples", _examples(videos, facts, colours, pictures, by)))
    sections += [Section("Videos", [_listed(videos, facts, colours, by)]), origin.section()]
    return Report(origin.title, origin.subtitle, origin.note, sections, colours)


def _categories(videos: Mapping[str, VideoCategories], colours: Colours, by: By) -> list[Block]:
    found = counts(videos, by)
    flagged = sum(bool(video.flagged) for video in videos.values())
    told = plural(len(videos), "video")
    if any(one.role == "restricted" for video in videos.values() for one in video.labels):
        told += f", {flagged:,} with something restricted"
    rows = [
        (Cell(label or _NONE, colours.name(label)), f"{count:,}", percent(count / len(videos)))
        for label, count in found.items()
    ]
    named = {label or _NONE: count for label, count in found.items()}
    chart = counts_chart(named, {label: colours.by_label.get(label, "var(--soft)") for label in named})
    return [
        Text(f"{told}.", "lead"),
        Text(f"A video's category is {_MEANS[by]}."),
        Chart("Videos by category", chart, "How many videos each category has"),
        Table("Categories", ("Category", "Videos", "Share"), rows),
    ]


def _flagged(videos: Mapping[str, VideoCategories], facts: Mapping[str, VideoFacts], colours: Colours) -> Table | None:
    rows = [
        (
            facts[key].name,
            Cell(one.label, colours.name(one.label)),
            format_duration(one.duration_s),
            _times(one),
        )
        for key, video in videos.items()
        for one in video.flagged
    ]
    heads = ("Video", "Label", "How long", "When")
    return Table("Videos with something restricted", heads, rows, left=4, most=MOST_VIDEOS) if rows else None


def _times(label: LabelInVideo) -> str:
    times = [f"{format_time(start_s)} – {format_time(end_s)}" for start_s, end_s in label.times_s]
    more = [f"{len(times) - _TIMES:,} more"] if len(times) > _TIMES else []
    return ", ".join([*times[:_TIMES], *more])


def _accuracy(videos: Mapping[str, VideoCategories], true: Mapping[str, str], by: By) -> list[Block]:
    result = category_accuracy(videos, true, by, nothing=_NONE)
    if result.accuracy is None:
        return []
    heads = ("True ↓ found →", *map(str, result.confusion.columns))
    rows = [
        [Cell(str(label)), *(Cell(f"{count:,}", strong=bool(count)) for count in counted)]
        for label, counted in zip(result.confusion.index, result.confusion.to_numpy().tolist(), strict=True)
    ]
    told = (
        f"{percent(result.accuracy)} right: {result.right:,} of {plural(result.videos, 'video')} with a true category."
    )
    return [Text(told, "lead"), Table("Videos by true category and category found", heads, rows)]


def _examples(
    videos: Mapping[str, VideoCategories],
    facts: Mapping[str, VideoFacts],
    colours: Colours,
    pictures: Pictures,
    by: By,
) -> list[Block]:
    """Return the videos of each category that show it most."""
    of_label: dict[str, list[tuple[str, LabelInVideo]]] = {}
    for key, video in videos.items():
        if (best := video.category(by)) is not None:
            of_label.setdefault(best.label, []).append((key, best))
    blocks: list[Block] = []
    for label in (one for one in counts(videos, by) if one is not None):
        most = sorted(of_label[label], key=lambda pair: -pair[1].share)[:_FRAMES]
        frames = tuple(
            Frame(facts[key].name, (f"{percent(one.share)} of the time",), pictures(key), colours.name(label))
            for key, one in most
        )
        blocks.append(Frames(f"{label}: largest shares", frames))
    return blocks or [Text("No video has a category.")]


def _listed(videos: Mapping[str, VideoCategories], facts: Mapping[str, VideoFacts], colours: Colours, by: By) -> Table:
    order = {label: place for place, label in enumerate(counts(videos, by))}
    rows: list[tuple[tuple[int, str], Sequence[Cell | str]]] = []
    for key, video in videos.items():
        best, one = video.category(by), facts[key]
        label = best.label if best else None
        other = video.category("mean" if by == "share" else "share")
        cells: tuple[Cell | str, ...] = (
            one.name,
            Cell(label or _NONE, colours.name(label)),
            NOTHING if video.agree else (other.label if other else _NONE),
            one.true_category or NOTHING,
            ", ".join(flag.label for flag in video.flagged) or NOTHING,
            format_duration(one.duration_s),
            percent(best.share) if best else NOTHING,
            number(best.mean_score) if best else NOTHING,
        )
        rows.append(((order[label], one.name), cells))
    rows.sort(key=lambda row: row[0])
    other_way = "By mean score" if by == "share" else "By share"
    heads = ("Video", "Category", other_way, "True", "Restricted", "Length", "Share", "Mean score")
    return Table("Videos by category", heads, [cells for _, cells in rows], left=5, most=MOST_VIDEOS)
