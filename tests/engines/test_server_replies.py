"""Answers of an inference server that refuse or are of no use, and what the user reads."""

from __future__ import annotations

import json

import pytest

from lib.core.errors import BadReplyError, EngineAuthError, EngineError, EngineUnavailableError, UnknownModelError
from lib.engines.server import ServerEngine
from tests.helpers.fake_server import Connect, FakeServer
from tests.helpers.videos import plain_picture


class TestRefusals:
    def test_nine_pictures_pass_in_smaller_requests(self, server: FakeServer, connect: Connect) -> None:
        engine = connect(batch_size=9)

        assert engine.embed_images([plain_picture()] * 9).shape == (9, 512)
        assert [seen.items for seen in server.seen] == [9, 4, 4, 1]

    def test_no_text_at_all_is_never_sent(self, server: FakeServer, engine: ServerEngine) -> None:
        """The server answers an empty list with a bare 500."""
        engine.embed_texts([])

        assert not server.seen

    @pytest.mark.parametrize("call", ["images", "texts"])
    def test_a_model_it_does_not_have(self, server: FakeServer, connect: Connect, call: str) -> None:
        server.faults.versions = ("ViT-B-16",)
        engine = connect(model_version="RN50")

        message = (
            rf"The inference server at {server.url} has no usable clip/RN50 "
            r"\(500 “Model package is broken\.”\); "
            "choose another version, or let the server download it"
        )
        with pytest.raises(UnknownModelError, match=message):
            engine.embed_images([plain_picture()] * 8) if call == "images" else engine.embed_texts(["a", "b"])
        assert len(server.seen) == 1  # no halving, no retry
        assert engine.batch_size == 8

    def test_another_model_than_the_one_asked_for(self, server: FakeServer, engine: ServerEngine) -> None:
        server.faults.resolved = "clip/ViT-B-32"

        message = "answered with clip/ViT-B-32 where clip/ViT-B-16 was asked for; choose that version"
        with pytest.raises(UnknownModelError, match=message):
            engine.embed_texts(["a dog"])

    def test_a_picture_it_can_not_read(self, server: FakeServer, engine: ServerEngine) -> None:
        server.faults.unreadable_images = True

        message = r"could not read a picture it was sent \(400 “Could not load input image\. Cause: Empty image"
        with pytest.raises(BadReplyError, match=message):
            engine.embed_images([plain_picture()])

    @pytest.mark.parametrize(
        ("status", "said", "error", "message"),
        [
            (402, "Not enough credits to perform this request.", EngineUnavailableError, "check its credits"),
            (423, "Roboflow API usage is paused.", EngineUnavailableError, "won't work for this account"),
            (404, "Requested Roboflow resource not found.", UnknownModelError, "has no usable clip/ViT-B-16"),
            (404, "", BadReplyError, "is no inference server with CLIP at /clip/embed_text"),
            (405, "Method Not Allowed", BadReplyError, "is no inference server with CLIP at /clip/embed_text"),
            (500, "Internal error.", BadReplyError, r"fails even on a single text \(500 “Internal error\.”\)"),
            (501, "No provider.", BadReplyError, r"fails even on a single text \(501 “No provider\.”\)"),
            (422, "Field required", BadReplyError, r"refuses the request \(422 “Field required”\)"),
            (400, "Required Roboflow API key is missing.", EngineAuthError, "wants an API key"),
        ],
    )
    def test_have_their_own_sentences(
        self, server: FakeServer, engine: ServerEngine, status: int, said: str, error: type[EngineError], message: str
    ) -> None:
        server.faults.first, server.faults.status, server.faults.message = 99, status, said

        with pytest.raises(error, match=message):
            engine.embed_texts(["a dog"])

    @pytest.mark.parametrize("call", ["images", "texts"])
    @pytest.mark.parametrize(
        ("status", "message"),
        [
            (413, r"takes no request as large as a single (picture|text) \(413\); raise the limit there"),
            (500, r"answers with a web page \(500\): a proxy or firewall before it fails or refuses the request"),
            (403, r"answers with a web page \(403\)"),
            (401, r"answers with a web page \(401\)"),
        ],
    )
    def test_that_are_pages_of_something_before_it(
        self, server: FakeServer, engine: ServerEngine, status: int, call: str, message: str
    ) -> None:
        server.faults.page_status = status

        with pytest.raises(BadReplyError, match=message):
            engine.embed_images([plain_picture()] * 3) if call == "images" else engine.embed_texts(["a", "b", "c"])
        assert engine.batch_size == 8

    @pytest.mark.parametrize("place", [0, 20, 31])
    def test_a_bare_500_is_narrowed_down_to_the_text(
        self, server: FakeServer, engine: ServerEngine, place: int
    ) -> None:
        texts = [f"text {i}" for i in range(32)]
        server.faults.bad_text = texts[place]

        message = (
            rf"fails on the prompt “text {place}” \(500 “Internal error\.”\), and not on others; shorten or reword"
        )
        with pytest.raises(BadReplyError, match=message) as caught:
            engine.embed_texts(texts)
        assert caught.value.concerns_one_text
        assert len(server.seen) <= 12
        server.reset()
        engine.embed_texts([f"other {i}" for i in range(32)])
        assert [seen.items for seen in server.seen] == [32]

    def test_a_server_that_fails_on_every_text_is_no_ones_fault(self, server: FakeServer, engine: ServerEngine) -> None:
        server.faults.first, server.faults.status, server.faults.message = 99, 500, "Internal error."

        with pytest.raises(BadReplyError, match="fails even on a single text") as caught:
            engine.embed_texts(["a", "b", "c", "d"])
        assert not caught.value.concerns_one_text

    def test_are_echoed_in_one_short_line(self, server: FakeServer, engine: ServerEngine) -> None:
        server.faults.first, server.faults.status = 1, 422
        server.faults.message = "bad\n  input " * 100

        with pytest.raises(BadReplyError) as caught:
            engine.embed_texts(["a dog"])
        assert "bad input bad input" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400


class TestReplies:
    @pytest.mark.parametrize(
        ("spoil", "message"),
        [
            ("nan", "gave a vector with a value that is NaN or infinite"),
            ("inf", "gave a vector with a value that is NaN or infinite"),
            ("zero", "gave a vector that is zero everywhere"),
            ("subnormal", "gave a vector that is zero everywhere"),
            ("huge", "gave a vector with values too large for a model's"),
            ("count", "gave 2 vectors where 3 were asked for"),
            ("dim", "gave vectors of length 511 where 512 was expected"),
            ("ragged", "gave vectors that are no lists of numbers of one length"),
            ("text", "gave vectors that are no lists of numbers of one length"),
        ],
    )
    @pytest.mark.parametrize("call", ["images", "texts"])
    def test_with_useless_vectors(
        self, server: FakeServer, engine: ServerEngine, call: str, spoil: str, message: str
    ) -> None:
        server.faults.spoil = spoil

        advice = r"\. Check that it really serves clip/ViT-B-16, and update it\."
        with pytest.raises(BadReplyError, match=message + advice):
            engine.embed_images([plain_picture()] * 3) if call == "images" else engine.embed_texts(["a", "b", "c"])

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"<!doctype html><html>Welcome</html>", "is no inference server with CLIP; check the address and port"),
            (b"all fine", "gave an answer that is no JSON object; check the address, and that nothing stands"),
            (b"", "gave an answer that is no JSON object"),
            (b"[1, 2]", "gave an answer that is no JSON object"),
            (b"\xff\xfe\x00", "gave an answer that is no JSON object"),
            (b"[" * 100_000, "gave an answer that is no JSON object"),
            (b'{"time": 0.1}', "gave no list of vectors"),
            (b'{"embeddings": "many"}', "gave no list of vectors"),
            (json.dumps({"embeddings": [[None] * 512]}).encode(), "NaN or infinite"),
            (json.dumps({"embeddings": [[10**400] * 512]}).encode(), "no lists of numbers"),
            (json.dumps({"embeddings": [1.0]}).encode(), "gave vectors of length 0 where 512"),
        ],
    )
    def test_that_are_none(self, server: FakeServer, engine: ServerEngine, body: bytes, message: str) -> None:
        server.faults.body = body

        with pytest.raises(BadReplyError, match=message):
            engine.embed_texts(["a dog"])
