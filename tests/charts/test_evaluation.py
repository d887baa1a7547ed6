from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import pytest

from lib.analysis.analysis import Analysis, analyse
from lib.charts import evaluation as charts
from lib.core.labelled_intervals import TrueSegment
from lib.core.samples import Samples
from lib.evaluation.evaluation import evaluate
from lib.evaluation.temperature import Reliability
from lib.evaluation.threshold_fit import suggest_with_truth
from lib.prompts.model import Prompt, PromptSet, Settings

TRUTH = (TrueSegment("a", 0.0, 3.0), TrueSegment("a", 6.0, 8.0), TrueSegment("c", 3.0, 6.0))


@pytest.fixture
def analysis() -> Analysis:
    """Ten samples, a second each, of which four look like a, four like b, and two like neither."""
    vectors = np.eye(3, dtype=np.float32)[[0, 0, 0, 1, 1, 2, 0, 1, 1, 2]]
    samples = Samples(np.arange(10), np.arange(10.0), vectors, 10.0)
    prompt_set = PromptSet("set", (Prompt("a"), Prompt("b")), settings=Settings(decision="threshold"))
    texts = {"a": np.array([1, 0, 0], np.float32), "b": np.array([0, 1, 0], np.float32)}
    return analyse(samples, prompt_set, texts)


def test_the_confusion_has_a_cell_for_each_pair_and_shares_of_rows(analysis: Analysis) -> None:
    cells = charts.confusion_table(evaluate(analysis, TRUTH)).set_index(["true", "found"])

    assert cells["seconds"].sum() == pytest.approx(10.0)
    assert cells.loc[("a", "a"), "seconds"] == 4.0
    assert cells.loc[("a", "a"), "share"] == pytest.approx(0.8)
    assert cells.loc[("a", "a"), "text"] == "4.0"
    assert cells.loc[("c", "a"), "text"] == ""
    assert cells.groupby("true")["share"].sum().isin([0.0, 1.0]).all()


def test_the_curve_goes_from_high_thresholds_to_low_with_the_current_one_on_it(analysis: Analysis) -> None:
    one = evaluate(analysis, TRUTH).by_label["a"]
    tables = charts.curve_chart(one, "#0072B2").tables

    assert tables["curve"]["recall"].is_monotonic_increasing
    assert tables["curve"]["place"].tolist() == list(range(len(tables["curve"])))
    assert tables["now"].to_numpy().tolist() == [[0.8, 1.0, pytest.approx(0.2)]]


def test_what_is_undefined_is_not_drawn(analysis: Analysis) -> None:
    tables = charts.curve_chart(evaluate(analysis, TRUTH).by_label["b"], "#0072B2").tables

    assert tables["curve"].empty
    assert tables["now"].empty


def test_the_fit_shows_its_best_threshold_and_the_current_one(analysis: Analysis) -> None:
    fit = suggest_with_truth(analysis, TRUTH, "a")
    assert fit is not None
    chart = charts.fit_chart(fit, "#0072B2", now=0.2)

    assert chart.tables["best"].iloc[0].tolist() == [fit.threshold, fit.f1]
    assert chart.tables["current"]["current_threshold"].tolist() == [0.2]
    assert charts.fit_chart(fit, "#0072B2", now=None).tables["current"].empty


def test_an_edit_changes_data_and_no_specification(analysis: Analysis) -> None:
    def specification(truth: tuple[TrueSegment, ...]) -> list[object]:
        evaluation = evaluate(analysis, truth)
        fit = suggest_with_truth(analysis, truth, "a")
        assert fit is not None
        drawn = (
            charts.confusion_chart(evaluation),
            charts.curve_chart(evaluation.by_label["a"], "#0072B2"),
            charts.fit_chart(fit, "#0072B2", now=0.2),
        )
        texts = [object.__getattribute__(chart, "_text") for chart in drawn]
        for chart in drawn:
            alt.Chart.from_dict(chart.to_dict())  # valid Vega-Lite
        return texts

    assert specification(TRUTH) == specification((TrueSegment("a", 1.0, 3.0), TrueSegment("c", 3.0, 6.5)))


def test_the_reliability_chart_has_a_point_per_bin_and_the_diagonal() -> None:
    frame = pd.DataFrame({"low": [0.2], "high": [0.6], "confidence": [0.4], "accuracy": [0.5], "seconds": [3.0]})
    chart = charts.reliability_chart(Reliability(frame, 0.1))

    assert chart.tables["bins"].equals(frame)
    assert chart.tables["calibrated"]["diagonal"].tolist() == chart.tables["calibrated"]["diagonal_y"].tolist()
    alt.Chart.from_dict(chart.to_dict())  # valid Vega-Lite
