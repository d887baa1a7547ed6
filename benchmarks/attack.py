"""Attack the store and the readers of files, and count what falls: ``python -m benchmarks attack --minutes 10``.

In turn, as long as the minutes last: a process that writes all there is to write is killed at a random moment; a small
disk is filled in the middle of that (a tmpfs where one may be mounted); bytes of videos, ground truth, prompts and
results are changed. Every turn follows from the seed that is printed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._videos import make_video
from benchmarks.memory import MeanColourEngine
from lib.core.errors import PromptreelError
from lib.core.labelled_intervals import TrueSegment
from lib.core.sampling import Sampling
from lib.ground_truth.parsing import parse_truth
from lib.hosted.results import read_results
from lib.ingest.ingest import embedding_key, ingest
from lib.media.frames import FrameReader, probe
from lib.prompts.parsing import parse_prompt_set
from lib.store.store import Store, embed_texts_cached

ROOT = Path(__file__).resolve().parents[1]
_FROZEN_S = 2.0  # of computing, so that a busy machine freezes nothing
_MOST_BYTES = 1.5e9
_CHANGED_FILES = 20  # a turn
_TEXTS = {
    "truth.json": '{"segments": [{"label": "car", "start_s": 1, "end_s": 2.5}]}',
    "truth.csv": "label,start,end\ncar,1,2.5\n",
    "truth.vtt": "WEBVTT\n\n00:01.000 --> 00:02.500\ncar\n",
    "prompts.yaml": "name: x\ntemplate: a photo of a {}\nprompts:\n- label: car\n  texts: [a car, a van]\n",
    "results.json": json.dumps({"frame_offset": [0, 12], "time_offset": [0, 0.5], "clip": [[0.6] * 4, [0.1] * 4]}),
}


def _write(home: str, video: str) -> None:
    """Write to the store for ever, telling each edit of ground truth that is done."""
    store, engine = Store(Path(home)), MeanColourEngine()
    print("ready", flush=True)
    for turn in range(10**6):
        added = store.add_file(video)
        segments = store.change_truth(added, lambda truth: [*truth, TrueSegment("car", len(truth), len(truth) + 1.0)])
        print(len(segments), flush=True)
        sampling = Sampling.every(3 + turn % 3)
        ingest(store, added, engine, sampling)
        embed_texts_cached(store, engine, [f"text {turn}"])
        if turn % 2:
            store.delete_embedding(embedding_key(added, engine, sampling))


def _check(home: Path, video: Path, told: int) -> int:
    """Return 1 where something told is gone or the store can't be used, else 0."""
    store, engine = Store(home), MeanColourEngine()
    added = store.add_file(video)
    for info in store.embeddings():
        samples = store.load(info.key)
        if len(samples) != info.samples or np.any(np.diff(samples.frames) <= 0):
            return 1
    ingest(store, added, engine, Sampling.every(7))
    embed_texts_cached(store, engine, ["afterwards"])
    return int(len(store.saved_truth(added.sha256) or ()) < told)


def _killed(dice: random.Random, folder: Path, video: Path) -> Counter[str]:
    command = [sys.executable, "-m", "benchmarks.attack", "--write", str(folder / "home"), str(video)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.readline()
        time.sleep(dice.choice((0.05, 0.5, 3.0)) * dice.random())
        child.kill()
        told = [int(line) for line in child.stdout if line.endswith("\n")]
        tracebacks = int("Traceback" in child.stderr.read())
    return Counter(kills=1, tracebacks=tracebacks, lost=_check(folder / "home", video, max(told, default=0)))


def _filled(dice: random.Random, folder: Path, video: Path) -> Counter[str]:
    disk = folder / "disk"
    disk.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(disk)], capture_output=True)
    command = [sys.executable, "-m", "benchmarks.attack", "--write", str(disk / "home"), str(video)]
    quota = None if mounted.returncode == 0 else lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
    try:
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=quota
        ) as child:
            assert child.stdout is not None
            assert child.stderr is not None
            child.stdout.readline()
            time.sleep(2 * dice.random())
            if quota is None:
                with contextlib.suppress(OSError), open(disk / "filler", "wb", buffering=0) as filler:
                    while True:
                        filler.write(bytes(4096))
            time.sleep(1)
            child.kill()
            told = [int(line) for line in child.stdout if line.endswith("\n")]
            lines = child.stderr.read().strip().splitlines()
        (disk / "filler").unlink(missing_ok=True)
        told_as_error = not lines or lines[-1].startswith(("lib.core.errors.", "WARN", "Text vectors"))
        lost = _check(disk / "home", video, max(told, default=0))
        return Counter({"full disks": 1, "tracebacks": int(not told_as_error), "lost": lost})
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "-l", str(disk)], check=True)


def _changed(dice: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.choice((1, 4, 40))):
        at = dice.randrange(len(changed))
        kind = dice.randrange(3)
        if kind == 0:
            changed[at] = dice.randrange(256)
        elif kind == 1:
            changed[at:at] = dice.choice((b"9" * 400, b"[" * 500, b"1e9999999", b"<", b"\0", b"-"))
        elif len(changed) > 2:
            del changed[at : at + dice.randrange(1, 20)]
            changed = changed or bytearray(b" ")
    return bytes(changed)


def _read_video(path: Path) -> None:
    probe(path)
    for _ in FrameReader(path, Sampling.every(5), short_side=224):
        pass


def _mutated(dice: random.Random, folder: Path, video: Path) -> Counter[str]:
    counts: Counter[str] = Counter()
    files: dict[str, bytes] = {name: text.encode() for name, text in _TEXTS.items()}
    files["video.mp4"] = video.read_bytes()
    readers: dict[str, Callable[[Path], Any]] = {
        "truth": lambda path: parse_truth(path.read_bytes(), name=path.name, duration_s=4.0),
        "prompts": lambda path: parse_prompt_set(path.read_bytes().decode("utf-8", "replace")),
        "results": read_results,
        "video": _read_video,
    }
    for _ in range(_CHANGED_FILES):
        name = dice.choice(sorted(files))
        path = folder / name
        path.write_bytes(_changed(dice, files[name]))
        began = time.thread_time()
        try:
            readers[path.stem](path)
        except PromptreelError:
            pass
        except Exception:
            counts["tracebacks"] += 1
            print(f"{name}:\n{traceback.format_exc()}", file=sys.stderr)
        counts["frozen"] += time.thread_time() - began > _FROZEN_S
        counts["files changed"] += 1
    return counts


def main(argv: Sequence[str] | None = None) -> int:
    """Attack as long as asked for and print the counts; 1 where anything fell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks attack", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--write", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.write:
        _write(*options.write)
        return 0
    seed = random.SystemRandom().randrange(10**9) if options.seed is None else options.seed
    dice, counts = random.Random(seed), Counter[str]()
    print(f"Seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = make_video(folder / "clip.mp4", seconds=4, size=(320, 180))
        until = time.monotonic() + 60 * options.minutes
        while time.monotonic() < until:
            for attack in (_killed, _filled, _mutated):
                counts += attack(dice, folder, video)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    counts["above 1.5 GB"] = int(peak > _MOST_BYTES)
    print("\n| attack or fall | count |\n|---|---|")
    for what in ("kills", "full disks", "files changed", "lost", "frozen", "tracebacks", "above 1.5 GB"):
        print(f"| {what} | {counts[what]:,} |")
    print(f"\nPeak of this process: {peak / 1e6:.0f} MB.")
    return int(any(counts[what] for what in ("lost", "frozen", "tracebacks", "above 1.5 GB")))


if __name__ == "__main__":
    sys.exit(main())
