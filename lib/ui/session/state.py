"""The tab's session in Streamlit's session state, its id in the address, and callbacks that lose no edit."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import streamlit as st

from lib.core.errors import PromptreelError
from lib.services import experiments
from lib.services.experiments import Experiment
from lib.ui.session import cache
from lib.ui.session.guard import sentence
from lib.ui.session.peek import peek_state
from lib.ui.session.session import Offer, Session, opened
from lib.ui.session.undoing import Undoing

ADDRESS_PARAMETER = "experiment"
_REMEMBERED = 8
"""Experiments that were open before, of which a tab still knows what it has done to them."""
_P = ParamSpec("_P")
_R = TypeVar("_R")
_beginning = threading.Lock()


class _Callback(threading.local):
    session: Session | None = None


_callback = _Callback()


def begin() -> None:
    """Find or make the experiment (address first, so that a reload continues), and keep its id in the address.

    The browser's Back changes the address, and with it the experiment. A run may still bring the address of an
    experiment that the tab has just left; that is no wish to go back.
    """
    wanted = st.query_params.get(ADDRESS_PARAMETER)
    with _beginning:  # two runs of one tab may both be its first
        if "session" not in st.session_state:
            fresh = experiments.fresh()
            st.session_state["session"] = opened(wanted, fresh) if wanted else Session(fresh)
    if wanted and wanted != current().id and wanted not in session().left:
        _follow(wanted)
    if wanted == current().id:
        session().left = ()
    session().refresh()
    if wanted != current().id:
        st.query_params[ADDRESS_PARAMETER] = current().id


def _follow(wanted: str) -> None:
    """Open the experiment that the address has come to name, if there is one."""
    try:
        experiment = experiments.load(cache.store().home, wanted)
    except PromptreelError as error:
        session().told.append(str(error))
        return
    if experiment is not None:
        open_experiment(experiment)


def session() -> Session:
    """Return the tab's session, which is side A of its comparison; ``begin`` has made it."""
    tab: Session = _callback.session or st.session_state["session"]
    return tab


def current() -> Experiment:
    """Return the tab's experiment as it is now."""
    return session().experiment


def open_experiment(experiment: Experiment, *, new: bool = False, offer: Offer | None = None) -> None:
    """Open another experiment in this tab; its id goes into the address.

    Args:
        experiment: a saved one.
        new: it isn't saved yet; it will be, as soon as there is something in it.
        offer: what to say, and what else to offer.
    """
    before = session()
    newest = max(before.version, before.compared.version if before.compared else 0)
    unsaved = {f"{one.kind.name} {one.document_id}": one for one in before.documents() if one.unsaved is not None}
    steps = {**before.undoing_elsewhere, before.experiment.id: before.undoing}
    undoing = steps.pop(experiment.id, None) or Undoing()
    tab = Session(
        experiment,
        undoing=undoing,
        undoing_elsewhere=dict([*steps.items()][-_REMEMBERED:]),
        others=unsaved,  # what was done there is still tried to be written
        version=newest + 1,
        saved=None if new else experiment,
        offer=offer,
        brushes=before.brushes + 1,
        server_keys=before.server_keys,
        earlier={**before.earlier, **before.others},
        left=(*before.left, before.experiment.id),
    )
    if not experiment.untouched:
        tab.save()
    st.session_state["session"] = tab
    if _callback.session is not None:
        _callback.session = tab
    st.query_params[ADDRESS_PARAMETER] = experiment.id


def address() -> dict[str, str]:
    """Return the query parameters of every page's address, for links and ``st.switch_page``."""
    return {ADDRESS_PARAMETER: current().id}


def callback(function: Callable[_P, _R]) -> Callable[_P, _R | None]:
    """Make a widget's callback run alone in its tab, and to its end; an error is said by the run that follows.

    Reading an item of ``st.session_state`` ends a run for which a newer one waits. If that happened in a callback,
    its edit would be lost for good, since the newer run finds the widget's value changed already. So a callback reads
    through ``peek_state``, and finds the session (``session``) without reading an item.
    """

    @functools.wraps(function)
    def run(*args: _P.args, **options: _P.kwargs) -> _R | None:
        if _callback.session is not None:  # called by another callback
            return function(*args, **options)
        tab: Session = peek_state()["session"]
        with tab.lock:
            _callback.session = tab
            try:
                return function(*args, **options)
            except (PromptreelError, OSError) as error:  # raised, it would take the page away
                tab.told.append(sentence(error))
                return None
            finally:
                _callback.session = None

    return run
