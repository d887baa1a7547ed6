"""The queue of embeddings in the Library, without a browser."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from streamlit.testing.v1 import AppTest

from lib.core.formatting import as_text
from lib.services import queue_file
from lib.services.queue_file import Entry, Queue
from lib.ui.session import cache
from tests.helpers.http import wait_for
from tests.helpers.pages import Bench, add_video, by_key, open_page, words
from tests.helpers.videos import BLUE, RED

pytestmark = pytest.mark.usefixtures("framed")
PAGE = "pages/library.py"


@pytest.fixture
def two_more(bench: Bench) -> Bench:
    """The bench with two more videos, which are not embedded."""
    for name, colour in {"reds": RED, "blues": BLUE}.items():
        add_video(bench.store, bench.experiment.server_url, (colour, 20), name=name, embed=False)
    return bench


def names() -> list[str]:
    return [entry.name for entry in cache.embedding_queue().read().entries]


def has(app: AppTest, key: str) -> bool:
    return any(button.key == key for button in app.button)


def fill(app: AppTest, *, failed: Sequence[str] = ()) -> dict[str, str]:
    """Press the button while the queue is paused; return the entries' ids by name."""
    cache.embedding_queue().pause(True)
    by_key(app.button, "embed_all_missing").click()
    app.run()
    for entry in cache.embedding_queue().read().entries:
        if entry.name in failed:
            queue_file.change(
                cache.store().home,
                lambda queue, of=entry.id: queue.changed(of, failed=True, problem="Broken; mend *it*."),  # type: ignore[misc]
            )
    return {entry.name: entry.id for entry in cache.embedding_queue().read().entries}


def test_all_that_is_missing_is_embedded_from_the_queue(two_more: Bench) -> None:
    app = open_page(PAGE)
    assert by_key(app.button, "embed_all_missing").label == "Embed all that is missing (2 videos)"
    by_key(app.button, "embed_all_missing").click()
    app.run()
    assert not app.exception
    assert wait_for(lambda: not names() and not cache.embedding_queue().busy)
    assert sum(info.complete for info in two_more.store.embeddings()) == 3
    app.run()
    assert not has(app, "embed_all_missing")
    assert "Embedding queue" not in words(app)


def test_the_queue_is_put_into_order_and_resumed(two_more: Bench) -> None:
    app = open_page(PAGE)
    ids = fill(app)
    app.run()
    assert "Paused" in words(app)
    assert not has(app, "embed_all_missing")  # they are in the queue
    assert list(ids) == ["reds.mp4", "blues.mp4"]
    assert by_key(app.button, f"queue_first_{ids['reds.mp4']}").disabled
    assert by_key(app.button, f"queue_down_{ids['reds.mp4']}").help == f"Down: {as_text('reds.mp4')}"
    by_key(app.button, f"queue_first_{ids['blues.mp4']}").click()
    app.run()
    assert names() == ["blues.mp4", "reds.mp4"]
    by_key(app.button, f"queue_remove_{ids['reds.mp4']}").click()
    app.run()
    assert names() == ["blues.mp4"]
    by_key(app.button, "queue_resume").click()
    app.run()
    assert wait_for(lambda: not names() and not cache.embedding_queue().busy)
    assert sum(info.complete for info in two_more.store.embeddings()) == 2


def test_failures_are_listed_with_their_sentence_and_tried_again(two_more: Bench) -> None:
    app = open_page(PAGE)
    ids = fill(app, failed=["reds.mp4", "blues.mp4"])
    app.run()
    assert not app.exception
    assert as_text("Broken; mend *it*.") in words(app)
    by_key(app.button, f"queue_retry_{ids['reds.mp4']}").click()
    app.run()
    queue = cache.embedding_queue().read()
    assert [entry.name for entry in queue.waiting] == ["reds.mp4"]
    by_key(app.button, f"queue_drop_{ids['blues.mp4']}").click()
    app.run()
    assert names() == ["reds.mp4"]


def test_many_are_shown_a_page_at_a_time_and_an_engine_is_waited_for_by_name(two_more: Bench) -> None:
    def entry(number: int, **fields: object) -> Entry:
        address = "http://127.0.0.1:9"
        return Entry(f"{number:064x}", f"v{number}.mp4", address, "B", "CLIP there", "clip/B", "stride-5", **fields)  # type: ignore[arg-type]

    waiting = [entry(number, problem="The key is refused; type another." if not number else "") for number in range(20)]
    failed = [entry(number, failed=True, problem="Broken.") for number in range(20, 40)]
    queue = Queue((*waiting, *failed))
    queue_file.change(cache.store().home, lambda _: queue)
    app = open_page(PAGE)
    assert not app.exception
    said = words(app)
    assert "Videos wait for CLIP there: The key is refused" in said
    assert "20 videos in the queue" in said
    assert (said.count("**v"), said.count("Broken.")) == (16, 8)
    app.session_state["queue_page"] = 3
    app.session_state["queue_failed_page"] = 3
    app.run()
    assert not app.exception
    assert "20\\. **v19.mp4**" in words(app)
    assert "**v39.mp4**: Broken." in words(app)


def test_a_damaged_queue_is_a_sentence_and_is_kept_aside(two_more: Bench) -> None:
    path = queue_file.path_of(two_more.store.home)
    path.write_text("{")
    app = open_page(PAGE)
    assert not app.exception
    assert "queue.json is damaged" in words(app)
    ids = fill(app)
    assert list(ids) == ["reds.mp4", "blues.mp4"]
    assert path.with_name("queue.json.damaged").exists()
