"""Whether a cluster loses, doubles or hangs on anything, whatever fails, and what Ray itself costs.

Two machines are two network namespaces of this one, so root is needed; no speed-up can be shown that way. Each round
embeds the same clips into a new archive, while storage answers 503 to one of ten requests and 412 to one of four
conditional writes, and meanwhile

1. a worker is killed in mid-video,
2. a machine's cable is cut in mid-video, for 30 s,
3. a machine is killed with all that runs on it, and started again,
4. the driver is killed in mid-video, and two are started at once.

Lost is a clip that isn't published as an ingest without Ray gives it, doubled a table more than clips or a clip that a
last run still embeds, hung a driver that isn't done after ``--limit`` seconds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.helpers.cluster import TwoMachines, ended, wait_for, why_not
from tests.helpers.videos import make_video, palette

OPTIONS = ("--stride", "1")
CUT_S = 30.0


def _clips(folder: Path, count: int) -> None:
    folder.mkdir()
    for number in range(count):
        make_video(folder / f"clip {number:02}.mp4", colours=palette(24, seed=number) * 8)


def _document(driver: subprocess.Popen[str], limit_s: float) -> dict[str, Any]:
    out, errors = driver.communicate(timeout=limit_s)
    if driver.returncode:
        raise SystemExit(f"The driver ended with {driver.returncode}: {errors[-2000:]}")
    return dict(json.loads(out))


def _round(machines: TwoMachines, url: str, limit_s: float) -> dict[str, Any]:
    """Do all that may happen, and return what the last two drivers say."""

    def in_mid_video(node: int) -> int:
        return wait_for(lambda: machines.in_mid_video(node), timeout_s=limit_s)

    with ended(machines.drive(url, *OPTIONS)):
        machines.kill_worker(2, timeout_s=limit_s)
        in_mid_video(2)
        machines.cut(2)
        time.sleep(CUT_S)
        machines.mend(2)
        in_mid_video(1)
        machines.end(2)
        machines.start(2)
        in_mid_video(1)
    with ended(machines.drive(url, *OPTIONS)) as one, ended(machines.drive(url, *OPTIONS)) as other:
        return {"one": _document(one, limit_s), "other": _document(other, limit_s)}


def _once(machines: TwoMachines, url: str, clips: int, limit_s: float, *options: str) -> float:
    """Return the seconds that a driver takes, which must embed all clips."""
    begun = time.monotonic()
    with ended(machines.embed(url, *OPTIONS, *options)) as driver:
        assert len(_document(driver, limit_s)["embedded"]) == clips
    return time.monotonic() - begun


def main(argv: list[str]) -> int:
    """Print the table; 1 when a clip was lost, doubled or hung."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks cluster", description=__doc__)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=900.0, help="seconds for a driver")
    options = parser.parse_args(argv)
    if reason := why_not():
        print(f"This benchmark can't run here: {reason}.", file=sys.stderr)
        return 2
    failed = False
    with tempfile.TemporaryDirectory() as temporary:
        clips = Path(temporary) / "clips"
        _clips(clips, options.clips)
        with TwoMachines(clips) as machines:
            archives = f"{machines.bucket}/archive"
            here_s = _once(machines, f"{archives}-here", options.clips, options.limit)
            expected = machines.archive(f"{archives}-here")["content"]
            machines.end(2)  # one clip at a time, as here
            ray_s = _once(machines, f"{archives}-ray", options.clips, options.limit, *machines.on_ray())
            machines.start(2)
            print(f"{options.clips} clips, 2 machines with 1 CPU each\n")
            print("| round | lost | doubled | hung | seconds |\n|---|---|---|---|---|")
            for number in range(options.rounds):
                url, begun, hung = f"{archives}-{number}", time.monotonic(), 0
                try:
                    _round(machines, url, options.limit)
                except (subprocess.TimeoutExpired, AssertionError):
                    hung = 1
                took = time.monotonic() - begun
                found = machines.archive(url)
                lost = sum(found["content"].get(one) != content for one, content in expected.items())
                doubled = found["tables"] - len(found["content"])
                with ended(machines.drive(url, *OPTIONS)) as last:
                    doubled += len(_document(last, options.limit)["embedded"])
                print(f"| {number + 1} | {lost} | {doubled} | {hung} | {took:.0f} |", flush=True)
                failed |= bool(lost or doubled or hung)
    cost = (ray_s - here_s) / options.clips
    print(f"\nOne after another without faults: {here_s:.1f} s here, {ray_s:.1f} s as tasks of Ray on one CPU,")
    print(f"so Ray's own cost is {cost:.2f} s a clip, the start of its worker included.")
    return 1 if failed else 0
