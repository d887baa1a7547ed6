"""API keys in the pages: no experiment, link or file leads one to a server that nobody confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from lib.services import experiments
from lib.services.experiments import PromptRow
from tests.helpers.fake_server import FakeServer
from tests.helpers.pages import Bench, by_key, open_page, press

pytestmark = pytest.mark.usefixtures("framed")
LINKED = "def456abc123"


@pytest.fixture
def stranger() -> Iterator[FakeServer]:
    """Run a server that is reached by an address which is not certain to be this machine's."""
    with FakeServer() as running:
        running.url = running.url.replace("127.0.0.1", "0.0.0.0")
        yield running


@pytest.fixture
def linked(bench: Bench, stranger: FakeServer) -> str:
    """Lay out somebody's experiment, whose words are new, and return its id."""
    rows = (PromptRow(label="red"), PromptRow(label="something new"))
    experiments.save(
        bench.store.home, replace(bench.experiment, id=LINKED, server_url=stranger.url, rows=rows, name="linked")
    )
    return LINKED


def keys_sent(server: FakeServer) -> set[str]:
    """Return everything in the requests that could be a key."""
    return {str((seen.headers.get("authorization"), seen.body.get("api_key"), seen.target)) for seen in server.seen}


def test_opening_a_link_sends_the_environments_key_to_nobody_before_its_host_is_confirmed(
    linked, stranger, monkeypatch
):
    monkeypatch.setenv("ROBOFLOW_API_KEY", "rf_standing")
    for page in ("explore", "compare", "matrix", "search", "library"):
        app = open_page(f"pages/{page}.py", experiment=linked)
        assert not app.exception
        (warning,) = [one.value for one in app.sidebar.warning]
        assert "0\\.0\\.0\\.0" in warning
        press(app, "test_connection")
    assert not [sent for sent in keys_sent(stranger) if "rf_standing" in sent]
    assert stranger.seen

    stranger.reset()
    press(app, "confirm_server")
    press(app, "test_connection")
    assert not app.sidebar.warning
    assert all("rf_standing" in sent for sent in keys_sent(stranger))
    again = open_page(experiment=linked)  # another tab has confirmed nothing
    assert again.sidebar.warning


def test_a_typed_key_stays_with_the_server_it_was_typed_for(bench, linked, server, stranger):
    server.reset()
    app = open_page("pages/library.py")
    by_key(app.sidebar.text_input, "server_key").set_value("rf_typed").run()
    press(app, "test_connection")
    assert all("rf_typed" in sent for sent in keys_sent(server))

    press(app, f"continue_{linked}")  # of the list of experiments
    app.switch_page("pages/explore.py").run()
    press(app, "test_connection")
    assert stranger.seen
    assert not [sent for sent in keys_sent(stranger) if "rf_typed" in sent]
    assert by_key(app.sidebar.text_input, "server_key").value == ""

    by_key(app.sidebar.text_input, "server_url").set_value(server.url).run()
    assert by_key(app.sidebar.text_input, "server_key").value == "rf_typed"
    server.reset()
    press(app, "test_connection")
    assert all("rf_typed" in sent for sent in keys_sent(server))


def test_the_configured_server_needs_no_confirmation(linked, stranger, monkeypatch):
    monkeypatch.setenv("ROBOFLOW_API_KEY", "rf_standing")
    monkeypatch.setenv("PROMPTREEL_ENGINE", stranger.url)
    app = open_page(experiment=linked)
    assert not app.sidebar.warning
    assert any("rf_standing" in sent for sent in keys_sent(stranger))
