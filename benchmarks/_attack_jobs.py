"""What ``benchmarks.attack`` has done in processes of their own, one job at a time, as lines of JSON.

``python -m benchmarks._attack_jobs`` says "ready" once all is imported. A job is ``{"do": "module:function", …}``; its
function may tell what is about to be (``maybe``) and what is (``sure``) stored before it answers.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib
import io
import json
import os
import random
import resource
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lib.__main__ import main as command_line
from lib.core.errors import NotStoredError, PromptreelError
from lib.core.labelled_intervals import TrueSegment
from lib.core.sampling import Sampling
from lib.engines.registry import make_engine
from lib.ground_truth.parsing import parse_truth
from lib.hosted.importing import import_results
from lib.hosted.results import read_results
from lib.ingest.ingest import embedding_key, ingest
from lib.media.frames import FrameReader, probe
from lib.prompts.model import Prompt, PromptSet
from lib.prompts.parsing import parse_prompt_set
from lib.search.options import SearchOptions
from lib.search.query import parse_query
from lib.services import experiments
from lib.services.search import build_index, search
from lib.services.stored_analysis import analyse_stored
from lib.store.store import Store
from lib.store.videos import Video
from tests.helpers.memory import peak_bytes

EVERY = Sampling.every(4)
_WORDS = PromptSet("words", (Prompt("red", ("red",)), Prompt("blue", ("blue",))))
_EXPERIMENT, _TOY = "attacked", "toy:1"
_MOST_WRITES = 3000  # a writer ends by itself should nobody be left to kill it

Facts = dict[str, str]
Tell = Callable[[str, Facts], None]


def _digest(value: object) -> str:
    raw = value if isinstance(value, bytes) else repr(value).encode()
    return hashlib.sha256(raw).hexdigest()[:16]


def _vectors(store: Store, info: Any) -> str:
    samples = store.load(info.key)
    return _digest(samples.frames.tobytes() + samples.times_s.tobytes() + samples.vectors.tobytes())


def facts(home: str, texts: list[str] | None = None) -> Facts:
    """Open, list, analyse and search a store; return a digest of each thing that is in it."""
    store, engine = Store(Path(home)), make_engine("demo")
    found: Facts = {}
    for video in store.videos():
        found[f"video {video.sha256}"] = ""
        if video.has_file:
            with contextlib.suppress(NotStoredError):  # a deletion that was killed: only who misses the bytes minds
                found[f"video {video.sha256}"] = _digest(store.file_path(video.sha256).read_bytes())
        found[f"truth {video.sha256}"] = _digest(store.saved_truth(video.sha256))
    for info in store.listing().embeddings:
        if not info.complete:
            store.load(info.key)
            continue
        found[f"embedding {info.key.id}"] = _vectors(store, info)
        if info.key.engine_id == engine.id:
            analysis = analyse_stored(store, store.video(info.key.sha256), engine, EVERY, _WORDS)
            found[f"analysis {info.key.id}"] = _digest(analysis.to_dict())
    first = store.videos()[:1]
    if any(info.complete for info in store.embeddings(first[0].sha256) if first):
        result = search(store, engine, parse_query("red"), SearchOptions(videos=(first[0].sha256,)))
        found["moments"] = _digest([(m.start_s, m.end_s, round(m.score, 4)) for m in result.moments])
    saved = experiments.load(Path(home), _EXPERIMENT)
    found |= {} if saved is None else {"experiment": _digest(saved)}
    vectors = store.text_vectors(_TOY, texts or [])
    return found | {f"text {text}": _digest(vector.tobytes()) for text, vector in vectors.items()}


def prepare(home: str, clip: str, other: str) -> Facts:
    """Fill a store with one thing of each kind and return its facts."""
    store, engine = Store(Path(home)), make_engine("demo")
    videos = [store.add_file(clip), store.add_file(other)]
    for video in videos:
        ingest(store, video, engine, EVERY)
        store.change_truth(video, lambda _: [TrueSegment("red", 0.0, 0.5), TrueSegment("blue", 0.5, 1.0)])
    experiments.save(Path(home), experiments.Experiment(_EXPERIMENT, videos[0].sha256, name="before"))
    import_results(store, _results(Path(home).parent / "before.json", 0))
    build_index(store, engine.id)
    return facts(home)


def _results(path: Path, number: int) -> Path:
    rows = np.random.default_rng(number).standard_normal((12, 512)).round(4).tolist()
    text = json.dumps({"frame_offset": list(range(12)), "time_offset": [i / 2 for i in range(12)], "clip": rows})
    path.write_text(text)
    return path


# Writers, killed while they go on


def _base(home: str) -> tuple[Store, Video]:
    store = Store(Path(home))
    return store, store.videos()[0]


def write_truth(home: str, clip: str, tell: Tell) -> None:
    """Change the ground truth again and again."""
    store, video = _base(home)
    for n in range(_MOST_WRITES):
        segments = tuple(TrueSegment(f"{n}", 0.0, 1.0 + i) for i in range(n % 60 + 1))
        value = {f"truth {video.sha256}": _digest(segments)}
        tell("maybe", value)
        store.change_truth(video, lambda _, new=segments: new)
        tell("sure", value)


def write_experiment(home: str, clip: str, tell: Tell) -> None:
    """Save an experiment again and again."""
    saved = experiments.load(Path(home), _EXPERIMENT)
    assert saved is not None
    for n in range(_MOST_WRITES):
        saved = replace(saved, name=f"after {n}", rows=(experiments.PromptRow(label="x" * (n % 500 + 1)),))
        tell("maybe", {"experiment": _digest(saved)})
        experiments.save(Path(home), saved)
        tell("sure", {"experiment": _digest(saved)})


def write_texts(home: str, clip: str, tell: Tell) -> None:
    """Store text vectors."""
    store, _ = _base(home)
    for n in range(_MOST_WRITES):
        vector = np.eye(1, 16, n % 16, dtype=np.float32)[0]
        store.put_text_vectors(_TOY, {f"word {n}": vector})
        tell("sure", {f"text word {n}": _digest(vector.tobytes())})


def write_search(home: str, clip: str, tell: Tell) -> None:
    """Make search packs and the index anew."""
    engine = make_engine("demo")
    for _ in range(_MOST_WRITES):
        shutil.rmtree(Path(home) / "search", ignore_errors=True)
        store = Store(Path(home))
        search(store, engine, parse_query("red"))
        build_index(store, engine.id)
        tell("sure", {})


def write_import(home: str, clip: str, tell: Tell) -> None:
    """Import results, each of another video without a file."""
    store, _ = _base(home)
    for n in range(1, _MOST_WRITES):
        info = import_results(store, _results(Path(home) / "results.json", n)).info
        tell("sure", {f"embedding {info.key.id}": _vectors(store, info)})


def write_upload(home: str, clip: str, tell: Tell) -> None:
    """Take uploads into the store, and delete each second one."""
    store, _ = _base(home)
    store.paths.incoming.mkdir(exist_ok=True)
    for n in range(_MOST_WRITES):
        arrived = store.paths.incoming / f"{n}.mp4"
        content = _padded(clip, n)
        arrived.write_bytes(content)
        video = store.add_file(arrived, move=True)
        if n % 2:
            store.delete_video(video.sha256)
        else:
            tell("sure", {f"video {video.sha256}": _digest(content)})


def write_embed(home: str, clip: str, tell: Tell) -> None:
    """``python -m lib embed`` of a new file."""
    finish(home, clip)


def write_fresh(home: str, clip: str, tell: Tell) -> None:
    """The same in a home that is only now made."""
    finish(str(Path(home) / "fresh"), clip)


def _padded(clip: str, number: int) -> bytes:
    """Return an MP4 of other bytes that plays the same: a box that players skip stands behind it."""
    return Path(clip).read_bytes() + (16).to_bytes(4, "big") + b"free" + number.to_bytes(8, "big")


def finish(home: str, clip: str) -> str:
    """Embed ``clip`` by the command line, whatever was done before; return the digest of its vectors."""
    os.environ["PROMPTREEL_HOME"] = home
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        status = command_line(["embed", clip, "--stride", "4", "--engine", "demo", "--json"])
    if status:
        raise RuntimeError(f"embed ended with {status}: {said.getvalue()[-300:]}")
    store = Store(Path(home))
    video = store.add_file(clip)
    return _vectors(store, store.embedding(embedding_key(video, make_engine("demo"), EVERY)))


# A full disk


@contextlib.contextmanager
def _full(folder: Path, left: int, real: bool) -> Iterator[None]:
    """Leave ``left`` bytes free: filled up, or by a limit that the system keeps on the size of a file."""
    if not real:
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (left, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        return
    filler = folder / "filler"
    try:
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass
        os.truncate(filler, max(0, filler.stat().st_size - left))
        yield
    finally:
        filler.unlink()


def full_disk(base: str, folder: str, clip: str, seed: str, real: bool) -> list[list[str]]:
    """Edit, analyse, search and delete while the disk is full; return the faults: ``[sort, note]``."""
    rng, home, faults = random.Random(seed), Path(folder) / "home", []
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(base, home)
    store, engine = Store(home), make_engine("demo")
    video, second = store.videos()[:2]
    before, new = facts(str(home)), Path(folder) / "new.mp4"
    new.write_bytes(_padded(clip, rng.randrange(1 << 60)))
    saved = experiments.load(home, _EXPERIMENT)
    assert saved is not None
    words = PromptSet("new", (Prompt(f"word {rng.random()}", (f"red {rng.random()}",)),))
    edits: dict[str, Callable[[], object]] = {
        "change the truth": lambda: store.change_truth(video, lambda old: [*old]),
        "save the experiment": lambda: experiments.save(home, saved),
        "embed": lambda: ingest(store, store.add_file(new), engine, EVERY),
        "import": lambda: import_results(store, _results(Path(base).parent / "more.json", 7)),
        "index": lambda: build_index(store, engine.id),
        "open": lambda: Store(home).listing(),
        "analyse": lambda: analyse_stored(store, video, engine, EVERY, words),
        "search": lambda: search(store, engine, parse_query(f"red {rng.random()}")),
        "delete": lambda: store.delete_video(second.sha256),
    }
    must_work = ("open", "analyse", "search", "delete")
    with _full(Path(folder), rng.choice([0, 0, 5000, rng.randrange(200_000)]), real):
        for name in rng.sample(sorted(edits), len(edits)):
            try:
                edits[name]()
            except (PromptreelError, OSError) as error:
                is_said = isinstance(error, PromptreelError) or error.errno in (errno.ENOSPC, errno.EFBIG)
                if name in must_work or not is_said:
                    faults.append(["lost", f"{name}: {error}"])
            except Exception:
                faults.append(["traceback", f"{name}: {traceback.format_exc(limit=-3)}"])
    after = facts(str(home))
    gone = {f"{kind} {second.sha256}" for kind in ("video", "truth")}
    gone |= {f"{kind} {embedding_key(second, engine, EVERY).id}" for kind in ("embedding", "analysis")}
    faults += [["lost", key] for key in before if key not in gone and after.get(key) != before[key]]
    finish(str(home), str(new))
    return faults


# Files that others made


def read(kind: str, path: str) -> str:
    """Read one file as the product does."""
    file = Path(path)
    if kind == "truth":
        return str(len(parse_truth(file.read_bytes(), name=file.name).segments))
    if kind == "prompts":
        return str(len(parse_prompt_set(file.read_bytes().decode("utf-8", "replace")).prompts))
    if kind == "results":
        return str(len(read_results(file).frames))
    if kind == "experiment":
        return str(experiments.load(file.parent.parent, _EXPERIMENT))
    probe(file)
    with FrameReader(file, Sampling.every(1), short_side=224) as reader:
        return str(sum(1 for _ in reader))


def answer(job: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Do one job; tell how it ended, the processor time it took (s) and the peak of memory (bytes)."""
    module, _, name = job.pop("do").partition(":")
    began = time.process_time()
    told: dict[str, Any] = {"end": "done", "result": None}
    try:
        if name.startswith("write_"):
            job["tell"] = tell
        told["result"] = getattr(importlib.import_module(module), name)(**job)
    except PromptreelError as error:
        told = {"end": "said", "result": str(error)}
    except BaseException:
        told = {"end": "traceback", "result": traceback.format_exc(limit=-4)}
    return {**told, "cpu_s": time.process_time() - began, "rss": peak_bytes()}


def main() -> None:
    """Do the jobs that come on the standard input."""
    pid, channel = os.getpid(), os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what is printed goes nowhere, the channel is for answers

    def tell(name: str, value: object) -> None:
        print(json.dumps({name: value}), file=channel)

    importlib.import_module("lancedb")  # imported, not used: what has threads of its own can't be forked
    tell("ready", True)
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork() if job.pop("forked", False) else 0
        if child:
            tell("pid", child)
            os.waitpid(child, 0)
            tell("over", child)
            continue
        tell("answer", answer(job, tell))
        if os.getpid() != pid:
            os._exit(0)


if __name__ == "__main__":
    main()
