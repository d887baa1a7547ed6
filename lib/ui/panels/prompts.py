"""The prompt table: labels, phrasings, roles, thresholds, colours; import, template, undo."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from lib.core.errors import PromptreelError
from lib.prompts.model import Prompt
from lib.prompts.parsing import parse_prompt_set
from lib.services.experiments import rows_to_prompts
from lib.ui.components.prompt_editor import SubmittedRows, prompt_editor, sent_last, tell_editor
from lib.ui.panels.engine import current_engine
from lib.ui.session import state, theme
from lib.ui.session.peek import peek_state

TEMPLATES = ("{}", "a photo of a {}", "a photo of {}", "a video frame of {}", "a rendering of {}")
_EXAMPLE = "construction site\nshipyard\nsomething else"


def draw(thresholds: tuple[float, float], colours: Mapping[str, str] | None = None) -> None:
    """Draw the table; every edit is in the workspace when this returns.

    Args:
        thresholds: lowest and highest threshold that makes sense for the chosen score.
        colours: hex colour by label, where it is not that of the label's place in this table.
    """
    table, key = state.table(), state.key("prompts")
    with st.container(gap=None):
        sent = prompt_editor(
            table.given, key=key, of=table.of, thresholds=thresholds, on_change=state.on_this_side(_keep)
        )
        # Streamlit calls no callback for what arrives before its widget is known, as after a lost connection.
        if sent is not None:
            _keep(sent)
        here, table = state.current(), state.table()
        prompts, _ = rows_to_prompts(here.rows)
        tell_editor(
            key=key,
            of=table.of,
            heard=table.heard,
            colours={**theme.colours(prompts), **(colours or {})},
            threshold=here.settings.threshold,
            thresholds=thresholds,
            uses_thresholds=here.settings.decision != "best",
            unknown=_unknown_words(prompts, here.template),
        )


def _unknown_words(prompts: tuple[Prompt, ...], template: str) -> dict[str, str]:
    """Return, by label, which words the engine has never seen, and what to do about them."""
    try:
        engine = current_engine()
        words_of = {
            prompt.label: engine.unknown_words(template.replace("{}", text) for text in prompt.texts)
            for prompt in prompts
        }
    except PromptreelError:  # the engine's own panel says what is wrong with it
        return {}
    return {
        label: f"Not in the demo model’s vocabulary: {', '.join(words)}. Try another wording, or a real CLIP engine."
        for label, words in words_of.items()
        if words
    }


@state.uninterrupted
def _keep(sent: SubmittedRows) -> None:
    state.hear_rows(sent.of, sent.number, sent.rows)


def hear(thresholds: tuple[float, float]) -> None:
    """Take over what was typed just before a click whose callback runs now, and may run first."""
    sent = sent_last(state.key("prompts"), thresholds)
    if sent is not None:
        _keep(sent)


def tools() -> None:
    """Draw template, import and undo, folded away behind one button each."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.popover("Import", icon=":material/upload_file:"):
            _import()
        with st.popover("Template", icon=":material/format_quote:"):
            _template()
        undo = state.session().undo
        if undo:
            st.button(
                "Undo import",
                icon=":material/undo:",
                on_click=state.on_this_side(state.undo_load),
                key=state.key("undo_load"),
            )


def _import() -> None:
    st.markdown("Paste one prompt a line, or a prompt set as YAML or JSON.")
    st.text_area(
        "Prompts",
        key=state.key("import_text"),
        height=160,
        placeholder=_EXAMPLE,
        label_visibility="collapsed",
    )
    st.file_uploader(
        "or a file", type=["yaml", "yml", "json", "txt"], key=state.key("import_file"), max_upload_size=1
    )
    st.button(
        "Replace the prompts",
        type="primary",
        key=state.key("import_apply"),
        on_click=state.on_this_side(_apply_import),
    )
    problem = st.session_state.pop(state.key("import_problem"), None)
    if problem:
        st.error(problem)


@state.uninterrupted
def _apply_import() -> None:
    asked = peek_state()
    file, typed = asked.get(state.key("import_file")), asked.get(state.key("import_text"), "")
    problem = state.key("import_problem")
    try:
        text = file.getvalue().decode("utf-8") if file is not None else typed
        name = file.name.rpartition(".")[0] if file is not None else "pasted"
        state.load_prompt_set(parse_prompt_set(text, name=name))
    except UnicodeDecodeError:
        st.session_state[problem] = "The file is not UTF-8 text; save it as UTF-8 and try again."
    except PromptreelError as error:
        st.session_state[problem] = str(error)
    else:
        st.session_state[state.key("import_text")] = ""


def _template() -> None:
    templates = list(dict.fromkeys((*TEMPLATES, state.current().template)))
    st.selectbox(
        "Template around every phrasing",
        templates,
        index=templates.index(state.current().template),
        accept_new_options=True,
        help="{} stands for the phrasing.",
        **state.bound("template", state.current().template, _change_template),
    )
    st.text_input(
        "Name of the prompt set",
        value=state.current().name,
        **state.bound(
            "name", state.current().name, lambda value: state.change(name=value.strip() or "untitled")
        ),
    )


def _change_template(value: str | None) -> None:
    state.change(template=value or "{}")
