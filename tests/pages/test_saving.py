"""What is typed is never lost: not on a full disk, not in two tabs, not beside a damaged file; no error ends a page."""

from __future__ import annotations

import ast
import dataclasses
import errno
import json
import os
import shutil

import pytest

from lib.core.errors import StoreError
from lib.infra import documents
from lib.prompts.model import Settings
from lib.services import experiments
from lib.services.experiments import PromptRow
from lib.ui.matrix import settings as matrix_settings
from tests.helpers.pages import (
    COLOURS,
    EXPERIMENT,
    REPOSITORY,
    answers,
    by_key,
    edit_prompts,
    editor_data,
    lay_out,
    open_page,
    press,
    saved,
    with_rows,
    words,
)

pytestmark = pytest.mark.usefixtures("framed")
ROWS = tuple(PromptRow(label=colour) for colour in COLOURS)
BESIDE = "beside123456"


def notices(app):
    return [one.value for one in app.warning if "saved" in one.value or "tab" in one.value]


def labels(rows):
    return [row.label for row in rows]


def file_of(bench, name=f"{EXPERIMENT}.json"):
    return bench.store.home / "experiments" / name


@pytest.fixture
def full_disk(monkeypatch):
    """Switch a full disk on and off: files are begun, and get no bytes."""

    class Disk:
        write = staticmethod(documents.write_atomically)

        def fill(self, number=errno.ENOSPC):
            def refuse(path, content, **_):
                raise OSError(number, os.strerror(number), str(path))

            monkeypatch.setattr(documents, "write_atomically", refuse)

        def free(self):
            monkeypatch.setattr(documents, "write_atomically", self.write)

    return Disk()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_an_edit_that_cannot_be_saved_stays_and_is_saved_later(bench, full_disk, number):
    app = open_page()
    full_disk.fill(number)
    by_key(app.selectbox, "setting.decision").set_value("threshold").run()
    by_key(app.slider, "setting.threshold").set_value(0.75).run()
    edit_prompts(app, *ROWS, PromptRow(label="shipyard"))

    assert not app.exception
    assert len(notices(app)) == 1
    assert answers(app)["red"] == "3.0 s, 33 %, first 0:00.0"
    assert by_key(app.slider, "setting.threshold").value == 0.75
    assert saved(bench) == bench.experiment
    app.switch_page("pages/library.py").run()
    assert len(notices(app)) == 1
    full_disk.free()
    app.run()
    assert notices(app) == []
    assert saved(bench).settings.threshold == 0.75
    assert labels(saved(bench).rows) == [*COLOURS, "shipyard"]


def test_a_matrix_that_cannot_be_saved_stays_and_is_saved_later(bench, full_disk):
    app = open_page("pages/matrix.py")
    full_disk.fill()
    by_key(app.get("button_group"), "matrix.mode").set_value("sweep").run()

    assert not app.exception
    assert by_key(app.get("button_group"), "matrix.mode").value == "sweep"
    assert len(notices(app)) == 1
    full_disk.free()
    app.run()
    assert notices(app) == []
    assert matrix_settings.load(bench.store.home, EXPERIMENT).mode == "sweep"


def test_a_home_that_was_deleted_is_said_and_not_made_again(bench):
    app = open_page("pages/library.py")
    home = bench.store.home
    home.rename(home.with_name("elsewhere"))
    app.run()

    assert not app.exception
    assert "is gone" in notices(app)[0]
    assert not (home / "experiments").exists()
    shutil.rmtree(home, ignore_errors=True)
    home.with_name("elsewhere").rename(home)
    app.run()
    assert notices(app) == []


def test_a_home_that_can_only_be_read_is_no_trouble_until_something_is_edited(bench, monkeypatch):
    from lib.services import documents as synchronised

    monkeypatch.setattr(synchronised, "synchronise", failing(OSError(errno.EROFS, "Read-only file system")))
    app = open_page()
    assert notices(app) == []
    by_key(app.selectbox, "setting.decision").set_value("threshold").run()
    assert len(notices(app)) == 1


def test_what_could_not_be_saved_is_not_lost_with_another_experiment(bench, full_disk):
    experiments.save(bench.store.home, dataclasses.replace(bench.experiment, id="other1other2", name="other"))
    app = open_page()
    full_disk.fill()
    by_key(app.selectbox, "setting.decision").set_value("threshold").run()
    app.switch_page("pages/library.py").run()
    press(app, "continue_other")
    assert len(notices(app)) == 1
    full_disk.free()
    app.run()

    assert notices(app) == []
    assert saved(bench).settings.decision == "threshold"


@pytest.mark.parametrize(
    "fields",
    [
        {"sampling": "stride-99999"},
        {"sampling": "fps-1_3600"},
        {"engine": "server", "model_version": "of another version"},
    ],
)
def test_a_value_that_a_widget_does_not_offer_ends_no_page(bench, fields):
    experiments.save(bench.store.home, dataclasses.replace(bench.experiment, **fields))
    app = open_page("pages/library.py")

    assert not app.exception


def test_a_failed_write_leaves_no_litter(tmp_path, monkeypatch):
    from pathlib import Path

    def half(path, content):
        with open(path, "wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    experiments.save(tmp_path, experiments.Experiment(EXPERIMENT))
    monkeypatch.setattr(Path, "write_bytes", half)
    for _ in range(3):
        with pytest.raises(OSError, match="No space left"):
            experiments.save(tmp_path, experiments.Experiment(EXPERIMENT, name="other"))

    assert [path.name for path in (tmp_path / "experiments").iterdir()] == [f"{EXPERIMENT}.json"]


def test_rows_that_two_tabs_add_both_live(bench):
    first, second = open_page(), open_page()
    edit_prompts(first, *ROWS, PromptRow(label="shipyard"))
    edit_prompts(second, *ROWS, PromptRow(label="city street"))

    assert labels(saved(bench).rows) == [*COLOURS, "shipyard", "city street"]
    assert [row["label"] for row in editor_data(second)["rows"]] == [*COLOURS, "shipyard", "city street"]
    first.run()
    assert [row["label"] for row in editor_data(first)["rows"]] == [*COLOURS, "shipyard", "city street"]
    assert notices(first) == notices(second) == []


def test_an_edit_on_its_way_while_another_tabs_rows_came_in_is_not_lost(bench):
    first, second = open_page(), open_page()
    of = editor_data(second)["of"]
    edit_prompts(first, *ROWS, PromptRow(label="shipyard"))
    edit_prompts(second, *ROWS, PromptRow(label="city"))
    edit_prompts(second, *ROWS, PromptRow(label="city street"), of=of, number=2)

    assert labels(saved(bench).rows) == [*COLOURS, "shipyard", "city street"]


def test_a_row_removed_in_one_tab_does_not_come_back_by_an_edit_in_the_other(bench):
    first, second = open_page(), open_page()
    edit_prompts(first, *ROWS[1:])
    edit_prompts(second, *ROWS[:2], PromptRow(label="navy"))

    assert labels(saved(bench).rows) == ["green", "navy"]


def test_settings_of_two_tabs_live_beside_rows_and_a_contradiction_is_a_choice(bench):
    first, second = open_page(), open_page()
    by_key(first.selectbox, "setting.decision").set_value("threshold").run()
    edit_prompts(second, *ROWS, PromptRow(label="shipyard"))
    assert saved(bench).settings.decision == "threshold"
    assert by_key(second.selectbox, "setting.decision").value == "threshold"
    first.run()
    third = open_page()
    by_key(first.slider, "setting.threshold").set_value(0.3).run()
    by_key(third.slider, "setting.threshold").set_value(0.4).run()

    assert saved(bench).settings.threshold == 0.4
    assert "the threshold" in notices(third)[0]
    press(third, next(one.key for one in third.button if str(one.key).endswith("_theirs")))
    assert saved(bench).settings.threshold == by_key(third.slider, "setting.threshold").value == 0.3
    assert notices(third) == []
    assert labels(saved(bench).rows) == [*COLOURS, "shipyard"]


def test_a_damaged_experiment_is_said_and_kept(bench):
    content = file_of(bench).read_bytes()[:-1]
    file_of(bench).write_bytes(content)
    app = open_page("pages/library.py")

    assert not app.exception
    assert "damaged" in notices(app)[0]
    by_key(app.sidebar.number_input, "stride").set_value(3).run()
    assert file_of(bench, f"{EXPERIMENT}.json.damaged").read_bytes() == content
    assert saved(bench).sampling == "stride-3"
    press(app, "notice_aside")
    assert notices(app) == []


def test_an_experiment_damaged_while_it_is_open_is_kept_and_written_again(bench):
    app = open_page()
    file_of(bench).write_bytes(b"{")
    by_key(app.selectbox, "setting.decision").set_value("threshold").run()

    assert saved(bench) == dataclasses.replace(bench.experiment, settings=Settings(decision="threshold"))
    assert file_of(bench, f"{EXPERIMENT}.json.damaged").read_bytes() == b"{"


def test_comparing_never_writes_over_a_damaged_side_b(bench):
    experiments.save(bench.store.home, dataclasses.replace(bench.experiment, beside=BESIDE))
    beside = dataclasses.replace(bench.experiment, id=BESIDE, side="b", name="two")
    experiments.save(bench.store.home, beside)
    content = file_of(bench, f"{BESIDE}.json").read_bytes()[:-1]
    file_of(bench, f"{BESIDE}.json").write_bytes(content)
    app = open_page("pages/compare.py")

    assert not app.exception
    assert file_of(bench, f"{BESIDE}.json.damaged").read_bytes() == content
    assert any("damaged" in one for one in notices(app))


def test_a_damaged_matrix_is_said_and_kept(bench):
    content = json.dumps({**matrix_settings.MatrixSettings().to_dict(), "label": 5}).encode()
    file_of(bench, f"{EXPERIMENT}.matrix.json").write_bytes(content)
    app = open_page("pages/matrix.py")

    assert not app.exception
    assert "damaged" in notices(app)[0]
    by_key(app.get("button_group"), "matrix.mode").set_value("sweep").run()
    assert file_of(bench, f"{EXPERIMENT}.matrix.json.damaged").read_bytes() == content


def test_one_damaged_experiment_leaves_the_list_of_the_library(bench):
    file_of(bench, "damaged12345.json").write_text(json.dumps({**bench.experiment.to_dict(), "settings": None}))
    app = open_page("pages/library.py", experiment=None)

    assert not app.exception
    assert "damaged12345.json" in words(app).replace("\\", "")
    assert by_key(app.button, f"continue_{EXPERIMENT}")


def test_thresholds_of_a_score_that_was_left_outlive_a_reload(home, server):
    rows = (PromptRow(texts=("red", "a red one"), threshold=0.11), PromptRow(texts=("green", "leaf"), threshold=0.22))
    bench = lay_out(home, server.url, rows=rows, settings=Settings(threshold=0.3))
    app = open_page()
    by_key(app.selectbox, "setting.score").set_value("probability").run()
    assert [row.threshold for row in saved(bench).rows] == [None, None]
    edited = [dataclasses.replace(row, threshold=None) for row in rows]
    edit_prompts(app, dataclasses.replace(edited[0], label="Red"), edited[1], PromptRow(label="blue"))
    app = open_page()
    by_key(app.selectbox, "setting.score").set_value("cosine").run()

    assert [row.threshold for row in saved(bench).rows] == [0.11, 0.22, None]
    assert saved(bench).settings.threshold == 0.3


def test_the_second_of_two_equal_rows_is_left_out_and_the_results_stay(bench):
    with_rows(bench, PromptRow(label="red"), PromptRow(label="green"), PromptRow(label=" RED"))
    app = open_page()

    assert ["Row 3 is left out" in one.value for one in app.warning] == [True]
    assert {row: "is there already" in why for row, why in editor_data(app)["left_out"].items()} == {"2": True}
    assert answers(app)["red"] == "3.0 s, 33 %, first 0:00.0"


# --- one handler ---------------------------------------------------------------------------------------------------

ERRORS = [StoreError("The store is broken; mend it."), OSError(errno.ENOSPC, "No space left on device")]
PAGES = sorted(path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "pages").glob("*.py"))


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("page", PAGES)
def test_an_error_of_a_page_is_a_sentence(home, monkeypatch, page, error):
    from lib.store.store import Store

    app = open_page(page, experiment=None)
    monkeypatch.setattr(Store, "videos", failing(error))
    monkeypatch.setattr(Store, "embeddings", failing(error))
    app.run()

    assert not app.exception
    assert app.error
    assert all("\n" not in one.value for one in app.error)


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_of_a_callback_is_a_sentence_and_the_page_is_drawn(bench, monkeypatch, error):
    app = open_page()
    monkeypatch.setattr("lib.ui.session.session.Session.change_settings", failing(error))
    by_key(app.selectbox, "setting.decision").set_value("threshold").run()

    assert not app.exception
    assert len(app.error) == 1
    assert answers(app)["red"] == "3.0 s, 33 %, first 0:00.0"
    app.run()
    assert not app.error


def _decorators(function):
    return [ast.unparse(one) for one in function.decorator_list]


def test_every_fragment_and_dialog_turns_errors_into_sentences():
    found = 0
    for path in (REPOSITORY / "lib" / "ui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and _decorators(node):
                names = _decorators(node)
                if names[0].startswith(("st.fragment", "st.dialog")):
                    found += 1
                    assert names[1:2] == ["as_sentences()"], f"{path}: {node.name}"
    assert found >= 6


def test_every_callback_turns_errors_into_sentences():
    """A widget's callback is a decorated function, or is wrapped where it is passed."""
    safe, passed = set(), []
    for path in (REPOSITORY / "lib" / "ui").rglob("*.py"):
        if "components" in path.parts:  # they pass on what they are given
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and any(
                name.endswith(("callback", "told")) for name in _decorators(node)
            ):
                safe.add(node.name)
            if isinstance(node, ast.keyword) and node.arg in ("on_click", "on_change"):
                passed.append((path, ast.unparse(node.value)))
    wrapped = (
        "told(",
        "callback(",
        "state.callback(",
        "experiment.callback(",
        "_after_typed(",
        "_threshold_setter(",
        "'ignore'",
    )
    wrong = [(path, text) for path, text in passed if not text.startswith(wrapped) and text.split(".")[-1] not in safe]
    assert len(passed) > 30
    assert wrong == []
