"""What the command line writes while it works."""

from __future__ import annotations

import io

from lib.cli.output import Reporter, table
from lib.engines.checks import Preparation
from lib.ingest.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestReporter:
    def test_changes_one_line_in_a_terminal(self) -> None:
        stream = Terminal()
        reporter = Reporter(stream)
        reporter.progress("a.mp4", Progress(10, 40, 12.34, 2.4))
        reporter.preparation(Preparation("Downloading CLIP.", 25_000_000, 600_000_000))
        reporter.line("done")

        clear = "\r\x1b[K"
        assert stream.getvalue() == (
            f"{clear}a.mp4: 10 of 40 samples, 12.3 per second, 2.4 s left"
            f"{clear}Downloading CLIP. 25 of 600 MB"
            f"{clear}done\n"
        )

    def test_writes_few_lines_to_a_file(self) -> None:
        stream = io.StringIO()
        reporter = Reporter(stream)
        for done in range(1000):
            reporter.progress("a.mp4", Progress(done, None, 0.0, None))
        reporter.problem("two\nlines")

        assert stream.getvalue() == "promptreel: two lines\n"

    def test_shows_names_that_are_not_utf_8(self) -> None:
        stream = Terminal()
        reporter = Reporter(stream)
        reporter.progress("latin1_\udce9.mp4", Progress(10, 40, 0.0, None))
        reporter.line("latin1_\udce9.mp4: done")

        assert (
            stream.getvalue().replace("\r\x1b[K", "") == "latin1_\ufffd.mp4: 10 of 40 sampleslatin1_\ufffd.mp4: done\n"
        )

    def test_aligns_columns(self) -> None:
        assert table(("name", "n"), [("a", "10"), ("longer", "7")]) == "name     n\na       10\nlonger   7"
