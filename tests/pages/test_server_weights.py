"""A server with other weights under the same name: the page says so, and shows nothing of another server's for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.services import experiments
from lib.services.experiments import PromptRow
from tests.helpers.fake_server import FakeServer, Faults
from tests.helpers.pages import open_page, words

pytestmark = pytest.mark.usefixtures("framed")


def test_it_is_said_and_its_vectors_are_kept_apart(bench):
    with FakeServer(Faults(weights=5)) as other:
        rows = (PromptRow(label="red"), PromptRow(label="something new"))
        experiments.save(bench.store.home, replace(bench.experiment, server_url=other.url, rows=rows))
        app = open_page()
        assert not app.exception
        (warning,) = [one.value for one in app.warning]
        assert "other weights" in warning
        assert "kept apart" in warning

        app.run()
        assert not app.exception
        assert "is not embedded yet" in words(app)
        assert any("embedded anew" in caption.value for caption in app.sidebar.caption)
        assert [info.key.engine_id for info in bench.store.embeddings()] == ["clip/ViT-B-32"]
