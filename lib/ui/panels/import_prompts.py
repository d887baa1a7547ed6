"""The import of prompt sets: pasted text or files, read when the button is pressed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st

from lib.core.formatting import as_text
from lib.ui.session import state
from lib.ui.session.peek import peek_state

_EXAMPLE = "construction site\nshipyard\nsomething else"


def popover(
    key: str,
    button: str,
    on_import: Callable[[Sequence[tuple[str, str]]], Sequence[str]],
    *,
    files: Literal["instead", "beside"] = "instead",
) -> None:
    """Draw the inputs and the button, which are emptied again when the import had no problem.

    ``on_import`` is called with (name, text) of each prompt set and returns one sentence for each problem. With
    ``files``, one is read instead of what was typed, or several beside it, which then also has a name.
    """
    st.markdown("Paste one prompt per line, or a prompt set as YAML or JSON.")
    if files == "beside":
        st.text_input("Name", key=f"{key}_name", placeholder="as in the text or file")
    st.text_area("Prompts", key=f"{key}_text", height=150, placeholder=_EXAMPLE, label_visibility="collapsed")
    st.file_uploader(
        "or a file" if files == "instead" else "or files",
        type=["yaml", "yml", "json", "txt"],
        key=f"{key}_file",
        accept_multiple_files=files == "beside",
        max_upload_size=1,
    )
    st.button(button, type="primary", key=f"{key}_apply", on_click=_apply, args=(key, on_import))
    for problem in st.session_state.pop(f"{key}_problems", ()):
        st.error(as_text(problem))


@state.callback
def _apply(key: str, on_import: Callable[[Sequence[tuple[str, str]]], Sequence[str]]) -> None:
    inputs = peek_state()
    uploads, typed = inputs.get(f"{key}_file"), str(inputs.get(f"{key}_text", ""))
    beside = isinstance(uploads, list)
    files = uploads if isinstance(uploads, list) else [uploads] if uploads else []
    texts: list[tuple[str, str]] = []
    problems: list[str] = []
    for file in files:
        try:
            texts.append((file.name.rpartition(".")[0], file.getvalue().decode("utf-8")))
        except UnicodeDecodeError:
            problems.append(f"{file.name} is not UTF-8 text; save it as UTF-8 and try again.")
    if not files or (beside and typed.strip()):
        texts.append((str(inputs.get(f"{key}_name", "")).strip() or "pasted", typed))
    problems += on_import(texts) if texts else []
    st.session_state[f"{key}_problems"] = problems
    if not problems:
        for name in inputs.keys() & {f"{key}_text", f"{key}_name"}:
            st.session_state[name] = ""
