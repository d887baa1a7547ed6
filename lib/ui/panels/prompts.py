"""The prompt table, and the import, name and template of the prompt set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.analysis.analysis import Analysis
from lib.charts.palette import swatch
from lib.core.errors import PromptreelError
from lib.core.formatting import plural
from lib.core.labelled_intervals import label_key
from lib.prompts.model import Prompt, PromptSet
from lib.prompts.parsing import given_fields, parse_prompt_set
from lib.services.experiment_changes import quoted
from lib.services.experiments import Experiment, PromptRow, label_of, rows_left_out, rows_to_prompts
from lib.services.row_hints import Hint, Refusal, hints, mended
from lib.services.row_paste import Paste, pasted
from lib.store.embeddings import EmbeddingInfo
from lib.store.videos import Video
from lib.ui.components.player import player_key
from lib.ui.components.prompt_editor import (
    MAX_LABEL,
    Pressed,
    RowMarks,
    SubmittedRows,
    editor_feedback,
    last_submitted,
    prompt_editor,
)
from lib.ui.panels import import_prompts, pictures, settings
from lib.ui.panels.engine import current_engine
from lib.ui.session import cache, theme
from lib.ui.session.bindings import bound
from lib.ui.session.guard import told
from lib.ui.session.session import Session

_NAMED = 8
_DECIMALS = 4
"""Of a suggested threshold."""
TEMPLATES = ("{}", "a photo of a {}", "a photo of {}", "a video frame of {}", "a rendering of {}")


def draw(
    session: Session,
    colours: Mapping[str, str] | None = None,
    marks: Callable[[], Mapping[str, RowMarks]] = dict,
    *,
    side: str = "",
) -> None:
    """Draw the table; every edit is in the experiment when this returns.

    Args:
        session: whose prompts.
        colours: override those of the places.
        marks: says, once the edit is in, what differs from another table.
        side: of the player that tells what is at the playhead: ``A`` or ``B`` in a comparison.
    """
    table, key, thresholds = session.prompt_table(), session.key("prompts"), settings.threshold_range(session)
    with st.container(gap=None):
        sent = prompt_editor(
            table.given,
            key=key,
            of=table.of,
            thresholds=thresholds,
            live=(player_key(session.experiment.video or ""), side),
            on_change=told(partial(_accept, session)),
        )
        # Streamlit calls no callback for what arrives before its widget is known, as after a lost connection.
        if sent is not None:
            _accept(session, sent)
            if session.prompt_table().of != table.of:
                st.rerun()  # another tab's rows have come in: the browser is to show them
        experiment, table = session.experiment, session.prompt_table()
        prompts, _ = rows_to_prompts(experiment.rows)
        editor_feedback(
            key=key,
            of=table.of,
            ack=table.acknowledged,
            colours={label: swatch(one) for label, one in {**theme.colours(prompts), **(colours or {})}.items()},
            threshold=experiment.settings.threshold,
            thresholds=thresholds,
            uses_thresholds=experiment.settings.decision != "best",
            hints=_hints(session),
            unknown=_notes(session, prompts),
            left_out=rows_left_out(experiment.rows, experiment.settings.score),
            said=session.table_said,
            marks=marks(),
        )


def _hints(session: Session) -> dict[int, tuple[Hint, ...]]:
    """Return, by row, what doesn't do what it seems to, with the ways to mend it."""
    refused: Mapping[str, Refusal] = {}
    with suppress(PromptreelError):  # the engine's own panel says what is wrong with it
        refused = cache.refusals(current_engine(session), session.experiment.template)
    found = hints(session.experiment, refused)
    if session.suggested is not None:
        label, threshold, sentence = session.suggested
        for index, row in enumerate(session.experiment.rows):
            if label_of(row) == label and row.threshold == threshold:
                found[index] = (*found.get(index, ()), Hint(sentence))
    return found


def _notes(session: Session, prompts: tuple[Prompt, ...]) -> dict[str, str]:
    """Return, by label, what is to be said below its row."""
    notes = {label: [words] for label, words in _unknown_words(session, prompts).items()}
    for prompt in prompts:
        if prompt.pictures:
            count = len(prompt.pictures)
            notes.setdefault(prompt.label, []).append(f"Looks like {count} picture{'s' if count > 1 else ''}, too.")
    for label, words in _learned(session, prompts).items():
        notes.setdefault(label, []).append(words)
    return {label: " ".join(sentences) for label, sentences in notes.items()}


def _learned(session: Session, prompts: tuple[Prompt, ...]) -> dict[str, str]:
    """Return, by label, what it was learned from, and why that doesn't count."""
    prompt_set, _ = session.experiment.prompt_set()
    if prompt_set is None or not any(prompt.learned for prompt in prompts):
        return {}
    try:
        engine_id = current_engine(session).id
    except PromptreelError:
        return {}
    return {prompt.label: _source(prompt_set, prompt, engine_id) for prompt in prompts if prompt.learned}


def _source(prompt_set: PromptSet, prompt: Prompt, engine_id: str) -> str:
    used = prompt_set.learned_of(prompt, engine_id)
    if used is not None:
        return f"{used.source[0].upper()}{used.source[1:]}."
    own = next((one for one in prompt.learned if one.engine == engine_id), None)
    if own is not None:
        return f"Its words count: what it {own.source} belongs to other words. Undo the edit, or learn again."
    other = prompt.learned[0]
    return f"Its words count: what it {other.source} belongs to the engine {other.engine}."


def _unknown_words(session: Session, prompts: tuple[Prompt, ...]) -> dict[str, str]:
    """Return, by label, which words the engine has never seen, and what to do about them."""
    template = session.experiment.template
    try:
        engine = current_engine(session)
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


def _accept(session: Session, sent: SubmittedRows) -> None:
    action = sent.action
    session.accept_rows(sent.of, sent.number, sent.rows, partial(_act, session, action) if action else None)


def _act(session: Session, action: Paste | Pressed, experiment: Experiment) -> tuple[Experiment, str]:
    if isinstance(action, Pressed):
        if action.mend == "suggest":
            rows = experiment.rows[action.index : action.index + 1] if action.index >= 0 else ()
            session.suggest = label_of(rows[0]) if rows else None  # found once this run has the scores
            return experiment, ""
        return mended(experiment, action.index, action.mend), ""
    return pasted(experiment, action, max_label=MAX_LABEL)


def suggest(session: Session, info: EmbeddingInfo, analysis: Analysis, video: Video) -> None:
    """Set the threshold of the row whose "Suggest" was pressed, or say in the row why none can be suggested."""
    label, session.suggest = session.suggest, None
    if label is None or label not in analysis.labels:
        return
    fit = cache.threshold_fit(info, analysis, video, label, sweep=False)
    found = fit or cache.threshold_split(info, analysis, label)
    value, sentence = found.threshold, found.sentence
    if fit is not None:
        sentence = f"By the ground truth: {sentence.removeprefix(f'{label}: ')}"
    elif cache.truth(video):
        sentence = f"The ground truth does not contain it; by the scores alone: {sentence}"
    if value is not None:
        settings.change_threshold(session, label, round(value, _DECIMALS))
    own = [row.threshold for row in session.experiment.rows if label_of(row) == label]
    session.suggested = (label, own[0], sentence) if own else None
    st.rerun()  # its row shows it


def accept_typed(session: Session) -> None:
    """Accept what was typed just before a click whose callback runs now, maybe before the editor's own."""
    sent = last_submitted(session.key("prompts"), settings.threshold_range(session))
    if sent is not None:
        _accept(session, sent)


def tools(session: Session) -> DeltaGenerator:
    """Draw import, pictures and template, and return the row that they are in."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        with st.popover("Import", icon=":material/upload_file:"):
            importing(session)
        with st.popover("Pictures", icon=":material/add_photo_alternate:"):
            pictures.popover(session)
        with st.popover("Name and template", icon=":material/format_quote:"):
            template(session)
    return row


def importing(session: Session) -> None:
    """Draw the import of prompt sets."""
    actions = {"Replace the prompts": partial(_import, session, True), "Add": partial(_import, session, False)}
    import_prompts.popover(session.key("import"), actions)


def _import(session: Session, replaces: bool, texts: Sequence[tuple[str, str]]) -> list[str]:
    """Import prompt sets, given as (name, text), and return what is wrong with them."""
    for name, text in texts:
        try:
            prompt_set, given = parse_prompt_set(text, name=name), given_fields(text)
        except PromptreelError as error:
            return [str(error)]
        if replaces:
            experiment = session.experiment
            kept = {one: getattr(experiment, one) for one in ("template", "settings") if one not in given}
            session.load_prompt_set(replace(prompt_set, **kept))
        else:
            _add(session, prompt_set)
    return []


def _add(session: Session, prompt_set: PromptSet) -> None:
    """Add the prompts with new labels, and say which are there already."""
    there = {label_key(label_of(row)) for row in session.experiment.rows}
    new = [prompt for prompt in prompt_set.prompts if label_key(prompt.label) not in there]
    old = [quoted(prompt.label) for prompt in prompt_set.prompts if label_key(prompt.label) in there]
    if new:
        rows = Experiment("", settings=prompt_set.settings, rows=tuple(map(PromptRow.of, new)))
        in_score = rows.with_score(session.experiment.settings.score).rows  # thresholds are kept for their own score
        session.keep("import")
        session.step(None, lambda one: replace(one, rows=(*one.rows, *in_score)))
    more = f" and {len(old) - _NAMED} more" if len(old) > _NAMED else ""
    left = f"; not added, as they are there already: {', '.join(old[:_NAMED])}{more}" if old else ""
    session.say(f"{plural(len(new), 'prompt')} added{left}")


def template(session: Session) -> None:
    """Draw the template around every phrasing, and the name of the prompt set."""
    chosen, name = session.experiment.template, session.experiment.name
    templates = list(dict.fromkeys((*TEMPLATES, chosen)))
    st.selectbox(
        "Template around every phrasing",
        templates,
        index=templates.index(chosen),
        accept_new_options=True,
        help="{} stands for the phrasing.",
        **bound(session, "template", chosen, lambda value: session.change(template=value or "{}")),
    )
    st.text_input(
        "Name of the prompt set",
        value=name,
        **bound(session, "name", name, lambda value: session.change(name=value.strip() or "untitled")),
    )
