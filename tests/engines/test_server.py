"""The inference server engine against a stand-in server: its making, its requests, what it makes of the answers."""

from __future__ import annotations

import base64
import io
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lib.core.errors import BadReplyError, EngineUnavailableError, InputError, PromptTooLongError, UnknownModelError
from lib.engines.checks import Preparation
from lib.engines.clip_versions import MODEL_VERSIONS
from lib.engines.engine import Engine
from lib.engines.image_payload import jpeg, model_square
from lib.engines.server import ServerEngine
from lib.engines.server_client import Timeouts
from lib.infra.http import RetryPolicy
from tests.helpers.fake_server import DIMS, Connect, FakeServer
from tests.helpers.videos import plain_picture


class TestVectors:
    def test_follow_the_engine_protocol(self, engine: ServerEngine) -> None:
        assert isinstance(engine, Engine)
        assert (engine.id, engine.dim, engine.input_size) == ("clip/ViT-B-16", 512, 224)
        assert (engine.batch_size, engine.concurrency) == (8, 3)
        assert engine.name == "CLIP ViT-B/16 (inference server)"

    def test_are_the_servers_brought_to_unit_length(self, server: FakeServer, engine: ServerEngine) -> None:
        sent = server.vectors(["a dog", "a cat"])
        assert (np.abs(np.linalg.norm(sent, axis=1) - 1) > 1).all()  # the stand-in's are not, as the real one's

        vectors = engine.embed_texts(["a dog", "a cat"])

        assert vectors.dtype == np.float32
        np.testing.assert_allclose(vectors, sent / np.linalg.norm(sent, axis=1, keepdims=True), atol=1e-6)

    def test_come_in_the_order_of_the_pictures(self, server: FakeServer, engine: ServerEngine) -> None:
        colours = [(10 * i, 255 - 10 * i, 5 * i) for i in range(21)]  # three requests

        vectors = engine.embed_images([plain_picture(colour) for colour in colours])

        expected = server.vectors([plain_picture(colour) for colour in colours])
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
        assert [seen.items for seen in server.seen] == [8, 8, 5]
        assert (np.argmax(vectors @ expected.T, axis=1) == np.arange(21)).all()

    def test_of_a_red_frame_match_red_and_arrive_red(self, server: FakeServer, engine: ServerEngine) -> None:
        vectors = engine.embed_images([plain_picture((255, 0, 0)), plain_picture((0, 0, 255))])
        texts = engine.embed_texts(["red", "blue"])

        assert np.diag(vectors @ texts.T).min() > 0.999
        red, blue = (image.mean(axis=(0, 1)) for image in server.images)
        np.testing.assert_allclose(red, (254, 0, 0), atol=2)
        np.testing.assert_allclose(blue, (0, 0, 254), atol=2)

    def test_of_nothing_cost_no_request(self, server: FakeServer, engine: ServerEngine) -> None:
        assert engine.embed_images([]).shape == (0, 512)
        assert engine.embed_texts([]).shape == (0, 512)
        assert not server.seen

    def test_come_from_servers_that_do_not_tell_their_model(self, server: FakeServer, engine: ServerEngine) -> None:
        server.faults.old = True

        assert engine.embed_texts(["a dog"]).shape == (1, 512)

    @pytest.mark.parametrize("version", MODEL_VERSIONS)
    def test_have_each_versions_length_and_input(self, server: FakeServer, connect: Connect, version: str) -> None:
        engine = connect(model_version=version)

        assert engine.embed_texts(["a dog"]).shape == (1, DIMS[version])
        assert engine.embed_images([plain_picture(height=500, width=600)]).shape == (1, DIMS[version])
        assert engine.id == f"clip/{version}"
        side = engine.input_size
        assert server.images[-1].shape == (side, side, 3)
        assert {seen.body["clip_version_id"] for seen in server.seen} == {version}

    def test_are_those_of_a_single_thread_when_many_ask_at_once(
        self, server: FakeServer, engine: ServerEngine, rng: np.random.Generator
    ) -> None:
        frames = [rng.integers(0, 256, (224, 398, 3), dtype=np.uint8) for _ in range(12)]
        alone = engine.embed_images(frames)
        with ThreadPoolExecutor(6) as pool:
            together = list(pool.map(lambda i: engine.embed_images([frames[i]]), range(12)))

        np.testing.assert_array_equal(np.concatenate(together), alone)


class TestPictures:
    @pytest.mark.parametrize(
        ("height", "width"), [(224, 398), (398, 224), (224, 225), (720, 1281), (337, 225), (100, 150)]
    )
    def test_are_sent_as_the_square_the_server_would_crop(
        self, height: int, width: int, rng: np.random.Generator
    ) -> None:
        small = Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8))
        image = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))
        short = min(224, height, width)
        # What the server's own preprocessing does: Resize(short side, bicubic), then CenterCrop.
        size = (short, int(short * height / width)) if width <= height else (int(short * width / height), short)
        resized = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
        top, left = round((size[1] - short) / 2.0), round((size[0] - short) / 2.0)

        square = model_square(image, 224)

        np.testing.assert_array_equal(square, resized[top : top + short, left : left + short])

    def test_lose_next_to_nothing_as_jpeg(self, rng: np.random.Generator) -> None:
        small = Image.fromarray(rng.integers(0, 256, (28, 28, 3), dtype=np.uint8))
        image = np.asarray(small.resize((224, 224), Image.Resampling.BICUBIC))

        decoded = Image.open(io.BytesIO(jpeg(image)))

        error = np.asarray(decoded, np.float64) - image
        assert np.sqrt((error**2).mean()) < 2.5

    def test_are_plain_base64(self, server: FakeServer, engine: ServerEngine) -> None:
        engine.embed_images([plain_picture((9, 99, 199))])

        (picture,) = server.seen[0].body["image"]
        assert picture["type"] == "base64"
        assert Image.open(io.BytesIO(base64.b64decode(picture["value"], validate=True))).format == "JPEG"

    @pytest.mark.parametrize(
        "picture",
        [np.zeros((8, 8, 3), np.float32), np.zeros((8, 8), np.uint8), np.zeros((0, 8, 3), np.uint8)],
        ids=["float", "grey", "empty"],
    )
    def test_must_be_rgb_of_uint8(self, engine: ServerEngine, picture: NDArray[np.uint8]) -> None:
        with pytest.raises(ValueError, match=r"must be uint8 \(height, width, 3\)"):
            engine.embed_images([picture])


class TestTexts:
    @pytest.mark.parametrize("text", ["", "  ", "\n"])
    def test_that_are_empty_are_refused_before_sending(
        self, server: FakeServer, engine: ServerEngine, text: str
    ) -> None:
        with pytest.raises(InputError, match="A prompt is empty; write at least one word"):
            engine.embed_texts(["a dog", text])
        assert not server.seen

    def test_that_are_no_unicode_are_refused_before_sending(self, server: FakeServer, engine: ServerEngine) -> None:
        with pytest.raises(InputError, match="no valid Unicode; type it again"):
            engine.embed_texts(["a \ud800 dog"])
        assert not server.seen

    def test_beyond_the_context_are_named(self, server: FakeServer, engine: ServerEngine) -> None:
        texts = ["a dog", "a building " * 40, "a cat"]

        message = r"The prompt “a building a .*…” is longer than the 77 tokens ViT-B/16 can read; shorten it\."
        with pytest.raises(PromptTooLongError, match=message):
            engine.embed_texts(texts)
        assert [seen.items for seen in server.seen] == [3, 1, 1]  # the batch, then one by one up to the culprit

    def test_go_in_few_requests(self, server: FakeServer, engine: ServerEngine) -> None:
        vectors = engine.embed_texts([f"a thing called {i}" for i in range(50)])

        assert vectors.shape == (50, 512)
        assert [seen.items for seen in server.seen] == [32, 18]


class TestRequests:
    def test_are_in_flight_at_most_as_many_as_set(self, server: FakeServer, connect: Connect) -> None:
        server.faults.latency_s = 0.03
        engine = connect(concurrency=2)
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda _: engine.embed_images([plain_picture()]), range(8)))

        assert server.max_in_flight == 2
        assert len(server.seen) == 8

    def test_of_several_engines_keep_to_one_limit(self, server: FakeServer, connect: Connect) -> None:
        server.faults.latency_s = 0.03
        limit = threading.BoundedSemaphore(1)
        engines = [connect(concurrency=2), connect(concurrency=2)]
        for engine in engines:
            engine.limit_requests(limit)
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda number: engines[number % 2].embed_images([plain_picture()]), range(6)))

        assert server.max_in_flight == 1
        assert len(server.seen) == 6

    def test_only_ever_embed(self, server: FakeServer, engine: ServerEngine) -> None:
        """The server's own comparison takes 8 prompts at most and one picture; nothing here uses it."""
        engine.test_connection()
        engine.embed_images([plain_picture()] * 9)
        engine.embed_texts([f"thing {i}" for i in range(20)])

        assert {seen.path for seen in server.seen} == {"/clip/embed_image", "/clip/embed_text"}

    def test_keep_their_connections_alive(self, server: FakeServer, connect: Connect) -> None:
        engine = connect(concurrency=2)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: engine.embed_images([plain_picture()]), range(10)))

        assert 1 <= len({seen.connection for seen in server.seen}) <= 2

    def test_halve_for_the_rest_of_the_session_when_refused(self, server: FakeServer, engine: ServerEngine) -> None:
        server.faults.max_images = 3
        frames = [plain_picture((20 * i, 0, 0)) for i in range(8)]

        vectors = engine.embed_images(frames)
        again = engine.embed_images(frames)

        assert [seen.items for seen in server.seen] == [8, 4, 2, 2, 2, 2, 2, 2, 2, 2]
        assert engine.batch_size == 2
        np.testing.assert_array_equal(vectors, again)

    def test_halve_only_once_when_two_are_refused_at_once(self, server: FakeServer, connect: Connect) -> None:
        server.faults.max_images = 4
        server.faults.latency_s = 0.05
        engine = connect(concurrency=2)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(engine.embed_images, [[plain_picture()] * 8] * 2))

        assert engine.batch_size == 4

    def test_begin_at_the_configured_size(self, server: FakeServer, connect: Connect) -> None:
        server.faults.max_images = 100
        engine = connect(batch_size=16)
        engine.embed_images([plain_picture()] * 16)

        assert [seen.items for seen in server.seen] == [16]

    def test_that_fail_on_a_single_picture_say_so(self, server: FakeServer, engine: ServerEngine) -> None:
        server.faults.broken_images = True

        message = r"fails even on a single picture \(500 “Internal error\.”\); look at its log, or restart it"
        with pytest.raises(BadReplyError, match=message):
            engine.embed_images([plain_picture()] * 8)
        assert [seen.items for seen in server.seen] == [8, 4, 2, 1]

    def test_wait_long_for_the_first_answer_only(self, server: FakeServer) -> None:
        server.faults.latency_s = 0.25
        reported: list[Preparation] = []
        engine = ServerEngine(
            server.url,
            timeouts=Timeouts(read_s=0.1, first_s=10.0),
            retries=RetryPolicy(attempts=1),
            on_progress=reported.append,
        )

        assert engine.embed_texts(["a dog"]).shape == (1, 512)
        message = "did not answer within 0.1 s; look at its log, it may be overloaded"
        with pytest.raises(EngineUnavailableError, match=message):
            engine.embed_texts(["a cat"])
        engine.close()
        assert [p.message for p in reported] == [
            f"The inference server at {server.url} loads ViT-B-16; "
            "the first time it downloads the weights, which can take a minute or two."
        ]

    def test_after_closing_are_refused(self, server: FakeServer, engine: ServerEngine) -> None:
        engine.close()
        engine.close()

        with pytest.raises(EngineUnavailableError, match="The engine was closed; choose it again"):
            engine.embed_texts(["a dog"])
        assert not server.seen

    def test_that_wait_for_a_retry_end_when_the_engine_closes(self, server: FakeServer, connect: Connect) -> None:
        server.faults.first, server.faults.retry_after = 9, "60"
        engine = connect()
        threading.Timer(0.1, engine.close).start()

        with pytest.raises(EngineUnavailableError, match="The engine was closed"):
            engine.embed_texts(["a dog"])  # would wait a minute
        assert len(server.seen) == 1


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
        with pytest.raises(
            UnknownModelError,
            match=r"'ViT-G' is no model of an inference server; choose one of ViT-B-16, .*PE-Core-G14-448\.",
        ):
            ServerEngine("http://localhost:9001", model_version="ViT-G")

    @pytest.mark.parametrize("spelling", ["ViT-L/14@336px", "vit-l-14-336PX", " ViT-L-14-336px "])
    def test_takes_other_spellings_of_a_version(self, spelling: str) -> None:
        assert ServerEngine("http://localhost:9001", model_version=spelling).id == "clip/ViT-L-14-336px"

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("", "address is empty; write for example http://localhost:9001"),
            ("localhost:9001", r"must begin with http:// or https://; write for example http://localhost:9001\."),
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
    def test_tells_name_version_and_speed(self, server: FakeServer, connect: Connect) -> None:
        server.faults.per_item_s = 0.005
        engine = connect()
        report = engine.test_connection()

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

    def test_hides_the_key_even_if_the_server_tells_it(self, server: FakeServer, connect: Connect) -> None:
        server.faults.about = {"name": "Server of rf_secret", "version": "1"}
        engine = connect(api_key="rf_secret")
        assert engine.test_connection().name == "Server of [key]"
