"""CSV for spreadsheets: letters as they are, and no cell that runs."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from lib.core.spreadsheet import spreadsheet_csv


def rows_of(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("label", ["=1+1", "+1", "@SUM(A1)", "-2+3", "\tx", "\rx", "\nx", "＝1", "=HYPERLINK('x')"])
def test_text_that_would_run_gets_an_apostrophe_in_cells_and_headings(label: str) -> None:
    rows = rows_of(spreadsheet_csv(pd.DataFrame({"label": [label, "car"], label: [-0.5, 1.0]})))
    assert rows == [["label", f"'{label}"], [f"'{label}", "-0.5"], ["car", "1.0"]]


@pytest.mark.parametrize(("label", "cell"), [("car;=1+1", "car;'=1+1"), ("a\t@x", "a\t'@x"), ("a\n+1", "a\n'+1")])
def test_text_that_would_run_where_another_sign_parts_cells_does_not(label: str, cell: str) -> None:
    assert rows_of(spreadsheet_csv(pd.DataFrame({"label": [label, "a;b-c=d"]}))) == [["label"], [cell], ["a;b-c=d"]]


def test_numbers_gaps_and_letters_stay_as_they_are() -> None:
    frame = pd.DataFrame(
        {"n": [-3, 4], "x": [-1.5e-7, float("nan")], "on": [True, False], "label": pd.Series(["café 造船厂", None])}
    )
    assert spreadsheet_csv(frame).decode("utf-8-sig") == frame.to_csv(index=False, lineterminator="\r\n")
    assert rows_of(spreadsheet_csv(frame))[1] == ["-3", "-1.5e-07", "True", "café 造船厂"]


def test_a_table_without_rows_keeps_its_heading() -> None:
    assert rows_of(spreadsheet_csv(pd.DataFrame({"label": pd.Series([], dtype=object), "x": []}))) == [["label", "x"]]
