"""The rows of the matrix: the prompt sets to choose from, or the wordings of a sweep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import streamlit as st

from lib.comparison.wording_sweep import TEMPLATES, Wording, paraphrases, sweep
from lib.core.errors import PromptreelError, PromptSetError
from lib.core.formatting import as_text
from lib.core.labelled_intervals import label_key
from lib.prompts.model import PromptSet
from lib.services.catalogue import Choice
from lib.ui.matrix import settings
from lib.ui.panels import import_prompts, prompts
from lib.ui.session import bindings, opening, state
from lib.ui.session.bindings import Binding

Origin = Literal["now", "experiment", "import", "sweep"]
_NOW = "now"
_CHOSEN_AT_FIRST = 6
_EXAMPLE = "a tower crane\na building site with workers\ncrane; scaffolding; digger"


@dataclass(frozen=True)
class MatrixRow:
    """One row of the matrix."""

    key: str
    name: str
    """As it is shown; unique among the rows."""
    prompt_set: PromptSet
    origin: Origin
    wording: Wording | None = None

    @property
    def current(self) -> bool:
        """Whether this is the prompt set of the experiment as it is now."""
        return self.origin == "now" or (self.wording is not None and self.wording.current)


@dataclass(frozen=True)
class _Option:
    """A prompt set to choose, which is read once it is chosen."""

    name: str
    origin: Origin
    says: object
    """Equal in two that look the same; of those only one is chosen at first."""
    get: Callable[[], PromptSet | None]


def _options() -> dict[str, _Option]:
    """Return by key what can be chosen: the experiment's own prompt set, imported ones, all of the catalogue."""
    options: dict[str, _Option] = {}
    present = state.current()
    own, _ = present.prompt_set()
    if own is not None and own.enabled:
        says = own.name, present.labels
        options[_NOW] = _Option(f"{opening.named(present)} (current)", "now", says, lambda: own)
    for one in settings.current().imported:
        says = one.name, tuple(prompt.label for prompt in one.enabled)
        options[f"import:{one.name}"] = _Option(one.name, "import", says, partial(_itself, one))
    for choice in opening.choices().choices:
        if choice.labels and choice.key != f"experiment:{present.id}":
            says = choice.prompt_set, choice.labels
            options[choice.key] = _Option(choice.name, "experiment", says, partial(_prompts_of, choice))
    return _numbered(options)


def _itself(prompt_set: PromptSet) -> PromptSet:
    return prompt_set


def _prompts_of(choice: Choice) -> PromptSet | None:
    with suppress(PromptreelError):
        experiment = choice.get()
        return experiment.prompt_set()[0] if experiment is not None else None
    return None


def _numbered(options: dict[str, _Option]) -> dict[str, _Option]:
    """Return the options with names that differ."""
    count, uses = Counter(option.name for option in options.values()), Counter[str]()
    for key, option in options.items():
        uses[option.name] += 1
        if count[option.name] > 1:
            options[key] = replace(option, name=f"{option.name} · {uses[option.name]}")
    return options


def _row(key: str, option: _Option) -> MatrixRow | None:
    prompt_set = option.get()
    if prompt_set is None or not prompt_set.enabled:
        st.warning(f"{as_text(option.name)} has no prompts that can be used, so it is left out.")
        return None
    return MatrixRow(key, option.name, prompt_set, option.origin)


def choose() -> list[MatrixRow]:
    """Draw the choice of prompt sets; return the chosen ones in the order of choice."""
    options = _options()
    chosen = _chosen(options)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.multiselect(
            "Prompt sets",
            list(options),
            format_func=lambda key: options[key].name,
            placeholder="Choose prompt sets to compare",
            width="stretch",
            default=chosen,
            **settings.bound_many("sets", chosen, list(options)),
        )
        with st.popover("Import", icon=":material/upload_file:"):
            _import()
    if all(
        option.origin == "experiment" and key.startswith(("sample:", "version:")) for key, option in options.items()
    ):
        st.info(
            "There is no prompt set yet: type prompts on the page Explore, import some here, or choose a sample’s.",
            icon=":material/edit:",
        )
    rows = (_row(key, options[key]) for key in _chosen(options))
    return [row for row in rows if row is not None]


def _chosen(options: Mapping[str, _Option]) -> list[str]:
    keys = settings.current().sets
    if keys is not None:
        return [key for key in keys if key in options]
    different = {
        option.says: key
        for key, option in reversed(list(options.items()))
        if not key.startswith(("sample:", "version:"))
    }
    return [key for key in options if key in different.values()][:_CHOSEN_AT_FIRST]


def _import() -> None:
    import_prompts.popover("matrix_import", {"Add to the matrix": _add_imports}, files="beside")
    imported = settings.current().imported
    if imported:
        st.caption("Imported so far")
    for prompt_set in imported:
        st.button(
            as_text(prompt_set.name),
            key=f"matrix_forget_{prompt_set.name}",
            icon=":material/delete:",
            help="Remove it from this list",
            on_click=state.callback(settings.remove_import),
            args=(prompt_set.name,),
        )


def _add_imports(texts: Sequence[tuple[str, str]]) -> list[str]:
    """Add prompt sets, given as (name, text), to the chosen ones; return what can't be read."""
    added: list[str] = []
    problems: list[str] = []
    for name, text in texts:
        try:
            added.append(f"import:{settings.add_import(text, name).name}")
        except PromptreelError as error:
            problems.append(str(error) if len(texts) == 1 else f"{name}: {error}")
    if added:
        keys = [*(key for key in _chosen(_options()) if key not in added), *added]
        settings.change(sets=tuple(keys))
        bindings.replace_widget(state.session(), "matrix.sets")
    return problems


def choose_wordings() -> list[MatrixRow]:
    """Draw what is swept: a label, wordings and templates; return one row per wording, the current words first."""
    own, _ = state.current().prompt_set()
    if own is None:
        st.info("There is no prompt to reword yet: type some on the page Explore.")
        return []
    current = settings.current()
    labels = [prompt.label for prompt in own.prompts]
    label = swept_label() or labels[0]
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=330):
            st.selectbox("Label", labels, index=labels.index(label), **_bound_label(label, labels))
            st.multiselect(
                "Templates",
                list(dict.fromkeys((*prompts.TEMPLATES, *TEMPLATES, own.template, *current.templates))),
                accept_new_options=True,
                placeholder=f"as it is: {own.template}",
                help="Each wording is tried with each template. A template goes around every phrasing of the "
                "prompt set, as on Explore; {} stands for the phrasing.",
                default=list(current.templates),
                **bindings.bound(
                    state.session(),
                    "matrix.templates",
                    list(current.templates),
                    lambda templates: settings.change(templates=tuple(templates)),
                ),
            )
        with st.container(width="stretch"):
            st.text_area(
                "Wordings, one per line",
                height=150,
                placeholder=_EXAMPLE,
                help="Separate several phrasings of one wording by semicolons; their vectors are averaged. "
                "The other prompts stay as they are and compete.",
                value=current.wordings,
                **settings.bound("wordings", current.wordings),
            )
    own_texts = next(prompt.texts for prompt in own.prompts if prompt.label == label)
    with st.container(horizontal=True):
        st.button(
            "Add paraphrases",
            key="sweep_paraphrases",
            icon=":material/format_list_bulleted_add:",
            on_click=_add_wordings,
            args=(paraphrases(own_texts[0]),),
            help="Wordings of the same thing, and all of them averaged.",
        )
        st.button(
            "Add templates",
            key="sweep_templates",
            icon=":material/format_quote:",
            on_click=_add_templates,
            help="Photographs and video frames, near and far, sharp and blurry.",
        )
    try:
        wordings, problems = sweep(own, label, current.wordings.splitlines(), current.templates)
    except PromptSetError as error:
        st.warning(as_text(str(error)), icon=":material/edit_note:")
        return []
    for problem in problems:
        st.warning(as_text(problem), icon=":material/edit_note:")
    return _as_rows(wordings)


@state.callback
def _add_wordings(lines: tuple[str, ...]) -> None:
    current = settings.current()
    text = "\n".join(dict.fromkeys((*current.wordings.splitlines(), *lines))).strip()
    settings.change(wordings=text)
    state.session().version += 1  # the widgets start again from the new values


@state.callback
def _add_templates() -> None:
    settings.change(templates=tuple(dict.fromkeys((*settings.current().templates, *TEMPLATES))))
    state.session().version += 1


def _bound_label(label: str, labels: list[str]) -> Binding:
    key = state.session().versioned("matrix.sweep_label")
    if st.session_state.get(key, label) not in labels:
        del st.session_state[key]
    return settings.bound("sweep_label", label)


def swept_label() -> str | None:
    """Return the label that the sweep is about."""
    own, _ = state.current().prompt_set()
    labels = [prompt.label for prompt in own.prompts] if own else []
    chosen = label_key(settings.current().sweep_label or "")
    return next((label for label in labels if label_key(label) == chosen), next(iter(labels), None))


def _as_rows(wordings: tuple[Wording, ...]) -> list[MatrixRow]:
    several = len({wording.template for wording in wordings}) > 1
    rows = []
    for wording in wordings:
        words = "; ".join(wording.texts)
        name = f"{words} [{wording.template}]" if several else words
        key = "\n".join((wording.template, *wording.texts))
        rows.append(MatrixRow(key, name, wording.prompt_set, "sweep", wording))
    return rows
