"""Kills, full disks and damaged files: ``python -m benchmarks attack --minutes 10``.

* **killed**: each writer of the store is ended with SIGKILL at a random moment, in a copy of a store that has one
  thing of each kind; then the store is opened, listed, analysed and searched, and all that was there, and all that
  the writer was told is stored, must be there to the byte.
* **full**: the same store on 30 MB that are filled up (a tmpfs; where none can be mounted, a limit that the system
  keeps on the size of files) is edited, analysed, searched and deleted from; afterwards nothing may be lost.
* **mutated**: videos of each container and ground truth, prompt sets, results and experiments, damaged by chance.

Counted are things lost; work that took more than 2 s of processor time, or gave no answer; errors other than the
product's own sentences, and crashes; more than 1.5 GB of memory. Each must be 0.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.helpers.mutations import VIDEOS, mutated, mutated_text
from tests.helpers.videos import BLUE, RED, make_video, palette, scenes

ROOT = Path(__file__).resolve().parents[1]
JOBS = "benchmarks._attack_jobs"
FROZEN_S, ANSWER_S, MEMORY_BYTES = 2.0, 60.0, 1_500_000_000
SORTS = {"lost": "lost", "frozen": "frozen over 2 s", "traceback": "tracebacks", "memory": "above 1.5 GB"}
WRITERS = {  # and until when they are killed, in seconds
    "embed": 3.0,
    "fresh": 3.0,
    "truth": 0.8,
    "experiment": 0.8,
    "texts": 1.5,
    "search": 1.5,
    "import": 1.5,
    "upload": 1.5,
}
TEXTS = {
    "truth": (
        "label,start,end\nred,1.5,3\nblue,0:04,0:05\n",
        "start_ms\tend_ms\tlabel\n1000\t3000\tred\n",
        "0.5\t1.5\tred\n2.0\t3.5\tblue\n",
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>red\n\n00:03.000 --> 00:04.500\nblue\n",
        "1\n00:00:01,000 --> 00:00:02,500\nred\n",
        '[{"label": "red", "start_s": 1.0, "end_s": 2.5}]',
        '[{"data": {"fps": "30/1"}, "annotations": [{"result": [{"type": "timelinelabels", "value": '
        '{"ranges": [{"start": 24, "end": 48}], "timelinelabels": ["red"]}}]}]}]',
    ),
    "prompts": (
        "name: cars\ntemplate: a photo of a {}\nsettings:\n  threshold: 0.2\nprompts:\n- label: car\n"
        "  texts: [a car, cars]\n  threshold: 0.25\n- label: night\n  role: background\n",
        '{"name": "cars", "prompts": [{"label": "car", "texts": ["a car"], "threshold": 0.3}, "night"]}',
        "car\nnight\n# a comment\n",
    ),
    "results": ('{"frame_offset": [0, 10, 20], "time_offset": [0, 0.4, 0.8], "clip": [[1, 0.5], [0.1, 2], null]}',),
}


class Worker:
    """A process that does one job after another; entered with ``closing``."""

    def __init__(self, prefix: Sequence[str] = ()) -> None:
        command = [*prefix, sys.executable, "-m", JOBS]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with suppress(ValueError):  # the last line of a killed process may be half of one
            for line in self.process.stdout:
                self.lines.put(json.loads(line))
        self.lines.put(None)

    def start(self, do: str, **job: object) -> None:
        """Wait until the process is ready and give it a job."""
        if getattr(self, "ready", False) or self.next(ANSWER_S) == {"ready": True}:
            self.ready = True
            assert self.process.stdin is not None
            with suppress(OSError):  # it has died: there will be no answer
                self.process.stdin.write((json.dumps({"do": do, **job}) + "\n").encode())
                self.process.stdin.flush()

    def next(self, limit_s: float) -> dict[str, Any] | None:
        """Return the next line; None when none comes in time or the process has ended."""
        with suppress(queue.Empty):
            return self.lines.get(timeout=limit_s)
        return None

    def ask(self, do: str, **job: object) -> dict[str, Any]:
        """Return the answer to a job; ``end`` is also ``frozen``, ``memory`` or ``crashed``, and the process ended."""
        self.start(do, **job)
        until = time.monotonic() + ANSWER_S
        while time.monotonic() < until:
            line = self.next(0.05)
            if line is not None and "answer" in line:
                return dict(line["answer"])
            try:
                if psutil.Process(self.process.pid).memory_info().rss > MEMORY_BYTES:
                    break
            except psutil.Error:
                pass
            if self.process.poll() is not None and self.lines.empty():
                return {"end": "crashed", "result": f"exit status {self.process.returncode}", "cpu_s": 0, "rss": 0}
        end = "memory" if time.monotonic() < until else "frozen"
        self.close()
        return {"end": end, "result": "ended", "cpu_s": 0, "rss": 0}

    def close(self) -> None:
        """End the process and what it has forked, now."""
        with suppress(psutil.Error):
            for child in psutil.Process(self.process.pid).children():
                child.kill()
        self.process.kill()
        self.process.wait()
        self.listener.join(ANSWER_S)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(OSError):  # what it did not read is lost with it
                pipe.close()


@dataclass
class Counts:
    """What was tried, and what went wrong: ``(attack, sort, note)``."""

    tried: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, attack: str, answer: dict[str, Any], *, note: str = "", cpu: bool = True) -> None:
        """Count how a job ended."""
        sort = {"crashed": "traceback"}.get(answer["end"], answer["end"])
        if sort in SORTS:
            self.faults.append((attack, sort, f"{note}: {answer['result']}"))
        if cpu and answer["cpu_s"] > FROZEN_S:
            self.faults.append((attack, "frozen", f"{note}: {answer['cpu_s']:.1f} s"))
        if answer["rss"] > MEMORY_BYTES:
            self.faults.append((attack, "memory", f"{note}: {answer['rss'] / 1e6:.0f} MB"))

    def table(self) -> str:
        """Return the counts as Markdown, and each fault in a line."""
        lines = [f"| attack | tried | {' | '.join(SORTS.values())} |", "|---|---|---|---|---|---|"]
        for attack, tried in self.tried.items():
            of = Counter(sort for where, sort, _ in self.faults if where == attack)
            lines.append(f"| {attack} | {tried} | {' | '.join(str(of[sort]) for sort in SORTS)} |")
        return "\n".join(lines + [f"\n{SORTS[sort]}: {attack}, {note}" for attack, sort, note in self.faults[:30]])


class Attack:
    """The attacks, their files in ``folder``; an attack of the same seed and number is the same one."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed, self.counts = folder, seed, Counts()
        self.clip = make_video(folder / "clip.mp4", colours=scenes((RED, 24), (BLUE, 24)), size=(96, 64))
        other = make_video(folder / "other.mp4", colours=palette(24), size=(96, 64))
        self.checker, self.nursery = Worker(), Worker()
        self.disk: tuple[Worker, bool] | None = None
        self.base = folder / "base"
        prepared = self.checker.ask(f"{JOBS}:prepare", home=str(self.base), clip=str(self.clip), other=str(other))
        self.new = folder / "new.mp4"
        self.new.write_bytes(self.clip.read_bytes() + (16).to_bytes(4, "big") + b"free" + bytes(8))
        reference = self.checker.ask(f"{JOBS}:finish", home=str(folder / "reference"), clip=str(self.new))
        assert prepared["end"] == reference["end"] == "done", (prepared, reference)
        self.facts, self.vectors = prepared["result"], reference["result"]
        self.sources = {
            name: make_video(folder / name, colours=palette(16), gop=6, **options) for name, options in VIDEOS.items()
        }
        experiment = (self.base / "experiments" / "attacked.json").read_text()
        self.texts = TEXTS | {"experiment": (experiment,)}

    def close(self) -> None:
        """End all processes."""
        for worker in (self.checker, self.nursery, *(self.disk or ())[:1]):
            worker.close()

    def ask(self, do: str, **job: object) -> dict[str, Any]:
        """Have the checker do a job; a new one follows where it ended."""
        answer = self.checker.ask(do, **job)
        if self.checker.process.poll() is not None or answer["rss"] > MEMORY_BYTES:
            self.checker.close()
            self.checker = Worker()
        return answer

    def kill(self, writer: str, number: int, *, plant: Callable[[Path], None] | None = None) -> None:
        """Kill a writer once and look at what it left; ``plant`` damages that first."""
        attack, rng = f"killed: {writer}", random.Random(f"{self.seed} {writer} {number}")
        home = self.folder / f"{writer}-{number}"
        shutil.copytree(self.base, home)
        wait_s = rng.choice((1, rng.random(), rng.random() ** 3)) * rng.random() * WRITERS[writer]
        self.nursery.start(f"{JOBS}:write_{writer}", home=str(home), clip=str(self.new), forked=True)
        sure, maybe, ended = _killed(self.nursery, wait_s)
        if plant is not None:
            plant(home)
        self.counts.tried[attack] += 1
        if ended is not None:
            self.counts.add(attack, ended, note=f"{number}, writing", cpu=False)
        self._check(attack, number, home, self.facts | sure, maybe)
        if writer in ("embed", "fresh"):
            place = home / "fresh" if writer == "fresh" else home
            again = self.ask(f"{JOBS}:finish", home=str(place), clip=str(self.new))
            self.counts.add(attack, again, note=f"{number}, going on", cpu=False)
            if again["end"] == "done" and again["result"] != self.vectors:
                self.counts.faults.append((attack, "lost", f"{number}: other vectors"))
        shutil.rmtree(home)

    def _check(self, attack: str, number: int, home: Path, sure: dict[str, str], maybe: dict[str, str]) -> None:
        texts = [key.removeprefix("text ") for key in sure if key.startswith("text ")]
        answer = self.ask(f"{JOBS}:facts", home=str(home), texts=texts)
        if answer["end"] == "said":
            answer["end"] = "lost"
        self.counts.add(attack, answer, note=f"{number}, opening")
        if answer["end"] == "done":
            there = answer["result"]
            lost = [key for key, value in sure.items() if there.get(key) not in (value, maybe.get(key, value))]
            self.counts.faults += [(attack, "lost", f"{number}: {key}") for key in lost]

    def fill(self, number: int, *, mounts: bool = True) -> None:
        """Work on a full disk once."""
        if self.disk is None:
            prefix = _tmpfs(self.folder / "disk") if mounts else []
            self.disk = Worker(prefix), bool(prefix)
        worker, is_real = self.disk
        attack = "full: 30 MB tmpfs" if is_real else "full: a limit on files"
        self.counts.tried[attack] += 1
        answer = worker.ask(
            f"{JOBS}:full_disk",
            base=str(self.base),
            folder=str(self.folder / "disk"),
            clip=str(self.clip),
            seed=f"{self.seed} full {number}",
            real=is_real,
        )
        if worker.process.poll() is not None:
            self.disk = None
        if answer["end"] == "said":
            answer["end"] = "lost"
        self.counts.add(attack, answer, note=str(number), cpu=False)
        if answer["end"] == "done":
            self.counts.faults += [(attack, sort, f"{number}: {note}") for sort, note in answer["result"]]

    def mutate(self, kind: str, number: int, *, do: str = f"{JOBS}:read") -> None:
        """Damage one file and read it."""
        attack, rng = f"mutated: {kind}", random.Random(f"{self.seed} {kind} {number}")
        self.counts.tried[attack] += 1
        if kind in self.sources:
            path, content = self.folder / f"mutated {kind}", mutated(self.sources[kind].read_bytes(), rng)
        else:
            content = mutated_text(rng.choice(self.texts[kind]), rng)
            path = self.folder / "mutated" / "experiments" / "attacked.json"
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.counts.add(attack, self.ask(do, kind=kind, path=str(path)), note=str(number))


def _killed(nursery: Worker, wait_s: float) -> tuple[dict[str, str], dict[str, str], dict[str, Any] | None]:
    """Kill the child that a process has just forked; return what it told: stored for sure, perhaps, and its answer."""
    told: dict[str, dict[str, Any]] = {"sure": {}, "maybe": {}, "answer": {}}
    while (line := nursery.next(ANSWER_S)) is not None and "over" not in line:
        if "pid" in line:
            time.sleep(wait_s)
            with suppress(ProcessLookupError):  # it had nothing left to write
                os.kill(line["pid"], signal.SIGKILL)
        for name, value in line.items():
            if name in told:
                told[name] |= value
    return told["sure"], told["maybe"], told["answer"] or None


def _tmpfs(folder: Path) -> list[str]:
    """Return what to begin a command with so that ``folder`` is a small tmpfs for it alone; empty without one."""
    folder.mkdir(exist_ok=True)
    for options in (["-m"], ["-rm"]):
        prefix = ["unshare", *options, "sh", "-c"]
        prefix += ['mount -t tmpfs -o size=30m none "$0" && exec "$@"', str(folder)]
        with suppress(OSError):
            if subprocess.run([*prefix, "true"], capture_output=True).returncode == 0:
                return prefix
    return []


def main(argv: Sequence[str] | None = None) -> int:
    """Attack for some minutes, once all is made ready; 1 when anything fell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks attack", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    options = parser.parse_args(argv)
    seed = random.randrange(1 << 32) if options.seed is None else options.seed
    print(f"Seed {seed}, {options.minutes:g} minutes\n", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="promptreel-attack-") as folder,
        closing(Attack(Path(folder), seed)) as attack,
    ):
        began = time.monotonic()
        turns: list[tuple[float, list[Callable[[int], None]]]] = [
            (0.5, [lambda n, w=writer: attack.kill(w, n) for writer in WRITERS]),
            (0.65, [attack.fill]),
            (1.0, [lambda n, k=kind: attack.mutate(k, n) for kind in (*attack.sources, *attack.texts)]),
        ]
        for share, ways in turns:
            number = 0
            while time.monotonic() < began + 60 * options.minutes * share:
                ways[number % len(ways)](number // len(ways))
                number += 1
    print(attack.counts.table())
    print(f"\nBar: 0 of each: {'MISSED' if attack.counts.faults else 'held'}.")
    return 1 if attack.counts.faults else 0
