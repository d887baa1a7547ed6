"""The frame around every page: page configuration, navigation, engine panel and running jobs."""

from __future__ import annotations

import gc
from pathlib import Path

import streamlit as st

from lib.ui.library import add_videos
from lib.ui.panels import engine, jobs, notices, presentation
from lib.ui.server import routes
from lib.ui.session import cache, state
from lib.ui.session.guard import as_sentences

# Streamlit leaves 5 rem on either side of the page, which is a third of what the sidebar leaves of a narrow window. A
# page that has its title in a line with fields begins at the very top, beside the button that opens the sidebar. What
# Streamlit writes in the primary colour, or paler still, is written in the text's, to be read by weak eyes.
_STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-left: 1.5rem; padding-right: 1.5rem; }
[data-testid="stMainBlockContainer"]:has(.st-key-top_line) { padding-top: 0.5rem; }
[data-testid="stMainBlockContainer"]:has(.st-key-top_line) > .stVerticalBlock { gap: 0.5rem; }
.st-key-top_line { padding-right: 2rem; } /* of the menu, which switches the theme */
.st-key-top_line h1 { padding: 0; font-size: 1.25rem; }
.st-key-top_line > :has(.stTextInput, .stSelectbox) { flex-grow: 1; }
.st-key-top_line > :has(.stSelectbox) > * { width: 100%; }
.st-key-beside_the_video > * { flex: 1000 1 35rem; }
.st-key-beside_the_video > :has(> .st-key-video_place) { flex: 1 1 26.25rem; max-width: 40rem; }
.st-key-beside_the_video > * > * { width: 100%; }
.stApp:has(.st-key-top_line) [data-testid="stHeader"] { background: none; }
.stApp:has(.st-key-top_line) :is([data-testid="stHeader"], [data-testid="stHeader"] *) { pointer-events: none; }
.stApp:has(.st-key-top_line) [data-testid="stHeader"] :is(button, button *) { pointer-events: auto; }
.stApp:has(.st-key-top_line) [data-testid="stHeader"] button {
  background: color-mix(in srgb, canvas 80%, transparent); /* over what is scrolled below it */
}
.stApp:has(.st-key-top_line) [data-testid="stHeader"] [data-testid="stLogoLink"] { display: none; }
.stApp:has([data-testid="stExpandSidebarButton"]) .st-key-top_line { padding-left: 2.5rem; }
.st-key-beside_the_video > :has(.st-key-two_sides) { flex: 1000 1 41rem; }
.st-key-beside_the_video:has(.st-key-two_sides) > :has(> .st-key-video_place) { flex-basis: 25rem; }
.st-key-two_sides > * { flex: 1 1 20rem; }
@media (min-width: 1140px) {
  .st-key-beside_the_video { --rows-most: max(15.5rem, 36vh); }
  .st-key-two_sides { --rows-most: max(16.75rem, 36vh); }
}
.st-key-experiments_list [class*="st-key-more_"] [data-testid="stMarkdownContainer"] { position: absolute;
  clip-path: inset(50%); }
.st-key-experiments_list [class*="st-key-more_"] button { min-width: 2.75rem; }
@media (max-width: 640px) {
  .st-key-experiments_list > [data-testid="stLayoutWrapper"]:first-child { display: none; }
  .st-key-experiments_list [data-testid="stHorizontalBlock"] { flex-flow: row wrap; gap: 0 0.75rem; }
  .st-key-experiments_list [data-testid="stColumn"] { flex: 0 1 auto; width: auto; min-width: 0; }
  .st-key-experiments_list [data-testid="stColumn"]:nth-child(2) { flex: 1 1 calc(100% - 9rem); }
  .st-key-experiments_list [data-testid="stColumn"]:nth-child(n + 3):nth-child(-n + 6) { order: 1; }
}
[data-testid="stWidgetLabel"][disabled] { color: inherit; opacity: 0.7; }
button:is([data-selected="true"], [aria-expanded="true"]),
[data-testid="stSliderThumbValue"] { color: inherit !important; }
[data-testid="stCaptionContainer"] code { color: inherit; }
.stApp a:focus-visible { outline: 2px solid currentcolor; outline-offset: -2px; }
.st-key-own_video { container-type: inline-size; }
@container (max-width: 950px) { /* the offers below each other, each in a line */
  .st-key-own_offers { gap: 0.375rem; }
  .st-key-own_offers > *, .st-key-own_offers > * > .stVerticalBlock { flex: 1 1 100%; width: 100%; max-width: none; }
  .st-key-own_offers > * > .stVerticalBlock { flex-direction: row; align-items: center; gap: 0.75rem; }
  .st-key-own_offers > * > .stVerticalBlock > :first-child { flex: none; width: auto; min-width: 0; }
  .st-key-own_offers > * > .stVerticalBlock > :last-child { flex: 1; width: auto; min-width: 0; }
}
@media (max-width: 767px) { [data-testid="stSidebar"] { max-width: min(15rem, 33vw); } } /* where it covers the page */
.st-key-page_keys { display: none; }
.st-key-top_line .st-key-present [data-testid="stMarkdownContainer"] {
  position: absolute; width: 1px; overflow: hidden; clip-path: inset(50%);
}
.stApp:has(.st-key-presentation) :is([data-testid="stHeader"], [data-testid="stSidebar"]) { display: none; }
[data-testid="stMainBlockContainer"]:has(.st-key-presentation) { padding: 0.75rem 1.5rem; }
.st-key-presentation h1 { padding: 0; font-size: 1.5rem; }
</style>"""


_ABOUT = (
    "Promptreel: prompts against video, frame by frame. Everything stays on this machine but what an engine is sent."
)
"""With an item of our own Streamlit shows its menu, which switches between light, dark and the system’s theme."""

_SETTLED: set[str] = set()
"""Pages that were run in this process."""


def main() -> None:
    """Draw the frame, then the page that the address asks for; an error of either is a sentence where it happened."""
    st.set_page_config(page_title="Promptreel", page_icon="🎞️", layout="wide", menu_items={"About": _ABOUT})
    st.logo(Path(__file__).with_name("logo.svg"), size="large")
    st.html(_STYLE)
    with as_sentences():
        _draw()


def _draw() -> None:
    state.begin()
    store = cache.store()
    routes.accept_uploads(store.paths.incoming, add_videos.upload_taker(store))
    pages = [
        st.Page("pages/library.py", title="Library", icon=":material/video_library:", default=True),
        st.Page("pages/explore.py", title="Explore", icon=":material/timeline:"),
        st.Page("pages/compare.py", title="Compare", icon=":material/compare_arrows:"),
        st.Page("pages/matrix.py", title="Matrix", icon=":material/grid_view:"),
        st.Page("pages/archive.py", title="Archive", icon=":material/inventory_2:"),
        st.Page("pages/search.py", title="Search", icon=":material/search:"),
    ]
    page = st.navigation(pages, position="hidden")
    presentation.begin()
    presentation.keys(page, pages)
    if presentation.is_open(page):
        with notices.above(), as_sentences():
            page.run()
        return
    with st.sidebar, as_sentences():
        with st.container(gap="xsmall"):
            for one in pages:
                # Streamlit's own menu drops the experiment from the address; putting it back would be an entry of its
                # own in the browser's history, and Back would need two presses.
                st.page_link(one, query_params=state.address())
        engine.draw(state.session(), "Engine of A" if page.title == "Compare" else "Engine")
        jobs.draw()
    try:
        with notices.above(), as_sentences():
            page.run()
    finally:  # also of a page that stops early
        _settle(page.title)


def _settle(page: str) -> None:
    """Take what is loaded by now out of garbage collection, once for each page of the process.

    Streamlit collects garbage after each run. To go through all that was ever imported takes it longer than most runs,
    and holds up what is still to be sent to the browser.
    """
    if page not in _SETTLED:
        _SETTLED.add(page)
        gc.collect()
        gc.freeze()
