"""Reports as files for people without Promptreel: of a video, of a comparison, of an archive's categories.

A file is at most ``MAX_BYTES`` for a video of ten minutes: pictures are made smaller until it is, and left out at last.
"""

from __future__ import annotations

import io
import platform
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from PIL import Image

import lib
from lib.analysis.analysis import Analysis
from lib.comparison.archive_view import VideoFacts
from lib.comparison.categories import By
from lib.comparison.comparison import compare
from lib.comparison.version_diff import State, differences
from lib.core.errors import InputError
from lib.core.formatting import file_name, format_duration, plural
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.engines.registry import is_embedded
from lib.evaluation.bootstrap import overall_difference
from lib.evaluation.evaluation import evaluate
from lib.evaluation.verdict import verdict
from lib.prompts.model import PromptSet
from lib.report.archive import archive_report
from lib.report.blocks import Code, Origin, Pictures, Report
from lib.report.comparison import AgainstTruth, comparison_report
from lib.report.rendering import render
from lib.report.video import video_report
from lib.services.archive import Classification, embeddings_to_classify
from lib.services.ground_truth import Truth
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store
from lib.store.videos import Video

MAX_BYTES = 4_000_000
MIME = "text/html"
_SIZES = ((240, 75), (180, 65), (130, 55))
"""Width in pixels and quality of the JPEGs, tried in turn."""
_SEED = 0  # of the bootstrap: the same report has the same intervals
_PACKAGES = ("numpy", "scipy", "scikit-learn", "av", "onnxruntime", "lancedb", "altair", "vl-convert-python")


@dataclass(frozen=True)
class About:
    """What a person says of a report.

    Raises:
        InputError: the title has more than 2,000 characters, or the note more than 50,000.
    """

    title: str = ""
    """Empty: the name of what it is of."""
    note: str = ""
    version: str = ""
    """Name or id of the saved version whose numbers they are; empty without one."""

    def __post_init__(self) -> None:
        for name, text, most in (("title", self.title, 2_000), ("note", self.note, 50_000)):
            if len(text) > most:
                raise InputError(f"The {name} of a report has {len(text):,} characters, and {most:,} are possible.")


def report_name(stem: str) -> str:
    """Return the name of a report's file."""
    return file_name(stem, "-report.html")


def report_of_video(
    store: Store,
    video: Video,
    info: EmbeddingInfo,
    engine: Engine,
    analysis: Analysis,
    *,
    truth: Truth = (),
    about: About | None = None,
) -> bytes:
    """Return the report of one analysis; with ``truth`` it says what the analysis is worth against it."""
    prompt_set, about = analysis.prompt_set, about or About()
    command = f"python -m lib analyze {shlex.quote(video.name)} --prompts prompts.yaml{_options(engine, info)}"
    origin = Origin(
        about.title or f"{prompt_set.name}: {video.name}",
        _subtitle(video, info, engine),
        about.note,
        [*_video_facts(video), *_embedding_facts(info, engine), *_facts(about)],
        [Code(prompt_set.to_yaml(), "prompts.yaml"), Code(command, "Command")],
    )
    evaluation = evaluate(analysis, truth) if truth else None

    def build(pictures: Pictures) -> Report:
        return video_report(analysis, origin, pictures, truth=truth, evaluation=evaluation)

    return fitted(build, lambda frame: store.thumbnails(info.key, [int(frame)]).get(int(frame)))


@dataclass(frozen=True)
class Side:
    """One side of a comparison."""

    info: EmbeddingInfo
    engine: Engine
    analysis: Analysis


def report_of_comparison(
    store: Store, video: Video, a: Side, b: Side, *, truth: Truth = (), about: About | None = None
) -> bytes:
    """Return the report of two analyses of one video; with ``truth`` it says which is better, and on what evidence."""
    about = about or About()
    facts, codes = list(_video_facts(video)), []
    for name, side in (("A", a), ("B", b)):
        facts += _embedding_facts(side.info, side.engine, name)
        file = f"{name.lower()}.yaml"
        command = f"python -m lib analyze {shlex.quote(video.name)} --prompts {file}{_options(side.engine, side.info)}"
        codes += [Code(side.analysis.prompt_set.to_yaml(), file), Code(command, f"Command of {name}")]
    names = [side.analysis.prompt_set.name for side in (a, b)]
    origin = Origin(
        about.title or f"{' or '.join(dict.fromkeys(names))}: {video.name}",
        _subtitle(video, a.info, a.engine),
        about.note,
        [*facts, *_facts(about)],
        codes,
    )
    states = [
        State(
            side.analysis.prompt_set,
            f"{side.engine.name} ({side.engine.id})",
            Sampling.from_key(side.info.key.sampling_key).description,
            video.name,
            (),
        )
        for side in (a, b)
    ]
    comparison, against = compare(a.analysis, b.analysis), None
    if truth:
        evaluations = evaluate(a.analysis, truth), evaluate(b.analysis, truth)
        said = verdict(*evaluations, overall_difference(*evaluations, seed=_SEED))
        against = AgainstTruth(truth, *evaluations, said)

    def build(pictures: Pictures) -> Report:
        return comparison_report(comparison, origin, pictures, differences=differences(*states), against=against)

    return fitted(build, lambda frame: store.thumbnails(a.info.key, [int(frame)]).get(int(frame)))


def report_of_archive(
    store: Store,
    engine: Engine,
    prompt_set: PromptSet,
    found: Classification,
    facts: Mapping[str, VideoFacts],
    *,
    by: By = "share",
    about: About | None = None,
) -> bytes:
    """Return the report of an archive's categories.

    Args:
        store: where the videos are.
        engine: that of ``found``.
        prompt_set: whose labels the categories are.
        found: what is found in each video, by SHA-256.
        facts: names, lengths and true categories, by the same.
        by: how a video's category is chosen.
        about: what a person says of it.
    """
    about = about or About()
    infos = {info.key.sha256: info for info in embeddings_to_classify(store, engine.id, list(found.videos))}
    samplings = sorted({Sampling.from_key(info.key.sampling_key).description for info in infos.values()})
    command = f"python -m lib classify --all --prompts prompts.yaml --json{_engine_option(engine)}"
    origin = Origin(
        about.title or f"{prompt_set.name}: {plural(len(found.videos), 'video')}",
        f"{plural(len(found.videos), 'video')}, {engine.name}",
        about.note,
        [("Engine", f"{engine.name} ({engine.id})"), ("Sampling", "; ".join(samplings)), *_facts(about)],
        [Code(prompt_set.to_yaml(), "prompts.yaml"), Code(command, "Command")],
    )

    def picture(sha256: str | int) -> bytes | None:
        frame, info = found.videos[str(sha256)].poster_frame, infos.get(str(sha256))
        return None if frame is None or info is None else store.thumbnails(info.key, [frame]).get(frame)

    def build(pictures: Pictures) -> Report:
        return archive_report(found.categories, facts, prompt_set, origin, pictures, by=by)

    return fitted(build, picture)


# --- how the same numbers are got again ------------------------------------------------------------------------------


def _subtitle(video: Video, info: EmbeddingInfo, engine: Engine) -> str:
    sampling = Sampling.from_key(info.key.sampling_key).description
    return f"{video.name}, {format_duration(info.duration_s)}, {info.samples:,} samples ({sampling}), {engine.name}"


def _video_facts(video: Video) -> Iterator[tuple[str, str]]:
    yield "Video", video.name
    yield "SHA-256 of its bytes", video.sha256


def _embedding_facts(info: EmbeddingInfo, engine: Engine, side: str = "") -> Iterator[tuple[str, str]]:
    of = f" of {side}" if side else ""
    yield f"Engine{of}", f"{engine.name} ({engine.id})"
    yield f"Sampling{of}", Sampling.from_key(info.key.sampling_key).description
    if info.damage:
        yield f"Damage{of}", info.damage
    if info.missing:
        yield f"Samples without a vector{of}", f"{info.missing:,}"


def _facts(about: About) -> Iterator[tuple[str, str]]:
    if about.version:
        yield "Saved version", about.version
    yield "Promptreel", lib.__version__
    yield "Python", platform.python_version()
    yield "Packages", _packages()
    yield "Made at", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


@cache
def _packages() -> str:
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # installed in another way
            continue
    return ", ".join(found)


def _engine_option(engine: Engine) -> str:
    """Return the options that choose an engine, without an address or a folder of this machine."""
    spec, model = getattr(engine, "spec", ("", ""))
    if not spec:
        return ""
    shown = "YOUR_SERVER" if not is_embedded(spec) else "folder:YOURS" if spec.startswith("folder:") else spec
    return f" --engine {shlex.quote(shown)}" + (f" --model {shlex.quote(model)}" if model else "")


def _options(engine: Engine, info: EmbeddingInfo) -> str:
    """Return the options of the command line that choose an engine and a sampling."""
    sampling = Sampling.from_key(info.key.sampling_key)
    number = int(sampling.value) if sampling.value.denominator == 1 else float(sampling.value)
    framing = f" --framing {sampling.framing}" if sampling.framing else ""
    return f"{_engine_option(engine)} --{sampling.kind} {number}{framing}"


# --- pictures --------------------------------------------------------------------------------------------------------


def fitted(build: Callable[[Pictures], Report], picture: Callable[[str | int], bytes | None]) -> bytes:
    """Return the file with the largest pictures that ``MAX_BYTES`` allows, else with none."""
    originals: dict[str | int, bytes | None] = {}

    def original(key: str | int) -> bytes | None:
        if key not in originals:
            originals[key] = picture(key)
        return originals[key]

    for width, quality in _SIZES:

        def scaled(key: str | int, width: int = width, quality: int = quality) -> bytes | None:
            return _scaled(original(key), width, quality)

        data = render(build(scaled))
        if len(data) <= MAX_BYTES:
            return data
    return render(build(lambda key: None))


def _scaled(picture: bytes | None, width: int, quality: int) -> bytes | None:
    """Return a stored picture as a JPEG at most ``width`` pixels wide; None where it can't be read."""
    if picture is None:
        return None
    try:
        with Image.open(io.BytesIO(picture), formats=["JPEG"]) as image:
            small = image.convert("RGB")
            small.thumbnail((width, width * 2), Image.Resampling.LANCZOS)
            out = io.BytesIO()
            small.save(out, "JPEG", quality=quality, optimize=True)
    except (OSError, ValueError):
        return None
    return out.getvalue()
