"""``search TEXT``: the moments of all embedded videos that answer a query."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from lib.cli.context import Context, UsageError, add_engine_options, warn_about_unknown_words
from lib.cli.output import dump, table
from lib.cli.phrases import embed_reference
from lib.core.errors import Cancelled, InputError
from lib.core.formatting import encodable, format_time, plural
from lib.core.validation import bounded_fraction, bounded_int, written
from lib.engines.engine import Engine
from lib.prompts.model import START_THRESHOLDS, WIDEST_THRESHOLDS
from lib.search.distribution import SCORE_DIGITS
from lib.search.options import MAX_MOMENTS, TEMPLATE_RULES, TEMPLATE_THRESHOLD, Rules, SearchOptions
from lib.search.query import Query, parse_query
from lib.search.relative import SearchScore
from lib.services.find_videos import find_videos
from lib.services.input_files import read_query_picture
from lib.services.search import (
    IndexProgress,
    Moment,
    SearchResult,
    build_index,
    engines_in_library,
    index_state,
    score_kind,
    search,
)
from lib.store.store import Store

_MOST_LIKELY_COSINE = 0.5  # a threshold up to it is hardly meant for relative scores


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.description = (
        "Find the moments of all embedded videos that answer a query, best first. "
        "What is not embedded with the engine is not searched."
    )
    add_engine_options(parser, sampling=False)
    parser.add_argument("text", nargs="?", default="", metavar="TEXT", help='words; "red car - night" avoids night')
    parser.add_argument(
        "--image",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="search for a picture, alone or with words",
    )
    parser.add_argument("--not", dest="avoid", action="append", default=[], metavar="TEXT", help="words to avoid")
    parser.add_argument(
        "--videos",
        nargs="+",
        metavar="VIDEO",
        help="search these only: names, files, or the first digits of their SHA-256",
    )
    parser.add_argument(
        "--category",
        action="append",
        default=[],
        metavar="NAME:LABEL",
        help="only videos of this category of those saved under a name; several of one name: of any of them",
    )
    parser.add_argument("--top", type=_whole, default=20, metavar="K", help="moments at most (default: 20)")
    parser.add_argument("--per-video", type=_whole, metavar="K", help="moments of one video at most")
    parser.add_argument(
        "--score",
        choices=get_args(SearchScore),
        help="what moments are ranked by: relative (default) is how far the cosine stands out from those of everyday "
        "phrases on the same frame; with a picture it is always the cosine",
    )
    parser.add_argument(
        "--threshold",
        type=_threshold,
        metavar="T",
        help=f"score of a hit, e.g. {START_THRESHOLDS['relative']:g} for relative scores, or a cosine "
        "(default: halfway between the median and the best score)",
    )
    parser.add_argument("--all", action="store_true", help="without --threshold: also list moments below that cut")
    parser.add_argument(
        "--template-rules",
        action="store_true",
        help="use the Roboflow template's settings: score cosine, "
        f"threshold {TEMPLATE_THRESHOLD:g}, gaps under {TEMPLATE_RULES.bridge_s:g} s merged, single-frame hits hidden",
    )
    parser.add_argument("--index", action="store_true", help="first bring the index for large libraries up to date")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, context: Context) -> int:
    query = parse_query(args.text)
    query = replace(query, avoid=(*query.avoid, *args.avoid))
    if query.empty and not args.image:
        raise InputError("There is nothing to look for; write a few words, or give a picture with --image.")
    score = _score(args)
    store, engine = Store(), context.engine
    query = replace(query, images=tuple(read_query_picture(path, engine.input_size) for path in args.image))
    warn_about_unknown_words((*query.texts, *query.avoid), context)
    videos = None if args.videos is None else find_videos(store.videos(), args.videos)
    if args.category:
        found = _of_categories(args.category, store, context)
        videos = tuple(sorted(found)) if videos is None else tuple(sha256 for sha256 in videos if sha256 in found)
    _report_other_engines(store, engine, context)
    _prepare(store, engine.id, context, wanted=args.index)
    if score_kind(query, score) == "relative":
        embed_reference(context.engine, context, store)
        _say_what_a_low_threshold_is(args, context)
    rules, threshold = Rules(), args.threshold
    if args.template_rules:
        rules, threshold = TEMPLATE_RULES, TEMPLATE_THRESHOLD if threshold is None else threshold
    result = search(
        store,
        engine,
        query,
        SearchOptions(videos=videos, threshold=threshold, top=args.top, per_video=args.per_video, rules=rules),
        score=score,
        on_prepare=lambda done, total: context.reporter.counting("preparing the search:", done, total),
    )
    listed = result.moments if args.all else result.reaching
    if args.json:
        print(dump(_document(query, args.image, engine, result, listed)))
    else:
        print(_table(query, args.image, engine, replace(result, moments=listed), rules))
        if len(listed) < len(result.moments):
            below = len(result.moments) - len(listed)
            it = "it" if below == 1 else "them"
            print(f"\n{plural(below, 'moment')} below the cut at {_cut(result)}; --all lists {it} too.")
    return 0


def _score(args: argparse.Namespace) -> SearchScore:
    """Return the score that moments are ranked by.

    Raises:
        UsageError: options contradict each other.
    """
    if args.image and args.score == "relative":
        raise UsageError("--score relative is for words alone; a search with a picture is ranked by cosine")
    if args.template_rules and args.score == "relative" and args.threshold is None:
        raise UsageError(
            "--template-rules has a threshold for cosines; leave out --score relative, or add --threshold "
            f"{START_THRESHOLDS['relative']:g}"
        )
    score: SearchScore = args.score or ("cosine" if args.image or args.template_rules else "relative")
    if score == "cosine" and args.threshold is not None and abs(args.threshold) > 1:
        raise UsageError(f"--threshold {args.threshold:g} is no cosine, which lies between -1 and 1")
    return score


def _say_what_a_low_threshold_is(args: argparse.Namespace, context: Context) -> None:
    """Report a threshold that was probably meant for cosines, which earlier versions ranked by."""
    if args.score is None and args.threshold is not None and 0 < args.threshold <= _MOST_LIKELY_COSINE:
        context.reporter.line(
            f"The threshold {args.threshold:g} is taken for a relative score, of which "
            f"{START_THRESHOLDS['relative']:g} is a good one; add --score cosine if it is a cosine."
        )


def _prepare(store: Store, engine_id: str, context: Context, *, wanted: bool) -> None:
    """Bring the index up to date where asked to, else say where it would pay."""
    if not wanted:
        state = index_state(store, engine_id)
        if state.worthwhile:
            context.reporter.line(
                f"{state.missing:,} samples are not in the index: every search compares them; "
                "add --index once to make searches quick."
            )
        return

    def show(progress: IndexProgress) -> None:
        context.reporter.counting(f"index: {progress.phase}", progress.done, progress.total)

    build_index(store, engine_id, on_progress=show, cancel=context.cancel)
    if context.cancel.is_set():
        raise Cancelled


def _report_other_engines(store: Store, engine: Engine, context: Context) -> None:
    others = [other for other in engines_in_library(store) if other.engine_id != engine.id]
    if others:
        listed = ", ".join(f"{o.samples:,} samples of {o.engine_name} ({o.engine_id})" for o in others)
        context.reporter.line(f"Searched with {engine.name} only; left out: {listed}.")


def _cut(result: SearchResult) -> str:
    return f"{result.cut or 0.0:.{SCORE_DIGITS[result.score_kind]}f}"


def _document(
    query: Query, images: Sequence[Path], engine: Engine, result: SearchResult, listed: Sequence[Moment]
) -> dict[str, Any]:
    """Return the result as plain types: ``cut``, None with a threshold, and how many moments aren't listed for it."""
    return {
        "query": query.text,
        **({"images": [str(path) for path in images]} if images else {}),
        "engine": {"id": engine.id, "dim": engine.dim},
        "searched": {"videos": result.videos, "samples": result.samples, "exact": result.exact},
        "score_kind": result.score_kind,
        "cut": result.cut,
        "below_cut": len(result.moments) - len(listed),
        "moments": [moment.to_dict() for moment in listed],
    }


def _table(query: Query, images: Sequence[Path], engine: Engine, result: SearchResult, rules: Rules) -> str:
    words = encodable(" + ".join([*filter(None, [query.text]), *(path.name for path in images)]))
    how = "" if result.exact else ", by the index"
    searched = f"{plural(result.videos, 'video')}, {plural(result.samples, 'sample')}"
    by = "scores relative to unrelated phrases" if result.score_kind == "relative" else "scores are cosines"
    head = f"{words}: {searched}, {engine.name}{how}; {by}"
    if not result.moments:
        nothing = "Nothing but single-frame hits reaches" if rules.drop_lone else "Nothing reaches"
        return f"{head}\n\n{nothing} the threshold."
    rows = [
        (
            moment.video,
            format_time(moment.start_s),
            format_time(moment.end_s),
            format_time(moment.best_s),
            f"{moment.score:.{SCORE_DIGITS[result.score_kind]}f}",
            "" if moment.cosine is None else f"{moment.cosine:.3f}",
            f"+ {moment.folded} alike" if moment.folded else "",
        )
        for moment in result.moments
    ]
    beside = "cosine" if result.score_kind == "relative" else ""
    return f"{head}\n\n{table(('video', 'start', 'end', 'best', 'score', beside, ''), rows)}"


def _of_categories(wanted: Sequence[str], store: Store, context: Context) -> frozenset[str]:
    """Return the SHA-256 of the videos of some saved categories, classified now where that is missing.

    Raises:
        InputError: there is no such category, or no video of it.
    """
    from lib.cli.classify import classified
    from lib.services.archive import embeddings_to_classify, videos_of
    from lib.services.categories import SavedCategories, find_label

    chosen: dict[SavedCategories, list[str]] = {}
    for words in wanted:
        saved, label = find_label(store.home, words)
        chosen.setdefault(saved, []).append(label)
    for saved in chosen:
        if saved.engine_id == context.engine.id:
            classified(store, saved.prompt_set, embeddings_to_classify(store, saved.engine_id), context)
    found = videos_of(store, chosen)
    if found.unknown:
        context.reporter.line(
            f"{plural(found.unknown, 'video')} without a category yet left out; run classify --all --saved NAME with "
            "the engine of the categories."
        )
    if not found.videos:
        raise InputError(f"No video is in {' and '.join(wanted)}; choose other categories.")
    return found.videos


def _whole(text: str) -> int:
    value = bounded_int(text, 1, MAX_MOMENTS)
    if value is None:
        raise argparse.ArgumentTypeError(f"{written(text)} is no whole number from 1 to {MAX_MOMENTS:,}")
    return value


def _threshold(text: str) -> float:
    low, high = WIDEST_THRESHOLDS
    value = bounded_fraction(text, int(low), int(high))
    if value is None:
        raise argparse.ArgumentTypeError(f"{written(text)} is no score from {low:g} to {high:g}")
    return float(value)
