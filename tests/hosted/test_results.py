"""results.json: what is read from it, and which element is to blame."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib.core.errors import ResultsError
from lib.hosted import json_lists, results
from lib.hosted.results import Results, read_results
from lib.store.gaps import Gap

Document = dict[str, Any]


def document(n: int = 6, dim: int = 4, step_s: float = 0.5) -> Document:
    """Return what the service gives for 24 frames per second: element ``i`` points along axis ``i``, 3 long."""
    vectors = [[3.0 if axis == i % dim else 0.0 for axis in range(dim)] for i in range(n)]
    return {
        "frame_offset": [round(24 * step_s * i) for i in range(n)],
        "time_offset": [round(step_s * i, 4) for i in range(n)],
        "clip": vectors,
    }


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Results]:
    def read(content: Document | str | bytes) -> Results:
        path = tmp_path / "results.json"
        text = json.dumps(content) if isinstance(content, dict) else content
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_results(path)

    return read


Read = Callable[[Document | str | bytes], Results]


@pytest.fixture(params=[1 << 18, 7], ids=["large blocks", "blocks of 7 bytes"])
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lists, "BLOCK_BYTES", request.param)


@pytest.mark.usefixtures("_blocks")
class TestReads:
    def test_frames_times_and_unit_vectors(self, read: Read) -> None:
        results = read(document())

        assert results.frames.tolist() == [0, 12, 24, 36, 48, 60]
        assert results.times_s.tolist() == [0, 0.5, 1.0, 1.5, 2.0, 2.5]
        assert results.vectors.dtype == np.float32
        assert results.vectors.tolist() == np.eye(4)[[0, 1, 2, 3, 0, 1]].tolist()
        assert (results.dim, results.missing, results.gaps, results.end_s) == (4, 0, (), 3.0)
        assert results.sampling.key == "fps-2"

    def test_vectors_are_taken_in_chunks(self, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(results, "CHUNK_NUMBERS", 12)
        for n in (3, 7):
            given = document(n)
            given["clip"][1] = None
            expected = np.eye(4)[[i % 4 for i in range(n) if i != 1]]
            assert read(given).vectors.tolist() == expected.tolist()

    def test_long_vectors_are_kept_in_double_precision_a_few_at_a_time(
        self, read: Read, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sizes: list[int] = []
        monkeypatch.setattr(results, "CHUNK_NUMBERS", 1000)
        monkeypatch.setattr(np, "stack", lambda rows, stack=np.stack: sizes.append(len(rows)) or stack(rows))
        read(document(6) | {"clip": [[1.0] * 600] * 6})
        assert sizes == [2, 2, 2]

    def test_both_spellings_and_other_models_in_any_order(self, read: Read) -> None:
        given = document()
        plural = {
            "gaze": [{"yaw": [1, "]"]}, None],
            "clip": given["clip"],
            "time_offsets": given["time_offset"],
            "note": "words, no list",
            "frame_offsets": given["frame_offset"],
            "empty": [],
        }
        assert read(plural).times_s.tolist() == read(given).times_s.tolist()

    def test_nested_vectors(self, read: Read) -> None:
        nested = document()
        nested["clip"] = [[vector] for vector in nested["clip"]]
        assert np.array_equal(read(nested).vectors, read(document()).vectors)

    def test_white_space_and_a_byte_order_mark(self, read: Read) -> None:
        text = "\ufeff\n " + json.dumps(document(), indent=3) + "\r\n\t"
        assert read(text.encode()).frames.tolist() == [0, 12, 24, 36, 48, 60]

    def test_words_outside_ascii(self, read: Read) -> None:
        assert len(read(json.dumps({"é𝄞": ["ü𝄞"] * 9, **document()}, ensure_ascii=False)).frames) == 6


class TestNull:
    def nulled(self, read: Read, *rows: int, keys: tuple[str, ...] = ("clip",)) -> Results:
        given = document()
        for key in keys:
            for row in rows:
                given[key][row] = None
        return read(given)

    def test_elements_are_gaps_and_counted(self, read: Read) -> None:
        results = self.nulled(read, 1, 2, 4)

        assert results.times_s.tolist() == [0, 1.5, 2.5]
        assert results.gaps == (Gap(0.5, 1.5, 2), Gap(2.0, 2.5, 1))
        assert (results.missing, results.end_s) == (3, 3.0)
        assert results.sampling.key == "fps-2"  # that of the elements, not of what is left

    def test_elements_at_both_ends(self, read: Read) -> None:
        results = self.nulled(read, 0, 5)
        assert results.gaps == (Gap(0.0, 0.5, 1), Gap(2.5, 3.0, 1))
        assert results.end_s == 3.0

    def test_elements_in_all_lists_are_counted_and_leave_no_known_stretch(self, read: Read) -> None:
        results = self.nulled(read, 2, keys=("clip", "time_offset", "frame_offset"))
        assert (results.gaps, results.missing, len(results.frames)) == ((), 1, 5)
        assert results.step_s == 0.5  # of the elements, also of those without a time

    @pytest.mark.parametrize("key", ["time_offset", "frame_offset"])
    def test_a_vector_without_its_place_is_refused(self, read: Read, key: str) -> None:
        with pytest.raises(ResultsError, match=rf"element 3 of {key} \(counted from 0\) is null though"):
            self.nulled(read, 3, keys=(key,))

    def test_nothing_but_null(self, read: Read) -> None:
        with pytest.raises(ResultsError, match="only null elements, so every frame failed"):
            self.nulled(read, *range(6))


@pytest.mark.parametrize(
    ("times", "key"),
    [
        ([0.0, 0.3333, 0.6667, 1.0], "fps-3"),
        ([0.0, 0.2083, 0.4167, 0.5833, 0.7917, 1.0], "fps-5"),  # 5 a second of 24: neighbours differ
        ([0.0, 0.4, 0.8], "fps-5_2"),
        ([0.0, 2.002, 4.004], "fps-1_2"),
        ([0.0, 1.5, 3.0], "fps-6667_10000"),
        ([0.0, 9000.0], "fps-1_3600"),
        ([7.0], "fps-1"),
    ],
)
def test_the_sampling_is_what_the_times_amount_to(read: Read, times: list[float], key: str) -> None:
    given = document(len(times)) | {"time_offset": times}
    assert read(given).sampling.key == key


def changed(key: str, row: int, value: object) -> Document:
    given = document()
    given[key][row] = value
    return given


WRONG: dict[str, tuple[object, str]] = {
    "short": (changed("clip", 3, [1.0, 2.0]), "element 3 of clip .* has 2 numbers where the ones before have 4"),
    "flat number": (changed("clip", 2, 1.5), "element 2 of clip .* is no list of numbers"),
    "text": (changed("clip", 2, ["1", "2", "3", "4"]), "element 2 of clip .* is no list of numbers"),
    "booleans": (changed("clip", 2, [True] * 4), "element 2 of clip .* is no list of numbers"),
    "null inside": (changed("clip", 2, [1, None, 3, 4]), "element 2 of clip .* is no list of numbers"),
    "ragged": (changed("clip", 2, [[1, 2], [3]]), "element 2 of clip .* is no list of numbers"),
    "two nested": (changed("clip", 2, [[1, 2, 3, 4], [1, 2, 3, 4]]), "element 2 of clip .* is no list of numbers"),
    "empty vector": (changed("clip", 0, []), "element 0 of clip .* is no list of numbers"),
    "object": (changed("clip", 1, {"embedding": [1]}), "element 1 of clip .* is no list of numbers"),
    "NaN": (changed("clip", 4, [1, 2, float("nan"), 4]), "element 4 of clip .* NaN or infinite"),
    "zero": (changed("clip", 4, [0, 0, 0, 0]), "element 4 of clip .* zero everywhere"),
    "one long text": (changed("clip", 2, [1.0, 2.0, 3.0, "x" * 100_000]), "element 2 of clip .* is no list of numbers"),
    "too large": (changed("clip", 4, [1e200] * 4), "element 4 of clip .* too large"),
    "400 digits": (changed("clip", 4, [10**400] * 4), "element 4 of clip .* too large"),
    "5,000 digits": (json.dumps(document()).replace("24", "9" * 5_000), "no valid JSON"),
    "no time between": (document(2) | {"time_offset": [0, 1e-320]}, "less than 0.1 ms apart"),
    "one more vector": (document() | {"clip": [[1.0] * 4] * 7}, "frame_offset has 6, time_offset has 6, clip has 7"),
    "time as text": (changed("time_offset", 1, "0.5"), "element 1 of time_offset .* is no number"),
    "time below 0": (changed("time_offset", 0, -1), "element 0 of time_offset .* is no number of 0 or more"),
    "time infinite": (changed("time_offset", 5, float("inf")), "element 5 of time_offset .* is no number"),
    "time twice": (changed("time_offset", 4, 1.5), "element 4 of time_offset .* not later than the one before"),
    "frames falling": (changed("frame_offset", 2, 3), "element 2 of frame_offset .* not later"),
    "half a frame": (changed("frame_offset", 2, 24.5), "frame_offset has a number that is not whole"),
    "both spellings": (document() | {"time_offsets": []}, "time_offsets .or its other spelling. twice"),
    "no vectors": ({"frame_offset": [], "time_offset": [], "gaze": []}, "needs the lists .* has .*gaze"),
    "nothing": ({}, "has nothing; choose the results.json"),
    "no elements": (document(0), "has no elements"),
    "a list": ("[1, 2]", "holds no JSON object"),
    "empty file": ("", "holds no JSON object"),
    "no JSON": ('{"clip": [[1], oops]}', "no valid JSON"),
    "cut off": (json.dumps(document())[:-30], "is cut off or"),
    "cut off after the lists": (json.dumps(document())[:-1], "is cut off or"),
    "more behind": (json.dumps(document()) + "{}", "no valid JSON"),
    "key is no text": ("{1: 2}", "no valid JSON"),
    "deep": ('{"clip": ' + "[" * 200_000, "no valid JSON"),
    "not text": (b'{"clip": "\xff"}', "is no UTF-8 text"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_one_sentence(read: Read, name: str) -> None:
    content, message = WRONG[name]
    with pytest.raises(ResultsError, match=message) as caught:
        read(content)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"gone\.json can't be read"):
        read_results(tmp_path / "gone.json")


def test_progress_counts_bytes(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps(document(200, 64)))
    counts: list[int] = []
    read_results(path, on_bytes=counts.append)
    assert counts[-1] == path.stat().st_size
    assert counts == sorted(counts)
