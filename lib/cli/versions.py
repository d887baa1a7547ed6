"""``versions list|show|diff|save|export|import``: states of experiments with their numbers, and as files."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.cli.actions import actions
from lib.cli.context import Context, UsageError, add_engine_options
from lib.cli.ground_truth import HELP, read_ground_truth
from lib.cli.inputs import analysed_with, embed_stored
from lib.cli.output import NOTHING, dump, harmless, table
from lib.comparison.version_diff import NOTHING_DIFFERS
from lib.core.errors import InputError, NotStoredError
from lib.core.formatting import format_time, plural
from lib.core.sampling import Sampling
from lib.engines.clip_versions import DEFAULT_VERSION
from lib.engines.registry import api_key_from_environment, default_engine, is_embedded, may_have_environments_key
from lib.evaluation.numbers import Change, Numbers, f1_changes, numbers_of
from lib.infra.address import origin_of
from lib.infra.files import write_atomically
from lib.services import experiments, version_files, versions
from lib.services.experiments import Experiment
from lib.services.ground_truth import Truth, video_truth
from lib.services.input_files import read_bytes, read_prompt_set
from lib.services.versions import Version
from lib.store.store import Store
from lib.store.videos import Video

if TYPE_CHECKING:
    from lib.engines.engine import Engine

_VERSION = "an id that “versions list” prints, the beginning of one, or a name"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = actions(parser)
    listing = add("list", _list, "list all versions, the newest first")
    listing.add_argument("--experiment", metavar="ID", help="those of one experiment")
    show = add("show", _show, "print what a version is and its numbers")
    show.add_argument("version", metavar="VERSION", help=_VERSION)
    show.add_argument(
        "--again",
        action="store_true",
        help="compute the numbers again, embedding what is missing, and print them beside the old ones",
    )
    diff = add("diff", _diff, "print what differs between two versions, in words and in F1")
    diff.add_argument("a", metavar="VERSION", help=_VERSION)
    diff.add_argument("b", metavar="OTHER", nargs="?", help="another one; none: its experiment as it is now")
    save = add("save", _save, "save an experiment, or prompts for a video, as a version with its numbers")
    save.add_argument("video", type=Path, nargs="?", metavar="VIDEO")
    save.add_argument("--prompts", type=Path, metavar="FILE", help="a prompt set, as for analyze")
    save.add_argument("--truth", type=Path, metavar="FILE", help=HELP)
    save.add_argument("--experiment", metavar="ID", help="an experiment of the dashboard, in place of VIDEO and FILE")
    save.add_argument("--name", default="", help="name of the version")
    save.add_argument("--note", default="", help="what there is to say about it")
    add_engine_options(save)
    export = add("export", _export, "write a version as one JSON file, with its picture examples")
    export.add_argument("version", metavar="VERSION", help=_VERSION)
    export.add_argument("file", type=Path, nargs="?", metavar="FILE", help="where to; none: standard output")
    take_in = add("import", _import, "take in files that export has written, and make experiments to open")
    take_in.add_argument("files", type=Path, nargs="+", metavar="FILE")
    for command in (listing, show, diff, take_in):
        command.add_argument("--json", action="store_true", help="print JSON instead of text")


def _print(*blocks: str) -> None:
    """Print blocks of text, which may come from another machine."""
    print(harmless("\n\n".join(block for block in blocks if block)))


def _list(args: argparse.Namespace, context: Context) -> int:
    found = versions.listed(Store().home, None if args.experiment is None else {args.experiment})
    for name in found.damaged:
        context.reporter.line(f"{name} is damaged, was altered, or is of another Promptreel; it stays as it is.")
    if args.json:
        print(dump({"versions": [_entry(one) for one in found.versions], "damaged": list(found.damaged)}))
    elif found.versions:
        rows = [
            (
                one.id,
                one.shown_name,
                _when(one),
                versions.WHY[one.why],
                one.title,
                one.video.name if one.video else NOTHING,
                _number(one.numbers.macro_f1 if one.numbers else None),
            )
            for one in found.versions
        ]
        _print(table(("id", "name", "time", "why", "experiment", "video", "macro F1"), rows, left=6))
    else:
        print("There is no version yet; “versions save” and the dashboard's “Save version” make one.")
    return 0


def _entry(version: Version) -> dict[str, Any]:
    data = version.to_dict()
    entry = {name: data[name] for name in ("id", "name", "note", "created_at", "why", "video", "engine_id", "package")}
    entry["experiment"] = {"id": version.experiment.id, "title": version.title}
    return {**entry, "overall": (data["numbers"] or Numbers().to_dict())["overall"]}


def _when(version: Version) -> str:
    return f"{datetime.fromtimestamp(version.created_at):%Y-%m-%d %H:%M}"


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"


# --- show ----------------------------------------------------------------------------------------------------------


def _show(args: argparse.Namespace, context: Context) -> int:
    store = Store()
    version = versions.find(store.home, args.version)
    again = _again(context, store, version) if args.again else None
    if args.json:
        data = version.to_dict()
        if again is not None:
            data["again"] = {
                "engine_id": again.engine_id,
                "truth": again.truth_digest,
                "numbers": again.numbers.to_dict() if again.numbers else None,
                "differences": list(versions.differences(version, again)),
            }
        print(dump(data))
        return 0
    blocks = [_about(version), _prompts(version), _numbers(version.numbers)]
    if again is not None:
        blocks += [_compared(version, again, "then", "now"), *_sentences(versions.differences(version, again))]
    _print(*blocks)
    return 0


def _about(version: Version) -> str:
    sampling = Sampling.from_key(version.experiment.sampling).description
    truth = f"{plural(len(version.truth), 'segment')} ({version.truth_digest})" if version.truth else "none"
    lines = [
        f"version {version.id}: {version.shown_name}, {_when(version)}, {versions.WHY[version.why]}",
        f"note: {version.note}" if version.note else "",
        f"experiment: {version.title} ({version.experiment.id})",
        f"video: {version.video.in_words if version.video else 'none'}",
        f"engine: {versions.engine_words(version)}, {sampling}, Promptreel {version.package}",
        f"ground truth: {truth}",
    ]
    return "\n".join(line for line in lines if line)


def _prompts(version: Version) -> str:
    prompt_set, problems = version.experiment.prompt_set()
    if prompt_set is None:
        return "\n".join(problems)
    rows = []
    for prompt in prompt_set.prompts:
        learned = [one.source for one in prompt.learned]
        more = [
            *([] if prompt.enabled else ["off"]),
            *([plural(len(prompt.pictures), "picture")] if prompt.pictures else []),
            *learned,
        ]
        threshold = _number(prompt_set.threshold_of(prompt))
        rows.append((prompt.label, "; ".join(prompt.texts), prompt.role, ", ".join(more), threshold))
    settings = prompt_set.settings
    words = (
        f"template: {prompt_set.template}\nscore: {settings.score}, decision: {settings.decision.replace('_', ' ')}, "
        f"smoothing: {settings.smoothing.in_words}, hysteresis {settings.hysteresis:g}, "
        f"minimum duration {settings.min_duration_s:g} s, gaps to merge {settings.bridge_s:g} s"
    )
    return f"{words}\n\n{table(('label', 'phrasings', 'role', '', 'threshold'), rows, left=4)}"


def _numbers(numbers: Numbers | None) -> str:
    if numbers is None:
        return "Its numbers were not computed; “versions show --again” does it."
    rows = []
    for label, values in numbers.labels.items():
        first, peak = values.get("first_seen_s"), values.get("peak_score")
        rows.append(
            (
                label,
                _number(numbers.f1(label)),
                f"{float(values.get('share') or 0) * 100:.1f} %",
                f"{float(values.get('duration_s') or 0):.1f} s",
                NOTHING if first is None else format_time(float(first)),
                _number(None if peak is None else float(peak)),
            )
        )
    overall = f"overall: macro F1 {_number(numbers.macro_f1)}, accuracy {_number(numbers.accuracy)}"
    return f"{table(('label', 'F1', 'share', 'duration', 'first', 'peak'), rows)}\n\n{overall}"


def _compared(a: Version, b: Version, name_a: str, name_b: str) -> str:
    """Return F1 of two versions side by side, the label that lost most first."""
    before, after = a.numbers or Numbers(), b.numbers or Numbers()
    changes = [Change("all labels (macro)", before.macro_f1, after.macro_f1), *f1_changes(before, after)]
    rows = [
        (
            change.label or "",
            _number(change.before),
            _number(change.now),
            "n/a" if change.difference is None else f"{change.difference:+.3f}",
        )
        for change in changes
    ]
    return table(("F1", name_a, name_b, "difference"), rows)


def _sentences(differences: tuple[str, ...]) -> list[str]:
    return ["\n".join(f"- {one}" for one in differences) or NOTHING_DIFFERS]


# --- computing -----------------------------------------------------------------------------------------------------


def _again(context: Context, store: Store, version: Version) -> Version:
    """Return the version with the numbers that it has now: with the engine and the ground truth as they are here."""
    engine = _engine_of(context, version.experiment, version.engine_id)
    truth: Truth | None = None
    if version.experiment.video is not None and not _truth_here(store, version.experiment.video):
        truth = version.truth
        if truth:
            context.reporter.line("The video has no ground truth here, so the version's own is used.")
    return _computed(context, store, version.experiment, engine, truth)


def _truth_here(store: Store, sha256: str) -> Truth:
    return video_truth(store, _video(store, sha256)).segments


def _video(store: Store, sha256: str, words: str = "") -> Video:
    try:
        return store.video(sha256)
    except NotStoredError as error:
        raise InputError(f"The video {words or sha256[:12] + '…'} is not on this machine; add it first.") from error


def _engine_of(context: Context, experiment: Experiment, engine_id: str | None) -> Engine:
    """Return the engine of an experiment; a model of the hub at the commit that the numbers are of.

    The environment's key goes only to servers that may have it: a version comes from a file that anybody can write.
    """
    pinned = experiments.engine_fields(engine_id).get("model") if engine_id else None
    spec, key = pinned or experiment.engine_spec, None
    if not is_embedded(spec) and may_have_environments_key(origin_of(experiment.server_url)):
        key = api_key_from_environment()
    context.reporter.line(f"computing with {spec}")
    return context.engine_of(spec, experiment.model_version, api_key=key)


def _computed(
    context: Context, store: Store, experiment: Experiment, engine: Engine, truth: Truth | None, **named: Any
) -> Version:
    """Return ``experiment`` as a version with its numbers; what is missing is embedded."""
    prompt_set, problems = experiment.prompt_set()
    for problem in problems:
        context.reporter.line(problem)
    if prompt_set is None or experiment.video is None:
        raise InputError("There is no prompt or no video, so there is nothing to compute.")
    version = versions.as_version(store, experiment, engine_id=engine.id, truth=truth, **named)
    video = _video(store, experiment.video, version.video.in_words if version.video and version.video.name else "")
    sampling = Sampling.from_key(experiment.sampling)
    embed_stored(engine, context, store, video, sampling)
    analysis = analysed_with(engine, context, store, video, sampling, prompt_set)
    return replace(version, engine_id=engine.id, numbers=numbers_of(analysis, version.truth))


# --- diff, save, export, import ------------------------------------------------------------------------------------


def _diff(args: argparse.Namespace, context: Context) -> int:
    store = Store()
    a = versions.find(store.home, args.a)
    if args.b is None:
        now = experiments.load(store.home, a.experiment.id)
        if now is None:
            raise InputError(f"The experiment {a.experiment.id} is gone; name another version to compare with.")
        b = versions.as_version(store, now)
    else:
        b = versions.find(store.home, args.b)
    differences = versions.differences(a, b)
    same_video = a.experiment.video == b.experiment.video
    if args.json:
        changes = [
            {"label": one.label, "a": one.before, "b": one.now, "difference": one.difference if same_video else None}
            for one in f1_changes(a.numbers or Numbers(), b.numbers or Numbers())
        ]
        print(dump({"a": a.id, "b": b.id or None, "differences": list(differences), "f1": changes}))
        return 0
    blocks = [f"A = {a.shown_name} ({a.id}), B = {b.shown_name} ({b.id})" if b.id else f"A = {a.shown_name}, B = now"]
    blocks += _sentences(differences)
    if b.id:
        blocks.append(_compared(a, b, "A", "B") if same_video else "They are of different videos: F1 isn't compared.")
    _print(*blocks)
    return 0


def _save(args: argparse.Namespace, context: Context) -> int:
    of_files = args.video is not None and args.prompts is not None
    if of_files == (args.experiment is not None) or (not of_files and (args.video or args.prompts or args.truth)):
        raise UsageError("give VIDEO and --prompts FILE, or --experiment ID")
    store = Store()
    named = {"name": args.name, "note": args.note}
    if args.experiment is not None:
        experiment = experiments.load(store.home, args.experiment)
        if experiment is None:
            raise InputError(f"There is no experiment {args.experiment!r}; the Library of the dashboard has them.")
        computed = _computed(context, store, experiment, _engine_of(context, experiment, None), None, **named)
    else:
        computed = _of_files(args, context, store, named)
    version = versions.keep(
        store,
        computed.experiment,
        "saved",
        **named,
        engine_id=computed.engine_id,
        numbers=computed.numbers,
        truth=computed.truth,
    )
    if version is None:
        raise InputError("There is no prompt, so there is nothing to save.")
    if args.json:
        print(dump(_entry(version)))
        return 0
    print(
        f"{version.id}: {version.shown_name}, macro F1 {_number(version.numbers.macro_f1 if version.numbers else None)}"
    )
    return 0


def _of_files(args: argparse.Namespace, context: Context, store: Store, named: dict[str, str]) -> Version:
    """Return the version of prompts for a video; an experiment that says the same is used, else one is made."""
    prompt_set = read_prompt_set(args.prompts)
    name, engine = args.video.name, context.engine
    video = store.add_file(args.video, on_progress=lambda done, total: context.reporter.hashing(name, done, total))
    truth = None
    if args.truth is not None:
        info = embed_stored(engine, context, store, video, context.sampling)
        truth = read_ground_truth(args.truth, video, info.end_s, context.reporter)
    experiment = replace(
        experiments.with_engine(experiments.fresh(), args.engine or default_engine(), args.model or DEFAULT_VERSION),
        video=video.sha256,
        sampling=context.sampling.key,
    ).with_prompt_set(prompt_set)
    computed = _computed(context, store, experiment, engine, truth, **named)
    same = [one for one in versions.listed(store.home).versions if one.state == computed.state]
    if same:
        return replace(computed, experiment=replace(experiment, id=same[0].experiment.id))
    experiments.save(store.home, experiment)
    for problem in version_files.share_truth(store, video, computed) if computed.truth else ():
        context.reporter.line(problem)
    return computed


def _export(args: argparse.Namespace, context: Context) -> int:
    store = Store()
    exported = version_files.export(store, versions.find(store.home, args.version).id)
    if exported.left_out:
        context.reporter.line(
            f"{plural(exported.left_out, 'picture example')} left out: not on this machine, or too large together."
        )
    if args.file is None:
        sys.stdout.buffer.write(exported.text.encode() + b"\n")
        return 0
    try:
        write_atomically(args.file, exported.text)
    except OSError as error:
        raise InputError(f"{args.file} can't be written ({error.strerror}); choose another place.") from error
    print(args.file)
    return 0


def _import(args: argparse.Namespace, context: Context) -> int:
    store = Store()
    entries = []
    for path in args.files:
        content = read_bytes(path, "version", InputError, most=version_files.MAX_BYTES)
        done = version_files.import_file(store, content, path.name)
        for problem in done.problems:
            context.reporter.line(f"{path.name}: {problem}")
        entry = _entry(done.version)
        entry |= {"new": done.new, "video_is_here": done.video is not None}
        entries.append({**entry, "experiment": {**entry["experiment"], "id": done.experiment.id}})
        if not args.json:
            what = "imported" if done.new else "is there already"
            _print(f"{done.version.id}: {done.version.shown_name}, {what}; experiment {done.experiment.id}")
    if args.json:
        print(dump({"versions": entries}))
    return 0
