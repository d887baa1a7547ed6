"""How long a matrix of 20 prompt sets by 4 videos takes, and what the separation without ground truth is worth.

Bar: at most 2 s from loaded vectors to the ranked table, with ground truth, so F1 included, on the four bundled sample
videos at stride 10, through the dashboard's own cache (a first look, the same again, one set changed). Without a bar,
to see how it grows: synthetic vectors of four hours, 10,800 samples (an hour at 3 a second) x 512 a video, 20 prompts a
set, each set in words of its own, with no cache; and how much is kept of a cell, as a share of its scores.

The last table says how well a number that needs no truth ranks wordings: the mean over labels of Spearman's rank
correlation with F1, for wordings of labels of three samples, each in two templates.
"""

from __future__ import annotations

import argparse
import logging
import os
import pickle
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.recompute import STEP_S, make
from lib.analysis.analysis import Analysis, analyse
from lib.analysis.scoring import vector_change
from lib.comparison.matrix import grid, measure, metrics_table, rank, separations, two_levels
from lib.comparison.wording_sweep import sweep
from lib.core.labelled_intervals import TrueSegment
from lib.core.samples import Samples
from lib.core.sampling import Sampling
from lib.engines.engine import Engine
from lib.engines.registry import make_engine
from lib.evaluation.evaluation import evaluate
from lib.ingest.ingest import ingest
from lib.prompts.model import Prompt, PromptSet, Smoothing
from lib.prompts.parsing import parse_prompt_set
from lib.services.ground_truth import video_truth
from lib.services.stored_analysis import analyse_stored
from lib.store.embeddings import EmbeddingInfo
from lib.store.store import Store
from lib.store.videos import Video

BAR_S = 2.0
SAMPLES = Path(__file__).resolve().parents[1] / "sample_videos"
_Cells = dict[tuple[str, str], Sequence[Mapping[str, Any]]]


@dataclass
class Times:
    """How long something took, turn by turn, in seconds."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    """Of all threads together: what one core needs with nobody else on the machine."""

    def take(self, run: Callable[..., object]) -> None:
        """Run once more."""
        start, start_processor = time.perf_counter(), time.process_time()
        run()
        self.wall.append(time.perf_counter() - start)
        self.processor.append(time.process_time() - start_processor)

    def __str__(self) -> str:
        numbers = (statistics.median(self.wall), max(self.wall), statistics.median(self.processor))
        return " | ".join(f"{number:.3f}" for number in numbers)


def ranked(cells: _Cells) -> None:
    """Do what the page does with the cells: one table, the matrix of a metric, the ranking."""
    sets, videos = (list(dict.fromkeys(key[side] for key in cells)) for side in (0, 1))
    rank(grid(metrics_table(cells), "f1", None, sets=sets, videos=videos), "f1")


# --- synthetic -----------------------------------------------------------------------------------------------------


def synthetic(sets: int, videos: int, n: int, p: int, d: int) -> Callable[[], float]:
    """Return the work of a whole matrix on made-up vectors; they are loaded, and nothing else is kept.

    It returns the bytes of the cells per byte of the scores that they are computed from.
    """
    samples, prompt_set, vectors = make(n, p, d)
    prompt_set = replace(
        prompt_set,
        settings=replace(prompt_set.settings, decision="best", smoothing=Smoothing("moving_average", 5)),
    )
    rng = np.random.default_rng(5)
    texts = dict(vectors)
    many = []
    for one in range(sets):
        words = {text: f"{text}, wording {one}" for text in vectors}
        noise = rng.normal(scale=0.3 / np.sqrt(d), size=(len(words), d)).astype(np.float32)
        texts |= {words[text]: vector + row for (text, vector), row in zip(vectors.items(), noise, strict=True)}
        prompts = tuple(replace(prompt, texts=(words[prompt.label],)) for prompt in prompt_set.prompts)
        many.append(replace(prompt_set, prompts=prompts))
    films = [
        Samples(samples.frames, samples.times_s, np.roll(samples.vectors, 977 * film, axis=0), samples.end_s)
        for film in range(videos)
    ]
    labels = [prompt.label for prompt in prompt_set.prompts]
    scenes = max(n // 60, 1)
    truth = [
        TrueSegment(labels[scene % p], 60 * scene * STEP_S, min(60 * (scene + 1), n) * STEP_S)
        for scene in range(scenes)
    ]
    changes = [vector_change(film.vectors) for film in films]

    def run() -> float:
        cells: _Cells = {}
        computed = 0
        for film, (loaded, change) in enumerate(zip(films, changes, strict=True)):
            for one, chosen in enumerate(many):
                found = analyse(loaded, chosen, texts, change=change)
                cells[str(one), str(film)] = measure(found, _f1(found, truth))
                computed += found.scores.nbytes
        ranked(cells)
        return sum(len(pickle.dumps(cell)) for cell in cells.values()) / computed

    return run


def _f1(found: Analysis, truth: Sequence[TrueSegment]) -> dict[str, float | None]:
    return {label: one.f1 for label, one in evaluate(found, truth).by_label.items()}


# --- the samples ---------------------------------------------------------------------------------------------------


def samples_in_dashboard(home: Path, sets: int) -> dict[str, Times]:
    """Return times by what was asked of the dashboard's cache, five times each."""
    os.environ["PROMPTREEL_HOME"] = str(home)
    logging.getLogger("streamlit").setLevel(logging.CRITICAL)  # there is no page, and it says so at each call
    from lib.ui.session import cache

    engine = make_engine("demo")
    bench = [_embedded(cache.store(), engine, name) for name in _names()]
    times: dict[str, Times] = {}
    for turn in range(5):
        chosen = _prompt_sets(sets, f" {turn}")
        texts = tuple(dict.fromkeys(text for one in chosen for text in one.texts))
        found: dict[str, NDArray[np.float32]] = {}

        # What a loop's function works on is bound as a default, since the loop goes on.
        def embed(texts: tuple[str, ...] = texts, found: dict[str, NDArray[np.float32]] = found) -> None:
            vectors, problems = cache.text_vectors(engine, texts)
            assert not problems, problems
            found.update(vectors)

        def whole(chosen: Sequence[PromptSet] = chosen, found: dict[str, NDArray[np.float32]] = found) -> None:
            ranked(
                {
                    (str(one), video.sha256): cache.label_metrics(info, prompt_set, found, cache.truth(video))
                    for video, info in bench
                    for one, prompt_set in enumerate(chosen)
                }
            )

        for _, info in bench:
            cache.samples(info)
        first = chosen[0]
        smoothed = replace(first, settings=replace(first.settings, smoothing=Smoothing("median", 3)))
        for name, run in (
            (f"embedding {len(texts)} new texts, one batch", embed),
            ("first look", whole),
            ("again", whole),
            ("one set changed", partial(whole, [smoothed, *chosen[1:]])),
        ):
            times.setdefault(name, Times()).take(run)
    return times


def _names() -> list[str]:
    return sorted(file.stem for file in SAMPLES.glob("*.mp4"))


def _embedded(store: Store, engine: Engine, name: str) -> tuple[Video, EmbeddingInfo]:
    video = store.add_file(SAMPLES / f"{name}.mp4")
    ingest(store, video, engine, Sampling.every(10))
    (info,) = store.embeddings(video.sha256)
    return video, info


def _prompt_sets(count: int, more: str) -> list[PromptSet]:
    """Return the samples' prompt sets in turn, each time in another template."""
    own = [parse_prompt_set((SAMPLES / f"{name}.prompts.yaml").read_text("utf-8")) for name in _names()]
    return [
        replace(own[one % len(own)], template=f"a scene with a {{}} and {one // len(own)}{more}")
        for one in range(count)
    ]


# --- what the separation is worth ----------------------------------------------------------------------------------

WORDINGS = {
    "construction site": "construction site;crane;building site with cranes;a yellow excavator;workers and a crane;"
    "scaffolding;house being built;digger;a tower crane over a building site;bulldozer",
    "shipyard": "shipyard;ship;a harbour with ships;crane and ship;a ship being built;dock;port;"
    "boats in a harbour;a large ship",
    "seaside": "seaside;beach;sea;the sea and sand;waves on the beach;coast;a beach with palms;ocean",
    "football pitch": "football pitch;football;soccer;grass;a green field;players on a pitch;stadium;a goal",
    "city street": "city street;street;city;road with cars;houses and cars;a busy street;traffic;buildings",
    "kitchen": "kitchen;room;stove;a kitchen with a stove;cooking;fridge",
    "forest": "forest;trees;a forest with trees;woods;green;nature",
    "mountains": "mountains;snow;hills;peaks;alps;rocks",
    "wine bottle": "wine bottle;bottle;wine;a bottle of wine;drink;a red bottle",
    "night": "night;dark;a dark road;street at night;moon",
    "day": "day;sun;bright;a sunny day;blue sky",
    "rain": "rain;wet;rainy street;drops;bad weather",
}


def _otsu_ratio(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the largest share of the variance that a split in two explains (Otsu 1979, equation 19)."""
    order = np.argsort(values)
    ordered, share = values[order] - values.mean(), weights[order] / weights.sum()
    below, sums = np.cumsum(share)[:-1], np.cumsum(share * ordered)[:-1]
    between = (float(share @ ordered) * below - sums) ** 2 / (below * (1 - below))
    variance = float(share @ ordered**2) - float(share @ ordered) ** 2
    return float(between.max() / variance) if variance > 0 else float("nan")


def numbers_without_truth(found: Analysis, label: str) -> dict[str, float]:
    """Return what might rank wordings where there is no truth."""
    column, spans = found.column(label), found.samples.spans_s
    score = found.scores[:, column]
    lead = score - np.delete(found.scores, column, axis=1).max(axis=1)
    return {
        "separation: distance of two levels of the lead": float(separations(found)[column]),
        "distance of two levels of the score": float(two_levels(score[:, None], spans)[0]),
        "Otsu's ratio of variances, of the lead": _otsu_ratio(lead, spans),
        "Otsu's ratio of variances, of the score": _otsu_ratio(score, spans),
        "peak score": float(score.max()),
        "largest lead": float(lead.max()),
        "standard deviation of the score": float(score.std()),
    }


def correlations(home: Path) -> tuple[dict[str, float], int]:
    """Return the mean rank correlation with F1 of each number, and over how many labels."""
    store, engine = Store(home), make_engine("demo")
    found: dict[str, list[float]] = {}
    counted = 0
    for name in ("five_scenes", "advert_reel", "night_drive_vfr"):
        video = store.add_file(SAMPLES / f"{name}.mp4")
        sampling = Sampling.every(10)
        ingest(store, video, engine, sampling)
        truth = video_truth(store, video).segments
        own = parse_prompt_set((SAMPLES / f"{name}.prompts.yaml").read_text("utf-8"))
        if name == "five_scenes":  # its own prompt set is the published mistake
            own = PromptSet(name, tuple(Prompt(label) for label in dict.fromkeys(one.label for one in truth)))
        for label in [prompt.label for prompt in own.prompts if prompt.label in WORDINGS]:
            tries, _ = sweep(own, label, WORDINGS[label].split(";"), ["{}", "a photo of a {}"])
            rows = []
            for one in tries:
                analysis = analyse_stored(store, video, engine, sampling, one.prompt_set)
                rows.append((_f1(analysis, truth)[label], numbers_without_truth(analysis, label)))
            f1 = [row[0] for row in rows if row[0] is not None]
            if len(f1) < len(rows) or len(set(f1)) < 2:
                continue  # nothing to rank
            counted += 1
            for number in rows[0][1]:
                r = float(stats.spearmanr(f1, [row[1][number] for row in rows]).statistic)
                found.setdefault(number, []).append(r)
    return {number: statistics.fmean(values) for number, values in found.items()}, counted


# --- the tables ----------------------------------------------------------------------------------------------------


def main(argv: list[str]) -> int:
    """Print the tables; 1 when the bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks matrix", description=__doc__)
    parser.add_argument("--only", choices=["samples", "synthetic", "separation"])
    parser.add_argument("--sets", type=int, default=20)
    parser.add_argument("--videos", type=int, default=4, help="synthetic ones; the bundled ones are four")
    parser.add_argument("--samples", type=int, default=10_800, help="of a synthetic video")
    parser.add_argument("--prompts", type=int, default=20, help="of a synthetic prompt set")
    parser.add_argument("--dim", type=int, default=512)
    options = parser.parse_args(argv)
    wanted = [options.only] if options.only else ["samples", "synthetic", "separation"]
    first_look_s: float | None = None
    with tempfile.TemporaryDirectory() as folder:
        if {"samples", "synthetic"} & set(wanted):
            print("| matrix | median, s | slowest, s | processor, s |")
            print("|---|---|---|---|")
        if "samples" in wanted:
            times = samples_in_dashboard(Path(folder) / "home", options.sets)
            for name, one in times.items():
                print(f"| {options.sets} sets x 4 samples: {name} | {one} |")
            first_look_s = statistics.median(times["first look"].wall)
        if "synthetic" in wanted:
            run = synthetic(options.sets, options.videos, options.samples, options.prompts, options.dim)
            kept = run()
            whole = Times()
            for _ in range(3):
                whole.take(run)
            size = f"{options.samples:,} samples, {options.prompts} prompts"
            print(f"| {options.sets} sets x {options.videos} synthetic, {size}: all | {whole} |")
            print(f"\nKept of a cell: {kept:.2%} of the bytes of its scores.")
        if first_look_s is not None:
            met = first_look_s <= BAR_S
            print(f"\nBar, {BAR_S:g} s for the first look at the samples: {'met' if met else 'MISSED'}.")
        if "separation" in wanted:
            found, labels = correlations(Path(folder) / "other")
            print(f"\n| number without truth | mean rank correlation with F1, {labels} labels |")
            print("|---|---|")
            for number, r in sorted(found.items(), key=lambda item: -item[1]):
                print(f"| {number} | {r:.2f} |")
    return 0 if first_look_s is None or first_look_s <= BAR_S else 1
