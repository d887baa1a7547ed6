from __future__ import annotations

import re

import pytest

from benchmarks import recompute
from benchmarks.__main__ import main, names


def test_the_dispatcher_runs_a_benchmark_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["recompute", "--samples", "120", "--prompts", "3", "--dim", "16", "--repeats", "1"])
    said = capsys.readouterr().out
    assert status in (0, 1)
    assert ("MISSED" in said) == (status == 1)
    timing = r"[\d.]+ \([\d.]+; [\d.]+\)"
    assert re.search(rf"^\| full edit \| {timing} \| {timing} \| [\d.]+ \|$", said, flags=re.MULTILINE)


@pytest.mark.parametrize("argv", [[], ["nothing"], ["../recompute"], ["--help"], ["__main__"]])
def test_an_unknown_name_lists_the_benchmarks(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    assert "recompute" in capsys.readouterr().err
    assert "recompute" in names()


def test_the_measured_scene_has_segments_of_several_labels_and_crossings() -> None:
    samples, prompt_set, texts = recompute.make(3_000, 5, 64)
    assert len(texts) == len(prompt_set.prompts) == 5
    assert prompt_set.prompts[-1].role == "background"
    analysis = recompute.analyse(samples, prompt_set, texts)
    assert sum(metrics.present for metrics in analysis.metrics) == 5
    assert len(analysis.segments) > 40
