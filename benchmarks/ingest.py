"""How fast a video is embedded: ``python -m benchmarks ingest``.

Against a real inference server (CLIP ViT-B/32, a 1280×720 video, stride 10; all in one run, taking turns):

* "compare": one ``/clip/compare`` a frame with the full frame, one after another, as the blog script does;
* "server alone": batches made beforehand, 8 pictures a request, 2 requests in flight, nothing else going on;
* "decoding alone": the same ``FrameReader`` as in the ingest reads and scales the same frames to the same
  size with the same threads, and drops them; nothing else going on;
* "Promptreel": the ingest itself, into an empty store.

Against a stand-in server in a process of its own that only waits, once longer than decoding takes and once
less: "waiting alone" sends it the batches made beforehand.

A ratio is taken within a round and its median over the rounds is held against the bar, for other load on the
machine then meets both sides of it.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

import requests
from PIL import Image

from benchmarks._videos import make_video, repeat_video
from lib.core.sampling import Sampling
from lib.engines.image_payload import payload
from lib.engines.server import ServerEngine
from lib.ingest.ingest import ingest
from lib.media.frames import FrameReader
from lib.store.store import Store

ROOT = Path(__file__).resolve().parents[1]
MODEL, SIDE, STRIDE = "ViT-B-32", 224, 10
BATCH, IN_FLIGHT = 8, 2
PROMPTS = ["construction site", "something else"]
FASTER, WITHIN = 3.0, 1.15
_WAITS = {"longer": 1.5, "less": 0.6}  # all its waiting together, in times of decoding alone
_PARTS = ("server", *_WAITS)
_COMPARED = 40  # frames a round for the slow way; its rate is what counts


@dataclass
class Timings:
    """Seconds of each way, a value a round."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    def time(self, name: str, run: Callable[[], object]) -> float:
        """Run, and add how long it took."""
        began = time.perf_counter()
        run()
        took = time.perf_counter() - began
        self.seconds.setdefault(name, []).append(took)
        return took

    def median(self, name: str) -> float:
        """Return the median over the rounds."""
        return statistics.median(self.seconds[name])

    def ratio(self, bound: Callable[[dict[str, float]], float]) -> float:
        """Return the median of Promptreel's time to a bound made of the other times of the same round."""
        rounds = [dict(zip(self.seconds, row, strict=True)) for row in zip(*self.seconds.values(), strict=True)]
        return statistics.median(row["Promptreel"] / bound(row) for row in rounds)


class Bench:
    """One video and what is timed on it."""

    def __init__(self, folder: Path, *, seconds: float, file: Path | None = None) -> None:
        self._folder = folder
        if file is None:
            short = make_video(folder / "short.mp4", seconds=min(10.0, seconds))
            file = repeat_video(short, folder / "video.mp4", seconds=seconds)
        self.path = file
        with FrameReader(self.path, Sampling.every(STRIDE), short_side=SIDE) as reader:
            pictures = [payload(frame.image, SIDE) for frame in reader]
            self.frames = reader.frames_decoded
        self.samples = len(pictures)
        self.bodies = [
            json.dumps({"image": pictures[i : i + BATCH], "clip_version_id": MODEL}).encode()
            for i in range(0, len(pictures), BATCH)
        ]
        self._homes = 0

    def decode(self) -> None:
        """Read and scale the sampled frames."""
        with FrameReader(self.path, Sampling.every(STRIDE), short_side=SIDE) as reader:
            for _ in reader:
                pass

    def send(self, url: str) -> None:
        """Send the batches made beforehand."""
        waiting: SimpleQueue[bytes] = SimpleQueue()
        for body in self.bodies:
            waiting.put(body)
        problems: list[BaseException] = []

        def work() -> None:
            try:
                with requests.Session() as session:
                    while True:
                        reply = session.post(
                            f"{url}/clip/embed_image",
                            data=waiting.get_nowait(),
                            headers={"Content-Type": "application/json"},
                            timeout=300,
                        )
                        reply.raise_for_status()
                        reply.json()
            except Empty:
                pass
            except (requests.RequestException, ValueError) as error:
                problems.append(error)

        threads = [threading.Thread(target=work) for _ in range(IN_FLIGHT)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if problems:
            raise problems[0]

    def compare(self, url: str) -> None:
        """Compare full frames with the prompts, one request a frame, as the blog script does."""
        with FrameReader(self.path, Sampling.every(STRIDE)) as reader:
            for _, frame in zip(range(self.compared), reader, strict=False):
                buffer = io.BytesIO()
                Image.fromarray(frame.image).save(buffer, "JPEG", quality=95)
                value = base64.b64encode(buffer.getvalue()).decode()
                body = {
                    "subject": {"type": "base64", "value": value},
                    "prompt": PROMPTS,
                    "clip_version_id": MODEL,
                }
                requests.post(f"{url}/clip/compare", json=body, timeout=300).raise_for_status()

    @property
    def compared(self) -> int:
        """Number of frames that ``compare`` sends."""
        return min(_COMPARED, self.samples)

    def prepare(self, url: str) -> Callable[[], None]:
        """Return the ingest into a new store; opening the store and hashing the video are not timed."""
        self._homes += 1
        store = Store(self._folder / f"home{self._homes}")
        video = store.add_file(self.path)
        engine = ServerEngine(url, model_version=MODEL, batch_size=BATCH, concurrency=IN_FLIGHT)

        def run() -> None:
            info = ingest(store, video, engine, Sampling.every(STRIDE))
            assert info.complete
            assert info.samples == self.samples

        return run


def against_server(bench: Bench, url: str, rounds: int) -> bool:
    """Print the table against a real server; return whether both bars were held."""
    bench.compare(url)  # loads the model, both halves of it
    bench.send(url)
    timings = Timings()
    for _ in range(rounds):
        timings.time("decoding alone", bench.decode)
        timings.time("server alone", lambda: bench.send(url))
        timings.time("Promptreel", bench.prepare(url))
        timings.time("compare", lambda: bench.compare(url))
    print(f"## A real server, CLIP {MODEL}\n")
    print("| | seconds | samples a second |\n|---|---|---|")
    for name in timings.seconds:
        count = bench.compared if name == "compare" else bench.samples
        seconds = timings.median(name)
        note = f" ({count} frames)" if name == "compare" else ""
        print(f"| {name}{note} | {seconds:.2f} | {count / seconds:.1f} |")
    per_sample = bench.samples / bench.compared
    faster = 1 / timings.ratio(lambda row: row["compare"] * per_sample)
    within = timings.ratio(lambda row: row["server alone"] + row["decoding alone"])
    return all(
        [
            _verdict("times the samples a second of one compare a frame", faster, FASTER, at_least=True),
            _verdict("× (server alone + decoding alone)", within, WITHIN, at_least=False),
        ]
    )


def against_waiting(bench: Bench, rounds: int, part: str, share: float) -> bool:
    """Print the table against a server that only waits, in all ``share`` of what decoding takes.

    Return whether the bar was held.
    """
    decoding = min(Timings().time("decoding alone", bench.decode) for _ in range(2))
    delay_s = share * decoding * IN_FLIGHT / len(bench.bodies)
    timings = Timings()
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks._waiting", str(delay_s)],
        cwd=ROOT,
        stdin=subprocess.PIPE,  # it ends when this closes
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        bench.send(url)
        for _ in range(rounds):
            timings.time("decoding alone", bench.decode)
            timings.time("waiting alone", lambda: bench.send(url))
            timings.time("Promptreel", bench.prepare(url))
        server.stdin.close()
    print(f"\n## A server that waits {part} than decoding takes ({delay_s * 1000:.0f} ms a request)\n")
    print("| | seconds | samples a second |\n|---|---|---|")
    for name in timings.seconds:
        seconds = timings.median(name)
        print(f"| {name} | {seconds:.2f} | {bench.samples / seconds:.1f} |")
    ratio = timings.ratio(lambda row: max(row["decoding alone"], row["waiting alone"]))
    return _verdict("× the longer of waiting alone and decoding alone", ratio, WITHIN, at_least=False)


def _verdict(words: str, value: float, bar: float, *, at_least: bool) -> bool:
    held = value >= bar if at_least else value <= bar
    limit = f"at {'least' if at_least else 'most'} {bar:g}"
    print(f"\nPromptreel: {value:.2f} {words} (bar: {limit}): {'held' if held else 'MISSED'}.")
    return held


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/info", timeout=5).ok
    except requests.RequestException:
        return False


def main(argv: Sequence[str] | None = None) -> int:
    """Time everything and print it as Markdown; 1 when a bar was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks ingest", description=__doc__.split("\n")[0])
    parser.add_argument("--server", default="http://127.0.0.1:9001", help="address of an inference server")
    parser.add_argument("--seconds", type=float, default=150, help="length of the video (default: 150)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way is timed (default: 3)")
    parser.add_argument("--only", choices=_PARTS, help="one part, for a short run (default: all)")
    parser.add_argument("--file", type=Path, help="a video of your own instead of the one made here")
    options = parser.parse_args(argv)
    url = options.server.rstrip("/")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), seconds=options.seconds, file=options.file)
        what = options.file.name if options.file else f"{options.seconds:g} s of 1280×720"
        print(
            f"# Embedding {what} at stride {STRIDE}: {bench.frames} frames, "
            f"{bench.samples} samples, median of {options.rounds}\n"
        )
        held = []
        if options.only not in (None, "server"):
            pass
        elif _answers(url):
            held.append(against_server(bench, url, options.rounds))
        else:
            print(f"No inference server answers at {url}; this part is skipped. Start or name (--server) one.")
        for part, share in _WAITS.items():
            if options.only in (None, part):
                held.append(against_waiting(bench, options.rounds, part, share))
    return 0 if all(held) else 1
