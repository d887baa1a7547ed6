"""The rows of the matrix: which prompt sets there are to choose from, and the wordings of the sweep."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from lib.comparison.wording_sweep import Wording, sweep
from lib.core.errors import PromptreelError, PromptSetError
from lib.prompts.model import PromptSet
from lib.services import experiments
from lib.services.experiments import Experiment
from lib.ui.matrix import settings
from lib.ui.panels import prompts
from lib.ui.session import cache, state

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
    """Return the prompt sets to choose from: the experiment's own, imported ones, recent experiments'.

    An experiment that says the same as one before it is left out: each tab makes one, often from the same words.
    """
    here = state.current()
    found: list[tuple[str, PromptSet, Origin]] = []
    own, _ = here.prompt_set()
    if own is not None and own.enabled:
        found.append((_NOW, own, "now"))
    found += [(f"import:{one.name}", one, "import") for one in settings.current().imported]
    for other, _ in experiments.recent(cache.store().home, limit=_EXPERIMENTS, without=here.id):
        prompt_set, _ = other.prompt_set()
        if prompt_set is not None and prompt_set.enabled and all(prompt_set != one for _, one, _ in found):
            found.append((f"experiment:{other.id}", prompt_set, "experiment"))
    names = Counter(prompt_set.name for _, prompt_set, _ in found)
    titles = [
        _title(prompt_set, origin, plainly=names[prompt_set.name] == 1) for _, prompt_set, origin in found
    ]
    seen: Counter[str] = Counter()
    lines = []
    for title, (key, prompt_set, origin) in zip(titles, found, strict=True):
        seen[title] += 1
        shown = f"{title} · {seen[title]}" if titles.count(title) > 1 else title
        lines.append(MatrixRow(key, shown, prompt_set, origin))
    return lines


def _title(prompt_set: PromptSet, origin: Origin, *, plainly: bool) -> str:
    """Return the prompt set's name, with its first labels where the name alone says too little."""
    name = f"{prompt_set.name} (now)" if origin == "now" else prompt_set.name
    if plainly and prompt_set.name != _UNNAMED:
        return name
    labels = [prompt.label for prompt in prompt_set.enabled]
    more = f" +{len(labels) - _LABELS_NAMED}" if len(labels) > _LABELS_NAMED else ""
    return f"{name}: {', '.join(labels[:_LABELS_NAMED])}{more}"


def choose() -> list[MatrixRow]:
    """Draw the choice of prompt sets; return the chosen ones in the order of choice."""
    lines = {line.key: line for line in available()}
    options = list(lines)
    chosen = _chosen(options)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.multiselect(
            "Prompt sets",
            options,
            format_func=lambda key: lines[key].name,
            placeholder="Choose prompt sets to set side by side",
            width="stretch",
            default=chosen,
            **settings.bound_many("sets", chosen, options),
        )
        with st.popover("Import", icon=":material/upload_file:"):
            _import()
    kept = _chosen(options)
    if not lines:
        st.info(
            "There is no prompt set yet: type prompts on the page Explore, or import some here.",
            icon=":material/edit:",
        )
    return [lines[key] for key in kept]


def _chosen(options: list[str]) -> list[str]:
    keys = settings.current().sets
    if keys is None:
        return options[:_CHOSEN_AT_FIRST]
    return [key for key in keys if key in options]


def _import() -> None:
    st.markdown("Paste one prompt a line, or a prompt set as YAML or JSON.")
    st.text_input("Name", key="matrix_import_name", placeholder="as in the text or file")
    st.text_area("Prompts", key="matrix_import_text", height=140, label_visibility="collapsed")
    st.file_uploader(
        "or files",
        type=["yaml", "yml", "json", "txt"],
        key="matrix_import_files",
        accept_multiple_files=True,
        max_upload_size=1,
    )
    st.button("Add to the matrix", type="primary", key="matrix_import_add", on_click=_apply_import)
    for problem in st.session_state.pop("matrix_import_problems", []):
        st.error(problem)
    imported = settings.current().imported
    if imported:
        st.caption("Imported so far")
    for one in imported:
        st.button(
            one.name,
            key=f"matrix_forget_{one.name}",
            icon=":material/delete:",
            help="Remove it from this list",
            on_click=state.uninterrupted(settings.remove_import),
            args=(one.name,),
        )


@state.uninterrupted
def _apply_import() -> None:
    asked = st.session_state.to_dict()
    name = str(asked.get("matrix_import_name", "")).strip()
    texts: list[tuple[str, str]] = []
    problems: list[str] = []
    for file in asked.get("matrix_import_files") or []:
        try:
            texts.append((file.name.rpartition(".")[0], file.getvalue().decode("utf-8")))
        except UnicodeDecodeError:
            problems.append(f"{file.name} is not UTF-8 text; save it as UTF-8 and try again.")
    if str(asked.get("matrix_import_text", "")).strip() or not (texts or problems):
        texts.append((name or "pasted", asked.get("matrix_import_text", "")))
    added = []
    for title, text in texts:
        try:
            added.append(f"import:{settings.add_import(text, title).name}")
        except PromptreelError as error:
            problems.append(str(error) if len(texts) == 1 else f"{title}: {error}")
    if added:
        options = [line.key for line in available()]
        before = [key for key in _chosen(options) if key not in added]
        keys = [*before, *added]
        settings.change(sets=tuple(keys))
        st.session_state[state.versioned("matrix.sets")] = keys
    st.session_state["matrix_import_problems"] = problems
    if not problems:
        st.session_state["matrix_import_text"] = st.session_state["matrix_import_name"] = ""


def choose_wordings() -> list[MatrixRow]:
    """Draw what is swept: a label, wordings and templates; return a row for each, the present words first."""
    own, _ = state.current().prompt_set()
    if own is None:
        st.info("There is no prompt to put in other words yet: type some on the page Explore.")
        return []
    plan = settings.current()
    labels = [prompt.label for prompt in own.prompts]
    label = plan.sweep_label if plan.sweep_label in labels else labels[0]
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=330):
            st.selectbox("Label", labels, index=labels.index(label), **_bound_label(label, labels))
            st.multiselect(
                "Templates",
                list(dict.fromkeys((*prompts.TEMPLATES, own.template, *plan.templates))),
                accept_new_options=True,
                placeholder=f"as it is: {own.template}",
                help="Each wording is tried with each template. A template goes around every phrasing of the "
                "prompt set, as on Explore; {} stands for the phrasing.",
                default=list(plan.templates),
                **state.bound(
                    "matrix.templates",
                    list(plan.templates),
                    lambda found: settings.change(templates=tuple(found)),
                ),
            )
        with st.container(width="stretch"):
            st.text_area(
                "Wordings, one a line",
                height=150,
                placeholder=_EXAMPLE,
                help="Several phrasings of one wording are divided by semicolons; their vectors are averaged. "
                "The other prompts stay as they are and compete.",
                value=plan.wordings,
                **settings.bound("wordings", plan.wordings),
            )
    plan = settings.current()
    label = plan.sweep_label if plan.sweep_label in labels else labels[0]
    try:
        tries, problems = sweep(own, label, plan.wordings.splitlines(), plan.templates)
    except PromptSetError as error:
        st.warning(str(error), icon=":material/edit_note:")
        return []
    for problem in problems:
        st.warning(problem, icon=":material/edit_note:")
    return _as_lines(tries)


def _bound_label(label: str, labels: list[str]) -> state.Binding:
    place = state.versioned("matrix.sweep_label")
    if st.session_state.get(place, label) not in labels:
        del st.session_state[place]
    return settings.bound("sweep_label", label)


def swept_label() -> str | None:
    """Return the label that the sweep is about."""
    own, _ = state.current().prompt_set()
    labels = [prompt.label for prompt in own.prompts] if own else []
    wanted = settings.current().sweep_label
    return wanted if wanted in labels else next(iter(labels), None)


def _as_lines(tries: tuple[Wording, ...]) -> list[MatrixRow]:
    several = len({one.template for one in tries}) > 1
    lines = []
    for one in tries:
        words = "; ".join(one.texts)
        name = f"{words} [{one.template}]" if several else words
        lines.append(MatrixRow("\n".join((one.template, *one.texts)), name, one.prompt_set, "sweep", one))
    return lines
