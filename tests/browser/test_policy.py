"""The Content-Security-Policy: all pages work under it, and none of them asks another host for anything."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from lib.core.labelled_intervals import TrueSegment
from tests.helpers.browser import wait_idle
from tests.helpers.pages import EXPERIMENT, put_truth

pytestmark = pytest.mark.browser

_VIEWS = re.compile(
    "^(Segments|Shots|Frames|Thresholds|Ground truth|Evaluation|Export|Agreement|Score comparison|Accuracy)$"
)
_FETCH = """async address => {
    const blocked = [];
    document.addEventListener('securitypolicyviolation', event => blocked.push(event.effectiveDirective));
    const ask = (name, attribute, more = {}) => {
        const element = Object.assign(document.createElement(name), more);
        element[attribute] = address;
        document.body.append(element);
    };
    ask('img', 'src');
    ask('script', 'src');
    ask('iframe', 'src');
    ask('video', 'src');
    ask('link', 'href', {rel: 'stylesheet'});
    document.body.insertAdjacentHTML('beforeend', `<p style="background-image: url('${address}')">x</p>`);
    await fetch(address).catch(() => {});
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.body.append(script);
    await new Promise(resolve => setTimeout(resolve, 500));
    return [blocked, window.ran === true];
}"""


@pytest.mark.parametrize("path", ["", "explore", "compare", "matrix", "search"])
def test_every_page_works_under_the_policy_and_fetches_nothing_from_elsewhere(
    dashboard, bench, page: Page, watch, path
):
    put_truth(bench, TrueSegment("red", 0.0, 3.0))
    # the watch fails on any refusal that is in the console
    page.goto(f"{dashboard.url}/{path}?experiment={EXPERIMENT}")
    wait_idle(page)
    if path in ("explore", "compare"):
        expect(page.locator("canvas").first).to_be_visible()
    views = page.get_by_role("radio").or_(page.get_by_role("button")).filter(has_text=_VIEWS)
    for view in views.all() if path in ("explore", "compare") else ():
        view.click()
        page.wait_for_timeout(200)
        wait_idle(page)
    assert watch.unexpected == []

    watch.allow("pictures.example|Content Security Policy|violates")
    blocked, ran = page.evaluate(_FETCH, "http://pictures.example/p.png")
    assert {"img-src", "script-src-elem", "frame-src", "media-src", "style-src-elem", "connect-src"} <= set(blocked)
    assert not ran
