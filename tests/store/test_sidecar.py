from __future__ import annotations

from pathlib import Path

from lib.store.sidecar import read_sidecar, sidecar_path


def test_the_store_gives_the_bytes_beside_a_video(tmp_path: Path) -> None:
    assert read_sidecar(tmp_path / "clip.mp4") is None
    (tmp_path / "clip.json").write_bytes(b"\xffanything")
    assert read_sidecar(tmp_path / "clip.mp4") == b"\xffanything"


def test_a_video_without_a_file_has_no_sidecar() -> None:
    assert sidecar_path(Path()) is None
    assert read_sidecar(Path()) is None
