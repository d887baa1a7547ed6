"""Object storage and shared folders: listing, reading, conditional writes, and what goes wrong, in sentences."""

from __future__ import annotations

import hashlib
import http.client
import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lib.core.errors import Cancelled, InputError, RemoteError, RemoteMissingError
from lib.remote import storage
from lib.remote.storage import Remote, split_pattern
from tests.helpers.fake_object_storage import KEY, SECRET, ObjectStorage, now_and_then

NAMES = ["videos/a.mp4", "videos/b c.mov", "videos/more/ä.mp4", "videos2/a.mp4", "a.mp4"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("**", NAMES),
        ("videos/*.mp4", NAMES[:1]),
        ("videos/**/*.mp4", [NAMES[0], NAMES[2]]),
        ("videos/? c.mov", [NAMES[1]]),
        ("videos/**", NAMES[:3]),
        ("none/*", []),
    ],
)
def test_patterns_name_files(remote: Remote, pattern: str, names: list[str]) -> None:
    for name in NAMES:
        assert remote.create(name, name.encode())
    found = {file.path: file for file in remote.files(pattern) if file.path != "promptreel.json"}
    assert sorted(found) == sorted(names)
    for file in found.values():
        assert file.uri == remote.uri(file.path)
        assert file.size_bytes == len(file.path.encode())
        assert file.etag
        assert remote.find(file.path) == file


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("s3://bucket/videos/*.mp4", ("s3://bucket/videos", "*.mp4")),
        ("s3://bucket/**/*.mp4", ("s3://bucket", "**/*.mp4")),
        ("s3://bucket/videos", ("s3://bucket/videos", "**")),
        ("s3://bucket/videos/a.mp4", ("s3://bucket/videos", "a.mp4")),
        ("s3://bucket.of.mine", ("s3://bucket.of.mine", "**")),
        ("file:///a b/c*", ("file:///a b", "c*")),
    ],
)
def test_an_address_with_a_pattern_is_a_place_and_a_pattern(address: str, parts: tuple[str, str]) -> None:
    assert split_pattern(address) == parts


def test_a_file_is_copied_in_pieces_with_its_hash(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(2500)
    (tmp_path / "source").write_bytes(content)
    remote.upload("videos/a", tmp_path / "source")
    monkeypatch.setattr(storage, "PIECE_BYTES", 1000)
    steps: list[tuple[int, int]] = []
    digest = remote.download("videos/a", tmp_path / "copy", on_progress=lambda *step: steps.append(step))

    assert (tmp_path / "copy").read_bytes() == content
    assert digest == hashlib.sha256(content).hexdigest()
    assert steps == [(1000, 2500), (2000, 2500), (2500, 2500)]
    assert remote.read_range("videos/a", 2000, 9999) == content[2000:]
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        remote.download("videos/a", tmp_path / "copy", cancel=cancel)
    with pytest.raises(Cancelled):
        remote.upload("videos/b", tmp_path / "source", cancel=cancel)
    assert remote.find("videos/b") is None


def test_a_file_that_changed_meanwhile_is_not_copied(remote: Remote, tmp_path: Path) -> None:
    for content in (b"before", b"afterwards"):
        (tmp_path / "source").write_bytes(content)
        known = remote.find("a")
        remote.upload("a", tmp_path / "source")
    assert known is not None
    with pytest.raises(RemoteError, match="changed meanwhile"):
        remote.download(known, tmp_path / "copy")


def test_of_writers_at_once_one_writes(remote: Remote) -> None:
    with ThreadPoolExecutor(8) as pool:
        wrote = list(pool.map(lambda n: Remote(remote.url).create("done/a.json", b"%d" % n), range(8)))
    assert wrote.count(True) == 1
    assert remote.read("done/a.json") == b"%d" % wrote.index(True)
    assert remote.create("done/a.json", remote.read("done/a.json"))  # an answer that was lost, asked for again


def test_a_storage_that_writes_over_files_is_refused(s3: ObjectStorage) -> None:
    def ignore(method: str, path: str, headers: dict[str, str]) -> None:
        for name in [name for name in headers if name.lower() == "if-none-match"]:
            del headers[name]

    s3.fault = ignore
    with pytest.raises(RemoteError, match="conditional writes"):
        Remote(s3.address).create("done/a.json", b"{}")
    assert Remote(s3.address).find("done/a.json") is None


def test_what_another_version_wrote_is_refused(remote: Remote) -> None:
    Remote(remote.url)._put_new("promptreel.json", b'{"format": 2}')
    with pytest.raises(RemoteError, match="another format"):
        remote.create("done/a.json", b"{}")


def test_a_busy_or_refusing_storage_says_so_without_its_words(
    s3: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = Remote(s3.address)
    assert remote.create("a", b"a")
    s3.fault = now_and_then(503, 2)
    assert remote.read("a") == b"a"
    assert [file.path for file in remote.files("a*")] == ["a"]

    s3.fault = now_and_then(403, 1)
    for doing in (lambda: remote.read("a"), lambda: list(remote.files()), lambda: remote.create("b", b"")):
        with pytest.raises(RemoteError, match="access was refused; check the AWS_… variables") as raised:
            doing()
        assert KEY not in str(raised.value)
        assert SECRET not in str(raised.value)
    s3.fault = now_and_then(503, 1)
    monkeypatch.setitem(storage._RETRIES, "max_retries", 1)
    with pytest.raises(RemoteError, match="answered 503 SlowDown; try again later"):
        Remote(s3.address).read("a")


def test_what_is_not_there(remote: Remote, s3: ObjectStorage) -> None:
    with pytest.raises(RemoteMissingError, match="not there"):
        remote.read("none")
    assert remote.find("none") is None
    remote.delete("none")
    with pytest.raises(RemoteError, match="no such bucket"):
        list(Remote("s3://no-such-bucket/x").files())


def test_a_document_is_bounded(remote: Remote) -> None:
    remote.create("a", b"[" * 2000)
    with pytest.raises(RemoteError, match="more than 1,000 bytes"):
        remote.read("a", most_bytes=1000)
    with pytest.raises(RemoteError, match="can't be read"):
        remote.document("a")


def test_a_place_travels_to_other_processes(remote: Remote) -> None:
    remote.create("a", b"a")
    assert pickle.loads(pickle.dumps(remote)).read("a") == b"a"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "bucket",
        "ftp://a/b",
        "s3://",
        "s3:///a",
        "s3://k:s@b/a",
        "s3://b/a.mp4?X-Amz-Signature=k:s",
        "az://c/p?sv=1&sig=k:s",
        "https://b.example.org/a.mp4?sig=k:s",
        "file://host/a",
        "file:///",
        "s3://b/../c",
        "s3://b/\n",
        "s3://b/" + "a" * 2000,
    ],
)
def test_no_address_is_refused_in_one_sentence(address: str) -> None:
    with pytest.raises(InputError, match=r"s3://bucket/archive") as raised:
        Remote(address).find("a")
    assert "k:s" not in str(raised.value)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"AWS_ENDPOINT_URL": "nonsense"}, "AWS_ENDPOINT_URL is no address"),
        ({"AWS_SECRET_ACCESS_KEY": None}, "no credentials were found; set the AWS_"),
    ],
)
def test_an_environment_that_is_wrong(
    s3: ObjectStorage, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str | None], words: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    with pytest.raises((InputError, RemoteError), match=words):
        Remote(s3.address).read("a")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="make it first, or mount it"):
        Remote(f"file://{tmp_path}/none").read("a")


def test_an_archive_is_found_though_its_first_write_was_refused_by_mistake(s3: ObjectStorage) -> None:
    faults = iter([412])
    s3.fault = lambda method, path, headers: next(faults, None) if path.endswith("promptreel.json") else None
    remote = Remote(s3.address)

    assert remote.create("done/1.json", b"{}")

    assert s3.requests[0][0] == "PUT"
    assert remote.check_format()


def test_a_folder_lists_what_can_be_read_whatever_lies_beside_it(folder: Remote) -> None:
    root = Path(folder.url[7:])
    (root / "below").mkdir()
    names = ["a#1 %20?*.mp4", "ä ö.mp4", 'q{^}`]"><~|[.mp4', "\\back.mp4", "below/b.mp4"]
    for name in names:
        (root / name).write_bytes(name.encode())
    (root / os.fsdecode(b"\xff.mp4")).touch()
    (root / "new\nline.mp4").touch()
    (root / "loop").symlink_to(root)
    (root / "nowhere.mp4").symlink_to("/not/there")
    found = {file.path: file for file in folder.files("**/*.mp4")}
    assert sorted(found) == sorted(names)
    assert [folder.read(name) for name in names] == [name.encode() for name in names]
    assert [folder.find(name) for name in names] == [found[name] for name in names]


@pytest.mark.parametrize("prefix", ["a%20b", "a#b", "a?b"])
def test_an_archive_is_not_put_where_its_tables_would_lie_elsewhere(s3: ObjectStorage, prefix: str) -> None:
    with pytest.raises(InputError, match="without %, # and"):
        assert Remote(f"s3://{s3.bucket}/{prefix}").tables


def test_a_name_that_the_library_cannot_read_is_told(s3: ObjectStorage) -> None:
    connection = http.client.HTTPConnection(*s3.behind)
    connection.request("PUT", f"/{s3.bucket}/archive/videos//a.mp4", b"x")
    assert connection.getresponse().status == 200
    with pytest.raises(RemoteError, match=r"a name there has an empty part.*videos//a\.mp4\.$"):
        list(Remote(s3.address).files())


def test_a_folder_that_others_write_to_leads_nowhere_else(folder: Remote, tmp_path: Path) -> None:
    shared, mine = tmp_path / "shared", tmp_path / "mine"
    (mine / "below").mkdir(parents=True)
    (mine / "below" / "precious.txt").touch()
    (shared / "parts").mkdir()
    (shared / "parts" / "abc").symlink_to(mine)
    folder.delete_folder("parts/abc")
    assert (mine / "below" / "precious.txt").exists()
    os.mkfifo(shared / "promptreel.json")
    assert folder.check_format() is False
    assert folder.find("promptreel.json") is None
    with pytest.raises(RemoteMissingError):
        folder.read_range("promptreel.json", 0, 1)
