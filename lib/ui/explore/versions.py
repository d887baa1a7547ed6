"""Versions of experiments: saving one, and a dialog that lists them, compares, restores, exports and imports them."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from lib.comparison.version_diff import NOTHING_DIFFERS
from lib.core.errors import InputError
from lib.core.formatting import ago, as_text, escape_markdown, file_name, plural
from lib.evaluation.numbers import Change, Numbers, f1_changes
from lib.services import version_files, versions
from lib.services.experiment_changes import quoted
from lib.services.experiments import Experiment
from lib.services.versions import MAX_NAME, MAX_NOTE, WHY, Version
from lib.ui.panels import filter_box, numbers, prompts, row_table
from lib.ui.panels.numbers import Computed
from lib.ui.session import cache, comparison_sides, state
from lib.ui.session.guard import as_sentences, told
from lib.ui.session.peek import peek_state
from lib.ui.session.session import Session

_OPEN = "versions_open"
_IMPORTED = "versions_imported"
_AGAIN = "versions_again"
_SEARCH_FROM = 6
_MAX_FILE_MB = version_files.MAX_BYTES >> 20


def buttons() -> None:
    """Draw the buttons that save a version and that open the list."""
    st.button(
        "Save version",
        icon=":material/bookmark_add:",
        key="save_version",
        shortcut="Mod+S",
        on_click=_open,
        args=("save",),
        help="Keep prompts, settings, engine, sampling and ground truth as they are now, with their numbers",
    )
    st.button("Versions", icon=":material/history:", key="versions", on_click=_open, args=("list",))


def dialog() -> None:
    """Draw the dialog that is open."""
    wanted = st.session_state.get(_OPEN)
    if wanted == "save":
        _save_dialog()
    elif wanted == "list":
        _list_dialog()


@state.callback
def _open(which: str) -> None:
    prompts.accept_typed(state.session())
    st.session_state[_OPEN] = which
    st.session_state.pop(_IMPORTED, None)


def _close() -> None:
    st.session_state.pop(_OPEN, None)


# --- saving --------------------------------------------------------------------------------------------------------


@st.dialog("Save version", on_dismiss=_close)
@as_sentences()
def _save_dialog() -> None:
    session = state.session()
    if not session.experiment.rows:
        st.info("There is no prompt yet, so there is nothing to keep.")
        return
    of, known = session.experiment, _present(session)
    others = versions.listed(cache.store().home, {session.experiment.id}).versions
    count = sum(one.why == "saved" for one in others)
    with st.form("save_version_form", border=False):
        st.text_input("Name", value=f"Version {count + 1}", key="version_name", max_chars=MAX_NAME)
        st.text_area("Note", key="version_note", max_chars=MAX_NOTE, height=100, placeholder="What is it about?")
        st.caption(as_text(_score_words(known)))
        if st.form_submit_button(
            "Save", key="version_save", type="primary", icon=":material/check:", on_click=_save, args=(known, of)
        ):
            st.rerun()


def _score_words(known: Computed) -> str:
    if known.numbers is None:
        return f"Without numbers: {known.problem}"
    if known.numbers.macro_f1 is None:
        return "There is no ground truth, so it has no F1; everything else is kept."
    return f"Macro F1 {known.numbers.macro_f1:.2f}, accuracy {_number(known.numbers.accuracy)}"


def _present(session: Session) -> Computed:
    """Return the present numbers of the tab's experiment."""
    measured = session.measured
    known = measured.known(session.experiment) if measured is not None else {}
    return Computed(**known) if known else numbers.compute(session, session.experiment)


@told
def _save(known: Computed, of: Experiment) -> None:
    """Save the experiment as it is now; ``known`` are the numbers of ``of``, which may have been edited since."""
    values, session = peek_state(), peek_state()["session"]
    prompts.accept_typed(session)
    with session.lock:
        experiment = session.experiment
    if not versions.same_content(experiment, of):
        known = _present(session)
    kept = versions.keep(
        cache.store(),
        experiment,
        "saved",
        name=str(values.get("version_name", "")),
        note=str(values.get("version_note", "")),
        engine_id=known.engine_id,
        numbers=known.numbers,
        truth=known.truth,
    )
    st.session_state.pop(_OPEN, None)
    if kept is not None:
        st.toast(as_text(f"{quoted(kept.shown_name)} is saved"), icon=":material/bookmark:")


# --- the list ------------------------------------------------------------------------------------------------------


@st.dialog("Versions", width="large", on_dismiss=_close)
@as_sentences()
def _list_dialog() -> None:
    session = state.session()
    listing = versions.listed(cache.store().home)
    if listing.damaged:
        names = as_text(", ".join(listing.damaged[:5]))
        st.caption(f"Damaged, altered or of another Promptreel, so left out: {names} in the folder versions.")
    chosen = _choose(session, listing.versions)
    if chosen is not None:
        _detail(session, chosen)
    _import_field(bool(listing.versions))


def _import_field(some: bool) -> None:
    with st.expander("Import a version", icon=":material/upload_file:", expanded=not some):
        file = st.file_uploader(
            "A file that was exported here or on another machine",
            type=["json"],
            key="version_file",
            max_upload_size=_MAX_FILE_MB,
        )
        if file is not None:
            st.button(
                "Import", key="version_import", type="primary", on_click=_import, args=(file.getvalue(), file.name)
            )
    done: version_files.Imported | str | None = st.session_state.get(_IMPORTED)
    if isinstance(done, str):
        st.error(as_text(done), icon=":material/error:")
    elif done is not None:
        words = "is imported" if done.new else "was there already"
        st.success(as_text(f"{quoted(done.version.shown_name)} {words}."), icon=":material/check:")
        for problem in done.problems:
            st.warning(as_text(problem), icon=":material/info:")


@told
def _import(content: bytes, name: str) -> None:
    try:
        done: version_files.Imported | str = version_files.import_file(cache.store(), content, name)
    except InputError as error:
        done = str(error)
    st.session_state[_IMPORTED] = done


def _choose(session: Session, found: tuple[Version, ...]) -> Version | None:
    """Draw the list, and return the version that is selected."""
    ids = {session.experiment.id, session.experiment.beside}
    mine = tuple(one for one in found if one.experiment.id in ids)
    done = st.session_state.get(_IMPORTED)
    imported = done.version.id if isinstance(done, version_files.Imported) else None
    with st.container(horizontal=True, vertical_alignment="center"):
        everything = st.toggle(
            "Of all experiments",
            key="versions_all",
            value=not mine or (imported is not None and all(one.id != imported for one in mine)),
        )
        shown = found if everything else mine
        words = ""
        if len(shown) >= _SEARCH_FROM:
            words = filter_box.draw(
                "versions_search",
                label="Search versions",
                placeholder="Search names, notes, experiments and labels",
                width=420,
            )
    shown = tuple(one for one in shown if _matches(one, words))
    if not shown:
        nothing = (
            "No version has all of these words." if words else "There is no version yet: “Save version” makes one."
        )
        st.info(nothing)
        return None
    shown = tuple(sorted(shown, key=lambda one: one.id != imported))
    event = st.dataframe(
        pd.DataFrame([_cells(one, session, everything) for one in shown]),
        key=f"versions_table_{everything}_{words}_{len(shown)}",
        hide_index=True,
        height=min(38 + 35 * len(shown), 250),
        on_select="rerun",
        selection_mode=row_table.MODE,
        selection_default=row_table.choice(0, "Name"),
        placeholder="n/a",
        column_config={"Macro F1": st.column_config.NumberColumn(format="%.3f")},
        alt="Versions; select one to see what it is",
    )
    row = row_table.chosen(event, len(shown))
    if row is None:
        st.caption("Select a version to see its numbers and what differs.")
        return None
    return shown[row]


def _matches(version: Version, words: str) -> bool:
    video = version.video.name if version.video else ""
    text = "\n".join((version.shown_name, version.note, version.title, video, *version.experiment.labels)).casefold()
    return all(word in text for word in words.casefold().split())


def _cells(version: Version, session: Session, everything: bool) -> dict[str, object]:
    baseline = " (baseline)" if version.id == session.experiment.baseline else ""
    cells: dict[str, object] = {
        "Name": version.shown_name + baseline,
        "Saved": ago(time.time() - version.created_at),
        "Why": WHY[version.why],
        "Macro F1": version.numbers.macro_f1 if version.numbers else None,
        "Note": version.note,
    }
    if everything:
        cells |= {"Experiment": version.title, "Video": version.video.name if version.video else ""}
    return cells


# --- one version ---------------------------------------------------------------------------------------------------


def _detail(session: Session, version: Version) -> None:
    when = f"{datetime.fromtimestamp(version.created_at):%Y-%m-%d %H:%M}"
    st.markdown(f"**{escape_markdown(version.shown_name)}** · {when} · {WHY[version.why]} · {as_text(version.title)}")
    _actions(session, version)
    if version.note:  # below the buttons, which stay where they are from one version to the next
        st.markdown(as_text(version.note))
    now = _present(session)
    again: Computed | None = st.session_state.get(_AGAIN, {}).get(version.id)
    _changed_since(session, version, again)
    left, right = st.columns(2)
    with left:
        _side_by_side(version, again, now if version.experiment.video == session.experiment.video else _OTHER_VIDEO)
    with right:
        st.markdown("**What differs from the current state**")
        present = versions.as_version(cache.store(), session.experiment, engine_id=now.engine_id)
        differ = versions.differences(version, present)
        st.markdown("\n".join(f"- {as_text(one)}" for one in differ) or NOTHING_DIFFERS)


def _actions(session: Session, version: Version) -> None:
    mine = version.experiment.id in (session.experiment.id, session.experiment.beside)
    with st.container(horizontal=True):
        if st.button("Restore", key="version_restore", type="primary", icon=":material/settings_backup_restore:"):
            _restore(version)
            st.rerun()
        if not mine and st.button("Open its experiment", key="version_open", icon=":material/open_in_new:"):
            _close()
            state.open_experiment(version_files.experiment_of(cache.store(), version))
            st.rerun()
        if st.button("Compare", key="version_compare", icon=":material/compare:", help="It becomes side B"):
            _close()
            comparison_sides.compare_with(_named(version))
            st.switch_page("pages/compare.py", query_params=state.address())
        is_baseline = version.id == session.experiment.baseline
        st.button(
            "No baseline" if is_baseline else "Use as baseline",
            key="version_baseline",
            icon=":material/flag:",
            on_click=_set_baseline,
            args=(None if is_baseline else version.id,),
            disabled=not is_baseline and version.experiment.video != session.experiment.video,
            help="Explore’s metrics show their difference to the baseline",
        )
        st.button(
            "Compute again",
            key="version_again",
            icon=":material/refresh:",
            on_click=_compute_again,
            args=(version,),
            help="With the engine and the ground truth as they are now; the old numbers stay beside the new ones",
        )
        _export(version)
        with st.popover("Delete", icon=":material/delete:", key="version_delete"):
            st.markdown("It can’t be brought back.")
            st.button(
                "Delete this version",
                key="version_delete_now",
                type="primary",
                on_click=told(versions.delete),
                args=(cache.store().home, version.id),
            )


_OTHER_VIDEO = Computed(None, None, (), "not compared, as the version is of another video.")


def _named(version: Version) -> Any:
    return replace(version.experiment, name=version.name or version.experiment.name)


def _restore(version: Version) -> None:
    _close()
    _with_content(version)


@state.callback
def _with_content(version: Version) -> None:
    session = state.session()
    prompts.accept_typed(session)
    session.keep("restore")
    done = f"Version {quoted(version.shown_name)} restored"
    session.step(done, lambda one: one.with_experiment(version.experiment))
    st.toast(as_text(f"{done}. Undo takes it back."), icon=":material/settings_backup_restore:")


@state.callback
def _set_baseline(version_id: str | None) -> None:
    state.session().change(baseline=version_id)


def _export(version: Version) -> None:
    exported = version_files.export(cache.store(), version.id)
    left_out = f" {plural(exported.left_out, 'picture example')} left out." if exported.left_out else ""
    st.download_button(
        "Export",
        exported.text,
        file_name=file_name(version.shown_name, ".version.json"),
        mime="application/json",
        key="version_export",
        icon=":material/download:",
        on_click="ignore",
        help=f"One file, to be imported on another machine with the same video.{left_out}",
    )


def _changed_since(session: Session, version: Version, again: Computed | None) -> None:
    """Say what is no longer as it was when the numbers were computed."""
    here = again or _here(session, version)
    changed = []
    if version.engine_id is not None and here.engine_id not in (None, version.engine_id):
        changed.append(f"the engine is {here.engine_id} now, it was {version.engine_id}")
    if versions.truth_digest(here.truth) != version.truth_digest:
        changed.append("the ground truth has changed")
    if changed:
        st.warning(
            as_text(f"Since then, {' and '.join(changed)}: “Compute again” gives the numbers of today beside the old."),
            icon=":material/update:",
        )
    if again is not None and again.problem:
        st.warning(as_text(again.problem), icon=":material/error:")


def _here(session: Session, version: Version) -> Computed:
    """Return the engine and the ground truth that the version would be computed with."""
    return numbers.compute(session, version.experiment, otherwise=version.truth, numbers=False)


@told
def _compute_again(version: Version) -> None:
    session = peek_state()["session"]
    done = numbers.compute(session, version.experiment, otherwise=version.truth)
    st.session_state[_AGAIN] = {**peek_state().get(_AGAIN, {}), version.id: done}


def _side_by_side(version: Version, again: Computed | None, now: Computed) -> None:
    """Draw F1 of the version, computed again where it was, and of the present state; what lost most first."""
    then = version.numbers
    if then is None:
        st.caption("Its numbers were not computed when it was kept; “Compute again” does it.")
    present = now.numbers or Numbers()
    changes = _with_overall(then or Numbers(), present)
    once_more = (
        {one.label: one.now for one in _with_overall(then or Numbers(), again.numbers)}
        if again and again.numbers
        else {}
    )
    rows = []
    for change in changes:
        row: dict[str, object] = {"F1": change.label or "All labels (macro)", "Then": change.before}
        if once_more:
            row["Again"] = once_more.get(change.label)
        rows.append({**row, "Now": change.now, "Now − then": change.difference})
    number = st.column_config.NumberColumn
    st.dataframe(
        pd.DataFrame(rows).astype({name: float for name in rows[0] if name != "F1"}),
        hide_index=True,
        placeholder="n/a",
        column_config={name: number(format="%+.3f" if "−" in name else "%.3f") for name in rows[0] if name != "F1"},
        alt="F1 of the version and of the present state",
    )
    if now.numbers is None and now.problem:
        st.caption(as_text(f"Now: {now.problem}"))


def _with_overall(before: Numbers, after: Numbers) -> tuple[Change, ...]:
    return (Change(None, before.macro_f1, after.macro_f1), *f1_changes(before, after))


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}"
