"""How long it takes to sort a library of 2,000 videos into 20 categories, and again after a prompt was changed.

Bars: the first classification at most 30 s, after a changed prompt at most 5 s, memory at most 700 MB, all of the
process. Synthetic, video-like vectors as in ``benchmarks.search``: 300 samples x 512 a video. The third row is what
nobody should wait for: the same again, with nothing changed. Beside it: each video analysed as Explore does it
(``analyse_stored``), one after another, on as many as a tenth of the videos and reckoned for all.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.search import ENGINE, World, fill
from lib.core.sampling import Sampling
from lib.prompts.model import Prompt, PromptSet, Settings, Smoothing
from lib.prompts.reference_phrases import PHRASES
from lib.services.archive import classify, embeddings_to_classify
from lib.services.stored_analysis import analyse_stored
from lib.store.store import Store, embed_texts_cached
from tests.helpers.memory import MB, peak_bytes
from tests.helpers.toy_engine import ToyEngine

BAR_FIRST_S, BAR_CHANGED_S, BAR_MEMORY_MB = 30.0, 5.0, 700.0


class _Words(ToyEngine):
    """An engine whose texts lie among the videos' vectors as those of CLIP do."""

    def __init__(self, dim: int) -> None:
        super().__init__(id=ENGINE, name="Benchmark", dim=dim)
        self._world = World(dim)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a vector of each text, always the same one."""
        seeds = [int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) for text in texts]
        return np.stack([self._world.text(np.random.default_rng(seed)) for seed in seeds])


def _prompts(labels: int) -> PromptSet:
    settings = Settings(score="relative", decision="best_threshold", smoothing=Smoothing("moving_average", 5))
    prompts = [Prompt(f"category {number}") for number in range(labels - 2)]
    return PromptSet(
        "benchmark", (*prompts, Prompt("wine", role="restricted"), Prompt("rest", role="background")), settings=settings
    )


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return how long it took, and how long the processor worked, over all threads; in seconds."""
    begun, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begun, time.process_time() - used


def main(argv: list[str]) -> int:
    """Print the table; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks archive", description=__doc__)
    parser.add_argument("--videos", type=int, default=2_000)
    parser.add_argument("--samples", type=int, default=300, help="of a video")
    parser.add_argument("--labels", type=int, default=20)
    parser.add_argument("--home", type=Path, help="keep the library in this folder, and use what is there")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as temporary:
        home = options.home or Path(temporary)
        fill(Store(home), options.videos * options.samples, options.videos, 512)
        for derived in ("archive", "search"):
            shutil.rmtree(home / derived, ignore_errors=True)
        store, engine, prompts = Store(home), _Words(512), _prompts(options.labels)
        infos = embeddings_to_classify(store, engine.id)
        changed = replace(
            prompts, prompts=(replace(prompts.prompts[0], texts=("another wording",)), *prompts.prompts[1:])
        )
        embed_texts_cached(
            store, engine, [*PHRASES, *changed.texts, *prompts.texts]
        )  # what an engine takes isn't asked
        first = _timed(lambda: classify(store, engine, prompts, infos))
        again = _timed(lambda: classify(store, engine, changed, infos))
        same = _timed(lambda: classify(store, engine, changed, infos))
        memory = peak_bytes() / MB
        part = store.videos()[: max(1, options.videos // 10)]
        alone, _ = _timed(lambda: [analyse_stored(store, video, engine, Sampling.every(10), changed) for video in part])
    alone *= options.videos / len(part)
    rows = {"first": (first, BAR_FIRST_S), "a prompt changed": (again, BAR_CHANGED_S)}
    print(f"{options.videos:,} videos x {options.samples} samples x {options.labels} labels\n")
    print("| classification | seconds | of the processor | ratio to Explore, one by one | bar |\n|---|---|---|---|---|")
    for name, ((took, used), bar) in rows.items():
        verdict = f"at most {bar:g} s: {'held' if took <= bar else 'MISSED'}"
        print(f"| {name} | {took:.1f} | {used:.1f} | {took / alone:.2f} | {verdict} |")
    print(f"| nothing changed | {same[0]:.2f} | {same[1]:.2f} | {same[0] / alone:.3f} | |")
    held = memory <= BAR_MEMORY_MB
    print(f"\nPeak memory {memory:.0f} MB (at most {BAR_MEMORY_MB:.0f}: {'held' if held else 'MISSED'}).")
    return 0 if held and all(took <= bar for (took, _), bar in rows.values()) else 1
