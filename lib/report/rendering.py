"""A report as one HTML file that needs no network and runs nothing but its own script.

The file carries a Content Security Policy: scripts and styles count by their hash alone, pictures are data URIs, and
nothing can be loaded or sent. Vega's expressions are interpreted, not compiled, so no ``unsafe-eval`` is needed; what
stands in tooltips is set as text. Charts take the colours of the page, by CSS variables, so that they follow the light
or dark theme and are light on paper.

References:
    W3C, *Content Security Policy Level 3*. Vega, *Expression interpreter* (vega.github.io/vega/usage/interpreter).
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import lru_cache
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader

from lib.charts.palette import LIGHT_PALETTE, swatch
from lib.report.blocks import Chart, Code, Colours, Frames, Report, Table, Text

_DECIMALS = 5
_ENVIRONMENT = Environment(loader=PackageLoader("lib.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
_KINDS = {Text: "text", Code: "code", Table: "table", Chart: "chart", Frames: "frames"}


def render(report: Report) -> bytes:
    """Return the report as an HTML file in UTF-8."""
    charts = [block.chart for section in report.sections for block in section.blocks if isinstance(block, Chart)]
    styles = [_text("report.css"), _colours(report.colours)]
    scripts = [f"{_vega()}\n{_text('report.js')}"] if charts else []
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hashes(scripts)}",
            f"style-src {_hashes(styles)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    text = _ENVIRONMENT.get_template("report.html").render(
        report=report,
        policy=policy,
        styles=styles,
        scripts=scripts,
        charts=_as_data([_specification(chart) for chart in charts]),
        kinds=_KINDS,
        data_uri=lambda picture: "data:image/jpeg;base64," + base64.b64encode(picture).decode(),
    )
    return text.encode("utf-8", "replace")


def _text(name: str) -> str:
    return _ENVIRONMENT.get_template(name).render()


@lru_cache(maxsize=1)
def _vega() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script; it takes seconds the first time."""
    import vl_convert

    bundle: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # all of it, as its help says
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")  # neither may stand in a script's text


def _hashes(texts: list[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"


def _colours(colours: Colours) -> str:
    """Return the style sheet of the labels' colours: variables for charts, classes for what stands beside texts."""

    def variables(of: Any) -> str:
        return "".join(f"--{name}:{colour};" for name, colour in of.items())

    named = {colours.name(label): colour for label, colour in colours.by_label.items()}
    dots = "".join(f".{name}{{background:{swatch(colour)}}}" for name, colour in named.items())
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{variables(colours.dark)}}}}}"
    return f":root{{{variables(colours.light)}}}{dark}{dots}"


def _specification(chart: Any) -> dict[str, Any]:
    """Return a chart as Vega-Lite, as wide as the page, with the page's colours."""
    spec: dict[str, Any] = chart.named(_columns)
    spec.pop("usermeta", None)  # which asks for a canvas
    spec.pop("title", None)  # it stands above, in the page's type
    axis = {"labelColor": "var(--soft)", "titleColor": "var(--soft)", "gridColor": "var(--line)"}
    axis |= {"domainColor": "var(--line)", "tickColor": "var(--line)"}
    config = {
        "background": "transparent",
        "font": "system-ui, sans-serif",
        "axis": axis,
        "legend": {"labelColor": "var(--text)", "titleColor": "var(--soft)"},
        "title": {"color": "var(--text)"},
        "view": {"stroke": "var(--line)"},
        "bar": {"color": LIGHT_PALETTE[0]},
    }
    return spec | {"width": "container", "config": spec.get("config", {}) | config}


def _columns(frame: pd.DataFrame) -> list[list[Any]]:
    """Return a table as ``report.js`` reads it: per column its name, its unlike values, and which one each row has.

    Labels, which may be long, are so written once and not in each row. Numbers are to ``_DECIMALS``, None for what
    doesn't exist.
    """
    plain = frame.round(_DECIMALS).astype(object)
    plain = plain.where(frame.notna(), None)
    columns: list[list[Any]] = []
    for place, name in enumerate(plain.columns):
        values = plain.iloc[:, place].tolist()
        if any(isinstance(value, str) for value in values):
            places = {value: number for number, value in enumerate(dict.fromkeys(values))}
            columns.append([name, list(places), [places[value] for value in values]])
        else:
            columns.append([name, values, None])
    return columns


def _as_data(value: Any) -> str:
    """Return JSON that may stand in HTML as it is: nothing in it can end the element or begin another one."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
