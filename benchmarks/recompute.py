"""How long one edit takes from scores to chart data, with no engine and no disk.

Bars: at 10,800 samples (an hour at 3 a second) x 20 prompts x 512 numbers every full edit takes at most 60 ms
(median); at 108,000 samples the first of them takes at most 10 times as long. A full edit is what a changed wording
costs once its text is embedded: matrix product, smoothing, segments, metrics and chart data. Changes between
neighbouring samples depend on the video only and are kept, as the dashboard keeps them; the row "first look" includes
them.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np

from lib.analysis.analysis import Analysis, analyse
from lib.analysis.reference import reference_of
from lib.analysis.scoring import vector_change
from lib.charts.data import chart_data
from lib.charts.palette import label_colours
from lib.charts.timeline import change_chart, overview_chart, scores_chart, segments_chart
from lib.core.samples import Samples
from lib.prompts.model import Decision, Prompt, PromptSet, Settings, Smoothing
from lib.prompts.reference_phrases import PHRASES

BAR_MS = 60.0
BAR_RATIO = 10.0
STEP_S = 1 / 3


def make(n: int, p: int, d: int) -> tuple[Samples, PromptSet, dict[str, np.ndarray]]:
    """Return samples of scenes of about 20 s, and prompts that each have some of the scenes.

    Vectors are noisy enough for scores to cross the threshold within scenes too, as in real videos.
    """
    rng = np.random.default_rng(11)
    prompts = rng.normal(size=(p, d)).astype(np.float32)
    prompts /= np.linalg.norm(prompts, axis=1, keepdims=True)
    scene = np.repeat(rng.integers(0, p, size=n // 60 + 1), 60)[:n]
    vectors = 0.3 * prompts[scene] + rng.normal(scale=0.95 / np.sqrt(d), size=(n, d)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    samples = Samples(np.arange(n) * 10, np.arange(n) * STEP_S, vectors, n * STEP_S)
    texts = {f"prompt {i}": prompts[i] for i in range(p)}
    roles = ["background" if i == p - 1 else "target" for i in range(p)]
    prompt_set = PromptSet("benchmark", tuple(Prompt(text, role=role) for text, role in zip(texts, roles, strict=True)))
    return samples, prompt_set, texts


@dataclass(frozen=True)
class Timing:
    """How long something took, in milliseconds."""

    median: float
    worst: float
    cpu: float
    """Median of the processor time of all threads: what one core needs with nobody else on the machine."""


def measure(run: Callable[[], object], repeats: int) -> Timing:
    """Return the time that ``run`` takes, after one run that doesn't count."""
    run()
    wall, cpu = [], []
    for _ in range(repeats):
        start, start_cpu = time.perf_counter(), time.process_time()
        run()
        wall.append((time.perf_counter() - start) * 1000)
        cpu.append((time.process_time() - start_cpu) * 1000)
    return Timing(statistics.median(wall), max(wall), statistics.median(cpu))


def edits(n: int, p: int, d: int) -> dict[str, Callable[[], object]]:
    """Return name -> the work of each kind of edit."""
    samples, prompt_set, texts = make(n, p, d)
    change = vector_change(samples.vectors)
    cosine = analyse(samples, prompt_set, texts, change=change).cosine

    def settings(kind: str, decision: Decision = "threshold", **more: Any) -> PromptSet:
        smoothing = Smoothing(kind, 5)  # type: ignore[arg-type]
        chosen = {"decision": decision, "threshold": 0.15, "smoothing": smoothing, **more}
        return replace(prompt_set, settings=Settings(**chosen))

    phrases = np.random.default_rng(12).normal(size=(len(PHRASES), d)).astype(np.float32)
    phrases /= np.linalg.norm(phrases, axis=1, keepdims=True)
    reference = reference_of(samples, phrases)

    def full(chosen: PromptSet) -> Analysis:
        result = analyse(samples, chosen, texts, change=change, reference=reference)
        chart_data(result)
        return result

    def kept(chosen: PromptSet) -> None:
        chart_data(analyse(samples, chosen, texts, cosine=cosine, change=change))

    def drawn(chosen: PromptSet) -> None:
        result = analyse(samples, chosen, texts, cosine=cosine, change=change)
        data, colours = chart_data(result), label_colours(prompt_set.prompts)
        for _ in (
            overview_chart(result, colours),
            scores_chart(data, colours),
            segments_chart(data, colours),
            change_chart(data),
        ):
            pass

    average = settings("moving_average")
    return {
        "full edit": lambda: full(average),
        "full edit, best label": lambda: full(settings("moving_average", "best")),
        "full edit, hysteresis, bridging, minimum": lambda: full(
            settings("moving_average", "best_threshold", hysteresis=0.02, bridge_s=1.0, min_duration_s=1.0)
        ),
        "threshold or durations": lambda: kept(average),
        **{
            f"smoothing: {kind}": lambda kind=kind: kept(settings(kind))
            for kind in ("median", "gaussian", "exponential")
        },
        "full edit, relative": lambda: full(settings("moving_average", score="relative", threshold=1.25)),
        **{
            f"full edit, relative, viterbi, {decision}": lambda decision=decision: full(
                settings("viterbi", decision, score="relative", threshold=1.25)
            )
            for decision in get_args(Decision)
        },
        "full edit, relative, viterbi, cuts, bridging, minimum": lambda: full(
            settings(
                "viterbi",
                "best_threshold",
                score="relative",
                threshold=1.25,
                stop_at_cuts=True,
                bridge_s=1.0,
                min_duration_s=1.0,
            )
        ),
        "reference phrases, once a video": lambda: reference_of(samples, phrases),
        "first look": lambda: chart_data(analyse(samples, average, texts)),
        "threshold, with four Altair charts": lambda: drawn(average),
    }


def main(argv: list[str]) -> int:
    """Print the table; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks recompute", description=__doc__)
    parser.add_argument("--samples", type=int, default=10_800)
    parser.add_argument("--prompts", type=int, default=20)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args(argv)
    few, many = options.samples, 10 * options.samples
    small = {name: measure(run, options.repeats) for name, run in edits(few, options.prompts, options.dim).items()}
    large = {
        name: measure(run, max(options.repeats // 3, 3))
        for name, run in edits(many, options.prompts, options.dim).items()
    }
    print(f"{options.prompts} prompts x {options.dim}, {options.repeats} runs; median (worst; processor), ms\n")
    print(f"| edit | {few:,} samples | {many:,} samples | ratio |")
    print("|---|---|---|---|")
    for name, one in small.items():
        ten = large[name]
        print(f"| {name} | {_cell(one)} | {_cell(ten)} | {ten.median / one.median:.1f} |")
    ratio = large["full edit"].median / small["full edit"].median
    slowest = max(timing.median for name, timing in small.items() if name.startswith("full edit"))
    met = slowest <= BAR_MS and ratio <= BAR_RATIO
    print(
        f"\nSlowest full edit: {slowest:.1f} ms (bar {BAR_MS:g}), ratio {ratio:.1f} (bar {BAR_RATIO:g}): "
        f"{'met' if met else 'MISSED'}."
    )
    return 0 if met else 1


def _cell(timing: Timing) -> str:
    return f"{timing.median:.1f} ({timing.worst:.1f}; {timing.cpu:.1f})"
