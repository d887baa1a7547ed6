"""The attack benchmark: each kind runs, and a fault that is planted is counted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil
import pytest

from benchmarks import attack as bench
from benchmarks.attack import Attack

HERE = __name__


@pytest.fixture(scope="module")
def attack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attack]:
    with closing(Attack(tmp_path_factory.mktemp("attack"), seed=1)) as attack:
        yield attack
    assert not psutil.Process().children(recursive=True)


@pytest.fixture(autouse=True)
def anew(attack: Attack) -> None:
    attack.counts = bench.Counts()


def sorts(attack: Attack) -> set[str]:
    return {sort for _, sort, _ in attack.counts.faults}


def breaks(kind: str, path: str) -> None:
    raise ValueError(path)


def takes_memory(kind: str, path: str) -> None:
    np.ones(bench.MEMORY_BYTES // 8 + 1_000_000)


def computes(kind: str, path: str) -> None:
    while os.times().user < 60:
        pass


def crashes(kind: str, path: str) -> None:
    os.abort()


def test_each_writer_is_killed_once_and_nothing_falls(attack: Attack) -> None:
    for writer in bench.WRITERS:
        attack.kill(writer, 0)
    assert attack.counts.faults == []
    assert sum(attack.counts.tried.values()) == len(bench.WRITERS)


@pytest.mark.parametrize("mounts", [True, False])
def test_a_full_disk_loses_nothing(attack: Attack, mounts: bool) -> None:
    if attack.disk is not None:
        attack.disk[0].close()
        attack.disk = None
    attack.fill(0, mounts=mounts)
    assert attack.counts.faults == []


def test_each_kind_of_file_is_mutated_and_nothing_falls(attack: Attack) -> None:
    for kind in (*attack.sources, *attack.texts):
        attack.mutate(kind, 0)
    assert attack.counts.faults == []


def test_what_is_lost_after_a_kill_is_counted(attack: Attack) -> None:
    def plant(home: Path) -> None:
        for path in (home / "truth").glob("*.json"):
            path.unlink()

    attack.kill("experiment", 0, plant=plant)
    assert sorts(attack) == {"lost"}
    assert len(attack.counts.faults) == 2  # the truth of two videos


@pytest.mark.parametrize(
    ("planted", "sort"),
    [("breaks", "traceback"), ("crashes", "traceback"), ("takes_memory", "memory"), ("computes", "frozen")],
)
def test_a_planted_fault_is_counted_and_the_next_file_is_read(
    attack: Attack, planted: str, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "ANSWER_S", 4.0 if planted == "computes" else bench.ANSWER_S)
    attack.mutate("a.mkv", 0, do=f"{HERE}:{planted}")
    assert sorts(attack) == {sort}
    monkeypatch.undo()
    attack.mutate("a.mkv", 1)
    assert sorts(attack) == {sort}
    assert (
        f"| mutated: a.mkv | 2 | {' | '.join(str(int(one == sort)) for one in bench.SORTS)} |" in attack.counts.table()
    )
