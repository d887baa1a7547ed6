"""How long an edit takes to be seen: from the key on a slider to the last drawing of the chart, in a real browser.

A store is filled with 2,000 samples x 512 (scenes of 15 s, neighbours as far apart as in a video) and the vectors of
five prompts and of the reference phrases, whose band is drawn, too; the dashboard is started on it; headless Chromium
presses an arrow key on the threshold and on the window slider. Drawing is seen by wrapping the canvas' ``clearRect``
and ``fillRect`` inside the charts; the last call before half a second of rest counts.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from lib.core.sampling import Sampling
from lib.engines.engine import PREPROCESSING
from lib.prompts.model import Settings, Smoothing
from lib.prompts.reference_phrases import PHRASES
from lib.services import experiments
from lib.services.experiments import Experiment, PromptRow
from lib.store.embeddings import EmbeddingKey
from lib.store.store import Store
from tests.helpers.browser import chromium_path
from tests.helpers.dashboard import Dashboard

SAMPLES, PROMPTS, DIM = 2_000, 5, 512
EXPERIMENT = "benchmark123"
_WATCH = """
window.lastDraw = 0;
for (const name of ['clearRect', 'fillRect', 'stroke', 'fill']) {
  const original = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function (...args) {
    if (this.canvas.closest?.('[data-testid=stVegaLiteChart]')) window.lastDraw = performance.now();
    return original.apply(this, args);
  };
}
new MutationObserver(changes => {
  if (changes.some(c => (c.target.closest || (() => null)).call(c.target, '[data-testid=stVegaLiteChart] svg')))
    window.lastDraw = performance.now();
}).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
window.addEventListener('keydown', () => { window.pressed = performance.now(); window.lastDraw = 0; }, true);
"""


def fill(home: Path) -> None:
    """Write the store and the experiment."""
    rng = np.random.default_rng(7)
    store = Store(home)
    video = store.add_file(_video(home.parent / "benchmark.mp4"))
    vectors = _video_like(rng)
    picture = io.BytesIO()
    Image.new("RGB", (64, 36), (90, 120, 150)).save(picture, "JPEG")
    key = EmbeddingKey(video.sha256, "clip/ViT-B-32", Sampling.every(1).key, PREPROCESSING)
    store.begin(key, engine_name="benchmark", dim=DIM)
    store.append(
        key,
        frames=np.arange(SAMPLES),
        times_s=np.arange(SAMPLES) / 3.0,
        vectors=vectors,
        thumbnails=[picture.getvalue()] * SAMPLES,
    )
    store.finish(key, end_s=SAMPLES / 3.0)
    labels = [f"prompt {number}" for number in range(PROMPTS)]
    texts = _unit(rng.normal(size=(PROMPTS, DIM)) / DIM**0.5 + vectors[:: SAMPLES // PROMPTS][:PROMPTS] * 0.4)
    phrases = _unit(rng.normal(size=(len(PHRASES), DIM)))
    store.put_text_vectors(key.engine_id, dict(zip([*labels, *PHRASES], [*texts, *phrases], strict=True)))
    experiments.save(
        home,
        Experiment(
            id=EXPERIMENT,
            video=video.sha256,
            engine="server",
            model_version="ViT-B-32",
            sampling=Sampling.every(1).key,
            rows=tuple(PromptRow(label=label) for label in labels),
            settings=Settings(decision="threshold", smoothing=Smoothing("moving_average", 5)),
        ),
    )


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _video_like(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return vectors as a video gives them: scenes of about 15 s, neighbours 0.02 apart (1 - cosine).

    CLIP-shaped vectors of a real clip were 0.01 to 0.03 apart.
    """
    scenes = rng.normal(size=(SAMPLES // 45 + 1, DIM)) / DIM**0.5
    shown = np.repeat(scenes, 45, axis=0)[:SAMPLES]
    return _unit(shown + 0.14 * rng.normal(size=(SAMPLES, DIM)) / DIM**0.5)


def _video(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=3, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for number in range(SAMPLES):
            picture = np.full((90, 160, 3), number % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def press(page: Page, slider: str, key: str) -> float:
    """Press a key on a slider and return the milliseconds until the charts were last drawn."""
    page.get_by_role("slider", name=slider).focus()
    page.keyboard.press(key)
    page.wait_for_function("window.lastDraw > 0 && performance.now() - window.lastDraw > 500", timeout=30_000)
    return float(page.evaluate("window.lastDraw - window.pressed"))


def measure(url: str, repeats: int) -> dict[str, list[float]]:
    """Return the milliseconds of each edit, by kind."""
    found: dict[str, list[float]] = {"Threshold": [], "Window, samples": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(bypass_csp=True, viewport={"width": 1440, "height": 1400})
        page.add_init_script(_WATCH)
        page.goto(f"{url}/explore?experiment={EXPERIMENT}")
        page.get_by_text("prompt 0").first.wait_for(timeout=60_000)
        page.wait_for_timeout(4_000)
        for number in range(repeats + 2):
            for slider, times in found.items():
                taken = press(page, slider, "ArrowRight" if number % 4 < 2 else "ArrowLeft")
                if number >= 2:  # the first ones warm the browser up
                    times.append(taken)
        browser.close()
    return found


def main(argv: Sequence[str]) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks interact", description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args(argv).repeats
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        fill(home)
        with Dashboard(home) as dashboard:
            found = measure(dashboard.url, repeats)
    print(f"{SAMPLES:,} samples x {PROMPTS} prompts, {repeats} edits each, headless Chromium on this machine\n")
    print("| edit | median, ms | 90th percentile, ms | bar, ms |")
    print("|---|---|---|---|")
    for (name, times), bar in zip(found.items(), (300, 450), strict=True):
        ninety = sorted(times)[int(0.9 * (len(times) - 1))]
        print(f"| {name} -> chart drawn | {statistics.median(times):.0f} | {ninety:.0f} | {bar} |")
    return 0
