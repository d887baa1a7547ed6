"""``analyze VIDEO… --prompts FILE``: embed what is missing of videos, then print what prompts find in each."""

from __future__ import annotations

import argparse
from pathlib import Path

from lib.analysis.analysis import Analysis
from lib.cli.context import Context, add_engine_options, warn_about_unknown_words
from lib.cli.inputs import add_picture_option, analysed, each_video, embed_missing, with_pictures
from lib.cli.output import NOTHING, dump, table
from lib.core.errors import InputError, NotStoredError
from lib.core.formatting import format_duration, format_time
from lib.core.sampling import Sampling
from lib.hosted.importing import import_results
from lib.services.input_files import read_prompt_set
from lib.services.stored_analysis import report
from lib.services.video_files import is_one_file
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store
from lib.store.videos import Video


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_engine_options(parser)
    parser.add_argument(
        "videos",
        nargs="+",
        metavar="VIDEO",
        help="files, folders or patterns, of more than one file --json is a list; or a results.json of the hosted "
        "service, without its video: with --engine hosted",
    )
    parser.add_argument(
        "--prompts",
        type=Path,
        required=True,
        metavar="FILE",
        help="a prompt set as YAML or JSON, one prompt per line, columns with tabs, or a config.yaml with a CLIP list",
    )
    parser.add_argument("--samples", action="store_true", help="also print each sample and its scores")
    parser.add_argument(
        "--shots", action="store_true", help="also print each shot, from cut to cut, and its best label"
    )
    add_picture_option(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace, context: Context) -> int:
    prompt_set = read_prompt_set(args.prompts)
    warn_about_unknown_words(prompt_set.texts, context)
    store, engine = Store(), context.engine
    prompt_set = with_pictures(args.pictures, prompt_set, store, context)
    sampling = context.sampling

    def embed(path: Path) -> tuple[Video, EmbeddingInfo]:
        if path.suffix.lower() == ".json":
            return _imported(path, args, context, store)
        return embed_missing(context, store, path, sampling)

    done, status = each_video(context, args.videos, embed)
    documents, tables = [], []
    for video, info in done:
        try:
            analysis = analysed(context, store, video, Sampling.from_key(info.key.sampling_key), prompt_set)
        except NotStoredError as error:  # deleted meanwhile
            context.reporter.problem(error)
            status = 1
            continue
        if args.json:
            documents.append(report(store, video, info, engine, analysis, samples=args.samples, shots=args.shots))
        else:
            head = (
                f"{video.name}: {format_duration(analysis.samples.duration_s)}, {len(analysis.samples):,} samples "
                f"({Sampling.from_key(info.key.sampling_key).description}), {engine.name}, prompt set {prompt_set.name}"
            )
            tables.append(_analysis_table(head, analysis, samples=args.samples, shots=args.shots))
    if args.json and (documents or not is_one_file(args.videos)):
        print(dump(documents[0] if is_one_file(args.videos) else documents))
    elif tables:
        print("\n\n\n".join(tables))
    return status


def _imported(path: Path, args: argparse.Namespace, context: Context, store: Store) -> tuple[Video, EmbeddingInfo]:
    """Return the video that a results.json describes, without a file; imported if it isn't yet."""
    outcome = import_results(store, path, version=args.model, cancel=context.cancel)
    if outcome.info.key.engine_id != context.engine.id:
        raise InputError(
            f"{path.name} has vectors of {outcome.info.engine_name}; analyse it with --engine hosted, "
            "and --model where it is another than the hosted service's."
        )
    if outcome.note:
        context.reporter.line(f"{path.name}: {outcome.note}")
    return outcome.video, outcome.info


def _analysis_table(head: str, analysis: Analysis, *, samples: bool, shots: bool) -> str:
    """Return metrics, what the settings did, segments and, where asked for, shots and samples as tables."""
    blocks = [head, _metrics_table(analysis)]
    if done := analysis.effects.sentences():
        blocks.append("\n".join(done))
    if analysis.segments:
        blocks.append(_segments_table(analysis))
    if shots and analysis.shots:
        blocks.append(_shots_table(analysis))
    if samples:
        blocks.append(_samples_table(analysis))
    return "\n\n".join(blocks)


def _metrics_table(analysis: Analysis) -> str:
    times = ("first", "last", "duration", "share", "segments", "longest")
    header = (
        "label",
        "role",
        "present",
        *times,
        "mean",
        "peak",
        "peak at",
        *(("peak cosine",) if analysis.is_relative else ()),
    )
    rows = [
        (
            m.label,
            m.role,
            "rest" if m.role == "background" else "yes" if m.present else "no",
            _time(m.first_seen_s),
            _time(m.last_seen_s),
            format_duration(m.duration_s),
            f"{m.share * 100:.1f} %",
            str(m.segments),
            NOTHING if m.longest_s is None else format_duration(m.longest_s),
            _score(m.mean_score),
            _score(m.peak_score),
            _time(m.peak_s),
            *((_score(m.peak_cosine),) if analysis.is_relative else ()),
        )
        for m in sorted(analysis.metrics, key=lambda one: one.role == "background")  # these stand apart, last
    ]
    return table(header, rows, left=3)


def _segments_table(analysis: Analysis) -> str:
    rows = [
        (
            segment.label,
            format_time(segment.start_s),
            format_time(segment.end_s),
            _score(segment.mean_score),
            _score(segment.peak_score),
            format_time(segment.peak_s),
        )
        for segment in analysis.segments
    ]
    return table(("segment", "start", "end", "mean", "peak", "peak at"), rows)


def _shots_table(analysis: Analysis) -> str:
    rows = [
        (shot.label or NOTHING, format_time(shot.start_s), format_time(shot.end_s), _score(shot.mean_score))
        for shot in analysis.shots
    ]
    return table(("shot", "start", "end", "mean"), rows)


def _samples_table(analysis: Analysis) -> str:
    samples = analysis.samples
    rows = [
        (
            label or NOTHING,
            str(frame),
            format_time(time_s),
            *(_score(score) for score in scores),
        )
        for label, frame, time_s, scores in zip(
            analysis.sample_labels,
            samples.frames.tolist(),
            samples.times_s.tolist(),
            analysis.scores.tolist(),
            strict=True,
        )
    ]
    return table(("sample", "frame", "time", *analysis.labels), rows)


def _time(seconds: float | None) -> str:
    return NOTHING if seconds is None else format_time(seconds)


def _score(score: float | None) -> str:
    return NOTHING if score is None else f"{score:.3f}"
