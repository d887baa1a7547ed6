"""Tables as plain HTML, for what a data grid can't draw: grouped heads, shaded cells, marked changes of wording."""

from __future__ import annotations

import html

import streamlit as st

from lib.charts.palette import round_of, swatch

_STYLE = """<style>
.pr-scroll { overflow-x: auto; font-size: 0.875rem; line-height: 1.45; }
.pr-scroll table { font-size: 0.8125rem; }
.pr-scroll table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.pr-scroll th, .pr-scroll td { padding: 0.25rem 0.3rem; text-align: right; white-space: nowrap; font-weight: 400;
  border: 0; border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent); }
.pr-scroll thead th { color: color-mix(in srgb, currentColor 72%, transparent); font-size: 0.8125rem; }
.pr-scroll thead tr:first-child th { text-align: center; border-bottom: 0; padding-bottom: 0; }
.pr-scroll th[scope=row], .pr-scroll thead tr:first-child th.first, .pr-scroll thead th.first { text-align: left; }
.pr-scroll th[scope=row] { font-weight: 600; max-width: 11.5rem; overflow: hidden; text-overflow: ellipsis; }
.pr-scroll thead th.long { max-width: 8rem; white-space: normal; overflow-wrap: break-word; vertical-align: bottom; }
@media (max-width: 1200px) { .pr-scroll table th[scope=row], .pr-scroll table th.first { position: sticky; left: 0;
  max-width: 10rem; background: light-dark(#fff, #11161D); } }
.pr-scroll .group { border-left: 1px solid color-mix(in srgb, currentColor 14%, transparent); }
.pr-scroll .change { font-weight: 600; }
.pr-scroll .same { color: color-mix(in srgb, currentColor 68%, transparent); }
.pr-scroll .note { margin-left: 0.4rem; padding: 0 0.35rem; border-radius: 0.25rem; font-size: 0.75rem;
  font-weight: 500; background: color-mix(in srgb, currentColor 11%, transparent); }
.pr-scroll ul { list-style: none; margin: 0; padding: 0; }
.pr-scroll li { padding: 0.125rem 0; }
.pr-scroll ins { text-decoration: none; border-radius: 0.2rem; padding: 0 0.15rem;
  background: color-mix(in srgb, #00855F 30%, transparent); }
.pr-scroll del { border-radius: 0.2rem; padding: 0 0.15rem; background: color-mix(in srgb, #D55E00 28%, transparent); }
</style>"""


def draw(body: str, *, label: str) -> None:
    """Draw HTML that consists of ``escaped`` texts and the classes above.

    ``label`` names it for screen readers, and makes it reachable where it scrolls sideways.
    """
    st.html(f'{_STYLE}<div class="pr-scroll" role="region" tabindex="0" aria-label="{escaped(label)}">{body}</div>')


def escaped(text: str) -> str:
    """Return ``text`` escaped for HTML."""
    return html.escape(text)


def dot(colour: str) -> str:
    """Return the mark of a label's colour, as HTML."""
    if not round_of(colour):
        return f'<span style="color:{colour}" aria-hidden="true">■</span>'
    hatched = f"display:inline-block;width:0.7em;height:0.7em;background:{swatch(colour)}"
    return f'<span style="{hatched}" aria-hidden="true"></span>'


def note(text: str) -> str:
    """Return a small note after a name, as HTML."""
    return f'<span class="note">{escaped(text)}</span>'
