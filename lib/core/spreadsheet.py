"""Tables as CSV that a spreadsheet opens as they are meant: with its letters, and without running a cell.

Ground truth isn't written this way: its CSV is read back, and a label would gain an apostrophe.
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

_RUN = re.compile("^(?=[=+\\-@\t\r\n＝＋－＠])|(?<=[;\t\r\n])(?=[=+\\-@＝＋－＠])")
"""Before what begins a formula (OWASP, CSV Injection), also where ``;`` or a tab parts a spreadsheet's cells."""


def spreadsheet_csv(frame: pd.DataFrame) -> bytes:
    """Return a table as CSV in UTF-8 with a byte order mark, without its index.

    Headings and cells of text that a spreadsheet would run get an apostrophe in front; numbers stay as they are.
    """
    table = frame.map(_harmless).rename(columns=_harmless)
    return table.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig", "replace")


def _harmless(value: Any) -> Any:
    return _RUN.sub("'", value) if isinstance(value, str) else value
