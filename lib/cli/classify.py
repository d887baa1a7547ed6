"""``classify VIDEO… | --all --prompts FILE``: the category of each video, and which hold what is restricted."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lib.cli.context import Context, UsageError, add_engine_options, warn_about_unknown_words
from lib.cli.inputs import add_picture_option, each_video, embed_missing, with_pictures
from lib.cli.output import NOTHING, dump, table
from lib.cli.phrases import embed_reference
from lib.comparison.categories import (
    BY,
    By,
    CategoryAccuracy,
    LabelInVideo,
    VideoCategories,
    category_accuracy,
    counts,
    labels_table,
)
from lib.core.errors import InputError, NotStoredError
from lib.core.formatting import format_duration, format_time, percent, plural
from lib.core.spreadsheet import spreadsheet_csv
from lib.engines.engine import Engine
from lib.ground_truth.categories import parse_categories
from lib.infra.files import write_atomically
from lib.prompts.model import PromptSet
from lib.services import categories
from lib.services.archive import Classification, classify, embeddings_to_classify
from lib.services.input_files import read_prompt_set, read_text
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store

_MEANS = {"share": "the label seen for the largest share", "mean": "the label with the highest mean score"}
_SHOWN = 3  # times of a restricted label


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.description = (
        "Sort videos into categories: the labels of a prompt set but its backgrounds. Labels of the role restricted "
        "are flagged with their times. What was computed before is not computed again."
    )
    add_engine_options(parser)
    parser.add_argument("videos", nargs="*", metavar="VIDEO", help="files, folders or patterns; embedded where missing")
    parser.add_argument("--all", action="store_true", help="all videos that are embedded with the engine")
    parser.add_argument("--prompts", type=Path, metavar="FILE", help="a prompt set; its labels are the categories")
    parser.add_argument(
        "--saved", metavar="NAME", help="categories that were saved under this name, instead of --prompts"
    )
    parser.add_argument(
        "--by", choices=BY, default="share", help="; ".join(f"{by}: {means}" for by, means in _MEANS.items())
    )
    parser.add_argument("--csv", action="store_true", help="print a CSV with one row per video and label")
    parser.add_argument("--parquet", type=Path, metavar="FILE", help="also write one row per video and label to FILE")
    parser.add_argument("--save", metavar="NAME", help="save the categories under a name, for the dashboard")
    parser.add_argument(
        "--truth",
        type=Path,
        metavar="FILE",
        help="true categories as name,category: kept with the library, and compared with",
    )
    add_picture_option(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, context: Context) -> int:
    check(args)
    if args.json and args.csv:
        raise UsageError("--json and --csv are two forms of the same; leave one out")
    store, engine = Store(), context.engine
    prompt_set = prompts_of(args, store, engine, context)
    warn_about_unknown_words(prompt_set.texts, context)
    infos, status = embeddings(args, store, engine, context)
    names = {video.sha256: video.name for video in store.videos()}
    if args.truth is not None:
        _keep_truth(args.truth, store, {info.key.sha256: names[info.key.sha256] for info in infos}, context)
    found = classified(store, prompt_set, infos, context)
    if args.save:
        categories.save(store.home, args.save, engine.id, prompt_set)
    if args.parquet is not None:
        _write_parquet(args.parquet, found.categories, names)
    if args.csv:
        print(spreadsheet_csv(labels_table(found.categories, names)).decode("utf-8-sig"), end="")
        return status
    true = categories.true_categories(store.home)
    if args.json:
        print(dump(_document(engine, prompt_set, found, names, true)))
    else:
        print(_tables(engine, prompt_set, found, names, true, args.by))
    return status


def check(args: argparse.Namespace) -> None:
    """Raise ``UsageError`` for arguments that contradict each other."""
    if args.all == bool(args.videos):
        raise UsageError("name videos, or add --all for every video that is embedded with the engine")
    if (args.prompts is None) == (args.saved is None):
        raise UsageError("give a prompt set with --prompts, or the name of saved categories with --saved")


def embeddings(
    args: argparse.Namespace, store: Store, engine: Engine, context: Context
) -> tuple[list[EmbeddingInfo], int]:
    """Return the embeddings asked for, made where they are missing, and the exit status."""
    if args.all:
        infos, status = embeddings_to_classify(store, engine.id), 0
    else:
        embed = partial(embed_missing, context, store, sampling=context.sampling)
        done, status = each_video(context, args.videos, embed)
        infos = [info for _, info in done]
    if not infos:
        raise NotStoredError("No video is embedded with this engine; embed one first.")
    return infos, status


def prompts_of(args: argparse.Namespace, store: Store, engine: Engine, context: Context) -> PromptSet:
    """Return the prompt set that ``--prompts`` or ``--saved`` names."""
    if args.saved is None:
        return with_pictures(args.pictures, read_prompt_set(args.prompts), store, context)
    found = categories.find(store.home, args.saved)
    if found is None:
        there = ", ".join(f"“{one.name}”" for one in categories.saved(store.home).categories)
        raise InputError(
            f"No categories are saved as “{args.saved}”; " + (f"there are {there}." if there else "none are.")
        )
    if found.engine_id != engine.id:
        raise InputError(f"“{found.name}” was saved with {found.engine_id}; choose that engine with --engine.")
    return found.prompt_set


def _keep_truth(path: Path, store: Store, names: Mapping[str, str], context: Context) -> None:
    parsed = parse_categories(read_text(path, "table of categories", InputError), names)
    for problem in parsed.problems:
        context.reporter.line(f"{path.name}: {problem}")
    categories.change_true_categories(store.home, parsed.categories)


def classified(store: Store, prompt_set: PromptSet, infos: Sequence[EmbeddingInfo], context: Context) -> Classification:
    """Return what a prompt set finds in the embeddings, with the context's engine; a count is reported meanwhile.

    Raises:
        Cancelled: cancelled meanwhile; what is done is kept.
        EngineError, PromptSetError, SettingsError: see ``lib.services.archive.classify``.
    """
    if prompt_set.needs_reference:
        embed_reference(context.engine, context, store)
    return classify(
        store,
        context.engine,
        prompt_set,
        infos,
        on_progress=lambda done, total: (
            context.reporter.counting("classified", done, total, "videos") if total else None
        ),
        cancel=context.cancel,
    )


def _write_parquet(path: Path, found: Mapping[str, VideoCategories], names: Mapping[str, str]) -> None:
    try:
        write_atomically(path, labels_table(found, names).to_parquet(index=False))
    except OSError as error:
        raise InputError(f"{path} can't be written ({error.strerror}); choose another place.") from error


def _document(
    engine: Engine,
    prompt_set: PromptSet,
    found: Classification,
    names: Mapping[str, str],
    true: Mapping[str, str],
) -> dict[str, Any]:
    """Return the result as plain types, with all that is needed to reproduce the numbers."""
    videos = found.categories
    accuracy = {by: category_accuracy(videos, true, by) for by in BY}
    return {
        "engine": {"id": engine.id, "dim": engine.dim},
        "prompt_set": prompt_set.to_dict(),
        "videos": [_video(sha256, one, names, true) for sha256, one in videos.items()],
        "counts": {by: [{"category": name, "videos": n} for name, n in counts(videos, by).items()] for by in BY},
        "accuracy": {by: _accuracy(one) for by, one in accuracy.items() if one.videos},
    }


def _video(sha256: str, video: VideoCategories, names: Mapping[str, str], true: Mapping[str, str]) -> dict[str, Any]:
    return {
        "sha256": sha256,
        "name": names.get(sha256, ""),
        "category": {by: best.label if (best := video.category(by)) else None for by in BY},
        "true_category": true.get(sha256),
        "restricted": [one.label for one in video.flagged],
        "labels": [one.to_dict() for one in video.labels],
    }


def _accuracy(one: CategoryAccuracy) -> dict[str, Any]:
    return {
        "videos": one.videos,
        "right": one.right,
        "accuracy": one.accuracy,
        "confusion": one.confusion.to_dict(orient="index"),
    }


def _tables(
    engine: Engine,
    prompt_set: PromptSet,
    found: Classification,
    names: Mapping[str, str],
    true: Mapping[str, str],
    by: By,
) -> str:
    videos = found.categories
    rows = []
    for sha256, video in videos.items():
        best, other = video.category(by), video.category("mean" if by == "share" else "share")
        flags = "; ".join(map(_flag, video.flagged))
        differs = (
            "" if video.agree else f"by {'mean' if by == 'share' else 'share'}: {other.label if other else NOTHING}"
        )
        mean = NOTHING if best is None or best.mean_score is None else f"{best.mean_score:.3f}"
        share = percent(best.share) if best else NOTHING
        rows.append((names.get(sha256, sha256[:12]), best.label if best else NOTHING, differs, flags, share, mean))
    header = ("video", "category", "differs", "restricted", "share", "mean score")
    per_category = ", ".join(f"{name or 'no category'} {n}" for name, n in counts(videos, by).items())
    blocks = [
        f"{plural(len(videos), 'video')}, {engine.name}, prompt set {prompt_set.name}; category: {_MEANS[by]}",
        table(header, rows, left=4),
        f"Videos by category: {per_category}",
    ]
    accuracy = category_accuracy(videos, true, by)
    if accuracy.accuracy is not None:
        confusion = accuracy.confusion
        cells = [
            (str(name), *(str(n) for n in row)) for name, row in zip(confusion.index, confusion.to_numpy(), strict=True)
        ]
        blocks.append(f"{accuracy.right} of {accuracy.videos} true categories found ({percent(accuracy.accuracy)}):")
        blocks.append(table(("true \\ found", *map(str, confusion.columns)), cells))
    return "\n\n".join(blocks)


def _flag(label: LabelInVideo) -> str:
    """Return a restricted label with how long it is there, and when."""
    times = [f"{format_time(start_s)} – {format_time(end_s)}" for start_s, end_s in label.times_s[:_SHOWN]]
    more = len(label.times_s) - len(times)
    return f"{label.label} {format_duration(label.duration_s)} ({', '.join(times)}{f', {more} more' if more else ''})"
