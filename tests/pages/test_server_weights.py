"""A server with other weights under the same name: the page says so, and shows nothing of another server's for it."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from lib.engines.server import ServerEngine
from lib.ingest.ingest import ingest
from lib.services import experiments
from lib.services.experiments import PromptRow
from lib.services.server_identity import identified
from lib.store.embeddings import EmbeddingKey
from lib.ui.session import cache
from tests.helpers.fake_server import FakeServer, Faults
from tests.helpers.pages import MODEL, SAMPLING, open_page, press, saved, words

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


def test_an_embedding_is_opened_with_a_server_that_has_its_weights_or_nothing_is_embedded(bench):
    with FakeServer(Faults(weights=5)) as other:
        rows = (PromptRow(label="something new"),)
        there = replace(bench.experiment, server_url=other.url, rows=rows)
        experiments.save(bench.store.home, there)
        open_page()  # finds the other weights
        app = press(open_page("pages/library.py"), "open_cached")
        assert not app.exception
        assert "has other weights than those of clip/ViT-B-32; enter the address of the server that has them" in words(
            app
        )
        assert not [job for job in cache.jobs().jobs() if isinstance(job.key, EmbeddingKey)]

        raw = ServerEngine(other.url, model_version=MODEL)
        with contextlib.closing(identified(raw, bench.store.home, lambda: bench.store)) as engine:
            variant = ingest(bench.store, bench.video, engine, SAMPLING).key.engine_id
        assert "+" in variant
        experiments.save(bench.store.home, bench.experiment)
        app = press(open_page("pages/search.py"), f"choose_{variant}")
        assert not app.exception
        assert saved(bench).server_url == other.url
