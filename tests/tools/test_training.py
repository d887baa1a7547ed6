"""Training goes on exactly where it was stopped, and sees only what is certain."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training wants tools/requirements.txt")
pytest.importorskip("skia", reason="drawing wants tools/requirements.txt")

from tools.demo.augment import Varied  # noqa: E402 - only where PyTorch is there
from tools.demo.dataset import Renderings, draw_one  # noqa: E402
from tools.demo.trainer import MatrixSettings, Stage, Trainer  # noqa: E402
from tools.demo.truth import Truth  # noqa: E402


@pytest.fixture(scope="module")
def data() -> Renderings:
    drawn = [draw_one(900_100 + i) for i in range(24)]
    return Renderings(np.stack([image for image, _ in drawn]), [facts for _, facts in drawn])


def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(data: Renderings, tmp_path: Path) -> None:
    plan = MatrixSettings([Stage(32, 3), Stage(64, 6)], batch=8)
    whole, stopped, resumed = (Trainer(plan) for _ in range(3))
    whole.train(data)
    stopped.train_until(data, 4)
    stopped.keep(tmp_path / "run.pt")

    resumed.resume(tmp_path / "run.pt")
    resumed.train(data)

    assert (stopped.step, resumed.step) == (4, 6)
    for name, weights in whole.averaged.state_dict().items():
        torch.testing.assert_close(resumed.averaged.state_dict()[name], weights, rtol=0, atol=0)


def test_a_state_kept_while_the_next_batch_is_made_does_not_skip_it(data: Renderings, tmp_path: Path) -> None:
    kept, copy = tmp_path / "run.pt", tmp_path / "step2.pt"

    def told(model: object, tokenizer: object, step: int) -> None:
        if step == 2:
            shutil.copy(kept, copy)

    stages = [Stage(32, 3), Stage(64, 7)]
    whole = Trainer(MatrixSettings(stages, batch=8, every=1, told=told, state=kept, keep_min=0))
    whole.train(data)
    resumed = Trainer(MatrixSettings(stages, batch=8))
    resumed.resume(copy)
    assert resumed.step == 2
    resumed.train(data)

    for name, weights in whole.averaged.state_dict().items():
        torch.testing.assert_close(resumed.averaged.state_dict()[name], weights, rtol=0, atol=0)


def test_the_state_of_another_run_is_refused(tmp_path: Path) -> None:
    Trainer(MatrixSettings([Stage(32, 3)], batch=8)).keep(tmp_path / "run.pt")

    with pytest.raises(ValueError, match="another run"):
        Trainer(MatrixSettings([Stage(32, 4)], batch=8)).resume(tmp_path / "run.pt")


@pytest.mark.parametrize(("tone", "certain"), [(1.0, True), (0.5, False), (1.6, False)])
def test_colours_are_taught_only_where_light_leaves_them(tone: float, certain: bool) -> None:
    grey = np.full((1, 128, 128, 3), 120, np.uint8)
    truth = Truth(Renderings(grey, [["scene:ball", "ball:red", "ground:grey"]]))
    one = np.ones(1, np.float32)
    new = Varied(torch.zeros(1, 3, 96, 96), one * 0.5, one, one * tone, np.zeros(1, np.int8))

    ((facts,), has, perhaps) = truth.of(np.array([0]), new)

    column = truth.table.place["ball:red"]
    assert ("ball:red" in facts) == certain
    assert bool(has[0, column]) == certain
    assert bool(perhaps[0, column]) != certain
