"""The import of prompt sets: pasted text or files, read when the button is pressed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import streamlit as st

from lib.core.formatting import as_text
from lib.ui.session import state
from lib.ui.session.peek import peek_state

_EXAMPLE = "construction site\nshipyard\nsomething else"


Action = Callable[[Sequence[tuple[str, str]]], Sequence[str]]
"""Called with (name, text) of each prompt set; returns one sentence for each problem."""


def popover(key: str, actions: Mapping[str, Action], *, files: Literal["instead", "beside"] = "instead") -> None:
    """Draw the inputs, and a button for each action, by its words.

    All inputs are emptied when it had no problem: a file is used once. With ``files``, one is read where nothing was
    typed, or several beside what was typed, which then also has a name.
    """
    st.markdown("Paste one prompt per line, columns of a spreadsheet, or a prompt set as YAML or JSON.")
    if files == "beside":
        st.text_input("Name", key=f"{key}_name", placeholder="as in the text or file")
    st.text_area("Prompts", key=f"{key}_text", height=150, placeholder=_EXAMPLE, label_visibility="collapsed")
    st.file_uploader(
        "or a file" if files == "instead" else "or files",
        type=["yaml", "yml", "json", "txt", "tsv"],
        key=_file_key(key, st.session_state.get(f"{key}_used", 0)),
        accept_multiple_files=files == "beside",
        max_upload_size=1,
    )
    with st.container(horizontal=True):
        for number, (words, action) in enumerate(actions.items()):
            name = "add" if number else "apply"
            st.button(
                words,
                type="secondary" if number else "primary",
                key=f"{key}_{name}",
                on_click=_apply,
                args=(key, action),
            )
    for problem in st.session_state.pop(f"{key}_problems", ()):
        st.error(as_text(problem))


def _file_key(key: str, used: int) -> str:
    """Return the key of the field for files; another one is empty, which Streamlit offers no other way to."""
    return f"{key}_file.{used}"


@state.callback
def _apply(key: str, action: Action) -> None:
    inputs = peek_state()
    used = int(inputs.get(f"{key}_used", 0))
    uploads, typed = inputs.get(_file_key(key, used)), str(inputs.get(f"{key}_text", ""))
    beside = isinstance(uploads, list)
    files = uploads if isinstance(uploads, list) else [uploads] if uploads else []
    if files and typed.strip() and not beside:
        state.session().say(f"What was typed was imported, not {files[0].name}.")
        files = []
    texts: list[tuple[str, str]] = []
    problems: list[str] = []
    for file in files:
        try:
            texts.append((file.name.rpartition(".")[0], file.getvalue().decode("utf-8")))
        except UnicodeDecodeError:
            problems.append(f"{file.name} is not UTF-8 text; save it as UTF-8 and try again.")
    if not files or (beside and typed.strip()):
        texts.append((str(inputs.get(f"{key}_name", "")).strip() or "pasted", typed))
    problems += action(texts) if texts else []
    st.session_state[f"{key}_problems"] = problems
    if not problems:
        st.session_state[f"{key}_used"] = used + 1
        for name in inputs.keys() & {f"{key}_text", f"{key}_name"}:
            st.session_state[name] = ""
