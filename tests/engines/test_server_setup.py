"""Making an inference server engine, and asking a server who it is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from lib.core.errors import BadReplyError, EngineUnavailableError, InputError, UnknownModelError
from lib.engines.server import ServerEngine
from tests.helpers.fake_server import FakeServer


@pytest.fixture
def engine(server: FakeServer) -> Iterator[ServerEngine]:
    engine = ServerEngine(server.url)
    yield engine
    engine.close()


def solid(red: int, green: int, blue: int, *, height: int = 224, width: int = 398) -> NDArray[np.uint8]:
    return np.full((height, width, 3), (red, green, blue), np.uint8)


class TestConstruction:
    @pytest.mark.parametrize("options", [{"batch_size": 0}, {"concurrency": 0}])
    def test_needs_sizes_of_one_or_more(self, options: dict[str, int]) -> None:
        with pytest.raises(InputError, match="must be 1 or more; try 8 and 2"):
            ServerEngine(
                "http://localhost:9001",
                batch_size=options.get("batch_size", 8),
                concurrency=options.get("concurrency", 2),
            )

    def test_refuses_an_unknown_version_and_lists_the_known(self) -> None:
        with pytest.raises(UnknownModelError, match=r"'ViT-G' is no CLIP version; choose one of ViT-B-16, .*RN50x64\."):
            ServerEngine("http://localhost:9001", model_version="ViT-G")

    @pytest.mark.parametrize("spelling", ["ViT-L/14@336px", "vit-l-14-336PX", " ViT-L-14-336px "])
    def test_takes_other_spellings_of_a_version(self, spelling: str) -> None:
        assert ServerEngine("http://localhost:9001", model_version=spelling).id == "clip/ViT-L-14-336px"

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("", "address is empty; write for example http://localhost:9001"),
            (
                "localhost:9001",
                r"must begin with http:// or https://; write for example http://localhost:9001\.",
            ),
            ("gpu-box", r"must begin with http:// or https://; write for example http://gpu-box\."),
            ("ftp://localhost:9001", "reached by http:// or https://, not ftp://"),
            ("http://", "has no usable host or port"),
            ("http://localhost:99999", "has no usable host or port"),
            ("http://local host:9001", "has no usable host or port"),
            ("http://me:hunter2@localhost:9001", "has a user name or password in it; leave them out"),
            ("http://localhost:9001/?api_key=hunter2", r"has a '\?' or '#' part; leave it out"),
        ],
    )
    def test_refuses_an_address_that_can_not_be_used(self, url: str, message: str) -> None:
        with pytest.raises(InputError, match=message) as caught:
            ServerEngine(url)
        assert "hunter2" not in str(caught.value)

    @pytest.mark.parametrize("url", ["http://localhost:9001/", " HTTP://localhost:9001// "])
    def test_trims_the_address(self, url: str) -> None:
        assert ServerEngine(url).url == "http://localhost:9001"

    def test_keeps_a_path_before_the_routes(self, server: FakeServer) -> None:
        with pytest.raises(BadReplyError, match="no inference server with CLIP at /clip/embed_text"):
            ServerEngine(f"{server.url}/prefix/").embed_texts(["a dog"])


class TestConnectionTest:
    def test_tells_name_version_and_speed(self, server: FakeServer) -> None:
        server.faults.per_item_s = 0.005
        engine = ServerEngine(server.url)
        report = engine.test_connection()
        engine.close()

        assert (report.name, report.version) == ("Roboflow Inference Server", "1.8.3")
        assert report.model_id == "clip/ViT-B-16"
        assert 0.005 <= report.latency_s < 2
        assert 10 < report.images_per_s < 400  # two requests of 8 at 5 ms a picture: at most 400 a second

    def test_works_where_the_server_does_not_tell(self, server: FakeServer, engine: ServerEngine) -> None:
        server.faults.no_info = server.faults.old = True

        report = engine.test_connection()

        assert (report.name, report.version, report.model_id) == ("Inference server", None, "clip/ViT-B-16")

    def test_says_when_nothing_listens(self) -> None:
        with FakeServer() as gone:
            url = gone.url
        engine = ServerEngine(url, sleep=lambda _: None)

        message = f"The inference server at {url} can't be reached; start it, or choose the embedded engine."
        with pytest.raises(EngineUnavailableError) as caught:
            engine.test_connection()
        assert str(caught.value) == message

    def test_says_when_it_is_another_server(self, server: FakeServer, engine: ServerEngine) -> None:
        server.faults.no_clip = server.faults.no_info = True

        with pytest.raises(BadReplyError, match=r"is no inference server with CLIP .*\(usually 9001\)"):
            engine.test_connection()

    def test_says_when_it_is_a_web_page(self, server: FakeServer, engine: ServerEngine) -> None:
        server.faults.page = True

        with pytest.raises(BadReplyError, match=f"What answers at {server.url} is no inference server with CLIP; "):
            engine.test_connection()
        assert not server.seen

    def test_hides_the_key_even_if_the_server_tells_it(self, server: FakeServer) -> None:
        server.faults.about = {"name": "Server of rf_secret", "version": "1"}
        engine = ServerEngine(server.url, api_key="rf_secret")
        assert engine.test_connection().name == "Server of [key]"
        engine.close()
