"""The rows of the matrix: the prompt sets to choose from, or the wordings of a sweep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from lib.comparison.wording_sweep import TEMPLATES, Wording, paraphrases, sweep
from lib.core.errors import PromptreelError, PromptSetError
from lib.core.formatting import as_text
from lib.core.labelled_intervals import label_key
from lib.prompts.model import PromptSet
from lib.services import experiments
from lib.services.experiments import Experiment
from lib.ui.matrix import settings
from lib.ui.panels import import_prompts, prompts
from lib.ui.session import bindings, cache, state
from lib.ui.session.bindings import Binding

Origin = Literal["now", "experiment", "import", "sweep"]
_NOW = "now"
_EXPERIMENTS = 60  # to choose from
_CHOSEN_AT_FIRST = 6
_LABELS_NAMED = 3
_UNNAMED = Experiment.name  # what a prompt set is called until somebody names it
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


def available() -> list[MatrixRow]:
    """Return the prompt sets to choose from: the experiment's own, imported ones, those of recent experiments.

    A prompt set equal to an earlier one is left out: each tab makes an experiment, often with the same words.
    """
    candidates: list[tuple[str, PromptSet, Origin]] = []
    own, _ = state.current().prompt_set()
    if own is not None and own.enabled:
        candidates.append((_NOW, own, "now"))
    imported = settings.current().imported
    candidates += [(f"import:{prompt_set.name}", prompt_set, "import") for prompt_set in imported]
    for experiment, _ in experiments.recent(cache.store().home, limit=_EXPERIMENTS, without=state.current().id):
        prompt_set, _ = experiment.prompt_set()
        if prompt_set is None or not prompt_set.enabled:
            continue
        if all(prompt_set != other for _, other, _ in candidates):
            candidates.append((f"experiment:{experiment.id}", prompt_set, "experiment"))
    names = Counter(prompt_set.name for _, prompt_set, _ in candidates)
    titles = [_title(prompt_set, origin, unique=names[prompt_set.name] == 1) for _, prompt_set, origin in candidates]
    uses: Counter[str] = Counter()
    rows = []
    for title, (key, prompt_set, origin) in zip(titles, candidates, strict=True):
        uses[title] += 1
        name = f"{title} · {uses[title]}" if titles.count(title) > 1 else title
        rows.append(MatrixRow(key, name, prompt_set, origin))
    return rows


def _title(prompt_set: PromptSet, origin: Origin, *, unique: bool) -> str:
    """Return the prompt set's name, with its first labels where the name alone says too little."""
    name = f"{prompt_set.name} (current)" if origin == "now" else prompt_set.name
    if unique and prompt_set.name != _UNNAMED:
        return name
    labels = [prompt.label for prompt in prompt_set.enabled]
    more = f" +{len(labels) - _LABELS_NAMED}" if len(labels) > _LABELS_NAMED else ""
    return f"{name}: {', '.join(labels[:_LABELS_NAMED])}{more}"


def choose() -> list[MatrixRow]:
    """Draw the choice of prompt sets; return the chosen ones in the order of choice."""
    rows = {row.key: row for row in available()}
    options = list(rows)
    chosen = _chosen(options)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.multiselect(
            "Prompt sets",
            options,
            format_func=lambda key: rows[key].name,
            placeholder="Choose prompt sets to compare",
            width="stretch",
            default=chosen,
            **settings.bound_many("sets", chosen, options),
        )
        with st.popover("Import", icon=":material/upload_file:"):
            _import()
    if not rows:
        st.info(
            "There is no prompt set yet: type prompts on the page Explore, or import some here.",
            icon=":material/edit:",
        )
    return [rows[key] for key in _chosen(options)]


def _chosen(options: list[str]) -> list[str]:
    keys = settings.current().sets
    if keys is None:
        return options[:_CHOSEN_AT_FIRST]
    return [key for key in keys if key in options]


def _import() -> None:
    import_prompts.popover("matrix_import", "Add to the matrix", _add_imports, files="beside")
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
        options = [row.key for row in available()]
        keys = [*(key for key in _chosen(options) if key not in added), *added]
        settings.change(sets=tuple(keys))
        st.session_state[state.session().versioned("matrix.sets")] = keys
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
