from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lib.infra.files import atomic_file, sha256_of, write_atomically


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "file.json").write_text("old")
    return tmp_path / "file.json"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("content", "written"), [("grün\n", "grün\n".encode()), (b"\x00\r\n", b"\x00\r\n")])
def test_a_file_is_replaced_and_its_folder_is_made(
    target: Path, tmp_path: Path, content: str | bytes, written: bytes
) -> None:
    for path in (target, tmp_path / "a" / "new"):
        write_atomically(path, content)
        assert path.read_bytes() == written
    assert names(tmp_path) == ["a", "file.json"]


def test_a_folder_above_it_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "deleted" / "b" / "new", "")
    assert names(tmp_path) == []


def test_the_mode_is_that_of_any_new_file_unless_another_is_given(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_atomically(tmp_path / "public", "")
    write_atomically(tmp_path / "private", "", mode=0o600)

    usual, public, private = ((tmp_path / name).stat().st_mode for name in ("usual", "public", "private"))
    assert public == usual
    assert private & 0o777 == 0o600


def test_bytes_reach_the_disk_before_the_name_and_the_folder_after_it(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, str]] = []
    sync, replace = os.fsync, os.replace

    def traced_sync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        calls.append(("fsync", "folder" if stat.S_ISDIR(status.st_mode) else f"{status.st_size} bytes"))
        sync(descriptor)

    def traced_replace(source: Path, destination: Path) -> None:
        calls.append(("replace", destination.name))
        replace(source, destination)

    monkeypatch.setattr(os, "fsync", traced_sync)
    monkeypatch.setattr(os, "replace", traced_replace)
    write_atomically(target, "new")

    assert calls == [("fsync", "3 bytes"), ("replace", "file.json"), ("fsync", "folder")]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_no_temporary_one(
    target: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space"):
        write_atomically(target, "new")

    assert target.read_text() == "old"
    assert names(target.parent) == ["file.json"]


def test_an_error_in_the_block_leaves_the_old_file_and_no_temporary_one(target: Path) -> None:
    def write() -> None:
        with atomic_file(target) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()

    assert target.read_text() == "old"
    assert names(target.parent) == ["file.json"]


def test_a_process_killed_before_the_replacement_leaves_the_old_file(target: Path) -> None:
    program = (
        "import os, pathlib, signal; from lib.infra.files import atomic_file\n"
        f"with atomic_file(pathlib.Path({str(target)!r})) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == -signal.SIGKILL

    assert target.read_text() == "old"
    (stray,) = set(names(target.parent)) - {target.name}
    assert stray.startswith("file.json.")  # what a sweep looks for
    assert stray.endswith(".tmp")


def test_two_writers_of_one_file_have_a_temporary_one_each(target: Path) -> None:
    with atomic_file(target) as first, atomic_file(target) as second:
        first.write_text("first")
        second.write_text("second")
    assert target.read_text() == "first"  # the outer block ends last


def test_the_hash_is_that_of_all_bytes_and_progress_is_reported(tmp_path: Path) -> None:
    data = os.urandom(3 << 20)
    (tmp_path / "file").write_bytes(data)
    seen: list[int] = []

    assert sha256_of(tmp_path / "file", seen.append) == hashlib.sha256(data).hexdigest()
    assert seen == sorted(seen)
    assert seen[-1] == len(data)


@pytest.mark.parametrize("name", ["a" * 252 + ".md", "造" * 84 + ".m", "é" * 126])
def test_a_file_whose_name_takes_all_that_is_allowed_is_written(name: str, tmp_path: Path) -> None:
    write_atomically(tmp_path / name, "content")
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("path", [Path(""), Path("/")])
def test_what_has_no_name_is_no_file(path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        write_atomically(path, b"x")
