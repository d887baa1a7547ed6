"""Frames per second of ``FrameReader`` beside plain PyAV, OpenCV, decord and torchcodec: same file, stride and size.

Readers take turns on each file, and a row's ratio is the median of the rounds' ratios against the fastest other one.
Bars: at stride 10 at least as fast as the fastest, at stride 1 within 10 %. ``--film`` adds a long 720p film with a key
frame every 2 s, read at one sample every 5 s and 30 s, with and without decoding everything: at least 3 and 10 times
as fast. OpenCV, decord and torchcodec are left out, with a word, where they aren't installed.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import av

from benchmarks._videos import RATE, moving_pictures, repeat_video
from lib.core.sampling import Sampling
from lib.media import sparse_reading
from lib.media.frames import FrameReader

FILES = {
    "h264-720p.mp4": ("libx264", (1280, 720), {"preset": "veryfast"}),
    "h264-1080p.mp4": ("libx264", (1920, 1080), {"preset": "veryfast"}),
    "hevc-720p.mp4": ("libx265", (1280, 720), {"preset": "ultrafast", "x265-params": "log-level=none"}),
    "vp9-720p.webm": ("libvpx-vp9", (1280, 720), {"deadline": "realtime", "cpu-used": "8", "b": "2M"}),
}
BAR = {1: 0.9, 10: 1.0}
FILM_BAR = {"1/5": 3.0, "1/30": 10.0}
_KEY_FRAME_S = 2
Read = Callable[[Path, int, int], int]
Clock = Callable[[], float]


def ours(path: Path, stride: int, side: int) -> int:
    """Read with ``FrameReader``; return how many pictures there were."""
    with FrameReader(path, Sampling.every(stride), short_side=side) as reader:
        return sum(1 for _ in reader)


def pyav(path: Path, stride: int, side: int) -> int:
    """Read with PyAV and its default scaler."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        count = 0
        for index, frame in enumerate(container.decode(video=0)):
            if index % stride == 0:
                width, height = _size(frame.width, frame.height, side)
                frame.reformat(width, height, "rgb24").to_ndarray()
                count += 1
        return count


def opencv(path: Path, stride: int, side: int) -> int:
    """Read with OpenCV, passing over frames by ``grab``."""
    cv2: Any = importlib.import_module("cv2")
    video, index, count = cv2.VideoCapture(str(path)), 0, 0
    while video.grab():
        if index % stride == 0:
            picture = video.retrieve()[1]
            size = _size(picture.shape[1], picture.shape[0], side)
            cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
            count += 1
        index += 1
    return count


def decord(path: Path, stride: int, side: int) -> int:
    """Read with decord."""
    module: Any = importlib.import_module("decord")
    with av.open(str(path)) as container:  # decord wants to know the size before it opens the file
        context = container.streams.video[0].codec_context
        width, height = _size(context.width, context.height, side)
    reader = module.VideoReader(str(path), width=width, height=height)
    return sum(reader[i].asnumpy() is not None for i in range(0, len(reader), stride))


def torchcodec(path: Path, stride: int, side: int) -> int:
    """Read with torchcodec; it scales with torch."""
    decoders: Any = importlib.import_module("torchcodec.decoders")
    functional: Any = importlib.import_module("torch.nn.functional")
    decoder, count = decoders.VideoDecoder(str(path), num_ffmpeg_threads=0), 0
    for index in range(0, len(decoder), stride):
        picture = decoder[index]
        width, height = _size(picture.shape[2], picture.shape[1], side)
        functional.interpolate(picture[None].float(), size=(height, width), mode="bilinear", antialias=True)
        count += 1
    return count


OTHERS: dict[str, tuple[str, Read]] = {
    "PyAV": ("av", pyav),
    "OpenCV": ("cv2", opencv),
    "decord": ("decord", decord),
    "torchcodec": ("torchcodec", torchcodec),
}


def installed() -> dict[str, Read]:
    """Return the readers that can be imported here; tell of the others."""
    found: dict[str, Read] = {}
    for name, (module, read) in OTHERS.items():
        try:
            importlib.import_module(module)
        except (ImportError, OSError, RuntimeError):
            print(f"{name} isn't installed: left out.")
        else:
            found[name] = read
    return found


def make(path: Path, seconds: float, *, gop: int = 5 * RATE) -> Path:
    """Write one of ``FILES``; a film takes the options of the first."""
    codec, size, options = FILES.get(path.name, FILES["h264-720p.mp4"])
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream(codec, rate=RATE, options={**options, "g": str(gop)})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for picture in moving_pictures(round(seconds * RATE), size=size):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode())
    return path


def measure(path: Path, stride: int, side: int, others: dict[str, Read], rounds: int, clock: Clock) -> bool:
    """Print one row; return whether the bar is held. Who can't read the file, or not all of it, gets a dash."""
    wanted = ours(path, stride, side)
    readers = {"ours": ours} | {n: r for n, r in others.items() if _reads(r, path, stride, side) == wanted}
    taken: dict[str, list[float]] = {name: [] for name in readers}
    with av.open(str(path)) as container:
        frames = sum(packet.size > 0 for packet in container.demux(video=0))
    for turn in range(rounds):
        for name in list(readers) if turn % 2 else list(readers)[::-1]:
            taken[name].append(_timed(lambda read=readers[name]: read(path, stride, side), clock))  # type: ignore[misc]
    fastest = min(set(taken) - {"ours"}, key=lambda name: statistics.median(taken[name]))
    ratio = statistics.median(f / o for f, o in zip(taken[fastest], taken["ours"], strict=True))
    rates = (f"{frames / statistics.median(taken[name]):.0f}" if name in taken else "–" for name in ("ours", *others))
    held = ratio >= BAR[stride]
    verdict = "held" if held else "MISSED"
    print(f"| {path.name} | {stride} | {side} | {' | '.join(rates)} | {ratio:.2f} {verdict} |", flush=True)
    return held


def _reads(read: Read, path: Path, stride: int, side: int) -> int | None:
    """Return how many pictures a reader gets; None where it fails, which each tells in its own way."""
    try:
        return read(path, stride, side)
    except Exception:
        return None


def measure_film(folder: Path, seconds: float) -> bool:
    """Print how much faster far apart samples are read than by decoding everything; return whether bars are held."""
    clip = make(folder / "clip.mp4", 20, gop=_KEY_FRAME_S * RATE)
    film = repeat_video(clip, folder / "film.mp4", seconds=seconds)
    with patch.object(sparse_reading, "plan", return_value=None):
        whole = _timed(lambda: _film(film, "1/5"))
    print(f"\nFilm of {seconds:.0f} s, everything decoded: {whole:.1f} s")
    held = True
    for rate, bar in FILM_BAR.items():
        taken = _timed(lambda rate=rate: _film(film, rate))  # type: ignore[misc]
        held &= whole / taken >= bar
        print(f"{rate} a second: {taken:.1f} s, {whole / taken:.1f} times as fast (bar {bar:g})", flush=True)
    return held


def _film(path: Path, rate: str) -> int:
    with FrameReader(path, Sampling.per_second(rate), short_side=224) as reader:
        return sum(1 for _ in reader)


def _timed(run: Callable[[], object], clock: Clock = time.perf_counter) -> float:
    start = clock()
    run()
    return clock() - start


def _size(width: int, height: int, side: int) -> tuple[int, int]:
    scale = side / min(width, height)
    return round(width * scale), round(height * scale)


def main(argv: list[str]) -> int:
    """Print the table; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks decode", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="length of each file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--film", type=float, default=7200, metavar="SECONDS", help="length of the film; 0 for none")
    parser.add_argument("--only", choices=FILES, action="append", help="this file only")
    parser.add_argument("--processor", action="store_true", help="time of the processor instead: for a busy machine")
    options = parser.parse_args(argv)
    clock = time.process_time if options.processor else time.perf_counter
    others = installed()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"\n| file | stride | short side | ours | {' | '.join(others)} | ours against the fastest |")
        print("|---" * (5 + len(others)) + "|")
        held = True
        for file in options.only or FILES:
            path = make(folder / file, options.seconds)
            for stride in BAR:
                for side in (224, 336):
                    held &= measure(path, stride, side, others, options.rounds, clock)
        if options.film:
            held &= measure_film(folder, options.film)
    return 0 if held else 1
